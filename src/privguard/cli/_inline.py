"""The inline code of a page, as browsers hash it: the text that parsing leaves of a script, a style or an attribute.

(CSP3 §6.7.3.3.) What is code, and from where to where, is the HTML standard's: §4.12.1.1 scripts, §4.2.6 styles,
§8.1.8.1 event handlers, §13.2.5 the tokenizer. Python's html.parser would not do: it reads neither the escapes in
scripts nor ``<!-->``, and not everywhere ``</script/x>``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from .._markup import OPENS_TAG, Tag, TagEnd, decode, end_of_tag

MARK = "\x1a"
"""Stands for each character of template code. (SUBSTITUTE, which no template holds otherwise.)"""


class InlineCode(NamedTuple):
    """One piece of inline code."""

    directive: str
    """Whose hash admits it; empty for a ``javascript:`` URL, which is no script that a page should keep."""
    name: str
    """Of the element, or of the attribute."""
    text: str
    line: int

    @property
    def is_attribute(self) -> bool:
        return self.directive.endswith("-attr")


# ── templates ────────────────────────────────────────────────────────────────────────────────────────────────────────

_CLOSERS = {"{{": "}}", "{%": "%}", "{#": "#}", "<%": "%>"}
_OPENS_CODE = re.compile("|".join(map(re.escape, _CLOSERS)))


def masked(template: str) -> str:
    """Return *template* with its template code masked, so that no quote or bracket in that is taken for the page's.

    >>> masked('<a href="{% url "x" %}">').replace(MARK, "~")
    '<a href="~~~~~~~~~~~~~">'
    """
    last = {opener: template.rfind(closer) for opener, closer in _CLOSERS.items()}
    parts: list[str] = []
    at = 0
    for match in _OPENS_CODE.finditer(template):
        if at <= match.start() < last[match[0]]:
            end = template.find(_CLOSERS[match[0]], match.end())
            if end >= 0:
                code = template[match.start() : end + 2]
                parts += [template[at : match.start()], _mask(code)]
                at = end + 2
    return "".join([*parts, template[at:]])


def _mask(code: str) -> str:
    if "csp_nonce_attr" in code:
        return " nonce=".ljust(len(code), MARK)  # what Django's tag writes
    return re.sub(r"[^\n]", MARK, code)


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def inline_code(page: str) -> Iterator[InlineCode]:
    """Yield the inline code of a page, or of a masked template, without what already carries a nonce."""
    documents = [(page, 0)]
    for text, line in documents:  # which grows: a srcdoc may hold another
        for one in _code_of(text):
            here = one._replace(line=line or one.line)
            if one.name == "srcdoc":  # a document that is judged by the page's policy
                documents.append((here.text, here.line))
            else:
                yield here


def _code_of(page: str) -> Iterator[InlineCode]:
    """Yield the code of one document, and the documents that stand in its attributes."""
    # What the tokenizer does before anything else (§13.2.3.5), and with NUL wherever it matters (§13.2.5).
    text = page.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    data = text.encode("utf-8", "replace")
    counted, line = 0, 1
    for tag, content in _Elements(data):
        line += data.count(b"\n", counted, tag.at)
        counted = tag.at
        attributes = _attributes(data, tag)
        if content is not None and not attributes.get("nonce"):
            yield from _element(tag.name.decode(), attributes, content, line)
        for name, value in _each_attribute(data, tag):
            yield from _attribute(name, value, line)


def _each_attribute(data: bytes, tag: Tag) -> Iterator[tuple[str, str]]:
    is_template = MARK.encode() in data[tag.at : tag.end]  # in which both may stand: "{% if … %}onclick=…{% else %}…"
    for one in tag.all if is_template else tag.attributes.values():
        yield one.name.decode("utf-8", "replace").strip(MARK), decode(data[one.start : one.end])


def _attributes(data: bytes, tag: Tag) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for name, value in _each_attribute(data, tag):
        attributes.setdefault(name, value)
    return attributes


def _element(name: str, attributes: dict[str, str], content: str, line: int) -> Iterator[InlineCode]:
    if name == "style" and attributes.get("type", "").lower() in ("", "text/css"):
        yield InlineCode("style-src", name, content, line)
    if name == "script" and content and _is_script(attributes) and "src" not in attributes:
        yield InlineCode("script-src", name, content, line)


_BLANK = "\t\n\f\r "
_SCRIPT_TYPES = frozenset(
    "application/ecmascript application/javascript application/x-ecmascript application/x-javascript text/ecmascript "
    "text/javascript text/javascript1.0 text/javascript1.1 text/javascript1.2 text/javascript1.3 text/javascript1.4 "
    "text/javascript1.5 text/jscript text/livescript text/x-ecmascript text/x-javascript module importmap".split()
)  # MIME Sniffing §4.6; speculation rules are no longer there when a page leaves


def _is_script(attributes: dict[str, str]) -> bool:
    kind, language = attributes.get("type"), attributes.get("language")
    if kind is None:
        return not language or f"text/{language}".lower() in _SCRIPT_TYPES
    return not kind or kind.strip(_BLANK).lower() in _SCRIPT_TYPES


_HANDLER = re.compile(r"on[a-z]+")
_URL_ATTRIBUTES = frozenset("action data formaction href src xlink:href".split())
_SCRIPT_URL = re.compile(r"[\0- ]*" + "[\t\n\r]*".join("javascript:"), re.IGNORECASE)  # URL standard §4.4


def _attribute(name: str, value: str, line: int) -> Iterator[InlineCode]:
    if name == "style" and value:
        yield InlineCode("style-src-attr", name, value, line)
    elif _HANDLER.fullmatch(name) and value:
        yield InlineCode("script-src-attr", name, value, line)
    elif name == "srcdoc" or (name in _URL_ATTRIBUTES and _SCRIPT_URL.match(value)):
        yield InlineCode("", name, value, line)


# ── the tokenizer ────────────────────────────────────────────────────────────────────────────────────────────────────

_OPENS_DECLARATION = re.compile(rb"<(?:[!?]|/[^A-Za-z])")
_COMMENT_END = re.compile(rb"--!?>")
_SCRIPT_TURN = re.compile(rb"<!--|-->|<(/?)script(?=[\t\n\f\r />])", re.IGNORECASE)
# All but noscript: where scripts are switched off, the styles in it are the page's.
_RAW_TEXT = frozenset(b"style textarea title xmp iframe noembed noframes".split())

# Foreign content (§13.2.6.5): where HTML begins again in it, and which tags end it.
_INTEGRATION_POINTS = {
    b"svg": frozenset(b"foreignobject desc title".split()),
    b"math": frozenset(b"mi mo mn ms mtext annotation-xml".split()),
}
_ENDS_FOREIGN = frozenset(
    b"b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta "
    b"nobr ol p pre ruby s small span strong strike sub sup table tt u ul var".split()
)


def _end_of_tag(data: bytes, at: int) -> int:
    """Return the offset behind the ``>`` of a tag however long it is, or less than 0."""
    end = end_of_tag(data, at)
    return end if end >= 0 else TagEnd().find(data, at + 2)


class _Elements:
    """Each start tag of a page, and the text of its element where that is a script or a style (or None)."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._foreign: list[bytes] = []
        """The foreign elements that are open, and the integration points in them."""

    def __iter__(self) -> Iterator[tuple[Tag, str | None]]:
        data = self._data
        while (at := data.find(b"<", self._at)) >= 0:
            self._at = at + 1
            if _OPENS_DECLARATION.match(data, at):
                self._at = self._end_of_declaration(at)
            elif OPENS_TAG.match(data, at):
                self._at = _end_of_tag(data, at)
                if self._at < 0:
                    return  # a tag that does not end is none
                tag = Tag(data, at, self._at)
                if data.startswith(b"</", at):
                    self._close(tag.name)
                else:
                    yield tag, self._open(tag)

    def _end_of_declaration(self, at: int) -> int:
        data = self._data
        if data.startswith(b"<!--", at):
            if data.startswith((b">", b"->"), at + 4):
                return at + 5
            match = _COMMENT_END.search(data, at + 4)
            return match.end() if match else len(data)
        if self._is_foreign and data.startswith(b"<![CDATA[", at):
            return self._find(b"]]>", at) + 3
        return self._find(b">", at + 2) + 1

    def _find(self, end: bytes, at: int) -> int:
        found = self._data.find(end, at)
        return found if found >= 0 else len(self._data)

    # ── elements ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _is_foreign(self) -> bool:
        return bool(self._foreign) and self._foreign[-1] in _INTEGRATION_POINTS

    def _open(self, tag: Tag) -> str | None:
        """See a start tag; return the text of its element, if it is a script or a style, and be behind that."""
        while self._is_foreign and tag.name in _ENDS_FOREIGN:
            self._foreign.pop()
        if self._is_foreign or tag.name in _INTEGRATION_POINTS:
            return self._open_foreign(tag)
        if tag.name == b"script":
            return self._script()
        if tag.name == b"plaintext":
            self._at = len(self._data)
        return self._raw_text(tag.name) if tag.name in _RAW_TEXT else None

    def _open_foreign(self, tag: Tag) -> str | None:
        if tag.ends_itself():
            return None
        if tag.name in (b"script", b"style"):
            is_file = tag.name == b"script" and not {b"href", b"xlink:href"}.isdisjoint(tag.attributes)
            return None if is_file else self._foreign_text(tag.name)
        if tag.name in _INTEGRATION_POINTS or tag.name in _INTEGRATION_POINTS[self._foreign[-1]]:
            self._foreign.append(tag.name)
        return None

    def _close(self, name: bytes) -> None:
        while name in self._foreign and self._foreign.pop() != name:
            pass

    def _script(self) -> str | None:
        start = at = self._at
        escapes = 0  # 1 behind "<!--", 2 behind the "<script" after it (§13.2.5.15 on)
        while match := _SCRIPT_TURN.search(self._data, at):
            at = match.end()
            if match[0] == b"<!--":
                escapes = escapes or 1
                at -= 2  # its dashes may also end it: <!-->
            elif match[0] == b"-->":
                escapes = 0
            elif not match[1]:
                escapes = 2 if escapes else 0
            elif escapes == 2:
                escapes = 1
            else:
                self._at = match.start()
                return self._data[start : self._at].decode()
        self._at = len(self._data)
        return None  # without its end tag, a script does not run

    def _raw_text(self, name: bytes) -> str | None:
        start = self._at
        match = re.compile(rb"</" + name + rb"(?=[\t\n\f\r />])", re.IGNORECASE).search(self._data, start)
        self._at = match.start() if match else len(self._data)
        return self._data[start : self._at].decode() if name == b"style" else None

    def _foreign_text(self, name: bytes) -> str | None:
        """Return the text of an element in which character references, CDATA sections and comments are what they are.

        Nothing, where it has elements in it.
        """
        data, parts = self._data, []
        while True:
            bracket = self._find(b"<", self._at)
            parts.append(html.unescape(data[self._at : bracket].decode()))
            self._at = bracket
            if not _OPENS_DECLARATION.match(data, bracket):
                return "".join(parts) if data[bracket : bracket + 2 + len(name)].lower() == b"</" + name else None
            self._at = self._end_of_declaration(bracket)
            if data.startswith(b"<![CDATA[", bracket):
                parts.append(data[bracket + 9 : self._at - 3].decode())
