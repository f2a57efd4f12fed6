"""The exchange in progress, as the code that runs inside a request sees it.

The ContextVar holds one mutable object a request. Tasks, thread pools and streaming bodies get a copy of the context,
and the copy holds the same object: what one of them sets, all of them see (PEP 567).
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, Protocol

from ._errors import OutsideRequestError


class InProgress(Protocol):
    """What ``_context`` and ``_logs`` need to know of an exchange, or of what a muted one leaves behind."""

    @property
    def muted(self) -> bool: ...
    @property
    def ended(self) -> bool: ...
    def flag_child(self) -> None: ...
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

    def __init__(self, exchange: Enterable) -> None:
        self.path = exchange.path
        self.raised = exchange.raised
        # gunicorn and werkzeug write a second one for the 500 that they answer with
        self.access_lines_left = (2 if exchange.raised else 1) - exchange.access_lines

    def is_access_line_of_its_own(self) -> bool:
        """Whether the access line that is about to be written is still the ended request's; counts it."""
        self.access_lines_left -= 1
        return self.access_lines_left >= 0

    def flag_child(self) -> None:
        """Do nothing: it is muted."""

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
    """Say that the submission in progress is a child's: from here on nothing about the request reaches a log.

    Raises OutsideRequestError when no guarded request is in progress.
    """
    _in_progress("flag_child()").flag_child()


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
