"""A log record that says later what it says now, whatever becomes of the objects in its message."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from numbers import Number
from typing import Any

_UNCHANGING = (str, bytes, int, float, bool, type(None), Number, BaseException, Mapping, type)


def frozen(record: logging.LogRecord) -> logging.LogRecord:
    """Return *record* so that it says later what it says now, whatever becomes of the objects in its message."""
    if not isinstance(record.msg, _UNCHANGING):
        record.msg = _Shown.of(record.msg)
    if isinstance(record.args, tuple):
        record.args = tuple(one if isinstance(one, _UNCHANGING) else _Shown.of(one) for one in record.args)
    elif type(record.args) is dict:
        record.args = {
            name: one if isinstance(one, _UNCHANGING) else _Shown.of(one) for name, one in record.args.items()
        }
    return record


class _Shown:
    """An object as a message shows it at one moment."""

    __slots__ = ("_repr", "_str")

    def __init__(self, text: str, representation: str) -> None:
        self._str = text
        self._repr = representation

    @classmethod
    def of(cls, shown: Any) -> Any:
        try:
            return cls(str(shown), repr(shown))
        except Exception:  # logging reports it when it comes to write the message
            return shown

    def __str__(self) -> str:
        return self._str

    def __repr__(self) -> str:
        return self._repr
