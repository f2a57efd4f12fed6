"""Submissions over the wire: the sites that take them behind every server, and the bodies that visitors send."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
from pathlib import Path

from servers.harness import SERVERS, Server, dechunk, request_head

# Flask's development server is Werkzeug's.
NAMES = [name for name in SERVERS if name != "flask-run"]
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "b0undary"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


class SubmissionServer(Server):
    """A server with a site that takes submissions, and a temporary folder of its own."""

    def __init__(self, name, folder, gate, **variables):
        self.name = name
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.workers = 2 if "--workers" in SERVERS[name] else 1
        command = [word.replace("_site:", "_submissions:") for word in SERVERS[name]]
        super().__init__(command, folder, gate, variables={"TMPDIR": str(self.temporary), **variables})

    def seen(self, token):
        """How often the app was called for this submission."""
        path = self.folder / "seen.txt"
        return path.read_text().splitlines().count(token) if path.exists() else 0

    def open_files(self):
        """The files below the temporary folder that the server's processes hold open, as the kernel names them."""
        found = []
        for process in self.processes():
            for descriptor in Path(f"/proc/{process}/fd").glob("*"):
                try:
                    target = os.readlink(descriptor)
                except OSError:  # closed in between, or not a process any more
                    continue
                if target.startswith(f"{self.temporary}/"):
                    found.append(target)
        return found

    def processes(self):
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == self.process.pid:  # its process group
                found.append(path.parent.name)
        return found


# ── bodies ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def form(**fields):
    return "&".join(f"{name}={value}" for name, value in fields.items()).encode()


def part(name, value, more=""):
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + value + b"\r\n"


def multipart(*parts):
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def chunk(piece):
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def digest(body):
    return hashlib.sha256(body).hexdigest()


# ── a client ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Visitor:
    """One connection that is kept: sends requests as it is told, and reads each answer to its own end."""

    def __init__(self, server, seconds=30):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.close()

    def head(self, path, token, kind=FORM, method="POST", **headers):
        fields = [("X-Token", token), ("Content-Type", kind)]
        fields += [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.socket.sendall(request_head(method, path, fields))

    def send(self, *pieces):
        for piece in pieces:
            self.socket.sendall(piece)

    def post(self, path, token, body, kind=FORM, **headers):
        """Send a whole submission and return its answer."""
        self.head(path, token, kind, Content_Length=len(body), **headers)
        self.send(body)
        return self.answer()

    def answer(self):
        """Return the next answer: its status, its header fields, its body."""
        while True:
            head = self._until(b"\r\n\r\n")
            if not head.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1")):
                break
        status, *lines = head.decode("latin-1").strip().split("\r\n")
        fields = [line.partition(":") for line in lines]
        headers = {name.strip().lower(): value.strip() for name, _, value in fields}
        return int(status.split()[1]), headers, self._body(headers)

    def _body(self, headers):
        if "content-length" in headers:
            wanted = int(headers["content-length"])
            while len(self._received) < wanted:
                assert self._receive(), f"closed in the middle of an answer: {self._received!r}"
            body, self._received = self._received[:wanted], self._received[wanted:]
            return body
        if headers.get("transfer-encoding") == "chunked":
            return dechunk(self._until(b"0\r\n\r\n"))
        while self._receive():
            pass
        return self._received

    def _until(self, mark):
        while mark not in self._received:
            assert self._receive(), f"closed before an answer: {self._received!r}"
        found, _, self._received = self._received.partition(mark)
        return found + mark

    def _receive(self):
        received = self.socket.recv(1 << 16)
        self._received += received
        return received

    def waits_for_100(self, seconds=1):
        """Whether the server asks for the body before it comes (RFC 9110 §10.1.1)."""
        self.socket.settimeout(seconds)
        try:
            return self._until(b"\r\n\r\n").startswith(b"HTTP/1.1 100")
        except TimeoutError:
            return False
        finally:
            self.socket.settimeout(30)


def taken(answer):
    """What the app says that it has taken."""
    status, _, body = answer
    assert status == 200, answer
    return json.loads(body)


def assert_refused(answer):
    """The page is there in whole, and says nothing of an age; the child is not remembered."""
    status, headers, body = answer
    assert status == 403, answer
    assert body.startswith(b"<!doctype html>") and body.endswith(b"</html>\n")
    assert b"What was sent has been deleted." in body
    assert re.search(rb"\d", re.sub(rb"<[^>]*>", b"", body)) is None
    assert headers["cache-control"] == "no-store"
    assert "set-cookie" not in headers
