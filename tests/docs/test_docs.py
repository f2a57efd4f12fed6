"""The documentation says what the code does: its examples run, and its lists are the code's own."""

from __future__ import annotations

import ast
import inspect
import logging
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import privguard
import privguard.asgi
import privguard.flask
import privguard.logs
import privguard.proving
import privguard.wsgi
from privguard import (
    NonceError,
    OutsideRequestError,
    Policy,
    SettingsError,
    _codings,
    _cookies,
    _csp,
    _headers,
    _logs,
    _silence,
    _sinks,
)
from privguard._body import document_body
from privguard._contacts import PREFIXES, TABLE
from privguard._documents import Kind
from privguard._elements import View
from privguard._errors import SubmissionError, UnseenBodyError
from privguard._exchange import Exchange
from privguard._headers import TEXT
from privguard._references import Page
from privguard._silence import Waiting
from privguard.cli import COMMANDS, main

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {
    path.relative_to(DOCS).as_posix(): path.read_text("utf-8")
    for path in sorted(DOCS.rglob("*.md"))
    if "_build" not in path.parts
}
# Their examples are compiled and not run: the tests do without these frameworks.
NOT_INSTALLED = ("from quart", "from litestar")
LATER = "Checked now, acted upon in a later version."
ACTED_UPON_LATER: set[str] = set()
NONCE = "cmFuZG9tLW5vbmNlLTE2Yg"


def found(pattern: str, page: str) -> list[Any]:
    """What *pattern* finds on a page: its lines begin at ^ and end at $, and a dot may be anything."""
    return re.findall(pattern, PAGES[page], re.DOTALL | re.MULTILINE)


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of *language* on a page."""
    return found(rf"^```{language}\n(.*?)^```$", page)


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below *heading*, without its head."""
    table = re.search(r"^\|.*?(?=\n\n|\Z)", PAGES[page].partition(f"\n{heading}\n")[2], re.DOTALL | re.MULTILINE)
    assert table, heading
    return [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in table[0].splitlines()[2:]]


def code(cell: str) -> list[str]:
    """What stands in backquotes in a cell."""
    return re.findall("`([^`]+)`", cell)


def in_one_line(text: str) -> str:
    return " ".join(text.split())


EVERY_PYTHON = [(page, number) for page in PAGES for number in range(len(blocks(page, "python")))]


# ── the examples ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def fresh_tellings(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has told nothing yet."""
    monkeypatch.setattr(_logs, "_told_cookies", set())
    monkeypatch.setattr(_logs, "_told_malformed", False)
    monkeypatch.setattr(_logs, "_told_contacts", set())


@pytest.fixture
def runs_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fresh_tellings: None) -> Iterator[None]:
    """What an example does to the process, or leaves behind, goes with the test."""
    monkeypatch.chdir(tmp_path)
    level = logging.getLogger("privguard").level
    yield
    logging.getLogger("privguard").setLevel(level)


def run(example: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "example_of_the_docs"}
    exec(compile(example, "example of the docs", "exec"), names)
    return names


@pytest.mark.parametrize(("page", "number"), EVERY_PYTHON)
def test_python_example(runs_anywhere, page, number):
    """Who copies it gets no syntax error; a whole file, which begins with its imports, runs."""
    example = blocks(page, "python")[number]
    tree = ast.parse(example)
    if isinstance(tree.body[0], (ast.Import, ast.ImportFrom)) and not any(one in example for one in NOT_INSTALLED):
        names = run(example)
        for name in [name for name in names if name.startswith("test_")]:
            names[name]()


@pytest.mark.parametrize("page", [page for page in PAGES if re.search(r"^PRIVGUARD = ", PAGES[page], re.MULTILINE)])
def test_settings_examples(page, tmp_path, monkeypatch):
    """Who copies them gets a policy; the file that one of them names is there."""
    monkeypatch.chdir(tmp_path)
    Path("templates").mkdir()
    Path("templates/not_taken.html").touch()
    for example in blocks(page, "python"):
        for statement in ast.parse(example).body:
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "PRIVGUARD":
                Policy(ast.literal_eval(statement.value))


@pytest.mark.parametrize("number", range(len(blocks("how-to/settings-file.md", "toml"))))
def test_settings_files(number):
    """As TOML, too."""
    document = tomllib.loads(blocks("how-to/settings-file.md", "toml")[number])
    assert Policy(document.get("privguard", document)).rules_for("/demo/").cookies is privguard.CookieMode.DOWNGRADE


@pytest.mark.parametrize("page", ["reference/settings.md", "reference/errors.md"])
def test_mistakes_and_what_is_said_of_them(page):
    """Each example of a mistake is followed by the very message that it gets."""
    pairs = found(r"^```python\nPolicy\((.*?)\)\n```\n\n```text\n(.*?)\n```$", page)
    assert len(pairs) == PAGES[page].count("```python\nPolicy(") >= 3
    for settings, message in pairs:
        with pytest.raises(SettingsError) as caught:
            Policy(ast.literal_eval(settings))
        assert str(caught.value) == message


def test_first_site(runs_anywhere):
    """What the tutorial promises of each step is what happens."""
    careless, guarded_head, with_demo, demo = blocks("tutorials/first-site.md", "python")
    bare_head = careless.partition("\n\nPAGE")[0]
    guarded = guarded_head.rstrip("\n") + careless.removeprefix(bare_head)
    (nonced_tag,) = blocks("tutorials/first-site.md", "html")
    last = guarded.replace("<script>", nonced_tag.strip()).replace("Privguard(app)\n", with_demo, 1) + demo

    before, after, at_last = (run(step)["app"].test_client() for step in (careless, guarded, last))
    assert "Max-Age=31536000" in before.get("/").headers["Set-Cookie"]
    assert "Set-Cookie" not in after.get("/").headers
    assert "nonce" not in after.get("/").headers["Content-Security-Policy"]
    answer = at_last.get("/")
    (nonce,) = re.findall('nonce="([^"]+)"', answer.text)
    assert f"'nonce-{nonce}'" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers
    assert "Max-Age=3600" in at_last.get("/demo/").headers["Set-Cookie"]
    with pytest.raises(SettingsError) as caught:
        run(last.replace('"demo_paths"', '"demo_path"'))
    assert f"privguard.SettingsError: {caught.value}\n" in PAGES["tutorials/first-site.md"]


def test_reports_of_browsers(runs_anywhere, caplog):
    """The recipe logs each finding once, and what is no report gets a 400."""
    (example,) = [one for one in blocks("how-to/try-before-enforcing.md", "python") if "csp_reports" in one]
    client = run(example)["app"].test_client()
    page = client.get("/")
    assert page.headers["Content-Security-Policy-Report-Only"].endswith("; report-uri /csp-reports")
    report = {"document-uri": "http://a.example/b?c", "blocked-uri": "https://d.example/e", "effective-directive": "f"}
    for _ in range(2):
        with client.post("/csp-reports", json={"csp-report": report}) as answer:  # until it is closed, its lines wait
            assert answer.status_code == 204
    (record,) = caplog.records
    assert record.getMessage() == "would be blocked: ('f', 'd.example'), for example on '/b'"
    for data in (b"\xff", b"[]", b'{"csp-report": []}', b'{"csp-report": {"document-uri": "http://[x"}}'):
        assert client.post("/csp-reports", data=data).status_code == 400


@pytest.mark.parametrize("page", PAGES)
def test_links_to_pages(page):
    """Every link inside the documentation names a page that is there."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", PAGES[page]):
        assert ((DOCS / page).parent / target).is_file(), target


# ── the reference: settings ──────────────────────────────────────────────────────────────────────────────────────────


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Every key by its full path, with its value as an owner would type it."""
    flattened: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            flattened |= flat(value, f"{prefix}{key}.")
        else:
            flattened[prefix + key] = list(value) if isinstance(value, tuple) else dict(value) if value == {} else value
    return flattened


def described() -> dict[str, tuple[str, str]]:
    """Each key of the settings page: its default, as it is written there, and the text below it."""
    sections = found(r"^### `([a-z_.]+)`\n(.*?)(?=^##|\Z)", "reference/settings.md")
    defaults = {key: (re.match(r"\nDefault: `(.+?)` · ", text), text) for key, text in sections}
    return {key: (default[1], text) for key, (default, text) in defaults.items() if default}


def test_settings_and_their_defaults():
    """The reference has every key, none besides, and what holds when it is left out."""
    assert {key: ast.literal_eval(default) for key, (default, _) in described().items()} == flat(Policy().settings)


def test_settings_as_one_dict():
    """So has the dict at the top of the page."""
    (statement,) = ast.parse(blocks("reference/settings.md", "python")[0]).body
    assert isinstance(statement, ast.Assign)
    assert flat(ast.literal_eval(statement.value)) == flat(Policy().settings)


def test_settings_that_are_acted_upon_later():
    """Of each that does nothing yet the reference says so, and of no other."""
    later = {key for key, (_, text) in described().items() if text.partition("\n\n")[2].startswith(LATER)}
    assert later == ACTED_UPON_LATER


def test_directives_that_can_be_named():
    """The table of the reference has all that the settings take."""
    table = rows("reference/settings.md", "The directives that can be named:")
    assert {name for row in table for name in code(row[1])} == _csp.DIRECTIVES


# ── the reference: cookies and headers ───────────────────────────────────────────────────────────────────────────────

KINDS = {"a deletion": "deletion", "for the visit": "session", "persistent": "persistent", "doubtful": "doubtful"}
FUTURE = "Fri, 09 Nov 2091 21:43:09 GMT"


@pytest.mark.parametrize("heading", ["## How a cookie is judged", "Some cases that surprise:"])
def test_cookies_of_the_reference(heading):
    """Each example of a cookie counts as what its row says."""
    judged = 0
    for row in rows("reference/cookies.md", heading):
        header, verdict = (row[2], row[1]) if heading.startswith("#") else (row[0], row[1])
        for cookie in code(header):
            line = cookie.replace("<future>", FUTURE).encode()
            kind = _cookies.lifetime(line, now=lambda: 1e9, date=lambda: 1e9)
            assert kind.value == KINDS[verdict.partition(":")[0]], cookie
            judged += 1
    assert judged >= 4


OUTCOMES = {"passes": lambda cookie: cookie, "loses": _cookies.as_session, "is": lambda cookie: None}
PERSISTENT, FOR_THE_VISIT, DELETION = b"a=b; Max-Age=3600; Path=/", b"a=b; Path=/", b"a=; Max-Age=0; Path=/"


@pytest.mark.parametrize("row", rows("reference/cookies.md", "## The modes"), ids=lambda row: row[0].strip('`"'))
def test_cookie_modes_of_the_reference(row, fresh_tellings):
    """Each mode does with each kind of cookie what its row says."""
    mode, *outcomes = row
    exchange = Exchange(Policy({"cookies": {"elsewhere": ast.literal_eval(code(mode)[0])}}), "/")
    for cookie, outcome in zip((PERSISTENT, FOR_THE_VISIT, DELETION), outcomes, strict=True):
        assert exchange.set_cookie(cookie, lambda: 0) == OUTCOMES[outcome.split()[0]](cookie)


def test_headers_by_default():
    """To the byte, and in this order."""
    headers = Exchange(Policy(), "/").response_headers(200, [], TEXT)
    assert blocks("reference/headers.md", "text")[0].splitlines() == [f"{name}: {value}" for name, value in headers]


def test_headers_with_a_nonce():
    """Two policies, and what keeps caches away."""
    exchange = Exchange(Policy(), "/", make_nonce=lambda: NONCE)
    exchange.nonce()
    headers = [one for one in exchange.response_headers(200, [], TEXT) if one[0].lower() not in _headers.IF_ABSENT]
    assert blocks("reference/headers.md", "text")[1].splitlines() == [f"{name}: {value}" for name, value in headers]


def test_policy_of_debug_pages():
    """The two directives that differ are quoted."""
    exchange = Exchange(Policy(), "/")
    exchange.admit_inline()
    (policy,) = [value for name, value in exchange.response_headers(200, [], TEXT) if name.endswith("Policy")][:1]
    quoted = _csp.parse(blocks("reference/headers.md", "text")[2])
    assert {**_csp.strict_default(), **quoted} == _csp.parse(policy)


def test_directives_of_the_strict_default():
    """The table explains each of them, and what it is set to."""
    table = rows("reference/headers.md", "### Content-Security-Policy")
    assert {name: tuple(code(row[1])[0].split()) for row in table for name in code(row[0])} == _csp.strict_default()


def test_features_that_are_switched_off():
    """The table explains each of them."""
    _, policy = _headers.IF_ABSENT["permissions-policy"]
    table = rows("reference/headers.md", "## Permissions-Policy")
    assert [code(row[0])[0] for row in table] == [one.removesuffix("=()") for one in policy.split(", ")]


def test_headers_that_are_taken_out():
    """The table has each that the code looks at, and none besides."""
    documented: set[str] = set()
    for row in rows("reference/headers.md", "## What is taken out"):
        names = [name for name in code(row[0]) if name != "-Report-Only"]
        documented |= {*names, *(f"{name}-Report-Only" for name in names if "`-Report-Only`" in row[0])}
    judged = {field.name for field in TABLE.values()}
    assert documented == judged | {f"{field.name}…" for field in PREFIXES.values()}


# ── the reference: names, commands, messages ─────────────────────────────────────────────────────────────────────────


def documented_names() -> dict[str, str]:
    """Each function, class and exception of the Python reference, with its arguments as they are written there."""
    directives = r"^```\{py:(?:function|class|exception)\} ([\w.]+)(?:\((.*?)\))?"
    return dict(found(directives, "reference/python-api.md"))


def test_public_names():
    """The reference has every one of them."""
    names = {name.removeprefix("privguard.") for name in documented_names()}
    assert set(privguard.__all__) == {name for name in names if "." not in name}


@pytest.mark.parametrize(
    "documented",
    [
        privguard.Policy,
        privguard.csp_nonce,
        privguard.flag_child,
        privguard.on_child,
        privguard.asgi.PrivacyMiddleware,
        privguard.wsgi.PrivacyMiddleware,
        privguard.flask.Privguard,
        privguard.proving.prove_forgetting,
    ],
    ids=lambda one: f"{one.__module__}.{one.__name__}",
)
def test_arguments(documented):
    """They are those of the code, with the same defaults."""
    parameters = inspect.signature(documented).parameters.values()
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in parameters]
    written = documented_names()[f"{documented.__module__}.{documented.__name__}"]
    assert written == str(inspect.Signature(plain)).strip("()")


def test_attributes_of_a_policy():
    """None is documented that is not there."""
    for owner, one in (("Policy", Policy()), ("PathRules", Policy().rules_for("/"))):
        (section,) = found(rf"\{{py:class\}} privguard\.{owner}\b(.*?)^```$", "reference/python-api.md")
        names = re.findall(r"\{py:(?:attribute|method)\} (\w+)", section)
        assert len(names) > 5
        assert [name for name in names if not hasattr(one, name)] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_options_of_a_command(command, capsys):
    """The reference has each that --help names, and none besides."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    known = {one for one in re.findall(r"(?<![\w-])--[a-z]+", capsys.readouterr().out) if one != "--help"}
    section = PAGES["reference/command-line.md"].partition(f"\n## privguard {command}\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"--[a-z]+", section)) == known


def test_hashes_of_inline_code(runs_anywhere, capsys):
    """The example's settings are what the command prints for the example's template."""
    page = "how-to/inline-scripts.md"
    (template,) = [one for one in blocks(page, "html") if "history.back()" in one]
    (settings,) = [one for one in blocks(page, "python") if "sha256-" in one]
    Path("templates").mkdir()
    Path("templates/front.html").write_text(template)
    assert main(["hashes", "templates"]) == 0
    assert capsys.readouterr() == (settings, "")


def checks() -> dict[str, list[str]]:
    """Each system check of the code: its id, and the fixed parts of its message and its hint."""
    tree = ast.parse((ROOT / "src/privguard/django/checks.py").read_text("utf-8"))
    parts_by_id: dict[str, list[str]] = {}
    for call in [one for one in ast.walk(tree) if isinstance(one, ast.Call)]:
        ids = [ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg == "id"]
        if ids:
            parts = [one.value for one in ast.walk(call.args[0]) if isinstance(one, ast.Constant)]
            parts_by_id[ids[0]] = [part for part in parts if isinstance(part, str)]
    return parts_by_id


def test_django_checks():
    """The reference has each by its id, with what it says."""
    sections = dict(found(r"^## `(.+?)`\n(.*?)(?=^## |\Z)", "reference/django-checks.md"))
    assert sections.keys() == checks().keys()
    for check, parts in checks().items():
        for part in parts:
            assert in_one_line(part) in in_one_line(sections[check]), check


def _fail():
    raise RuntimeError


def test_log_lines(fresh_tellings, caplog):
    """Each line of the reference is one that privguard writes, to the letter."""
    _logs.tell_cookie(b"visitor", "/shop/cart", "strip", "persistent", removed=True)
    _logs.tell_cookie(b"sessionid", "/login", "strip", "persistent", removed=False)
    _logs.tell_cookie(b"cart", "/shop/cart", "block", "session", removed=True)
    _logs.tell_cookie(b"note", "/", "strip", "malformed", removed=True)
    _logs.tell_malformed("/download")
    _logs.tell_contact("preconnect", "fonts.example", "/about", 12)
    _logs.tell_contact("<iframe>", "video.example", "/about", 40)
    for limit, status, problem in (
        ("body_bytes", 413, "a submission is larger than"),
        ("bytes_per_second", 408, "a submission comes in more slowly than"),
        ("", 500, "a submission cannot be held: No space left on device"),
    ):
        _logs.tell_submission(SubmissionError(status, limit, problem), "/upload")
    _logs.tell_refusal(KeyError())
    waiting = Waiting()
    waiting._lost = 12
    waiting.release()
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(_codings._LIBRARIES, "br", lambda: None)
        with pytest.raises(UnseenBodyError) as unseen:
            document_body(Kind.HTML, ["text/html"], ("br",), View(Page((), lambda *_: False)), is_part=False)
    _logs.tell_failure(unseen.value)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_sinks, "_told", set())
        _sinks.tell("loguru", AttributeError())
    waiting = _silence.Waiting()
    waiting.add(_fail)
    waiting.release()
    _logs.tell_failure(ValueError())
    *lines, failure = [record.getMessage() for record in caplog.records]
    *documented, documented_failure = [one.strip() for one in blocks("reference/log-lines.md", "text")]
    assert documented == lines
    assert re.sub(r"ValueError at .*, with", "ValueError at an unknown place, with", documented_failure) == failure


@pytest.mark.parametrize("page", ["how-to/log-ins.md", "tutorials/first-site.md"])
def test_log_lines_on_other_pages(page, fresh_tellings, caplog):
    """So are those that the other pages quote."""
    quoted = [one.strip() for one in blocks(page, "text") if one.startswith("removed the persistent")]
    for line in quoted:
        name, path = re.findall(r'cookie "(\w+)" that was set on (\S+)', line)[0]
        _logs.tell_cookie(name.encode(), path, "strip", "persistent", removed=True)
    assert quoted and quoted == [record.getMessage() for record in caplog.records]


def test_errors_in_a_request():
    """Their messages are quoted as they are."""
    quoted = [one.strip() for one in blocks("reference/errors.md", "text")]
    late = Exchange(Policy(), "/")
    late.response_headers(200, [], TEXT)
    never = Exchange(Policy({"csp": {"nonce": "never"}}), "/")
    for ask, error in (
        (privguard.csp_nonce, OutsideRequestError),
        (late.nonce, NonceError),
        (never.nonce, NonceError),
    ):
        with pytest.raises(error) as caught:
            ask()
        assert str(caught.value) in quoted
