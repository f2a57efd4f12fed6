"""``privguard prove forgetting``: whether anything of a submission can be found afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from ..proving import CannotProve, prove_forgetting
from . import _interfaces, _named
from ._stop import WrongUse

COMMAND = "privguard prove forgetting"


def prove(app_name: str, *, path: str, fields: Sequence[str], watch: Sequence[str], kind: str | None, host: str) -> int:
    """Submit to the app *app_name*, and print what was found: exit code 1 if anything was, else 0."""
    given = dict(map(_field, fields))
    app = _named.find(app_name, command=COMMAND)
    kind = _interfaces.kind_of(app, app_name, kind, command=COMMAND)
    try:
        report = prove_forgetting(app, path, given, watch=watch, kind=kind, host=host)
    except CannotProve as error:
        raise WrongUse(str(error)) from None
    print(report)
    return 0 if report.is_clean else 1


def _field(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise WrongUse(f"--field {text!r} gives no value; type, for example: --field birthdate=2018-05-05")
    return name, value
