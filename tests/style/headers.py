"""Every header compiles alone, so that no file depends on what was included before it."""

import concurrent.futures
import os
import subprocess

from tree import Stamps, need

FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-I.", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function",
         "-fsyntax-only"]


def check(tree):
    stamps = Stamps("headers")
    flags = FLAGS + subprocess.run([need("pkg-config"), "--cflags", "libpq"], capture_output=True,
                                   text=True, check=False).stdout.split()
    compiler = need("gcc")
    todo = []
    for path in tree.c_files:
        if path.endswith(".h"):
            digest = stamps.digest(tree, tree.closure(path), " ".join(flags))
            if not stamps.fresh(path, digest):
                todo.append((path, digest))

    def one(item):
        source = f'#include "{item[0]}"\n'
        return item, subprocess.run([compiler, *flags, "-x", "c", "-"], input=source,
                                    capture_output=True, text=True, check=False)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for (path, digest), result in pool.map(one, todo):
            if result.returncode == 0:
                stamps.keep(path, digest)
            else:
                first = next((l for l in result.stderr.splitlines() if "error" in l), "")
                yield path, 1, f"does not compile alone: {first.strip()}", "include what it uses"
