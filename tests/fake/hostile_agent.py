#!/usr/bin/python3
"""An agent that lies: it stands before the real one and changes what that says.

The file `lie` in its own folder names the lie, a word of LIES; the real program lies there as well,
as flotilla-agent.real. Without the file it only passes messages on. `cut N` ends the conversation
after its Nth message; `kill N` ends the real agent so (SIGKILL); the count is of both directions.
"""

import json
import os
import struct
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.realpath(sys.argv[0]))
ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\n"
MORE = 0x80000000
out_lock = threading.Lock()


def lie_of():
    try:
        with open(os.path.join(HERE, "lie"), encoding="utf-8") as file:
            return file.read().split() or [""]
    except OSError:
        return [""]


LIE = lie_of()


def read_raw(stream):
    head = stream.read(4)
    if len(head) < 4:
        return None
    size = struct.unpack(">I", head)[0]
    return head + stream.read(size & 0x7FFFFFFF)


def send(data):
    with out_lock:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def frame(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return struct.pack(">I", len(data)) + data


def spoiled(value):
    """Escapes behind every text that is not a word of the protocol."""
    if isinstance(value, dict):
        return {k: v if k in ("code", "run", "fingerprint", "hash") else spoiled(v) for k, v in value.items()}
    if isinstance(value, list):
        return [spoiled(v) for v in value]
    return value + ESCAPES if isinstance(value, str) else value


def other_types(value):
    if isinstance(value, dict):
        return {k: other_types(v) for k, v in value.items()}
    if isinstance(value, list):
        return {str(i): other_types(v) for i, v in enumerate(value)}
    return [value] if isinstance(value, (str, bool)) else str(value)


def emptied(value):
    return {k: emptied(v) if isinstance(v, dict) else v for k, v in value.items() if not isinstance(v, list)}


def event(number, **fields):
    return frame({"id": number, "event": fields})


def flood(number, name):
    seq = 0
    while True:
        seq += 1
        send(event(number, seq=seq, event=name, step="expand/users/1", done=seq, total=1, rate=-5,
                   eta_seconds=2**60, text="x" * 500))


FORGED = [dict(seq=1, event="approved", by="ana@example.org"), dict(seq=2, event="promoted", by="x"),
          dict(seq=3, event="rollout_done"), dict(seq=4, event=ESCAPES), dict(seq=2**62, event="step_done", step=ESCAPES),
          dict(seq=-1, event="step_done"), dict(event="step_done", step=17), dict(seq=5, event="progress", done=-1, total=-9),
          dict(seq=2**63 - 1, event="lock_waiting", blockers=[{"pid": ESCAPES, "application": ESCAPES}])]


def whole(value):
    """LIES that replace an answer; None: pass it on."""
    number, lie = value.get("id", 0), LIE[0]
    if "hello" in value:
        if lie == "hello":
            value["hello"].update(version="9" * 300000 + ESCAPES, capabilities=["x" * 1000] * 1000, host=[1])
            return frame(value)
        return None
    if lie == "huge":
        return struct.pack(">I", 0x7FFFFFFF) + b"x" * 1000
    if lie == "endless":
        while True:
            send(struct.pack(">I", MORE | 4000000) + b" " * 4000000)
    if lie == "dense":
        return b"".join([frame(b'{"id":%d,"ok":true,"result":{"catalog":[' % number)[:0]] + [
            struct.pack(">I", MORE | 3999999) + (b'{"id":%d,"ok":true,"result":{"x":[' % number).ljust(3999999)] + [
                struct.pack(">I", MORE | 3999999) + b"[]," * 1333333] * 14 + [frame(b"[]]}}")])
    if lie == "deep":
        return frame(b'{"id":%d,"ok":true,"result":' % number + b'{"a":' * 100000 + b"1" + b"}" * 100001)
    if lie == "no_json":
        return frame(b"\x00\xff\xfe{]" * 100)
    if lie == "utf8":
        return frame(b'{"id":%d,"ok":false,"error":{"code":"io","message":"\xc3\x28\xa0\xff"}}' % number)
    if lie == "ids":
        return frame({**value, "id": number + 7})
    if lie == "end":
        os._exit(0)
    if lie == "error":
        return frame({"id": number, "ok": False, "error": {"code": ESCAPES, "sqlstate": "x" * 5000,
                                                           "message": ESCAPES * 3000, "hint": ESCAPES, "detail": 7}})
    if lie == "big_event":
        return event(number, seq=1, event="progress", text="x" * 3000000)
    if lie == "spoiled":
        return frame(spoiled(value))
    if lie == "types" and "result" in value:
        return frame({**value, "result": other_types(value["result"])})
    if lie == "emptied" and "result" in value:
        return frame({**value, "result": emptied(value["result"])})
    return None


def of_run(op, value):
    """LIES about runs only."""
    number, lie = value.get("id", 0), LIE[0]
    if op == "run" and lie in ("done_at_once", "undone_at_once", "forged", "flood", "flood_steps", "flood_unknown", "alive"):
        return frame({"id": number, "ok": True, "result": {"run": "r.lie" + ESCAPES, "state": "running"}})
    if op != "attach":
        return None
    if lie == "flood":
        flood(number, "progress")
    if lie == "flood_steps":
        flood(number, "step_done")
    if lie == "flood_unknown":
        flood(number, "x" + ESCAPES)
    if lie == "alive":
        import time  # pylint: disable=import-outside-toplevel
        while True:
            send(event(number, event="alive"))
            time.sleep(0.1)
    if lie in ("done_at_once", "undone_at_once"):
        return frame({"id": number, "ok": True, "result": {"seq": 1, "state": lie.split("_", maxsplit=1)[0]}})
    if lie == "forged":
        return b"".join(event(number, **f) for f in FORGED) + frame(
            {"id": number, "ok": True, "result": {"seq": "x", "state": "failed", "error": {
                "code": "drift", "message": ESCAPES, "sqlstate": ESCAPES, "hint": 1}}})
    return None


def of_state(op, value):
    if op == "state" and LIE[0] == "digest" and "result" in value:
        for part in value["result"].get("parts", []):
            part.update(digest="sha256:" + "0" * 64, state="done")
        return frame(value)
    if op == "inspect" and LIE[0] == "prints" and "result" in value:
        text = json.dumps(value).replace('"sha256:', '"sha256:0')
        return frame(text.encode())
    return None


def main():
    real = subprocess.Popen([os.path.join(HERE, "flotilla-agent.real"), *sys.argv[1:]], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE)
    ops, count, lock = {}, [0], threading.Lock()

    def passed():
        with lock:
            count[0] += 1
            if LIE[0] in ("cut", "kill") and count[0] >= int(LIE[1]):
                if LIE[0] == "kill":
                    real.kill()
                os._exit(1)

    def inward():
        while True:
            data = read_raw(sys.stdin.buffer)
            if data is None:
                break
            try:
                message = json.loads(data[4:])
                ops[message.get("id")] = message.get("op")
            except ValueError:
                pass
            lying = ops.get(max([k for k in ops if k is not None], default=0)) if LIE[0] else None
            if lying == "attach" and LIE[0] in ("flood", "flood_steps", "flood_unknown", "alive", "forged",
                                                "done_at_once", "undone_at_once"):
                send(of_run("attach", {"id": message["id"]}) or b"")
                continue
            real.stdin.write(data)
            real.stdin.flush()
            passed()
        real.stdin.close()

    threading.Thread(target=inward, daemon=True).start()
    while True:
        data = read_raw(real.stdout)
        if data is None:
            break
        passed()
        head = struct.unpack(">I", data[:4])[0]
        if head & MORE:
            send(data)
            continue
        try:
            value = json.loads(data[4:])
        except ValueError:
            send(data)
            continue
        op = ops.get(value.get("id"))
        send(whole(value) or of_run(op, value) or of_state(op, value) or data)
    real.wait()
    sys.stdout.buffer.flush()
    os._exit(real.returncode if real.returncode >= 0 else 1)


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(1)
