"""The submissions that are sent: what a visitor types, in each encoding that browsers and scripts send. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from ._marks import Choose, Mark, new_text

ENCODINGS = ("urlencoded", "multipart", "JSON")
PLACE_OF_A_MARK = "{mark}"
"""What stands in a given field for a mark that is made anew for each submission."""

# Django's: a cookie and a header that are the same. Without it, its apps look at nothing that comes from nowhere.
_CSRF_TOKEN = "NoMarkAndNoSecretOfAnybody234567"  # noqa: S105  it protects nobody


@dataclass(frozen=True, slots=True)
class Submission:
    """One request."""

    encoding: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    marks: tuple[Mark, ...]


class _Marker:
    """Makes the marks of one submission, and remembers them."""

    def __init__(self, sent_as: str, choose: Choose) -> None:
        self.sent_as = sent_as
        self.choose = choose
        self.marks: list[Mark] = []

    def mark(self, thing: str, pattern: str = PLACE_OF_A_MARK) -> str:
        """Return *pattern* with a new mark in it."""
        text = new_text(self.choose)
        whole = pattern.replace(PLACE_OF_A_MARK, text)
        self.marks.append(Mark(thing, text, self.sent_as, whole))
        return whole

    def note(self, thing: str, value: str) -> str:
        """Return *value*, which is a mark by itself."""
        self.marks.append(Mark(thing, value, self.sent_as))
        return value


def submissions(
    path: str, fields: Mapping[str, str], *, choose: Choose, below: Callable[[int], int], today: date
) -> list[Submission]:
    """Return one submission for each encoding.

    *fields* are sent as they are, but for ``{mark}`` in them. Without any of those, a name and an e-mail address are
    sent along; without any fields, the age and the birth date of somebody who is seven. *choose* and *below* are
    ``secrets.choice`` and ``secrets.randbelow``.
    """
    return [_submission(encoding, path, fields, choose, below, today) for encoding in ENCODINGS]


def _submission(
    encoding: str, path: str, fields: Mapping[str, str], choose: Choose, below: Callable[[int], int], today: date
) -> Submission:
    marker = _Marker(encoding, choose)
    sent = {name: _given(marker, name, value) for name, value in fields.items()}
    if not fields:
        sent["age"] = "7"
        sent["birthdate"] = marker.note("field birthdate", _birthdate(today, below))
    if not any(PLACE_OF_A_MARK in value for value in fields.values()):
        for name, pattern in (("name", "{mark}"), ("email", "{mark}@example.org")):
            if name not in sent:
                sent[name] = marker.mark(f"field {name}", pattern)
    path, _, query = path.partition("?")
    query += ("&" if query else "") + marker.mark("query string", "from={mark}")
    content_type, body = _BODIES[encoding](sent, marker)
    headers = _headers(marker, content_type, body)
    return Submission(encoding, path, query, headers, body, tuple(marker.marks))


def _given(marker: _Marker, name: str, value: str) -> str:
    if PLACE_OF_A_MARK in value:
        return marker.mark(f"field {name}", value)
    # the same in each submission: where it is found does not tell which one it was
    marker.marks.append(Mark(f"field {name}", value))
    return value


def _birthdate(today: date, below: Callable[[int], int]) -> str:
    """A day on which somebody was born who is seven: 7 years are 2,557 days at most, 8 years 2,921 at least."""
    return (today - timedelta(days=2560 + below(350))).isoformat()


def _headers(marker: _Marker, content_type: str, body: bytes) -> tuple[tuple[str, str], ...]:
    return (
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("Accept", "text/html, application/json;q=0.9, */*;q=0.8"),
        ("User-Agent", marker.mark("User-Agent", "Mozilla/5.0 ({mark})")),
        ("Referer", marker.mark("Referer", "http://localhost/{mark}")),
        ("Cookie", f"{marker.mark('cookie', 'visitor={mark}')}; csrftoken={_CSRF_TOKEN}"),
        ("X-CSRFToken", _CSRF_TOKEN),
    )


# ── bodies ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _urlencoded(fields: Mapping[str, str], marker: _Marker) -> tuple[str, bytes]:
    return "application/x-www-form-urlencoded", urlencode(fields).encode()


def _json(fields: Mapping[str, str], marker: _Marker) -> tuple[str, bytes]:
    return "application/json", json.dumps({name: _typed(value) for name, value in fields.items()}).encode()


def _typed(value: str) -> Any:
    """A script sends a number as one."""
    return int(value) if value.isascii() and value.isdigit() and str(int(value)) == value else value


def _multipart(fields: Mapping[str, str], marker: _Marker) -> tuple[str, bytes]:
    """RFC 7578, as browsers write it, with a file."""
    boundary = f"----FormBoundary{new_text(marker.choose)}"
    parts = [(f'name="{_in_quotes(name)}"', value) for name, value in fields.items()]
    file_name = marker.mark("file name", "{mark}.txt")
    content = marker.mark("file content", "My diary. Nobody may read this: {mark}\r\n")
    parts.append((f'name="file"; filename="{file_name}"\r\nContent-Type: text/plain', content))
    body = "".join(_part(boundary, head, value) for head, value in parts)
    return f"multipart/form-data; boundary={boundary}", f"{body}--{boundary}--\r\n".encode()


def _part(boundary: str, head: str, value: str) -> str:
    return f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n"


def _in_quotes(name: str) -> str:
    # HTML §4.10.21.8: these three are escaped, nothing else
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


_BODIES: dict[str, Callable[[Mapping[str, str], _Marker], tuple[str, bytes]]] = {
    "urlencoded": _urlencoded,
    "multipart": _multipart,
    "JSON": _json,
}


def too_short(sent: Iterable[Submission]) -> list[str]:
    """Return the names of what was sent and cannot be looked for."""
    return sorted({mark.thing for one in sent for mark in one.marks if not mark.is_telling})
