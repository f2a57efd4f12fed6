"""What the tests of scrubbed documents share: a page, its third party, and every way of cutting a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from privguard._elements import View
from privguard._references import Page

THIRD = "//third.test/x"
OWN = frozenset({"site.test", "www.own.test"})
STRICT = View(Page(OWN, lambda directive, url: False))
LOOSE = View(Page(OWN, lambda directive, url: url.startswith("https://video.test/")))
CDN = View(Page(OWN, lambda directive, url: False), watches_images=True)
BOARDS = View(Page(OWN, lambda directive, url: False), has_users_images=True, watches_images=True)


def scrubbed(make: Callable, chunks: Iterable[bytes]) -> bytes:
    """Return what comes out of a fresh scrubber that is fed *chunks*."""
    scrubber = make()
    return b"".join([*map(scrubber.feed, chunks), scrubber.finish()])


def in_every_way(make: Callable, page: bytes) -> bytes:
    """Return *page* scrubbed; whole, byte by byte and in two parts cut anywhere it comes out the same, and as long."""
    whole = scrubbed(make, [page])
    assert len(whole) == len(page)
    assert scrubbed(make, [page[at : at + 1] for at in range(len(page))]) == whole
    for at in range(len(page)):
        assert scrubbed(make, [page[:at], page[at:]]) == whole
    assert scrubbed(make, [whole]) == whole, "scrubbed once more, it changes"
    return whole
