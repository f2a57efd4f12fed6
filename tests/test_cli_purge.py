"""Tests of ``privguard purge``: what is deleted, what never is, and what is said."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli_process import COMMAND, ENVIRONMENT
from privguard.cli import _purge, main

DAY = 86_400
NOW = 1_790_000_000.0


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of logs as the current one; it is NOW."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(time, "time", lambda: NOW)
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


def put(path: Path, days: float = 40, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (NOW - days * DAY, NOW - days * DAY))
    return path


def purged(capsys, *arguments: str, code: int = 0) -> tuple[str, str]:
    assert main(["purge", *arguments]) == code
    return capsys.readouterr()


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_old_logs_are_deleted(folder, capsys):
    """A file that was changed within the days stays; how many were deleted, and how large, is said."""
    put(folder / "old.log", 30.01, "x" * 1000)
    put(folder / "deep" / "er" / "old.log.1", 400, "x" * 548)
    put(folder / "young.log", 29.99)
    assert purged(capsys, "logs", "--days", "30") == ("deleted 2 files, 1.5 KiB: older than 30 days\n", "")
    assert left(folder) == ["young.log"] and (folder / "deep" / "er").is_dir()
    assert purged(capsys, "logs", "--days", "1")[0] == "deleted 1 file, 1 byte: older than 1 day\n"
    assert purged(capsys, "logs/", "--days", "1")[0] == "deleted 0 files, 0 bytes: older than 1 day\n"


LOGS = ["a.log", "a.b.log", "a.log.1", "a.log.12.gz", "a.log-20261001", "a.log-20261001.zst", "a.log.2026-10-01.3"]
LOGS += ["a.log.2026-10-01_13", "a.log.2026-10-01T13:05:00", "a.log.xz", ".hidden.log"]
NO_LOGS = ["a.txt", "log", ".log", "a.log.lock", "a.log.txt", "a.log.2nd-draft.odt", "a.logs", "catalog", "a.log.1.py"]
NO_LOGS += ["a.log.gz.asc", "a.log\n", "A.LOG", "login.html"]


def test_what_is_a_log_by_its_name(folder, capsys):
    """Without a pattern, the usual names of log files are; whatever else there is stays, however old."""
    for name in [*LOGS, *NO_LOGS]:
        put(folder / name)
    purged(capsys, "logs", "--days", "30")
    assert left(folder) == sorted(NO_LOGS)


def test_patterns(folder, capsys):
    """They replace the usual names."""
    for name in ("a.log", "b.txt", "error_log", "b.txt.old"):
        put(folder / name)
    purged(capsys, "logs", "--days", "30", "--pattern", "*.txt", "--pattern=error_*")
    assert left(folder) == ["a.log", "b.txt.old"]


def test_links_folders_and_other_things(folder, tmp_path, capsys):
    """Nothing is deleted through a link, nor the link; folders and pipes stay, whatever they are called."""
    put(tmp_path / "outside" / "precious.log")
    (folder / "way-out").symlink_to(tmp_path / "outside")
    (folder / "link.log").symlink_to(tmp_path / "outside" / "precious.log")
    os.utime(folder / "link.log", (0, 0), follow_symlinks=False)
    (folder / "folder.log").mkdir()
    os.utime(folder / "folder.log", (0, 0))
    os.mkfifo(folder / "pipe.log")
    os.utime(folder / "pipe.log", (0, 0))
    assert purged(capsys, "logs", "--days", "30")[0].startswith("deleted 0 files")
    assert (tmp_path / "outside" / "precious.log").exists()
    assert sorted(os.listdir(folder)) == ["folder.log", "link.log", "pipe.log", "way-out"]


def test_a_folder_that_is_swapped_for_a_link(folder, tmp_path, capsys, monkeypatch):
    """Between being seen and being opened, a folder cannot be turned into a way out."""
    put(tmp_path / "outside" / "precious.log")
    put(folder / "swapped" / "a.log")
    os_open = os.open

    def swap(path, flags, *, dir_fd=None):
        if path == "swapped":
            (folder / "swapped").rename(folder / "gone")
            (folder / "swapped").symlink_to(tmp_path / "outside")
        return os_open(path, flags, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", swap)
    output, errors = purged(capsys, "logs", "--days", "30", code=1)
    assert output.startswith("deleted 0 files") and errors.startswith("privguard: logs/swapped cannot be read: ")
    assert (tmp_path / "outside" / "precious.log").exists()


def test_a_dry_run_deletes_nothing(folder, capsys):
    """Each file is named, in a way that a terminal can show."""
    put(folder / "b.log")
    put(folder / "a\x1b[31m\n.log")
    assert purged(capsys, "logs", "--days", "30", "--dry-run", "--pattern", "*.log") == (
        "logs/a\\x1b[31m .log\nlogs/b.log\nwould delete 2 files, 2 bytes: older than 30 days\n",
        "",
    )
    assert len(left(folder)) == 2


def test_each_file_is_named_on_request(folder, capsys):
    """With -v."""
    put(folder / "b.log")
    assert purged(capsys, "-v", "logs", "--days", "30")[0].startswith("logs/b.log\ndeleted 1 file")


def test_a_date_in_the_future(folder, capsys):
    """Such a file would never become old: it stays, and is named."""
    put(folder / "ahead.log", -1)
    errors = purged(capsys, "logs", "--days", "30")[1]
    assert errors == "privguard: logs/ahead.log was left: its date lies in the future\n"
    assert left(folder) == ["ahead.log"]


def test_files_that_vanish(folder, capsys, monkeypatch):
    """Somebody else may be first, at every step."""
    put(folder / "a.log")
    put(folder / "b.log")
    put(folder / "c" / "c.log")
    os_stat, os_unlink, os_open = os.stat, os.unlink, os.open

    def vanishing_stat(name, **options):
        if name == "a.log":
            os_unlink(name, dir_fd=options["dir_fd"])
        return os_stat(name, **options)

    def vanishing_unlink(name, **options):
        os_unlink(name, **options)
        os_unlink(name, **options)

    def vanishing_open(name, *arguments, **options):
        if name == "c":
            (folder / "c").rename(folder.parent / "c")
        return os_open(name, *arguments, **options)

    monkeypatch.setattr(os, "stat", vanishing_stat)
    monkeypatch.setattr(os, "unlink", vanishing_unlink)
    monkeypatch.setattr(os, "open", vanishing_open)
    assert purged(capsys, "logs", "--days", "30") == ("deleted 0 files, 0 bytes: older than 30 days\n", "")


def test_what_cannot_be_read_or_deleted(folder, capsys, monkeypatch):
    """It is named, the rest is done all the same, and the exit code is 1."""
    put(folder / "a.log")
    put(folder / "b.log")
    put(folder / "shut" / "c.log")
    os_unlink, os_open = os.unlink, os.open

    def unlink(name, **options):
        if name == "a.log":
            raise PermissionError(13, "Permission denied", name)
        os_unlink(name, **options)

    def refuse(name, *arguments, **options):
        if name == "shut":
            raise PermissionError(13, "Permission denied", name)
        return os_open(name, *arguments, **options)

    monkeypatch.setattr(os, "unlink", unlink)
    monkeypatch.setattr(os, "open", refuse)
    output, errors = purged(capsys, "logs", "--days", "30", code=1)
    assert output.startswith("deleted 1 file")
    assert errors == (
        "privguard: logs/a.log cannot be deleted: Permission denied\n"
        "privguard: logs/shut cannot be read: Permission denied\n"
    )


WRONG_USE = [
    (["logs"], "the following arguments are required: --days"),
    (["--days", "3"], "the following arguments are required: PATH"),
    (["logs", "--days", "0"], "'0' is no number of days; write a whole one from 1 to 36500"),
    (["logs", "--days", "-3"], "'-3' is no number of days"),
    (["logs", "--days", "30d"], "'30d' is no number of days"),
    (["logs", "--days", "9" * 5000], "is no number of days"),
    (["logs", "--days", "3", "--pattern", ""], "'' is no pattern for the name of a file"),
    (["logs", "--days", "3", "--pattern", "a/*.log"], "'a/*.log' is no pattern for the name of a file"),
    (["lgos", "--days", "3"], "there is no folder 'lgos'"),
    (["logs/a.log", "--days", "3"], "no folder; name the one that it is in: privguard purge logs"),
    (["link", "--days", "3"], "'link' is a link; name the folder that it leads to: privguard purge /"),
    (["link/", "--days", "3"], "'link/' is a link"),
    (["/", "--days", "3"], "'/' is the whole machine"),
    (["/tmp/..", "--days", "3"], "is the whole machine"),
    (["", "--days", "3"], "there is no folder ''"),
    (["logs", "--day", "3"], 'did you mean "--days"?'),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG_USE, ids=lambda value: str(value)[:40])
def test_wrong_use(folder, tmp_path, capsys, arguments, message):
    """Nothing is deleted, and one line says what to type."""
    put(folder / "a.log")
    (tmp_path / "link").symlink_to("logs")
    assert main(["purge", *arguments]) == 2
    output, errors = capsys.readouterr()
    assert output == "" and message in errors and errors.count("\n") == 1
    assert left(folder) == ["a.log"]


def test_a_system_that_cannot(folder, capsys, monkeypatch):
    """Where no folder can be held open, nothing is deleted."""
    monkeypatch.delattr(os, "O_DIRECTORY")
    assert "needs a Unix system" in purged(capsys, "logs", "--days", "30", code=1)[1]


def test_a_bar_on_a_terminal(tmp_path):
    """It shows how far it is, and is gone at the end; what is redirected has none."""
    for number in range(20):
        path = tmp_path / f"{number}.log"
        path.write_text("x")
        os.utime(path, (0, 0))
    controller, terminal = pty.openpty()
    command = [*COMMAND, "purge", str(tmp_path), "--days", "30", "--verbose"]
    environment = {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=terminal, text=True, timeout=60)
    os.close(terminal)
    shown = os.read(controller, 65536).decode()
    os.close(controller)
    assert done.returncode == 0 and done.stdout.endswith("deleted 20 files, 20 bytes: older than 30 days\n")
    assert re.findall(r"\d+/\d+", shown)[::10] == ["1/20", "11/20"]
    assert "[####################....................] 10/20" in shown and shown.endswith("\r\x1b[K")


def test_a_bar_that_was_counted_too_short(folder, capsys, monkeypatch):
    """Files may come while others are deleted."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    for name in ("a.log", "b.log"):
        put(folder / name)
    monkeypatch.setattr(_purge, "_Bar", lambda total, bar=_purge._Bar: bar(1))
    assert purged(capsys, "logs", "--days", "30")[1].count("] 1/1") == 2


def test_sizes():
    """In the unit that people read."""
    assert [_purge._in_units(size) for size in (0, 1, 1023, 1024, 1 << 20, 5 << 40, 1 << 60)] == [
        "0 bytes",
        "1 byte",
        "1023 bytes",
        "1.0 KiB",
        "1.0 MiB",
        "5.0 TiB",
        "1048576.0 TiB",
    ]
