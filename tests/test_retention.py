"""Tests of the log file that is deleted in the end: days, several processes, and what goes wrong with files."""

from __future__ import annotations

import fcntl
import logging
import logging.config
import logging.handlers
import os
import queue
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from privguard import logs
from privguard.logs import RetentionFileHandler

SOURCE = Path(__file__).parents[1] / "src"
NOON = 1_790_000_000 // 86_400 * 86_400 + 43_200  # 2026-09-21, twelve o'clock UTC
DAY = 86_400


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def made():
    """Make handlers that are closed at the end."""
    handlers = []

    def make(path, days=3, **options):
        handlers.append(RetentionFileHandler(path, days, **options))
        return handlers[-1]

    yield make
    for handler in handlers:
        handler.close()


@pytest.fixture(autouse=True)
def reported(monkeypatch):
    """The records that handlers could not deal with."""
    failed = []
    monkeypatch.setattr(logging.Handler, "handleError", lambda self, record: failed.append(record.getMessage()))
    return failed


def write(handler, text):
    handler.handle(logging.LogRecord("site", logging.INFO, "site.py", 1, text, None, None))


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def run(code: str, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, **options)


# ── days ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_day_begins_a_new_file(made, tmp_path, clock):
    """Yesterday's lines are put aside by their date, and no line is lost or written twice."""
    handler = made(tmp_path / "site.log", clock=clock)
    write(handler, "one")
    clock.now += DAY
    write(handler, "two")
    write(handler, "three")
    assert names(tmp_path) == ["site.log", "site.log.2026-09-21"]
    assert (tmp_path / "site.log").read_text() == "two\nthree\n"
    assert (tmp_path / "site.log.2026-09-21").read_text() == "one\n"


@pytest.mark.parametrize("days", [1, 3])
def test_no_line_is_older_than_the_days(made, tmp_path, clock, days):
    """Whenever a line is written, no file holds a line that is older than promised."""
    handler = made(tmp_path / "site.log", days, clock=clock)
    written = {}
    for hour in range(24 * 8):
        clock.now = NOON + 3600 * hour
        write(handler, f"hour {hour}")
        written[f"hour {hour}"] = clock.now
        kept = "".join(path.read_text() for path in tmp_path.iterdir() if path.suffix != ".lock").split("\n")[:-1]
        assert all(clock.now - written[line] <= days * DAY for line in kept)
        assert {line for line, when in written.items() if clock.now - when < (days - 1) * DAY} <= {*kept}


def test_days_without_a_process(made, tmp_path, clock):
    """What became too old while nothing ran is gone when the handler is made, the file in progress included."""
    first = made(tmp_path / "site.log", clock=clock)
    write(first, "one")
    clock.now += DAY
    write(first, "two")
    first.close()
    clock.now += 2 * DAY
    second = made(tmp_path / "site.log", clock=clock)
    assert names(tmp_path) == ["site.log", "site.log.2026-09-22"]
    second.close()
    clock.now += 10 * DAY
    made(tmp_path / "site.log", clock=clock)
    assert names(tmp_path) == ["site.log"]


def test_an_empty_file_is_not_put_aside(made, tmp_path, clock):
    """A day without a line leaves nothing."""
    handler = made(tmp_path / "site.log", clock=clock)
    clock.now += DAY
    write(handler, "one")
    assert names(tmp_path) == ["site.log"]


def test_the_log_of_another_handler(made, tmp_path, clock):
    """Nobody knows when it was begun: it is put aside by the date of its last line, and deleted in time."""
    path = tmp_path / "site.log"
    path.write_text("old\n")
    os.utime(path, (NOON, NOON))
    handler = made(path, clock=clock)
    write(handler, "new")
    assert names(tmp_path) == ["site.log", "site.log.2026-09-21"]
    clock.now += 3 * DAY
    write(handler, "newer")
    assert "old" not in "".join(one.read_text() for one in tmp_path.iterdir())


LOOK_ALIKE = [
    "site.log.2020-01-01.gz",
    "site.log.2020-01-01x",
    "site.log.2020-13-01",
    "site.log.20200101",
    "site.log.1",
    "site.log2020-01-01",
    "site.log.2.2020-01-01",
    "xsite.log.2020-01-01",
    "site.log.2020-01-01.",
    "site.log.2020-01-01\n",
    "SITE.LOG.2020-01-01",
    "site.log.bak.2020-01-01",
    "site.log.٢٠٢٠-01-01",
]


def test_what_only_looks_alike_is_never_deleted(made, tmp_path, clock):
    """Other names, folders and links stay, however old."""
    for name in LOOK_ALIKE:
        (tmp_path / name).write_text("x")
    (tmp_path / "site.log.2020-01-02").mkdir()
    (tmp_path / "elsewhere").write_text("x")
    (tmp_path / "site.log.2020-01-03").symlink_to("elsewhere")
    (tmp_path / "site.log.2020-01-04").write_text("x")
    (tmp_path / "site.log.2020-01-04.7").write_text("x")
    before = set(names(tmp_path))
    made(tmp_path / "site.log", clock=clock)
    assert before - set(names(tmp_path)) == {"site.log.2020-01-04", "site.log.2020-01-04.7"}


# ── clocks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_clock_that_is_put_back(made, tmp_path, clock):
    """A line of before and one of after are in files of their own, and all are deleted in the end."""
    handler = made(tmp_path / "site.log", clock=clock)
    for step in (1, -1, 1, -2, 2):
        write(handler, f"at {clock.now}")
        clock.now += step * DAY
    write(handler, "last")
    lines = [line for path in tmp_path.iterdir() if path.suffix != ".lock" for line in path.read_text().splitlines()]
    assert len(lines) == 6
    clock.now += 5 * DAY
    write(handler, "later")
    assert names(tmp_path) == ["site.log"]


def test_a_clock_that_was_ahead(made, tmp_path, clock):
    """What was dated years ahead by mistake is counted from its last change, or from now on."""
    ahead = tmp_path / "site.log.2031-01-01"
    ahead.write_text("x")
    os.utime(ahead, (NOON - DAY, NOON - DAY))
    far = tmp_path / "site.log.2032-01-01"
    far.write_text("x")
    os.utime(far, (NOON + 4000 * DAY, NOON + 4000 * DAY))
    handler = made(tmp_path / "site.log", clock=clock)
    assert abs(far.stat().st_mtime - time.time()) < 60
    os.utime(far, (NOON, NOON))
    clock.now += 2 * DAY
    write(handler, "x")
    assert "site.log.2031-01-01" not in names(tmp_path) and "site.log.2032-01-01" in names(tmp_path)
    clock.now += DAY
    write(handler, "x")
    assert "site.log.2032-01-01" not in names(tmp_path)


def test_a_clock_that_nobody_can_read(made, tmp_path, clock, reported):
    """The line is written all the same."""
    handler = made(tmp_path / "site.log", clock=clock)
    clock.now = 1e30
    write(handler, "one")
    assert (tmp_path / "site.log").read_text() == "one\n" and reported == ["one"]


# ── several processes ────────────────────────────────────────────────────────────────────────────────────────────────

WRITER = """
    import logging, sys, time
    from privguard.logs import RetentionFileHandler
    path, name, offset, end = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
    clock = lambda: time.time() + offset
    logger = logging.getLogger("site")
    logger.propagate = False
    logger.addHandler(RetentionFileHandler(path, days=3, clock=clock))
    number = 0
    while time.time() < end:
        logger.warning("%s %d %s", name, number, "x" * (number % 50 * 400))
        number += 1
        if number % 20 == 0:
            time.sleep(0.001)
    print(number)
"""


def test_several_processes_across_midnight(tmp_path):
    """Each line is written once, whole, and the file is rotated once."""
    path = tmp_path / "site.log"
    midnight = time.time() + 2.5
    offset = NOON + DAY / 2 - midnight
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path)]
    started = [
        subprocess.Popen([*command, f"p{one}", str(offset), str(midnight + 1)], env=environment, stdout=subprocess.PIPE)
        for one in range(4)
    ]
    counts = {f"p{one}": int(process.communicate(timeout=60)[0]) for one, process in enumerate(started)}
    assert names(tmp_path) == ["site.log", "site.log.2026-09-21"]
    lines = [
        line.split(" ") for file in reversed(names(tmp_path)) for line in (tmp_path / file).read_text().split("\n")
    ]
    lines = [line for line in lines if line != [""]]
    assert all(rest == "x" * (int(number) % 50 * 400) for _, number, rest in lines)
    for name, count in counts.items():
        assert sorted(int(number) for one, number, _ in lines if one == name) == list(range(count)) and count


PRELOADED = """
    import logging, os, sys
    from privguard.logs import RetentionFileHandler
    now = [float(sys.argv[2])]
    handler = RetentionFileHandler(sys.argv[1], days=3, clock=lambda: now[0])
    logging.basicConfig(handlers=[handler], level="INFO", format="%(message)s")
    logging.info("before")
    handler._pending = b"waits in the parent\\n"
    children = []
    for child in range(3):
        if not (pid := os.fork()):
            now[0] += 86400
            logging.info("child %d", child)
            logging.shutdown()
            os._exit(0)
        children.append(pid)
    assert all(os.waitpid(pid, 0)[1] == 0 for pid in children)
    now[0] += 86400
    logging.info("after")
"""


def test_processes_that_are_forked(tmp_path):
    """As with gunicorn --preload: one rotation, and what waited for a full disk is written by one process alone."""
    done = run(PRELOADED, str(tmp_path / "site.log"), str(NOON))
    assert done.returncode == 0, done.stderr
    assert names(tmp_path) == ["site.log", "site.log.2026-09-21"]
    assert (tmp_path / "site.log.2026-09-21").read_text() == "before\n"
    lines = (tmp_path / "site.log").read_text().splitlines()
    assert sorted(lines) == ["after", "child 0", "child 1", "child 2", "waits in the parent"]


def test_a_process_that_was_idle(made, tmp_path, clock):
    """It notices that another has rotated, and rotates nothing again."""
    idle = made(tmp_path / "site.log", clock=clock)
    busy = made(tmp_path / "site.log", clock=clock)
    write(idle, "one")
    clock.now += DAY
    write(busy, "two")
    write(idle, "three")
    assert names(tmp_path) == ["site.log", "site.log.2026-09-21"]
    assert (tmp_path / "site.log").read_text() == "two\nthree\n"


def test_a_lock_that_is_not_let_go(made, tmp_path, clock, monkeypatch, reported):
    """The line is written where the last one went, and the rotation is tried again after a while."""
    handler = made(tmp_path / "site.log", clock=clock)
    write(handler, "one")
    monkeypatch.setattr(logs, "_PATIENCE", 0.02)
    with open(tmp_path / "site.log.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        clock.now += DAY
        write(handler, "two")
        with pytest.raises(TimeoutError, match="another process does not let go"):
            made(tmp_path / "site.log", clock=clock)
    write(handler, "three")
    assert reported == ["two"] and names(tmp_path) == ["site.log"]
    monkeypatch.setattr(handler, "_try_again", 0.0)
    write(handler, "four")
    assert (tmp_path / "site.log").read_text() == "four\n"
    assert (tmp_path / "site.log.2026-09-21").read_text() == "one\ntwo\nthree\n"


def test_a_lock_that_is_deleted_while_it_is_waited_for(made, tmp_path, clock, monkeypatch):
    """Whoever waited takes the new one, as all others do."""
    calls = []

    def lose(file, how):
        calls.append(how)
        if len(calls) in (1, 2):  # deleted; then made anew by somebody else
            (tmp_path / "site.log.lock").unlink()
        if len(calls) == 2:
            (tmp_path / "site.log.lock").touch()

    monkeypatch.setattr(fcntl, "flock", lose)
    made(tmp_path / "site.log", clock=clock)
    assert len(calls) == 4
    assert (tmp_path / "site.log.lock").read_text() == "2026-09-21"


def test_a_lock_with_nonsense_in_it(made, tmp_path, clock):
    """Then nobody knows when the file was begun."""
    (tmp_path / "site.log.lock").write_bytes(b"\xff" * 20)
    (tmp_path / "site.log").write_text("one\n")
    os.utime(tmp_path / "site.log", (NOON - DAY, NOON - DAY))
    made(tmp_path / "site.log", clock=clock)
    assert names(tmp_path) == ["site.log", "site.log.2026-09-20"]


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_is_moved_or_deleted(made, tmp_path, clock):
    """The file is begun anew, with the owner's permissions."""
    path = tmp_path / "site.log"
    handler = made(path, clock=clock)
    path.chmod(0o600)
    write(handler, "one")
    path.rename(tmp_path / "moved")
    write(handler, "two")
    path.unlink()
    write(handler, "three")
    assert path.read_text() == "three\n" and (tmp_path / "moved").read_text() == "one\n"
    path.chmod(0o600)
    clock.now += DAY
    write(handler, "four")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link(made, tmp_path, clock):
    """The file that it leads to is rotated where that is; the link stays."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "site.log").symlink_to("disk/real.log")
    handler = made(tmp_path / "site.log", clock=clock)
    write(handler, "one")
    clock.now += DAY
    write(handler, "two")
    assert names(tmp_path / "disk") == ["real.log", "real.log.2026-09-21"]
    assert (tmp_path / "site.log").is_symlink() and (tmp_path / "site.log").read_text() == "two\n"


def test_a_link_that_is_put_in_the_files_place(made, tmp_path, clock, reported):
    """It is not followed: the line goes where the last one went, and the failure is told."""
    handler = made(tmp_path / "site.log", clock=clock)
    (tmp_path / "other").write_text("")
    (tmp_path / "site.log").rename(tmp_path / "moved")
    (tmp_path / "site.log").symlink_to("other")
    write(handler, "one")
    assert (tmp_path / "other").read_text() == "" and (tmp_path / "moved").read_text() == "one\n"
    assert reported == ["one"]


MISTAKES = [
    ("missing/site.log", 3, FileNotFoundError, "the folder of the log is missing; make it first"),
    ("folder", 3, ValueError, "is no ordinary file"),
    ("pipe", 3, ValueError, "is no ordinary file"),
    ("loop", 3, ValueError, "is no ordinary file"),
    ("site.log", 0, ValueError, "days must be a whole number from 1 to 36500, not 0"),
    ("site.log", True, ValueError, "not True"),
    ("site.log", None, ValueError, r'the number that PRIVGUARD\["logs"\]\["retention_days"\] promises'),
    ("site.log", "30", ValueError, "not '30'"),
    ("site.log", 36_501, ValueError, "not 36501"),
]


@pytest.mark.parametrize(("name", "days", "error", "message"), MISTAKES)
def test_mistakes(tmp_path, name, days, error, message):
    """They are told at the start, with what to do."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(error, match=message):
        RetentionFileHandler(tmp_path / name, days)


def test_an_unknown_encoding(tmp_path):
    """It is told at the start."""
    with pytest.raises(LookupError):
        RetentionFileHandler(tmp_path / "site.log", 3, "utf-9")


def test_a_system_without_locks(tmp_path, monkeypatch):
    """Windows has a handler of its own in Python's library."""
    monkeypatch.setattr(logs, "fcntl", None)
    with pytest.raises(RuntimeError, match=r"use logging\.handlers\.TimedRotatingFileHandler"):
        RetentionFileHandler(tmp_path / "site.log", 3)


READ_ONLY = """
    import logging, os, sys
    from privguard.logs import RetentionFileHandler
    folder, now = sys.argv[1], [float(sys.argv[2])]
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
        os.setgid(65534); os.setuid(65534)
    handler = RetentionFileHandler(folder + "/site.log", days=3, clock=lambda: now[0])
    logging.basicConfig(handlers=[handler], level="INFO", format="%(message)s")
    logging.info("one")
    os.chmod(folder, 0o555)
    now[0] += 86400
    logging.info("two")
    logging.info("three")
    os.remove(folder + "/site.log.lock") if os.access(folder, os.W_OK) else None
    os.chmod(folder, 0o755); os.remove(folder + "/site.log.lock"); os.chmod(folder, 0o555)
    try:
        RetentionFileHandler(folder + "/site.log", days=3)
    except PermissionError as error:
        print(error)
    os.chmod(folder, 0o755)
    handler._try_again = 0
    logging.info("four")
"""


def test_a_folder_that_becomes_read_only(tmp_path):
    """No line is lost, the failure is told once, and it heals; a start in such a folder is refused."""
    folder = Path("/tmp") / f"privguard-{os.getpid()}-{time.monotonic_ns()}"  # a folder that another user may reach
    folder.mkdir()
    try:
        done = run(READ_ONLY, str(folder), str(NOON))
        assert "the log's folder must be writable" in done.stdout, done.stderr
        assert done.stderr.count("--- Logging error ---") == 1 and "PermissionError" in done.stderr
        kept = {path.name: path.read_text() for path in folder.iterdir()}
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    kept.pop("site.log.lock")
    assert sorted("".join(kept.values()).split()) == ["four", "one", "three", "two"]
    assert kept["site.log"] == "four\n"


FULL = """
    import logging, resource, signal, sys
    from privguard.logs import RetentionFileHandler
    handler = RetentionFileHandler(sys.argv[1], days=3)
    logging.basicConfig(handlers=[handler], level="INFO", format="%(message)s")
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
    for number in range(20):
        logging.info("line %d", number)
    handler.flush()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if sys.argv[2] == "more":
        logging.info("line 20")
"""


@pytest.mark.parametrize(("then", "count"), [("more", 21), ("end", 20)])
def test_a_disk_that_is_full(tmp_path, then, count):
    """Lines wait until there is room, whole and in order; meanwhile each is told on stderr as well."""
    done = run(FULL, str(tmp_path / "site.log"), then)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site.log").read_text() == "".join(f"line {number}\n" for number in range(count))
    assert "Message: 'line %d'" in done.stderr


def test_a_disk_that_stays_full(made, tmp_path, monkeypatch, reported):
    """What waits has a limit, which cuts no line in two."""
    handler = made(tmp_path / "site.log")
    monkeypatch.setattr(logs, "_MOST_PENDING", 20)
    os_write = os.write

    def full(file, what):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    for number in range(5):
        write(handler, f"line {number}")
    handler.flush()
    monkeypatch.setattr(os, "write", os_write)
    handler.flush()
    assert (tmp_path / "site.log").read_text() == "line 0\nline 1\n" and len(reported) == 5


def test_what_waits_while_a_process_is_forked(made, tmp_path, monkeypatch):
    """It is written by the process that it waits in, and not once more by each that was forked."""
    handler = made(tmp_path / "site.log")
    handler._pending = b"waits\n"
    monkeypatch.setattr(os, "getpid", lambda: -1)
    write(handler, "child")
    assert (tmp_path / "site.log").read_text() == "child\n"


def test_a_file_that_cannot_be_deleted(made, tmp_path, clock, monkeypatch, reported):
    """The others are deleted all the same, and the failure is told."""
    handler = made(tmp_path / "site.log", clock=clock)
    for name in ("site.log.2020-01-01", "site.log.2020-01-02", "site.log.2020-01-03"):
        (tmp_path / name).write_text("x")
    os_remove = os.remove

    def remove(path):
        if path.endswith("01-02"):
            raise PermissionError(13, "Permission denied", path)
        if path.endswith("01-03"):
            os_remove(path)  # somebody else was first
        os_remove(path)

    monkeypatch.setattr(os, "remove", remove)
    clock.now += DAY
    write(handler, "one")
    assert names(tmp_path) == ["site.log", "site.log.2020-01-02"] and reported == ["one"]
    with pytest.raises(PermissionError):
        made(tmp_path / "site.log", clock=clock)


def test_a_folder_that_goes(made, tmp_path, clock, reported):
    """No exception reaches the app, and each line that may be lost is told; a folder that comes back is used."""
    folder = tmp_path / "logs"
    folder.mkdir()
    handler = made(folder / "site.log", clock=clock)
    folder.rename(tmp_path / "gone")
    write(handler, "one")
    assert reported == ["one"] and (tmp_path / "gone" / "site.log").read_text() == "one\n"
    folder.mkdir()
    write(handler, "two")
    assert (folder / "site.log").read_text() == "two\n"
    handler.close()
    folder.rename(tmp_path / "gone again")
    write(handler, "three")
    assert reported == ["one", "three", "three"]


def test_a_record_that_cannot_be_formatted(made, tmp_path, reported):
    """As with every handler of Python's: it is told, and nothing is raised."""
    handler = made(tmp_path / "site.log")
    failed = []
    handler.handleError = failed.append
    handler.handle(logging.LogRecord("site", logging.INFO, "site.py", 1, "%d", ("x",), None))
    assert len(failed) == 1 and (tmp_path / "site.log").read_text() == ""


def test_text_that_is_no_text(made, tmp_path):
    """What UTF-8 cannot say is written as Python would."""
    write(made(tmp_path / "site.log"), "caf\xe9 \udcff")
    assert (tmp_path / "site.log").read_text("utf-8") == "caf\xe9 \\udcff\n"


def test_a_line_after_the_end(made, tmp_path):
    """A handler that was closed, as the interpreter does at its end, still writes."""
    handler = made(tmp_path / "site.log")
    handler.close()
    handler.close()
    handler.flush()
    write(handler, "late")
    assert (tmp_path / "site.log").read_text() == "late\n"


# ── how it is set up ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", ["()", "class"])
def test_dict_config(tmp_path, key):
    """Both spellings of dictConfig make it, with level and format as for any handler."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"plain": {"format": "%(levelname)s %(message)s"}},
            "handlers": {
                "file": {
                    key: "privguard.logs.RetentionFileHandler",
                    "path": str(tmp_path / "site.log"),
                    "days": 30,
                    "level": "INFO",
                    "formatter": "plain",
                }
            },
            "loggers": {"kept_site": {"handlers": ["file"], "level": "DEBUG", "propagate": False}},
        }
    )
    logger = logging.getLogger("kept_site")
    logger.debug("no")
    logger.info("yes")
    assert (tmp_path / "site.log").read_text() == "INFO yes\n"
    (handler,) = logger.handlers
    logger.removeHandler(handler)
    handler.close()


def test_behind_a_queue(made, tmp_path):
    """A QueueListener may write with it."""
    lines = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(lines, made(tmp_path / "site.log"))
    listener.start()
    for number in range(100):
        write(logging.handlers.QueueHandler(lines), f"{number}")
    listener.stop()
    assert (tmp_path / "site.log").read_text().split() == [str(number) for number in range(100)]


def test_a_relative_path(made, tmp_path, monkeypatch):
    """It is that of the folder in which the handler was made."""
    monkeypatch.chdir(tmp_path)
    handler = made("site.log")
    monkeypatch.chdir("/")
    write(handler, "one")
    assert (tmp_path / "site.log").read_text() == "one\n"
    assert re.fullmatch(r"/.*/site\.log", handler.baseFilename)
