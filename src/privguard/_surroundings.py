"""What surrounds a tag, as far as it decides whether text is text (HTML standard §13.2.6).

In foreign content (SVG, MathML) and in lists, tags whose content is text elsewhere are ordinary ones or none; and
browsers' preload scanners do not know that. A whole parser would have to hold the whole tree. This one knows the few
elements by which a page may get there, and when it does not know any more.
"""

from __future__ import annotations

from ._landmarks import FOREIGN, INTEGRATION_POINTS

_DEEPEST = 100  # elements in one another


class Surroundings:
    """The foreign elements and lists that are open, as far as can be told by their tags alone."""

    __slots__ = ("_foreign", "_has_templates", "_is_list", "are_unsure")

    def __init__(self) -> None:
        self._foreign: list[bytes] = []
        self._is_list = False
        self._has_templates = False
        self.are_unsure = False
        """Whether that cannot be told any more."""

    @property
    def are_doubtful(self) -> bool:
        """Whether readers may differ on what is text."""
        return self.are_unsure or self._is_list or bool(self._foreign)

    @property
    def are_foreign(self) -> bool:
        """Whether the next tag is one of SVG or MathML, as far as can be told."""
        return bool(self._foreign)

    def open(self, name: bytes, ends_itself: bool) -> bool:
        """See a start tag; return whether HTML may go on in it, in the middle of foreign content."""
        if name in FOREIGN:
            self._open_foreign(name, ends_itself)
        elif name == b"select":
            self._is_list = True
        elif name == b"template":
            self._has_templates = True
            self.are_unsure |= self._is_list
        elif name == b"frameset" or (name == b"col" and self._has_templates):
            self.are_unsure = True  # a template that begins with a column ignores the tags of all but columns
        return name in INTEGRATION_POINTS and bool(self._foreign) and not ends_itself

    def _open_foreign(self, name: bytes, ends_itself: bool) -> None:
        if len(self._foreign) == _DEEPEST:
            self.are_unsure = True
        elif not ends_itself:
            self._foreign.append(name)

    def close(self, name: bytes) -> None:
        """See an end tag: it closes what is open inside its element, and is ignored where there is none."""
        if name in FOREIGN:
            while name in self._foreign and self._foreign.pop() != name:
                pass
        elif name == b"select":
            self._is_list = False
