"""A policy in plain words: short sentences for the owner of a site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .._policy import CookieMode, PathRules, Policy

_LOADED = {
    "script-src": "scripts",
    "script-src-elem": "script files",
    "script-src-attr": "scripts in attributes",
    "style-src": "styles",
    "style-src-elem": "style sheets",
    "style-src-attr": "styles in attributes",
    "img-src": "images",
    "font-src": "fonts",
    "connect-src": "connections that scripts make",
    "media-src": "sound and video",
    "manifest-src": "app manifests",
    "worker-src": "workers",
    "frame-src": "frames",
    "child-src": "frames and workers",
    "fenced-frame-src": "fenced frames",
    "object-src": "plug-ins",
    "default-src": "everything else",
}
_SOURCES = {
    "'self'": "this site",
    "'none'": "nowhere",
    "data:": "data in the page itself",
    "https:": "any https server",
    "*": "any server",
    "'unsafe-inline'": "inline code",
}


def cookies(policy: Policy, rules: PathRules) -> str:
    """Say what happens to the cookies that the app sets."""
    if rules.cookies is CookieMode.ALLOW:
        return "all are sent as the app sets them."
    if rules.cookies is CookieMode.DOWNGRADE:
        return "persistent ones are kept for the visit: they lose their lifetime."
    if rules.cookies is CookieMode.BLOCK:
        return "none is set, and the app sees none."
    visit = policy.settings["cookies"]["visit"]
    verb = "is" if len(visit) == 1 else "are"
    return "persistent ones are removed" + (f"; {', '.join(visit)} {verb} kept for the visit." if visit else ".")


def loads(directives: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Say where what a page loads may come from, a sentence for each place; then what else the directives say."""
    by_place: dict[str, list[str]] = {}
    for name, thing in _LOADED.items():
        if name in directives:
            by_place.setdefault(_places(directives[name]), []).append(thing)
    nowhere = by_place.pop(_SOURCES["'none'"], [])
    by_place |= {_SOURCES["'none'"]: nowhere} if nowhere else {}
    sentences = [f"from {places}: {', '.join(things)}." for places, things in by_place.items()]
    return sentences + [_other(name, sources) for name, sources in directives.items() if name not in _LOADED]


def changed(directives: Mapping[str, tuple[str, ...]], usual: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Say what of *directives* is not as *usual*."""
    return loads({name: sources for name, sources in directives.items() if usual.get(name) != sources})


def _places(sources: Iterable[str]) -> str:
    *most, last = [_SOURCES.get(source.lower(), source) for source in sources] or [_SOURCES["'none'"]]
    return f"{', '.join(most)} and {last}" if most else last


def _other(name: str, sources: tuple[str, ...]) -> str:
    places = _places(sources)
    is_nowhere = places == _SOURCES["'none'"]
    if name == "form-action":
        return "forms are sent nowhere." if is_nowhere else f"forms are sent to {places}."
    if name == "frame-ancestors":
        return f"the page may be framed by {'nobody' if is_nowhere else places}."
    if name == "base-uri":
        # <base href>: where the page's relative addresses lead
        return f"a <base> element may lead to {places}." if not is_nowhere else "no <base> element has an effect."
    return f"further CSP directive: {' '.join([name, *sources])}."


def inline_code(policy: Policy) -> str:
    """Say when inline scripts and styles run."""
    return {
        "auto": "inline scripts and styles run where they carry csp_nonce().",
        "always": "inline scripts and styles run where they carry csp_nonce(); every page has a nonce.",
        "never": "csp_nonce() is switched off.",
    }[policy.nonce_mode]


def contacts(policy: Policy) -> list[str]:
    """Say what is done against contacts that no Content-Security-Policy stops."""
    settings = policy.settings
    sentences = [
        "in HTML, contacts with third parties in it "
        + ("are made inert." if settings["scrub_html"] else "stay as they are: a weakening.")
    ]
    if settings["sealed_paths"]:
        sentences.append(f"from pages below {_listed(settings['sealed_paths'])}, Chromium contacts nobody else at all.")
    if settings["block_webrtc"]:
        sentences.append("Chromium lets no script use WebRTC.")
    return sentences


def later(policy: Policy) -> list[str]:
    """Say what the settings ask for that this version checks and does not enforce yet."""
    children, logs = policy.settings["children"], policy.settings["logs"]
    action = {
        "refuse": "is refused",
        "erase": "reaches the app empty",
        "mute": "reaches the app and no log",
    }[children["action"]]
    marks = [
        f"an age in {_listed(children['age_fields'])}",
        f"a birth date in {_listed(children['birthdate_fields'])}",
        f"a mark in {_listed(children['flag_fields'])}",
    ]
    if children["signal_header"]:
        marks.append(f"the request header {children['signal_header']}")
    if children["paths"]:
        marks.append(f"a path below {_listed(children['paths'])}")
    ip = {"full": "kept whole", "truncate": "kept in part", "none": "left out"}[logs["ip"]]
    days = logs["retention_days"]
    return [
        f"Children: a submission of somebody under {children['minimum_age']} {action}. It is told by "
        f"{'; '.join(marks)}.",
        f"Addresses of visitors in access logs: {ip}.",
        f"Logs: deleted after {days} days." if days else "Logs: no time is promised after which they are deleted.",
    ]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
