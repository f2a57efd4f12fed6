"""The Set-Cookie fields of one response under a policy: which leave, and which lose their lifetime."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import _cookies, _logs
from ._cookies import Lifetime
from ._headers import Dialect, Spelled
from ._policy import CookieMode, PathRules, Policy


class CookieGuard:
    """What an exchange decides about the cookies of its response."""

    policy: Policy
    path: str
    rules: PathRules
    _clock: Callable[[], float]

    @property
    def outermost(self) -> Any:
        """The exchange that knows whether the submission is a child's."""
        raise NotImplementedError

    @property
    def muted(self) -> bool:
        """Whether nothing about this request may reach a log."""
        raise NotImplementedError

    def set_cookie(self, value: bytes, date: Callable[[], float | None]) -> bytes | None:
        """Return what may leave of the Set-Cookie *value*: itself, itself without its lifetime, or None.

        *date* gives the response's Date header in seconds since 1970: the clock when it has none, None when it cannot
        be read.
        """
        mode = self.rules.cookies
        if self.outermost.is_childs:  # whatever tells a child from others is its personal data (16 CFR 312.2)
            is_deletion = _cookies.lifetime(value, now=self._clock, date=date) is Lifetime.DELETION
            return value if is_deletion else None
        if mode is CookieMode.ALLOW:
            return value
        kind = _cookies.lifetime(value, now=self._clock, date=date)
        if kind is Lifetime.DELETION or (kind is Lifetime.SESSION and mode is not CookieMode.BLOCK):
            return value
        name = _cookies.cookie_name(value)
        removed = (
            kind is Lifetime.MALFORMED
            or mode is CookieMode.BLOCK
            or (mode is CookieMode.STRIP and kind is Lifetime.PERSISTENT and name not in self.policy.visit)
        )
        if not self.muted and not _logs.has_told_cookie(name):
            _logs.tell_cookie(name, self.path, mode.value, kind.value, removed=removed)
        return None if removed else _cookies.as_session(value)

    def _guarded_cookie(
        self, pair: tuple[Spelled, Spelled], given: Sequence[tuple[Spelled, Spelled]], dialect: Dialect[Spelled]
    ) -> tuple[Spelled, Spelled] | None:
        value = dialect.encode(pair[1])
        left = self.set_cookie(value, lambda: self._response_date(given, dialect))
        if left is value:
            return pair
        return None if left is None else (pair[0], dialect.decode(left))

    def _response_date(self, given: Iterable[tuple[Spelled, Spelled]], dialect: Dialect[Spelled]) -> float | None:
        """Return the earliest date by which some browser may correct its clock; None when one cannot be read.

        Browsers take the first Date header. Chromium reads a name with blanks behind it, and Firefox does not.
        """
        as_firefox = (pair for pair in given if len(pair[0]) == len("date"))
        firsts = dialect.values(given, "date")[:1] + dialect.values(as_firefox, "date")[:1]
        dates = [_cookies.plain_date(first.strip(" \t").encode("latin-1")) for first in firsts]
        return None if None in dates else min((date for date in dates if date is not None), default=self._clock())
