"""Tests of how the command line is used, rightly and wrongly."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import time
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import privguard
from cli_process import privguard as run_privguard
from privguard.cli import COMMANDS, main
from privguard.cli import _listening as listening
from privguard.cli import _named as named
from privguard.cli._stop import NotNow, Stop, WrongUse, until_told_to_stop

SHOP = """\
def app(environ, start_response):
    start_response("200 OK", [])
    return []

def create_app():
    return app

def fails():
    return 1 / 0

async def create_later():
    return app

class Site:
    wsgi = staticmethod(app)

thing = {}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with some modules, as the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    (tmp_path / "corner_shop.py").write_text(SHOP)
    (tmp_path / "cannot_import.py").write_text("import no_such_thing_anywhere\n")
    (tmp_path / "cannot_parse.py").write_text("x = (\n")
    (tmp_path / "raises.py").write_text("raise ValueError('first line\\nsecond line \\x1b[31m')\n")
    (tmp_path / "exits.py").write_text("import sys\nsys.exit()\n")
    (tmp_path / f"no_library{EXTENSION_SUFFIXES[-1]}").write_text("no machine code")
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "__init__.py").write_text("")
    (tmp_path / "shelf" / "upper.py").write_text(SHOP)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def said(capsys, *arguments: str) -> tuple[int, str]:
    """Run the command in this process; return its exit code and the one line that it wrote to stderr."""
    code = main(arguments)
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith("privguard: ") and errors.count("\n") == 1 and errors.endswith("\n")
    return code, errors


WRONG_USE = [
    ([], "type: privguard demo, privguard run module:app or privguard show"),
    (["--"], "type: privguard demo, privguard run module:app or privguard show"),
    (["dmeo"], 'did you mean "demo"? Type: privguard demo'),
    ([""], "type: privguard --help"),
    (["xyzzy"], "type: privguard --help"),
    (["corner_shop:app"], "type: privguard run corner_shop:app"),
    (["/demo/"], "type: privguard show /demo/"),
    (["--vesion"], 'did you mean "--version"?'),
    (["--qqq"], "type: privguard --help"),
    (["demo", "--onec"], 'did you mean "--once"? Type: privguard demo --once'),
    (["demo", "--zzz=1"], "type: privguard demo --help"),
    (["demo", "--onc"], 'did you mean "--once"?'),
    (["demo", "again"], "'again' is one argument too many"),
    (["demo", "--port"], "type, for example: privguard demo --port 8000"),
    (["demo", "--port", "abc"], "'abc' is no port; write a number from 1 to 65535"),
    (["demo", "--port", "-5"], "'-5' is no port"),
    (["demo", "--port", "65536"], "'65536' is no port"),
    (["demo", "--port", "65534"], "type: privguard demo --port 8000"),
    (["run"], "type, for example: privguard run module:app"),
    (["run", "--prt", "80", "corner_shop:app"], 'did you mean "--port"?'),
    (["run", "a:b", "--wsgi", "--asgi"], "not allowed with argument --wsgi"),
    (["run", "--wsgj", "a:b"], 'did you mean "--wsgi"?'),
    (["show", "/x", "/y"], "'/y' is one argument too many"),
    (["show", "--jsn"], 'did you mean "--json"?'),
    (["show", "demo"], "privguard show /demo/"),
    (["show", "https://site.example/demo/"], "is no path of a site"),
    (["show", "/demo/?page=1#top"], "type: privguard show /demo/"),
]


@pytest.mark.parametrize(("arguments", "hint"), WRONG_USE, ids=lambda value: " ".join(value)[:40] or "nothing")
def test_wrong_use(capsys, arguments, hint):
    """Whoever mistypes a command is told in one line what to type."""
    code, line = said(capsys, *arguments)
    assert code == 2
    assert hint in line


NAMES = [
    ("corner_shop", "type: privguard run corner_shop:NAME"),
    ("corner_shop:", "type: privguard run corner_shop:NAME"),
    ("./corner_shop.py:app", "type: privguard run corner_shop:app"),
    ("shelf/upper:app", "type: privguard run shelf.upper:app"),
    (":app", "type: privguard run module:app"),
    ("corner shop:app", "is no module's name"),
    ("corner_shop:my app", "type: privguard run corner_shop:NAME"),
    ("corner_shpo:app", "did you mean 'corner_shop'? Type: privguard run corner_shop:app"),
    ("shelf.uper:app", "did you mean 'shelf.upper'? Type: privguard run shelf.upper:app"),
    ("shelf.upper.lower:app", "did you mean 'shelf.upper'?"),
    ("zzzzzzzz:app", "type it from the app's own folder"),
    ("corner_shop:ap", "did you mean 'app'? Type: privguard run corner_shop:app"),
    ("corner_shop:Site.wsgj", "Type: privguard run corner_shop:Site.wsgi"),
    ("corner_shop:zzzzzz", "look for its name in corner_shop"),
    ("corner_shop:thing()", "corner_shop:thing() calls a dict; leave the () out"),
    ("corner_shop:create_later()", "name an ordinary one that returns the app"),
    ("corner_shop:fails()", "ZeroDivisionError: division by zero"),
    (
        "corner_shop:fails()",
        'corner_shop.py, line 9); to see where it comes from, type: python -c "import corner_shop;',
    ),
    ("cannot_import:app", "ModuleNotFoundError: No module named 'no_such_thing_anywhere'"),
    (
        "cannot_import:app",
        'cannot_import.py, line 1); to see where it comes from, type: python -c "import cannot_import"',
    ),
    ("cannot_parse:app", "SyntaxError: '(' was never closed"),
    ("cannot_parse:app", "cannot_parse.py, line 1)"),
    ("raises:app", "ValueError: first line second line \\x1b[31m"),
    ("exits:app", "importing exits failed: SystemExit ("),
    ("no_library:app", "importing no_library failed: ImportError: "),
    ("no_library:app", '; to see where it comes from, type: python -c "import no_library"'),
    ("corner_shop:thing", "corner_shop:thing is a dict, which no server can call"),
    ("shelf:upper", "shelf has no 'upper'"),
    ("corner_shop:create_app", 'if it makes the app, type: privguard run "corner_shop:create_app()"'),
]


@pytest.mark.parametrize(("name", "hint"), NAMES, ids=lambda value: value[:50])
def test_name_that_leads_to_no_app(capsys, folder, name, hint):
    """Whoever names an app that is not there, or that fails, is told in one line what to type."""
    code, line = said(capsys, "run", name)
    assert code == 2
    assert hint in line


@pytest.mark.parametrize(
    "name", ["corner_shop:app", "corner_shop:create_app()", "corner_shop:Site.wsgi", "shelf.upper:app"]
)
def test_name_of_an_app(folder, name):
    """An app is found by its name, by a dotted one, and through the function that makes it."""
    app = named.find(name, command="privguard run")
    assert app.__name__ == "app"
    assert named.find(name, command="privguard run") is app
    assert sys.path.count(str(folder)) == 1


def test_none_is_called_none():
    """What a function forgot to return is called by its name."""
    assert named.kind_of_thing(None) == "None"
    assert named.kind_of_thing(1) == "an int"


def test_errors_hold_no_traceback_in_a_real_process(tmp_path):
    """At the border of the process: one line on stderr, nothing on stdout, exit code 2."""
    (tmp_path / "raises.py").write_text("raise ValueError('no')\n")
    for arguments in (["run", "raises:app"], ["run", "nowhere:app"], ["dmeo"], [], ["show", "--settings", "no.toml"]):
        ended = run_privguard(*arguments, cwd=tmp_path)
        assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("command", [[], *([one] for one in COMMANDS)], ids=lambda value: "".join(value) or "privguard")
def test_help(capsys, monkeypatch, command):
    """Each command explains itself, with examples, and fits a terminal."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert "Examples:\n  privguard" in text
    assert "Exit codes: 0 done" in text
    assert max(map(len, text.splitlines())) < 80


def test_version_in_a_real_process(tmp_path):
    """The installed command and ``python -m privguard`` say the same version."""
    script = Path(sys.executable).with_name("privguard")
    as_script = subprocess.run([script, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True)
    as_module = run_privguard("--version", cwd=tmp_path)
    assert as_script.stdout == as_module.stdout == f"privguard {privguard.__version__}\n"


def test_version_loads_next_to_nothing(tmp_path):
    """To say its version the command loads no server and no dependency."""
    code = textwrap.dedent("""
        import sys
        from privguard.cli import main
        try:
            main(["--version"])
        except SystemExit:
            print(*sys.modules)
    """)
    loaded = {name.split(".")[0] for name in run_privguard(cwd=tmp_path, code=code).stdout.split()}
    assert loaded.isdisjoint({"werkzeug", "asgiref", "asyncio", "http", "wsgiref", "tomllib", "uvicorn", "waitress"})


def test_reader_that_has_seen_enough(tmp_path):
    """``privguard show | head -1`` ends without a complaint."""
    code = "import sys; from privguard.cli import main; sys.exit(main(['show']))"
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run([sys.executable, "-u", "-c", code], cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_reader_that_is_gone_in_this_process(monkeypatch):
    """A closed pipe is no failure of the command."""
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", buffering=1) as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert main(["show"]) == 0


def test_ctrl_c_before_anything_is_served(monkeypatch, capsys):
    """Whoever changes their mind at once gets the shell's own exit code, and no traceback."""
    monkeypatch.setattr("privguard.cli._run_command", raise_interrupt)
    assert main(["show"]) == 130
    assert capsys.readouterr().err == ""


def raise_interrupt(arguments):
    raise KeyboardInterrupt


def test_output_that_the_terminal_cannot_show(tmp_path):
    """A path in another script is shown escaped where the terminal has no such letters."""
    (tmp_path / "p.toml").write_text('demo_paths = ["/démo/"]', encoding="utf-8")
    code = "import sys; from privguard.cli import main; sys.exit(main(['show', '--settings', 'p.toml']))"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0
    assert "/d\\xe9mo/" in ended.stdout


def test_output_that_is_no_stream_of_text(monkeypatch):
    """Whoever calls main() with an output of their own gets what is printed there."""

    class Output:
        text = ""

        def write(self, text):
            self.text += text

        def flush(self):
            pass

    monkeypatch.setattr(sys, "stdout", Output())
    assert main(["show"]) == 0
    assert "Cookies" in sys.stdout.text


# ── addresses ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def taken():
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_port_in_use(capsys, folder, taken):
    """The line names a port that is free."""
    code, line = said(capsys, "run", "corner_shop:app", "--port", str(taken))
    assert code == 1
    assert f"port {taken} on 127.0.0.1 is in use; type: privguard run corner_shop:app --port " in line
    better = int(line.rsplit(" ", 1)[1])
    assert better not in (0, taken)


def test_port_in_use_by_the_demo(capsys, taken):
    """The demo says that it finds free ports by itself."""
    code, line = said(capsys, "demo", "--port", str(taken))
    assert code == 1
    assert "type: privguard demo" in line


def test_port_in_use_in_a_real_process(tmp_path, taken):
    """One line, no traceback, exit code 1: it cannot be done now."""
    (tmp_path / "corner_shop.py").write_text(SHOP)
    for arguments in (["demo", "--once", "--port", str(taken)], ["run", "corner_shop:app", "--port", str(taken)]):
        ended = run_privguard(*arguments, cwd=tmp_path)
        assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)


@pytest.mark.parametrize(
    ("host", "hint"),
    [
        ("a..b", "there is no such host; type: --host 127.0.0.1"),
        ("192.0.2.1", "is no address of this machine; type --host 127.0.0.1"),  # RFC 5737: nobody has it
    ],
)
def test_host_that_is_not_here(capsys, folder, host, hint):
    """Whoever mistypes the address to listen on is told which one to type."""
    code, line = said(capsys, "run", "corner_shop:app", "--host", host)
    assert code == 2
    assert hint in line


def test_host_that_nobody_knows(monkeypatch):
    """A name that the network does not know is told like one that cannot be a name."""

    def unknown(*args):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(WrongUse, match="--host nowhere: there is no such host"):
        listening.listen("nowhere", 80, instead=str)


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (PermissionError(13, "Permission denied"), "you may not listen on port 80; type: something"),
        (OSError(97, "Address family not supported"), "cannot listen on 127.0.0.1:80: Address family not supported"),
    ],
)
def test_port_that_the_system_refuses(monkeypatch, error, hint):
    """A port for administrators, or a machine without IPv6: one line says so."""

    def refuse(*args, **options):
        raise error

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(NotNow) as stop:
        listening.listen("127.0.0.1", 80, instead=lambda: "something")
    assert hint in str(stop.value)
    assert listening.free_port_near("127.0.0.1", 80) == 0


def test_port_near_one_for_administrators():
    """In place of port 80, a port is named that everybody may use."""
    assert 8000 <= listening.free_port_near("127.0.0.1", 80) < 8100


def test_address_to_type_into_a_browser():
    """An IPv6 address is written in brackets (RFC 3986 §3.2.2)."""
    assert listening.address("::1", 80) == "http://[::1]:80/"
    assert listening.address("127.0.0.1", 80) == "http://127.0.0.1:80/"


def test_lines_stay_lines():
    """Whatever an error message brings along, the command writes one printable line."""
    assert str(Stop("a\n\tb\x07")) == "a b\\x07"
    assert (WrongUse.exit_code, NotNow.exit_code) == (2, 1)


def test_signal_handlers_are_given_back(capsys):
    """When the command stops serving, the process is as it was."""
    import signal

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    started = time.monotonic()
    with until_told_to_stop():
        signal.raise_signal(signal.SIGTERM)
        time.sleep(PATIENCE_FOR_A_SIGNAL)
    assert time.monotonic() - started < PATIENCE_FOR_A_SIGNAL
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert capsys.readouterr().out == "Stopped.\n"


PATIENCE_FOR_A_SIGNAL = 30  # seconds; the signal ends the wait at once
