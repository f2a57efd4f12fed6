"""Where a search through HTML has to stop: at tags that make contact, and at those behind which text is no markup.

(HTML standard §13.2.5 tokenization, §13.2.6 tree construction.) All the rest of a page is run over by these patterns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ._markup import TAG

# What stands in these is text until their own end tag.
RAW_TEXT = frozenset(b"script style textarea title xmp iframe noembed noframes noscript plaintext".split())
# Inside these, browsers differ from the rule above: tags of foreign content and those that a list ignores are no such
# elements, and CDATA sections are text.
FOREIGN = frozenset((b"svg", b"math"))
# Where foreign content goes back to HTML.
INTEGRATION_POINTS = frozenset(b"foreignobject desc annotation-xml mi mo mn ms mtext".split())
JUDGED = frozenset(b"link iframe frame embed object portal fencedframe meta form base script".split())
JUDGED_BY_ATTRIBUTE = frozenset(b"a area img button input".split())
TURNING = frozenset((*FOREIGN, b"select", b"frameset", b"template", b"col"))


def any_case(names: Iterable[bytes]) -> bytes:
    """Return a pattern for *names* in any case, by their first letters, for so it fails fastest."""
    by_letter: dict[bytes, list[bytes]] = {}
    for name in sorted(names):
        by_letter.setdefault(name[:1], []).append(name[1:])
    return b"|".join(
        _one_case(letter) + b"(?:" + b"|".join(map(_one_case, sorted(rests, key=len, reverse=True))) + b")"
        for letter, rests in by_letter.items()
    )


def _one_case(name: bytes) -> bytes:
    return b"".join(b"[%c%c]" % (byte, byte ^ 32) if chr(byte).isalpha() else b"%c" % byte for byte in name)


_ENDS = (b"\t", b"\n", b"\f", b"\r", b" ", b"/", b">")
_BLANKS = rb"\t\n\f\r />"
_ENDS_NAME = rb"(?=[\t\n\f\r />])"


Other = tuple[bytes, bytes, bytes]
"""The first letter of what is no start tag, a class of second ones, and the pattern for both and what follows."""


def _stops(names: frozenset[bytes], *others: Other) -> bytes:
    """Return a pattern for the start tags *names*, and for *others*, from the ``<`` on.

    The first two letters are looked at before anything else, for most tags have others.
    """
    firsts = _letters(name[:1] for name in names) + b"".join(first for first, _, _ in others)
    seconds = _letters(name[1:2] for name in names) + b"".join(second for _, second, _ in others)
    if any(len(name) == 1 for name in names):
        seconds += _BLANKS
    alternatives = [*(pattern for _, _, pattern in others), b"(?:%s)%s" % (any_case(names), _ENDS_NAME)]
    return b"<(?=[%s][%s])(?:%s)" % (firsts, seconds, b"|".join(alternatives))


def _letters(names: Iterable[bytes]) -> bytes:
    return b"".join(sorted({_one_case(name)[1:-1] for name in names}))


@dataclass(frozen=True, slots=True)
class Landmarks:
    """How to run over markup in the data state."""

    stop: re.Pattern[bytes]
    """Finds the next tag that matters, if nothing before it needs a closer look."""
    run: re.Pattern[bytes]
    """Matches tags and text, one by one, as far as none of them matters."""


def _landmarks(stop: bytes, every_stop: bytes) -> Landmarks:
    run = rb"(?:[^<]++|(?!%s)(?:<(?![A-Za-z/!?]|\Z)|</?[A-Za-z]%s))*" % (every_stop, TAG)
    return Landmarks(re.compile(stop), re.compile(run))


_ORDINARY = RAW_TEXT | JUDGED | TURNING
_WATCHFUL = _ORDINARY | JUDGED_BY_ATTRIBUTE | INTEGRATION_POINTS
# Comments and CDATA sections; all other declarations end at the next bracket, as tags do.
_SECTION = (b"!", rb"\[\-", b"!")
_END = (b"/", _letters(name[:1] for name in TURNING), b"/(?:%s)%s" % (any_case(TURNING), _ENDS_NAME))

ORDINARY = _landmarks(_stops(_ORDINARY, _SECTION), _stops(_ORDINARY | JUDGED_BY_ATTRIBUTE, _SECTION))
WATCHFUL = _landmarks(_stops(_WATCHFUL, _SECTION, _END), _stops(_WATCHFUL, _SECTION, _END))
"""Inside foreign content and lists."""
EVERY_TAG = _landmarks(b"<[A-Za-z/!]", b"<[A-Za-z/!]")
MAKES_CONTACT = re.compile(_stops(JUDGED | JUDGED_BY_ATTRIBUTE))
ANY_TAG = re.compile(b"<[A-Za-z]")

# What a search for a stop may not run over: a bracket in a quoted value, behind which its tag goes on, and the
# attributes by which other tags make contact (with blanks around the equals sign, any attribute may be one).
_MAY_OPEN_MARKUP = re.compile(rb"<(?:[A-Za-z/!?]|\Z)")
_CLOSER_LOOK = re.compile(
    rb"=(?:\"[^\"<>]*+[<>]|'[^'<>]*+[<>]|[\t\n\f\r ]|(?<=[gGcCnN\t\n\f\r ]=)"
    rb"(?:(?<=[pP][iI][nN][gG]=)|(?<=[oO][nN][sS][rR][cC]=)|(?<=[mM][aA][cC][tT][iI][oO][nN]=)|(?<=[\t\n\f\r ]=)))"
)


class Search:
    """Searches one piece of a page after the other for the tags that matter: each byte once, however many there are."""

    __slots__ = ("_closer_until", "_of", "_stop")

    def __init__(self) -> None:
        self._of = ORDINARY
        self.begin()

    def begin(self) -> None:
        """Go on with another piece."""
        self._closer_until = 0
        """As far as this, every tag has to be looked at."""
        self._stop = -1
        """Where the next tag that matters begins; before the position, when that has not been searched for."""

    def next(self, data: bytes, at: int, landmarks: Landmarks) -> int:
        """Return where, from *at* on in the data state, the next bracket is that has to be looked at, or the end."""
        if at >= self._closer_until:
            limit = self._next_stop(data, at, landmarks)
            closer = _CLOSER_LOOK.search(data, at, limit + 1)
            if closer is None:
                # No tag holds a bracket in a value: whatever opens behind the last one that closes is still open.
                closed = max(at, data.rfind(b">", at, limit) + 1)
                opening = _MAY_OPEN_MARKUP.search(data, closed, limit)
                return opening.start() if opening else limit
            self._closer_until = closer.end()
        run = landmarks.run.match(data, at)
        return run.end() if run else at

    def _next_stop(self, data: bytes, at: int, landmarks: Landmarks) -> int:
        if self._stop < at or self._of is not landmarks:
            match = landmarks.stop.search(data, at)
            self._stop = match.start() if match else len(data)
            self._of = landmarks
        return self._stop


RAW_TEXT_END = {name: re.compile(b"</" + _one_case(name) + _ENDS_NAME) for name in RAW_TEXT}
SCRIPT_TURN = re.compile(rb"<!--|-->|<(/?)[sS][cC][rR][iI][pP][tT]" + _ENDS_NAME)
COMMENT_END = re.compile(rb"--!?>")
OPENS_DECLARATION = re.compile(rb"<(?:[!?]|/[^A-Za-z])")
OPENS_MARKUP = re.compile(rb"<(?=[A-Za-z/!?])")
DOUBTFUL_CDATA_END = re.compile(rb"\]\]>|<(?=[A-Za-z/!?])")
TAG_NAME = re.compile(rb"</?([A-Za-z][^\t\n\f\r />]{0,64})(?![^\t\n\f\r />])")
"""Fails for a name that is too long to mean anything."""

# At the end of what has come in so far, these may yet become what is looked for.
LONGEST_END = 16  # bytes: "</noscript" and what follows, "</fencedframe"
PARTIAL_TAG = re.compile(rb"</?[A-Za-z]*\Z")
PARTIAL_COMMENT_END = re.compile(rb"--?!?\Z")
PARTIAL_CDATA_END = re.compile(rb"\]\]?\Z|<\Z")
PARTIAL_SCRIPT_TURN = re.compile(rb"<!?-?\Z|--?\Z|</?[A-Za-z]*\Z")

WATCHED = TURNING | INTEGRATION_POINTS
HELD = RAW_TEXT | JUDGED | JUDGED_BY_ATTRIBUTE | WATCHED


def is_end_tag(begin: bytes, name: bytes) -> bool:
    """Whether *begin*, in lower case, begins the end tag of the element *name*."""
    return begin.startswith(b"</" + name) and begin[len(name) + 2 : len(name) + 3] in _ENDS
