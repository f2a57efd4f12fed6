"""Tests of tags that were judged before."""

from __future__ import annotations

import pytest

from privguard import _known_tags
from privguard._elements import Verdict, View
from privguard._html import HtmlScrubber
from privguard._known_tags import known_tags, remember
from privguard._markup import Tag
from privguard._references import Page
from scrubbing import STRICT, THIRD, scrubbed

HINT = f"<link rel=preconnect href={THIRD}>".encode()


def admits_nothing(directive: str, url: str) -> bool:
    return False


def a_view(*own: str) -> View:
    return View(Page(own, admits_nothing))


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch):
    monkeypatch.setattr(_known_tags, "_known", {})


def written(text: bytes, view: View) -> None:
    remember(known_tags(view), text, Tag(text, 0, len(text)), Verdict())


def test_tag_that_comes_again():
    """It is made inert each time, on the same page and on the next, and told once of each."""
    for _ in range(2):
        scrubber = HtmlScrubber(STRICT)
        page = b"<p>" + HINT + b"<svg>" + HINT + b"\n" + HINT
        left = scrubber.feed(page) + scrubber.finish()
        assert left == page.replace(b"href", b"xref")
        assert [tuple(one) for one in scrubber.removed] == [("preconnect", "third.test", 1)]


def test_element_that_comes_again():
    """What follows it is text each time."""
    page = b"<style>" + HINT + b"</style><style/>" + HINT + b"</style><svg><desc>x</desc></svg>" * 2
    assert scrubbed(lambda: HtmlScrubber(STRICT), [page]) == page


def test_pages_of_other_owners():
    """What is one's own server is another's third party."""
    third = a_view("third.test")
    for view, left in ((STRICT, HINT.replace(b"href", b"xref")), (third, HINT)):
        for _ in range(2):
            assert scrubbed(lambda view=view: HtmlScrubber(view), [HINT]) == left


def test_pages_that_know_the_same():
    """They share what is known."""
    assert known_tags(a_view("a.test")) is known_tags(a_view("a.test"))
    assert known_tags(a_view("a.test")) is not known_tags(a_view("b.test"))
    assert known_tags(View(Page(["a.test"], print))) is not known_tags(a_view("a.test"))
    assert Page([], print) != print


@pytest.mark.parametrize("tag", [b"<script nonce=a>", b"<iframe srcdoc=a>", b"<a title='" + b"x" * 600 + b"'>"])
def test_tag_that_is_another_one_each_time(tag):
    """There is no use in remembering it."""
    written(tag, STRICT)
    assert known_tags(STRICT) == {}


def test_no_more_is_remembered_than_so_much():
    """Neither tags nor sites can fill the memory."""
    for number in range(3000):
        written(b"<a href=/%d>" % number, STRICT)
        assert len(known_tags(STRICT)) <= 1024
    for number in range(40):
        known_tags(a_view(f"{number}.test"))
    assert len(_known_tags._known) <= 16
