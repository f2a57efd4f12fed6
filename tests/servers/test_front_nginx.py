"""Tests of a front server's own log: nginx in front of a guarded site, told by a header which line to leave out."""

from __future__ import annotations

import os
import subprocess

import pytest

from browsers.programs import require, wait_until
from servers.harness import Server, ask, free_port

HEADER = "X-Privguard-Log"
CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.txt crit;
events {{ worker_connections 64; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $upstream_http_x_privguard_log $wanted {{
        off 0;
        default 1;
    }}
    access_log {folder}/access.log combined if=$wanted;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{upstream};
            proxy_hide_header X-Privguard-Log;
        }}
    }}
}}
"""


class Nginx(Server):
    """nginx in front of *upstream*; its access log is what this server has written."""

    def __init__(self, program, folder, upstream):
        self.program, self.folder, self.upstream = program, folder, upstream
        self.command, self.environment = [program], dict(os.environ)

    def _start(self):
        self.port = free_port()
        configuration = self.folder / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(folder=self.folder, port=self.port, upstream=self.upstream.port))
        with (self.folder / "output.txt").open("wb") as output:
            command = [self.program, "-c", str(configuration), "-e", str(self.folder / "start.txt")]
            self.process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)


@pytest.fixture
def front(start, tmp_path):
    """Return nginx in front of a site behind a server of this name."""
    program = require("nginx")
    running = []

    def started(name, **options):
        site = start(name, policy={"logs": {"front_header": HEADER}}, **options)
        folder = tmp_path / "nginx"
        folder.mkdir()
        running.append(Nginx(program, folder, site).__enter__())
        return running[-1]

    yield started
    for nginx in running:
        nginx.__exit__()


@pytest.mark.parametrize("name", ["uvicorn-h11", "gunicorn-sync"])
def test_nginx_leaves_out_what_privguard_marks(name, front):
    """The favicon and a child's submission are in nobody's log; the rest is; and no visitor sees the mark."""
    nginx = front(name)
    quiet = [
        ask(nginx, "GET", "/favicon.ico"),
        ask(nginx, "HEAD", "/favicon.ico?v=1"),
        ask(nginx, "GET", "//favicon.ico"),
        ask(nginx, "GET", "/apple-touch-icon.png"),
        ask(nginx, "POST", "/join?name=favicon", body=b"age=7"),
    ]
    ordinary = [ask(nginx, "GET", page) for page in ("/plain", "/page", "/no-content", "/raise-before")]
    assert [answer.status for answer in quiet] == [200, 200, 200, 404, 200]
    assert [answer.status for answer in ordinary] == [200, 200, 204, 500]
    assert not any(answer.every(HEADER.lower()) for answer in [*quiet, *ordinary])
    assert wait_until(lambda: len(nginx.lines("HTTP/1.1")) >= len(ordinary))
    nginx.__exit__()
    assert [line.split('"')[1].split()[1] for line in nginx.lines("HTTP/1.1")] == [
        "/plain",
        "/page",
        "/no-content",
        "/raise-before",
    ]


def test_nginx_logs_the_favicon_of_a_bare_site(front):
    """Were nginx to keep quiet about it by itself, the test above would prove nothing."""
    nginx = front("gunicorn-sync", bare=True)
    ask(nginx, "GET", "/favicon.ico")
    assert wait_until(lambda: nginx.lines("/favicon.ico"))
