"""The pages that a command is given: files, folders of templates, and addresses of the owner's own running site."""

from __future__ import annotations

import codecs
import http.client
import re
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from .._errors import nearest
from ._inline import masked
from ._stop import NotNow, WrongUse, in_one_line

_PATIENCE = 10  # seconds
_MOST_REDIRECTS = 5
_IN_TARGET = "/?%:;@&=+$,!~*'()[]"
_TEMPLATES = frozenset(".html .htm .djhtml .jinja .jinja2 .j2 .mako .mak .ejs .erb .tmpl .tpl".split())
_OTHERS_FOLDERS = frozenset({"node_modules", "site-packages"})
_XML = frozenset(".svg .xhtml .xht .xml .xsl".split())


class Page(NamedTuple):
    """A page, or a template whose code is masked."""

    name: str
    text: str
    again: str
    """What came when it was asked for once more; the text of a file itself."""


def read(name: str) -> Iterator[Page]:
    """Yield the page of the address *name*, or the file, or each template of the folder. Raises Stop."""
    if re.match("https?://", name, re.IGNORECASE):
        yield _visited(name)
        return
    path = Path(name)
    if not path.exists():
        raise WrongUse(f"there is no file or folder {name}; {_instead(path)}")
    files = [path] if not path.is_dir() else _templates(path)
    if not files:
        raise WrongUse(f"{name} holds no templates, such as *.html or *.jinja; name the files themselves")
    for file in files:
        text = masked(_text(file))
        yield Page(in_one_line(file.as_posix()), text, text)


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _instead(path: Path) -> str:
    near = nearest(path.name, sorted(one.name for one in path.parent.glob("*")))
    here = str(path.parent / near) if near else ""
    return f"did you mean {here!r}?" if near else "name a template, a folder of them, or the http:// address of a page"


def _templates(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if _TEMPLATES.intersection(path.suffixes) and path.is_file() and not _is_others(path.relative_to(folder))
    ]


def _is_others(path: Path) -> bool:
    return any(part.startswith(".") or part in _OTHERS_FOLDERS for part in path.parts)


def _text(path: Path) -> str:
    if path.suffix.lower() in _XML:
        raise WrongUse(f"{path} is XML, where scripts and styles are read otherwise; move them into files")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise WrongUse(f"{path}: cannot be read: {error.strerror}; name the templates that can") from None
    except UnicodeDecodeError:
        raise WrongUse(
            f"{path}: is not UTF-8 text; save it as UTF-8, or name the http:// address of the page"
        ) from None


# ── addresses ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _visited(url: str) -> Page:
    try:
        (at, text), (_, again) = _fetched(url), _fetched(url)
    except ValueError as error:  # a port that is none, a host that is none
        example = "type, for example: privguard hashes http://localhost:8000/"
        raise WrongUse(f"{url} is no address, or leads to none: {error}; {example}") from None
    return Page(in_one_line(at), text, again)


def _fetched(url: str) -> tuple[str, str]:
    """Return the address to which *url* leads on its own site, and the page that is there."""
    at = url
    for _ in range(_MOST_REDIRECTS + 1):
        response, body = _get(at)
        location = response.getheader("Location")
        if location is None or response.status // 100 != 3:
            return at, _page(at, response, body)
        before, at = at, urljoin(at, location)
        if urlsplit(at).hostname != urlsplit(before).hostname:
            raise WrongUse(f"{before} leads to {at}; if that is your site, type: privguard hashes {at}")
    raise NotNow(f"{url} leads on and on, at last to {at}; name the address of the page itself")


def _get(url: str) -> tuple[http.client.HTTPResponse, bytes]:
    parts = urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    target = quote(parts._replace(scheme="", netloc="", fragment="").geturl() or "/", safe=_IN_TARGET)
    try:
        connection = connect(parts.hostname or "", parts.port, timeout=_PATIENCE)
        try:
            connection.request("GET", target, headers={"Accept": "text/html", "Accept-Encoding": "identity"})
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise NotNow(f"{url} does not answer: {said}; start the site, or name its templates") from None


def _page(url: str, response: http.client.HTTPResponse, body: bytes) -> str:
    if response.status // 100 != 2:
        raise NotNow(f"{url} answers with {response.status}; name a page that anybody may see, or its template")
    if response.msg.get_content_type() != "text/html":
        raise WrongUse(f"{url} is no HTML page, but {response.msg.get_content_type()}; name a page of your site")
    if response.getheader("Content-Encoding", "identity") != "identity":
        raise NotNow(f"{url} comes compressed though nobody asked for that; name its template")
    return body.decode(_encoding(body, response.msg), "replace")


_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_META = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_NARROW = frozenset({"ascii", "iso8859-1", "cp1252"})  # all of them windows-1252 for a browser (Encoding standard §4.2)


def _encoding(body: bytes, head: Message) -> str:
    """Return Python's name for the encoding that a browser finds out (HTML standard §13.2.3)."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return name
    meta = _META.search(body, 0, 1024)
    for label in (head.get_content_charset(), meta[1].decode() if meta else None):
        try:
            name = codecs.lookup(label or "").name
        except LookupError:
            continue
        return "cp1252" if name in _NARROW else name
    return "cp1252"
