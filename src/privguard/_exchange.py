"""One request and its response under a policy: everything that privguard decides, and no I/O.

The adapters bring the path, the header fields and the status, and send what comes back. The clock and the nonce's
randomness come in as arguments.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from . import _cookies, _csp, _logs
from ._cookies import Lifetime
from ._csp import NONCE_MARK
from ._errors import NonceError
from ._headers import SET_COOKIE, Dialect, Fields, Spelled, for_one_visitor
from ._policy import IF_ABSENT, CookieMode, Policy

_NOSNIFF = "x-content-type-options"  # has one value; whatever else an app sends there is a mistake
_IF_ABSENT = {name.lower(): (name, value) for name, value in IF_ABSENT}
# With a nonce these would let a cache give one visitor's nonce to another (RFC 9111 §5.2, RFC 9213, nginx), or pair a
# new nonce with an old body: a 304 keeps the stored body and takes the new header (RFC 9111 §3.2).
_CACHING = frozenset({"cache-control", "surrogate-control", "x-accel-expires", "etag", "last-modified"})
# The types in which a page's code could read a nonce; an answer without a type may be any of them.
_DOCUMENT_TYPES = ("text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml")
_MAKING_NONCE = threading.Lock()


def new_nonce() -> str:
    """Return 128 random bits in base64url (CSP3 §7.1)."""
    import secrets  # a hundred modules that a process without nonces never needs

    return secrets.token_urlsafe(16)


class Exchange:
    """One request and its response; the only mutable object that a request costs.

    *path* is canonical. *parent* is the exchange of a guarded app around this one: one nonce and one silence hold for
    both, and each enforces its own policy.
    """

    __slots__ = (
        "_admits_inline",
        "_clock",
        "_head_sent",
        "_muted",
        "_nonce",
        "_root",
        "ended",
        "make_nonce",
        "path",
        "policy",
        "raised",
        "rules",
    )

    def __init__(
        self,
        policy: Policy,
        path: str,
        *,
        parent: Exchange | None = None,
        make_nonce: Callable[[], str] = new_nonce,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.policy = policy
        self.path = path
        self.rules = policy.rules_for(path)
        self.make_nonce = make_nonce
        self.ended = False
        self.raised = False
        self._clock = clock
        self._admits_inline = False
        self._head_sent = False
        self._nonce: str | None = None
        self._muted = False
        self._root: Exchange = self if parent is None else parent._root
        if path in policy.quiet_paths:
            self._root._muted = True

    # ── what the request's own code may do ───────────────────────────────────────────────────────────────────────────

    @property
    def muted(self) -> bool:
        """Whether nothing about this request may reach a log; once true it stays so."""
        return self._root._muted

    def flag_child(self) -> None:
        """Mute the rest of the request."""
        self._root._muted = True

    @property
    def has_nonce(self) -> bool:
        """Whether the response's nonce has been made."""
        return self._root._nonce is not None

    def nonce(self) -> str:
        """Return the response's nonce; raises NonceError when none can be given."""
        if self.policy.nonce_mode == "never":
            raise NonceError('csp_nonce() is switched off; set PRIVGUARD["csp"]["nonce"] to "auto" or "always"')
        root = self._root
        if root._nonce is None:
            if self._head_sent or root._head_sent:
                raise NonceError(
                    "csp_nonce() was called after the response's header had been sent without a nonce, as streaming "
                    'bodies do; call it before the response starts, or set PRIVGUARD["csp"]["nonce"] to "always"'
                )
            with _MAKING_NONCE:  # two threads of one request must not make two
                root._nonce = root._nonce or root.make_nonce()
        return root._nonce

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
        fields: Fields[Spelled] = self._read(headers, dialect)
        nonce = self._settle_nonce(fields, dialect)
        self._head_sent = True
        names = fields.names
        ours: list[tuple[Spelled, Spelled]]
        if nonce is not None or self._root._muted or self._admits_inline or not _IF_ABSENT.keys().isdisjoint(names):
            ours = list(self._own_headers(fields, nonce, dialect))
        else:
            ours = list(self.rules.constant_headers[dialect])
        if nonce is not None:
            return ours + self._app_headers(fields, dialect, _caching_fields(names) | {_NOSNIFF})
        if SET_COOKIE in names or _NOSNIFF in names:
            return ours + self._app_headers(fields, dialect, frozenset({_NOSNIFF}))
        return ours + fields.pairs

    def interim_headers(
        self, headers: Iterable[tuple[Any, Any]] | None, dialect: Dialect[Spelled]
    ) -> list[tuple[Spelled, Spelled]]:
        """Return the header fields that may leave in a handshake or a 1xx answer, which no browser renders."""
        return self._app_headers(self._read(headers, dialect), dialect, frozenset())

    def set_cookie(self, value: bytes, date: Callable[[], float | None]) -> bytes | None:
        """Return what may leave of the Set-Cookie *value*: itself, itself without its lifetime, or None.

        *date* gives the response's first Date header in seconds since 1970: the clock when it has none, None when it
        cannot be read.
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
        if not self.muted:
            _logs.tell_cookie(name, self.path, mode.value, removed=removed)
        return None if removed else _cookies.as_session(value)

    def _read(self, headers: Iterable[tuple[Any, Any]] | None, dialect: Dialect[Spelled]) -> Fields[Spelled]:
        fields = dialect.read(headers)
        if fields.dropped and not self.muted:
            _logs.tell_malformed(self.path)
        return fields

    def _app_headers(
        self, fields: Fields[Spelled], dialect: Dialect[Spelled], replaced: frozenset[str]
    ) -> list[tuple[Spelled, Spelled]]:
        def date() -> float | None:
            return self._response_date(fields, dialect)

        kept: list[tuple[Spelled, Spelled]] = []
        for lower, pair in zip(fields.names, fields.pairs):
            if lower == SET_COOKIE:
                given = dialect.encode(pair[1])
                judged = self.set_cookie(given, date)
                if judged is given:
                    kept.append(pair)
                elif judged is not None:
                    kept.append((pair[0], dialect.decode(judged)))
            elif lower not in replaced:
                kept.append(pair)
        return kept

    def _response_date(self, fields: Fields[Spelled], dialect: Dialect[Spelled]) -> float | None:
        dates = _values(fields, "date", dialect)
        return _cookies.plain_date(dates[0].strip(" \t").encode("latin-1")) if dates else self._clock()

    def _own_headers(
        self, fields: Fields[Spelled], nonce: str | None, dialect: Dialect[Spelled]
    ) -> tuple[tuple[Spelled, Spelled], ...]:
        policies = self.rules.policies
        if self._admits_inline:
            policies = (_csp.serialize(_csp.with_inline(self.rules.directives)),)
        elif nonce is not None:
            mark = NONCE_MARK.format(nonce)
            policies = tuple(policy.replace(NONCE_MARK, mark) for policy in self.rules.nonced_policies)
        ours = [(self.policy.csp_header, policy) for policy in policies]
        ours += [pair for lower, pair in _IF_ABSENT.items() if lower == _NOSNIFF or lower not in fields.names]
        if self.policy.front_header and self.muted:
            ours.append((self.policy.front_header, "off"))
        if nonce is not None:
            ours.append(("Cache-Control", for_one_visitor(_values(fields, "cache-control", dialect))))
        return dialect.spell_fields(ours)

    def _settle_nonce(self, fields: Fields[Spelled], dialect: Dialect[Spelled]) -> str | None:
        """Return the nonce of this response, if one was asked for, or may yet be and the settings say always."""
        mode = self.policy.nonce_mode
        if mode == "never":
            return None
        if mode == "always" and self._root._nonce is None:
            kinds = _values(fields, "content-type", dialect)
            if not kinds or any(kind.strip().lower().startswith(_DOCUMENT_TYPES) for kind in kinds):
                return self.nonce()
        return self._root._nonce


def _caching_fields(names: Iterable[str]) -> frozenset[str]:
    return _CACHING.union(name for name in names if name.endswith("cdn-cache-control"))


def _values(fields: Fields[Spelled], wanted: str, dialect: Dialect[Spelled]) -> list[str]:
    return [
        dialect.encode(pair[1]).decode("latin-1") for name, pair in zip(fields.names, fields.pairs) if name == wanted
    ]
