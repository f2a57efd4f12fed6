"""Sockets to listen on, taken before a server starts: whether the address is free is known at once."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

from ._stop import NotNow, WrongUse


def listen(host: str, port: int, *, instead: Callable[[], str]) -> socket.socket:
    """Return a socket that listens on *host* and *port*, where 0 is any free port.

    *instead* says what to type when this one cannot be had. Raises NotNow or WrongUse.
    """
    try:
        socket.getaddrinfo(host, port, _family(host))
    except (socket.gaierror, UnicodeError):  # UnicodeError: no name of a host at all, such as "a..b"
        raise WrongUse(f"--host {host}: there is no such host; type: --host 127.0.0.1") from None
    try:
        return socket.create_server((host, port), family=_family(host))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise NotNow(f"port {port} on {host} is in use; type: {instead()}") from None
        if error.errno == errno.EADDRNOTAVAIL:
            raise WrongUse(
                f"--host {host} is no address of this machine; type --host 127.0.0.1 to be reached from this machine "
                "alone, or --host 0.0.0.0 to be reached from others too"
            ) from None
        if error.errno == errno.EACCES:
            raise NotNow(f"you may not listen on port {port}; type: {instead()}") from None
        raise NotNow(f"cannot listen on {host}:{port}: {error.strerror or error}") from None


def free_or_any(host: str, port: int) -> socket.socket:
    """Return a socket that listens on *port* where it is free, else on any free port."""
    try:
        return socket.create_server((host, port), family=_family(host))
    except OSError:
        return socket.create_server((host, 0), family=_family(host))


def address(host: str, port: int) -> str:
    """Return the address to type into a browser."""
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def free_port_near(host: str, port: int) -> int:
    """Return a free port above *port*, and above those that only an administrator may use."""
    first = port + 1 if port >= 1024 else 8000
    for candidate in range(first, min(first + 100, 65536)):
        try:
            socket.create_server((host, candidate), family=_family(host)).close()
        except OSError:
            continue
        return candidate
    return 0  # whatever is free then


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
