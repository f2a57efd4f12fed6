"""The policy: the settings, compiled once into a frozen object whose answer for a path is a look-up."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import _csp
from ._headers import BYTES, TEXT, Dialect
from ._intake import ChildPolicy
from ._paths import PrefixTable
from ._references import server_of
from ._refusal import Refusal
from ._settings import check_settings

_NONE: frozenset[str] = frozenset()


class CookieMode(enum.Enum):
    """What happens to a Set-Cookie header; the settings reference has the table."""

    ALLOW = "allow"
    DOWNGRADE = "downgrade"
    STRIP = "strip"
    BLOCK = "block"


class ChildAction(enum.Enum):
    """What happens to a child's submission."""

    REFUSE = "refuse"
    ERASE = "erase"
    MUTE = "mute"


@dataclass(frozen=True, slots=True)
class PathRules:
    """What the policy says of the pages below one prefix."""

    demo: bool
    cookies: CookieMode
    directives: Mapping[str, tuple[str, ...]]
    policies: tuple[str, ...]
    """The serialized Content-Security-Policies of a response without a nonce."""
    nonced_policies: tuple[str, ...]
    """The same with a nonce, which goes where NONCE_MARK is."""
    policy_fields: Mapping[Dialect[Any], tuple[tuple[Any, Any], ...]]
    """The header fields that carry *policies*, as each protocol spells them."""
    own_fields: Mapping[Dialect[Any], tuple[tuple[Any, Any], ...]]
    """All of privguard's header fields on a response that has no nonce and sets none of them itself."""
    connection_fields: tuple[tuple[str, str], ...]
    """The header field by which a browser that knows it is told whom the page may contact at all."""
    admits: Callable[[str, str], bool]
    """Whether a directive lets a page load an absolute URL. Everything, while the policy is only reported; and no image
    where users may link to any: these are to be seen, and what a link loads is not."""
    user_images: bool
    watches_images: bool
    """Some image from elsewhere may be shown here."""
    sealed: bool
    child: bool
    """Every submission below this prefix is a child's."""


class Policy:
    """The settings dict, checked and compiled once. Frozen; two policies of the same settings are equal.

    Raises SettingsError when a key is unknown, of the wrong type, or impossible.

    >>> Policy({"demo_paths": ["/demo/"]}).rules_for("/demo/chat").cookies
    <CookieMode.ALLOW: 'allow'>
    >>> Policy({"demo_paths": "/demo/"})
    Traceback (most recent call last):
        ...
    privguard.SettingsError: PRIVGUARD["demo_paths"]: must be a list of path prefixes, not a string; write ['/demo/']
    """

    __slots__ = (
        "_table",
        "child_action",
        "children",
        "csp_header",
        "first_party_hosts",
        "front_header",
        "nonce_mode",
        "quiet_paths",
        "refusal",
        "scrubs_html",
        "settings",
        "visit",
    )

    settings: Mapping[str, Any]
    """The settings as they hold: complete, canonical and read-only."""
    visit: frozenset[bytes]
    quiet_paths: frozenset[str]
    nonce_mode: str
    csp_header: str
    first_party_hosts: frozenset[str]
    front_header: str | None
    scrubs_html: bool
    child_action: ChildAction
    children: ChildPolicy
    refusal: Refusal
    _table: PrefixTable[PathRules]

    def __init__(self, settings: Mapping[str, Any] | Policy | None = None) -> None:
        if isinstance(settings, Policy):
            checked = settings.settings
        else:
            checked = check_settings({} if settings is None else settings)
        csp = checked["csp"]
        put = object.__setattr__
        put(self, "settings", checked)
        put(self, "visit", frozenset(name.encode("latin-1") for name in checked["cookies"]["visit"]))
        put(self, "quiet_paths", frozenset(checked["logs"]["quiet_paths"]))
        put(self, "nonce_mode", csp["nonce"])
        put(self, "csp_header", _csp_header(checked))
        put(self, "first_party_hosts", frozenset(map(_host, checked["first_party"])))
        put(self, "scrubs_html", checked["scrub_html"])
        put(self, "front_header", checked["logs"]["front_header"])
        put(self, "child_action", ChildAction(checked["children"]["action"]))
        put(self, "children", ChildPolicy(checked["children"]))
        put(self, "refusal", Refusal(checked["children"]["refusal"]))
        put(self, "_table", _compile_table(checked))

    @classmethod
    def of(cls, settings: Mapping[str, Any] | Policy | None) -> Policy:
        """Return *settings* itself when it is a policy already, else the policy that it compiles to."""
        return settings if isinstance(settings, cls) else cls(settings)

    def rules_for(self, path: str) -> PathRules:
        """Return the rules for a canonical path; see :func:`privguard._paths.canonical_path`."""
        return self._table.find(path)

    def with_visit(self, names: Iterable[str]) -> Policy:
        """Return this policy with more cookie names that are kept for the visit where they would be stripped."""
        cookies = {**self.settings["cookies"], "visit": [*self.settings["cookies"]["visit"], *names]}
        return type(self)({**self.settings, "cookies": cookies})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Policy is frozen; make a new one to change {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Policy is frozen; make a new one to change {name!r}")

    def __eq__(self, other: object) -> bool:
        return self.settings == other.settings if isinstance(other, Policy) else NotImplemented

    def __hash__(self) -> int:
        return hash(_hashable(self.settings))

    def __repr__(self) -> str:
        return f"Policy({_plain(self.settings)!r})"

    def __reduce__(self) -> tuple[type[Policy], tuple[Any]]:
        return type(self), (_plain(self.settings),)


def _plain(value: Any) -> Any:
    """Return frozen settings as the dicts and lists that an owner would type."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _hashable(value: Any) -> Any:
    return frozenset((key, _hashable(one)) for key, one in value.items()) if isinstance(value, Mapping) else value


def _csp_header(settings: Mapping[str, Any]) -> str:
    return "Content-Security-Policy" + ("-Report-Only" if settings["csp"]["report_only"] else "")


def _host(origin: str) -> str:
    server = server_of(origin)
    return server.host if server else ""


def _compile_table(settings: Mapping[str, Any]) -> PrefixTable[PathRules]:
    prefixes = {
        *settings["demo_paths"],
        *settings["user_image_paths"],
        *settings["sealed_paths"],
        *settings["children"]["paths"],
        *settings["csp"]["paths"],
    }
    return PrefixTable({prefix: _compile_rules(settings, prefix) for prefix in prefixes}, _compile_rules(settings, "/"))


def _compile_rules(settings: Mapping[str, Any], path: str) -> PathRules:
    def is_below(prefixes: Iterable[str]) -> bool:
        return any(path.startswith(prefix) for prefix in prefixes)

    demo = is_below(settings["demo_paths"])
    user_images = is_below(settings["user_image_paths"])
    directives = _compile_directives(settings, path, user_images)
    plain: tuple[str, ...] = (_csp.serialize(directives),)
    if _csp.needs_files_only(directives):
        plain += (_csp.serialize(_csp.files_only(directives)),)
    sealed = is_below(settings["sealed_paths"])
    connection_fields = _connection_fields(settings, sealed=sealed)
    fields = [(_csp_header(settings), policy) for policy in plain]
    policy_fields: dict[Dialect[Any], Any] = {dialect: dialect.spell_fields(fields) for dialect in (BYTES, TEXT)}
    own_fields = {
        dialect: spelled + dialect.spell_fields(connection_fields) + dialect.if_absent[_NONE]
        for dialect, spelled in policy_fields.items()
    }
    admits = _admit_all if settings["csp"]["report_only"] else functools.partial(_admits, directives)
    return PathRules(
        demo=demo,
        cookies=CookieMode(settings["cookies"]["demo" if demo else "elsewhere"]),
        directives=directives,
        policies=plain,
        nonced_policies=tuple(_csp.serialize(one) for one in _csp.nonced(directives)),
        policy_fields=policy_fields,
        own_fields=own_fields,
        connection_fields=connection_fields,
        admits=functools.partial(_admits_but_images, admits) if user_images else admits,
        user_images=user_images,
        watches_images=user_images or any(map(_may_be_elsewhere, directives.get("img-src", ()))),
        sealed=sealed,
        child=is_below(settings["children"]["paths"]),
    )


def _connection_fields(settings: Mapping[str, Any], *, sealed: bool) -> tuple[tuple[str, str], ...]:
    """Connection Allowlists (WICG): what Chromium obeys, and other browsers ignore."""
    if sealed:
        own = ["response-origin", *(f'"{origin}/*"' for origin in settings["first_party"])]
        return (("Connection-Allowlist", f"({' '.join(own)});redirects=allow"),)
    if settings["block_webrtc"]:  # which no list of URLs names
        return (("Connection-Allowlist", '("*://*:*/*");redirects=allow'),)
    return ()


def _admit_all(directive: str, url: str) -> bool:
    return True


def _admits(directives: Mapping[str, tuple[str, ...]], directive: str, url: str) -> bool:
    try:
        # Only other sites are asked about, so that the page's own origin matters to its scheme alone.
        return _csp.admits(directives, directive, url, own_origin="http://own.invalid")
    except ValueError:  # no URL that Python can read
        return False


def _admits_but_images(admits: Callable[[str, str], bool], directive: str, url: str) -> bool:
    return directive != "img-src" and admits(directive, url)


def _may_be_elsewhere(source: str) -> bool:
    return source.lower() not in ("'self'", "'none'", "data:", "blob:")


def _compile_directives(settings: Mapping[str, Any], path: str, user_images: bool) -> Mapping[str, tuple[str, ...]]:
    """The strict default; over it what holds everywhere; over that what holds below each prefix, longest last."""
    csp = settings["csp"]
    directives = {**_csp.strict_default(), **csp["directives"]}
    for prefix in sorted(csp["paths"], key=len):
        if path.startswith(prefix):
            directives.update(csp["paths"][prefix])
    if user_images:
        own = [one for one in directives["img-src"] if one.lower() != "'none'"]
        directives["img-src"] = tuple(dict.fromkeys([*own, "https:"]))
    return _csp.with_first_party(directives, settings["first_party"])
