"""Tests of ``privguard show`` and of the settings that commands are given."""

from __future__ import annotations

import json
import sys

import pytest

from privguard import Policy
from privguard._exchange import Exchange
from privguard._headers import BYTES
from privguard.cli import _show as show
from privguard.cli import main

SETTINGS = """\
demo_paths = ["/demo/"]
user_image_paths = ["/boards/"]
sealed_paths = ["/sealed/"]
first_party = ["https://www.site.example"]

[cookies]
demo = "downgrade"

[csp.paths."/admin/"]
style-src = ["'self'", "'unsafe-inline'"]

[children]
paths = ["/kids/"]

[logs]
front_header = "X-Privguard-Log"
retention_days = 30
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with a settings file in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "privguard.toml").write_text(SETTINGS)
    return tmp_path


def shown(capsys, *arguments: str) -> str:
    assert main(["show", *arguments]) == 0
    output, errors = capsys.readouterr()
    assert errors == ""
    return output


def flat(text: str) -> str:
    return " ".join(text.split())


def wrong(capsys, *arguments: str) -> str:
    assert main(["show", *arguments]) == 2
    output, errors = capsys.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    return errors


# ── the policy ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_default_policy_in_plain_words(capsys):
    """Without settings the strict policy is shown, in sentences that a site's owner understands."""
    text = shown(capsys)
    assert max(map(len, text.splitlines())) < 80
    text = flat(text)
    assert "The policy: the strict default" in text
    assert "Everywhere: persistent ones are removed; session, sessionid, csrftoken are kept for the visit." in text
    assert "From this site and data in the page itself: images." in text
    assert "From nowhere: plug-ins, everything else." in text
    assert "No line is written for a request to /favicon.ico, /apple-touch-icon.png" in text
    assert "Referrer-Policy: same-origin" in text
    assert "somebody under 13 is refused" in text


def test_policy_of_a_file_in_plain_words(capsys, folder):
    """What holds below a path is said with the path; what is as everywhere is not said again."""
    text = flat(shown(capsys, "--settings", "privguard.toml"))
    assert "The policy: privguard.toml" in text
    assert "Below /demo/: persistent ones are kept for the visit: they lose their lifetime. Elsewhere:" in text
    assert "Below /admin/: from this site, inline code and https://www.site.example: styles." in text
    assert text.count("Below /admin/") == 1
    assert "Below /boards/: from this site, data in the page itself, any https server" in text
    assert 'the header "X-Privguard-Log: off"' in text
    assert "a path below /kids/" in text
    assert "From pages below /sealed/, Chromium contacts nobody else at all." in text
    assert "They are to be deleted after 30 days, by RetentionFileHandler" in text


COOKIES = [
    ({"elsewhere": "allow"}, "all are sent as the app sets them."),
    ({"elsewhere": "downgrade"}, "persistent ones are kept for the visit: they lose their lifetime."),
    ({"elsewhere": "strip", "visit": ["sid"]}, "persistent ones are removed; sid is kept for the visit."),
    ({"elsewhere": "strip", "visit": []}, "persistent ones are removed."),
    ({"elsewhere": "block"}, "none is set, and the app sees none."),
]


@pytest.mark.parametrize(("cookies", "sentence"), COOKIES, ids=lambda value: str(value)[:40])
def test_cookie_modes_in_plain_words(cookies, sentence):
    """Each mode has its sentence."""
    assert f"Cookies: {sentence}" in flat(show.path_text(Policy({"cookies": cookies}), "/", "test"))


NO_FIELDS = {"age_fields": [], "birthdate_fields": [], "flag_fields": []}


def own_page(wants_json):
    return "not taken"


class OwnPage:
    def __call__(self, wants_json):
        return "not taken"


RULES = [
    ({"csp": {"directives": {"form-action": ["'none'"]}}}, "Forms are sent nowhere."),
    ({"csp": {"directives": {"frame-ancestors": []}}}, "The page may be framed by nobody."),
    ({"csp": {"directives": {"base-uri": ["'self'"]}}}, "A <base> element may lead to this site."),
    ({"csp": {"directives": {"sandbox": ["allow-forms"]}}}, "Further CSP directive: sandbox allow-forms."),
    ({"csp": {"directives": {"upgrade-insecure-requests": []}}}, "Further CSP directive: upgrade-insecure-requests."),
    ({"csp": {"report_only": True}}, "Report only: browsers report what the next lines forbid"),
    ({"csp": {"nonce": "always"}}, "every page has a nonce."),
    ({"csp": {"nonce": "never"}}, "Csp_nonce() is switched off."),
    ({"logs": {"quiet_paths": []}}, "Every request is logged as ever."),
    ({"logs": {"ip": "truncate"}}, "Access lines hold addresses in part, and queries as they are."),
    ({"logs": {"retention_days": 1}}, "They are to be deleted after 1 day, by"),
    ({"logs": {"retention_days": None}}, "No time is promised after which they are deleted."),
    ({"block_webrtc": True}, "Chromium lets no script use WebRTC."),
    ({"scrub_html": False}, "contacts with third parties in it stay as they are: a weakening."),
    ({"children": {"signal_header": "X-Child"}}, "the request header X-Child"),
    ({"children": {"action": "erase"}}, "somebody under 13 reaches the app empty."),
    ({"children": {"action": "mute", "age_fields": []}}, "reaches the app and no log. It is told by a birth date in"),
    ({"children": {}}, "The visitor gets privguard's own page."),
    ({"children": {"refusal": __file__}}, f"The visitor gets the page in {__file__}."),
    ({"children": {"refusal": own_page}}, f"The visitor gets what {__name__}:own_page returns."),
    ({"children": {"back_button": True}}, "Who was refused stays so for the visit: a cookie says it."),
    ({"children": NO_FIELDS}, "No submission is recognised as a child's; the app can say it with flag_child()."),
    ({}, "What a submission writes waits until it is over, and is dropped if it is a child's."),
    ({"logs": {"errors_at_once": True}}, "dropped if it is a child's; errors do not wait: a weakening."),
]


@pytest.mark.parametrize(("settings", "sentence"), RULES, ids=lambda value: str(value)[:60])
def test_settings_in_plain_words(settings, sentence):
    """Whatever is set is told."""
    assert sentence in flat(show.policy_text(Policy(settings), "test"))


def test_policy_as_json(capsys, folder):
    """A program gets the settings as they hold, and the rules below each prefix."""
    data = json.loads(shown(capsys, "--json", "--settings", "privguard.toml"))
    policy = Policy(data["settings"])
    assert policy.settings["demo_paths"] == ("/demo/",)
    assert list(data["paths"]) == ["/", "/admin/", "/boards/", "/demo/", "/kids/", "/sealed/"]
    assert data["paths"]["/"]["cookies"] == "strip"
    assert data["paths"]["/demo/"] | {"csp": {}} == {
        "demo": True,
        "cookies": "downgrade",
        "csp": {},
        "user_images": False,
        "sealed": False,
        "child": False,
    }
    assert "https:" in data["paths"]["/boards/"]["csp"]["img-src"]
    assert data["paths"]["/sealed/"]["sealed"] and data["paths"]["/kids/"]["child"]


@pytest.mark.parametrize(("refusal", "name"), [(own_page, "own_page"), (OwnPage(), "OwnPage")])
def test_policy_with_a_function_as_json(refusal, name):
    """JSON has no functions: it gets the name."""
    data = json.loads(show._json(show.policy_data(Policy({"children": {"refusal": refusal}}), "test")))
    assert data["settings"]["children"]["refusal"] == f"{__name__}:{name}"


# ── a path ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/", "/demo/chat", "/boards/window-seat", "/admin/", "/favicon.ico"])
def test_headers_of_a_path(capsys, folder, path):
    """The headers that are shown are those that a page there is sent with, byte for byte."""
    policy = Policy(json.loads(shown(capsys, "--json", "--settings", "privguard.toml"))["settings"])
    html = (b"content-type", b"text/html")
    sent = Exchange(policy, path).response_headers(200, [html], BYTES)
    expected = [(name.decode(), value.decode()) for name, value in sent if (name, value) != html]

    data = json.loads(shown(capsys, path, "--json", "--settings", "privguard.toml"))
    assert [(name.lower(), value) for name, value in data["headers"]] == expected
    lines = shown(capsys, path, "--settings", "privguard.toml").splitlines()
    assert [line for line in lines if ": " in line][-len(expected) :] == [": ".join(one) for one in data["headers"]]


def test_path_in_plain_words(capsys, folder):
    """The owner reads what happens on a page before its headers."""
    text = flat(shown(capsys, "/demo/chat", "--settings", "privguard.toml"))
    assert text.startswith("/demo/chat The policy: privguard.toml Cookies: persistent ones are kept for the visit")
    assert "Log: requests are logged as ever." in text


def test_path_where_each_submission_is_a_childs(capsys, folder):
    """The owner reads it of such a path, and of no other."""
    sentence = "Submissions: each is a child's: it is refused, and the app is not called."
    assert sentence in flat(shown(capsys, "/kids/join", "--settings", "privguard.toml"))
    assert "Submissions" not in shown(capsys, "/join", "--settings", "privguard.toml")


def test_quiet_path(capsys):
    """A quiet path says so, however it is written."""
    for path in ("/favicon.ico", "//favicon.ico", "/%66avicon.ico"):
        assert "Log: no line is written for a request." in shown(capsys, path)
        data = json.loads(shown(capsys, path, "--json"))
        assert (data["path"], data["quiet"]) == ("/favicon.ico", True)


def test_path_with_a_nonce_on_every_page(capsys, folder):
    """Where each response gets a nonce of its own, its place is shown and explained."""
    (folder / "nonce.toml").write_text('csp.nonce = "always"')
    text = shown(capsys, "/", "--settings", "nonce.toml")
    assert f"'nonce-{show.NONCE}'" in text
    assert text.endswith(f"({show.NONCE} stands for the nonce.)\n")
    assert len([line for line in text.splitlines() if line.startswith("Content-Security-Policy: ")]) == 2


# ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────────────

FILES = [
    ('[cookies]\nelswhere = "strip"', 'PRIVGUARD["cookies"]["elswhere"]: no such key; did you mean "elsewhere"?'),
    ('[privguard.cookies]\nelswhere = "x"', 'PRIVGUARD["cookies"]["elswhere"]: no such key'),
    ('demo_paths = "/demo/"', "must be a list of path prefixes, not a string; write ['/demo/']"),
    ("scrub_html = True", "is not TOML: Invalid value (at line 1, column 14); write key = value"),
    ('privguard = "x"', "write [privguard] on a line of its own"),
    ("demo_paths = []\n[privguard]", "demo_paths stands outside of [privguard]; move it below the line [privguard]"),
    ("\xff", "is not UTF-8 text; save it as UTF-8"),
]


@pytest.mark.parametrize(("text", "hint"), FILES, ids=lambda value: value[:40])
def test_file_with_a_mistake(capsys, tmp_path, monkeypatch, text, hint):
    """A mistake in a settings file is told with the file, the key and the cure."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.toml").write_text(text, encoding="latin-1")
    line = wrong(capsys, "--settings", "wrong.toml")
    assert line.startswith("privguard: wrong.toml: ")
    assert hint in line


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("privgard.toml", "there is no file privgard.toml; did you mean 'privguard.toml'?"),
        ("nowhere/at/all.toml", "name a TOML file, or module:NAME"),
        ("settings", "there is no file settings; name a TOML file, or module:NAME"),
        (".", ".: cannot be read: "),
        ("no_such_module:PRIVGUARD", "there is no module 'no_such_module'"),
        ("own_settings:PRIVGARD", "Type: privguard show --settings own_settings:PRIVGUARD"),
        ("own_settings:number", "own_settings:number is an int; name a dict such as PRIVGUARD"),
        ("own_settings:wrong", 'own_settings:wrong: PRIVGUARD["demo"]: no such key'),
    ],
)
def test_settings_that_are_not_there(capsys, folder, given, hint):
    """Whoever names settings that cannot be had is told what to name."""
    (folder / "own_settings.py").write_text("PRIVGUARD = {}\nnumber = 1\nwrong = {'demo': 1}\n")
    try:
        assert hint in wrong(capsys, "--settings", given)
    finally:
        sys.modules.pop("own_settings", None)


@pytest.mark.parametrize("name", ["PRIVGUARD", "POLICY", "make()"])
def test_settings_in_python(capsys, folder, name):
    """A dict, a Policy, and a function that makes one of them are taken as they are."""
    (folder / "own_settings.py").write_text(
        "import privguard\nPRIVGUARD = {'demo_paths': ['/try/']}\nPOLICY = privguard.Policy(PRIVGUARD)\n"
        "def make():\n    return PRIVGUARD\n"
    )
    try:
        data = json.loads(shown(capsys, "/try/it", "--json", "--settings", f"own_settings:{name}"))
    finally:
        sys.modules.pop("own_settings", None)
    assert (data["source"], data["demo"]) == (f"own_settings:{name}", True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("top.toml", 'demo_paths = ["/try/"]'),
        ("table.toml", '[other]\nx = 1\n[privguard]\ndemo_paths = ["/try/"]'),
        ("marked.toml", '\ufeffdemo_paths = ["/try/"]'),
        ("with:colon", 'demo_paths = ["/try/"]'),
    ],
)
def test_settings_in_a_file(capsys, folder, name, text):
    """Settings stand at the top of a file or in a table of their own, whatever editor wrote it."""
    (folder / name).write_text(text, encoding="utf-8")
    assert json.loads(shown(capsys, "/try/it", "--json", "--settings", name))["demo"]
