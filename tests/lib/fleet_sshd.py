"""The one sshd of a Fleet: a login at a host's address ends in its agent."""

import signal
import socket
import time


class Sshd:
    def sshd_config(self):
        lines = [f"ListenAddress {h.address}:{self.ssh_port}" for h in self.hosts.values()]
        lines += [f"HostKey {self._host_key}", "PidFile none", "UsePAM no", "StrictModes no",
                  f"AuthorizedKeysFile {self._in('hosts/authorized_keys')}",
                  "PasswordAuthentication no", "KbdInteractiveAuthentication no", "PrintMotd no",
                  "PrintLastLog no", "LogLevel VERBOSE", "MaxStartups 64:30:256", "MaxSessions 64",
                  "Subsystem sftp internal-sftp"]
        for host in self.hosts.values():
            lines += [f"Match LocalAddress {host.address}",
                      f"    ForceCommand exec {self.agent_program} --config {host.agent_yaml} serve"]
        return "\n".join(lines) + "\n"

    def sshd_start(self):
        config = self.write(self._in("hosts/sshd_config"), self.sshd_config())
        log = self._in("log/sshd.log")
        self.sshd_pid = self._spawn(["/usr/sbin/sshd", "-D", "-e", "-f", config], log)
        for host in self.hosts.values():
            deadline = time.monotonic() + 10
            while True:
                try:
                    socket.create_connection((host.address, self.ssh_port), 1).close()
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        with open(log, encoding="utf-8", errors="replace") as f:
                            raise RuntimeError(f"sshd does not start:\n{f.read()[-2000:]}") from None
                    time.sleep(0.02)

    def sshd_stop(self):
        """Ends sshd; sessions that are open go on."""
        self._ask(op="signal", pid=self.sshd_pid, signal=int(signal.SIGTERM))
        self._ask(op="wait", pid=self.sshd_pid, seconds=10)

    def new_host_key(self):
        """The hosts get another key; known_hosts keeps the old one."""
        self._host_key = self._in("hosts", f"ssh_host_key_{time.monotonic_ns()}")
        self._keygen(self._host_key, "host")
        self._own(self._host_key, self._host_key + ".pub")
        self.sshd_stop()
        self.sshd_start()

    def ssh(self, host, command="", stdin=""):
        """A login with the ssh program, as a person would; the host's ForceCommand answers."""
        argv = ["ssh", "-F", "none", "-T", "-p", str(self.ssh_port), "-i", self.identity,
                "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
                "-o", f"UserKnownHostsFile={self.known_hosts}", "-l", self.user,
                self.hosts[host].address] + ([command] if command else [])
        return self._run(argv, input=stdin)
