"""Tests of ``privguard prove forgetting``, as a user starts it: on apps of each framework, and on the example site."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from privguard.cli import main

SITES = {
    "flask_site": """\
        import hashlib, sqlite3
        from flask import Flask, request
        app = Flask(__name__)

        @app.post("/join")
        def join():
            typed = request.get_json() if request.is_json else request.form
            app.logger.info("born %s", typed["birthdate"])
            with sqlite3.connect("site.db") as database:
                database.execute("CREATE TABLE IF NOT EXISTS member (mail)")
                database.execute("INSERT INTO member VALUES (?)", [hashlib.sha256(typed["email"].encode()).hexdigest()])
            database.close()
            return "Welcome"
    """,
    "starlette_site": """\
        import gzip, os, tempfile
        from starlette.applications import Starlette
        from starlette.responses import PlainTextResponse
        from starlette.routing import Route

        async def join(request):
            async with request.form() as form:
                if "file" in form:
                    with gzip.open(os.path.join(tempfile.gettempdir(), "upload.gz"), "wb") as file:
                        file.write(await form["file"].read())
                print("hello", form.get("name"))
            answer = PlainTextResponse("Welcome")
            answer.set_cookie("last", request.query_params["from"])
            return answer

        app = Starlette(routes=[Route("/join", join, methods=["POST"])])
    """,
    "django_site": """\
        import base64, logging, sys
        from django.conf import settings
        from django.core.asgi import get_asgi_application
        from django.core.wsgi import get_wsgi_application
        from django.http import HttpResponse
        from django.urls import path

        settings.configure(
            ALLOWED_HOSTS=["shop.example"],
            MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
            ROOT_URLCONF=__name__,
            SECRET_KEY="only a test",
        )

        def join(request):
            name = request.POST.get("name", "")
            logging.getLogger("site").warning("token %s", base64.b64encode(f"name={name}".encode()).decode())
            return HttpResponse(f"Welcome, {name}")

        urlpatterns = [path("join", join)]
        app = get_wsgi_application()
        asgi = get_asgi_application()
    """,
    "quiet_site": """\
        def app(environ, start_response):
            environ["wsgi.input"].read()
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"Welcome"]

        def refusing(guarded):
            def refuse(environ, start_response):
                start_response("403 Forbidden", [("Cache-Control", "no-store")])
                return [b"We do not take this."]
            return refuse

        import flask_site, starlette_site
        careless_refused = refusing(flask_site.app)
    """,
}


@pytest.fixture
def folder(tmp_path):
    """The current folder, with the sites in it, beside a temporary folder."""
    (tmp_path / "tmp").mkdir()
    here = tmp_path / "here"
    here.mkdir()
    for name, code in SITES.items():
        (here / f"{name}.py").write_text(re.sub("^        ", "", code, flags=re.MULTILINE))
    return here


def prove(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"TMPDIR": str(folder.parent / "tmp"), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-W", "error", "-m", "privguard", "prove", "forgetting", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100)


def test_flask_app_that_logs_and_stores(folder):
    """A birth date in the log is found, and the digest of an address in the database."""
    ended = prove(folder, "flask_site:app", "--path", "/join")
    assert ended.returncode == 1
    assert "field birthdate (urlencoded, multipart, JSON): plain\n    born [mark of field birthdate]" in ended.stdout
    assert f"file {folder}/site.db\n" in ended.stdout
    assert "field email (JSON): sha256 in hex" in ended.stdout
    assert "urlencoded 200, multipart 200, JSON 200" in ended.stdout


def test_starlette_app_that_prints_and_stores(folder):
    """So is what is printed, a file of an upload in the temporary folder, packed, and a cookie."""
    ended = prove(folder, "starlette_site:app", "--path", "/join")
    assert ended.returncode == 1
    assert "stdout\n  field name (urlencoded, multipart): plain\n    hello [mark of field name]" in ended.stdout
    assert f"file {folder.parent}/tmp/upload.gz\n  file content (multipart): plain, in gzip\n" in ended.stdout
    assert "cookie of the answer\n  query string (urlencoded, multipart, JSON): plain" in ended.stdout
    assert ended.stdout.startswith("hello ")  # what the app prints is shown


@pytest.mark.parametrize("app", ["app", "asgi"])
def test_django_app_that_logs_and_answers(folder, app):
    """And so is what stands in base64; Django's protection against forged requests lets the submissions in."""
    ended = prove(folder, f"django_site:{app}", "--path", "/join", "--host", "shop.example")
    assert ended.returncode == 1, ended.stderr
    assert re.search(r"token bmFtZT\S*\[mark of field name\]", ended.stdout)
    assert "body of the answer\n  field name (urlencoded, multipart): plain" in ended.stdout
    assert "urlencoded 200, multipart 200, JSON 200" in ended.stdout


@pytest.mark.parametrize("app", ["app", "careless_refused"])
def test_app_that_leaves_nothing(folder, app):
    """Exit code 0, and a list of what was looked through; so it is for a careless site behind a refusal."""
    ended = prove(folder, f"quiet_site:{app}", "--path", "/join")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("Looked through:\n  submissions, and what the app answered: ")
    assert ended.stdout.endswith("\nNothing of the submissions was found.\n")
    assert "Left out" not in ended.stdout


def test_careless_example_site(folder):
    """The example site, unguarded, leaves what was typed in its log, and an identifier in its cookie."""
    ended = prove(folder, "customchat.bare:create_app()", "--path", "/join")
    assert ended.returncode == 1
    assert "log record of customchat.bare (INFO)\n" in ended.stdout
    assert "field birthdate (urlencoded, multipart): plain" in ended.stdout
    assert "visitor=[mark of cookie]; Max-Age=31536000; Path=/" in ended.stdout


# ── in this process ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def here(folder, monkeypatch):
    """The same folder, for what is run in this process."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("tempfile.tempdir", str(folder.parent / "tmp"))
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) & set(SITES) - before:
        del sys.modules[name]


@pytest.mark.parametrize(("name", "code"), [("flask_site", 1), ("quiet_site", 0)])
def test_exit_codes(capsys, here, name, code):
    """1 when something was found, 0 when nothing was; the fields that were given are sent."""
    assert main(["prove", "forgetting", f"{name}:app", "--path", "/join", "--field", "birthdate=2018-05-05"]) == code
    assert ("field birthdate: plain" in capsys.readouterr().out) == (code == 1)


WRONG = [
    (["prove"], "type, for example: privguard prove forgetting module:app --path /join"),
    (["prove", "everything", "a:b", "--path", "/"], "invalid choice: 'everything'"),
    (["prove", "forgetting", "flask_site:app"], "the following arguments are required: --path; type, for example: "),
    (["prove", "forgetting", "flask_site:app", "--pth", "/"], 'did you mean "--path"?'),
    (["prove", "forgetting", "flask_site:app", "--path", "/nowhere"], "answers 404 to /nowhere; name the path"),
    (["prove", "forgetting", "flask_site:app", "--path", "join"], "'join' is no path of a site; it begins with /"),
    (["prove", "forgetting", "flask_site:ap", "--path", "/join"], "Type: privguard prove forgetting flask_site:app"),
    (["prove", "forgetting", "flask_site", "--path", "/join"], "type: privguard prove forgetting flask_site:NAME"),
    (["prove", "forgetting", "nowhere:app", "--path", "/join"], "there is no module 'nowhere'"),
    (
        ["prove", "forgetting", "flask_site:join", "--path", "/join"],
        'type: privguard prove forgetting "flask_site:join()"',
    ),
    (["prove", "forgetting", "flask_site:app", "--path", "/join", "--field", "age"], "--field birthdate=2018-05-05"),
    (["prove", "forgetting", "flask_site:app", "--path", "/join", "--watch", "zz"], "there is no folder zz"),
]


@pytest.mark.parametrize(("arguments", "hint"), WRONG, ids=lambda value: " ".join(value[-2:])[:40])
def test_wrong_use(capsys, here, arguments, hint):
    """Exit code 2, and one line that says what to type."""
    assert main(arguments) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert hint in errors
    assert errors.startswith("privguard: ") and errors.count("\n") == 1
