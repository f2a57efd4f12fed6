"""Tests of the submissions: what is sent is what frameworks read, and each mark stands in it."""

from __future__ import annotations

import secrets
from datetime import date

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from privguard.proving._search import Search
from privguard.proving._submissions import ENCODINGS, Submission, submissions, too_short

TODAY = date(2026, 3, 1)


def made(path: str = "/join", fields: dict[str, str] | None = None, below=secrets.randbelow) -> list[Submission]:
    return submissions(path, fields or {}, choose=secrets.choice, below=below, today=TODAY)


def as_request(one: Submission) -> Request:
    headers = [pair for pair in one.headers if pair[0] != "Content-Length"]
    return Request(
        EnvironBuilder(one.path, method="POST", query_string=one.query, headers=headers, data=one.body).get_environ()
    )


def fields_of(one: Submission) -> dict[str, object]:
    with as_request(one) as request:
        return request.get_json() if one.encoding == "JSON" else request.form.to_dict()


@pytest.mark.parametrize("number", range(3))
def test_framework_reads_what_was_sent(number):
    """The fields arrive, whatever the encoding; in JSON a number is one."""
    one = made(fields={"age": "7", "zip": "0123", 'odd "name"': "Zoë & Ω"})[number]
    sent = fields_of(one)
    assert one.encoding == ENCODINGS[number]
    assert sent["age"] == (7 if one.encoding == "JSON" else "7")
    assert sent["zip"] == "0123"
    assert "Zoë & Ω" in sent.values()
    assert str(sent["email"]).endswith("@example.org")


def test_form_with_a_file():
    """One of the three carries a file, with a name and a content."""
    one = made()[1]
    things = {mark.thing: mark for mark in one.marks}
    with as_request(one) as request:
        (file,) = request.files.values()
        assert file.filename == things["file name"].whole
        assert file.read().decode() == things["file content"].whole
        assert file.mimetype == "text/plain"


@pytest.mark.parametrize("number", range(3))
def test_every_mark_stands_in_the_request(number):
    """What is looked for was sent, and each mark in one submission only."""
    one = made()[number]
    others = {mark.text for other in made() for mark in other.marks}
    request = "\n".join([one.query, *(value for _, value in one.headers)]).encode() + b"\n" + one.body
    assert {hit.mark for hit in Search(one.marks).find(request)} == set(one.marks)
    assert not {mark.text for mark in one.marks if mark.thing != "field birthdate"} & others


@pytest.mark.parametrize("chance", [0, 100, 349])
def test_visitor_is_seven(chance):
    """By default somebody submits who is seven, whatever the day."""
    for day in (date(2024, 2, 29), date(2026, 1, 1), date(2028, 12, 31)):
        (one, *_) = submissions("/join", {}, choose=secrets.choice, below=lambda limit: chance, today=day)
        born = date.fromisoformat(str(fields_of(one)["birthdate"]))
        assert day.year - born.year - ((day.month, day.day) < (born.month, born.day)) == 7
        assert fields_of(one)["age"] == "7"


def test_fields_that_were_given():
    """They are sent as they are, without an age and a date that nobody asked for."""
    for one in made(fields={"dob": "2018-05-05", "name": "Wren"}):
        assert set(fields_of(one)) == {"dob", "name", "email"}
        assert fields_of(one)["name"] == "Wren"
        assert {(mark.thing, mark.sent_as) for mark in one.marks if mark.thing in ("field dob", "field name")} == {
            ("field dob", ""),
            ("field name", ""),
        }


def test_fields_with_a_place_for_a_mark():
    """Then these are sent alone, for an app that takes no others; each submission has a mark of its own."""
    sent = [fields_of(one) for one in made(fields={"nick": "I am {mark}", "age": "7"})]
    assert [set(one) for one in sent] == [{"nick", "age"}] * 3
    assert len({str(one["nick"]) for one in sent}) == 3
    assert all(str(one["nick"]).startswith("I am ") and "{" not in str(one["nick"]) for one in sent)


def test_path_with_a_query():
    """What was given is sent along, in front."""
    (one, *_) = made("/join?next=/home")
    assert one.path == "/join"
    assert one.query.startswith("next=/home&from=")


def test_what_is_too_short_is_named():
    """Nobody is led to believe that an age was looked for."""
    assert too_short(made(fields={"age": "7", "dob": "2018-05-05"})) == ["field age"]
    assert too_short(made()) == []
