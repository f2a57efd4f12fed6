"""The examples, each served by the command that its README gives, and a real Chromium that visits them."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from browsers.browser import Browser
from browsers.programs import Process

EXAMPLES = Path(__file__).parents[2] / "examples"
PASSWORD = "lovelace"  # as the READMEs have it
ADMIN = {"DJANGO_SUPERUSER_USERNAME": "ada", "DJANGO_SUPERUSER_EMAIL": "", "DJANGO_SUPERUSER_PASSWORD": PASSWORD}

# The same sites with a log-in that is meant to last, as their frameworks would have it or let an app ask for it.
LASTING = {
    "flask_app": """
from app import app
from flask import session

@app.after_request
def last(response):
    if session:
        session.permanent = True
    return response
""",
    "fastapi_app": """
from app import app, site

(sessions,) = site.user_middleware
sessions.kwargs["max_age"] = 14 * 24 * 60 * 60
""",
    "django_site": """
from mysite.settings import *

SESSION_EXPIRE_AT_BROWSER_CLOSE = False
CSRF_COOKIE_AGE = 60 * 60 * 24 * 7 * 52
""",
}


class Server(NamedTuple):
    """A server that answers at *url*, and what it has printed so far."""

    url: str
    written: Callable[[], str]


class Example(NamedTuple):
    """One of the examples with a log-in, while it is served."""

    name: str
    lasts: bool
    """Whether its log-in is meant to last beyond the visit."""
    server: Server


def readme_commands(name: str) -> list[list[str]]:
    """Return the commands that an example's README tells its reader to type."""
    lines = (EXAMPLES / name / "README.md").read_text("utf-8").splitlines()
    return [shlex.split(line) for line in lines if line.startswith("    ")]


def in_this_environment(command: Sequence[str]) -> list[str]:
    """Return a command with the Python, or the script beside it, that runs the tests."""
    program, *arguments = command
    python = Path(sys.executable)
    return [str(python if program == "python" else python.with_name(program)), *arguments]


def on_port(command: Sequence[str], port: int) -> list[str]:
    """Return the command of a server with the port that it shall listen on."""
    return [*command, f"{port}", "--noreload"] if "runserver" in command else [*command, "--port", f"{port}"]


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def serving(
    command: Sequence[str], folder: Path, cwd: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run the command of a server on a free port, with what it leaves behind in *folder*."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ours = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    process = Process(in_this_environment(on_port(command, port)), folder, {**ours, **(environment or {})}, cwd)
    try:
        process.wait_for(lambda: answers(port))
        yield Server(f"http://127.0.0.1:{port}", process.written)
    finally:
        process.end()


@pytest.fixture(scope="session")
def serve() -> Callable[..., contextlib.AbstractContextManager[Server]]:
    """What serves a site of a test's own."""
    return serving


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The database of the Django site, as the commands of its README set it up."""
    path = str(tmp_path_factory.mktemp("database") / "site.sqlite3")
    for command in readme_commands("django_site"):
        if command[0] == "python" and "runserver" not in command:
            asked = ["--noinput"] if "createsuperuser" in command else []  # what it would ask for is in ADMIN
            subprocess.run(
                [*in_this_environment(command), *asked],
                cwd=EXAMPLES / "django_site",
                env={**os.environ, **ADMIN, "DATABASE": path, "PYTHONDONTWRITEBYTECODE": "1"},
                check=True,
                capture_output=True,
            )
    return path


@pytest.fixture(scope="module", params=[*LASTING, *(f"{name}-lasting" for name in LASTING)])
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Each example, as it is and with a log-in that is meant to last."""
    name, _, lasts = request.param.partition("-")
    folder = tmp_path_factory.mktemp(name)
    command = readme_commands(name)[-1]
    environment = {"PYTHONPATH": f"{folder}{os.pathsep}{EXAMPLES / name}"}
    if name == "django_site":
        environment["DATABASE"] = request.getfixturevalue("database")
    if lasts:
        (folder / "lasting.py").write_text(LASTING[name])
        command = [{"app": "lasting", "app:app": "lasting:app"}.get(word, word) for word in command]
        environment["DJANGO_SETTINGS_MODULE"] = "lasting"
    with serving(command, folder, EXAMPLES / name, environment) as server:
        yield Example(name, bool(lasts), server)


@pytest.fixture
def contacts(chromium: Browser) -> Callable[[], set[str]]:
    """What tells the other origins from which the page that Chromium shows has tried to load anything."""

    def tell() -> set[str]:
        loads = 'performance.getEntriesByType("resource").map(one => one.name)'
        tried = chromium.run(f"return {loads}.map(one => new URL(one)).map(one => one.origin)")
        blocked = [url for _, url, *_ in (line.split(" ") for line in chromium.violations())]
        return {*tried, *blocked} - {chromium.run("return location.origin")}

    return tell
