"""Tests of ``privguard export``: what rotates logs, what it takes to print a front's configuration, and mistakes."""

from __future__ import annotations

import configparser
import os
import subprocess

import pytest

from browsers.programs import require
from privguard import Policy
from privguard.cli import main
from privguard.cli._front import Field, front_of
from privguard.cli._log_commands import FORMATS

SETTINGS = """\
first_party = ["https://www.site.example"]

[logs]
front_header = "X-Privguard-Log"
retention_days = 14
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with a settings file in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "privguard.toml").write_text(SETTINGS)
    (tmp_path / "empty.toml").write_text("")
    (tmp_path / "odd.toml").write_text('[logs]\nfront_header = "X\'$`|Log"\n')
    return tmp_path


def exported(capsys, *arguments: str) -> str:
    assert main(["export", *arguments]) == 0
    output, errors = capsys.readouterr()
    assert errors == ""
    return output


# ── rotation ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("days", "kept"), [("1", 0), ("2", 1), ("14", 13)])
def test_logrotate(folder, capsys, days, kept):
    """Run each day, it keeps so few files that no line is older than promised, also on days without a line."""
    program = require("logrotate")
    configuration = folder / "site.conf"
    (folder / "my logs").mkdir()
    log = folder / "my logs" / "site.log"
    configuration.write_text(exported(capsys, "logrotate", "my logs/*.log", "--days", days))
    configuration.chmod(0o644)
    for day in range(20):
        with log.open("a") as lines:
            lines.write(f"day {day}\n" if day % 3 else "")
        command = [program, "--force", "--state", str(folder / "state"), str(configuration)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        assert log.read_text() == ""  # the program that has it open goes on writing to it
        files = {path.name for path in log.parent.iterdir()}
        assert len(files) == 1 + min(day + 1, kept)
    texts = [(log.parent / f"site.log.{number}").read_text() for number in range(1, kept + 1)]
    assert texts == [f"day {19 - age}\n" if (19 - age) % 3 else "" for age in range(kept)]


def test_logrotate_by_age(folder, capsys):
    """After a pause, what has become too old is deleted with the first run, however few files there are."""
    program = require("logrotate")
    (folder / "site.log").write_text("new\n")
    for number, days in ((1, 1), (2, 20)):
        old = folder / f"site.log.{number}"
        old.write_text("old\n")
        stamp = old.stat().st_mtime - days * 86_400
        os.utime(old, (stamp, stamp))
    configuration = folder / "site.conf"
    configuration.write_text(exported(capsys, "logrotate", "site.log", "--settings", "privguard.toml"))
    subprocess.run([program, "--force", "--state", str(folder / "state"), str(configuration)], check=True)
    assert sorted(path.name for path in folder.glob("site.log*")) == ["site.log", "site.log.1", "site.log.2"]


@pytest.mark.parametrize(("days", "kept", "file"), [("30", "29day", "24h"), ("1", "12h", "12h")])
def test_journald(folder, capsys, days, kept, file):
    """What it has put aside and what it still writes to are together no older than promised."""
    parser = configparser.ConfigParser()
    parser.optionxform = str
    text = exported(capsys, "journald", "--days", days)
    parser.read_string(text)
    assert dict(parser["Journal"]) == {"MaxRetentionSec": kept, "MaxFileSec": file, "ForwardToSyslog": "no"}
    assert f"for more than {days} day" in text


def test_the_number_of_days_of_the_settings(folder, capsys):
    """It is what the settings promise, or what is typed instead."""
    assert "MaxRetentionSec=13day" in exported(capsys, "journald", "--settings", "privguard.toml")
    assert "MaxRetentionSec=6day" in exported(capsys, "journald", "--settings", "privguard.toml", "--days", "7")


# ── fronts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("program", ["nginx", "apache", "caddy"])
@pytest.mark.parametrize("ip", ["full", "truncate", "none"])
def test_fronts(folder, capsys, program, ip):
    """Two lines say where to put it; it names the header, the quiet paths and the folder."""
    with (folder / "privguard.toml").open("a") as settings:
        settings.write(f'ip = "{ip}"\n')
    text = exported(capsys, program, "files of mine", "--settings", "privguard.toml")
    first, second, third = text.splitlines()[:3]
    assert first.startswith("# From privguard. Save it as /etc/") and second.startswith("# Then type: ")
    assert not third.startswith("#") and max(len(first), len(second)) < 130
    assert f'"{folder}/files of mine"' in text
    assert "https://www.site.example" in text
    assert "favicon" in text


@pytest.mark.parametrize("program", ["nginx", "apache", "caddy"])
def test_fronts_without_quiet_paths(folder, capsys, program):
    """Then the app's mark alone decides."""
    with (folder / "privguard.toml").open("a") as settings:
        settings.write("quiet_paths = []\n")
    text = exported(capsys, program, "--settings", "privguard.toml")
    assert "favicon" not in text and "X-Privguard-Log" in text


def test_prefixes_that_change_nothing():
    """They are left out; a longer prefix that goes back to what holds everywhere is not."""
    settings = {
        "demo_paths": ["/demo/"],
        "csp": {
            "paths": {
                "/a/": {"img-src": ["*"]},
                "/a/b/": {"img-src": ["'self'", "data:"]},
                "/a/c/": {"img-src": ["*"]},
                "/": {"font-src": ["'none'"]},
            }
        },
    }
    policy, *_ = front_of(Policy(settings), "X-Log", None).fields
    assert isinstance(policy, Field) and list(policy.below) == ["/a/b/", "/a/"]
    assert policy.below["/a/b/"] == policy.everywhere and "font-src 'none'" in policy.everywhere


WRONG_USE = [
    (["nginx"], 'the settings name none; set logs.front_header = "X-Privguard-Log"'),
    (["nginx", "--settings", "odd.toml"], "a name of letters, digits and hyphens"),
    (["caddy", "a", "b", "--settings", "privguard.toml"], "type: privguard export caddy 'a'"),
    (["apache", "", "--settings", "privguard.toml"], "'' cannot stand in a configuration"),
    (["nginx", "/srv/a\nb", "--settings", "privguard.toml"], "cannot stand in a configuration"),
    *(
        (["nginx", f"/srv/a{char}b", "--settings", "privguard.toml"], "means something to nginx")
        for char in "\"'`$%\\{}#;<>*?[]"
    ),
    (["logrotate", "/var/log/x.log"], 'type, for example: privguard export logrotate "/var/log/x.log" --days 30'),
    (["journald", "--settings", "empty.toml"], "type, for example: privguard export journald --days 30"),
    (["logrotate", "--days", "3"], 'privguard export logrotate "/var/log/shop/*.log"'),
    (["logrotate", 'a"b', "--days", "3"], "cannot stand in a configuration"),
    (
        ["journald", "/var/log", "--days", "3"],
        "journald has no files to name; type: privguard export journald --days 3",
    ),
    (["journald", "--days", "0"], "'0' is no number of days"),
    (["lighttpd"], "invalid choice: 'lighttpd'"),
    ([], "the following arguments are required: PROGRAM"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG_USE, ids=lambda value: repr(value)[:40])
def test_wrong_use(folder, capsys, arguments, message):
    """One line says what to type."""
    assert main(["export", *arguments]) == 2
    output, errors = capsys.readouterr()
    assert output == "" and message in errors and errors.count("\n") == 1


def test_programs(capsys):
    """The help names each."""
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    shown = capsys.readouterr().out
    assert all(name in shown for name in FORMATS)
