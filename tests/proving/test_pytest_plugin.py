"""Tests of the fixture, as it is and in a run of pytest's own."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from privguard.pytest_plugin import prove_forgetting  # noqa: F401  the fixture of the first test
from proving import sites

TESTS = """\
def keeps(environ, start_response):
    print(environ["QUERY_STRING"])
    start_response("200 OK", [])
    return []

def forgets(environ, start_response):
    start_response("200 OK", [])
    return []

def test_keeps(prove_forgetting):
    report = prove_forgetting(keeps, "/join", {"birthdate": "2018-05-05"})
    assert report.is_clean, str(report)

def test_forgets(prove_forgetting, capsys):
    report = prove_forgetting(forgets, "/join")
    assert report.is_clean, str(report)
"""


def test_fixture(prove_forgetting, tmp_path, monkeypatch):  # noqa: F811
    """It is the function itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert not prove_forgetting(sites.echoes, "/join").is_clean


def test_fixture_in_a_run_of_pytest(tmp_path):
    """A test that fails shows the report; what the app prints within pytest is seen however pytest captures it."""
    (tmp_path / "test_site.py").write_text(TESTS)
    for capture in ("fd", "sys", "no"):
        command = [sys.executable, "-m", "pytest", "-p", "privguard.pytest_plugin", "-p", "no:cacheprovider"]
        run = subprocess.run(
            [*command, "-p", "no:privguard", "-W", "error", f"--capture={capture}", "test_site.py"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert "1 failed, 1 passed" in run.stdout, run.stdout + run.stderr
        assert "from=[mark of query string]" in run.stdout


def test_entry_point():
    """pytest finds the plug-in by itself where privguard is installed."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"privguard": "privguard.pytest_plugin"}
