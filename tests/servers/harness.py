"""Servers in processes of their own, the gate through which their app speaks to a test, and a client of raw bytes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from browsers.programs import wait_until

APPS = Path(__file__).parent / "apps"
SOURCE = Path(__file__).parents[2] / "src"
SECONDS = 20  # until a test gives up waiting; nothing here takes as long

UVICORN = ["-m", "uvicorn", "--port", "{port}", "asgi_site:application"]
HYPERCORN = ["-m", "hypercorn", "--bind", "127.0.0.1:{port}", "asgi_site:application"]
WAITRESS = ["-m", "waitress", "--listen", "127.0.0.1:{port}"]
GUNICORN = ["-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--access-logfile", "-"]

ASGI = {
    "uvicorn-h11": [*UVICORN, "--http", "h11"],
    "uvicorn-httptools": [*UVICORN, "--http", "httptools"],
    "uvicorn-workers": [*UVICORN, "--workers", "2"],
    "hypercorn": [*HYPERCORN, "--access-logfile", "-", "--access-logformat", "%(h)s %(m)s %(Uq)s %(s)s"],
    "daphne": ["-m", "daphne", "--port", "{port}", "asgi_site:application"],
    "gunicorn-uvicorn": [*GUNICORN, "-k", "uvicorn.workers.UvicornWorker", "asgi_site:application"],
    "gunicorn-asgi": [*GUNICORN, "-k", "asgi", "asgi_site:application"],
}
WSGI = {
    "gunicorn-sync": [*GUNICORN, "--workers", "2", "wsgi_site:application"],
    "gunicorn-gthread": [*GUNICORN, "--threads", "3", "wsgi_site:application"],
    # By default waitress would hold 16 MiB of an answer that a visitor is slow to take.
    "waitress": [*WAITRESS, "--outbuf-high-watermark", "1048576", "wsgi_site:application"],
    "werkzeug": [str(APPS / "serve.py"), "werkzeug", "{port}", "wsgi_site:application"],
    "flask-run": ["-m", "flask", "--app", "wsgi_site:flask_app", "run", "--port", "{port}"],
    "wsgiref": [str(APPS / "serve.py"), "wsgiref", "{port}", "wsgi_site:application"],
}
SERVERS = ASGI | WSGI


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Gate:
    """Where the app in the server's process says what it has reached, and waits until the test lets it go on."""

    def __init__(self):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._arrived = defaultdict(list)
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            connection, _ = self._server.accept()
            with connection.makefile("rb") as lines:
                name = lines.readline().decode().strip()
            if name == "no more":
                connection.close()
                return
            with self._changed:
                self._arrived[name].append(connection)
                self._changed.notify_all()

    def arrived(self, name):
        """Wait until the app has reached *name*."""
        with self._changed:
            reached = self._changed.wait_for(lambda: self._arrived[name], SECONDS)
        assert reached, f"the app never reached {name}"

    def open(self, name):
        """Wait until the app has reached *name*, and let it go on."""
        self.arrived(name)
        self._arrived[name][-1].sendall(b"x")

    def count(self, name):
        return len(self._arrived[name])

    def close(self):
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"no more\n")
        self._thread.join()
        self._server.close()
        for connections in self._arrived.values():
            for connection in connections:
                connection.close()


class Server:
    """A server in a process group of its own; everything that it writes is in its folder."""

    def __init__(
        self, command, folder, gate, *, bare=False, policy=None, logging="basic", when="before", variables=None
    ):
        self.folder = folder
        self.command = command
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(APPS), str(SOURCE)]),
            "PYTHONUNBUFFERED": "1",
            "HOME": str(folder),  # where gunicorn puts its socket
            "SITE_GATE": str(gate.port),
            "SITE_NAME": str(folder),
            "SITE_LOGGING": logging,
            "SITE_LOGGING_WHEN": when,
            "SITE_POLICY": json.dumps(policy or {}),
            **(variables or {}),
        }
        if bare:
            self.environment["SITE_BARE"] = "1"

    def __enter__(self):
        for _ in range(3):  # between looking for a port and taking it, another process may
            self._start()
            if wait_until(lambda: self.process.poll() is not None or self.answers()) and self.process.poll() is None:
                return self
            self.__exit__()
        raise AssertionError(f"{self.command} did not start: {self.written()}")

    def _start(self):
        self.port = free_port()
        command = [sys.executable, *(word.format(port=self.port) for word in self.command)]
        with (self.folder / "stdout.log").open("wb") as out, (self.folder / "stderr.log").open("wb") as err:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=out, stderr=err, start_new_session=True
            )

    def answers(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def ask_to_stop(self):
        self.process.terminate()  # a server with workers ends them itself

    def __exit__(self, *error):
        self.ask_to_stop()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def written(self):
        """Everything on stdout, on stderr and in log files, so far."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def lines(self, *parts):
        """The written lines that hold all of *parts*."""
        return [line for line in self.written().splitlines() if all(part in line for part in parts)]


# ── a client that hides nothing ──────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Answer:
    """A response as it came over the wire; header names in lower case."""

    raw: bytes
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def every(self, name):
        return [value for one, value in self.headers if one == name]

    @property
    def cookies(self):
        return self.every("set-cookie")


def request_head(method, target, headers=()):
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Connection:
    """One connection to a server, read as it comes."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.close()

    def send(self, method, target, headers=(), body=b""):
        if body:
            headers = [*headers, ("Content-Length", len(body))]
        self.socket.sendall(request_head(method, target, headers) + body)

    def read_until(self, mark):
        """Return what has been received when it holds *mark*."""
        while mark not in self.received:
            chunk = self.socket.recv(65536)
            assert chunk, f"closed before {mark!r} came: {self.received!r}"
            self.received += chunk
        return self.received

    def read_all(self):
        """Return what has been received when the server has closed the connection."""
        with contextlib.suppress(ConnectionResetError):
            while chunk := self.socket.recv(65536):
                self.received += chunk
        return self.received

    def read_and_count(self):
        """Return how many bytes are left until the server closes the connection, and the last of them; keep no more."""
        count, end = 0, b""
        while chunk := self.socket.recv(1 << 20):
            count += len(chunk)
            end = (end + chunk)[-100:]
        return count, end


def ask(server, method, target, *, body=b"", **headers):
    """Send one request on a connection of its own and return the whole answer."""
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    with Connection(server.port) as connection:
        connection.send(method, target, [*fields, ("Connection", "close")], body)
        return parse(connection.read_all())


def parse(raw):
    """Return the last response in *raw*, behind whatever 1xx answers come before it."""
    head, _, body = raw.partition(b"\r\n\r\n")
    while head[9:10] == b"1" and head[9:12] != b"101":
        head, _, body = body.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    fields = [line.partition(":") for line in lines]
    headers = [(name.strip().lower(), value.strip()) for name, _, value in fields]
    if ("transfer-encoding", "chunked") in headers:
        body = dechunk(body)
    assert status.startswith("HTTP/1."), raw
    return Answer(raw, int(status[9:12]), headers, body)


def dechunk(body):
    chunks = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size.partition(b";")[0] or b"0", 16)
        if not length:
            break
        chunks.append(body[:length])
        body = body[length + 2 :]
    return b"".join(chunks)
