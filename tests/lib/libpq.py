"""libpq through ctypes: connections that say the SQLSTATE, and that can run while others look.

    c = Connection("host=/tmp/x port=5432 user=postgres dbname=postgres")
    c.run("SELECT 1, NULL")             # [("1", None)]; raises Failed(state, message)
    c.send("VACUUM t"); c.busy()        # True while it runs; c.finish() raises as run() does
"""

import ctypes

BAD, COPY_IN, COPY_OUT = (5, 6, 7), 4, 3
STATE, POSITION = ord("C"), ord("P")
_lib = ctypes.CDLL("libpq.so.5")
_POINTERS = ("PQconnectdb", "PQexec", "PQgetResult", "PQprepare")
_TEXTS = ("PQerrorMessage", "PQresultErrorField", "PQresultErrorMessage", "PQgetvalue")
for _name in _POINTERS:
    getattr(_lib, _name).restype = ctypes.c_void_p
for _name in _TEXTS:
    getattr(_lib, _name).restype = ctypes.c_char_p
QUIET = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)(lambda _, text: None)


class Failed(Exception):
    """The server refused; state is the SQLSTATE."""

    def __init__(self, state, message, sql):
        super().__init__(f"{state}: {message}\n--- {sql[:1500]}")
        self.state, self.message = state, message


class Connection:
    def __init__(self, conninfo):
        self._c = ctypes.c_void_p(_lib.PQconnectdb(conninfo.encode()))
        if _lib.PQstatus(self._c) != 0:
            raise Failed("08001", _lib.PQerrorMessage(self._c).decode(), conninfo)
        _lib.PQsetNoticeProcessor(self._c, QUIET, None)
        self.pid, self._sql = _lib.PQbackendPID(self._c), ""

    def close(self):
        if self._c:
            _lib.PQfinish(self._c)
            self._c = None

    def _rows(self, result):
        result = ctypes.c_void_p(result)
        try:
            status = _lib.PQresultStatus(result)
            if status in BAD:
                state = _lib.PQresultErrorField(result, STATE)
                raise Failed(state.decode() if state else "?????",
                             _lib.PQresultErrorMessage(result).decode().strip(), self._sql)
            if status == COPY_IN:
                _lib.PQputCopyEnd(self._c, None)
            while status == COPY_OUT and self._copied() > 0:
                pass
            return [tuple(self._value(result, i, k) for k in range(_lib.PQnfields(result)))
                    for i in range(_lib.PQntuples(result))]
        finally:
            _lib.PQclear(result)

    def _copied(self):
        line = ctypes.c_char_p()
        length = _lib.PQgetCopyData(self._c, ctypes.byref(line), 0)
        if length > 0:
            _lib.PQfreemem(line)
        return length

    @staticmethod
    def _value(result, i, k):
        return None if _lib.PQgetisnull(result, i, k) else _lib.PQgetvalue(result, i, k).decode()

    def send(self, sql):
        self._sql = sql
        if not _lib.PQsendQuery(self._c, sql.encode()):
            raise Failed("08006", _lib.PQerrorMessage(self._c).decode(), sql)

    def parse(self, sql):
        """The server's grammar, and for queries its names: nothing is run."""
        self._sql = sql
        result = _lib.PQprepare(self._c, b"", sql.encode(), 0, None)
        self._rows(result)

    def busy(self):
        _lib.PQconsumeInput(self._c)
        return bool(_lib.PQisBusy(self._c))

    def finish(self):
        rows, failed = [], None
        while True:
            result = _lib.PQgetResult(self._c)
            if not result:
                break
            try:
                rows = self._rows(result)
            except Failed as error:
                failed = failed or error
        if failed:
            raise failed
        return rows

    def run(self, sql):
        self.send(sql)
        return self.finish()

    def value(self, sql):
        return self.run(sql)[0][0]
