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


def _within_tag(*names: bytes) -> bytes:
    """Return a pattern that holds where one of *names* stands before the next ``>``."""
    letters = b"".join(b"%c%c" % (name[0], name[0] ^ 32) for name in names)
    none = b"(?!%s)" % b"|".join(_one_case(name) for name in names)
    return b"(?=[^>%s]*+(?:%s[%s][^>%s]*+)*+[%s])" % (letters, none, letters, letters, letters)


_ENDS = (b"\t", b"\n", b"\f", b"\r", b" ", b"/", b">")
_ENDS_NAME = rb"(?=[\t\n\f\r />])"


def _stops(names: frozenset[bytes], *others: bytes, also_first: frozenset[bytes] = frozenset()) -> bytes:
    """Return a pattern for the tags *names* and for *others*, which begin behind the ``<``.

    The first letters are looked at before anything else: most tags begin with another. *also_first* are names whose
    first letters *others* begin with.
    """
    letters = b"".join(_one_case(name[:1])[1:-1] for name in names | also_first)
    alternatives = [*others, b"(?:%s)%s" % (any_case(names), _ENDS_NAME)]
    return b"<(?=[%s!/])(?:%s)" % (bytes(sorted(set(letters))), b"|".join(alternatives))


Pattern = re.Pattern[bytes]


@dataclass(frozen=True, slots=True)
class Landmarks:
    """How to run over markup in the data state."""

    stop: re.Pattern[bytes]
    """Finds the next tag that matters, if no quoted value before it holds a ``<`` or ``>``."""
    run: re.Pattern[bytes]
    """Matches tags and text, one by one, as far as none of them matters."""


def _landmarks(stop: bytes, every_stop: bytes) -> Landmarks:
    run = rb"(?:[^<]++|(?!%s)(?:<(?![A-Za-z/!?]|\Z)|</?[A-Za-z]%s))*+" % (every_stop, TAG)
    return Landmarks(re.compile(stop), re.compile(run))


_ORDINARY = RAW_TEXT | JUDGED | TURNING
_WATCHFUL = _ORDINARY | JUDGED_BY_ATTRIBUTE | INTEGRATION_POINTS | {b"template"}
_BY_ATTRIBUTE = [
    b"(?:%s)%s%s" % (any_case(names), _ENDS_NAME, _within_tag(*attributes))
    for names, attributes in (
        ((b"a", b"area"), (b"ping", b"attributionsrc")),
        ((b"img",), (b"attributionsrc",)),
        ((b"button", b"input"), (b"formaction",)),
    )
]
_END = b"/(?:%s)%s" % (any_case(TURNING), _ENDS_NAME)

ORDINARY = _landmarks(
    _stops(_ORDINARY, b"!", *_BY_ATTRIBUTE, also_first=JUDGED_BY_ATTRIBUTE),
    _stops(_ORDINARY | JUDGED_BY_ATTRIBUTE, b"!"),
)
WATCHFUL = _landmarks(_stops(_WATCHFUL, b"!", _END), _stops(_WATCHFUL, b"!", _END))
"""Inside foreign content and lists."""
EVERY_TAG = _landmarks(b"<[A-Za-z/!]", b"<[A-Za-z/!]")
MAKES_CONTACT = re.compile(_stops(JUDGED | JUDGED_BY_ATTRIBUTE))
ANY_TAG = re.compile(b"<[A-Za-z]")

# A quoted value may hold them, and then the end of its tag is not the next one.
QUOTED_BRACKET = re.compile(rb"=[\t\n\f\r ]*+(?:\"[^\"<>]*+[<>]|'[^'<>]*+[<>])")
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
# Elements that end by their own end tag alone.
CONTAINERS = frozenset(
    b"a article aside center div em figure font footer header main nav noscript ol picture section span strong table "
    b"template ul".split()
)


def is_end_tag(begin: bytes, name: bytes) -> bool:
    """Whether *begin*, in lower case, begins the end tag of the element *name*."""
    return begin.startswith(b"</" + name) and begin[len(name) + 2 : len(name) + 3] in _ENDS
