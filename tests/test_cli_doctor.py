"""Tests of ``privguard doctor``: it starts real servers, and says of each whether it is quiet, and what to do."""

from __future__ import annotations

import sys

import pytest

from privguard.cli import _doctor, main

# A server that writes what it is told to: of each kind of request, a line or none.
SERVER = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

writes, form = sys.argv[2].split(","), sys.argv[3]
class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        kind = "icon" if "favicon" in self.path else "child" if self.command == "POST" else "page"
        if kind in writes:
            line = form.replace("PATH", self.path)
            print(line, file=open(sys.argv[4], "a") if len(sys.argv) > 4 else sys.stderr, flush=True)
    def do_GET(self):
        if "breaks" in writes:
            self.connection.close()
            return
        self.send_response(200)
        self.end_headers()
    do_POST = do_GET

HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture(autouse=True)
def at_once(monkeypatch, tmp_path):
    monkeypatch.setattr(_doctor, "_LATE", 0.1)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "serve.py").write_text(SERVER)


def doctor(capsys, *arguments, writes="page", form="GET PATH", log=()):
    """Run the command on such a server; return its exit code and what it says."""
    server = [sys.executable, "serve.py", "{port}", writes, form, *log]
    code = main(["doctor", "shop:app", *arguments, "--", *server])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_server_that_writes_only_of_the_page_is_quiet(capsys):
    """And it is said that it does write: a server that writes nothing at all may write elsewhere."""
    code, said = doctor(capsys)
    assert (code, said.splitlines()[-1]) == (0, "Of an ordinary page, 1 line was written.")
    code, said = doctor(capsys, writes="")
    assert code == 0
    assert "type: --watch FILE" in said


@pytest.mark.parametrize(
    ("writes", "form", "advice"),
    [
        ("page,icon,child", "GET PATH", "outermost"),
        ("page,child", "GET PATH", "age_fields"),
        ("icon", "[pid: 7|app: 0] GET PATH", "disable-logging"),
        ("icon", "[DEBUG] GET PATH", "--log-level debug"),
        ("icon", "TRACE: PATH", "--log-level trace"),
    ],
)
def test_server_that_writes_of_the_favicon_or_the_child_is_told_what_to_type(writes, form, advice, capsys):
    """With the line itself, by which its owner finds what wrote it."""
    code, said = doctor(capsys, writes=writes, form=form)
    assert code == 1
    assert said.startswith("Not quiet: 1 line was written of ")
    assert form.partition("PATH")[0] in said
    assert advice in said


def test_log_files_are_read_from_where_they_ended(tmp_path, capsys):
    """What yesterday's visitors left there is not looked at; a log that is not there yet may come."""
    log = tmp_path / "access.log"
    log.write_text("yesterday /favicon.ico\n")
    assert doctor(capsys, "--watch", "access.log", writes="page", log=["access.log"])[0] == 0
    assert doctor(capsys, "--watch", "access.log", writes="icon", log=["access.log"])[0] == 1
    assert doctor(capsys, "--watch", "new.log", writes="icon", log=["new.log"])[0] == 1


def test_answer_that_breaks_off_is_none_of_the_doctors_concern(capsys):
    """What counts is what is written."""
    assert doctor(capsys, writes="breaks")[0] == 0


def test_app_is_served_as_privguard_run_does(tmp_path, capsys):
    """Where no command is given."""
    lines = ["def app(environ, start_response):", "    start_response('200 OK', [])", "    return [b'x']", ""]
    (tmp_path / "corner_shop.py").write_text("\n".join(lines))
    (tmp_path / "privguard.toml").write_text("")
    assert main(["doctor", "corner_shop:app", "--settings", "privguard.toml"]) == 0
    assert capsys.readouterr().out.startswith("Quiet: ")


def test_site_that_runs_already_is_only_asked(tmp_path, capsys):
    """And is not stopped."""
    log = tmp_path / "access.log"
    with _doctor._served(
        [sys.executable, "serve.py", str(port := _doctor._free_port()), "icon", "PATH", str(log)], 2
    ) as it:
        _doctor._wait_for(port, it)
        assert main(["doctor", f"http://127.0.0.1:{port}/", "--watch", str(log)]) == 1
        assert it.poll() is None
    assert "favicon.ico" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["http://127.0.0.1:9/"], "--watch access.log"),
        (["http://127.0.0.1:9/", "--watch", "new.log"], "nothing answers on port 9"),
        (["http://example.org/", "--watch", "new.log"], "no site on this machine"),
        (["http://127.0.0.1:x/", "--watch", "new.log"], "no site on this machine"),
        (["shop:app", "--path", "join"], "--path 'join' is no path"),
        (["shop:app", "--watch", "."], "--watch . is no file"),
        (["shop:app", "--", "no-such-program"], "cannot be started"),
        (["shop:app", "--", sys.executable, "-c", ""], "write {port}"),
        (["shop:app", "--watch", "new.log", "--", sys.executable, "serve.py", "{port}", "", ""], "cannot be read"),
    ],
)
def test_what_nothing_can_be_said_of(arguments, says, capsys):
    """One line, with what to type, and exit code 2."""
    assert main(["doctor", *arguments]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_program_that_ends_together_with_all_that_it_started(capsys):
    """A server that is gone when it is to be stopped is no trouble."""
    with _doctor._served([sys.executable, "-c", ""], 2) as process:
        process.wait()


def test_server_that_does_not_stop_is_killed(monkeypatch):
    """Else it would keep its port."""
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    monkeypatch.setattr(_doctor, "_STOPPING", 0.2)
    import os

    reading, writing = os.pipe()
    with _doctor._served([sys.executable, "-c", code], writing) as process:
        os.read(reading, 4)
    os.close(reading)
    os.close(writing)
    assert process.returncode == -9
