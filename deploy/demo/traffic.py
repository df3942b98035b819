"""Starts, tells and ends the demo's traffic (build/demo-traffic; see traffic/traffic.h)."""

import json
import os
import subprocess
import time

import shop


class Traffic:
    """traffic.phase("label", shape="mix") returns when every client has taken it over."""

    def __init__(self, fleet, rows, clients=8, think_ms=20):
        self.dir = os.path.join(fleet.dir, "traffic")
        os.makedirs(self.dir, exist_ok=True)
        self.number, self.shape, self.wide = 0, "old", False
        services = {}
        for name, service in fleet.services.items():
            host = fleet.hosts[service.hosts[0]]
            services[name] = (f"host={host.address} port={host.port} dbname={service.database} "
                              f"user={name}_app password={name}_app application_name=shop "
                              "connect_timeout=10")
        config = {"clients": clients, "think_ms": think_ms, "rows": rows,
                  "phase": self._path("phase"), "status": self._path("status"),
                  "report": self._path("report"), "services": services,
                  "books": [{"service": s, "table": t, "number": n, "rows": rows // share}
                            for s, t, n, share in shop.BOOKS]}
        for name in ("phase", "status", "report"):
            if os.path.exists(self._path(name)):
                os.unlink(self._path(name))
        with open(self._path("config"), "w", encoding="utf-8") as f:
            json.dump(config, f, indent=2)
        build = os.environ.get("FLOTILLA_BUILD", os.path.join(shop.TOP, "build"))
        self.process = subprocess.Popen([os.path.join(build, "demo-traffic"), self._path("config")],
                                        stdin=subprocess.DEVNULL)

    def _path(self, name):
        return os.path.join(self.dir, name + ".json")

    def status(self):
        try:
            with open(self._path("status"), encoding="utf-8") as f:
                return json.load(f)
        except FileNotFoundError:
            return {"phase": 0, "transactions": 0, "failed": 0, "wrong": 0}

    def phase(self, label, action="run", shape=None, wide=None):
        """Tells the clients what is deployed now, and waits until all of them know."""
        self.shape = shape or self.shape
        self.wide = self.wide if wide is None else wide
        self.number += 1
        with open(self._path("phase") + ".new", "w", encoding="utf-8") as f:
            json.dump({"number": self.number, "label": label, "action": action,
                       "shape": self.shape, "wide": self.wide}, f)
        os.rename(self._path("phase") + ".new", self._path("phase"))
        while self.status()["phase"] < self.number:
            if self.process.poll() is not None and self.status()["phase"] < self.number:
                raise RuntimeError(f"the traffic ended with exit code {self.process.returncode}")
            time.sleep(0.02)

    def stop(self):
        """Verifies the whole ledger, ends the clients, and gives their report."""
        self.phase("end", "stop")
        if self.process.wait(60) != 0:
            raise RuntimeError(f"the traffic ended with exit code {self.process.returncode}")
        with open(self._path("report"), encoding="utf-8") as f:
            return json.load(f)

    def kill(self):
        self.process.kill()
        self.process.wait()
