"""What a child reads whose submission was refused: neither the age limit, nor anything that was sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import _logs

STATUS = 403
_SENTENCES = ("We do not take this from children.", "What was sent has been deleted.")
_PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Not taken</title>
</head>
<body>
<h1>Not taken</h1>
<p>{" ".join(_SENTENCES)}</p>
</body>
</html>
"""
_JSON = json.dumps({"error": "not taken", "detail": " ".join(_SENTENCES)})


class Refusal:
    """The answer that the setting ``children.refusal`` makes: a file's page, what a function returns, or privguard's.

    The function is given True for JSON, False for a page, and nothing of the request.
    """

    __slots__ = ("_function", "_page")

    def __init__(self, chosen: str | Callable[[bool], str | bytes] | None) -> None:
        self._function: Callable[[bool], str | bytes] | None = chosen if callable(chosen) else None
        self._page = Path(chosen).read_text("utf-8") if isinstance(chosen, str) else _PAGE

    def answer(self, accept: str) -> tuple[str, bytes]:
        """Return the Content-Type and the body for a request with this Accept header (RFC 9110 §12.5.1)."""
        wants_json = _wants_json(accept)
        body = self._own_body(wants_json)
        if body is None:
            body = (_JSON if wants_json else self._page).encode()
        return ("application/json" if wants_json else "text/html; charset=utf-8"), body

    def _own_body(self, wants_json: bool) -> bytes | None:
        if self._function is None:
            return None
        try:
            body: Any = self._function(wants_json)
            return body.encode() if isinstance(body, str) else bytes(memoryview(body))
        except Exception as error:
            _logs.tell_refusal(error)
            return None


def _wants_json(accept: str) -> bool:
    if "json" not in accept:
        return False
    from werkzeug.datastructures import MIMEAccept  # which takes its time, and most requests are not refused
    from werkzeug.http import parse_accept_header

    json, html = 0.0, 0.0
    for kind, quality in parse_accept_header(accept, MIMEAccept):  # only what is named: */* follows in most requests
        if kind.partition(";")[0].endswith("json"):
            json = max(json, quality)
        elif "html" in kind:
            html = max(html, quality)
    return json > html
