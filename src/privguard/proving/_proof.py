"""Sends marked submissions to an app, and looks for the marks in everything that the process wrote."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import secrets
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .._interface import interface_of
from ._calling import Answer, deliver
from ._exporters import ExporterWatch
from ._files import FileWatch
from ._logs import LogWatch, Silent
from ._marks import Mark, new_text
from ._report import CannotProve, Finding, Report, Trace
from ._search import Search
from ._streams import StreamWatch
from ._submissions import Submission, submissions, too_short

CONTROL = "control"
_CONTROLLED = ("log record", "stdout", "stderr", "file")


def prove_forgetting(
    app: Any,
    path: str,
    fields: Mapping[str, str] | None = None,
    *,
    watch: Iterable[str | os.PathLike[str]] | None = None,
    kind: str | None = None,
    host: str = "localhost",
) -> Report:
    """Submit *fields* to *path* of *app*, marked, in each encoding, and return what of them can be found afterwards.

    Without *fields*, the age and the birth date of somebody who is seven are sent. ``{mark}`` in a value stands for a
    mark. The current and the temporary folder are watched, and those in *watch*. *kind* is ``"asgi"``, ``"wsgi"`` or,
    to find out, None. *host* is what the Host header says. Raises CannotProve.
    """
    kind = kind or interface_of(app)
    if kind is None:
        raise CannotProve('the app may be ASGI or WSGI; say which: kind="asgi" or kind="wsgi"')
    if not path.startswith("/"):
        raise CannotProve(f"{path!r} is no path of a site; it begins with /")
    folders = [Path.cwd(), Path(tempfile.gettempdir()), *map(Path, watch or ())]
    for folder in folders:
        if not folder.is_dir():
            raise CannotProve(f"there is no folder {folder}; name one to watch")
    check_sight()
    today = datetime.now(UTC).date()
    sent = submissions(path, fields or {}, choose=secrets.choice, below=secrets.randbelow, today=today)
    watching = _Watching(folders, replays=True)
    with watching.everything():
        answers = deliver(app, kind, host, sent)
    _check_statuses(answers, path)
    return _report(watching, sent, answers)


def _report(watching: _Watching, sent: Sequence[Submission], answers: Sequence[Answer]) -> Report:
    search = Search(mark for one in sent for mark in one.marks)
    traces = [*(trace for one in answers for trace in _traces_of(one)), *watching.traces()]
    findings = [Finding.of(trace, hit) for trace in traces for hit in search.find(trace.content)]
    statuses = tuple(one.status for one in answers)
    told = ", ".join(f"{one.submission.encoding} {one.status}" for one in answers)
    return Report(
        tuple(dict.fromkeys(findings)),
        (f"submissions, and what the app answered: {told}", *watching.looked_through()),
        (*_cautions(answers), *watching.left_out(), *(f"{thing}: too short to tell" for thing in too_short(sent))),
        statuses,
    )


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _traces_of(answer: Answer) -> Iterator[Trace]:
    for name, value in answer.headers:
        what = "cookie of the answer" if name.lower() == b"set-cookie" else f"header {name.decode('latin-1')}"
        yield Trace(what if what.startswith("cookie") else f"{what} of the answer", value)
    yield Trace("body of the answer", answer.body)


def _check_statuses(answers: Sequence[Answer], path: str) -> None:
    statuses = {one.status for one in answers}
    if statuses == {404}:
        raise CannotProve(f"the app answers 404 to {path}; name the path that its form is sent to")
    if statuses == {405}:
        raise CannotProve(f"the app answers 405 to a POST to {path}; name the path that its form is sent to")


def _cautions(answers: Sequence[Answer]) -> Iterator[str]:
    """Say it where the app may not have read what was sent. A refusal of privguard's is 403 and no-store."""
    others = [one for one in answers if one.status >= 400 and not (one.status == 403 and _is_kept_from_caches(one))]
    told = ", ".join(f"{one.submission.encoding} {one.status}" for one in others)
    if told:
        yield f"a submission that the app takes: it answered {told}; send the fields that it needs"


def _is_kept_from_caches(answer: Answer) -> bool:
    return any(name.lower() == b"cache-control" and b"no-store" in value.lower() for name, value in answer.headers)


# ── all that is watched ──────────────────────────────────────────────────────────────────────────────────────────────


class _Watching:
    def __init__(self, folders: Iterable[Path], *, replays: bool) -> None:
        self.logs = LogWatch()
        self.streams = StreamWatch(replays=replays)
        self.exporters = ExporterWatch()
        self.files = FileWatch(folders)

    @contextlib.contextmanager
    def everything(self) -> Iterator[None]:
        """Watch in the block, and until all that waits to be written is written."""
        with self.streams.watching(), self.logs.watching(), self.exporters.watching():
            yield
            gc.collect()  # an exception of a task is told when nobody holds the task any more
            _flush_handlers()

    def traces(self) -> Iterator[Trace]:
        yield from self.logs.traces
        yield from self.streams.traces
        yield from self.exporters.traces
        yield from self.files.traces()

    def looked_through(self) -> list[str]:
        watches = (self.logs, self.streams, self.files, self.exporters)
        return [line for watch in watches for line in watch.looked_through]

    def left_out(self) -> list[str]:
        return [*self.streams.left_out, *self.files.left_out, *self.exporters.left_out]


def _flush_handlers() -> None:
    names = list(logging.root.manager.loggerDict)
    for handler in {one for name in [None, *names] for one in logging.getLogger(name).handlers}:
        with contextlib.suppress(OSError, ValueError):  # a file that is closed already
            handler.flush()


# ── the control ──────────────────────────────────────────────────────────────────────────────────────────────────────


def check_sight() -> None:
    """Leave a mark in each place by intention, and raise CannotProve if one of them is not found."""
    mark = Mark(CONTROL, new_text(secrets.choice))
    seen = [one.place for one in _found_of(mark)]
    blind = [place for place in _CONTROLLED if not any(one.startswith(place) for one in seen)]
    if blind:
        raise CannotProve(f"the control mark was not found in: {', '.join(blind)}; nothing can be proved here")


def _found_of(mark: Mark) -> list[Finding]:
    log = logging.Logger(CONTROL)  # nobody's: no handler of the app's writes it anywhere
    log.addHandler(Silent())
    with tempfile.TemporaryDirectory(prefix="privguard-control-") as folder:
        watching = _Watching([Path(folder)], replays=False)
        with watching.everything():
            log.error("%s", mark.text)
            print(mark.text, flush=True)  # noqa: T201  that is what is to be seen
            print(mark.text, file=sys.stderr, flush=True)  # noqa: T201
            Path(folder, "control").write_text(mark.text)
        traces = list(watching.traces())
    return [Finding.of(trace, hit) for trace in traces for hit in Search([mark]).find(trace.content)]
