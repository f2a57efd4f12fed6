"""The settings dict: every key, its default and its check, in one table.

Checking happens once, at start. What comes out is complete (defaults filled in), canonical and frozen. Each check takes
the value and the full path of its key, returns the value as the policy keeps it, and raises SettingsError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from . import _csp, _sources
from ._errors import SettingsError, nearest
from ._headers import TOKEN, has_a_meaning
from ._paths import canonical_path

Check = Callable[[Any, str], Any]

COOKIE_MODES = ("allow", "downgrade", "strip", "block")
CHILD_ACTIONS = ("refuse", "erase", "mute")
NONCE_MODES = ("auto", "always", "never")
IP_MODES = ("full", "truncate", "none")

_SOURCES = "a list of sources"


def check_settings(settings: Any, where: str = "PRIVGUARD") -> Mapping[str, Any]:
    """Return *settings* checked, complete and frozen. Raises SettingsError, which names the key's full path."""
    compiled: Mapping[str, Any] = _TABLE(settings, where)
    return compiled


# ── kinds of value ───────────────────────────────────────────────────────────────────────────────────────────────────


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


def _table(entries: Mapping[str, tuple[Any, Check]]) -> Check:
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


def _one_of(*choices: str) -> Check:
    def check(value: Any, where: str) -> str:
        listed = ", ".join(f'"{choice}"' for choice in choices)
        if not isinstance(value, str):
            raise _wrong_type(where, f"one of {listed}", value)
        if value not in choices:
            near = nearest(value, choices)
            raise SettingsError(where, f'"{value}" is none of {listed}' + (f'; did you mean "{near}"?' if near else ""))
        return value

    return check


def _switch(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type(where, "True or False", value)
    return value


def _whole_number(unit: str, low: int, high: int) -> Check:
    def check(value: Any, where: str) -> int:
        wanted = f"a whole number of {unit} from {low} to {high}"
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong_type(where, wanted, value)
        if not low <= value <= high:
            raise SettingsError(where, f"must be {wanted}, not {value}")
        return value

    return check


def _or_none(one: Check) -> Check:
    def check(value: Any, where: str) -> Any:
        return None if value is None else one(value, where)

    return check


def _list_of(noun: str, one: Check) -> Check:
    def check(value: Any, where: str) -> tuple[Any, ...]:
        items = _items(value, where, f"a list of {noun}")
        # dict.fromkeys: each once, in the order in which the owner wrote them
        return tuple(dict.fromkeys(one(item, f"{where}[{index}]") for index, item in enumerate(items)))

    return check


def _text(noun: str) -> Check:
    def check(value: Any, where: str) -> str:
        if not isinstance(value, str):
            raise _wrong_type(where, noun, value)
        if not value or value != value.strip() or not value.isprintable():
            raise SettingsError(where, f"must be {noun}, without blanks around it or control characters")
        return value

    return check


def _token(noun: str) -> Check:
    def check(value: Any, where: str) -> str:
        if not isinstance(value, str):
            raise _wrong_type(where, noun, value)
        if not TOKEN.fullmatch(value):
            raise SettingsError(where, f"{value!r} cannot be {noun}")
        return value

    return check


def _own_header(value: Any, where: str) -> str:
    name = str(_token("a header's name")(value, where))
    if has_a_meaning(name):
        raise SettingsError(where, f'must be a header of your own, such as "X-Privguard-Log"; {name!r} has a meaning')
    return name


def _path(value: Any, where: str) -> str:
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


def _prefix(value: Any, where: str) -> str:
    return _path(value, where).rstrip("/") + "/"


def _origin(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong_type(where, 'an origin such as "https://www.example.com"', value)
    try:
        return _sources.check_origin(value)
    except ValueError as error:
        raise SettingsError(where, f"{value!r} {error}") from None


def _directives(value: Any, where: str) -> Mapping[str, tuple[str, ...]]:
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


def _csp_paths(value: Any, where: str) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    if not isinstance(value, Mapping):
        raise _wrong_type(where, 'a dict such as {"/admin/": {"style-src": ["\'self\'"]}}', value)
    compiled: dict[str, Mapping[str, tuple[str, ...]]] = {}
    for path, directives in value.items():
        here = f'{where}["{path}"]'
        prefix = _prefix(path, here)
        if prefix in compiled:
            raise SettingsError(here, f"names the same pages as another key: both are {prefix!r}")
        compiled[prefix] = _directives(directives, here)
    return MappingProxyType(compiled)


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────

_PREFIXES = _list_of("path prefixes", _prefix)
_COOKIE_NAMES = _list_of("cookie names", _token("a cookie's name"))
_FIELDS = _list_of("field names", _text("a field name"))

_TABLE = _table(
    {
        "demo_paths": ((), _PREFIXES),
        "first_party": ((), _list_of("origins", _origin)),
        "cookies": (
            {},
            _table(
                {
                    "demo": ("allow", _one_of(*COOKIE_MODES)),
                    "elsewhere": ("strip", _one_of(*COOKIE_MODES)),
                    "visit": (("session", "sessionid", "csrftoken"), _COOKIE_NAMES),
                }
            ),
        ),
        "csp": (
            {},
            _table(
                {
                    "directives": ({}, _directives),
                    "paths": ({}, _csp_paths),
                    "nonce": ("auto", _one_of(*NONCE_MODES)),
                    "report_only": (False, _switch),
                }
            ),
        ),
        "scrub_html": (True, _switch),
        "user_image_paths": ((), _PREFIXES),
        "sealed_paths": ((), _PREFIXES),
        "block_webrtc": (False, _switch),
        "children": (
            {},
            _table(
                {
                    "minimum_age": (13, _whole_number("years", 1, 99)),
                    "age_fields": (("age",), _FIELDS),
                    "birthdate_fields": (
                        ("birthdate", "birthday", "birth_date", "date_of_birth", "dob", "bday"),
                        _FIELDS,
                    ),
                    "flag_fields": (("child",), _FIELDS),
                    "paths": ((), _PREFIXES),
                    "signal_header": (None, _or_none(_token("a header's name"))),
                    "action": ("refuse", _one_of(*CHILD_ACTIONS)),
                }
            ),
        ),
        "logs": (
            {},
            _table(
                {
                    "quiet_paths": (
                        ("/favicon.ico", "/apple-touch-icon.png", "/apple-touch-icon-precomposed.png"),
                        _list_of("paths", _path),
                    ),
                    "ip": ("full", _one_of(*IP_MODES)),
                    "front_header": (None, _or_none(_own_header)),
                    # A hundred years: past that it is no retention period but a slip of the hand.
                    "retention_days": (None, _or_none(_whole_number("days", 1, 36_500))),
                }
            ),
        ),
    }
)
