"""Serve the marked site by a server that is started by a script of its owner's: python serve_marked.py NAME PORT."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HOST = "127.0.0.1"


def wsgiref(port, app):
    from wsgiref.simple_server import make_server

    from serve import ThreadedServer

    ThreadedServer.request_queue_size = 128
    make_server(HOST, port, app, server_class=ThreadedServer).serve_forever()


def werkzeug(port, app):
    from werkzeug.serving import run_simple

    run_simple(HOST, port, app, threaded=True)


def cheroot(port, app):
    from cheroot.wsgi import Server

    Server((HOST, port), app, request_queue_size=128).safe_start()


def cherrypy(port, app):
    import cherrypy

    cherrypy.tree.graft(app, "/")
    cherrypy.config.update({"server.socket_host": HOST, "server.socket_port": port, "server.socket_queue_size": 128})
    cherrypy.config.update({"engine.autoreload.on": False})
    cherrypy.engine.start()
    cherrypy.engine.block()


def gevent(port, app):
    from gevent.pywsgi import WSGIServer

    WSGIServer((HOST, port), app).serve_forever()


def paste(port, app):
    from paste.translogger import TransLogger
    from waitress import serve

    serve(TransLogger(app, setup_console_handler=False), host=HOST, port=port)


def runserver(port, app):
    _django(port, WSGI_APPLICATION="marked_site.wsgi")


def runserver_daphne(port, app):
    _django(port, ASGI_APPLICATION="marked_site.asgi", INSTALLED_APPS=["daphne"])


def _django(port, **more):
    from django.conf import settings
    from django.core.management import execute_from_command_line

    settings.configure(DEBUG=True, SECRET_KEY="x", ALLOWED_HOSTS=["*"], **more)
    execute_from_command_line(["manage.py", "runserver", "--noreload", f"{HOST}:{port}"])


def uwsgi(port, *more):
    program = Path(sys.executable).with_name("uwsgi")
    quiet = () if "SITE_BARE" in os.environ else ("--disable-logging", "--ignore-sigpipe", "--ignore-write-errors")
    words = ["--http-socket", f"{HOST}:{port}", "--master", "--die-on-term", "--need-app", "--listen", "128", *quiet]
    os.execv(program, ["uwsgi", *words, "--virtualenv", sys.prefix, "--wsgi", "marked_site:wsgi", *more])


def main(name, port):
    if name == "uwsgi":
        uwsgi(port, "--workers", "2")
    elif name == "uwsgi_threads":
        uwsgi(port, "--threads", "4")
    else:
        from marked_site import wsgi

        globals()[name](port, wsgi)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
