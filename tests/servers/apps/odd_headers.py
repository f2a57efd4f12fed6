"""Header lists that no app should send, in bytes and in text."""

from __future__ import annotations

PLAIN = ("Content-Type", "text/plain")
BUFFERS = {"bytearray": bytearray, "memoryview": memoryview}
INJECTED = "a=b\r\nSet-Cookie: kept=1; Max-Age=3600"


def _as_bytes(pairs):
    return [tuple(one.encode("latin-1") if isinstance(one, str) else one for one in pair) for pair in pairs]


# Name -> pairs in text; on ASGI their text becomes bytes.
_BOTH = {
    "crlf-in-cookie": [PLAIN, ("Set-Cookie", INJECTED)],
    "lf-in-cookie": [PLAIN, ("Set-Cookie", "a=b\nSet-Cookie: kept=1; Max-Age=3600")],
    "cr-in-cookie": [PLAIN, ("Set-Cookie", "a=b\rSet-Cookie: kept=1; Max-Age=3600")],
    "nul-in-cookie": [PLAIN, ("Set-Cookie", "kept=1\0; Max-Age=3600")],
    "fold-in-cookie": [PLAIN, ("Set-Cookie", "kept=1;\r\n Max-Age=3600")],
    "crlf-in-value": [PLAIN, ("X-A", INJECTED)],
    "lf-in-value": [PLAIN, ("X-A", "a\nSet-Cookie: kept=1; Max-Age=3600")],
    "cr-in-value": [PLAIN, ("X-A", "a\rSet-Cookie: kept=1; Max-Age=3600")],
    "nul-in-value": [PLAIN, ("X-A", "a\0b")],
    "crlf-in-name": [PLAIN, ("X-A: b\r\nSet-Cookie", "kept=1; Max-Age=3600")],
    "lf-in-name": [PLAIN, ("X-A: b\nSet-Cookie", "kept=1; Max-Age=3600")],
    "cr-in-name": [PLAIN, ("X-A: b\rSet-Cookie", "kept=1; Max-Age=3600")],
    "colon-in-name": [PLAIN, ("Set-Cookie: kept=1; Max-Age=3600; x", "y")],
    "blank-behind-name": [PLAIN, ("Set-Cookie ", "kept=1; Max-Age=3600")],
    "tab-behind-name": [PLAIN, ("Set-Cookie\t", "kept=1; Max-Age=3600")],
    "blank-before-name": [PLAIN, (" Set-Cookie", "kept=1; Max-Age=3600")],
    "line-feed-behind-name": [PLAIN, ("Set-Cookie\n", "kept=1; Max-Age=3600")],
    "any-case": [PLAIN, ("sEt-cOOkIe", "kept=1; Max-Age=3600")],
    "empty-name": [PLAIN, ("", "Set-Cookie: kept=1; Max-Age=3600")],
    "latin-1": [PLAIN, ("X-Caf\xe9", "x"), ("X-A", "caf\xe9")],
    "blanks-around-value": [PLAIN, ("Set-Cookie", " \t kept=1; Max-Age=3600 \t ")],
    "lists-for-pairs": [list(PLAIN), ["Set-Cookie", "kept=1; Max-Age=3600"]],
    "none-in-value": [PLAIN, ("X-A", None)],
    "none-in-name": [PLAIN, (None, "kept=1; Max-Age=3600")],
    "none-in-cookie": [PLAIN, ("Set-Cookie", None)],
    "number-in-value": [PLAIN, ("X-A", 7)],
    "number-in-cookie": [PLAIN, ("Set-Cookie", 7)],
    "number-in-name": [PLAIN, (7, "x")],
    "none-for-a-pair": [PLAIN, None],
    "number-for-a-pair": [PLAIN, 7],
    "one-for-a-pair": [PLAIN, ("Set-Cookie",)],
    "three-for-a-pair": [PLAIN, ("Set-Cookie", "kept=1; Max-Age=3600", "x")],
    "four-for-a-pair": [PLAIN, ("Set-Cookie", "a=b", "Set-Cookie", "kept=1; Max-Age=3600")],
    "list-for-a-value": [PLAIN, ("Set-Cookie", ["kept=1; Max-Age=3600"])],
    "empty": [],
}


def text_headers(case):
    """Return the header list that a WSGI app gives to start_response."""
    if case == "generator":
        return (pair for pair in [PLAIN, ("Set-Cookie", "kept=1; Max-Age=3600")])
    if case == "tuple":
        return (PLAIN, ("Set-Cookie", "kept=1; Max-Age=3600"))
    if case == "none":
        return None
    if case == "dict-items":
        return {"Content-Type": "text/plain", "Set-Cookie": "kept=1; Max-Age=3600"}.items()
    if case == "other-type":
        return [PLAIN, ("Set-Cookie", b"kept=1; Max-Age=3600"), (b"Set-Cookie", "kept=1; Max-Age=3600")]
    if case == "beyond-latin-1":
        return [PLAIN, ("X-A", "\u20ac"), ("X-\u20ac", "x"), ("Set-Cookie", "kept=\u20ac; Max-Age=3600")]
    if case == "buffer-for-a-name":
        return [
            PLAIN,
            (bytearray(b"Set-Cookie"), "kept=1; Max-Age=3600"),
            (memoryview(b"Set-Cookie"), "kept=1; Max-Age=9"),
        ]
    if case in BUFFERS:
        return [PLAIN, ("Set-Cookie", BUFFERS[case](b"kept=1; Max-Age=3600")), ("X-A", BUFFERS[case](b"x"))]
    return list(_BOTH[case])


def byte_headers(case):
    """Return the headers of an ASGI app's http.response.start."""
    if case == "generator":
        return (pair for pair in _as_bytes([PLAIN, ("Set-Cookie", "kept=1; Max-Age=3600")]))
    if case == "tuple":
        return tuple(_as_bytes([PLAIN, ("Set-Cookie", "kept=1; Max-Age=3600")]))
    if case == "none":
        return None
    if case == "dict-items":
        return {b"Content-Type": b"text/plain", b"Set-Cookie": b"kept=1; Max-Age=3600"}.items()
    if case == "other-type":
        return [("Content-Type", "text/plain"), ("Set-Cookie", "kept=1; Max-Age=3600"), ("set-cookie", b"kept=2")]
    if case == "beyond-latin-1":
        return [("X-A", "\u20ac"), ("X-\u20ac", "x"), ("Set-Cookie", "kept=\u20ac; Max-Age=3600")]
    if case in BUFFERS:
        return [(b"Set-Cookie", BUFFERS[case](b"kept=1; Max-Age=3600")), (b"X-A", BUFFERS[case](b"x"))]
    if case == "buffer-for-a-name":
        return [
            (bytearray(b"Set-Cookie"), b"kept=1; Max-Age=3600"),
            (memoryview(b"Set-Cookie"), b"kept=1; Max-Age=3600"),
        ]
    return [pair if not isinstance(pair, tuple) else _as_bytes([pair])[0] for pair in _BOTH[case]]


CASES = [
    "generator",
    "tuple",
    "none",
    "dict-items",
    "other-type",
    "beyond-latin-1",
    "buffer-for-a-name",
    *BUFFERS,
    *_BOTH,
]
