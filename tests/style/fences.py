"""One library, one place: the table "Libraries and their fences" in docs/ARCHITECTURE.md.

Its columns are: header (a pattern, in backquotes), where it may be included (patterns in
backquotes), why. A header that is neither the C library's nor in the table is refused.
"""

import fnmatch
import re

DOC = "docs/ARCHITECTURE.md"
# What comes with glibc and the kernel: free to use.
PLAIN = set("""aio alloca argp arpa/inet assert byteswap ctype dirent dlfcn endian err errno execinfo
    fcntl fenv float fnmatch getopt glob grp inttypes langinfo libgen limits linux/fs linux/sched
    locale malloc math netdb net/if netinet/in netinet/tcp poll pthread pwd regex sched semaphore
    setjmp signal spawn stdalign stdarg stdatomic stdbool stddef stdint stdio stdio_ext stdlib
    stdnoreturn string strings sysexits syslog termios time unistd utime wchar wctype""".split())


def check(tree):
    fences = []
    for _, cells in tree.table("Libraries and their fences"):
        header = re.findall(r"`([^`]+)`", cells[0])
        places = re.findall(r"`([^`]+)`", cells[1])
        fences += [(h, places) for h in header]
    for path in tree.c_files:
        for number, quoted, name in tree.includes(path):
            if quoted or name.startswith("sys/") or name.removesuffix(".h") in PLAIN:
                continue
            match = [places for header, places in fences if fnmatch.fnmatch(name, header)]
            if not match:
                yield path, number, f"<{name}> is not a library of this project", f"see {DOC}, 'Libraries and their fences'"
            elif not any(fnmatch.fnmatch(path, p) for p in match[0]):
                yield path, number, f"<{name}> stays inside {', '.join(match[0])}", "use the header in front of it"
