"""The head of one response under a policy: which of the app's header fields leave, which change, and what is set.

Browsers act upon many fields before, beside or past every Content-Security-Policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import _contacts, _csp, _logs
from ._body import DIGESTS, LENGTHS, Body, document_body
from ._codings import parse_codings
from ._csp import NONCE_MARK
from ._documents import kind_of
from ._elements import View
from ._headers import (
    CONNECTION_ALLOWLIST,
    IF_ABSENT,
    NOSNIFF,
    REFERRER_POLICY,
    SET_COOKIE,
    Dialect,
    Spelled,
    as_list,
    begins_at_zero,
    for_one_visitor,
    is_attachment,
    keeps_referrer,
    lets_caches_share,
    may_be_document,
    says_referrer_policy,
    weak_tag,
)
from ._intake import BACK_COOKIE
from ._links import own_members
from ._media_types import plain_type
from ._references import Page, plain_host
from ._set_cookie import CookieGuard

_NO_DOCUMENT = frozenset({204, 205, 301, 302, 303, 304, 307, 308})  # statuses whose body nobody renders
_NO_BODY = frozenset({204, 205, 304})
_SAY_WHAT_A_BODY_IS = ("content-type", "content-disposition", "content-encoding", "content-range")
_NONE: frozenset[str] = frozenset()


class ResponseHead(CookieGuard):
    """What an exchange decides about the head of its response."""

    parent: Any
    """The exchange of a guarded app around this one."""
    body: Body | None = None
    """What the response's body has to pass, where a browser reads it as a document."""
    _admits_inline: bool = False
    _head_sent: bool = False
    _host: Callable[[], str]
    _muted: bool
    _nonce: str | None = None
    is_childs: bool = False
    """Whether the submission is a child's, as far as the outermost exchange knows."""
    sets_back_cookie: bool = False
    _page: Page | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the head of a response has left."""
        return self._head_sent

    @property
    def outermost(self) -> ResponseHead:
        """The exchange whose nonce is this one's too."""
        raise NotImplementedError

    def nonce(self) -> str:
        """Return the response's nonce."""
        raise NotImplementedError

    @property
    def page(self) -> Page:
        """What is this site's own, and what its policy admits from others."""
        if self._page is None:
            own = {*self.policy.first_party_hosts, plain_host(self._host())}
            self._page = Page(own, self.rules.admits)
        return self._page

    def response_headers(
        self, status: int, headers: Iterable[tuple[Any, Any]] | None, dialect: Dialect[Spelled]
    ) -> list[tuple[Spelled, Spelled]]:
        """Return the header fields that leave: privguard's own, then the app's that may, in their order."""
        if 100 <= status < 200:
            return self.interim_headers(headers, dialect)
        kept, present = self._app_fields(headers, dialect)
        if self.policy.scrubs_html and status not in _NO_BODY:
            kept = self._guard_body(status, kept, dialect)
        if self._is_ordinary:
            self._head_sent = True
            ours = self.rules.own_fields[dialect] if not present else self._fields_beside(present, dialect)
            return list(ours) + kept
        nonce = self._settle_nonce(status, kept, dialect)
        self._head_sent = True
        special = [(self.policy.csp_header, policy) for policy in self._policies(nonce)]
        if CONNECTION_ALLOWLIST not in present:
            special += self.rules.connection_fields
        if self.policy.front_header and self.muted:
            special.append((self.policy.front_header, "off"))
        if self.outermost.is_childs:
            special.append(("Cache-Control", "no-store"))
            if self.outermost.sets_back_cookie:
                special.append(("Set-Cookie", f"{BACK_COOKIE}=1; Path=/; HttpOnly; SameSite=Lax"))
        elif nonce is not None:
            special.append(("Cache-Control", for_one_visitor(dialect.values(kept, "cache-control"))))
        if self.outermost.is_childs or nonce is not None:
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
                value = dialect.spell(own_members(dialect.text(value), self.page))
                if not value:
                    continue
            left.append((name, value))
        return left

    # ── the app's fields ─────────────────────────────────────────────────────────────────────────────────────────────

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
        contacting: list[tuple[Spelled, Spelled]] = []

        def look_at(pair: tuple[Spelled, Spelled]) -> tuple[Spelled, Spelled] | None:
            name = dialect.lower(pair[0])
            if name == SET_COOKIE:
                return self._guarded_cookie(pair, given, dialect)
            if name in IF_ABSENT:
                if not self._may_say(name, dialect.encode(pair[1])):
                    return None
                if name != REFERRER_POLICY or says_referrer_policy(dialect.encode(pair[1])):
                    present.add(name)
            if name == CONNECTION_ALLOWLIST:
                if self.rules.sealed:
                    return None
                present.add(name)
            if _contacts.is_judged(name):
                contacting.append(pair)
            return pair

        # One look-up for each of the many fields that nothing is asked about.
        kept = [one for pair in given if (one := pair if pair[0] in plain else look_at(pair))]
        if contacting:
            kept, present = self._without_contacts(kept, contacting, dialect, present)
        return kept, frozenset(present)

    def _may_say(self, name: str, value: bytes) -> bool:
        """Whether the app may set a field that privguard sets where it is absent."""
        if name == NOSNIFF:
            return value.strip().lower() == b"nosniff"  # it has one value; whatever else is sent there is a mistake
        return name != REFERRER_POLICY or not self.rules.user_images or keeps_referrer(value)

    def _without_contacts(
        self,
        kept: Sequence[tuple[Spelled, Spelled]],
        contacting: Sequence[tuple[Spelled, Spelled]],
        dialect: Dialect[Spelled],
        present: set[str],
    ) -> tuple[list[tuple[Spelled, Spelled]], set[str]]:
        """Return *kept* without what would make a browser contact others, and what of *present* is left."""
        fields = [(dialect.lower(name), dialect.text(value)) for name, value in contacting]
        values, removed = _contacts.guarded(fields, self.page)
        outcome = {id(pair): (old, new) for pair, (_, old), new in zip(contacting, fields, values)}
        left: list[tuple[Spelled, Spelled]] = []
        for pair in kept:
            old, new = outcome.get(id(pair), ("", ""))
            if new is old:
                left.append(pair)
            elif new is not None:
                left.append((pair[0], dialect.spell(new)))
        for what, host in removed if not self.muted else ():
            _logs.tell_contact(what, host, self.path, 0)
        return left, present & {dialect.lower(name) for name, _ in left}

    # ── privguard's fields ───────────────────────────────────────────────────────────────────────────────────────────

    def _fields_beside(self, present: frozenset[str], dialect: Dialect[Spelled]) -> tuple[Any, ...]:
        connection = () if CONNECTION_ALLOWLIST in present else dialect.spell_fields(self.rules.connection_fields)
        return self.rules.policy_fields[dialect] + connection + dialect.if_absent[present]

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

    # ── the response's body ──────────────────────────────────────────────────────────────────────────────────────────

    def _guard_body(
        self, status: int, kept: list[tuple[Spelled, Spelled]], dialect: Dialect[Spelled]
    ) -> list[tuple[Spelled, Spelled]]:
        """Find out whether the body is a document, and return *kept* as it is true of a scrubbed one."""
        self.body = None
        said = dialect.values_of(kept, _SAY_WHAT_A_BODY_IS)
        types = said["content-type"]
        sent = plain_type(types)
        if types and types != [sent]:
            kept = [pair for pair in kept if dialect.lower(pair[0]) != "content-type"]
            types = [sent] if sent else []
            kept += dialect.spell_fields([("Content-Type", one) for one in types])
        kind = kind_of(types)
        if kind is None or is_attachment(said["content-disposition"]):
            return kept
        codings, ranges = said["content-encoding"], said["content-range"]
        is_part = status == 206 and not (len(ranges) == 1 and begins_at_zero(ranges[0]))
        is_trial = self.policy.settings["csp"]["report_only"]
        view = View(self.page, self.rules.user_images, self.rules.watches_images, blocks_nothing=is_trial)
        applied = parse_codings(codings)
        self.body = document_body(kind, types, applied, view, is_part=is_part)
        untrue = (DIGESTS | LENGTHS) if applied else DIGESTS
        true = [pair for pair in kept if dialect.lower(pair[0]) not in untrue]
        if codings and (
            not applied or codings != [", ".join(applied)]
        ):  # of what is odd, each browser makes something else
            true = [pair for pair in true if dialect.lower(pair[0]) != "content-encoding"]
            true += dialect.spell_fields([("Content-Encoding", ", ".join(applied))] if applied else [])
        return [self._weakened(pair, dialect) for pair in true] if applied else true

    def _weakened(self, pair: tuple[Spelled, Spelled], dialect: Dialect[Spelled]) -> tuple[Spelled, Spelled]:
        """Return an entity tag as a weak one: packed anew, the page is the same and its bytes are not."""
        if dialect.lower(pair[0]) != "etag":
            return pair
        return pair[0], dialect.spell(weak_tag(dialect.text(pair[1])))
