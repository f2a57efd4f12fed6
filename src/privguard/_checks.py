"""The kinds of value that a setting may have: a check returns the value as the policy keeps it, or says what is wrong.

A check takes the value and the full path of its key, and raises SettingsError, which names that path, what the value
may be, and the nearest known name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from . import _csp, _sources
from ._errors import SettingsError, nearest
from ._headers import TOKEN, has_a_meaning
from ._paths import canonical_path

Check = Callable[[Any, str], Any]

_SOURCES = "a list of sources"


def _describe(value: Any) -> str:
    kinds = {str: "a string", bool: "a bool", int: "a number", float: "a number", type(None): "None", dict: "a dict"}
    return kinds.get(type(value), f"a {type(value).__name__}")


def _wrong_type(where: str, wanted: str, value: Any) -> SettingsError:
    hint = ""
    if isinstance(value, str) and wanted.startswith("a list"):
        # In the header itself, several sources stand in one string.
        hint = f"; write {value.split() if wanted == _SOURCES else [value]!r}"
    return SettingsError(where, f"must be {wanted}, not {_describe(value)}{hint}")


def _items(value: Any, where: str, wanted: str) -> Sequence[Any]:
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    raise _wrong_type(where, wanted, value)


def table(entries: Mapping[str, tuple[Any, Check]]) -> Check:
    """A dict with these keys, all of them optional."""

    def check(value: Any, where: str) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise _wrong_type(where, "a dict", value)
        for key in value:
            if key not in entries:
                raise _unknown_key(key, entries, where)
        return MappingProxyType(
            {key: one(value.get(key, default), f'{where}["{key}"]') for key, (default, one) in entries.items()}
        )

    return check


def _unknown_key(key: object, known: Iterable[str], where: str) -> SettingsError:
    if not isinstance(key, str):
        return SettingsError(f"{where}[{key!r}]", "no such key; keys are strings")
    near = nearest(key, known)
    return SettingsError(
        f'{where}["{key}"]',
        f'no such key; did you mean "{near}"?' if near else f"no such key; known: {', '.join(known)}",
    )


def one_of(*choices: str) -> Check:
    def check(value: Any, where: str) -> str:
        listed = ", ".join(f'"{choice}"' for choice in choices)
        if not isinstance(value, str):
            raise _wrong_type(where, f"one of {listed}", value)
        if value not in choices:
            near = nearest(value, choices)
            raise SettingsError(where, f'"{value}" is none of {listed}' + (f'; did you mean "{near}"?' if near else ""))
        return value

    return check


def switch(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type(where, "True or False", value)
    return value


def whole_number(unit: str, low: int, high: int) -> Check:
    def check(value: Any, where: str) -> int:
        wanted = f"a whole number of {unit} from {low} to {high}"
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong_type(where, wanted, value)
        if not low <= value <= high:
            raise SettingsError(where, f"must be {wanted}, not {value}")
        return value

    return check


def or_none(one: Check) -> Check:
    def check(value: Any, where: str) -> Any:
        return None if value is None else one(value, where)

    return check


def list_of(noun: str, one: Check) -> Check:
    def check(value: Any, where: str) -> tuple[Any, ...]:
        items = _items(value, where, f"a list of {noun}")
        # dict.fromkeys: each once, in the order in which the owner wrote them
        return tuple(dict.fromkeys(one(item, f"{where}[{index}]") for index, item in enumerate(items)))

    return check


def printable_text(noun: str) -> Check:
    def check(value: Any, where: str) -> str:
        if not isinstance(value, str):
            raise _wrong_type(where, noun, value)
        if not value or value != value.strip() or not value.isprintable():
            raise SettingsError(where, f"must be {noun}, without blanks around it or control characters")
        return value

    return check


def token(noun: str) -> Check:
    def check(value: Any, where: str) -> str:
        if not isinstance(value, str):
            raise _wrong_type(where, noun, value)
        if not TOKEN.fullmatch(value):
            raise SettingsError(where, f"{value!r} cannot be {noun}")
        return value

    return check


def own_header(value: Any, where: str) -> str:
    name = str(token("a header's name")(value, where))
    if has_a_meaning(name):
        raise SettingsError(where, f'must be a header of your own, such as "X-Privguard-Log"; {name!r} has a meaning')
    return name


def one_path(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong_type(where, 'a path such as "/demo/"', value)
    if "://" in value:
        raise SettingsError(where, f'must be a path such as "/demo/", not an address: {value!r}')
    if "*" in value:
        near = value.partition("*")[0]
        raise SettingsError(where, f"has no wildcards; write {near!r}, which holds for all that is below it")
    if "?" in value or "#" in value or not value.isprintable():
        raise SettingsError(where, f"must be a path alone, without query, fragment or control characters: {value!r}")
    if not value.startswith("/"):
        raise SettingsError(where, f'must begin with "/"; did you mean "/{value}"?')
    # Written as the address bar shows it or as it copies it: both are the same path.
    return canonical_path(unquote(value))


def one_prefix(value: Any, where: str) -> str:
    return one_path(value, where).rstrip("/") + "/"


def one_origin(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong_type(where, 'an origin such as "https://www.example.com"', value)
    try:
        return _sources.check_origin(value)
    except ValueError as error:
        raise SettingsError(where, f"{value!r} {error}") from None


def csp_directives(value: Any, where: str) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        raise _wrong_type(where, "a dict of directives", value)
    return MappingProxyType({name: _directive(name, sources, where) for name, sources in value.items()})


def _directive(name: Any, sources: Any, where: str) -> tuple[str, ...]:
    where = f'{where}["{name}"]' if isinstance(name, str) else f"{where}[{name!r}]"
    try:
        _csp.check_directive_name(name if isinstance(name, str) else "")
    except ValueError as error:
        raise SettingsError(where, str(error)) from None
    items = _items(sources, where, _SOURCES)
    for index, source in enumerate(items):
        _check_source(name, source, f"{where}[{index}]")
    if len(items) > 1 and any(str(source).lower() == "'none'" for source in items):
        raise SettingsError(where, "'none' stands alone; take it out, or take the other sources out")
    return tuple(dict.fromkeys(items))


def _check_source(directive: str, source: Any, where: str) -> None:
    if not isinstance(source, str):
        raise _wrong_type(where, "a source, as a string", source)
    try:
        _csp.check_source(directive, source)
    except ValueError as error:
        raise SettingsError(where, f"{source!r} {error}") from None


def csp_paths(value: Any, where: str) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    if not isinstance(value, Mapping):
        raise _wrong_type(where, 'a dict such as {"/admin/": {"style-src": ["\'self\'"]}}', value)
    compiled: dict[str, Mapping[str, tuple[str, ...]]] = {}
    for path, directives in value.items():
        here = f'{where}["{path}"]'
        prefix = one_prefix(path, here)
        if prefix in compiled:
            raise SettingsError(here, f"names the same pages as another key: both are {prefix!r}")
        compiled[prefix] = csp_directives(directives, here)
    return MappingProxyType(compiled)


def page_or_callable(value: Any, where: str) -> Any:
    """The path of a file with a page, or a function that makes one."""
    if callable(value):
        return value
    if not isinstance(value, (str, os.PathLike)):
        raise _wrong_type(where, "the path of an HTML file, or a function of one argument", value)
    try:
        with open(value, encoding="utf-8") as file:
            file.read()
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) else "it is not in UTF-8"
        raise SettingsError(where, f"{os.fspath(value)!r} cannot be read: {problem}") from None
    return os.fspath(value)
