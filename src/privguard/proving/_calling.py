"""Calls an app in this process, as a server would: WSGI (PEP 3333) and ASGI 3.0 with its lifespan."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import contextvars
import io
import logging
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from ._lifespan import running
from ._report import CannotProve
from ._submissions import Submission

PATIENCE = 30  # seconds for one answer
_LEAVE = 5  # seconds for what an app still does when its answer is there
_MOMENT = 0.1  # seconds
_IDLE_WORKER: Any = concurrent.futures.thread._worker
_server_log = logging.getLogger("privguard.proving.server")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a visitor gets."""

    submission: Submission
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


def deliver(app: Any, kind: str, host: str, submissions: Sequence[Submission]) -> list[Answer]:
    """Send the *submissions* to *app*, which is ``"asgi"`` or ``"wsgi"``; return what it answers, when all is done.

    Raises CannotProve for an app that does not start or does not answer.
    """
    threads = set(threading.enumerate())
    answers = (_run_asgi if kind == "asgi" else _deliver_wsgi)(app, host, submissions)
    _wait_for(set(threading.enumerate()) - threads)
    return answers


def _wait_for(threads: Iterable[threading.Thread]) -> None:
    """Wait for the threads that the app has started, and a moment for daemons, which never say that they are done."""
    end = time.monotonic() + _LEAVE
    time.sleep(_MOMENT)
    while any(_is_at_work(thread) for thread in threads) and time.monotonic() < end:
        time.sleep(_MOMENT)


def _is_at_work(thread: threading.Thread) -> bool:
    frame = sys._current_frames().get(thread.ident or 0)
    if thread.daemon or frame is None:
        return False
    # a thread of a pool that waits for work stands in this function, and stays there until the process ends
    return frame.f_code is not _IDLE_WORKER.__code__


def _tell_failure(error: BaseException) -> None:
    """Write what servers write of an app that raises; the frames are the app's own."""
    frames = error.__traceback__
    _server_log.error("Exception in the app", exc_info=(type(error), error, frames and frames.tb_next))


# ── WSGI ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _deliver_wsgi(app: Any, host: str, submissions: Sequence[Submission]) -> list[Answer]:
    # each in a context of its own: servers hand on nothing of the request before
    return [contextvars.Context().run(_call_wsgi, app, host, one) for one in submissions]


def _call_wsgi(app: Any, host: str, submission: Submission) -> Answer:
    head: list[Any] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        head[:] = [int(status[:3]), tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers)]
        return written.append

    try:
        result = app(_environ(submission, host), start_response)
        try:
            written += result
        finally:
            getattr(result, "close", bool)()
    except Exception as error:
        _tell_failure(error)
        return Answer(submission, 500, (), b"".join(written))
    status, headers = head or (500, ())
    return Answer(submission, status, headers, b"".join(written))


def _environ(submission: Submission, host: str) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(submission.path).decode("latin-1"),
        "QUERY_STRING": submission.query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": host,
        "SERVER_PORT": "80",
        "HTTP_HOST": host,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(submission.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in submission.headers:
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ


# ── ASGI ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _run_asgi(app: Any, host: str, submissions: Sequence[Submission]) -> list[Answer]:
    if not _is_in_loop():
        return asyncio.run(_deliver_asgi(app, host, submissions))
    with concurrent.futures.ThreadPoolExecutor(1) as other_thread:
        return other_thread.submit(lambda: asyncio.run(_deliver_asgi(app, host, submissions))).result()


def _is_in_loop() -> bool:
    """A test may be a coroutine, in whose thread no second loop can run."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _deliver_asgi(app: Any, host: str, submissions: Sequence[Submission]) -> list[Answer]:
    async with running(app, PATIENCE) as state:
        of_its_own = asyncio.all_tasks()
        # a task has a context of its own
        answers = [await asyncio.create_task(_call_asgi(app, host, one, dict(state))) for one in submissions]
        others = asyncio.all_tasks() - of_its_own
        if others:
            await asyncio.wait(others, timeout=_LEAVE)
    return answers


async def _call_asgi(app: Any, host: str, submission: Submission, state: dict[str, Any]) -> Answer:
    visitor = _Visitor(submission)
    clock = asyncio.timeout(PATIENCE)
    try:
        async with clock:
            await app(_scope(submission, host, state), visitor.receive, visitor.send)
    except Exception as error:
        if clock.expired():
            raise CannotProve(f"no whole answer came within {PATIENCE} seconds; name a path that answers") from None
        _tell_failure(error)
    return visitor.answer()


def _scope(submission: Submission, host: str, state: dict[str, Any]) -> dict[str, Any]:
    headers = [("Host", host), *submission.headers]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": unquote_to_bytes(submission.path).decode("utf-8", "replace"),
        "raw_path": submission.path.encode(),
        "query_string": submission.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 50000),
        "server": (host, 80),
        "state": state,
    }


class _Visitor:
    """Sends a submission, waits for the answer, and leaves."""

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
        self.is_answered = asyncio.Event()
        self.bodies = [submission.body]
        self.status = 500
        self.headers: tuple[tuple[bytes, bytes], ...] = ()
        self.body = b""

    async def receive(self) -> dict[str, Any]:
        if self.bodies:
            return {"type": "http.request", "body": self.bodies.pop(), "more_body": False}
        await self.is_answered.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = tuple((bytes(name), bytes(value)) for name, value in message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self.body += bytes(message.get("body", b""))
            if not message.get("more_body", False):
                self.is_answered.set()

    def answer(self) -> Answer:
        return Answer(self.submission, self.status, self.headers, self.body)
