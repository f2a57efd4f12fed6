"""A WSGI response on its way from the app to the server (PEP 3333)."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from . import _context, _logs
from ._answer import Answer
from ._exchange import Exchange
from ._headers import TEXT, as_list

StartResponse = Callable[..., Callable[[bytes], object]]

_STATUS = re.compile(r"([0-9]{3})(?: .*)?", re.DOTALL)

REFUSED = b"Internal Server Error"
REFUSED_STATUS = "500 Internal Server Error"
REFUSED_HEADERS = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(REFUSED)))]


class GuardedResponse:
    """The response of one request on its way from the app to the server."""

    __slots__ = (
        "_given",
        "_given_first",
        "_sent",
        "_start_response",
        "_status",
        "_write",
        "around",
        "exchange",
        "has_begun",
        "has_failed",
    )
    _given: Any
    _given_first: list[Any]
    _sent: list[tuple[str, str]] | None
    _status: int
    _write: Callable[[bytes], object]

    def __init__(self, exchange: Exchange, around: Any, start_response: StartResponse) -> None:
        self.exchange = exchange
        self.around = around
        self.has_begun = False
        """Whether the server was given some of the body, and the head with it."""
        self.has_failed = False
        self._sent = None
        self._start_response = start_response

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        """The start_response that the app is given; it may be called late, and again with exc_info."""
        with_exc_info = () if exc_info is None else (exc_info,)
        listed = as_list(headers)  # what an app's own iterator raises is the app's
        try:
            self._status, line = _read_status(status)
            sent = self.exchange.response_headers(self._status, listed, TEXT)
        except Exception as error:
            _logs.tell_failure(error)
            return self._refuse(with_exc_info)
        self.has_failed = False
        self._given = headers
        self._given_first = list(listed)
        self._sent = sent
        self._write = self._start_response(line, sent, *with_exc_info)
        return self.write

    def _refuse(self, with_exc_info: tuple[Any, ...]) -> Callable[[bytes], object]:
        self.has_failed = True
        if self._sent is None or with_exc_info:
            self._start_response(REFUSED_STATUS, list(REFUSED_HEADERS), *with_exc_info)
        return _discard

    def fail(self) -> list[bytes]:
        """Say that the app has failed, and no more: by a 500, or by an end of what has begun."""
        if self.has_begun:  # not every server says so by an exception
            return []
        try:
            self._refuse((sys.exc_info(),))
        except Exception:  # the head has left before (PEP 3333, "The start_response() Callable")
            return []
        return [REFUSED]

    def answer(self, answer: Answer, environ: Mapping[str, Any]) -> list[bytes]:
        """Give *answer* in the app's place."""
        self.start(answer.line, answer.fields)
        return [b"" if environ.get("REQUEST_METHOD") == "HEAD" else answer.body]

    def write(self, chunk: bytes) -> object:
        """The write that the app is given (PEP 3333, "The write() Callable")."""
        self._take_late_headers()
        if chunk:
            self._given = None  # the head leaves with it
            self.has_begun = True
        return None if self.has_failed else self._write(self._scrub(chunk))

    def body(self, body: Iterable[bytes], *, is_file: bool) -> Iterable[bytes]:
        """Return what the server iterates: as often as can be the app's own object, so that sendfile stays sendfile."""
        if self._sent is None or self.has_failed or self.exchange.muted or self.exchange.waiting is not None:
            return _GuardedList(self, body) if isinstance(body, (list, tuple)) else _GuardedBody(self, body)
        self._take_late_headers()
        is_document = self.exchange.body is not None
        if isinstance(body, (list, tuple)):
            self.exchange.end()
            return self._scrub_all(body) if is_document else body
        if is_file and not is_document:
            self.exchange.end()
            return body
        return _GuardedBody(self, body)

    def _scrub_all(self, chunks: Sequence[bytes]) -> Iterable[bytes]:
        """Return a finished body scrubbed, in as many chunks, for of a single one servers tell the length."""
        last = len(chunks) - 1
        scrubbed = [self._scrub(chunk, is_last=number == last) for number, chunk in enumerate(chunks)]
        if not chunks:  # what was written before may not all have left
            scrubbed = [self._scrub(b"", is_last=True)]
        return [REFUSED] if self.has_failed else scrubbed

    def _scrub(self, chunk: bytes, *, is_last: bool = False) -> bytes:
        """Return what may leave of the body by now; nothing any more once that has failed."""
        if self.exchange.body is None:
            return b"" if self.has_failed else chunk
        try:
            return self.exchange.scrub(chunk, is_last=is_last)
        except Exception as error:
            _logs.tell_failure(error)
            self.exchange.body = None
            self._refuse((sys.exc_info(),))
            return b""

    def chunks(self, body: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the chunks of *body*; until the first that is not empty, the head may still change."""
        exchange = self.exchange
        is_settled = False
        for chunk in body:
            if not is_settled:
                self._take_late_headers()
                if self.has_failed:
                    break
                is_settled = self.has_begun = bool(chunk)
            scrubbed = self._scrub(chunk)
            if self.has_failed:
                break
            if scrubbed or not chunk:  # while all of a chunk is held, there is nothing to send
                yield scrubbed
            _context.current.set(exchange)  # another request's body may have been read in between
        left = REFUSED if self.has_failed else self._scrub(b"", is_last=True)
        if left:
            yield left

    def _take_late_headers(self) -> None:
        """Judge what the app has added to its header list, which some servers keep and read at the first chunk."""
        if self._sent is None or not isinstance(self._given, list) or self._given == self._given_first:
            return
        self._given_first = list(self._given)
        try:
            self._sent[:] = self.exchange.response_headers(self._status, self._given, TEXT)
        except Exception as error:  # what was judged before is what leaves
            _logs.tell_failure(error)


class _GuardedBody:
    """A body whose end has to be seen, or whose head is not settled yet."""

    __slots__ = ("_body", "_response")

    def __init__(self, response: GuardedResponse, body: Iterable[bytes]) -> None:
        self._response = response
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        exchange = self._response.exchange
        exchange.in_call = True
        _context.enter(exchange)
        try:
            yield from self._response.chunks(self._body)
        except Exception as error:
            exchange.raised = True
            if not exchange.swallows(error):
                raise
            yield from self._response.fail()
        finally:
            exchange.in_call = False
            exchange.token = None
            exchange.wait_no_more()  # some test clients never close what they have read

    def close(self) -> None:
        exchange = self._response.exchange
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        except Exception as error:
            if not exchange.swallows(error):
                raise
        finally:
            exchange.end(raised=exchange.raised)
            _context.leave(exchange, self._response.around)


class _GuardedList(_GuardedBody):
    """The same of a finished body: of a single chunk, servers tell the length."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]


@functools.lru_cache(maxsize=256)
def _read_status(status: str) -> tuple[int, str]:
    """Return the code, 0 when there is none, and a status line that no server sends as two.

    Browsers render what some servers make of "1000 OK": only what is whole is a code.
    """
    match = _STATUS.fullmatch(status)
    code = int(match[1]) if match else 0
    if status.isprintable():
        return code, status
    return code, f"{match[1]} " if match else REFUSED_STATUS


def _discard(chunk: bytes) -> None:
    """What an app writes after its response was refused goes nowhere."""
