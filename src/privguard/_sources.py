"""One source of a CSP source list (CSP3 §2.3.1): is it well written, and does it match a URL (CSP3 §6.7.2)."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from ._errors import nearest

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

KEYWORDS = frozenset(
    "'none' 'self' 'unsafe-inline' 'unsafe-eval' 'unsafe-hashes' 'strict-dynamic' 'wasm-unsafe-eval' 'report-sample' "
    "'inline-speculation-rules'".split()
)
_HASH = re.compile(r"'sha(?:256|384|512)-[A-Za-z0-9+/_-]+={0,2}'")
_SCHEMES = frozenset("about: blob: data: filesystem: http: https: mediastream: ws: wss:".split())
_SCHEME_SOURCE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HOST_SOURCE = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?"
    r"(?P<host>\*|(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)"
    r"(?::(?P<port>[0-9]{1,5}|\*))?"
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+=:@%/-]*)?"
)


def check_list_source(source: str) -> None:
    """Raise ValueError, with what to write, unless *source* is a keyword, a hash, a scheme or a host."""
    lower = source.lower()
    if lower in KEYWORDS or _HASH.fullmatch(source):
        return
    if lower.startswith(("'nonce-", "nonce-")):
        raise ValueError("cannot be set: a nonce is made new for each response; call csp_nonce() in the page")
    if lower.startswith(("sha256-", "sha384-", "sha512-")):
        raise ValueError(f"needs single quotes; did you mean \"'{source}'\"?")
    if "'" in source.partition("/")[0]:
        near = nearest(source, KEYWORDS)
        raise ValueError("is no keyword" + (f'; did you mean "{near}"?' if near else f"; known: {sorted(KEYWORDS)}"))
    if f"'{lower}'" in KEYWORDS:
        raise ValueError(f"needs single quotes; did you mean \"'{lower}'\"?")
    if not source.isascii():
        raise ValueError("is not ASCII; write the host's name as browsers send it, for example xn--mnchen-3ya.example")
    if _SCHEME_SOURCE.fullmatch(source):
        _check_scheme(lower)
        return
    if f"{lower}:" in _SCHEMES:
        raise ValueError(f'is no source; did you mean "{lower}:"?')
    match = _HOST_SOURCE.fullmatch(source)
    if match is None or ((match["port"] or "*") != "*" and int(match["port"]) > 65535):
        raise ValueError("is no source; write a host (https://cdn.example), a scheme (data:) or a keyword ('self')")
    host, slashes, _ = lower.partition("//")
    if slashes and f"{host}:" in _SCHEMES:
        raise ValueError(f'is no source; did you mean "{host}://{source.partition("//")[2]}"?')
    # A bare word is far likelier a keyword without its quotes than a host without a domain.
    if re.fullmatch(r"[a-z_-]+", lower) and lower != "localhost":
        near = nearest(f"'{lower.replace('_', '-')}'", KEYWORDS)
        raise ValueError(
            f'is no source; did you mean "{near}"?' if near else 'is no host; write it with its scheme, "https://…"'
        )


def _check_scheme(scheme: str) -> None:
    near = nearest(scheme, _SCHEMES)
    if scheme in _SCHEMES or (near is None and "." not in scheme):
        return  # an app may have one of its own
    raise ValueError("is no scheme that browsers know" + (f'; did you mean "{near}"?' if near else ""))


def check_origin(text: str) -> str:
    """Return the serialized origin (RFC 6454 §6.2) that *text* is, in lower case and without its default port.

    Raises ValueError, with what to write, for anything but ``http`` or ``https``, a host and maybe a port.
    """
    if "://" not in text:
        raise ValueError(f'is no origin; did you mean "https://{text.strip("/")}"?')
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError('is no origin; write "https://www.example.com", with a port if it has one') from None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https"):
        raise ValueError('must begin with "https://" or "http://"')
    if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", host):
        raise ValueError("must name one host, in ASCII and without wildcards; name each origin by itself")
    plain = f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, _DEFAULT_PORTS[parts.scheme]) else "")
    spelled = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    if text.lower() != spelled:
        raise ValueError(f'must be an origin alone; did you mean "{plain}"?')
    return plain


def source_admits(source: str, target: SplitResult, own: SplitResult) -> bool:
    """Whether *source* matches the URL *target* on a page of the origin *own*."""
    lower = source.lower()
    if lower == "*":
        return target.scheme in _DEFAULT_PORTS or target.scheme == own.scheme
    if lower == "'self'":
        return target.hostname == own.hostname and (
            _port(target) == _port(own) if target.scheme == own.scheme else _is_upgrade(own, target)
        )
    if _SCHEME_SOURCE.fullmatch(source):
        return _scheme_admits(lower[:-1], target.scheme)
    match = _HOST_SOURCE.fullmatch(source)
    if match is None or not target.hostname:
        return False
    scheme = (match["scheme"] or own.scheme).lower()
    return (
        _scheme_admits(scheme, target.scheme)
        and _host_admits(match["host"].lower(), target.hostname)
        and _port_admits(match["port"], scheme, target)
        and _path_admits(match["path"], target.path)
    )


def _port(url: SplitResult) -> int | None:
    return url.port or _DEFAULT_PORTS.get(url.scheme)


def _is_upgrade(own: SplitResult, target: SplitResult) -> bool:
    """CSP3 §6.7.2.8: the same host over a better scheme, port for port or from default to default."""
    allowed = {"http": ("https", "ws", "wss"), "https": ("wss",)}
    return target.scheme in allowed.get(own.scheme, ()) and _odd_port(own) == _odd_port(target)


def _odd_port(url: SplitResult) -> int | None:
    """Return the port of *url* where it is not its scheme's own, as the URL standard keeps it."""
    return None if url.port == _DEFAULT_PORTS.get(url.scheme) else url.port


def _scheme_admits(wanted: str, scheme: str) -> bool:
    """CSP3 §6.7.2.9."""
    better = {"http": ("https",), "ws": ("wss", "http", "https"), "wss": ("https",)}
    return scheme == wanted or scheme in better.get(wanted, ())


def _host_admits(pattern: str, host: str) -> bool:
    """CSP3 §6.7.2.10."""
    if pattern == "*":
        return True
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _port_admits(pattern: str | None, scheme: str, target: SplitResult) -> bool:
    """CSP3 §6.7.2.11."""
    if pattern == "*":
        return True
    if pattern is None:
        return target.port is None or target.port == _DEFAULT_PORTS.get(target.scheme)
    return int(pattern) == _port(target) or (pattern == "80" and scheme in ("http", "ws") and _port(target) == 443)


def _path_admits(pattern: str | None, path: str) -> bool:
    """CSP3 §6.7.2.12."""
    if not pattern:
        return True
    return path.startswith(pattern) if pattern.endswith("/") else path == pattern
