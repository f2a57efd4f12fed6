"""Tests of the files that have changed."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from privguard.proving import _files as files
from privguard.proving._files import FileWatch

MARK = "hq7dk2m9xw4bz8rc3v"


def found(watch: FileWatch) -> list[str]:
    return [Path(one.place).name for one in watch.traces() if MARK.encode() in one.content]


def test_files_that_are_new_or_have_changed(tmp_path):
    """They are looked through; what stood there before is not."""
    (tmp_path / "old.txt").write_text(MARK)
    (tmp_path / "log.txt").write_text("begun\n")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    watch = FileWatch([tmp_path])
    with open(tmp_path / "log.txt", "a") as log:
        log.write(MARK)
    (tmp_path / "deep" / "er" / "new.txt").write_text(MARK)
    assert sorted(found(watch)) == ["log.txt", "new.txt"]
    assert watch.looked_through == [f"files changed: 2 of 2 below {tmp_path}"]


def test_file_that_has_the_same_size_and_time(tmp_path):
    """Whoever sets the time back is seen all the same."""
    path = tmp_path / "fixed.dat"
    path.write_bytes(bytes(len(MARK)))
    before = path.stat()
    watch = FileWatch([tmp_path])
    path.write_text(MARK)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert found(watch) == ["fixed.dat"]


def test_database(tmp_path):
    """SQLite leaves what was deleted in its pages: deleted is not gone."""
    database = sqlite3.connect(tmp_path / "site.db")
    database.execute("PRAGMA secure_delete = OFF")  # as SQLite has it by default, and not every system
    database.execute("CREATE TABLE member (name)")
    database.commit()
    watch = FileWatch([tmp_path])
    database.execute("INSERT INTO member VALUES (?)", [MARK])
    database.commit()
    database.execute("DELETE FROM member")
    database.commit()
    database.close()
    assert found(watch) == ["site.db"]


def test_name_of_a_file(tmp_path):
    """An upload that is kept under the visitor's own name for it is found by that."""
    watch = FileWatch([tmp_path])
    (tmp_path / f"{MARK}.txt").touch()
    assert found(watch) == [f"{MARK}.txt: its name"]


def test_links_and_what_is_no_file(tmp_path):
    """Links are not followed, and no pipe is waited for."""
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    watch = FileWatch([inside])
    (outside / "theirs.txt").write_text(MARK)
    (inside / "link.txt").symlink_to(outside / "theirs.txt")
    (inside / "folder").symlink_to(outside)
    os.mkfifo(inside / "pipe")
    assert found(watch) == []
    assert watch.looked_through == [f"files changed: 0 of 0 below {inside}"]


def test_folders_of_code(tmp_path):
    """They hold what nobody has submitted, and much of it."""
    for name in (".git", "node_modules", "__pycache__", "site-packages"):
        (tmp_path / name).mkdir()
    watch = FileWatch([tmp_path])
    for name in (".git", "node_modules", "__pycache__", "site-packages"):
        (tmp_path / name / "file").write_text(MARK)
    assert found(watch) == []


def test_folder_that_is_named_twice(tmp_path):
    """It is looked through once, whatever it is called."""
    (tmp_path / "link").symlink_to(tmp_path)
    watch = FileWatch([tmp_path, tmp_path / "link", tmp_path])
    (tmp_path / "new.txt").write_text(MARK)
    assert found(watch) == ["new.txt"]


def test_large_file(tmp_path, monkeypatch):
    """Of a large file the end is looked through, and the rest is named."""
    monkeypatch.setattr(files, "LARGEST", 1024**2)
    watch = FileWatch([tmp_path])
    (tmp_path / "grown.log").write_bytes(MARK.encode() + bytes(1024**2) + b"the end")
    assert found(watch) == []
    assert watch.left_out == [f"file {tmp_path}/grown.log: all but its last 1 MiB"]
    (tmp_path / "grown.log").write_bytes(bytes(1024**2) + MARK.encode())
    assert found(watch) == ["grown.log"]


@pytest.mark.parametrize(
    ("error", "left_out"), [(PermissionError(13, "Permission denied"), 1), (FileNotFoundError(2, "x"), 0)]
)
def test_file_that_cannot_be_read(tmp_path, monkeypatch, error, left_out):
    """It is named among what was left out; of one that is gone, nothing is left."""
    watch = FileWatch([tmp_path])
    (tmp_path / "secret.txt").write_text(MARK)

    def refused(path, flags):
        error.filename = path
        raise error

    monkeypatch.setattr(files.os, "open", refused)
    assert found(watch) == []
    assert watch.left_out == [f"{tmp_path}/secret.txt: Permission denied"][:left_out]


def test_file_that_goes_while_it_is_looked_at(tmp_path, monkeypatch):
    """Between its name and its size it may be gone."""
    (tmp_path / "brief.txt").touch()

    def gone(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(files.os, "lstat", gone)
    assert list(FileWatch([tmp_path])._before) == []


def test_folder_that_cannot_be_read(tmp_path, monkeypatch):
    """It is named once, however often it is looked into."""
    (tmp_path / "secret").mkdir()
    real = os.scandir

    def scandir(path):
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(files.os, "scandir", scandir)
    watch = FileWatch([tmp_path])
    assert found(watch) == []
    assert watch.left_out == [f"{tmp_path}/secret: Permission denied"]
