"""The exchange in progress, as the code that runs inside a request sees it.

The ContextVar holds one mutable object a request. Tasks, thread pools and streaming bodies get a copy of the context,
and the copy holds the same object: what one of them sets, all of them see (PEP 567).
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any, Protocol

from ._errors import OutsideRequestError

CO_COROUTINE = 0x80  # the inspect module's, which takes its time to load


class Queue(Protocol):
    """Where what a request writes waits; see ``_silence.Waiting``."""

    def takes(self, record: Any) -> bool: ...
    def takes_level(self, level: int) -> bool: ...
    def writes(self) -> list[Callable[[], object]]: ...
    def add(self, write: Callable[[], object]) -> None: ...


class InProgress(Protocol):
    """What ``_context`` and ``_silence`` need to know of an exchange, or of what a muted one leaves behind."""

    @property
    def muted(self) -> bool: ...
    @property
    def waiting(self) -> Queue | None: ...
    @property
    def ended(self) -> bool: ...
    def flag_child(self) -> None: ...
    def on_child(self, callback: Callable[[], object]) -> None: ...
    def nonce(self) -> str: ...
    def is_access_line_of_its_own(self) -> bool: ...


class Enterable(InProgress, Protocol):
    """An exchange."""

    token: Token[InProgress | None] | None
    in_call: bool
    raised: bool

    @property
    def path(self) -> str: ...
    @property
    def access_lines(self) -> int: ...


class After:
    """What a muted exchange leaves behind in the context of its server, and in no copy of it.

    Servers write their access line when the app is done, and a thread that they keep goes on to other requests: the
    lines that are the ended one's own are not written, and every other is.
    """

    __slots__ = ("access_lines_left", "path", "raised")
    muted = True
    ended = True
    waiting = None

    def __init__(self, exchange: Enterable) -> None:
        self.path = exchange.path
        self.raised = exchange.raised
        # gunicorn and werkzeug write a second one for the 500 that they answer with
        self.access_lines_left = (2 if exchange.raised else 1) - exchange.access_lines

    def is_access_line_of_its_own(self) -> bool:
        """Whether the access line that is about to be written is still the ended request's; counts it."""
        self.access_lines_left -= 1
        return self.access_lines_left >= 0

    def is_spoken_of(self, text: str | bytes) -> bool:
        """Whether what is written past every logger names its address, as access lines do."""
        plain = text if isinstance(text, str) else bytes(text).decode("utf-8", "replace")
        return self.path in plain if self.path != "/" else " / HTTP/" in plain or " /?" in plain

    def flag_child(self) -> None:
        """Do nothing: it is muted."""

    def on_child(self, callback: Callable[[], object]) -> None:
        """Raise; nobody asks."""
        raise OutsideRequestError

    def nonce(self) -> str:
        """Raise; nobody asks."""
        raise OutsideRequestError


current: ContextVar[InProgress | None] = ContextVar("privguard_exchange", default=None)


def enter(exchange: Enterable) -> None:
    """Make *exchange* the one in progress in this context."""
    exchange.token = current.set(exchange)


def pause(exchange: Enterable, around: Any) -> None:
    """Say that the call of *exchange*'s app is over, and what it returned is still to be read."""
    exchange.in_call = False
    exchange.token = None  # it holds the exchange before this one, which holds the one before that, and so on
    go_back(around)


def leave(exchange: Enterable, around: InProgress | None) -> None:
    """Say that *exchange* is over, and go back to the one *around* it when that one's code goes on here.

    A guarded app may call another one within its own request. That an exchange was current before this one does not
    say so: servers start a request in a copy of the context that the last one left, while that one is still at work.
    """
    exchange.in_call = False
    exchange.token = None
    if not go_back(around) and exchange.muted:
        current.set(After(exchange))


def go_back(around: Any) -> bool:
    """Make *around* the current exchange again, if its app is being called in this very context; return whether."""
    token = getattr(around, "token", None)
    if token is None or not around.in_call:
        return False
    try:
        current.reset(token)  # works in the very context in which it was made, and in no copy (PEP 567)
    except ValueError:
        return False
    enter(around)
    return True


def flag_child() -> None:
    """Say that the submission in progress is a child's: nothing about the request reaches a log.

    Nor does what it has written so far, if it carries a body or a query. The answer, where its head has not been sent,
    sets no cookie and is ``no-store``. What on_child() has been told is called. Raises OutsideRequestError when no
    guarded request is in progress.
    """
    _in_progress("flag_child()").flag_child()


def on_child(callback: Callable[[], object]) -> None:
    """Have *callback* called, without arguments, when the submission in progress turns out to be a child's.

    That is at once, where it is known already; and never, if it does not turn out so. For what the app has stored in
    this request: delete it, or roll its transaction back. What *callback* raises is raised by flag_child(), when all
    others have been called. Raises TypeError for a coroutine function, which nobody could await there, and
    OutsideRequestError when no guarded request is in progress.
    """
    if getattr(getattr(callback, "__code__", None), "co_flags", 0) & CO_COROUTINE:
        raise TypeError("on_child() takes an ordinary function, for flag_child() awaits nothing")
    _in_progress("on_child()").on_child(callback)


def csp_nonce() -> str:
    """Return the nonce of the response in progress, made on first use: 128 random bits in base64url (CSP3 §2.3.1).

    The same request always gets the same nonce, and no other request does. Raises OutsideRequestError when no guarded
    request is in progress, and NonceError when the response's header has been sent without a nonce or when the setting
    ``csp.nonce`` is ``"never"``.
    """
    return _in_progress("csp_nonce()").nonce()


def _in_progress(asked_by: str) -> InProgress:
    exchange = current.get()
    if exchange is None or exchange.ended:
        raise OutsideRequestError(
            f"{asked_by} was called outside a request that privguard guards; wrap the app in PrivacyMiddleware, and "
            "start threads of your own with contextvars.copy_context().run, so that they know their request"
        )
    return exchange
