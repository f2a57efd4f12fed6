"""What the settings reference says of children's submissions is what happens: each row of its tables is tried."""

from __future__ import annotations

import asyncio
import datetime
import errno
import gzip
import io
import tempfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from docs.test_docs import PAGES, blocks, code, rows, run
from privguard import _forms, _intake, _json_fields, _multipart, _silence
from privguard._ages import lowest_age
from privguard._children import says_yes
from privguard._dates import latest_birth
from privguard._field_names import FieldNames, Kind
from privguard.asgi import PrivacyMiddleware
from privguard.wsgi import PrivacyMiddleware as WsgiMiddleware

PAGE, GUIDE = "reference/settings.md", "how-to/children.md"
TODAY = datetime.date(2026, 3, 4)
KINDS = {"age": Kind.AGE, "child": Kind.FLAG}  # and the others are birth dates

# ── names and values ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("row", rows(PAGE, "### Names of fields"), ids=lambda row: code(row[0])[0])
def test_names_of_fields(row):
    """A name matches that is said to, and no other."""
    (configured,), matching, others = map(code, row)
    names = FieldNames({KINDS.get(configured, Kind.BIRTHDATE): [configured]})
    assert [name for name in matching if names.find(name) is None] == []
    assert [name for name in others if names.find(name) is not None] == []


READERS: dict[str, Callable[[str], object]] = {
    "an age": lowest_age,
    "a birth date": lambda text: latest_birth(text, TODAY),
    "a flag": lambda text: "yes" if says_yes(text) else "no",
}


@pytest.mark.parametrize("row", rows(PAGE, "### Ages, dates and flags"), ids=lambda row: f"{row[0]}-{row[2]}")
def test_ages_dates_and_flags(row):
    """Each value is read as what its row says."""
    for value in code(row[1]):
        read = READERS[row[0]](value)
        assert ("nothing" if read is None else str(read)) == row[2], value


# ── what cannot be read ──────────────────────────────────────────────────────────────────────────────────────────────

FORM, JSON, MULTIPART = "application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=b"
AGE = b'--b\r\nContent-Disposition: form-data; name="age"\r\n\r\n7\r\n'
END = b"--b--\r\n"
REFUSED, PASSED, LEFT = 403, 200, 0
BOMB = gzip.compress(b"a" * ((1 << 27) + (1 << 20)) + b"&age=7")


def part(headers: bytes, value: bytes = b"7") -> bytes:
    return b"--b\r\n" + headers + b"\r\n\r\n" + value + b"\r\n"


def limited(**limits: int) -> dict[str, Any]:
    return {"children": {"limits": limits}}


def sent(body: bytes, kind: str = FORM, coding: str = "", **more: Any) -> dict[str, Any]:
    return {"body": body, "kind": kind, "coding": coding, **more}


FILE = part(b'Content-Disposition: form-data; name="f"; filename="f"', b"x" * 100_000)
GRAPHQL = b'{"query": "mutation {join(age: 7) {id}}", "variables": %b}'
# What each row is tried with, and the status that it gets.
TRIED: list[tuple[str, dict[str, Any], int]] = [
    ("a form with a file that breaks off", sent(AGE + FILE[:50_000], MULTIPART), REFUSED),
    ("a form with a file that breaks off", sent(FILE[:50_000], MULTIPART), PASSED),
    ("a form with another boundary", sent(AGE + END, "multipart/form-data; boundary=other"), PASSED),
    ("a form with another boundary", sent(AGE + END, "multipart/form-data"), PASSED),
    ("a part without a name", sent(part(b"Content-Disposition: form-data") + END, MULTIPART), PASSED),
    ("a part without a name", sent(part(b"X: y") + AGE + END, MULTIPART), REFUSED),
    (
        "an age in a part with a file name",
        sent(part(b'Content-Disposition: form-data; name="age"; filename="f"') + END, MULTIPART),
        PASSED,
    ),
    (
        "a part with more than 128 KiB of headers",
        sent(part(b'Content-Disposition: form-data; name="age"\r\nX: ' + b"y" * 200_000) + END, MULTIPART),
        PASSED,
    ),
    (
        "a part with more than 128 KiB of headers",
        sent(part(b'Content-Disposition: form-data; name="x"\r\nX: ' + b"y" * 200_000) + AGE + END, MULTIPART),
        REFUSED,
    ),
    (
        "ten thousand parts",
        sent(part(b'Content-Disposition: form-data; name="x"') * 10_000 + AGE + END, MULTIPART),
        REFUSED,
    ),
    ("the same name twice", sent(b"age=36&age=7"), REFUSED),
    ("the same name twice", sent(b'{"age": 7, "age": 36}', JSON), REFUSED),
    ("JSON that breaks off", sent(b'{"age": 7, "na', JSON), REFUSED),
    ("JSON that breaks off", sent(b'{"a": ?} ]] {"age": 7', JSON), REFUSED),
    (
        "JSON that is nested a million deep",
        sent(b"[" * 1_000_000, JSON, settings=limited(memory_bytes=1 << 20)),
        PASSED,
    ),
    ("JSON that is nested a million deep", sent(b"[" * 1_000_000 + b'{"age": 7}', JSON), REFUSED),
    ("bytes that are not UTF-8, in another field", sent(b"name=\xff%fe&age=7"), REFUSED),
    ("bytes that are not UTF-8, in another field", sent(b"name=\xff%fe"), PASSED),
    ("bytes that are not UTF-8, in the age", sent(b"age=%ff7"), PASSED),
    ("a compressed body in an unknown coding", sent(zlib.compress(b"age=7"), coding="rot13"), PASSED),
    ("a body that says it is compressed", sent(b"age=7", coding="gzip"), REFUSED),
    ("a compressed body that breaks off", sent(gzip.compress(b"age=7&" + FILE)[:-9], coding="gzip"), REFUSED),
    ("a bomb", sent(BOMB, coding="gzip"), PASSED),
    ("a `Content-Length` that is larger", sent(b"age=7", length=1000, on="wsgi"), REFUSED),
    ("a `Content-Length` that is larger", sent(b"name=Kim", length=1000, on="wsgi"), 400),
    ("a `Content-Length` that is smaller", sent(b"name=Kim&age=7", length=8, on="wsgi"), PASSED),
    ("a visitor who leaves", sent(b"name=Kim&", leaves=True, on="asgi"), LEFT),
    ("a visitor who leaves", sent(b"name=Kim&", length=1000, on="wsgi"), 400),
    ("a body larger than `body_bytes`", sent(b"name=Kim", settings=limited(body_bytes=7)), 413),
    ("a body that comes in more slowly", sent(b"name=Kim" * 400, seconds=61, settings=None), 408),
    ("a body for which there is no room", sent(b"name=Kim", is_full=True, settings=limited(memory_bytes=0)), 500),
    ("XML, MessagePack", sent(b"<age>7</age>", "application/xml"), PASSED),
    ("XML, MessagePack", sent(b"\x81\xa3age\x07", "application/msgpack"), PASSED),
    ("values written into the query", sent(GRAPHQL % b"{}", JSON), PASSED),
    ("values written into the query", sent(GRAPHQL % b'{"age": 7}', JSON), REFUSED),
    ("the messages of a WebSocket", sent(b"", websocket="", on="asgi"), PASSED),
    ("the messages of a WebSocket", sent(b"", websocket="age=7", on="asgi"), REFUSED),
]


def over_wsgi(body: bytes, kind: str, coding: str, settings: Any, length: int | None) -> tuple[int, bytes | None]:
    """Return the status, and what the app read."""
    got: list[bytes] = []
    statuses: list[str] = []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        got.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"thanks"]

    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/join",
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body) if length is None else length),
        "wsgi.input": io.BytesIO(body),
        **({"HTTP_CONTENT_ENCODING": coding} if coding else {}),
    }
    answer: Any = WsgiMiddleware(app, settings)(environ, lambda status, headers: statuses.append(status))
    assert b"".join(answer)
    answer.close()
    return int(statuses[0][:3]), got[0] if got else None


def over_asgi(
    body: bytes, kind: str, coding: str, settings: Any, length: int | None, leaves: bool, websocket: str | None
) -> tuple[int, bytes | None]:
    """Return the status, 0 for no answer, and what the app read."""
    got: list[bytes] = []
    statuses: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            got.append((await receive())["text"].encode())
            return
        message = {"more_body": True}
        pieces = []
        while message.get("more_body"):
            message = await receive()
            pieces.append(message.get("body", b""))
        got.append(b"".join(pieces))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"thanks"})

    def messages() -> Iterator[dict[str, Any]]:
        if websocket is not None:
            yield {"type": "websocket.connect"}
            yield {"type": "websocket.receive", "text": '{"age": 7}'}
            return
        half = len(body) // 2
        yield {"type": "http.request", "body": body[:half], "more_body": True}
        yield {"type": "http.request", "body": body[half:], "more_body": leaves}
        yield {"type": "http.disconnect"}

    coming = messages()

    async def receive() -> dict[str, Any]:
        return next(coming)

    async def send(message: dict[str, Any]) -> None:
        kinds = {"http.response.start": message.get("status"), "websocket.accept": 200, "websocket.close": 403}
        if message["type"] in kinds:
            statuses.append(kinds[message["type"]])

    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body) if length is None else length).encode()),
        *([(b"content-encoding", coding.encode())] if coding else []),
    ]
    scope = {
        "type": "http" if websocket is None else "websocket",
        "method": "POST",
        "path": "/join",
        "query_string": (websocket or "").encode(),
        "headers": headers if websocket is None else [],
        "http_version": "1.1",
    }
    asyncio.run(PrivacyMiddleware(app, settings)(scope, receive, send))
    return statuses[0] if statuses else LEFT, got[0] if got else None


@pytest.mark.parametrize("protocol", ["asgi", "wsgi"])
@pytest.mark.parametrize(("row", "submission", "status"), TRIED, ids=lambda value: str(value)[:40])
def test_what_cannot_be_read(monkeypatch, protocol, row, submission, status):
    """What cannot be read is not a child's; and an app that gets it gets every byte."""
    given = dict(submission)
    if given.pop("on", protocol) != protocol:
        return
    body, websocket, leaves = given["body"], given.pop("websocket", None), given.pop("leaves", False)
    if given.pop("is_full", False):
        monkeypatch.setattr(tempfile, "TemporaryFile", _no_room)
    if seconds := given.pop("seconds", 0):
        clock = iter(range(0, seconds * 1000, seconds))
        monkeypatch.setattr("time.monotonic", lambda: next(clock))
        monkeypatch.setattr("privguard._spool.PIECE", 30)
        monkeypatch.setattr("privguard._wsgi_request.PIECE", 30)
    given = {"settings": None, "length": None, **given}
    more = {"leaves": leaves, "websocket": websocket}
    outcome = over_asgi(**given, **more) if protocol == "asgi" else over_wsgi(**given)
    expected = None
    if status == PASSED:
        limit = given["length"] if protocol == "wsgi" else None
        expected = b'{"age": 7}' if websocket is not None else body[:limit]
    assert outcome == (status, expected)


def _no_room(**_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_every_row_of_what_cannot_be_read_is_tried():
    """None is claimed that nothing tries."""
    claimed = [row[0] for row in rows(PAGE, "### What cannot be read")]
    tried = dict.fromkeys(row for row, _, _ in TRIED)
    assert len(claimed) == len(tried)
    for begin, row in zip(tried, claimed, strict=True):
        assert row.startswith(begin)


@pytest.mark.parametrize("settings", [{"paths": ["/join"]}, {"signal_header": "Content-Type"}], ids=str)
@pytest.mark.parametrize("body", [b"<age>36</age>", b"\x00"])
def test_what_paths_and_the_header_say(settings, body):
    """Below the paths, and with the header, whatever cannot be read is a child's."""
    for over in (over_wsgi, lambda *given: over_asgi(*given, False, None)):
        assert over(body, "application/xml", "", {"children": settings}, None) == (REFUSED, None)


def test_numbers_of_the_reference():
    """The limits that are no settings are those of the code."""
    told = {"128 MiB": _forms._MOST_UNPACKED, "128 KiB": _multipart._LONGEST_HEADERS}
    assert told == {"128 MiB": 128 << 20, "128 KiB": 128 << 10}
    assert (_forms._MOST_TIMES, _json_fields._DEEPEST) == (200, 64)
    for page in (PAGE, GUIDE):
        assert f"`{_intake.BACK_COOKIE}=1`" in PAGES[page]
    assert f"| {_silence._MOST_WAITING:,} records" in PAGES[GUIDE]


# ── the guide ────────────────────────────────────────────────────────────────────────────────────────────────────────


def example(word: str) -> Any:
    """A client of the app in the example of the guide in which *word* stands, and the names in it."""
    (text,) = [one for one in blocks(GUIDE, "python") if word in one]
    names = run(text)
    return names["app"].test_client(), names


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_own_refusal_page_of_the_guide(accept):
    """The function's page is what a child gets."""
    client, names = example("def not_taken")
    answer = client.post("/join", data={"age": "7"}, headers={"Accept": accept})
    assert (answer.status_code, answer.mimetype) == (403, accept)
    assert answer.text == names["not_taken"]("json" in accept)


def test_letters_of_the_guide(caplog):
    """A letter that turns out to be a child's is not kept, nor is it in the log; the others are."""
    client, names = example("def take_letter")
    for text, status in (("Dear all", 200), ("We are nine in my class", 403), ("Bye", 200)):
        with client.post("/letters", data={"text": text}) as answer:
            assert answer.status_code == status
    assert [*names["letters"].values()] == ["Dear all", "Bye"]
