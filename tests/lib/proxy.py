"""A TCP port on 127.0.0.1 in front of a server, for what networks do: a subclass says what becomes of
each connection in serve(client), mostly by pump() in both directions."""

import socket
import threading


class Proxy:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.open = self.listener.getsockname()[1], []
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.close()
        for one in self.open:
            one.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                self.open.append(client)
                self.serve(client)
            except OSError:
                return

    def connect(self, client, address, *ways):
        """Bytes of both ways, each with its own further arguments of forward()."""
        server = socket.create_connection(address)
        self.open.append(server)
        for (source, to), more in zip(((client, server), (server, client)), ways or ((), ())):
            threading.Thread(target=self.pump, args=(source, to, *more), daemon=True).start()

    def pump(self, source, to, *more):
        try:
            self.forward(source, to, *more)
        except OSError:
            pass
        for one in (source, to):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
