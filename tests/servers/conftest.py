"""The gate, and servers that a whole session shares: a process for each, started when a test first asks for it."""

from __future__ import annotations

import pytest

from servers.harness import SERVERS, Gate, Server

QUIET = ["/favicon.ico", "/apple-touch-icon.png", "/apple-touch-icon-precomposed.png"]
QUIET += ["/quiet/big", "/quiet/background"]


@pytest.fixture(scope="session")
def gate():
    opened = Gate()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def servers(gate, tmp_path_factory):
    """Return the running server of a name, guarded or bare."""
    running = {}

    def find(name, *, bare=False):
        if (name, bare) not in running:
            folder = tmp_path_factory.mktemp(name)
            policy = {"logs": {"quiet_paths": QUIET}}
            running[name, bare] = Server(SERVERS[name], folder, gate, bare=bare, policy=policy).__enter__()
        return running[name, bare]

    yield find
    for server in running.values():
        server.ask_to_stop()
    for server in running.values():
        server.__exit__()


@pytest.fixture
def start(gate, tmp_path):
    """Start a server for one test alone."""
    running = []

    def started(command, **options):
        server = Server(
            SERVERS.get(command, command) if isinstance(command, str) else command, tmp_path, gate, **options
        )
        running.append(server.__enter__())
        return server

    yield started
    for server in running:
        server.__exit__()
