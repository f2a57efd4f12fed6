"""Ways in which a page makes a browser contact a third party if it came over HTTPS, or over HTTP/2.

Reports to named endpoints, network error logging and alternative services are for secure pages alone; Chromium obeys
Early Hints over HTTP/2 alone. FAR and HOST are as in the vectors for plain HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from browsers.contact_vectors import CSP, ONLY, RUN, Vector, own_script, whole

GROUPS = {
    "tls-hint": "hints and frames, as over plain HTTP",
    "tls-csp": "reports of what a policy blocked: `report-uri`, `report-to` with `Reporting-Endpoints` or `Report-To`",
    "tls-policy": "reports of permissions, documents, integrity and embedding, by the policies of these names",
    "tls-own": "reports that browsers make by themselves: network error logging (`NEL`), deprecated features",
    "tls-early": "103 Early Hints, over HTTP/2",
    "tls-service": "alternative services (`Alt-Svc`)",
    "tls-rules": "speculation rules",
}
BLOCKED = whole("", '<img src="https://nobody.invalid/x.png" alt="">')
SYNCHRONOUS = """
    const request = new XMLHttpRequest(); request.open("GET", "run.js", false);
    try { request.send() } catch {}"""
ENDPOINTS = ("Reporting-Endpoints", 'x="FAR/", default="FAR/"')


def endpoint(value: str) -> tuple[str, str]:
    return "Reporting-Endpoints", value


def group(name: str) -> tuple[str, str]:
    return "Report-To", json.dumps({"group": name, "max_age": 600, "endpoints": [{"url": "FAR/"}]})


def blocked(name: str, *fields: tuple[str, str]) -> Vector:
    """Return a page whose policy, which one of *fields* is, blocks an image."""
    return Vector("tls-csp", name, BLOCKED, fields=fields)


def asking(group: str, name: str, *fields: tuple[str, str]) -> Vector:
    """Return a page whose script asks its own server for something, synchronously."""
    return Vector(group, name, whole("", RUN), fields=fields, files=own_script(SYNCHRONOUS))


HINTS = [
    Vector("tls-hint", "preconnect", whole('<link rel="preconnect" href="FAR">')),
    Vector("tls-hint", "dns-prefetch", whole('<link rel="dns-prefetch" href="FAR">')),
    Vector("tls-hint", "header", whole(), fields=(("Link", "<FAR>; rel=preconnect"),)),
    Vector("tls-hint", "frame", whole("", '<iframe src="FAR/x.html"></iframe>')),
]

TO_X = (CSP, "img-src 'none'; report-to x")
REPORTED_BY_WORKER = {
    "run.js": ("text/javascript", 'window.kept = new Worker("w.js")', ()),
    "w.js": ("text/javascript", 'fetch("x")', ((CSP, "connect-src 'none'; report-uri FAR/x"),)),
}
REPORTS = [
    blocked("uri", (CSP, "img-src 'none'; report-uri FAR/x")),
    Vector("tls-csp", "uri-worker", whole("", RUN), files=REPORTED_BY_WORKER),
    blocked("to", ENDPOINTS, TO_X),
    blocked("to-default", ENDPOINTS, (CSP, "img-src 'none'; report-to default")),
    blocked("to-only", ENDPOINTS, (ONLY, "img-src 'none'; report-to x")),
    blocked("to-several", endpoint('a="/own", x="FAR/";p=1'), TO_X),
    blocked("to-twice", endpoint('x="/own"'), endpoint('x="FAR/"'), TO_X),
    blocked("to-scheme-less", endpoint('x="//HOST/"'), TO_X),
    replace(blocked("to-group", group("x"), TO_X), is_in_tab=True),
]

INTEGRITY = "blocked-destinations=(script), endpoints=(x)"
POLICIES = [
    asking("tls-policy", "permissions", ENDPOINTS, ("Permissions-Policy", "sync-xhr=();report-to=x")),
    asking("tls-policy", "permissions-default", ENDPOINTS, ("Permissions-Policy", "sync-xhr=()")),
    asking("tls-policy", "permissions-only", ENDPOINTS, ("Permissions-Policy-Report-Only", "sync-xhr=();report-to=x")),
    asking("tls-policy", "integrity", ENDPOINTS, ("Integrity-Policy", INTEGRITY)),
    asking("tls-policy", "integrity-only", ENDPOINTS, ("Integrity-Policy-Report-Only", INTEGRITY)),
    asking(
        "tls-policy", "document", ENDPOINTS, ("Document-Policy-Report-Only", "sync-xhr=?0;report-to=x, *;report-to=x")
    ),
    Vector(
        "tls-policy",
        "embedder",
        whole("", '<iframe src="x"></iframe>'),
        fields=(ENDPOINTS, ("Cross-Origin-Embedder-Policy-Report-Only", 'require-corp; report-to="x"')),
    ),
]

ERRORS = ("NEL", '{"report_to": "x", "max_age": 600, "success_fraction": 1}')
OTHER_GROUP = '{"group": "y", "max_age": 1, "endpoints": [{"url": "https://localhost/"}]}'
TWO_GROUPS = ("Report-To", f"{OTHER_GROUP}, {group('x')[1]}")
OWN_REPORTS = [
    Vector("tls-own", "errors", whole(), fields=(group("x"), ERRORS)),
    Vector("tls-own", "errors-second-group", whole(), fields=(TWO_GROUPS, ERRORS)),
    asking("tls-own", "deprecation", endpoint('default="FAR/"')),
    asking("tls-own", "deprecation-group", group("default")),
]

EARLY = [
    Vector("tls-early", name, whole(), early=value)
    for name, value in {
        "preconnect": "<FAR>; rel=preconnect",
        "second": "</x>; rel=next, <FAR>; rel=preconnect",
        "preload-style": "<FAR/x.css>; rel=preload; as=style",
        "preload-script": "<FAR/x.js>; rel=preload; as=script",
        "preload-font": "<FAR/x>; rel=preload; as=font; crossorigin",
        "preload-image": "<FAR/x.png>; rel=preload; as=image",
        "modulepreload": "<FAR/x.js>; rel=modulepreload",
    }.items()
]

SERVICES = [
    Vector("tls-service", name, whole(), fields=(("Alt-Svc", value),))
    for name, value in {
        "h2": 'h2="HOST"; ma=3600',
        "h3": 'h3="HOST"; ma=3600',
        "blanks": '  h2 = "HOST"',
    }.items()
]

LINKED = '{"prefetch": [{"where": {"href_matches": "https://*:*/*"}, "eagerness": "immediate"}]}'
RULES = [
    Vector("tls-rules", "header", whole(), fields=(("Speculation-Rules", '"FAR/rules.json"'),)),
    Vector(
        "tls-rules",
        "links",
        whole("", f'<a href="FAR/x">x</a><script type="speculationrules" nonce="NONCE">{LINKED}</script>'),
    ),
]


def in_tabs(*vectors: Vector) -> list[Vector]:
    return [replace(one, is_in_tab=True) for one in vectors]


VECTORS = [
    *HINTS,
    *REPORTS,
    *POLICIES[:5],
    # These do nothing in a frame, or hold for a whole origin.
    *in_tabs(*POLICIES[5:], *OWN_REPORTS, *EARLY, *SERVICES, *RULES),
]

SILENT_FOR: Mapping[str, frozenset[str]] = {
    # It takes alternative services for HTTP/3 alone, and endpoints only with their scheme or on its own host.
    "chromium": frozenset("tls-service-h2 tls-service-blanks tls-csp-to-scheme-less".split()),
    # No Report-To, hence no network error logging; of policies it reports two kinds; no speculation rules.
    "firefox": frozenset(
        """tls-csp-to-group tls-policy-permissions tls-policy-permissions-default tls-policy-permissions-only
        tls-policy-document tls-policy-embedder tls-own-errors tls-own-errors-second-group tls-own-deprecation
        tls-own-deprecation-group tls-rules-header tls-rules-links""".split()
    ),
}
