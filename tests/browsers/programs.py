"""Programs that the tests start: found or skipped, waited for, and surely ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest


def require(program: str) -> str:
    """Return the path of *program*; without it the test is skipped, and fails where nothing may be skipped."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if path is not None:
        return path
    why = f"{program} is not installed"
    if os.environ.get("PRIVGUARD_REQUIRE_ALL"):
        pytest.fail(why)
    pytest.skip(why)


def wait_until(is_so: Callable[[], Any], seconds: float = 20) -> Any:
    """Return the first true answer of *is_so*, or its last answer once so many seconds are over."""
    deadline = time.monotonic() + seconds
    while not (answer := is_so()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return answer


class Process:
    """A program in a process group of its own; all of the group is gone after end()."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self._output = folder / "output.txt"
        # HOME: what a program leaves behind goes with the test's own folder.
        home = {"HOME": str(folder), "XDG_CACHE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        with self._output.open("wb") as output:
            self._popen = subprocess.Popen(
                command,
                cwd=cwd,
                env={**os.environ, **home, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def written(self) -> str:
        """Return what the program has printed so far."""
        return self._output.read_text(errors="replace")

    def wait_for(self, is_ready: Callable[[], Any], seconds: float = 60) -> Any:
        """Return the first true answer of *is_ready*; fails when the program ends before that."""
        answer = wait_until(lambda: is_ready() or self._popen.poll() is not None, seconds)
        if not answer or not (answer := is_ready()):
            pytest.fail(f"{self._popen.args[0]} did not start:\n{self.written()}")
        return answer

    def end(self, seconds: float = 10) -> None:
        """End the program, by force after so many seconds, with whatever it has started itself."""
        self._signal(signal.SIGTERM)
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            pass  # what does not listen is killed all the same
        self.kill()

    def kill(self) -> None:
        """End the program at once: for one that has nothing to put in order."""
        self._signal(signal.SIGKILL)
        self._popen.wait()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._popen.pid, number)
        except ProcessLookupError:
            pass  # the whole group is gone
