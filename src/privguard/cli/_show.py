"""``privguard show``: the compiled policy, and the exact headers of a page, in plain words or as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from .._exchange import Exchange
from .._headers import TEXT
from .._paths import canonical_path
from .._policy import PathRules, Policy
from . import _settings_file, _words
from ._stop import WrongUse

NONCE = "NEW-FOR-EACH-RESPONSE"
"""Stands where a response has its nonce, when the settings give one to every page."""

_HTML = ("Content-Type", "text/html; charset=utf-8")
_WIDTH = 79  # columns: a terminal has 80


def show(path: str | None, *, settings: str | None, as_json: bool) -> int:
    """Print the policy or, when there is a *path*, what holds there."""
    policy = _settings_file.load(settings, command="privguard show")
    source = settings or "the strict default (no --settings given)"
    if path is None:
        text = _json(policy_data(policy, source)) if as_json else policy_text(policy, source)
    else:
        path = _checked(path)
        text = _json(path_data(policy, path, source)) if as_json else path_text(policy, path, source)
    print(text)
    return 0


def _checked(path: str) -> str:
    """Return the canonical path that was typed as the address bar shows it or copies it."""
    if "://" in path or not path.startswith("/"):
        raise WrongUse(f'{path!r} is no path of a site; it begins with "/"; type, for example: privguard show /demo/')
    if "?" in path or "#" in path:
        alone = path.partition("?")[0].partition("#")[0]
        raise WrongUse(f"what holds for a path does not depend on its query; type: privguard show {alone}")
    return canonical_path(unquote(path))


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, indent=2)


def _exchange(policy: Policy, path: str) -> Exchange:
    return Exchange(policy, path, make_nonce=lambda: NONCE)


def headers(policy: Policy, path: str) -> list[tuple[str, str]]:
    """Return the header fields that privguard adds to a plain HTML page at the canonical *path*."""
    fields = _exchange(policy, path).response_headers(200, [_HTML], TEXT)
    return [field for field in fields if field != _HTML]


def prefixes(policy: Policy) -> list[str]:
    """Return the path prefixes that have rules of their own; the first is ``/``, for everywhere."""
    settings = policy.settings
    lists = [settings["demo_paths"], settings["user_image_paths"], settings["sealed_paths"]]
    named = {prefix for prefixes in lists for prefix in prefixes} | {*settings["children"]["paths"]}
    return ["/", *sorted((named | settings["csp"]["paths"].keys()) - {"/"})]


# ── for a program ────────────────────────────────────────────────────────────────────────────────────────────────────


def policy_data(policy: Policy, source: str) -> dict[str, Any]:
    """Return the whole policy: the settings as they hold, and the rules below each prefix."""
    return {
        "source": source,
        "settings": _plain(policy.settings),
        "paths": {prefix: _rules_data(policy.rules_for(prefix)) for prefix in prefixes(policy)},
    }


def path_data(policy: Policy, path: str, source: str) -> dict[str, Any]:
    """Return what holds for a canonical path."""
    return {
        "source": source,
        "path": path,
        "quiet": _exchange(policy, path).muted,
        **_rules_data(policy.rules_for(path)),
        "headers": [list(field) for field in headers(policy, path)],
    }


def _rules_data(rules: PathRules) -> dict[str, Any]:
    return {
        "demo": rules.demo,
        "cookies": rules.cookies.value,
        "csp": _plain(rules.directives),
        "user_images": rules.user_images,
        "sealed": rules.sealed,
        "child": rules.child,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if callable(value):
        return _words.name_of(value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


# ── for people ───────────────────────────────────────────────────────────────────────────────────────────────────────


def policy_text(policy: Policy, source: str) -> str:
    """Return the whole policy in plain words."""
    blocks = [
        ("Cookies", _cookie_lines(policy)),
        ("What a page may load", _load_lines(policy, policy.rules_for("/")) + _changed_lines(policy)),
        ("What else could contact others", [_capital(one) for one in _words.contacts(policy)]),
        ("What else a page is sent with", _other_header_lines(policy)),
        ("Children", [_capital(one) for one in _words.children(policy)]),
        ("Logs", _log_lines(policy)),
    ]
    text = "\n\n".join(f"{title}\n{_indented(lines)}" for title, lines in blocks)
    return f"The policy: {source}\n\n{text}"


def _cookie_lines(policy: Policy) -> list[str]:
    everywhere, *below = prefixes(policy)
    usual = policy.rules_for(everywhere)
    others = [(prefix, rules) for prefix in below if (rules := policy.rules_for(prefix)).cookies is not usual.cookies]
    lines = [f"Below {prefix}: {_words.cookies(policy, rules)}" for prefix, rules in others]
    return [*lines, f"{'Elsewhere' if others else 'Everywhere'}: {_words.cookies(policy, usual)}"]


def _changed_lines(policy: Policy) -> list[str]:
    everywhere, *below = prefixes(policy)
    usual = policy.rules_for(everywhere).directives
    return [
        f"Below {prefix}: {sentence}"
        for prefix in below
        for sentence in _words.changed(policy.rules_for(prefix).directives, usual)
    ]


def _other_header_lines(policy: Policy) -> list[str]:
    others = [(name, value) for name, value in headers(policy, "/") if name != policy.csp_header]
    return [
        f"{name}: {value}" if len(value) < _WIDTH // 2 else f"{name}: {value.count('=()')} features are off."
        for name, value in others
    ]


def _log_lines(policy: Policy) -> list[str]:
    quiet, front = policy.settings["logs"]["quiet_paths"], policy.settings["logs"]["front_header"]
    lines = [
        f"No line is written for a request to {', '.join(quiet)}." if quiet else "Every request is logged as ever."
    ]
    if front:
        lines.append(f'A proxy in front is told so by the header "{front}: off", which it has to remove.')
    return [*lines, _words.addresses(policy), _words.waiting(policy), _words.retention(policy)]


def path_text(policy: Policy, path: str, source: str) -> str:
    """Return what holds for a canonical path in plain words, and the headers as they are sent."""
    rules = policy.rules_for(path)
    quiet = _exchange(policy, path).muted
    lines = [
        f"Cookies: {_words.cookies(policy, rules)}",
        *_load_lines(policy, rules),
        "Log: no line is written for a request." if quiet else "Log: requests are logged as ever.",
        *([f"Submissions: {_words.childs_path(policy)}"] if rules.child else []),
    ]
    sent = [f"{name}: {value}" for name, value in headers(policy, path)]
    if any(NONCE in line for line in sent):
        sent += ["", f"({NONCE} stands for the nonce.)"]
    blocks = [f"{path}\nThe policy: {source}", _indented(lines), "A plain HTML page is sent with these headers:"]
    return "\n\n".join([*blocks, "\n".join(sent)])


def _load_lines(policy: Policy, rules: PathRules) -> list[str]:
    lines = [_capital(one) for one in [*_words.loads(rules.directives), _words.inline_code(policy)]]
    if policy.settings["csp"]["report_only"]:
        lines.insert(0, "Report only: browsers report what the next lines forbid, and load it all the same.")
    return lines


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(
        textwrap.fill(line, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
        for line in lines
    )


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
