"""Servers of the marked site, and a hundred visitors who come at once: ordinary ones, favicons and children."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import random
import re
import sys
from pathlib import Path

from browsers.programs import wait_until
from servers.harness import APPS, GUNICORN, SECONDS, Server, request_head

SERVE = str(APPS / "serve_marked.py")
ASGI = "marked_site:asgi"
WSGI = "marked_site:wsgi"
EVERY_FIELD = "%(h)s %(r)s %(s)s %({referer}i)s %({user-agent}i)s %({cookie}i)s %({x-secret}i)s"

UVICORN = ["-m", "uvicorn", "--port", "{port}", ASGI]
HYPERCORN = ["-m", "hypercorn", "--bind", "127.0.0.1:{port}", "--access-logfile", "-", "--access-logformat"]
HYPERCORN += [EVERY_FIELD.replace("(r)", "(R)").replace("{", "{{").replace("}", "}}")]
GUNICORNS = [*GUNICORN, "--access-logformat", EVERY_FIELD.replace("{", "{{").replace("}", "}}")]
GRANIAN = ["-m", "granian", "--host", "127.0.0.1", "--port", "{port}", "--access-log", "--access-log-fmt"]
GRANIAN += ["%(method)s %(path)s %(query_string)s %(status)s %(header{{x-secret}})s %(header{{cookie}})s"]

MARKED = {
    "uvicorn-h11": [*UVICORN, "--http", "h11"],
    "uvicorn-httptools": [*UVICORN, "--http", "httptools"],
    "uvicorn-workers": [*UVICORN, "--workers", "2"],
    "uvicorn-reload": [*UVICORN, "--reload"],
    "hypercorn-asyncio": [*HYPERCORN, ASGI],
    "hypercorn-trio": [*HYPERCORN, "-k", "trio", ASGI],
    "hypercorn-wsgi": [*HYPERCORN, f"wsgi:{WSGI}"],
    "granian-asgi": [*GRANIAN, "--interface", "asgi", ASGI],
    "granian-wsgi": [*GRANIAN, "--interface", "wsgi", "--blocking-threads", "4", WSGI],
    "daphne": ["-m", "daphne", "--port", "{port}", ASGI],
    "gunicorn-sync": [*GUNICORNS, "--workers", "2", WSGI],
    "gunicorn-gthread": [*GUNICORNS, "--threads", "4", WSGI],
    "gunicorn-gevent": [*GUNICORNS, "-k", "gevent", WSGI],
    "gunicorn-gevent-pywsgi": [*GUNICORNS, "-k", "gevent_pywsgi", WSGI],
    "gunicorn-uvicorn": [*GUNICORNS, "-k", "uvicorn.workers.UvicornWorker", ASGI],
    "gunicorn-asgi": [*GUNICORNS, "-k", "asgi", ASGI],
    "waitress": ["-m", "waitress", "--listen", "127.0.0.1:{port}", WSGI],
    "paste-translogger": [SERVE, "paste", "{port}"],
    "cheroot": [SERVE, "cheroot", "{port}"],
    "cherrypy": [SERVE, "cherrypy", "{port}"],
    "gevent-pywsgi": [SERVE, "gevent", "{port}"],
    "werkzeug": [SERVE, "werkzeug", "{port}"],
    "flask-run": ["-m", "flask", "--app", "marked_site:flask_app", "run", "--port", "{port}"],
    "flask-run-debug": ["-m", "flask", "--app", "marked_site:flask_app", "--debug", "run", "--port", "{port}"],
    "runserver": [SERVE, "runserver", "{port}"],
    "runserver-daphne": [SERVE, "runserver_daphne", "{port}"],
    "wsgiref": [SERVE, "wsgiref", "{port}"],
    "uwsgi": [SERVE, "uwsgi", "{port}"],
    "uwsgi-threads": [SERVE, "uwsgi_threads", "{port}"],
}
NOT_TRIED = {
    "mod_wsgi": "it is built against Apache's headers, which pip does not bring",
    "hypercorn -k trio wsgi:": "Hypercorn 0.18 does not start so, with any app",
}
NEEDS = {"granian": "granian", "cheroot": "cheroot", "cherrypy": "cherrypy", "gevent": "gevent", "paste": "paste"}
NEEDS |= {"trio": "trio", "uvicorn-reload": "watchfiles"}

MARK, CHILD, FAVICON = "canary", "kid", "avicon.ico"


def missing(name):
    """Return what is to be installed before this server can be tried."""
    if name.startswith("uwsgi"):
        return None if Path(sys.executable).with_name("uwsgi").exists() else "uwsgi"
    for part, package in NEEDS.items():
        if part in name and importlib.util.find_spec(package) is None:
            return package
    return None


# ── who comes ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Visit:
    """One request, and how much of its answer the visitor waits for."""

    def __init__(self, method, target, body=b"", kind="", mark="", leaves="", token=""):
        headers = [("Connection", "close")]
        if mark:
            headers += [(name, f"{mark}-{name}") for name in ("X-Secret", "User-Agent")]
            headers += [("Cookie", f"c={mark}-cookie"), ("Referer", f"http://x/{mark}-referer")]
        if body:
            headers += [("Content-Type", kind), ("Content-Length", len(body))]
        self.request = request_head(method, target, headers) + body
        self.leaves, self.token = leaves, token

    async def pay(self, port, patience):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(self.request[:-5] if self.leaves == "in the request" else self.request)
            if self.leaves == "in the answer":
                await reader.readuntil(b"[1]")
            elif self.leaves:
                await asyncio.sleep(0.05)
            else:
                await asyncio.wait_for(reader.read(), patience)
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass
        finally:
            writer.close()


TAKES_WHOLE_BODIES = ("uwsgi", "uwsgi-threads", "pywsgi")  # of one that is cut off, the app may read nothing

FORM = "application/x-www-form-urlencoded"


def body_of(kind, word, age):
    """Return a body of this kind with *word* in it, and its media type; the age comes first, where there is one."""
    if kind == "form":
        return f"age={age}&who={word}-form".encode(), FORM
    if kind == "json":
        return json.dumps({"age": age, "who": f"{word}-json"}).encode(), "application/json"
    part = f'--b\r\nContent-Disposition: form-data; name="age"\r\n\r\n{age}\r\n'
    part += f'--b\r\nContent-Disposition: form-data; name="f"; filename="{word}-file.png"\r\n\r\nx\r\n'
    return f"{part}--b--\r\n".encode(), "multipart/form-data; boundary=b"


KINDS = ("form", "json", "file")


def ordinary_visits():
    for number in range(30):
        token = f"ord{number}q"
        way = ("plain", "list", "slow")[number % 3]
        target = f"/page/{way}/{token}"
        if number % 2:
            yield Visit("GET", target + (f"?q={token}" if number % 4 == 1 else ""), token=token)
        else:
            yield Visit("POST", target, *body_of(KINDS[number % 3], token, 40), token=token)


def failing_visits():
    for number in range(8):
        token = f"bad{number}q"
        target = f"/page/{('raise', 'break')[number % 2]}/{token}"
        body = body_of("form", token, 40) if number > 3 else ()
        yield Visit("POST" if body else "GET", target, *body, token=token)


def favicon_visits(name):
    targets = ["/favicon.ico", "/favicon.ico?v={}", "//favicon.ico", "/%66avicon.ico", "/a/../favicon.ico?{}"]
    if name == "cherrypy":
        targets[2] = targets[0]  # it takes what follows two slashes for a host, and answers with its page "/"
    for number in range(20):
        mark = f"{MARK}{number}f"
        target = targets[number % 5].format(mark)
        leaves = ("", "at once", "in the request")[number % 3] if number > 9 else ""
        body = body_of("form", mark, 40) if number % 4 == 3 or leaves == "in the request" else ()
        yield Visit("POST" if body else ("GET", "HEAD")[number % 2], target, *body, mark=mark, leaves=leaves)


def child_visits(name):
    for number in range(50):
        action = ("refuse", "erase", "mute", "flag")[number % 4]
        way = ("plain", "list", "raise", "break", "slow")[number % 5]
        mark = f"{MARK}{number}c"
        target = f"/{action}/{way}/{CHILD}{number}q?who={mark}-query"
        leaves = ""
        if number >= 40:
            leaves = ("at once", "in the request", "in the answer")[number % 3]
            if leaves == "in the request" and (action == "flag" or name.endswith(TAKES_WHOLE_BODIES)):
                continue  # nobody has known
            target = target.replace(way, "slow")
        elif number >= 32 and action != "flag":  # a form that is sent in the query
            yield Visit("GET", f"{target}&age=7", mark=mark)
            continue
        body = body_of(KINDS[number % 3], mark, 40 if action == "flag" else 7)
        yield Visit("POST", target, *body, mark=mark, leaves=leaves)


async def _come(server, visits, patience):
    await asyncio.gather(*(visit.pay(server.port, patience) for visit in visits))


class Told:
    """What one server has written of everybody's visit, in its files."""

    def __init__(self, name, folder, gate, *, bare):
        # By itself daphne never ends an answer that fails in the middle, and soon ceases to tell of failures.
        patience, failing = (1.5, []) if "daphne" in name else (SECONDS, list(failing_visits()))
        self.tokens = [visit.token for visit in (*ordinary_visits(), *failing)]
        with Server(MARKED[name], folder, gate, bare=bare) as server:
            crowd = [*ordinary_visits(), *favicon_visits(name), *child_visits(name)]
            random.Random(len(name)).shuffle(crowd)
            asyncio.run(_come(server, crowd, patience))
            for visit in failing:  # one by one: threads write their tracebacks into one another's lines
                asyncio.run(_come(server, [visit], patience))
            asyncio.run(_come(server, [Visit("GET", "/page/plain/last", token="last")], patience))
            wait_until(lambda: server.lines("end [last]"))
        self.files = {path.name: path.read_text(errors="replace") for path in sorted(folder.glob("*.log"))}
        self.text = "\n".join(self.files.values())

    def lines(self, *parts):
        return [line for line in self.text.splitlines() if any(part in line for part in parts)]

    def of_ordinary(self):
        """Return the lines of each ordinary visit, in each file's order; what differs from run to run left out."""
        return {
            (name, token): [_masked(line, token) for line in text.splitlines() if token in line]
            for name, text in self.files.items()
            for token in self.tokens
        }


def _masked(line, token):
    return re.sub(r"\d+", "#", line.replace(token, "TOKEN"))
