"""Access lines without addresses or queries, where the settings ask for it: whatever server writes them.

Servers hand what they know of a request to their access logger as arguments, of which a format takes some: so each of
them is made shorter, and what the app sees of the request is not changed.
"""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Mapping
from typing import Any

from ._addresses import without_addresses, without_queries

_MODES = ("full", "truncate", "none")  # each stricter than the one before
# What stands for a query alone among a server's arguments: of gunicorn and hypercorn, granian, gunicorn's environ.
_QUERIES = frozenset({"q", "query_string", "{query_string}e"})
# The common and the combined log format, which servers without a logger write to a stream.
_REQUEST_LINE = re.compile(r'"[A-Z]+ [^ "]+ HTTP/[0-9.]+"')


class Reduction:
    """What is taken out of the access lines of this process: the strictest that any middleware in it asks for."""

    def __init__(self) -> None:
        self._ip: str
        self._has_queries: bool
        self.reset()

    def __bool__(self) -> bool:
        return self._ip != "full" or not self._has_queries

    def add(self, ip: str, *, has_queries: bool) -> None:
        """Ask for no more than *ip* of an address, and for no query unless *has_queries*."""
        self._ip = max(self._ip, ip, key=_MODES.index)
        self._has_queries = self._has_queries and has_queries

    def reset(self) -> None:
        """Take nothing out."""
        self._ip = "full"
        self._has_queries = True

    def text(self, text: str) -> str:
        """Return what is left of the text of an access line."""
        if self._ip != "full":
            text = without_addresses(text, self._ip)
        return text if self._has_queries else without_queries(text)

    def line(self, text: Any) -> Any:
        """Return what is left of what is written to a stream, where that is an access line."""
        return self.text(text) if isinstance(text, str) and _REQUEST_LINE.search(text) else text

    def record(self, record: logging.LogRecord) -> None:
        """Take out of a *record* of an access logger what is not to be written."""
        if isinstance(record.msg, str):
            record.msg = self.text(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(self._argument(one) for one in record.args)
        elif isinstance(record.args, Mapping):
            record.args = self._arguments(record.args)

    def _argument(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):  # an address with its port
            return (self.text(value[0]), value[1])
        return value

    def _arguments(self, given: Any) -> Any:
        left = copy.copy(given)  # of its own kind: servers' have defaults
        for name, value in given.items():
            is_query = name in _QUERIES and not self._has_queries
            left[name] = "" if is_query else self._argument(value)
        return left


REDUCTION = Reduction()
