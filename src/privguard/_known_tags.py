"""What was found of tags before, on pages that know the same of themselves: a site sends the same few hundred always.

What is remembered is bounded, and forgotten as a whole: what is in use is soon known again.
"""

from __future__ import annotations

from typing import NamedTuple

from ._elements import Verdict, View
from ._markup import Tag

_MOST_VIEWS = 16
_MOST_TAGS = 1024
_LONGEST_TAG = 512  # bytes
_NEVER_THE_SAME = (b"nonce", b"srcdoc")


class KnownTag(NamedTuple):
    """A start tag as it was found before."""

    name: bytes
    ends_itself: bool
    verdict: Verdict
    """Its edits are told from where the tag begins."""


KnownTags = dict[bytes, KnownTag]
_known: dict[View, KnownTags] = {}


def known_tags(view: View) -> KnownTags:
    """Return what is known of tags on pages of which *view* is known."""
    found = _known.get(view)
    if found is None:
        if len(_known) >= _MOST_VIEWS:
            _known.clear()
        found = _known[view] = {}
    return found


def remember(known: KnownTags, written: bytes, tag: Tag, verdict: Verdict) -> None:
    """Add a tag that is *written* so, unless it is long or another one each time."""
    if len(written) > _LONGEST_TAG or not tag.attributes.keys().isdisjoint(_NEVER_THE_SAME):
        return
    if len(known) >= _MOST_TAGS:
        known.clear()
    edits = [(at - tag.at, new) for at, new in verdict.edits]
    known[written] = KnownTag(tag.name, tag.ends_itself(), Verdict(verdict.removed, edits))
