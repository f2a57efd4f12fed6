"""The charsets in which a form may be sent (HTML §4.10.21.4): those in which ASCII is ASCII, by the names they go by.

A name that a visitor sends is looked up here and nowhere else: Python's own list has codecs that unpack, that warn, and
modules that would be imported.
"""

from __future__ import annotations

_MULTIBYTE = "big5 big5-hkscs euc-jp euc-kr gb18030 gb2312 gbk iso-2022-jp shift_jis"
_OTHERS = "us-ascii ascii latin1 iso-8859-8-i koi8-r koi8-u macintosh ibm866 tis-620 x-sjis"
_PYTHONS_NAMES = {"iso-8859-8-i": "iso-8859-8", "x-sjis": "shift_jis"}
# The Encoding standard reads both as windows-1252, Python's frameworks as what they say: what matters is in ASCII.
_KNOWN = frozenset(
    [
        *_MULTIBYTE.split(),
        *_OTHERS.split(),
        *(f"iso-8859-{number}" for number in range(1, 17) if number != 12),
        *(f"windows-125{number}" for number in range(9)),
        *(f"cp125{number}" for number in range(9)),
    ]
)


def charset_named(label: str) -> str:
    """Return Python's name for the charset that is meant: UTF-8 for whatever is not known.

    Browsers send forms in UTF-8 where a page asks for UTF-16 (Encoding §4.3, "get an output encoding").

    >>> charset_named(" ISO-8859-1"), charset_named("utf-16"), charset_named("zip")
    ('iso-8859-1', 'utf-8', 'utf-8')
    """
    name = label.strip().lower()
    return _PYTHONS_NAMES.get(name, name) if name in _KNOWN else "utf-8"
