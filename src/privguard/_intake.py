"""A submission on its way in: whether it is a child's is found out before the app sees a byte of its body.

A body is held while it comes in, and its fields are judged as they pass; nothing is changed, and what is given on is
what was sent, byte for byte. Once it is a child's, it is forgotten as it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from ._children import ChildJudge, ChildRules, says_yes
from ._dates import today_in_the_latest_zone
from ._errors import SubmissionError
from ._fields import Field
from ._spool import Spool

if TYPE_CHECKING:
    from ._forms import FieldsReader

_BLOCK = 1 << 12  # bytes that are read at once: what is held of a long word is looked at again with each
BACK_COOKIE = "privguard_refused"
"""The name of a session cookie that says that the visitor was refused, and nothing else."""

Values = Callable[[str], Sequence[str]]
"""Gives the values of a request's header field, whose name is in lower case."""


class ChildPolicy:
    """The part of a policy that says which submissions are a child's, compiled; falsy when it says that of none."""

    __slots__ = ("_back_button", "_limits", "_paths", "_rules", "_signal", "gives_on")

    def __init__(self, children: Mapping[str, Any]) -> None:
        self._rules = ChildRules(children)
        self._signal: str = (children["signal_header"] or "").lower()
        self._paths = bool(children["paths"])
        self._limits: Mapping[str, int] = children["limits"]
        self._back_button: bool = children["back_button"]
        self.gives_on: bool = children["action"] == "mute"
        """Whether the app sees what a child sent."""

    def __bool__(self) -> bool:
        return bool(self._rules or self._signal or self._paths)

    def intake(self, query: bytes, values: Values, now: float, *, is_childs: bool, was_refused: bool = False) -> Intake:
        """Return what takes in a submission. *is_childs*: by its path, whatever it holds. *now*: seconds since 1970."""
        judge = ChildJudge(self._rules, today_in_the_latest_zone(now))
        readers = [*_readers(values)] if self._rules else []
        intake = Intake(judge, readers, self._limits, keeps_all=self.gives_on)
        intake.is_childs = is_childs or self._is_signalled(values)
        intake.was_refused = self._back_button and (was_refused or any(map(says_refused, values("cookie"))))
        if query and self._rules:
            from ._pairs import query_fields

            intake.see(query_fields(query))
        return intake

    def _is_signalled(self, values: Values) -> bool:
        return bool(self._signal) and any(
            says_yes(value) and value.strip() != "?0"  # RFC 8941 §3.3.6
            for value in values(self._signal)
        )


def says_refused(cookies: str) -> bool:
    """Whether a Cookie header field holds BACK_COOKIE."""
    return f"{BACK_COOKIE}=1" in cookies


def _readers(values: Values) -> Iterator[FieldsReader]:
    """Apps differ in which of several Content-Type fields they take."""
    from ._forms import fields_reader  # a process that takes no forms need not know how to read them

    coding = ",".join(values("content-encoding"))
    for kind in dict.fromkeys(values("content-type") or [""]):
        reader = fields_reader(kind, coding)
        if reader is not None:
            yield reader


class Intake:
    """One submission as it comes in. *keeps_all*: the app is to get it even if it is a child's."""

    def __init__(
        self, judge: ChildJudge, readers: Sequence[FieldsReader], limits: Mapping[str, int], *, keeps_all: bool
    ) -> None:
        self._judge = judge
        self._readers = readers
        self._limits = limits
        self._keeps_all = keeps_all
        self._spool = Spool(limits["memory_bytes"])
        self._unread = bytearray()
        """What is too little to be read by itself."""
        self._began: float | None = None
        self._received = 0
        self.is_childs: bool = False
        """A latch: False to True only."""
        self.was_refused: bool = False
        """Whether the visitor has been told once that nothing is taken: then another age is no answer."""

    @property
    def wants_body(self) -> bool:
        """Whether the body has to come in before the app is called: to be judged, or to be forgotten."""
        return not self._keeps_all if self.is_childs else bool(self._readers)

    def see(self, fields: Iterable[Field]) -> None:
        """Take fields into account."""
        judge = self._judge
        for field in fields:  # to their end: a reader goes on where it stopped
            judge.see(field)
        self._settle()

    def _settle(self) -> None:
        if self._judge.flagged or (self.was_refused and self._judge.asked):
            self.is_childs = True
            self._unread.clear()
            if not self._keeps_all:
                self._spool.discard()

    def feed(self, chunk: bytes, moment: float) -> None:
        """Take the next *chunk* of the body in, at a *moment* (seconds, of any clock that never goes back).

        Raises SubmissionError when it is more than the limits let in, when it comes too slowly, or when there is no
        room for it.
        """
        self._received += len(chunk)
        self._check_limits(moment)
        if not self.is_childs:
            self._read(chunk)
        if self._keeps_all or not self.is_childs:
            self._hold(chunk)

    def _read(self, chunk: bytes) -> None:
        if self._unread or len(chunk) < _BLOCK:
            self._unread += chunk
            if len(self._unread) < _BLOCK:
                return
            chunk = bytes(self._unread)
            self._unread.clear()
        for reader in self._readers:
            self.see(reader.feed(chunk))

    def _check_limits(self, moment: float) -> None:
        self._began = moment if self._began is None else self._began
        seconds = moment - self._began
        if self._received > self._limits["body_bytes"]:
            self.discard()
            raise SubmissionError(413, "body_bytes", "a submission is larger than")
        if seconds > self._limits["seconds"] and self._received < self._limits["bytes_per_second"] * seconds:
            self.discard()
            raise SubmissionError(408, "bytes_per_second", "a submission comes in more slowly than")

    @property
    def patience(self) -> int:
        """How many seconds may pass until the next chunk comes."""
        return self._limits["seconds"]

    def out_of_patience(self) -> SubmissionError:
        """Forget the body, and return what is to be raised when the next chunk has not come in time."""
        self.discard()
        return SubmissionError(408, "seconds", "nothing came of a submission for longer than")

    def _hold(self, chunk: bytes) -> None:
        try:
            self._spool.write(chunk)
        except OSError as error:
            self.discard()
            raise SubmissionError(500, "", f"a submission cannot be held: {error.strerror}") from None

    def finish(self) -> None:
        """See the end of the submission."""
        rest = bytes(self._unread)
        self._unread.clear()
        for reader in self._readers if not self.is_childs else ():
            self.see(reader.feed(rest))
            self.see(reader.finish())
        if not self.is_childs:
            self._judge.finish()
            self._settle()

    @property
    def has_body(self) -> bool:
        """Whether any of one has come in."""
        return self._received > 0

    def discard(self) -> None:
        """Forget the body: nobody reads it any more."""
        self._unread.clear()
        self._spool.discard()

    def pieces(self) -> Iterator[bytes]:
        """Yield what was sent, once."""
        return self._spool.pieces()

    def as_file(self) -> BinaryIO:
        """Return what was sent as a file, once; it may be closed by discard()."""
        return self._spool.as_file()
