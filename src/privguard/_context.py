"""The exchange in progress, as the code that runs inside a request sees it.

The ContextVar holds one mutable object a request. Tasks, thread pools and streaming bodies get a copy of the context,
and the copy holds the same object: what one of them sets, all of them see (PEP 567).
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol

from ._errors import OutsideRequestError


class InProgress(Protocol):
    """What ``_context`` and ``_logs`` need to know of an exchange."""

    @property
    def muted(self) -> bool: ...
    @property
    def in_call(self) -> bool: ...
    @property
    def ended(self) -> bool: ...
    @property
    def raised(self) -> bool: ...
    @property
    def path(self) -> str: ...
    def flag_child(self) -> None: ...
    def nonce(self) -> str: ...


current: ContextVar[InProgress | None] = ContextVar("privguard_exchange", default=None)


def go_back_to(around: InProgress | None) -> None:
    """Make the exchange *around* the current one again, if its app is still being called.

    A guarded app may run inside another one's call. Where it does not, the context keeps its last exchange: servers
    write their access line when the app is done.
    """
    if around is not None and around.in_call:
        current.set(around)


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
