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
TURNING = frozenset((*FOREIGN, b"select", b"frameset"))


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


def _stops(names: frozenset[bytes], *others: bytes) -> bytes:
    """Return a pattern for the tags *names*, and for *others*, which begin behind the ``<``.

    Their first two letters are looked at before anything else, for most tags have others.
    """
    first = b"".join(sorted({_one_case(name[:1])[1:-1] for name in names}))
    second = b"".join(sorted({_one_case(name[1:2])[1:-1] for name in names if len(name) > 1}))
    if others:  # of declarations, all but comments and CDATA sections end at the next bracket as tags do
        first += b"!/"
        second += rb"\[\-A-Za-z"
    if any(len(name) == 1 for name in names):
        second += _BLANKS
    alternatives = [*others, b"(?:%s)%s" % (any_case(names), _ENDS_NAME)]
    return b"<(?=[%s][%s])(?:%s)" % (first, second, b"|".join(alternatives))


Pattern = re.Pattern[bytes]


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
_WATCHFUL = _ORDINARY | JUDGED_BY_ATTRIBUTE | INTEGRATION_POINTS | {b"template"}
_END = b"/(?:%s)%s" % (any_case(TURNING), _ENDS_NAME)

ORDINARY = _landmarks(_stops(_ORDINARY, b"!"), _stops(_ORDINARY | JUDGED_BY_ATTRIBUTE, b"!"))
WATCHFUL = _landmarks(_stops(_WATCHFUL, b"!", _END), _stops(_WATCHFUL, b"!", _END))
"""Inside foreign content and lists."""
EVERY_TAG = _landmarks(b"<[A-Za-z/!]", b"<[A-Za-z/!]")
MAKES_CONTACT = re.compile(_stops(JUDGED | JUDGED_BY_ATTRIBUTE))
ANY_TAG = re.compile(b"<[A-Za-z]")

# What the search for a stop may not run over: a bracket in a quoted value, behind which its tag goes on, and the
# attributes by which other tags make contact (with blanks before the equals sign, any attribute may be one).
CLOSER_LOOK = re.compile(
    rb"=(?:\"[^\"<>]*+[<>]|'[^'<>]*+[<>]|[\t\n\f\r ]++(?:\"[^\"<>]*+[<>]|'[^'<>]*+[<>])"
    rb"|(?<=[gGcCnN\t\n\f\r ]=)(?:(?<=[pP][iI][nN][gG]=)|(?<=[oO][nN][sS][rR][cC]=)|(?<=[mM][aA][cC][tT][iI][oO][nN]=)"
    rb"|(?<=[\t\n\f\r ]=)))"
)
RAW_TEXT_END = {name: re.compile(b"</" + _one_case(name) + _ENDS_NAME) for name in RAW_TEXT}
SCRIPT_TURN = re.compile(rb"<!--|-->|<(/?)[sS][cC][rR][iI][pP][tT]" + _ENDS_NAME)
COMMENT_END = re.compile(rb"--!?>")
OPENS_DECLARATION = re.compile(rb"<(?:[!?]|/[^A-Za-z])")
OPENS_MARKUP = re.compile(rb"<(?=[A-Za-z/!?])")
MAY_OPEN_MARKUP = re.compile(rb"<(?:[A-Za-z/!?]|\Z)")
DOUBTFUL_CDATA_END = re.compile(rb"\]\]>|<(?=[A-Za-z/!?])")
TAG_NAME = re.compile(rb"</?([A-Za-z][^\t\n\f\r />]{0,64})(?![^\t\n\f\r />])")
"""Fails for a name that is too long to mean anything."""

# At the end of what has come in so far, these may yet become what is looked for.
LONGEST_END = 16  # bytes: "</noscript" and what follows, "</fencedframe"
PARTIAL_TAG = re.compile(rb"</?[A-Za-z]*\Z")
PARTIAL_COMMENT_END = re.compile(rb"--?!?\Z")
PARTIAL_CDATA_END = re.compile(rb"\]\]?\Z|<\Z")
PARTIAL_SCRIPT_TURN = re.compile(rb"<!?-?\Z|--?\Z|</?[A-Za-z]*\Z")

WATCHED = TURNING | INTEGRATION_POINTS | {b"template"}
HELD = RAW_TEXT | JUDGED | JUDGED_BY_ATTRIBUTE | WATCHED


def is_end_tag(begin: bytes, name: bytes) -> bool:
    """Whether *begin*, in lower case, begins the end tag of the element *name*."""
    return begin.startswith(b"</" + name) and begin[len(name) + 2 : len(name) + 3] in _ENDS
