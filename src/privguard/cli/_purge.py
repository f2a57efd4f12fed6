"""``privguard purge``: delete the log files below some folders that have become too old, and nothing else.

No link is followed: each folder is opened as the folder that it was found as, and a file is deleted by its name in it.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ._stop import NotNow, WrongUse, in_one_line

COMMAND = "privguard purge"
EXAMPLE = "privguard purge /var/log/shop --days 30"
_DAY = 86_400  # seconds

# "site.log"; with a number or a date, as logging, logrotate and others rename it; and all that compressed
_LOG_NAME = re.compile(r".+\.log(?:[.-][0-9][0-9_.T:-]*)?(?:\.(?:gz|bz2|xz|zst|lz4))?")
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


class File(NamedTuple):
    """A log file that is old enough, in a folder that is open as *folder*."""

    name: str
    folder: int
    path: str
    size: int


@dataclass
class Found:
    """What a walk came across, beside the files that it gives."""

    problems: list[str] = field(default_factory=list)
    """What could not be read or deleted."""
    in_future: list[str] = field(default_factory=list)
    """Log files whose date lies in the future: they would never become old."""


def purge(
    folders: Sequence[str],
    *,
    days: int,
    patterns: Sequence[str],
    dry_run: bool,
    verbose: bool,
    now: float | None = None,
) -> int:
    """Delete the log files below *folders* that were last changed more than *days* days ago, and say what was done.

    *now* is in seconds since 1970. Returns the exit code: 1 when something could not be read or deleted.
    """
    if not hasattr(os, "O_DIRECTORY"):
        raise NotNow(f"{COMMAND} needs a Unix system, where a folder can be held open while its files are deleted")
    tops = [_checked_folder(folder) for folder in folders]
    is_log = _is_log(patterns)
    now = time.time() if now is None else now
    bar = _Bar(sum(1 for _ in _old_files(tops, days, is_log, now, Found())) if sys.stderr.isatty() else 0)
    found = Found()
    count = size = 0
    for file in _old_files(tops, days, is_log, now, found):
        if dry_run or _delete(file, found):
            count, size = count + 1, size + file.size
            if dry_run or verbose:
                bar.clear()
                print(in_one_line(file.path))
        bar.step()
    bar.clear()
    for path in found.in_future:
        print(f"privguard: {in_one_line(path)} was left: its date lies in the future", file=sys.stderr)
    for problem in found.problems:
        print(f"privguard: {in_one_line(problem)}", file=sys.stderr)
    done = "would delete" if dry_run else "deleted"
    print(f"{done} {count} {'file' if count == 1 else 'files'}, {_in_units(size)}: older than {_days(days)}")
    return 1 if found.problems else 0


def _checked_folder(folder: str) -> str:
    bare = folder.rstrip("/") or folder[:1]
    if os.path.islink(bare):
        raise WrongUse(f"{folder!r} is a link; name the folder that it leads to: {COMMAND} {os.path.realpath(bare)}")
    if not os.path.lexists(bare):
        raise WrongUse(f"there is no folder {folder!r}; type, for example: {EXAMPLE}")
    if not os.path.isdir(bare):
        raise WrongUse(f"{folder!r} is no folder; name the one that it is in: {COMMAND} {os.path.dirname(bare) or '.'}")
    if os.path.realpath(bare) == "/":
        raise WrongUse(f"{folder!r} is the whole machine; name the folder of your logs, for example: {EXAMPLE}")
    return bare


def _is_log(patterns: Sequence[str]) -> Callable[[str], bool]:
    for pattern in patterns:
        if not pattern or "/" in pattern:
            raise WrongUse(f"{pattern!r} is no pattern for the name of a file; type, for example: --pattern '*.log*'")
    if not patterns:
        return lambda name: _LOG_NAME.fullmatch(name) is not None
    return lambda name: any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _old_files(
    tops: Iterable[str], days: int, is_log: Callable[[str], bool], now: float, found: Found
) -> Iterator[File]:
    for path, name, folder in (one for top in tops for one in _walk(top, top, None, found)):
        if not is_log(name):
            continue
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            continue  # somebody else was first
        if stat.S_ISREG(status.st_mode):
            if status.st_mtime > now:
                found.in_future.append(path)
            elif now - status.st_mtime > days * _DAY:
                yield File(name, folder, path, status.st_size)


def _walk(path: str, name: str, parent: int | None, found: Found) -> Iterator[tuple[str, str, int]]:
    """Give what is in the folder *name* of *parent*, and below it: its path, its name, and the folder that it is in."""
    try:
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    except FileNotFoundError:
        return  # somebody else was first
    except OSError as error:
        found.problems.append(f"{path} cannot be read: {error.strerror}")
        return
    try:
        with os.scandir(folder) as entries:
            inside = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
        for one, is_folder in inside:
            whole = os.path.join(path, one)
            if is_folder:
                yield from _walk(whole, one, folder, found)
            else:
                yield whole, one, folder
    finally:
        os.close(folder)


def _delete(file: File, found: Found) -> bool:
    try:
        os.unlink(file.name, dir_fd=file.folder)
    except FileNotFoundError:
        return False
    except OSError as error:
        found.problems.append(f"{file.path} cannot be deleted: {error.strerror}")
        return False
    return True


# ── what is said ─────────────────────────────────────────────────────────────────────────────────────────────────────


class _Bar:
    """A bar on the terminal's last line, of *total* steps; none at all for a total of 0."""

    _WIDTH = 40  # columns

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0

    def step(self) -> None:
        if self._total:
            self._done = min(self._done + 1, self._total)  # files may have come since they were counted
            filled = self._WIDTH * self._done // self._total
            bar = "#" * filled + "." * (self._WIDTH - filled)
            print(f"\r[{bar}] {self._done}/{self._total}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._total:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _in_units(size: int) -> str:
    """Return *size* in bytes, for people.

    >>> _in_units(1), _in_units(1536)
    ('1 byte', '1.5 KiB')
    """
    if size < 1024:
        return "1 byte" if size == 1 else f"{size} bytes"
    amount, unit = float(size), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}"
