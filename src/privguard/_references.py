"""URL references as browsers read them (URL standard §4.4): with which server would one make contact?

Browsers forgive much: blanks around, tabs and line breaks inside, backslashes for slashes, any number of slashes, names
before an ``@``. What is not understood here counts as a server of its own, which is nobody's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import unquote

_STRIPPED = "".join(map(chr, range(0x21)))  # C0 controls and space
_REMOVED = str.maketrans("\\", "/", "\t\n\r")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_AUTHORITY = re.compile(r"/*([^/?#]*)(.*)", re.DOTALL)
_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?")
# Of others, Python reads some as IDNA 2003 does and browsers do not (UTS #46 §7); and in many an encoding, what looks
# like one of them here is something else for a browser.
_LETTERS = re.compile(r"[^\W_ßẞς]+(?:[-.][^\W_ßẞς]+)*\.?")
# What these name is in the page, in the browser or in another program; nobody is asked for it.
_CONTACT_NOBODY = frozenset("about blob cid data javascript mailto mid sms tel urn x".split())
_NO_DOCUMENTS = tuple(
    f"data:{kind}"
    for kind in ("audio/", "video/", "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "text/plain,")
)
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}


@dataclass(frozen=True, slots=True)
class Server:
    """The server that a reference names."""

    scheme: str
    """In lower case; empty where the reference leaves it to the page's own."""
    host: str
    """In lower case, with its port where that is not the scheme's own: an http server and its https twin are one."""
    rest: str
    """Path, query and fragment."""


def server_of(reference: str) -> Server | None:
    r"""Return the server that *reference* names, or None where it names none: it is the page's own, or nobody's.

    >>> server_of(" HTTPS:\\user@Third.Example:443/x").host
    'third.example'
    >>> server_of("/own/page") is None, server_of("//third.example") is None, server_of("data:,x") is None
    (True, False, True)
    """
    plain = reference.strip(_STRIPPED).translate(_REMOVED)
    match = _SCHEME.match(plain)
    if match is None:
        return _server("", plain) if plain.startswith("//") else None
    scheme = match[1].lower()
    return None if scheme in _CONTACT_NOBODY else _server(scheme, plain[match.end() :])


def _server(scheme: str, rest: str) -> Server:
    match = _AUTHORITY.fullmatch(rest)
    authority, path = (match[1], match[2]) if match else ("", rest)
    name, _, host = authority.rpartition("@")
    if not name.isascii():  # in some encodings, the "@" is half a letter
        return Server(scheme, authority, path)
    return Server(scheme, plain_host(host, scheme), path)


def holds_document(reference: str) -> bool:
    """Whether *reference* is a data URL (RFC 2397) of what may be a document with references of its own.

    >>> holds_document("data:text/html,<p>"), holds_document("data:image/png;base64,AA=="), holds_document("/own")
    (True, False, False)
    """
    plain = reference.strip(_STRIPPED).translate(_REMOVED).lower()
    return plain.startswith("data:") and not plain.startswith(_NO_DOCUMENTS)


def plain_host(authority: str, scheme: str = "") -> str:
    """Return a host, with its port unless that is its scheme's own (80 and 443 where no scheme is known).

    A name that is not ASCII is returned as it is sent (RFC 3490), and what is no name at all as it stands.

    >>> plain_host("WWW.site.example:443"), plain_host("münchen.example:8080")
    ('www.site.example', 'xn--mnchen-3ya.example:8080')
    """
    match = _HOST_AND_PORT.fullmatch(authority)
    host = unquote(match[1]) if match else ""
    if match is None:
        return authority
    if not host.isascii():
        named = _ascii_name(host)
        if named is None:
            return authority
        host = named
    usual = {_DEFAULT_PORTS[scheme]} if scheme in _DEFAULT_PORTS else {80, 443}
    port = "" if not match[2] or int(match[2]) in usual else f":{int(match[2])}"
    return host.lower().removesuffix(".") + port


def _ascii_name(host: str) -> str | None:
    """Return a name that is not ASCII as it is sent (RFC 3490), or None when nobody can tell for sure."""
    if not _LETTERS.fullmatch(host):
        return None
    try:
        name = host.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return name if "xn--" in name else None  # letters that stand for ASCII ones need not do so in the page's encoding


class Page:
    """What the page knows of itself: which servers are its own, and what its policy admits from the others.

    *own* are hosts as plain_host() returns them. *admits* says whether the page's policy lets a directive load an
    absolute URL. Two that know the same are equal.
    """

    __slots__ = ("_admits", "_own")

    def __init__(self, own: Collection[str], admits: Callable[[str, str], bool]) -> None:
        self._own = frozenset(own)
        self._admits = admits

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Page) and (self._own, self._admits) == (other._own, other._admits)

    def __hash__(self) -> int:
        return hash((self._own, self._admits))

    def elsewhere(self, reference: str) -> str | None:
        """Return the host that *reference* names when it is no server of the page's owner; else None."""
        server = server_of(reference)
        return None if server is None or server.host in self._own else server.host

    def away(self, reference: str) -> str | None:
        """Return where a navigation to *reference* would end that is no page of the owner's servers; else None.

        That is a host, or a scheme with its colon: a document in a URL (``data:``) is nobody's, and nobody has seen it.
        """
        scheme = _SCHEME.match(reference.strip(_STRIPPED).translate(_REMOVED))
        if scheme is not None and scheme[1].lower() not in ("http", "https"):
            return f"{scheme[1].lower()}:"
        return self.elsewhere(reference)

    def unadmitted(self, directive: str, reference: str) -> str | None:
        """Return what elsewhere() does, and None too where the policy admits the file itself by *directive*."""
        server = server_of(reference)
        if server is None or server.host in self._own:
            return None
        # The page may be encrypted before it reaches its visitor: either scheme may be its own.
        schemes = [server.scheme] if server.scheme else ["https", "http"]
        urls = [f"{scheme}://{server.host}{server.rest}" for scheme in schemes]
        return None if any(self._admits(directive, url) for url in urls) else server.host
