"""What the tests of submissions share: a reader's fields, and every way of cutting a body."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from privguard._fields import Field


def fields_from(reader, chunks: Iterable[bytes]) -> list[Field]:
    """Return what a fresh *reader* finds that is fed *chunks*."""
    return [*(field for chunk in chunks for field in reader.feed(chunk)), *reader.finish()]


def one_by_one(body: bytes) -> list[bytes]:
    """Return the bytes of *body* as chunks."""
    return [body[at : at + 1] for at in range(len(body))]


def in_every_way(make: Callable, body: bytes) -> tuple[list[tuple[tuple[str, ...], str]], str]:
    """Return the fields of *body*, and why it has no more; whole, byte by byte, and in two parts they are the same."""

    def outcome(chunks: Iterable[bytes]):
        reader = make()
        return [tuple(field) for field in fields_from(reader, chunks)], reader.unread

    whole = outcome([body])
    assert outcome(one_by_one(body)) == whole
    for at in range(len(body)):
        assert outcome([body[:at], b"", body[at:]]) == whole
    return whole
