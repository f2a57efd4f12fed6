"""The sites of the demo: small servers on loopback with an access log, as servers have one."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import socket
import sys
import threading
from collections import deque
from pathlib import Path
from socketserver import ThreadingMixIn
from types import ModuleType
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from ._listening import address
from ._stop import NotNow

LOOPBACK = "127.0.0.1"


class _Handler(WSGIRequestHandler):
    """One request, with its line in the access log."""

    timeout = 30.0  # seconds for what a browser opens beforehand and never uses
    server: DemoServer

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            pass  # the browser went away, or never asked

    def log_message(self, format: str, *args: Any) -> None:
        # A request line is text of a stranger's: it must not steer the terminal.
        line = f"{self.client_address[0]} {format % args}".encode("unicode_escape").decode("ascii")
        self.server.log.info("%s", line, extra={"client": self.client_address})


class DemoServer(ThreadingMixIn, WSGIServer):
    """A WSGI server on a socket that listens already; it calls the app by *name* in its log."""

    daemon_threads = True

    def __init__(self, name: str, host: str, listener: socket.socket) -> None:
        super().__init__((LOOPBACK, 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_address = listener.getsockname()
        self.server_name, self.server_port = host, self.server_address[1]
        self.setup_environ()
        self.name = name
        self.origin = address(host, self.server_port).rstrip("/")
        self.log = logging.getLogger(f"privguard.demo.{name}.access")
        self.log.propagate = False
        self.log.setLevel(logging.INFO)
        self._answered: deque[Any] = deque(maxlen=100)
        self._one_more = threading.Condition()

    def start(self) -> None:
        """Serve in a thread of its own."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        super().process_request_thread(request, client_address)
        with self._one_more:
            self._answered.append(client_address)
            self._one_more.notify_all()

    def wait_for_end(self, client_address: Any) -> None:
        """Return when the request from *client_address* is over and its line, if it has one, is written."""
        with self._one_more:
            if not self._one_more.wait_for(lambda: client_address in self._answered, timeout=10):
                raise NotNow(f"the {self.name} site does not answer; type privguard demo again")


def example() -> ModuleType:
    """Return the example site: of a wheel, or of the checkout that this file is in."""
    try:
        return importlib.import_module("privguard._customchat")
    except ModuleNotFoundError as error:
        if error.name != "privguard._customchat":
            raise
    name = "_privguard_customchat"
    if name in sys.modules:
        return sys.modules[name]
    source = Path(__file__).parents[3] / "examples" / "customchat" / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, source)
    if not source.is_file() or spec is None or spec.loader is None:
        raise NotNow("the example site is missing here; type: pip install --force-reinstall privguard")
    package = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
    return package


def third_party() -> Any:
    """Return the third party that the bare site tells of its visitors."""
    return importlib.import_module(f"{example().__name__}.elsewhere").create_app()
