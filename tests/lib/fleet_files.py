"""The files of a Fleet: manifest, each agent.yaml, known_hosts."""

import json
import os

from machine import free_port


def yaml_text(value, indent=0):
    """Block YAML of dicts, lists, and scalars (strings quoted where they could be read otherwise)."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        lines = []
        for key, item in value.items():
            nested = isinstance(item, (dict, list)) and item
            lines.append(f"{pad}{scalar(key)}:" + ("\n" if nested else " ") +
                         (yaml_text(item, indent + 1) if nested else scalar(item) + "\n"))
        return "".join(lines)
    if isinstance(value, list) and value:
        return "".join(f"{pad}- " + (yaml_text(item, indent + 1).lstrip(" ")
                       if isinstance(item, (dict, list)) and item else scalar(item) + "\n")
                       for item in value)
    return pad + scalar(value) + "\n"


def scalar(value):
    text = str(value)
    plain = text and all(c.isalnum() or c in "-_./@~" for c in text) and text[0].isalpha()
    if isinstance(value, str) and plain and text.lower() not in ("true", "false", "null", "yes", "no",
                                                                 "on", "off", "y", "n"):
        return text
    return json.dumps(value, ensure_ascii=False)


class Files:
    def write(self, path, text):
        """Writes a file; a relative path is beside the manifest. Gives its full path."""
        path = os.path.join(self.work, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def conninfo(self, host, database, role):
        host = self.hosts[host]
        return f"host={host.socket} port={host.port} dbname={database} user={role}"

    def agent_config(self, host):
        """The content of a host's agent.yaml, as a dict."""
        databases = {}
        for service in self.services.values():
            for at, database, instance in zip(service.hosts, service.databases, service.instances):
                if at != host:
                    continue
                databases[database] = {
                    "conninfo": self.conninfo(host, database, "flotilla"),
                    "serves": {"fleet": self.name, "environment": self.environment,
                               "service": service.name, "instance": instance},
                    "approvers": sorted({m for t in service.owners for m in self.teams[t]})}
                databases[database + "_scratch"] = {
                    "conninfo": self.conninfo(host, database + "_scratch", "flotilla_scratch"),
                    "purpose": "scratch", "for": database}
        spool = self._in("hosts", host, "spool")
        policy = {"need": 1, "destructive": {"need": 2}, "lock_budget_max": "500ms",
                  "snapshots": {"dir": self._in("hosts", host, "snapshots"), "keep": "14d"}}
        policy.update(self.hosts[host].policy)
        return {"databases": databases, "allowed_signers": self._in("hosts/allowed_signers"),
                "policy": policy, "spool": spool}

    def manifest(self):
        """The content of fleet.yaml, as a dict."""
        services = {}
        for service in self.services.values():
            instances = []
            for at, database, instance in zip(service.hosts, service.databases, service.instances):
                entry = {"name": instance, "agent_database": database}
                if self.transport == "local":
                    entry["agent_config"] = self.hosts[at].agent_yaml
                else:
                    entry["host"] = self.hosts[at].address
                instances.append(entry)
            services[service.name] = dict(
                {"owners": service.owners, "instances": {self.environment: instances}},
                **service.manifest)
        policy = {"lock_budget": "200ms", "lock_timeout": "150ms", "rehearse": "required",
                  "approvals": {"expand": 1, "migrate": 1, "contract": 2, "destructive": 2}}
        policy.update(self.policy)
        defaults = {"transport": self.transport, "policy": policy}
        if self.transport != "local":
            defaults["ssh"] = {"user": self.user, "port": self.ssh_port,
                               "identity": self.identity, "known_hosts": self.known_hosts}
        defaults.update(self.defaults)
        return {"version": 1, "fleet": self.name, "defaults": defaults,
                "owners": {team: {"members": members} for team, members in self.teams.items()},
                "environments": [self.environment], "services": services}

    def write_files(self):
        """agent.yaml of each host, known_hosts, and the manifest; call it again after a change."""
        if not self.ssh_port:
            self.ssh_port = free_port([h.address for h in self.hosts.values()])
        for name, host in self.hosts.items():
            base = self._in("hosts", name)
            for sub in ("", "spool", "snapshots"):
                os.makedirs(os.path.join(base, sub), exist_ok=True)
                self._own(os.path.join(base, sub))
            host.agent_yaml = self.write(os.path.join(base, "agent.yaml"), yaml_text(self.agent_config(name)))
        self._write_known_hosts(self._host_key)
        self.write("fleet.yaml", yaml_text(self.manifest()))

    def _write_known_hosts(self, key):
        with open(key + ".pub", encoding="utf-8") as f:
            words = f.read().split()
        self.write(self.known_hosts, "".join(f"[{h.address}]:{self.ssh_port} {words[0]} {words[1]}\n"
                                             for h in self.hosts.values()))
