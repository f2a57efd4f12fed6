"""Serve a WSGI site by a server that has no command line: python serve.py (werkzeug|wsgiref) PORT MODULE:APP."""

from __future__ import annotations

import importlib
import socketserver
import sys
from wsgiref.simple_server import WSGIServer, make_server

from werkzeug.serving import run_simple


class ThreadedServer(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


if __name__ == "__main__":
    kind, port = sys.argv[1], int(sys.argv[2])
    module, _, name = sys.argv[3].partition(":")
    application = getattr(importlib.import_module(module), name)
    if kind == "werkzeug":
        run_simple("127.0.0.1", port, application, threaded=True)
    else:
        make_server("127.0.0.1", port, application, server_class=ThreadedServer).serve_forever()
