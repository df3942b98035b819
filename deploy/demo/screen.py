"""How the demo shows what it does: every command, and its output cut to what fits a screen."""

import os
import shlex
import subprocess
import sys
import threading
import time

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def say(text=""):
    print(text, flush=True)


def title(text):
    say("\n" + paint("1;36", f"== {text}"))


def cut(line, width=150):
    return line if len(line) <= width else line[:width - 1] + "…"


class Output:
    """Prints the first lines as they come and the last ones at the end."""

    def __init__(self, head, tail):
        self.head, self.tail, self.lines = head, tail, []

    def add(self, line):
        self.lines.append(line)
        if len(self.lines) <= self.head:
            say("    " + cut(line))

    def end(self):
        rest = self.lines[self.head:]
        if len(rest) > self.tail:
            say(paint("2", f"    … {len(rest) - self.tail} more lines …"))
        for line in rest[len(rest) - self.tail:] if self.tail else []:
            say("    " + cut(line))


class Shell:
    """Runs flotilla in the fleet's folder as a user would type it."""

    def __init__(self, fleet):
        self.fleet = fleet

    def run(self, *args, codes=(0,), head=6, tail=4):
        """Output of stdout and stderr; raises when the exit code is none of `codes`."""
        shown = [os.path.relpath(a, self.fleet.work) if a.startswith(self.fleet.dir) else a for a in args]
        say(paint("1", "$ flotilla " + shlex.join(shown)))
        begin = time.monotonic()
        child = subprocess.Popen([self.fleet.flotilla_program, *args], cwd=self.fleet.work,
                                 env=self.fleet.environment_of_commands(), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        output = Output(head, tail)
        reader = threading.Thread(target=lambda: [output.add(l.rstrip("\n")) for l in child.stdout])
        reader.start()
        code = child.wait()
        reader.join()
        output.end()
        if time.monotonic() - begin > 1:
            say(paint("2", f"    ({time.monotonic() - begin:.1f} s)"))
        if code not in codes:
            if len(output.lines) > head + tail:
                say("\n".join(output.lines[-60:]))
            raise RuntimeError(f"flotilla {shlex.join(shown)}: exit {code}, expected {' or '.join(map(str, codes))}")
        return code, output.lines
