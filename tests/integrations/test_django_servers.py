"""Tests of what Django's servers write: not a line about the favicon, and every line about everything else."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "examples" / "django_site"

VISITORS = 3
ROUNDS = 2
QUIET = [
    ("GET", "/favicon.ico"),
    ("GET", "/favicon.ico?x=1"),
    ("HEAD", "/favicon.ico"),
    ("GET", "//favicon.ico"),
    ("GET", "/%66avicon.ico"),
    ("GET", "/apple-touch-icon.png"),
]
MISSING = "/missing-{}."
PAGE = "/accounts/login/?n={}."
STATIC = "/static/admin/css/base.css?n={}."

RUNSERVER = ["manage.py", "runserver", "--insecure", "127.0.0.1:{port}"]
NO_RELOAD = [*RUNSERVER, "--noreload"]
GUNICORN = ["-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--access-logfile", "-", "mysite.wsgi"]
UVICORN = ["-m", "uvicorn", "--port", "{port}", "--lifespan", "off", "mysite.asgi:application"]
# daphne writes its access lines to a stream of its own, past logging; without them Django's lines are left.
DAPHNE = ["-m", "daphne", "--port", "{port}", "--verbosity", "0", "mysite.asgi:application"]

OWN_LOGGING = """
LOGGING = {
    "version": 1,
    "disable_existing_loggers": True,
    "formatters": {"named": {"format": "%(name)s|%(message)s"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "named"}},
    "root": {"handlers": ["out"], "level": "DEBUG"},
    "loggers": {"django": {"level": "INFO"}, "django.server": {"level": "INFO", "propagate": True}},
}
"""

# The command, more settings, how many lines an ordinary request leaves by its path, what is said besides.
SERVERS = {
    "runserver": (RUNSERVER, "", {MISSING: 2, PAGE: 1, STATIC: 1}, "Watching for file changes"),
    "runserver-noreload": (NO_RELOAD, "", {MISSING: 2, PAGE: 1, STATIC: 1}, "Quit the server"),
    "runserver-own-logging": (NO_RELOAD, OWN_LOGGING, {MISSING: 2, PAGE: 1, STATIC: 1}, "django.request|Not Found"),
    "runserver-no-debug": (NO_RELOAD, "DEBUG = False", {MISSING: 1, PAGE: 1, STATIC: 1}, "Quit the server"),
    "gunicorn": (GUNICORN, "", {MISSING: 2, PAGE: 1}, "Worker exiting"),
    "gunicorn-threads": ([*GUNICORN, "--threads", "3"], "", {MISSING: 2, PAGE: 1}, "Worker exiting"),
    "uvicorn": (UVICORN, "", {MISSING: 2, PAGE: 1}, "Finished server process"),
    "daphne": (DAPHNE, "", {MISSING: 2, PAGE: 0}, ""),
}


class Server:
    """A server in a process group of its own, and what it has written so far."""

    def __init__(self, command, settings, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "more_settings.py").write_text(f"from mysite.settings import *\n{settings}\n")
        self.output = folder / "output"
        self.command = [sys.executable, *(word.format(port=self.port) for word in command)]
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "more_settings",
            "PYTHONPATH": f"{folder}{os.pathsep}{SITE}",
            "PYTHONUNBUFFERED": "1",
            "HOME": str(folder),  # where gunicorn puts its socket
        }

    def __enter__(self):
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                self.command, cwd=SITE, env=self.environment, stdout=output, stderr=output, start_new_session=True
            )
        assert wait_until(self.answers), self.written()
        return self

    def answers(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def __exit__(self, *error):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def written(self):
        return self.output.read_text(errors="replace")


def wait_until(is_so, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.05)
    return False


def browse(port, number, ordinary, asked):
    """One visitor's requests over one connection, the favicon before and behind everything else."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for round_number in range(ROUNDS):
        for path in ordinary:
            path = path.format(f"{number}-{round_number}")
            for method, one in [*QUIET, ("GET", path), *QUIET[:1]]:
                connection.request(method, one)
                connection.getresponse().read()
            asked.append(path)
    connection.close()


def visit(server, lines_by_path):
    """Send every visitor at once, wait for their lines, and return how many each ordinary path should have."""
    asked = []
    visitors = [
        threading.Thread(target=browse, args=(server.port, number, list(lines_by_path), asked))
        for number in range(VISITORS)
    ]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    wanted = {
        path.format(f"{number}-{round_number}"): count
        for path, count in lines_by_path.items()
        for number in range(VISITORS)
        for round_number in range(ROUNDS)
    }
    assert sorted(asked) == sorted(wanted)
    wait_until(lambda: sum(counted(server, wanted).values()) >= sum(wanted.values()), seconds=10)
    return wanted


def counted(server, paths):
    counts = Counter(dict.fromkeys(paths, 0))
    for line in server.written().splitlines():
        # Django names a missing page without its query, a server with it
        counts.update(path for path in paths if path in line)
    return dict(counts)


def quiet_lines(server):
    return [line for line in server.written().splitlines() if "avicon" in line or "touch-icon" in line]


@pytest.mark.parametrize("name", SERVERS)
def test_quiet_paths_leave_no_line_and_all_others_do(name, tmp_path):
    """Three visitors at once, over kept connections: of some requests nothing is written, of the others all."""
    command, settings, lines_by_path, said = SERVERS[name]
    with Server(command, settings, tmp_path) as server:
        wanted = visit(server, lines_by_path)
        counts = counted(server, wanted)
    assert counts == wanted
    assert quiet_lines(server) == []
    assert said in server.written()


def test_quiet_paths_without_privguard(tmp_path):
    """Were the server to keep quiet about it by itself, the test above would prove nothing."""
    with Server(NO_RELOAD, "MIDDLEWARE = MIDDLEWARE[1:]", tmp_path) as server:
        visit(server, {PAGE: 1})
    # one from runserver, and one from Django, which finds no such page
    assert len(quiet_lines(server)) == VISITORS * ROUNDS * (len(QUIET) + 1) * 2
