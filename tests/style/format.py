"""clang-format 14 agrees with every C file."""

import re
import subprocess

from tree import Stamps, need


def check(tree):
    stamps = Stamps("format")
    program = need("clang-format-14")
    config = tree.text(".clang-format")
    digests = {path: stamps.digest(tree, [path], config) for path in tree.c_files}
    todo = [path for path in tree.c_files if not stamps.fresh(path, digests[path])]
    if not todo:
        return
    result = subprocess.run([program, "--dry-run", "--ferror-limit=1", *todo], capture_output=True,
                            text=True, check=False)
    bad = {}
    for line in result.stderr.splitlines():
        match = re.match(r"(\S+?):(\d+):\d+: (warning|error): (.*)", line)
        if match and match[1] not in bad:
            bad[match[1]] = (int(match[2]), match[4])
    for path in todo:
        if path in bad:
            yield path, bad[path][0], "not formatted", f"clang-format-14 -i {path}"
        elif result.returncode == 0 or bad:
            stamps.keep(path, digests[path])
    if result.returncode != 0 and not bad:
        yield ".clang-format", 0, result.stderr.strip()[:200], "mend it"
