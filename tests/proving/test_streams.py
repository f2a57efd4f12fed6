"""Tests of what is seen of stdout and stderr."""

from __future__ import annotations

import ctypes
import io
import os
import subprocess
import sys
import types

import pytest

from privguard.proving import _streams as streams
from privguard.proving._streams import StreamWatch

MARK = "hq7dk2m9xw4bz8rc3v"


def seen(watch: StreamWatch) -> dict[str, bytes]:
    joined: dict[str, bytes] = {}
    for one in watch.traces:
        joined[one.place] = joined.get(one.place, b"") + one.content
    return joined


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_what_python_prints(name, capfd):
    """It is seen, and shown when the watch is over."""
    watch = StreamWatch(replays=True)
    with watch.watching():
        print(MARK, file=getattr(sys, name))
        getattr(sys, name).writelines([MARK, "\n"])
    assert seen(watch)[name].decode() == f"{MARK}\n{MARK}\n"
    assert getattr(capfd.readouterr(), name[3:]).count(MARK) == 2


@pytest.mark.parametrize(("number", "name"), [(1, "stdout"), (2, "stderr")])
def test_what_is_written_past_python(number, name, capfd):
    """File descriptors and child processes are seen too; without replay, nothing of it is shown."""
    for replays in (True, False):
        watch = StreamWatch(replays=replays)
        with watch.watching():
            os.write(number, f"{MARK}\n".encode())
            subprocess.run([sys.executable, "-c", f"import os; os.write({number}, b'{MARK}')"], check=True)
        assert seen(watch)[name].decode() == f"{MARK}\n{MARK}"
        assert getattr(capfd.readouterr(), name[3:]).count(MARK) == (2 if replays else 0)
    assert "bytes written to stdout: " in watch.looked_through[0]


@pytest.mark.skipif(not hasattr(ctypes, "CDLL") or os.name == "nt", reason="no C library to call by name")
def test_what_c_code_prints(capfd):
    """The C library keeps lines back, and is told to write them."""
    watch = StreamWatch(replays=False)
    with watch.watching():
        ctypes.CDLL(None).puts(MARK.encode())
    assert seen(watch)["stdout"].decode() == f"{MARK}\n"


def test_without_a_c_library(monkeypatch, capfd):
    """Where there is none to call by name, nothing fails."""

    def missing(name):
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", missing)
    watch = StreamWatch(replays=False)
    with watch.watching():
        print(MARK)
    assert MARK.encode() in seen(watch)["stdout"]


def test_stream_that_stands_in_for_stdout(monkeypatch):
    """What a test captures is seen on its way, and the stand-in is put back."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    watch = StreamWatch(replays=True)
    with watch.watching():
        print(MARK)
        assert sys.stdout.getvalue() == f"{MARK}\n"
    assert sys.stdout is stream
    assert seen(watch)["stdout"].decode() == stream.getvalue() == f"{MARK}\n"


def test_stream_that_the_app_replaces(monkeypatch, capfd):
    """What the app puts there is left there."""
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    theirs = io.StringIO()
    watch = StreamWatch(replays=True)
    with watch.watching():
        monkeypatch.setattr(sys, "stdout", theirs)
    assert sys.stdout is theirs


@pytest.mark.parametrize("stream", [None, "closed"])
def test_process_without_stdout(monkeypatch, stream):
    """A process may have none, or have closed it."""
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed if stream else None)
    watch = StreamWatch(replays=True)
    with watch.watching():
        pass
    assert sys.stdout is (closed if stream else None)


def test_descriptor_that_is_closed(monkeypatch, capfd):
    """It is named among what was left out."""

    def closed(number):
        raise OSError

    monkeypatch.setattr(streams, "os", types.SimpleNamespace(dup=closed))
    watch = StreamWatch(replays=True)
    with watch.watching():
        pass
    assert watch.left_out == ["stdout: it is closed", "stderr: it is closed"]
