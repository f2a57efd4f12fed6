"""A server on loopback that answers with exactly the bytes that a test wants.

No web server stands between, which would clean up an odd Set-Cookie line. One thread, one request a connection.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_MOST_OF_A_REQUEST = 1 << 20  # bytes


@dataclass(frozen=True)
class Request:
    """A request as it came in."""

    method: str
    target: str
    headers: dict[str, str]
    """By name in lower case; of several the last."""
    body: bytes

    @property
    def host(self) -> str:
        return self.headers.get("host", "").partition(":")[0]

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


Answer = Callable[[Request], bytes]


class RawServer:
    """Answers each request with the bytes that *answer* returns for it, and closes the connection.

    What is no HTTP, as the first bytes of TLS are not, goes to *strange* and gets no answer.
    """

    def __init__(self, answer: Answer, strange: Callable[[bytes], None] = lambda first_bytes: None) -> None:
        self.failures: list[Exception] = []
        self._answer = answer
        self._strange = strange
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._waker, self._wake = socket.socketpair()
        self._is_over = False
        self.port: int = self._listener.getsockname()[1]
        self._received: dict[socket.socket, bytes] = {}
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> RawServer:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._waker, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._is_over = True
        self._wake.send(b"!")
        self._thread.join()
        for one in (*self._received, self._listener, self._waker, self._wake):
            one.close()
        self._selector.close()
        if self.failures and error[0] is None:
            raise self.failures[0]

    def _serve(self) -> None:
        while not self._is_over:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket) and key.fileobj is not self._waker:
                    self._read(key.fileobj)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it has gone already
            connection, _ = self._listener.accept()
            connection.settimeout(10)  # seconds for a browser to take what it asked for
            self._received[connection] = b""
            self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        try:
            chunk = connection.recv(65536)
            received = self._received[connection] = self._received[connection] + chunk
            request = parse(received) if chunk and len(received) < _MOST_OF_A_REQUEST else None
            if chunk and request is None and not received.startswith(b"\x16\x03"):  # TLS: a handshake record
                return  # there is more to come
            if request is not None:
                connection.sendall(self._answer(request))
            elif chunk:
                self._strange(received)
        except OSError:
            pass  # the browser has lost interest
        except Exception as failure:
            self.failures.append(failure)
        self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        del self._received[connection]
        with contextlib.suppress(OSError):
            # A socket that is closed with something unread in it takes its answer back.
            connection.shutdown(socket.SHUT_WR)
        connection.close()


def parse(received: bytes) -> Request | None:
    """Return the request that has been received, or None while it is not complete."""
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    if len(body) < int(headers.get("content-length", "0")):
        return None
    return Request(method, target, headers, body)


def page(body: bytes, *fields: bytes, status: int = 200, kind: bytes = b"text/html") -> bytes:
    """Return a whole response in bytes."""
    head = [b"HTTP/1.1 %d X" % status, b"Content-Type: " + kind, b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join([*head, b"Connection: close", b"", body])
