"""What the talking pages of the two sites write, and the servers that write about them."""

from __future__ import annotations

import itertools

from browsers.programs import wait_until
from servers.harness import SERVERS

# All but waitress, which writes no access lines at all.
QUIET_SERVERS = [name for name in SERVERS if name != "waitress"]

STAGES = ["before", "thread", "task", "started", "between", "after"]

_numbers = itertools.count()


def new_token():
    """Return what no other request of this session carries; its last character is in no other place."""
    return f"t{next(_numbers)}."


def records(tokens, stages=STAGES):
    """Return the records of talking pages, each once."""
    return {f"record {stage}:{token}": 1 for token in tokens for stage in stages}


def access_lines(tokens):
    """Return what only the access lines of these requests hold, each once."""
    return {f"token={token}": 1 for token in tokens}


def expect_written(server, counts):
    """Each text is written as often as *counts* says, and no more often."""

    def found():
        written = server.written()
        return {text: written.count(text) for text in counts}

    wait_until(lambda: sum(found().values()) >= sum(counts.values()))
    assert found() == counts
