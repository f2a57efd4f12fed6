"""``privguard hashes``: the hashes of a site's inline code (CSP3 §2.3.1), as settings to paste."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from .. import _csp
from .._policy import Policy
from . import _pages, _settings_file
from ._inline import MARK, InlineCode, inline_code

COMMAND = "privguard hashes"
Places = Mapping[str, list[str]]
_UNSAFE_HASHES = "'unsafe-hashes'"  # without it, a hash admits no attribute (CSP3 §6.7.3.3)


class Found(NamedTuple):
    """What the pages hold."""

    hashes: dict[str, dict[str, list[str]]]
    """Directive → hash → where the code stands."""
    notes: list[str]
    """What gets no hash, and what to do about it."""


def hashes(names: Iterable[str], *, settings: str | None) -> int:
    """Print the settings that admit the inline code of the pages *names*; on stderr, what no settings admit."""
    policy = _settings_file.load(settings, command=COMMAND)
    found = find(page for name in names for page in _pages.read(name))
    lists, more_notes = merged(found, policy)
    for note in [*found.notes, *more_notes]:
        print(f"privguard: {note}", file=sys.stderr)
    if lists:
        print(snippet(lists, _settings_file.toml_table(settings)))
    else:
        print("privguard: there is no inline code that a hash would have to admit", file=sys.stderr)
    return 0


def source(text: str) -> str:
    """Return the hash-source for inline code.

    >>> source("alert('Hello, world.');")  # the example of CSP3 §8.2
    "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"
    """
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


# ── what the pages hold ──────────────────────────────────────────────────────────────────────────────────────────────


def find(pages: Iterable[_pages.Page]) -> Found:
    """Return the hashes of what is inline in *pages*, and a note on each piece that can have none."""
    found = Found({}, [])
    for page in pages:
        again = {(one.directive, one.text) for one in inline_code(page.again)}
        for one in inline_code(page.text):
            place = f"{page.name} line {one.line}"
            note = _why_not(one, is_lasting=(one.directive, one.text) in again)
            if note:
                found.notes.append(f"{place}: {note}")
            else:
                found.hashes.setdefault(one.directive, {}).setdefault(source(one.text), []).append(place)
    return found


def _why_not(one: InlineCode, *, is_lasting: bool) -> str | None:
    if not one.directive:
        return f'{one.name}="javascript:…" gets no hash; use a button, and listen for its click in a script file'
    if MARK in one.text:
        why = f"{_thing(one)} holds template code: its hash differs with each page, and it gets none"
    elif not is_lasting:
        why = f"{_thing(one)} was another when the page was asked for again, and gets no hash"
    else:
        return None
    return f"{why}; {_cure(one)}"


def _thing(one: InlineCode) -> str:
    return f'{one.name}="…"' if one.is_attribute else f"the {one.name}"


def _cure(one: InlineCode) -> str:
    if not one.is_attribute:
        return f'write <{one.name} nonce="…"> with csp_nonce(), or move it into a file'
    if one.name == "style":
        return "use a class, and say in a style sheet what it looks like"
    return "listen for the event in a script file, and hand over what differs as data-… attributes"


# ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def merged(found: Found, policy: Policy) -> tuple[dict[str, dict[str, list[str]]], list[str]]:
    """Return the source lists that *policy* needs so that it admits what was found, and notes on what they leave.

    A list is source → where the code stands; that is empty for what the policy has already.
    """
    directives = {**_csp.strict_default(), **policy.settings["csp"]["directives"]}
    lists: dict[str, dict[str, list[str]]] = {}
    notes: list[str] = []
    for wanted, places in sorted(found.hashes.items()):
        name, sources = _list_of(directives, wanted)
        if _admits_all_inline(sources):
            notes.append(f"{name} has 'unsafe-inline', which a hash would switch off: none is printed for it")
        elif not places.keys() <= set(sources):
            kept = [one for one in sources if one.lower() != "'none'"]
            keyword = [_UNSAFE_HASHES] if wanted.endswith("-attr") and not _has(kept, _UNSAFE_HASHES) else []
            lists.setdefault(name, {key: [] for key in [*kept, *keyword]}).update(places)
            notes += _notes_on_paths(policy, name)
    return lists, list(dict.fromkeys(notes))


def _list_of(directives: _csp.Directives, wanted: str) -> tuple[str, tuple[str, ...]]:
    """Return the directive by which browsers judge, and its sources as they are (CSP3 §6.8.3)."""
    base = wanted.removesuffix("-attr")
    narrow = wanted if wanted != base else f"{base}-elem"
    if narrow in directives:
        return narrow, directives[narrow]
    if wanted == base or _has(directives[base], _UNSAFE_HASHES) or _admits_all_inline(directives[base]):
        return base, directives[base]
    return wanted, ()  # a list of its own admits no script or style element by what an attribute may hold


def _has(sources: Iterable[str], keyword: str) -> bool:
    return keyword in map(str.lower, sources)


def _admits_all_inline(sources: Sequence[str]) -> bool:
    """CSP3 §6.7.3.2: a hash, for one, switches ``'unsafe-inline'`` off."""
    switches_off = any(one.lower().startswith(("'sha", "'strict-")) for one in sources)
    return _has(sources, "'unsafe-inline'") and not switches_off


def _notes_on_paths(policy: Policy, name: str) -> Iterator[str]:
    for prefix, directives in policy.settings["csp"]["paths"].items():
        if name in directives:
            yield f"below {prefix}, your settings have another {name}: add there what those pages need"


def snippet(lists: Mapping[str, Places], toml_table: str | None) -> str:
    """Return *lists* as settings: for a TOML file that keeps them in *toml_table*, else in Python."""
    if toml_table is not None:
        return "\n".join([f"[{toml_table}]", *(_list(f"{name} =", "", places) for name, places in lists.items())])
    inner = [_list(f'            "{name}":', ",", places, 12) for name, places in lists.items()]
    return "\n".join(["PRIVGUARD = {", '    "csp": {', '        "directives": {', *inner, "        },", "    },", "}"])


def _list(begin: str, end: str, places: Places, indent: int = 0) -> str:
    """A list is written alike in Python and TOML, comments included."""
    lines = [f"{' ' * (indent + 4)}{json.dumps(one)},{_comment(where)}" for one, where in places.items()]
    return "\n".join([f"{begin} [", *lines, f"{' ' * indent}]{end}"])


def _comment(places: list[str]) -> str:
    if not places:
        return ""
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"  # {places[0]}{more}"
