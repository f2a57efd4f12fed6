"""Tests of the whole proof, in this process: what an app leaves is found, and where nothing is left, nothing is."""

from __future__ import annotations

import logging
import logging.handlers
import sys

import pytest

from privguard.proving import CannotProve, Finding, Report, prove_forgetting
from privguard.proving import _proof as proof
from proving import sites


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """A current and a temporary folder in which nobody else writes."""
    here, temporary = tmp_path / "here", tmp_path / "temporary"
    here.mkdir()
    temporary.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    return here, temporary


def found(report: Report) -> set[tuple[str, str]]:
    return {(one.place, one.thing) for one in report.findings}


@pytest.mark.parametrize("app", [sites.forgets, sites.forgets_later, sites.refuses, sites.refused(sites.echoes)])
def test_app_that_forgets(app):
    """Nothing is found, and the report says what was looked through."""
    report = prove_forgetting(app, "/join")
    assert report.is_clean and report.findings == ()
    assert str(report).endswith("Nothing of the submissions was found.")
    assert "Left out" not in str(report)


def test_what_was_looked_through():
    """The counts are those of this run."""
    report = prove_forgetting(sites.forgets, "/join")
    assert report.statuses == (200, 200, 200)
    assert report.looked_through[0] == "submissions, and what the app answered: urlencoded 200, multipart 200, JSON 200"
    assert "log records that reached a handler: 3" in report.looked_through


def test_app_that_sends_everything_back():
    """The answer counts: its body, its headers and its cookies."""
    report = prove_forgetting(sites.echoes, "/join")
    assert found(report) == {
        ("cookie of the answer", "cookie"),
        ("header X-Query of the answer", "query string"),
        *(("body of the answer", f"field {name}") for name in ("birthdate", "name", "email")),
        ("body of the answer", "file name"),
        ("body of the answer", "file content"),
    }
    assert {one.sent_as for one in report.findings} == {"urlencoded", "multipart", "JSON"}


def test_app_that_logs():
    """So does the log."""
    report = prove_forgetting(sites.logs, "/join")
    assert found(report) == {("log record of site (INFO)", "Referer")}
    assert "from http://localhost/[mark of Referer]" in {one.excerpt for one in report.findings}


def test_app_that_fails():
    """What an error report would show of its local variables, too."""
    report = prove_forgetting(sites.fails, "/join")
    place = "log record of privguard.proving.server (ERROR): traceback with local variables"
    assert (place, "query string") in found(report)
    assert report.left_out == (
        "a submission that the app takes: it answered urlencoded 500, multipart 500, JSON 500; "
        "send the fields that it needs",
    )


def test_what_goes_on_behind_the_answer():
    """Tasks, threads, and an exception of a task that nobody waits for."""
    report = prove_forgetting(sites.logs_later, "/join")
    assert {place for place, _ in found(report)} >= {"log record of site (INFO)", "log record of asyncio (ERROR)"}
    excerpts = " ".join(one.excerpt for one in report.findings)
    assert "task: " in excerpts and "thread: " in excerpts


def test_files_in_the_folders_that_are_watched(folders, tmp_path):
    """The current folder, the temporary one, and those that are named."""
    more = tmp_path / "more"
    more.mkdir()

    def app(environ, start_response):
        body = environ["wsgi.input"].read()
        for folder in (*folders, more):
            (folder / "kept").write_bytes(body)
        return sites.forgets(environ, start_response)

    report = prove_forgetting(app, "/join", watch=[more])
    assert {place for place, _ in found(report)} == {f"file {folder}/kept" for folder in (*folders, more)}


def test_output():
    """And what is printed."""

    def app(environ, start_response):
        print(environ["HTTP_USER_AGENT"])
        environ["wsgi.errors"].write(environ["QUERY_STRING"])
        return sites.forgets(environ, start_response)

    assert found(prove_forgetting(app, "/join")) == {("stdout", "User-Agent"), ("stderr", "query string")}


def test_handler_that_keeps_records_back(folders):
    """It is told to write them before anybody looks."""
    target = logging.FileHandler(folders[0] / "site.log", delay=True)
    handler = logging.handlers.MemoryHandler(1000, target=target)
    sites.log.addHandler(handler)
    try:
        report = prove_forgetting(sites.logs, "/join")
    finally:
        sites.log.removeHandler(handler)
        target.close()
        handler.close()
    assert f"file {folders[0]}/site.log" in {place for place, _ in found(report)}


def test_given_fields():
    """A value that was given is found as it is, and an age is named as too short to be looked for."""
    report = prove_forgetting(sites.echoes, "/join", {"dob": "2018-05-05", "age": "7"})
    (first, *_) = [one for one in report.findings if one.thing == "field dob"]
    assert first == Finding("body of the answer", "field dob", "", "plain", first.excerpt)
    assert report.left_out == ("field age: too short to tell",)


CANNOT = [
    ({"app": sites.is_nowhere}, "the app answers 404 to /join; name the path that its form is sent to"),
    ({"app": sites.takes_no_post}, "the app answers 405 to a POST to /join; name the path that its form is sent to"),
    ({"path": "join"}, "'join' is no path of a site; it begins with /"),
    ({"watch": ["no/such/folder"]}, "there is no folder no/such/folder; name one to watch"),
    ({"app": lambda *arguments: []}, 'say which: kind="asgi" or kind="wsgi"'),
]


@pytest.mark.parametrize(("arguments", "message"), CANNOT, ids=lambda value: value if isinstance(value, str) else "")
def test_what_cannot_be_proved(arguments, message):
    """The line says what to do."""
    with pytest.raises(CannotProve) as caught:
        prove_forgetting(**{"app": sites.forgets, "path": "/join"} | arguments)
    assert message in str(caught.value)


def test_kind_that_is_given():
    """An app whose signature does not tell is called as what it is said to be."""
    assert prove_forgetting(lambda *arguments: sites.forgets(*arguments), "/join", kind="wsgi").is_clean


# ── the control ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_control_leaves_nothing(capfd, folders, caplog):
    """Neither a line nor a file."""
    proof.check_sight()
    assert capfd.readouterr() == ("", "")
    assert list(folders[1].iterdir()) == []
    assert caplog.records == []


@pytest.mark.parametrize(
    ("watch", "place"), [("LogWatch", "log record"), ("StreamWatch", "stdout, stderr"), ("FileWatch", "file")]
)
def test_control_that_sees_nothing(monkeypatch, watch, place):
    """Who is blind in one place proves nothing."""
    real = getattr(proof, watch)

    class Blind(real):
        def __getattribute__(self, name):
            if name == "traces":
                return [] if watch != "FileWatch" else list
            return super().__getattribute__(name) if name != "_keep" else lambda *arguments: None

    monkeypatch.setattr(proof, watch, Blind)
    with pytest.raises(CannotProve, match=f"the control mark was not found in: {place}; nothing can be proved here"):
        prove_forgetting(sites.forgets, "/join")


def test_everything_is_as_it_was():
    """The proof leaves the process as it found it."""
    before = (logging.Handler.handle, sys.stdout, sys.stderr, sys.excepthook, logging.getLogger().level)
    prove_forgetting(sites.fails, "/join")
    assert (logging.Handler.handle, sys.stdout, sys.stderr, sys.excepthook, logging.getLogger().level) == before
