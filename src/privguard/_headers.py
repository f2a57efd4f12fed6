"""Response header fields (RFC 9110 §5) as a server will send them: by name in any case, in bytes or in text.

A field whose name is no token, or whose value holds CR, LF or NUL, becomes another header, or a lost response, on some
server or in some browser; it does not get past. A name with blanks behind it does: browsers read it without them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Generic, TypeVar

from ._contacts import is_judged

Spelled = TypeVar("Spelled", bytes, str)

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 §5.6.2
_FORBIDDEN = (b"\r", b"\n", b"\0")  # RFC 9110 §5.5
_CACHE_DIRECTIVE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')  # RFC 9111 §5.2: a quoted value may hold commas
_MOST_NAMES = 4096  # a site sends some dozens; an app that makes names up must not fill the memory

# Judged by its own rule, which says what becomes of a forbidden byte in it.
SET_COOKIE = "set-cookie"
NOSNIFF = "x-content-type-options"
REFERRER_POLICY = "referrer-policy"
CONNECTION_ALLOWLIST = "connection-allowlist"

# The privacy defaults: features by which a page could sense, identify or reach out. Left to the app are those that a
# visitor starts by hand (full screen, payment, passkeys). "bluetooth" is unknown to Chromium on Linux, known elsewhere.
_PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer bluetooth browsing-topics camera ch-ua-high-entropy-values compute-pressure display-capture "
        "geolocation gyroscope hid identity-credentials-get idle-detection interest-cohort keyboard-map local-fonts "
        "local-network local-network-access loopback-network magnetometer microphone midi "
        "private-state-token-issuance private-state-token-redemption serial storage-access usb window-management "
        "xr-spatial-tracking"
    ).split()
)

IF_ABSENT = {
    name.lower(): (name, value)
    for name, value in (
        # "no-referrer" would turn the Origin of a same-origin POST into "null" and break CSRF checks.
        ("Referrer-Policy", "same-origin"),
        # Without it an unlabelled answer is sniffed as HTML, and its hints fire.
        ("X-Content-Type-Options", "nosniff"),
        # Firefox looks up the host of every link on a page over plain HTTP.
        ("X-DNS-Prefetch-Control", "off"),
        ("Permissions-Policy", _PERMISSIONS_POLICY),
    )
}
"""The header fields that are set where the app has not set them, by their name in lower case."""

# With a nonce these would let a cache give one visitor's nonce to another (RFC 9111 §5.2, RFC 9213, nginx), or pair a
# new nonce with an old body: a 304 keeps the stored body and takes the new header (RFC 9111 §3.2).
_CACHING = frozenset({"surrogate-control", "edge-control", "x-accel-expires", "etag", "last-modified"})
# The types in which a page's code could read a nonce, beside all that end in +xml.
_DOCUMENT_TYPES = frozenset({"text/html", "text/xml", "text/xsl", "application/xml"})
_REFERRER_POLICIES = frozenset(
    b"no-referrer no-referrer-when-downgrade same-origin origin strict-origin origin-when-cross-origin "
    b"strict-origin-when-cross-origin unsafe-url".split()
)

_WITH_A_MEANING = IF_ABSENT.keys() | set(
    "cache-control connection date etag expires last-modified link location refresh server set-cookie "
    "strict-transport-security trailer transfer-encoding upgrade vary www-authenticate x-frame-options".split()
)

# The fields that are looked at one by one. Whatever else an app sends passes once its name is known to be one.
_LOOKED_AT = IF_ABSENT.keys() | {SET_COOKIE}


class Unreadable(ValueError):
    """A field's name is no token."""


class _Names(dict[Any, str]):
    """Spelled name -> name in lower case, learnt on first sight."""

    def __init__(self, decode: Callable[[Any], str], plain: set[Any]) -> None:
        self._decode = decode
        self._plain = plain

    def __missing__(self, spelled: Any) -> str:
        name = self._decode(spelled).rstrip(" \t")
        if not TOKEN.fullmatch(name):
            raise Unreadable
        name = name.lower()
        if len(self) < _MOST_NAMES:
            self[spelled] = name
            if name not in _LOOKED_AT and not is_judged(name):
                self._plain.add(spelled)
        return name


class _Absent(dict[frozenset[str], tuple[tuple[Spelled, Spelled], ...]]):
    def __init__(self, dialect: Dialect[Spelled]) -> None:
        self._dialect: Dialect[Spelled] = dialect

    def __missing__(self, present: frozenset[str]) -> tuple[tuple[Spelled, Spelled], ...]:
        absent = [field for name, field in IF_ABSENT.items() if name not in present]
        self[present] = self._dialect.spell_fields(absent)
        return self[present]


class Dialect(Generic[Spelled]):
    """How one protocol spells header fields: ASGI in bytes, WSGI in latin-1 text."""

    encode: Callable[[Spelled], bytes]
    decode: Callable[[bytes], Spelled]
    plain: set[Spelled]
    """Names, as they were spelled, of fields that nothing is asked about: most of what a site sends, learnt on first
    sight, so that a look-up is all that they cost."""

    if_absent: _Absent[Spelled]
    """Which names of IF_ABSENT an app has set -> the fields that are to be set beside them."""

    def __init__(self, empty: Spelled, encode: Callable[[Spelled], bytes], decode: Callable[[bytes], Spelled]) -> None:
        self._name_case: Callable[[str], str] = str.lower if isinstance(empty, bytes) else str
        self._empty: Spelled = empty
        self._is_bytes = isinstance(empty, bytes)
        self._types: set[type] = {bytes} if self._is_bytes else {tuple}
        self._forbidden: tuple[Spelled, ...] = tuple(decode(octet) for octet in _FORBIDDEN)
        self.plain = set()
        self._names = _Names(lambda spelled: encode(spelled).decode("latin-1"), self.plain)
        self.encode = encode
        self.decode = decode
        self.if_absent = _Absent(self)

    def spell(self, text: str) -> Spelled:
        """Return latin-1 *text* as this protocol spells it."""
        return self.decode(text.encode("latin-1"))

    def text(self, spelled: Spelled) -> str:
        """Return what this protocol spells so as latin-1 text: the way back from spell()."""
        return self.encode(spelled).decode("latin-1")

    def spell_fields(self, fields: Iterable[tuple[str, str]]) -> tuple[tuple[Spelled, Spelled], ...]:
        """Return header fields as this protocol spells them; names are in lower case on ASGI, as HTTP/2 wants them."""
        return tuple((self.spell(self._name_case(name)), self.spell(value)) for name, value in fields)

    def lower(self, name: Spelled) -> str:
        """Return a field's *name* in lower case and without blanks behind it. Raises Unreadable when it is no token."""
        return self._names[name]

    def values(self, fields: Iterable[tuple[Spelled, Spelled]], wanted: str) -> list[str]:
        """Return the values of the fields that are named *wanted*, which is in lower case."""
        lower = self._names
        return [self.text(value) for name, value in fields if lower[name] == wanted]

    def values_of(self, fields: Iterable[tuple[Spelled, Spelled]], wanted: Collection[str]) -> dict[str, list[str]]:
        """Return what values() does for several names at once, in one walk; an empty list for what is not there."""
        lower = self._names
        found: dict[str, list[str]] = {name: [] for name in wanted}
        for name, value in fields:
            if lower[name] in found:
                found[lower[name]].append(self.text(value))
        return found

    def are_plain(self, headers: list[tuple[Spelled, Spelled]]) -> bool:
        """Whether nothing is asked about any of *headers*, and a server can send them all: the quick way for most.

        Raises TypeError or ValueError when something in them is no header field.
        """
        plain = self.plain
        values = [value for name, value in headers if name in plain]
        return len(values) == len(headers) and self._are_sendable(headers, values)

    def are_clean(self, headers: Sequence[tuple[Spelled, Spelled]]) -> bool:
        """Whether a server can send the values of *headers* as they are. Raises as are_plain() does."""
        return self._are_sendable(headers, [value for _, value in headers])

    def _are_sendable(self, headers: Sequence[Any], values: Sequence[Spelled]) -> bool:
        # WSGI servers need tuples, and some ASGI servers no other kind of bytes; joining text tells of all but text.
        types = {*map(type, values if self._is_bytes else headers)}
        return types <= self._types and self._are_clean(values)

    def _are_clean(self, values: Iterable[Spelled]) -> bool:
        text = self._empty.join(values)
        if not text.isascii():
            self.encode(text)
        cr, lf, nul = self._forbidden
        # Three finds are several times quicker than one pattern, or than `in`.
        return text.find(cr) < 0 and text.find(lf) < 0 and text.find(nul) < 0

    def readable(self, headers: Sequence[Any]) -> list[tuple[Spelled, Spelled]]:
        """Return what of *headers* is a header field or can be respelled as one; the rest is left out."""
        return [pair for pair in map(self._read_one, headers) if pair is not None]

    def _read_one(self, header: Any) -> tuple[Spelled, Spelled] | None:
        try:
            name, value = header
            name, value = self._respell(name), self._respell(value)
            if self._names[name] != SET_COOKIE and not self._are_clean([value]):
                return None
        except (TypeError, ValueError, AttributeError):
            return None
        return name, value

    def _respell(self, written: Any) -> Spelled:
        """Raises ValueError or TypeError for what is neither bytes nor latin-1 text."""
        if isinstance(written, type(self._empty)):
            self.encode(written)
            return written
        if isinstance(written, str):
            return self.spell(written)
        return self.decode(_as_bytes(written))


def _as_bytes(written: Any) -> bytes:
    if type(written) is bytes:
        return written
    if not isinstance(written, (bytes, bytearray, memoryview)):
        raise TypeError
    return bytes(written)


BYTES: Dialect[bytes] = Dialect(b"", _as_bytes, bytes)
TEXT: Dialect[str] = Dialect("", lambda text: text.encode("latin-1"), lambda octets: octets.decode("latin-1"))


def as_list(headers: Any) -> list[Any]:
    """Return what an app passes for its headers as a list; what is no list of anything makes one of itself."""
    if type(headers) is list:
        return headers
    if headers is None:
        return []
    return list(headers) if isinstance(headers, Iterable) else [headers]


def has_a_meaning(name: str) -> bool:
    """Whether servers or browsers act upon the header *name*, so that it cannot be one of the owner's own."""
    lower = name.lower()
    return lower in _WITH_A_MEANING or lower.startswith(("access-control-", "content-", "cross-origin-", "sec-"))


def keeps_referrer(value: bytes) -> bool:
    """Whether a Referrer-Policy *value* never tells another site from which page a visitor comes."""
    known = [one.strip() for one in value.lower().split(b",") if one.strip() in _REFERRER_POLICIES]
    return bool(known) and known[-1] in (b"no-referrer", b"same-origin")  # the last that is known counts


def weak_tag(value: str) -> str:
    """Return the entity tag *value* as a weak one (RFC 9110 §8.8.3)."""
    return value if value.strip().startswith("W/") else f"W/{value.strip()}"


def is_attachment(dispositions: Sequence[str]) -> bool:
    """Whether browsers save a response with these Content-Disposition values instead of showing it (RFC 6266)."""
    return len(dispositions) == 1 and dispositions[0].partition(";")[0].strip(" \t").lower() == "attachment"


def begins_at_zero(content_range: str) -> bool:
    """Whether a part of a resource is its begin (RFC 9110 §14.4)."""
    return re.match(r"[ \t]*bytes[ \t]+0*0-", content_range, re.IGNORECASE) is not None


def says_referrer_policy(value: bytes) -> bool:
    """Whether browsers find a policy that they know in a Referrer-Policy *value* (Referrer Policy §8.1)."""
    return any(token.strip() in _REFERRER_POLICIES for token in value.lower().split(b","))


def for_one_visitor(cache_controls: Iterable[str]) -> str:
    """Return the Cache-Control value that says what *cache_controls* say, and ``private`` (RFC 9111 §5.2.2.7).

    >>> for_one_visitor(["public, max-age=60", "s-maxage=900"])
    'private, max-age=60'
    """
    kept: list[str] = []
    for directive in _CACHE_DIRECTIVE.findall(",".join(cache_controls)):
        name = directive.partition("=")[0].strip().lower()
        if name not in ("", "public", "s-maxage", "private"):
            kept.append(directive.strip())
    return ", ".join(["private", *kept])  # first: a quote that never ends would hide it


def lets_caches_share(name: str) -> bool:
    """Whether the field *name*, in lower case, could let a cache give one visitor's response to another."""
    return name in _CACHING or name.endswith("cache-control")  # every vendor has one of its own


def may_be_document(content_types: Sequence[str]) -> bool:
    """Whether a response with these Content-Type values may be a document; one without a type may be anything."""
    essences = [one.partition(";")[0].strip().lower() for one in content_types]
    return not essences or any(one in _DOCUMENT_TYPES or one.endswith("+xml") for one in essences)
