"""One request and its response under a policy: everything that privguard decides, and no I/O.

The adapters bring the path, the header fields and the status, and send what comes back. The clock and the nonce's
randomness come in as arguments.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextvars import Token
from typing import Any

from . import _context, _cookies, _csp, _logs
from ._cookies import Lifetime
from ._csp import NONCE_MARK
from ._errors import NonceError
from ._headers import (
    IF_ABSENT,
    NOSNIFF,
    PAST_EVERY_POLICY,
    REFERRER_POLICY,
    SET_COOKIE,
    Dialect,
    Spelled,
    as_list,
    for_one_visitor,
    lets_caches_share,
    may_be_document,
    says_referrer_policy,
)
from ._links import own_members
from ._policy import CookieMode, PathRules, Policy

_NO_DOCUMENT = frozenset({204, 205, 301, 302, 303, 304, 307, 308})  # statuses whose body nobody renders
_NONE: frozenset[str] = frozenset()
_MAKING_NONCE = threading.RLock()


def new_nonce() -> str:
    """Return 128 random bits in base64url (CSP3 §7.1)."""
    import secrets  # a hundred modules that a process without nonces never needs

    return secrets.token_urlsafe(16)


class Exchange:
    """One request and its response; the only mutable object that a request costs.

    *path* is canonical. *parent* is the exchange of a guarded app around this one: one nonce and one silence hold for
    both, and each enforces its own policy.
    """

    # Of the class until a request has its own: most requests never do.
    in_call: bool = True
    """Whether the app is being called; what it returned may still be read."""
    ended: bool = False
    """Whether the app is done with the request, its body included."""
    raised: bool = False
    """Whether it was done by an exception."""
    token: Token[_context.InProgress | None] | None = None
    """What the context in which its code runs gave for it."""
    _access_lines: int = 0
    _admits_inline: bool = False
    _head_sent: bool = False
    _muted: bool = False
    _nonce: str | None = None

    def __init__(
        self,
        policy: Policy,
        path: str,
        parent: Exchange | None = None,
        make_nonce: Callable[[], str] = new_nonce,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.policy = policy
        self.path = path
        self.parent = parent
        self.rules: PathRules = policy.rules_for(path)
        self.make_nonce = make_nonce
        self._clock = clock
        if path in policy.quiet_paths:
            self.flag_child()

    # ── what the request's own code may do ───────────────────────────────────────────────────────────────────────────

    @property
    def muted(self) -> bool:
        """Whether nothing about this request may reach a log; once true it stays so."""
        return self._muted if self.parent is None else self.parent.muted

    def flag_child(self) -> None:
        """Mute the rest of the request."""
        self.outermost._muted = True

    @property
    def has_nonce(self) -> bool:
        """Whether the response's nonce has been made."""
        return self.outermost._nonce is not None

    def nonce(self) -> str:
        """Return the response's nonce; raises NonceError when none can be given."""
        if self.policy.nonce_mode == "never":
            raise NonceError('csp_nonce() is switched off; set PRIVGUARD["csp"]["nonce"] to "auto" or "always"')
        outermost = self.outermost
        if outermost._nonce is None:
            if self._head_sent or outermost._head_sent:
                raise NonceError(
                    "csp_nonce() was called after the response's header had been sent without a nonce, as streaming "
                    'bodies do; call it before the response starts, or set PRIVGUARD["csp"]["nonce"] to "always"'
                )
            with _MAKING_NONCE:  # two threads of one request must not make two
                outermost._nonce = outermost._nonce or outermost.make_nonce()
        return outermost._nonce

    @property
    def access_lines(self) -> int:
        """How many access lines of this request were not written so far."""
        return self.outermost._access_lines

    def is_access_line_of_its_own(self) -> bool:
        """Count an access line that is not written: while a request is in progress, each is its own."""
        self.outermost._access_lines += 1
        return True

    @property
    def outermost(self) -> Exchange:
        """The exchange whose nonce and silence are this one's too."""
        return self if self.parent is None else self.parent.outermost

    # ── the request ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def hides_cookies(self) -> bool:
        """Whether the app may see no Cookie header."""
        return self.rules.cookies is CookieMode.BLOCK

    def admit_inline(self) -> None:
        """Let inline code run on this response: for the pages that a framework shows its developer, and nobody else."""
        self._admits_inline = True

    def end(self, *, raised: bool = False) -> None:
        """Say that the app is done with the request, and whether by an exception."""
        self.ended = True
        self.raised = raised

    # ── the response ─────────────────────────────────────────────────────────────────────────────────────────────────

    def response_headers(
        self, status: int, headers: Iterable[tuple[Any, Any]] | None, dialect: Dialect[Spelled]
    ) -> list[tuple[Spelled, Spelled]]:
        """Return the header fields that leave: privguard's own, then the app's that may, in their order."""
        if 100 <= status < 200:
            return self.interim_headers(headers, dialect)
        kept, present = self._app_fields(headers, dialect)
        if self._is_ordinary:
            self._head_sent = True
            ours = self.rules.own_fields[dialect] if not present else self._fields_beside(present, dialect)
            return list(ours) + kept
        nonce = self._settle_nonce(status, kept, dialect)
        self._head_sent = True
        special = [(self.policy.csp_header, policy) for policy in self._policies(nonce)]
        if self.policy.front_header and self.muted:
            special.append((self.policy.front_header, "off"))
        if nonce is not None:
            special.append(("Cache-Control", for_one_visitor(dialect.values(kept, "cache-control"))))
            kept = [field for field in kept if not lets_caches_share(dialect.lower(field[0]))]
        return list(dialect.spell_fields(special) + dialect.if_absent[present]) + kept

    @property
    def _is_ordinary(self) -> bool:
        """Whether the response gets what the policy's own constants say, as most do."""
        return (
            self._nonce is None
            and self.parent is None
            and not (self._muted or self._admits_inline or self.policy.nonce_mode == "always")
        )

    def interim_headers(
        self, headers: Iterable[tuple[Any, Any]] | None, dialect: Dialect[Spelled]
    ) -> list[tuple[Spelled, Spelled]]:
        """Return the header fields that may leave in a handshake or a 1xx answer, which no browser renders.

        Browsers act on the links of a 103 before any policy is there (RFC 8297): those that lead elsewhere go.
        """
        left: list[tuple[Spelled, Spelled]] = []
        for name, value in self._app_fields(headers, dialect)[0]:
            if dialect.lower(name) == "link":
                links = dialect.encode(value).decode("latin-1")
                value = dialect.spell(own_members(links, self.policy.settings["first_party"]))
                if not value:
                    continue
            left.append((name, value))
        return left

    def set_cookie(self, value: bytes, date: Callable[[], float | None]) -> bytes | None:
        """Return what may leave of the Set-Cookie *value*: itself, itself without its lifetime, or None.

        *date* gives the response's Date header in seconds since 1970: the clock when it has none, None when it cannot
        be read.
        """
        mode = self.rules.cookies
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

    def _app_fields(
        self, headers: Iterable[tuple[Any, Any]] | None, dialect: Dialect[Spelled]
    ) -> tuple[list[tuple[Spelled, Spelled]], frozenset[str]]:
        """Return the app's header fields that may leave, and which names of IF_ABSENT are among them."""
        given = as_list(headers)
        try:
            if dialect.are_plain(given):
                return given, _NONE
            if dialect.are_clean(given):
                return self._look_through(given, dialect)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            pass  # something in it is no header field: look at each by itself
        readable = dialect.readable(given)
        if len(readable) < len(given) and not self.muted:
            _logs.tell_malformed(self.path)
        return self._look_through(readable, dialect)

    def _look_through(
        self, given: Sequence[tuple[Spelled, Spelled]], dialect: Dialect[Spelled]
    ) -> tuple[list[tuple[Spelled, Spelled]], frozenset[str]]:
        plain = dialect.plain
        present: set[str] = set()

        def look_at(pair: tuple[Spelled, Spelled]) -> tuple[Spelled, Spelled] | None:
            name = dialect.lower(pair[0])
            if name == SET_COOKIE:
                return self._guarded_cookie(pair, given, dialect)
            if name in PAST_EVERY_POLICY:
                return None
            if name in IF_ABSENT:
                if name == NOSNIFF and dialect.encode(pair[1]).strip().lower() != b"nosniff":
                    return None  # it has one value; whatever else an app sends there is a mistake
                if name != REFERRER_POLICY or says_referrer_policy(dialect.encode(pair[1])):
                    present.add(name)
            return pair

        # One look-up for each of the many fields that nothing is asked about.
        kept = [one for pair in given if (one := pair if pair[0] in plain else look_at(pair))]
        return kept, frozenset(present)

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

    def _fields_beside(self, present: frozenset[str], dialect: Dialect[Spelled]) -> tuple[Any, ...]:
        return self.rules.policy_fields[dialect] + dialect.if_absent[present]

    def _policies(self, nonce: str | None) -> tuple[str, ...]:
        if self._admits_inline:
            return (_csp.serialize(_csp.with_inline(self.rules.directives)),)
        if nonce is None:
            return self.rules.policies
        mark = NONCE_MARK.format(nonce)
        return tuple(policy.replace(NONCE_MARK, mark) for policy in self.rules.nonced_policies)

    def _settle_nonce(
        self, status: int, kept: Iterable[tuple[Spelled, Spelled]], dialect: Dialect[Spelled]
    ) -> str | None:
        """Return the nonce of this response, if one was asked for, or may yet be and the settings say always."""
        mode = self.policy.nonce_mode
        if mode == "never":
            return None
        nonce = self.outermost._nonce
        if nonce is None and mode == "always" and status not in _NO_DOCUMENT:
            return self.nonce() if may_be_document(dialect.values(kept, "content-type")) else None
        return nonce
