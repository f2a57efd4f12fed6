"""How a command ends: early, with one line that says what to type and an exit code; or when it is told to stop."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from typing import ClassVar


class Stop(Exception):
    """The base: its text is one line, whatever went into it."""

    exit_code: ClassVar[int]

    def __str__(self) -> str:
        return in_one_line(super().__str__())


class WrongUse(Stop):
    """What was typed cannot be meant."""

    exit_code = 2


class NotNow(Stop):
    """What was typed is right, and cannot be done now: a port in use, a missing extra."""

    exit_code = 1


def in_one_line(text: str) -> str:
    """Return *text* so that a terminal shows it: what somebody else's code or file names bring along may steer it."""
    line = " ".join(text.split())
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)


@contextlib.contextmanager
def until_told_to_stop() -> Iterator[None]:
    """Serve in the block until Ctrl-C or SIGTERM, which end it in good order, and say so.

    Both are asked for by name: a shell starts what runs in the background deaf to SIGINT, and a container's first
    process is deaf to SIGTERM.
    """
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    # a terminal shows the "^C" that was typed, and stays in its line
    print("\nStopped." if sys.stdout.isatty() else "Stopped.")
