"""Tests of submissions, a child's and others, through every way into an app: one table, one outcome."""

from __future__ import annotations

import datetime
import gzip
import json
from dataclasses import dataclass

import pytest

from integrations.recipients import RECIPIENTS

every_recipient = pytest.mark.parametrize("recipient", RECIPIENTS, ids=lambda one: one.__name__)

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=b"
YOUNG = f"{datetime.date.today().year - 8}-03-04"
OLD = "1990-03-04"
MARK = "Kim-4711"


def multipart(*pairs: tuple[str, str], file: bytes = b"\x00\xff" * 40_000) -> bytes:
    begin = b"--b\r\nContent-Disposition: form-data; name="
    parts = [begin + f'"{name}"\r\n\r\n{value}\r\n'.encode() for name, value in pairs]
    picture = begin + b'"f"; filename="%b.png"\r\n\r\n%b\r\n' % (MARK.encode(), file)
    return b"".join([parts[0], picture, *parts[1:], b"--b--\r\n"])


@dataclass(frozen=True)
class Sent:
    """One submission."""

    name: str
    is_childs: bool
    method: str = "POST"
    path: str = "/join"
    body: bytes = b""
    kind: str = FORM
    coding: str = ""

    @property
    def headers(self) -> dict[str, str]:
        coded = {"Content_Encoding": self.coding} if self.coding else {}
        return {**coded, **({"Content_Type": self.kind} if self.body else {})}


def form(name: str, body: str, *, is_childs: bool = True) -> Sent:
    return Sent(name, is_childs, body=f"name={MARK}&{body}".encode())


def as_json(name: str, value: object, *, is_childs: bool = True) -> Sent:
    return Sent(name, is_childs, body=json.dumps(value).encode(), kind=JSON)


SUBMISSIONS = [
    form("form", f"birthdate={YOUNG}"),
    form("form-age", "age=9"),
    form("form-flag", "child=on"),
    form("form-container", f"user%5Bbirthdate%5D={YOUNG}"),
    form("form-parts", f"birthdate_day=4&birthdate_month=3&birthdate_year={YOUNG[:4]}"),
    form("form-adult", f"birthdate={OLD}&age=36&child=", is_childs=False),
    form("form-other", "page=9&image=3", is_childs=False),
    as_json("json", {"name": MARK, "user": {"birthDate": YOUNG}}),
    as_json("json-list", [{"name": MARK, "age": 36}, {"age": 7}]),
    as_json("json-variables", {"query": "mutation …", "variables": {"in": {"dob": YOUNG, "name": MARK}}}),
    as_json("json-adult", {"name": MARK, "age": 36, "dob": OLD}, is_childs=False),
    Sent("json-lines", True, body=b'{"age": 40}\n{"age": 8}\n', kind="application/x-ndjson"),
    Sent("multipart", True, body=multipart(("name", MARK), ("dob", YOUNG)), kind=MULTIPART),
    Sent("multipart-adult", False, body=multipart(("name", MARK), ("dob", OLD)), kind=MULTIPART),
    Sent("gzip", True, body=gzip.compress(f"age=9&name={MARK}".encode()), coding="gzip"),
    Sent("query", True, "GET", f"/join?name={MARK}&age=11"),
    Sent("query-adult", False, "GET", f"/join?name={MARK}&age=31"),
    Sent("query-beside-a-body", True, path=f"/join?dob={YOUNG}", body=b"name=x"),
    Sent("put", True, "PUT", body=b"age=9"),
    Sent("get-with-a-body", True, "GET", body=b"age=9"),
    Sent("other-type", False, body=b"age=9", kind="application/octet-stream"),
    Sent("nothing", False, "GET", "/join"),
    Sent("empty", False, "POST", "/join"),
    Sent("children-only", True, path="/kids/join", body=b"name=x"),
    Sent("children-only-of-any-type", True, path="/kids/join", body=b"\x00", kind="application/octet-stream"),
    Sent("children-only-query", True, "GET", "/kids/find?q=x"),
    Sent("children-only-page", False, "GET", "/kids/"),
]
every_submission = pytest.mark.parametrize("sent", SUBMISSIONS, ids=lambda one: one.name)
PATHS = {"paths": ["/kids/"]}


@every_recipient
@every_submission
def test_child_is_refused_and_others_are_taken(recipient, sent, caplog):
    """The app never hears of a child's submission, and gets every other byte for byte."""
    site = recipient({"children": PATHS})
    answer = site.ask(sent.method, sent.path, sent.body, **sent.headers)
    if not sent.is_childs:
        assert (answer.status_code, answer.text) == (200, "thanks")
        (seen,) = site.seen
        assert seen.query == sent.path.partition("?")[2]
        assert seen.body == sent.body
        assert len(caplog.records) >= 2
        return
    assert answer.status_code == 403
    assert site.seen == [] and caplog.text == ""
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"  # its address may hold what was sent
    assert "set-cookie" not in answer.headers
    assert "What was sent has been deleted" in answer.text
    for secret in (MARK, YOUNG, "13"):
        assert secret not in answer.text
    assert "default-src" in answer.headers["content-security-policy"]


@every_recipient
@every_submission
def test_child_is_erased(recipient, sent, caplog):
    """The app is called, and nothing that was sent is left in the request, whichever way it looks."""
    site = recipient({"children": {**PATHS, "action": "erase"}})
    answer = site.ask(sent.method, sent.path, sent.body, **sent.headers, Referer=f"http://site.test{sent.path}")
    assert (answer.status_code, answer.text) == (200, "thanks")
    (seen,) = site.seen
    if not sent.is_childs:
        assert len(caplog.records) >= 2
        return
    assert (seen.method, seen.query, seen.body, seen.length) == (sent.method, "", b"", "0")
    assert not seen.kind
    for secret in (MARK, YOUNG, "age=", "q=x"):
        assert secret not in seen.text
    assert "site" not in {one.name for one in caplog.records}
    assert answer.headers["cache-control"] == "no-store" and "set-cookie" not in answer.headers


@every_recipient
@every_submission
def test_child_is_muted(recipient, sent, caplog):
    """The app sees everything, and the log nothing."""
    site = recipient({"children": {**PATHS, "action": "mute"}})
    answer = site.ask(sent.method, sent.path, sent.body, **sent.headers)
    assert (answer.status_code, answer.text) == (200, "thanks")
    (seen,) = site.seen
    assert seen.query == sent.path.partition("?")[2]
    assert seen.body == sent.body
    if sent.is_childs:
        assert "site" not in {one.name for one in caplog.records}
        assert answer.headers["cache-control"] == "no-store" and "set-cookie" not in answer.headers
    else:
        assert len(caplog.records) >= 2
