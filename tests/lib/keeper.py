"""The keeper: the process that owns every server of a test fleet, so that none outlives it.

fleet.py starts one keeper per fleet and talks to it over stdin and stdout, one JSON object a line:

    {"op": "spawn", "argv": [...], "log": "FILE", "user": "postgres", "env": {...}}  -> {"pid": 123}
    {"op": "signal", "pid": 123, "signal": 9}                                        -> {"ok": true}
    {"op": "wait", "pid": 123, "seconds": 5}              -> {"status": 0} | {"status": null}
    {"op": "detach"}    from now on the end of stdin does not end the fleet          -> {"ok": true}

When stdin ends (the test ended, was interrupted, or was killed with -9), or on SIGTERM, it kills all
of its descendants and removes the fleet's directory. It is a child subreaper: what a server
daemonised (an agent's runner) is still its descendant. Programs that were started from the fleet's
own bin/ folder by somebody else (`transport: local`) are found by /proc/PID/exe. DIRECTORY/keeper
says who keeps it: the pid, and when that process started.

Run as: keeper.py DIRECTORY [--leave]      --leave: do not remove the directory at the end.
"""

import ctypes
import json
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
libc = ctypes.CDLL(None, use_errno=True)


def parents():
    """{pid: parent's pid} of every process."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as f:
                stat = f.read()
            if stat[stat.rindex(b")") + 2:][:1] == b"Z":
                continue
            found[int(name)] = int(stat[stat.rindex(b")") + 2:].split()[1])
        except OSError:
            pass
    return found


def started(pid):
    """When a process started, in clock ticks since boot: with it a pid cannot mean another one."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            fields = f.read().rsplit(b")", 1)[1].split()
        return None if fields[0] == b"Z" else int(fields[19])
    except OSError:
        return None


def descendants(root):
    """The pids below `root`, zombies left out."""
    tree = parents()
    found, fresh = set(), {root}
    while fresh:
        fresh = {pid for pid, parent in tree.items() if parent in fresh and pid not in found}
        found |= fresh
    return found


def from_directory(directory):
    """The pids of programs whose executable lies in directory/bin."""
    prefix, found = os.path.join(directory, "bin") + "/", set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.readlink(f"/proc/{name}/exe").startswith(prefix):
                    found.add(int(name))
            except OSError:
                pass
    return found


def end_all(directory):
    """Ends every server: politely for a second, then with SIGKILL."""
    start = time.monotonic()
    while time.monotonic() < start + 10:
        left = descendants(os.getpid()) | from_directory(directory)
        if not left:
            break
        for pid in left:
            try:
                with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
                    number = signal.SIGQUIT if f.read() == "postgres\n" else signal.SIGTERM
                os.kill(pid, signal.SIGKILL if time.monotonic() > start + 1 else number)
            except OSError:
                pass
        time.sleep(0.05)
        reap({})


def remove(directory):
    """The name is free at once; the files take their time."""
    aside = f"{directory}.gone-{os.getpid()}"
    try:
        os.rename(directory, aside)
    except OSError:
        aside = directory
    for _ in range(20):
        shutil.rmtree(aside, ignore_errors=True)
        if not os.path.exists(aside):
            break
        time.sleep(0.05)


def reap(ended):
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        ended[pid] = os.waitstatus_to_exitcode(status)


def spawn(request):
    user = request.get("user")
    env = dict(os.environ, **request.get("env", {}))
    more = {}
    if user and os.geteuid() == 0:
        entry = pwd.getpwnam(user)
        env.update(HOME=entry.pw_dir, USER=user, LOGNAME=user)
        more = {"user": entry.pw_uid, "group": entry.pw_gid,
                "extra_groups": os.getgrouplist(user, entry.pw_gid)}
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    # after the change of user, which would clear it
    before = lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
    child = subprocess.Popen(request["argv"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                             cwd="/", env=env, start_new_session=True, preexec_fn=before, **more)
    os.close(log)
    child.returncode = 0        # reap() collects it, not this object
    return {"pid": child.pid}


def answer(request, ended):
    if request["op"] == "spawn":
        return spawn(request)
    if request["op"] == "signal":
        os.kill(request["pid"], request["signal"])
        return {"ok": True}
    if request["op"] == "wait":
        deadline = time.monotonic() + request["seconds"]
        while request["pid"] not in ended and time.monotonic() < deadline:
            reap(ended)
            time.sleep(0.01)
        return {"status": ended.get(request["pid"])}
    if request["op"] == "detach":
        return {"ok": True, "detach": True}
    return {"error": "unknown op"}


def main():
    directory, leave = os.path.realpath(sys.argv[1]), "--leave" in sys.argv[2:]
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    with open(os.path.join(directory, "keeper.new"), "w", encoding="utf-8") as f:
        f.write(f"{os.getpid()} {started(os.getpid())}\n")
    os.rename(f.name, os.path.join(directory, "keeper"))
    stop = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.append(1))
    ended, detached, buffer = {}, False, b""
    while not stop:
        reap(ended)
        ready = select.select([] if detached == "closed" else [0], [], [], 0.5)[0]
        if not ready:
            continue
        data = os.read(0, 65536)
        if not data:
            if not detached:
                break
            detached = "closed"
            null = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
        buffer += data
        while b"\n" in buffer:
            line, buffer = buffer.split(b"\n", 1)
            try:
                reply = answer(json.loads(line), ended)
            except Exception as e:  # the fleet must hear of it, whatever it is
                reply = {"error": str(e)}
            detached = detached or reply.get("detach", False)
            try:
                os.write(1, json.dumps(reply).encode() + b"\n")
            except OSError:
                break
    end_all(directory)
    if not leave:
        remove(directory)


if __name__ == "__main__":
    main()
