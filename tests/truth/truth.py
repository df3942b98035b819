#!/usr/bin/python3
"""Runs every case on servers of several versions and says where the statement model is wrong.

    tests/truth/run [VERSION...]         15 is Debian's; 16, 17, 18 are fetched (see servers.py)

ONLY=text runs only the groups of cases that have the text in a statement or in where it stands.
"""

import os
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lib")]
import cases  # noqa: E402
import compare  # noqa: E402
import servers  # noqa: E402
import syntax  # noqa: E402
from server import Server  # noqa: E402


def chosen(only):
    return [g for g in cases.every()
            if any(only in case.where or only in case.statement for case in g.cases)]


def judge(version, only, say=print):
    """(statements compared, lines about what is wrong)"""
    compared, wrong, groups = 0, [], chosen(only)
    with Server(servers.folder(version)) as server:
        bench = compare.Bench(server, version)
        static = bench.said_without(groups)
        for group in groups:
            for case, result, said in bench.run(group):
                compared += 1
                problems = list(compare.differences(result, said, bench, case.careful))
                problems += [f"without a catalog: {p}"
                             for p in compare.weaker(result, static[case], bench)]
                if problems:
                    wrong.append(f"PostgreSQL {version} {case.where}: {case.statement}\n    " +
                                 "\n    ".join(problems))
                    say(wrong[-1])
    return compared, wrong


def judge_syntax(version):
    with Server(servers.folder(version)) as server:
        bench = compare.Bench(server, version)
        return list(syntax.wrong_on(bench)) + list(syntax.wrong_in_lint(bench))


def main():
    total = 0
    for version in [int(v) for v in sys.argv[1:]] or [15, 16, 17, 18]:
        began = time.monotonic()
        compared, wrong = judge(version, os.environ.get("ONLY", ""))
        print(f"PostgreSQL {version}: {compared} statements compared, {len(wrong)} mismatches "
              f"({time.monotonic() - began:.1f} s)", flush=True)
        wrong_syntax = judge_syntax(version)
        print("\n".join(wrong_syntax + [f"PostgreSQL {version}: {len(syntax.expected()[1])} forms tried, "
                                        f"{len(wrong_syntax)} mismatches"]), flush=True)
        total += len(wrong) + len(wrong_syntax)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
