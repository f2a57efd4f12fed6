"""A policy in plain words: short sentences for the owner of a site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .._policy import ChildAction, CookieMode, PathRules, Policy

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


_DONE_WITH_A_CHILDS = {
    ChildAction.REFUSE: "is refused, and the app is not called",
    ChildAction.ERASE: "reaches the app empty",
    ChildAction.MUTE: "reaches the app and no log",
}


def children(policy: Policy) -> list[str]:
    """Say which submissions are a child's, and what becomes of them."""
    settings = policy.settings["children"]
    if not policy.children:
        return ["No submission is recognised as a child's; the app can say it with flag_child()."]
    signs = [
        f"{what} {_listed(names)}"
        for what, names in (
            ("an age in", settings["age_fields"]),
            ("a birth date in", settings["birthdate_fields"]),
            ("a mark in", settings["flag_fields"]),
            ("the request header", [settings["signal_header"] or ""]),
            ("a path below", settings["paths"]),
        )
        if any(names)
    ]
    done = _DONE_WITH_A_CHILDS[policy.child_action]
    sentences = [f"a submission of somebody under {settings['minimum_age']} {done}. It is told by {'; '.join(signs)}."]
    if policy.child_action is ChildAction.REFUSE:
        sentences += [f"the visitor gets {_refusal(settings['refusal'])}."]
        sentences += ["who was refused stays so for the visit: a cookie says it."] if settings["back_button"] else []
    return sentences


def childs_path(policy: Policy) -> str:
    """Say what becomes of what is submitted below one of ``children.paths``."""
    return f"each is a child's: it {_DONE_WITH_A_CHILDS[policy.child_action]}."


def _refusal(chosen: object) -> str:
    if chosen is None:
        return "privguard's own page"
    return f"what {name_of(chosen)} returns" if callable(chosen) else f"the page in {chosen}"


def name_of(function: object) -> str:
    """Return a function's name as commands take it."""
    return f"{getattr(function, '__module__', '?')}:{getattr(function, '__qualname__', type(function).__qualname__)}"


def waiting(policy: Policy) -> str:
    """Say how long the log waits for what a submission writes."""
    errors = "; errors do not wait: a weakening" if policy.settings["logs"]["errors_at_once"] else ""
    return f"What a submission writes waits until it is over, and is dropped if it is a child's{errors}."


def retention(policy: Policy) -> str:
    """Say what is promised about the end of logs, and who keeps it."""
    days = policy.settings["logs"]["retention_days"]
    if days is None:
        return "No time is promised after which they are deleted."
    return (
        f"They are to be deleted after {'1 day' if days == 1 else f'{days} days'}, by RetentionFileHandler or by what "
        '"privguard export logrotate" prints.'
    )


def addresses(policy: Policy) -> str:
    """Say what access lines hold of a visitor's address and of a query."""
    logs = policy.settings["logs"]
    kept = {"full": "whole", "truncate": "in part", "none": "not at all"}[logs["ip"]]
    return f"Access lines hold addresses {kept}, and queries {'as they are' if logs['query'] else 'not at all'}."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
