"""The settings that a command is given: a TOML file, or ``module:NAME`` for a dict or a Policy in Python."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._errors import SettingsError, nearest
from .._policy import Policy
from . import _named
from ._stop import WrongUse

TABLE = "privguard"
"""A file may hold its settings in this table, beside what others keep there."""


def load(text: str | None, *, command: str) -> Policy:
    """Return the policy that *text* names, or the strict default for None.

    *command* is the command in progress, for what to type. Raises WrongUse, which names the file and the key's path.
    """
    if text is None:
        return Policy()
    settings = _read(Path(text)) if _is_file(text) else _from_module(text, command)
    try:
        return Policy(settings)
    except SettingsError as error:
        raise WrongUse(f"{text}: {error}") from None


def toml_table(text: str | None) -> str | None:
    """Return the table that holds ``csp.directives`` in the TOML file *text*; None when the settings are no such file.

    The file has been loaded before.
    """
    if text is None or not _is_file(text):
        return None
    document = tomllib.loads(Path(text).read_bytes().decode("utf-8-sig"))
    return f"{TABLE}.csp.directives" if TABLE in document else "csp.directives"


def _is_file(text: str) -> bool:
    if ":" in text and not text.endswith(".toml"):
        return os.path.isfile(text)
    return True


def _from_module(text: str, command: str) -> Mapping[str, Any] | Policy:
    found = _named.find(text, command=f"{command} --settings")
    if isinstance(found, (Mapping, Policy)):
        return found
    raise WrongUse(f"{text} is {_named.kind_of_thing(found)}; name a dict such as PRIVGUARD, or a privguard.Policy")


def _read(path: Path) -> Mapping[str, Any]:
    try:
        # "utf-8-sig": some editors begin a file with a mark that TOML does not know
        document = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise WrongUse(_no_such_file(path)) from None
    except OSError as error:
        raise WrongUse(f"{path}: cannot be read: {error.strerror}; name a TOML file or module:NAME") from None
    except UnicodeDecodeError:
        raise WrongUse(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise WrongUse(
            f'{path}: is not TOML: {error}; write key = value, text in "quotes", lists in [brackets], '
            "true and false in lower case"
        ) from None
    return _settings_of(document, path)


def _no_such_file(path: Path) -> str:
    folder = path.parent
    near = nearest(path.name, sorted(one.name for one in folder.glob("*.toml")))
    hint = f"did you mean {str(folder / near)!r}?" if near else "name a TOML file, or module:NAME for a dict in Python"
    return f"there is no file {path}; {hint}"


def _settings_of(document: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    table = document.get(TABLE)
    if table is None:
        return document
    if not isinstance(table, dict):
        raise WrongUse(f"{path}: {TABLE} must be a table; write [{TABLE}] on a line of its own")
    outside = [key for key in document if key in Policy().settings]
    if outside:
        raise WrongUse(f"{path}: {outside[0]} stands outside of [{TABLE}]; move it below the line [{TABLE}]")
    return table
