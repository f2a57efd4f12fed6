"""``privguard doctor``: whether a server is quiet, found out by serving, asking and reading what was written."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from ._stop import NotNow, WrongUse, in_one_line

COMMAND = "privguard doctor"
_PATIENCE = 20.0  # seconds until a server answers; a large site takes a few
_LATE = 1.5  # seconds: daphne looks once a second for what it has to report
_STOPPING = 10.0  # seconds that a server has to end its workers
_SHOWN = 3  # lines
_TYPE = (
    (
        r"^\[pid: |uwsgi",
        "uWSGI writes natively: set disable-logging, ignore-sigpipe and ignore-write-errors in its configuration",
    ),
    (r"\[DEBUG\]", "the server writes requests down before your app is called: take away --log-level debug"),
    (r"TRACE", "the server writes requests down before your app is called: take away --log-level trace"),
)
_GUARD = (
    "is the app wrapped in privguard's middleware, outermost? Try: privguard run; and see docs/how-to/quiet-logs.md "
    "for what your server needs"
)
_FORM = (
    "was the submission known to be a child's? It said age=7: name the form's path by --path, and your field of the "
    'age in PRIVGUARD["children"]["age_fields"]'
)


def doctor(target: str, server: Sequence[str], *, settings: str | None, path: str, watch: Sequence[str]) -> int:
    """Try the site *target*, started by the command *server*; print what was found, and return the exit code."""
    is_address = target.startswith("http://")
    if is_address and not server and not watch:
        raise WrongUse(f"say where that site logs; type, for example: {COMMAND} {target} --watch access.log")
    if not path.startswith("/"):
        raise WrongUse(f'--path {path!r} is no path; type, for example: --path "/join"')
    logs = [Path(name) for name in watch]
    for log in logs:
        if log.exists() and not log.is_file():
            raise WrongUse(f"--watch {log} is no file; name each log file by a --watch of its own")
    port = _port_of(target) if is_address else _free_port()
    marks = {name: f"{name}{secrets.token_hex(6)}" for name in ("page", "icon", "child")}
    before = {log: log.stat().st_size if log.exists() else 0 for log in logs}
    command = [word.replace("{port}", str(port)) for word in server]
    if not command and not is_address:
        command = [sys.executable, "-m", "privguard", "run", target, "--port", str(port)]
        command += ["--settings", settings] if settings else []
    with tempfile.TemporaryFile() as output:
        with _served(command, output.fileno()) as process:
            _wait_for(port, process)
            _ask(port, f"/{marks['page']}?{marks['page']}", marks["page"])
            _ask(port, f"/favicon.ico?{marks['icon']}", marks["icon"])
            form = f"age=7&name={marks['child']}".encode()
            _ask(port, f"{path}?{marks['child']}", marks["child"], form)
            time.sleep(_LATE)
        output.seek(0)
        written = output.read().decode("utf-8", "replace").splitlines()
    for log in logs:
        written += _since(log, before[log])
    return _verdict(written, marks)


# ── serving and asking ───────────────────────────────────────────────────────────────────────────────────────────────


def _port_of(address: str) -> int:
    with contextlib.suppress(ValueError):  # a port that is no number
        parts = urlsplit(address)
        if parts.hostname in ("127.0.0.1", "localhost"):
            return parts.port or 80
    raise WrongUse(f"{address} is no site on this machine; type, for example: {COMMAND} http://127.0.0.1:8000/")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _served(command: Sequence[str], output: int) -> Iterator[subprocess.Popen[bytes] | None]:
    """Run *command* in the block, with all that it starts; None where the site runs already."""
    if not command:
        yield None
        return
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own command
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )
    except OSError as error:
        raise WrongUse(f"{command[0]} cannot be started: {error.strerror}") from None
    try:
        yield process
    finally:
        process.terminate()  # a server with workers ends them itself
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOPPING)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes] | None) -> None:
    deadline = time.monotonic() + (_PATIENCE if process else 0)
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process is None:
            raise WrongUse(f"nothing answers on port {port}; start the site, or name the command that does, after --")
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotSaid(f"the server does not answer on port {port}; write {{port}} where your command names it")
        time.sleep(0.05)


class NotSaid(NotNow):
    """Nothing can be said of the site."""

    exit_code = 2


def _ask(port: int, target: str, mark: str, form: bytes | None = None) -> None:
    """Send one request that carries *mark* in each place; the answer says nothing here."""
    headers = {"User-Agent": mark, "Referer": f"http://localhost/{mark}", "Cookie": f"{mark}={mark}"}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    try:
        connection.request("GET" if form is None else "POST", quote(target, safe="/?&=%"), form, headers)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):  # an answer that breaks off
        pass
    finally:
        connection.close()


def _since(log: Path, size: int) -> list[str]:
    """Return the lines that *log* has got since it had *size* bytes; all of it, where it was begun anew."""
    try:
        with log.open("rb") as file:
            file.seek(size if log.stat().st_size >= size else 0)
            return file.read().decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise WrongUse(f"--watch {log} cannot be read: {error.strerror}") from None


# ── the verdict ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _verdict(written: Sequence[str], marks: dict[str, str]) -> int:
    found = {name: [line for line in written if mark in line] for name, mark in marks.items()}
    found["icon"] += [line for line in written if "favicon.ico" in line and marks["icon"] not in line]
    if not found["icon"] and not found["child"]:
        print("Quiet: no line was written of the favicon, and none of a child's submission.")
        print(f"Of an ordinary page, {_counted(len(found['page']))} written." if found["page"] else _SILENT)
        return 0
    for name, what in (("icon", "the favicon"), ("child", "a child's submission")):
        if found[name]:
            print(f"Not quiet: {_counted(len(found[name]))} written of {what}:")
            for line in found[name][:_SHOWN]:
                print(f"  {in_one_line(line)[:160]}")
    print(f"What to do: {_advice([*found['icon'], *found['child']], only_child=not found['icon'])}.")
    return 1


_SILENT = (
    "But none was written of an ordinary page either: if this server writes access lines to a file, type: --watch FILE"
)


def _counted(lines: int) -> str:
    return "1 line was" if lines == 1 else f"{lines} lines were"


def _advice(lines: Sequence[str], *, only_child: bool) -> str:
    for pattern, advice in _TYPE:
        if any(re.search(pattern, line) for line in lines):
            return advice
    return _FORM if only_child else _GUARD
