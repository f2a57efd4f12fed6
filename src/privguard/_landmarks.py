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
IMAGES = frozenset(b"feimage image img input source video".split())
_BY_ATTRIBUTES = (JUDGED | JUDGED_BY_ATTRIBUTE | IMAGES) - RAW_TEXT - {b"video"}  # without one, these do nothing
# What is in these, in HTML, may be seen by nobody; so may what is in a template, a list or a video.
HIDES = frozenset(b"audio canvas datalist details dialog marquee meter progress rp".split())


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
_BLANK = rb"\t\n\f\r "
_ENDS_NAME = rb"(?=[\t\n\f\r />])"

Other = tuple[bytes, bytes, bytes]
"""The first letter of what is no start tag, a class of second ones, and the pattern for both and what follows."""


def _stops(names: frozenset[bytes], *others: Other) -> bytes:
    """Return a pattern for the start tags *names*, and for *others*, from the ``<`` on.

    The first two letters are looked at before anything else, for most tags have others.
    """
    firsts = letters(name[:1] for name in names) + b"".join(first for first, _, _ in others)
    seconds = letters(name[1:2] for name in names) + b"".join(second for _, second, _ in others)
    if any(len(name) == 1 for name in names):
        seconds += _BLANK + b"/>"
    with_attributes = rb"(?:%s)(?=[\t\n\f\r /])" % any_case(names & _BY_ATTRIBUTES)
    always = [b"(?:%s)%s" % (any_case(names - _BY_ATTRIBUTES), _ENDS_NAME)] if names - _BY_ATTRIBUTES else []
    alternatives = [*(pattern for _, _, pattern in others), *always, with_attributes]
    return b"<(?=[%s][%s])(?:%s)" % (firsts, seconds, b"|".join(alternatives))


def letters(names: Iterable[bytes]) -> bytes:
    """Return what a class of *names* in any case, of one letter each, has to hold."""
    return b"".join(sorted({_one_case(name)[1:-1] for name in names}))


def _within_tag(*words: bytes) -> bytes:
    """Return a pattern that holds where one of *words* stands before the next bracket."""
    first = letters(word[:1] for word in words)  # written out: an alternative at each place takes twice as long
    none = b"(?!%s)" % b"|".join(map(_one_case, words))
    return b"(?=[^<>%s]*+(?:%s[%s][^<>%s]*+)*[%s])" % (first, none, first, first, first)


@dataclass(frozen=True, slots=True)
class Landmarks:
    """How to run over markup in the data state."""

    stop: re.Pattern[bytes]
    """Finds the next tag that matters, if nothing before it needs a closer look."""
    closer_look: re.Pattern[bytes]
    """Finds what does."""
    run: re.Pattern[bytes]
    """Matches tags and text, one by one, as far as none of them matters."""


def _landmarks(stop: bytes, stop_of_run: bytes, closer_look: bytes) -> Landmarks:
    run = rb"(?:[^<]++|(?!%s)(?:<(?![A-Za-z/!?]|\Z)|</?[A-Za-z]%s))*" % (stop_of_run, TAG)
    return Landmarks(re.compile(stop), re.compile(closer_look), re.compile(run))


def _closer_look(*attributes: bytes) -> bytes:
    """Return a pattern for what a search for tags by their names may not run over.

    That is a bracket in a quoted value, behind which its tag goes on, and attributes by which any tag may make contact.
    With blanks around the equals sign, every attribute may be one of them.
    """
    lasts = letters(name[-1:] for name in attributes) + _BLANK
    names = b"|".join(b"(?<=%s=)" % _one_case(name) for name in attributes)
    return b"=(?:\"[^\"<>]*+[<>]|'[^'<>]*+[<>]|[%s]|(?<=[%s]=)(?:%s|(?<=[%s]=)))" % (_BLANK, lasts, names, _BLANK)


_ORDINARY = RAW_TEXT | JUDGED | TURNING
_WATCHFUL = _ORDINARY | JUDGED_BY_ATTRIBUTE | INTEGRATION_POINTS
# Comments and CDATA sections; all other declarations end at the next bracket, as tags do.
_SECTION = (b"!", rb"\[\-", b"!")
_END = (b"/", letters(name[:1] for name in TURNING), b"/(?:%s)%s" % (any_case(TURNING), _ENDS_NAME))
_HIDING = rb"[A-Za-z][^\t\n\f\r />]*+[\t\n\f\r /]" + _within_tag(b"style", b"hidden", b"popover")
_EVERY = b"<[A-Za-z/!]"
_LINKS = _closer_look(b"ping", b"ionsrc", b"maction")  # attributionsrc, formaction

# As it is written in practice: to look for every mixture of cases would cost each page more than it is worth.
FOCUS = (b"utofocus", b"UTOFOCUS", b"utoFocus")

ORDINARY = _landmarks(_stops(_ORDINARY, _SECTION), _stops(_ORDINARY | JUDGED_BY_ATTRIBUTE, _SECTION), _LINKS)
WATCHFUL = _landmarks(_stops(_WATCHFUL, _SECTION, _END), _stops(_WATCHFUL, _SECTION, _END), _LINKS)
"""Inside foreign content and lists."""
PICTURES = _landmarks(
    b"<(?:%s|%s)" % (_stops(_ORDINARY | IMAGES | HIDES, _SECTION)[1:], _HIDING),
    _EVERY,
    _closer_look(b"ping", b"ionsrc", b"maction", b"background"),
)
"""Where images from elsewhere may be shown, but none that is hidden."""
EVERY_TAG = _landmarks(_EVERY, _EVERY, _LINKS)
MAKES_CONTACT = re.compile(_stops(JUDGED | JUDGED_BY_ATTRIBUTE))
ANY_TAG = re.compile(b"</?[A-Za-z]")
_MAY_OPEN_MARKUP = re.compile(rb"<(?:[A-Za-z/!?]|\Z)")
_LONGEST_RUN = 1 << 16  # bytes: Python holds about a hundred for each tag that it runs over


class Search:
    """Searches one piece of a page after the other for the tags that matter: each byte once, however many there are."""

    __slots__ = ("_of", "_stop")

    def __init__(self) -> None:
        self._of = ORDINARY
        self.begin()

    def begin(self) -> None:
        """Go on with another piece."""
        self._stop = -1
        """Where the next tag that matters begins; before the position, when that has not been searched for."""

    def next(self, data: bytes, at: int, landmarks: Landmarks) -> int:
        """Return where, from *at* on in the data state, the next bracket is that has to be looked at, or the end."""
        if data.find(b">", at) < 0:  # no tag ends any more, whatever it is
            return _opening(data, at, len(data))
        limit = self._next_stop(data, at, landmarks)
        closer = landmarks.closer_look.search(data, at, limit + 1)
        # As far as there, no tag holds a bracket in a value: whatever opens behind the last one that closes is open.
        closed = max(at, data.rfind(b">", at, closer.start() if closer else limit) + 1)
        if closer is None:
            return _opening(data, closed, limit)
        run = landmarks.run.match(data, closed, closed + _LONGEST_RUN)
        bracket = data.find(b"<", run.end() if run else closed)
        return bracket if bracket >= 0 else len(data)

    def _next_stop(self, data: bytes, at: int, landmarks: Landmarks) -> int:
        if self._stop < at or self._of is not landmarks:
            match = landmarks.stop.search(data, at)
            self._stop = match.start() if match else len(data)
            self._of = landmarks
        return self._stop


def _opening(data: bytes, at: int, limit: int) -> int:
    match = _MAY_OPEN_MARKUP.search(data, at, limit)
    return match.start() if match else limit


RAW_TEXT_END = {name: re.compile(b"</" + _one_case(name) + _ENDS_NAME) for name in RAW_TEXT}
_SCRIPT = _one_case(b"script") + _ENDS_NAME
# In a script, behind "<!--", and behind "<script" after that.
SCRIPT_TURNS = tuple(re.compile(turns + _SCRIPT) for turns in (b"<!--|<(/)", b"-->|<(/?)", b"-->|<(/)"))
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
