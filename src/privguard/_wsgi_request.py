"""A WSGI request on its way to the app: a submission comes in whole before the app is called (PEP 3333)."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

from . import _logs
from ._answer import Answer, of_error
from ._errors import SubmissionError
from ._exchange import Exchange
from ._intake import Intake
from ._policy import ChildAction
from ._spool import PIECE

Environ = dict[str, Any]


# What tells of a body, or what is in it.
_OF_THE_BODY = ("CONTENT_TYPE", "HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING", "HTTP_EXPECT")
# Where libraries keep what a middleware around this one has had them parse.
_PARSED = ("werkzeug.request", "webob.", "paste.parsed_", "bottle.")
_OF_THE_PATH = ("PATH_INFO", "SCRIPT_NAME", "REQUEST_METHOD")  # a question mark in them was sent as %3F
_FIRST_PIECE = 1 << 10  # bytes: of a visitor who sends a few bytes a second, these take minutes and not hours


def is_submission(environ: Environ) -> bool:
    """Whether the request carries a query, or may carry a body."""
    return bool(environ.get("QUERY_STRING")) or "HTTP_TRANSFER_ENCODING" in environ or _length(environ) != 0


def _length(environ: Environ) -> int | None:
    """Return how many bytes the body has; None when that is told by its end.

    PEP 3333 knows no body but one with a length; servers that do say so, some of them of every request.
    """
    has_end = bool(environ.get("wsgi.input_terminated"))
    is_chunked = bool(environ.get("HTTP_TRANSFER_ENCODING"))
    if has_end and is_chunked:  # the length does not count (RFC 9112 §6.3)
        return None
    said = str(environ.get("CONTENT_LENGTH") or "").strip()
    if said:
        length = _read_length(said)
        return length if length is not None or has_end else 0
    may_have_body = is_chunked or environ.get("SERVER_PROTOCOL", "") not in ("HTTP/1.0", "HTTP/1.1")
    return None if may_have_body and has_end else 0  # without an end, a server's input may wait for ever


def _read_length(said: str) -> int | None:
    """Return the length as the frameworks read it, which ask int(); None where it is none."""
    try:
        length = int(said)
    except ValueError:
        return None
    return length if length >= 0 else None


def take_in(exchange: Exchange, environ: Environ) -> Answer | None:
    """Leave in *environ* what the app may read of a submission; return the answer, where it is not to be called."""
    try:
        return _take_in(exchange, environ)
    except SubmissionError as error:
        return exchange.fail(error)
    except Exception as error:
        _logs.tell_failure(error)
        return of_error(500)


def _take_in(exchange: Exchange, environ: Environ) -> Answer | None:
    query = str(environ.get("QUERY_STRING") or "")
    intake = exchange.take_in(_bytes_of(query), _values_of(environ))
    if intake is None:
        return None
    length = _length(environ)
    is_held = length != 0 and intake.wants_body
    is_whole = True
    try:
        if is_held:
            is_whole = _read_all(intake, environ["wsgi.input"], length)
        intake.finish()  # also of one that breaks off, what has come is judged
    except BaseException:
        intake.discard()
        raise
    finally:
        action = exchange.settle(intake)
    if action is ChildAction.REFUSE:
        return exchange.refusal(environ.get("HTTP_ACCEPT", ""))
    if not is_whole:
        intake.discard()
        return of_error(400)
    if action is ChildAction.ERASE:
        erase(environ, query)
    elif is_held:
        environ["wsgi.input"] = intake.as_file()
    elif length == 0 and intake.wants_body:
        environ["wsgi.input"] = io.BytesIO()  # of chunks whose end the server does not tell, nobody could be sure
    return None


def _bytes_of(query: str) -> bytes:
    try:
        return query.encode("latin-1")
    except UnicodeEncodeError:  # against PEP 3333, as tests call apps
        return query.encode("utf-8", "replace")


def _values_of(environ: Environ) -> Callable[[str], list[str]]:
    def values(name: str) -> list[str]:
        key = name.upper().replace("-", "_")
        value = environ.get(key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}")
        return [value] if value else []

    return values


def _read_all(intake: Intake, body: Any, length: int | None) -> bool:
    """Take the whole body in; return False when the visitor left before its end, or sends what is no body."""
    left, size = length, _FIRST_PIECE
    read = getattr(body, "read1", body.read)  # most servers' read() returns only when all that was asked for has come
    while left is None or left > 0:
        try:
            chunk = read(size if left is None else min(left, size))
        except Exception:  # each server has errors of its own for who has left, or sends what is no HTTP
            return False
        if not chunk:
            return left is None
        intake.feed(chunk, time.monotonic())
        left = None if left is None else left - len(chunk)
        size = min(2 * size, PIECE)
    return True


def erase(environ: Environ, query: str) -> None:
    """Leave nothing in *environ* of what was sent."""
    for name in [name for name in environ if name in _OF_THE_BODY or name.startswith(_PARSED)]:
        del environ[name]
    if query:
        for name, value in environ.items():  # REQUEST_URI, RAW_URI, HTTP_REFERER and what else repeats it
            if isinstance(value, str) and query in value and name not in _OF_THE_PATH:
                environ[name] = "" if value == query else value.partition("?")[0]
    environ.update({"QUERY_STRING": "", "CONTENT_LENGTH": "0", "wsgi.input": io.BytesIO()})
