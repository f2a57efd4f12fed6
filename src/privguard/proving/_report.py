"""What a proof says: the traces that were found, and all that was looked through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .._errors import PrivguardError
from ._search import Hit, shown

_SHOWN = 12  # findings of one place; a site that keeps everything keeps everything in each form


class CannotProve(PrivguardError):
    """Nothing can be said. The message is one line, which says what to do."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Something that the process wrote."""

    place: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """A mark in a trace."""

    place: str
    """Where: a file, a log record, a header of the answer."""
    thing: str
    """What of the submission: ``field birthdate``, ``file name``, ``cookie``."""
    sent_as: str
    """In which submission: ``urlencoded``, ``multipart``, ``JSON``; empty for what was the same in all."""
    form: str
    """How it is spelled there: ``plain``, ``base64``, ``sha256 in hex, in gzip``."""
    excerpt: str
    """The line around it, without the mark."""

    @classmethod
    def of(cls, trace: Trace, hit: Hit) -> Finding:
        """Return what *hit* is in *trace*."""
        return cls(trace.place, hit.mark.thing, hit.mark.sent_as, hit.form, hit.excerpt)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and what was looked through; as a string, what the command prints."""

    findings: tuple[Finding, ...]
    """In the order of the places."""
    looked_through: tuple[str, ...]
    """What was looked through, with counts."""
    left_out: tuple[str, ...] = ()
    """What was not looked through or looked for, and why."""
    statuses: tuple[int, ...] = ()
    """What the app answered to each submission."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def _lines(report: Report) -> Iterator[str]:
    places = list(dict.fromkeys(one.place for one in report.findings))
    for place in places:
        yield shown(place.encode("utf-8", "surrogateescape"))
        yield from _findings_at([one for one in report.findings if one.place == place])
        yield ""
    yield "Looked through:"
    yield from (f"  {line}" for line in report.looked_through)
    if report.left_out:
        yield "Left out:"
        yield from (f"  {line}" for line in report.left_out)
    yield ""
    if report.is_clean:
        yield "Nothing of the submissions was found."
    else:
        things = len({(one.place, one.thing, one.sent_as) for one in report.findings})
        yield f"Found {_number(things, 'thing')} that the submissions left, in {_number(len(places), 'place')}."


def _findings_at(findings: list[Finding]) -> Iterator[str]:
    by_excerpt: dict[str, list[Finding]] = {}
    for one in findings:
        by_excerpt.setdefault(one.excerpt, []).append(one)
    for excerpt, found in list(by_excerpt.items())[:_SHOWN]:
        yield f"  {'; '.join(_named(found))}"
        yield f"    {excerpt}"
    if len(by_excerpt) > _SHOWN:
        yield f"  and {len(by_excerpt) - _SHOWN} more lines like these"


def _named(findings: Iterable[Finding]) -> Iterator[str]:
    """Say each thing once, with the submissions that it was in, and how it is spelled."""
    by_thing: dict[tuple[str, str], list[str]] = {}
    for one in findings:
        by_thing.setdefault((one.thing, one.form), []).append(one.sent_as)
    for (thing, form), sent_as in by_thing.items():
        named = ", ".join(filter(None, dict.fromkeys(sent_as)))
        yield f"{thing} ({named}): {form}" if named else f"{thing}: {form}"


def _number(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
