"""The command as a user starts it: a process of its own, with what it says and its exit code."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 30  # seconds

COMMAND = [sys.executable, "-m", "privguard"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONWARN", "COV_"))}


def privguard(*arguments: str, cwd: Path, code: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; *code* is Python to run instead of ``-m privguard``."""
    command = [sys.executable, "-c", code] if code else COMMAND
    return subprocess.run(
        [*command, *arguments], cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=PATIENCE
    )


class Serving:
    """A command that serves, and what it has said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said = ""
        self.errors = ""

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send the signal, read what is left, and return the exit code."""
        self.process.send_signal(number)
        said, self.errors = self.process.communicate(timeout=PATIENCE)
        self.said += said
        return self.process.returncode

    def read_until(self, text: str) -> str:
        while text not in self.said:
            line = self.process.stdout.readline()
            if not line:
                self.errors = self.process.communicate(timeout=PATIENCE)[1]
                raise AssertionError(f"{text!r} was not said, but {self.said!r} {self.errors!r}")
            self.said += line
        return self.said


@contextlib.contextmanager
def serving(*arguments: str, cwd: Path) -> Iterator[Serving]:
    """Start a command that serves; it is killed at the end if it is still there."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    try:
        yield Serving(process)
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.kill()
        process.communicate()


def get(port: int, path: str = "/") -> tuple[int, list[tuple[str, str]], bytes]:
    """Return status, headers and body; a server that is about to listen is given time.

    Read up to the end of the connection: by then the server has done all that it does for a request, and has logged it.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
                connection.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
                answer = b"".join(iter(lambda: connection.recv(65536), b""))
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
            continue
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        return int(status.split()[1]), [tuple(line.split(": ", 1)) for line in lines], body
