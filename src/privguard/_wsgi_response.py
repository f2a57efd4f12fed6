"""A WSGI response on its way from the app to the server (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

from . import _logs
from ._exchange import Exchange
from ._headers import TEXT

StartResponse = Callable[..., Callable[[bytes], object]]

REFUSED = b"Internal Server Error"
REFUSED_STATUS = "500 Internal Server Error"
REFUSED_HEADERS = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(REFUSED)))]


class GuardedResponse:
    """The response of one request on its way from the app to the server."""

    __slots__ = (
        "_file_wrapper",
        "_given",
        "_given_first",
        "_sent",
        "_start_response",
        "_status",
        "exchange",
        "has_failed",
        "has_started",
    )
    _given: Any
    _given_first: list[Any]
    _sent: list[tuple[str, str]]
    _status: int

    def __init__(self, exchange: Exchange, start_response: StartResponse, file_wrapper: Any) -> None:
        self.exchange = exchange
        self.has_started = False
        self.has_failed = False
        self._start_response = start_response
        self._file_wrapper = file_wrapper

    def start(self, status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Callable[[bytes], object]:
        """The start_response that the app is given; it may be called late, and again with exc_info."""
        try:
            self._status = int(status[:3]) if status[:3].isdecimal() else 0
            self._given, self._given_first = headers, list(headers)
            self._sent = self.exchange.response_headers(self._status, self._given_first, TEXT)
        except Exception as error:
            _logs.tell_failure(error)
            return self._refuse(*exc_info)
        self.has_failed = False
        self.has_started = True
        return self._start_response(_one_line(status), self._sent, *exc_info)

    def _refuse(self, *exc_info: Any) -> Callable[[bytes], object]:
        self.has_failed = True
        if not self.has_started or exc_info:
            self._start_response(REFUSED_STATUS, list(REFUSED_HEADERS), *exc_info)
        return _discard

    def body(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """Return what the server iterates: as often as can be the app's own object, so that sendfile stays sendfile."""
        if not self.has_started or self.has_failed:
            return _GuardedBody(self, body)
        self.take_late_headers()
        if self.exchange.muted:
            return _GuardedBody(self, body)
        if isinstance(body, (list, tuple)) or self._may_be_file(body):
            self.exchange.end()
            return body
        return _EndingBody(body, self.exchange)

    def _may_be_file(self, body: Iterable[bytes]) -> bool:
        # Where the server's wrapper is a class it tells; where it is a function, only a generator surely is no file.
        if isinstance(self._file_wrapper, type):
            return isinstance(body, self._file_wrapper)
        return self._file_wrapper is not None and not isinstance(body, Generator)

    def take_late_headers(self) -> None:
        """Judge what the app has added to its header list, which some servers keep and read at the first chunk."""
        if isinstance(self._given, list) and self._given != self._given_first:
            self._given_first = list(self._given)
            self._sent[:] = self.exchange.response_headers(self._status, self._given, TEXT)


class _EndingBody:
    """A body whose end has to be seen: the server iterates the app's own iterator, at no cost a chunk."""

    def __init__(self, body: Iterable[bytes], exchange: Exchange) -> None:
        self._body = body
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._exchange.end(raised=self._exchange.raised)


class _GuardedBody(_EndingBody):
    """A body of a response that is not settled yet, or that is muted: each chunk is looked at before it leaves."""

    def __init__(self, response: GuardedResponse, body: Iterable[bytes]) -> None:
        super().__init__(body, response.exchange)
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._body:
                self._response.take_late_headers()
                if self._response.has_failed:
                    break
                yield chunk
        except Exception:
            self._exchange.raised = True
            raise
        if self._response.has_failed:
            yield REFUSED


def _one_line(status: str) -> str:
    """A status line that some servers would send as two is cut down to its code."""
    return status if status.isprintable() else f"{status[:3]} "


def _discard(chunk: bytes) -> None:
    """What an app writes after its response was refused goes nowhere."""
