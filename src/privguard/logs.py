"""Log files that are deleted in the end.

:class:`RetentionFileHandler` is a handler for :mod:`logging` that keeps the lines of so many days and no more.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import logging
import os
import re
import stat
import time
from collections.abc import Callable, Iterator

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no such locks, and holds fast to a file that somebody writes
    fcntl = None  # type: ignore[assignment]

__all__ = ["RetentionFileHandler"]

_DATED = re.compile(r"\.([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\.[0-9]+)?")
_DAY = 86_400  # seconds; POSIX time has no leap seconds
_MOST_DAYS = 36_500  # as in the settings: past a hundred years it is a slip of the hand
_PATIENCE = 5.0  # seconds for another process to let the lock go: it holds it for some milliseconds a day
_PAUSE = 60.0  # seconds until a rotation that failed is tried again
_MOST_PENDING = 1 << 20  # bytes that wait for a disk that is full


class RetentionFileHandler(logging.Handler):
    """Write the log to the file *path*, begin a new file each day, and delete a file when a line in it is *days* old.

    Yesterday's file is ``PATH.YYYY-MM-DD``, by the date in UTC. What is too old is deleted with the first line of a day
    and when the handler is made. Several processes may write to one file: they rotate it once, under a lock
    (``PATH.lock``, which also holds the day of the file). A file that something else has moved away is begun anew. If
    *path* is a link, the file that it leads to is rotated where that is.

    *days* is a whole number from 1 to 36500: what ``logs.retention_days`` promises. *encoding* and *errors* are those
    of :meth:`str.encode`. *clock* gives seconds since 1970. Raises ValueError for other *days* and for a path that is
    no ordinary file, OSError when the file or its lock cannot be opened, RuntimeError on a system without ``fcntl``.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     handler = RetentionFileHandler(folder + "/site.log", days=30)
    ...     handler.close()
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        days: int,
        encoding: str = "utf-8",
        errors: str = "backslashreplace",
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= _MOST_DAYS:
            raise ValueError(
                f"days must be a whole number from 1 to {_MOST_DAYS}, not {days!r}; "
                'give the number that PRIVGUARD["logs"]["retention_days"] promises'
            )
        if fcntl is None:
            raise RuntimeError(
                "RetentionFileHandler needs a Unix system; here, use logging.handlers.TimedRotatingFileHandler "
                "with when='midnight' and backupCount"
            )
        "".encode(encoding, errors)  # an encoding that is not known: now, and not with the first line
        super().__init__()
        self.days: int = days
        self.encoding: str = encoding
        self.errors: str = errors
        self.baseFilename: str = os.path.realpath(path)
        self._clock = clock
        self._file: int | None = None
        self._mode = 0o666  # less the umask; later what the owner has given the file
        self._day = ""
        self._pending = b""
        self._process = os.getpid()
        self._try_again = 0.0
        _check_place(self.baseFilename)
        try:
            with self._locked() as lock:
                self._begin(self._today(), lock)
        except BaseException:
            self.close()
            raise

    # ── a line ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def emit(self, record: logging.LogRecord) -> None:
        """Write *record*, after what a new day asks for. Whatever fails goes to handleError(), never to the caller."""
        try:
            line = f"{self.format(record)}\n".encode(self.encoding, self.errors)
        except Exception:
            self.handleError(record)
            return
        try:
            self._prepare()
        except Exception:  # a folder that is read-only by now: the line goes where the last one went
            self.handleError(record)
        try:
            self._write(line)
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Write what a full disk did not take, if it does now."""
        with self.lock or contextlib.nullcontext(), contextlib.suppress(OSError):
            if self._pending and self._file is not None:
                self._write(b"")

    def close(self) -> None:
        """Close the file. A line that comes later opens it again."""
        self.flush()
        with self.lock or contextlib.nullcontext():
            file, self._file = self._file, None
            if file is not None:
                os.close(file)
        super().close()

    def _write(self, line: bytes) -> None:
        """Write *line* in one go, so that the lines of several processes do not mix; keep what a full disk leaves."""
        if self._process != os.getpid():  # what waits, waits in the process that forked this one
            self._process, self._pending = os.getpid(), b""
        waiting, self._pending = self._pending + line, b""
        try:
            if self._file is None:
                raise OSError(errno.EBADF, "the log could not be opened", self.baseFilename)
            while waiting:
                waiting = waiting[os.write(self._file, waiting) :]
        finally:
            if len(waiting) > _MOST_PENDING:
                waiting = waiting[: waiting.rfind(b"\n", 0, _MOST_PENDING) + 1]
            self._pending = waiting

    def _prepare(self) -> None:
        today = self._today()
        if today != self._day and time.monotonic() >= self._try_again:  # "!=": a clock may also be put back
            self._try_again = time.monotonic() + _PAUSE
            with self._locked() as lock:
                self._begin(today, lock)
            self._try_again = 0.0
        elif not self._is_in_place():
            with self._locked():
                self._open()

    def _today(self) -> str:
        # UTC: processes may differ in their time zone, and a day is then the same for all
        return _date(self._clock())

    def _is_in_place(self) -> bool:
        """Whether the open file is still the one by that name."""
        try:
            return self._file is not None and os.path.samestat(os.stat(self.baseFilename), os.fstat(self._file))
        except FileNotFoundError:
            return False

    # ── a day; only under the lock ───────────────────────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        """Hold the lock of all processes that write to this file; what is in it is the day of the file."""
        lock = _lock(f"{self.baseFilename}.lock")
        try:
            yield lock
        finally:
            # Not by closing alone: a process that was forked meanwhile would hold it on.
            fcntl.flock(lock, fcntl.LOCK_UN)
            os.close(lock)

    def _begin(self, today: str, lock: int) -> None:
        """Put the file of another day aside, delete what is too old, and open the file of *today*."""
        day = os.pread(lock, len(today), 0).decode("ascii", "replace")
        if day != today:
            self._put_aside(day)
            os.pwrite(lock, today.encode(), 0)
        self._open()
        self._day = today
        self._delete_old(today)

    def _put_aside(self, day: str) -> None:
        try:
            found = os.stat(self.baseFilename)
        except FileNotFoundError:
            return
        if found.st_size:
            self._mode = stat.S_IMODE(found.st_mode)
            # No day: somebody else's file. When it was begun, nobody knows; when it was last written, the file does.
            begun = _as_date(day) or _date(found.st_mtime)
            os.rename(self.baseFilename, _free_name(f"{self.baseFilename}.{begun}"))

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        before, self._file = self._file, os.open(self.baseFilename, flags, self._mode)
        self._mode = stat.S_IMODE(os.fstat(self._file).st_mode)
        if before is not None:
            os.close(before)

    def _delete_old(self, today: str) -> None:
        folder, base = os.path.split(self.baseFilename)
        now = datetime.date.fromisoformat(today)
        failed: OSError | None = None
        with os.scandir(folder) as entries:
            for entry in entries:
                match = _DATED.fullmatch(entry.name, len(base)) if entry.name.startswith(base) else None
                day = _as_date(match[1]) if match else None
                if day is None or not entry.is_file(follow_symlinks=False):
                    continue
                try:
                    if (now - _since(day, entry, now)).days >= self.days:
                        os.remove(entry.path)
                except FileNotFoundError:
                    pass  # something else was first
                except OSError as error:
                    failed = error
        if failed is not None:
            raise failed


def _check_place(path: str) -> None:
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, "the folder of the log is missing; make it first", folder)
    if os.path.lexists(path) and not os.path.isfile(path):
        raise ValueError(f"{path!r} is no ordinary file, and cannot be rotated; for a stream, use StreamHandler")


def _lock(path: str) -> int:
    deadline = time.monotonic() + _PATIENCE
    while True:
        lock = _open_lock(path)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_named(lock, path):  # else somebody has deleted it meanwhile, and others lock another one
                return lock
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(lock)
                raise TimeoutError(errno.ETIMEDOUT, "another process does not let go of the log's lock", path) from None
            time.sleep(0.005)
        os.close(lock)


def _open_lock(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        why = f"{error.strerror}; the log's folder must be writable, for files are renamed and deleted in it"
        raise OSError(error.errno, why, path) from None


def _is_named(file: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False


def _free_name(name: str) -> str:
    free, number = name, 0
    while os.path.lexists(free):
        number += 1
        free = f"{name}.{number}"
    return free


def _since(day: datetime.date, entry: os.DirEntry[str], today: datetime.date) -> datetime.date:
    """Return the day from which a dated file's age counts: a clock that was ahead may have dated it.

    A file of the future counts from its last change; is that in the future too, from now on.
    """
    if day > today:
        day = _as_date(_date(entry.stat().st_mtime)) or today
        if day > today:
            os.utime(entry.path)
    return min(day, today)


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def _as_date(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None
