"""Tests of the table of header fields by which a browser contacts, tracks or fingerprints."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard._contacts import PREFIXES, TABLE, guarded, guarded_meta, is_judged, refresh_urls, report_directives
from privguard._references import Page

PAGE = Page(frozenset({"site.test", "www.own.test"}), lambda directive, url: False)
FAR = "https://third.test"


def left_of(name, value):
    """What leaves of one field that is alone in its response."""
    return guarded([(name.lower(), value)], PAGE)[0][0]


def told(*fields):
    """What was taken out of a response."""
    return guarded([(name.lower(), value) for name, value in fields], PAGE)[1]


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_names_that_are_judged():
    """In lower case, as they are compared; and whatever begins with one of the prefixes."""
    for name in (*TABLE, *PREFIXES, "attribution-reporting-register-source", "ad-auction-signals"):
        assert name == name.lower() and is_judged(name)
    for name in ("content-type", "location", "etag", "set-login", "links", "x-link", "ad-auction", "secure-session"):
        assert not is_judged(name)


NEVER = [
    ("Speculation-Rules", '"/rules.json"'),
    ("Supports-Loading-Mode", "credentialed-prerender"),
    ("Observe-Browsing-Topics", "?1"),
    ("Attribution-Reporting-Register-Source", '{"destination": "https://third.test"}'),
    ("Attribution-Reporting-Register-Trigger", "{}"),
    ("Ad-Auction-Signals", "[]"),
    ("X-FLEDGE-Bidding-Signals-Format-Version", "2"),
    ("X-Allow-FLEDGE", "true"),
    ("Allow-Cross-Origin-Event-Reporting", "true"),
    ("Allow-Fenced-Frame-Automatic-Beacons", "true"),
    ("Shared-Storage-Write", "clear"),
    ("Use-As-Dictionary", 'match="/*"'),
    ("Secure-Session-Registration", '(ES256);path="/start"'),
    ("Secure-Session-Challenge", '"c"'),
    ("Sec-Session-Registration", '(ES256);path="/start"'),
    ("Sec-Private-State-Token", "x"),
    ("Sec-Private-State-Token-Lifetime", "9"),
    ("Activate-Storage-Access", "load"),
    ("P3P", 'CP="CAO"'),
]


@pytest.mark.parametrize(("name", "value"), NEVER)
def test_field_that_no_page_needs_goes(name, value):
    """Advertising, marks that outlive a visit, and promises that nobody reads."""
    assert left_of(name, value) is None
    ((what, host),) = told((name, value))
    assert what.lower() == name.lower() and host == ""


def test_fields_keep_their_order_and_their_objects():
    """What may leave whole is the very value that the app set, so that nothing is written anew."""
    fields = [
        ("nel", '{"report_to": "g", "max_age": 9}'),
        ("link", "</a>; rel=preload"),
        ("report-to", '{"group": "g", "max_age": 9, "endpoints": [{"url": "/r"}]}'),
        ("p3p", "x"),
        ("link", f"<{FAR}>; rel=preconnect, </b>; rel=preload"),
    ]
    left, removed = guarded(fields, PAGE)
    assert left[3:] == [None, "</b>; rel=preload"]
    assert all(one is value for one, (_, value) in zip(left[:3], fields))
    assert removed == [("P3P", ""), ("Link preconnect", "third.test")]
    assert guarded([], PAGE) == ([], [])


def test_what_was_taken_out_is_told_by_name_and_host():
    """One line for the log: which header, and where it led."""
    assert told(("Reporting-Endpoints", f'a="{FAR}/r"')) == [("Reporting-Endpoints", "third.test")]
    assert told(("Link", "x")) == [("Link that cannot be read", "")]
    assert told(("Accept-CH", "Sec-CH-UA-Model, DPR")) == [("Accept-CH Sec-CH-UA-Model", ""), ("Accept-CH DPR", "")]
    assert told(("Refresh", f"0; {FAR}:8443")) == [("Refresh", "third.test:8443")]
    ((what, _),) = told(("Link", f"<{FAR}>; rel={'x' * 99}prefetch"))
    assert what == "Link " + "x" * 40


# ── navigations, loads and hints ─────────────────────────────────────────────────────────────────────────────────────

# HTML standard §4.2.5.3, "shared declarative refresh steps"
REFRESHES = [
    ("5", []),
    (" 5 ", []),
    ("5;", []),
    ("", None),
    ("x", None),
    ("-1; /a", None),
    ("5x; /a", None),
    ("1e0; /a", None),
    ("\x0b5; /a", None),
    ("\xa05; /a", None),
    ("5; \xa0/a", None),
    ("5; url\x0b=/a", None),
    ("0; /a", ["/a"]),
    ("0, /a", ["/a"]),
    ("0 /a", ["/a"]),
    ("0;/a", ["/a"]),
    ("\t 0.5.5\f;\n /a b ", ["/a b "]),
    (".; /a", ["/a"]),
    ("0; url=/a", ["/a"]),
    ("0; URL = /a", ["/a"]),
    ("0; url/a", ["url/a"]),
    ("0; ur=/a", ["ur=/a"]),
    ("0; url==/a", ["=/a"]),
    ("0; url url=/a", ["url url=/a"]),
    ("0; url='/a'", ["/a"]),
    ("0; url=\"/a'", ["/a'"]),
    ("0; '/a", ["/a"]),
    ("0; url='/a' x", ["/a"]),
    ("0; url=", [""]),
    ("0 ", []),
    # Chromium ends a quoted URL at the last quote.
    ("0; url='/a'b'c", ["/a", "/a'b"]),
]


@pytest.mark.parametrize(("value", "urls"), REFRESHES)
def test_url_of_a_refresh(value, urls):
    """As browsers find it."""
    assert refresh_urls(value) == urls


@pytest.mark.parametrize(
    "value", ["5", "0; /a", "0;url=https://site.test/a", "0; URL='//www.own.test'", "9;", "0; url=?page=2#end"]
)
def test_refresh_to_the_site_itself_stays(value):
    """A page that comes again, or the next one."""
    assert left_of("Refresh", value) == value


@pytest.mark.parametrize(
    "value",
    [
        *(f"0;{FAR}", f"9 url={FAR}", f'0; Url = "{FAR}" x', "0;\\\\third.test", "0; url='//site.test'.third.test'"),
        *("0;url=data:text/html,<p>", "0; url=' DATA:,x'", "0;blob:x", "0;mailto:x@third.test", "0;ftp://site.test/"),
        *("0; url=java\tscript:x", "x", f"x {FAR}", f"1e0;{FAR}", f"5;\xa0{FAR}", ""),
    ],
)
def test_refresh_to_another_site_goes(value):
    """Nobody has clicked. So does one to a document that nobody has seen, and what cannot be read."""
    assert left_of("Refresh", value) is None


ALTERNATIVES = [
    ('h3=":443"; ma=86400', 'h3=":443"; ma=86400'),
    ('h3=":8443", h2=":443"; ma=1; persist=1', 'h3=":8443", h2=":443"; ma=1; persist=1'),
    ('h2="site.test:8443"', 'h2="site.test:8443"'),
    ("clear", "clear"),
    (" CLEAR ", " CLEAR "),
    ('h2="third.test:443"', None),
    ('h3=":443", h2="third.test:443"; ma=1, h2=":444"', 'h3=":443", h2=":444"'),
    ('h2="THIRD.test:443", h3=":443";ma="60"', 'h3=":443";ma="60"'),
    ('w=x:y#z"', None),
    ("h2=third.test:443", None),
    ('h2="third.test"', None),
    ('h2="", h3=":443"', 'h3=":443"'),
    ('h2=":443', None),
    ('h2=":443" x', None),
    ("", None),
]


@pytest.mark.parametrize(("value", "left"), ALTERNATIVES)
def test_alternatives_on_other_hosts_go(value, left):
    """RFC 7838: a browser would ask them instead, for as long as the field says."""
    assert left_of("Alt-Svc", value) == left


@pytest.mark.parametrize("name", ["SourceMap", "X-SourceMap"])
def test_source_map_on_another_site_goes(name):
    """Developer tools would load it."""
    assert left_of(name, "/a.js.map") == "/a.js.map"
    assert left_of(name, f"{FAR}/a.js.map") is None


@pytest.mark.parametrize(
    ("value", "left"), [("off", "off"), (" OFF ", " OFF "), ("on", None), ("", None), ("of", None)]
)
def test_name_lookups_of_links_stay_off(value, left):
    """Firefox would look up the host of every link."""
    assert left_of("X-DNS-Prefetch-Control", value) == left


def trial(**payload):
    """An origin trial token: a version, a signature, a length and JSON, in base64 (Chromium)."""
    text = json.dumps(payload).encode()
    return base64.b64encode(b"\x03" + bytes(64) + len(text).to_bytes(4, "big") + text).decode()


OWN_TRIAL = trial(origin="https://site.test:443", feature="F", expiry=1)
NO_OWN_TRIALS = [
    trial(origin="https://third.test:443", feature="F"),
    trial(origin="https://site.test:443", feature="F", isThirdParty=True),
    trial(feature="F"),
    trial(origin=1),
    base64.b64encode(bytes(69) + b"[1]").decode(),
    base64.b64encode(bytes(69) + b"\xff").decode(),
    base64.b64encode(bytes(69) + b"[" * 30000).decode(),
    "A",
    "é",
    "!",
]


def test_origin_trials_of_the_site_itself_stay():
    """The site has asked for them; beside others they stay, too."""
    both = f"{OWN_TRIAL}, {OWN_TRIAL}"
    assert left_of("Origin-Trial", both) == both
    assert left_of("Origin-Trial", f'{NO_OWN_TRIALS[0]}, "{OWN_TRIAL}",') == OWN_TRIAL


@pytest.mark.parametrize("token", NO_OWN_TRIALS, ids=range(len(NO_OWN_TRIALS)))
def test_origin_trials_of_others_go(token):
    """So do those that cannot be read."""
    assert left_of("Origin-Trial", token) is None


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ('Basic realm="x"', True),
        ('Basic realm="a PrivateToken , x"', True),
        ('Digest realm="x", nonce="y", Bearer', True),
        ("PrivateTokens x=y", True),
        ('PrivateToken challenge="abc", token-key="123"', False),
        ('Basic realm="x", privatetoken challenge=abc', False),
        ('Basic realm="\\", ", PrivateToken', False),
    ],
)
def test_challenge_that_asks_another_company_for_a_token_goes(value, left):
    """RFC 9577: the device would go to the issuer whom it names. Log-ins that a visitor types stay."""
    assert left_of("WWW-Authenticate", value) == (value if left else None)


# ── reports ──────────────────────────────────────────────────────────────────────────────────────────────────────────

ENDPOINTS = [
    ('a="/r"', 'a="/r"'),
    ('a="https://site.test/r", b="//www.own.test"', 'a="https://site.test/r", b="//www.own.test"'),
    (f'a="{FAR}/r"', None),
    (f'a="/r", b="{FAR}/r";p=1, c="/s"', 'a="/r", c="/s"'),
    (f'b="{FAR}/r";p="x,y";q,  a="/r" ', 'a="/r"'),
    (f'a="/r,{FAR}", b="{FAR}"', f'a="/r,{FAR}"'),
    ('a="\\\\\\\\third.test", b="/r"', 'b="/r"'),
    ("", None),
    ("a", None),
    ("a=/r", None),
    ('A="/r"', None),
    ('a="/r', None),
    ('a="/r" b="/s"', None),
    ('a="\\x"', None),
]


@pytest.mark.parametrize(("value", "left"), ENDPOINTS)
def test_reporting_endpoints_on_other_sites_go(value, left):
    """A dictionary of strings (RFC 9651): what is none goes whole."""
    assert left_of("Reporting-Endpoints", value) == left


OWN_GROUP = '{"group": "own", "max_age": 9, "endpoints": [{"url": "/r"}]}'
FAR_GROUP = '{"group": "far", "max_age": 9, "endpoints": [{"url": "https://third.test/r"}]}'
GROUPS = [
    (OWN_GROUP, OWN_GROUP),
    (f"{OWN_GROUP},{OWN_GROUP}", f"{OWN_GROUP},{OWN_GROUP}"),
    ('{"max_age": 0, "endpoints": []}', '{"max_age": 0, "endpoints": []}'),
    ('{"max_age": 0}', '{"max_age": 0}'),
    (FAR_GROUP, None),
    (f"{FAR_GROUP} ,\t{OWN_GROUP}", OWN_GROUP),
    ('{"endpoints": [{"url": "/r"}, {"url": "//third.test"}]}', None),
    ('{"endpoints": [{"url": "\\u002f\\/third.test"}]}', None),
    ('{"endpoints": [{}]}', None),
    ('{"endpoints": [1]}', None),
    ('{"endpoints": [{"url": ["/r"]}]}', None),
    ('{"endpoints": {"url": "/r"}}', None),
    ('{"group": ["own"], "endpoints": [{"url": "/r"}]}', None),
    ('{"endpoints": [{"url": "/r", "url": "//third.test"}]}', None),
    ('{"endpoints": [{"url": "//third.test"}], "endpoints": []}', None),
    (f'{OWN_GROUP}, {{"max_age": NaN}}', None),
    ('{"max_age": -Infinity}', None),
    (f"[{OWN_GROUP}]", None),
    (f"{OWN_GROUP}]", None),
    (f"{OWN_GROUP} {OWN_GROUP}", None),
    (f"{OWN_GROUP},", None),
    ("", None),
    (" ", None),
    ("1", None),
    ("{", None),
    ("{'group': 'own'}", None),
    ('{"max_age": ' + "9" * 5000 + "}", None),
    ('{"endpoints": ' + "[" * 20000 + "]" * 20000 + "}", None),
    ('{"x": "' + "y" * 70000 + '"}', None),
]


@pytest.mark.parametrize(("value", "left"), GROUPS, ids=range(len(GROUPS)))
def test_report_groups_on_other_sites_go(value, left):
    """JSON objects with a comma between them; one that lasts 0 seconds only makes the browser forget."""
    assert left_of("Report-To", value) == left


@pytest.mark.parametrize(
    ("policy", "groups", "stays"),
    [
        ('{"report_to": "own", "max_age": 9}', OWN_GROUP, True),
        ('{"report_to": "default", "max_age": 9}', '{"max_age": 9, "endpoints": [{"url": "/r"}]}', True),
        ('{"max_age": 0}', None, True),
        ('{"report_to": "far", "max_age": 0}', FAR_GROUP, True),
        ('{"report_to": "own", "max_age": 9}', None, False),
        ('{"report_to": "far", "max_age": 9}', f"{FAR_GROUP}, {OWN_GROUP}", False),
        # Groups that Chromium does not take: it would report to the one of an earlier response.
        ('{"report_to": "g", "max_age": 9}', '{"group": "g", "max_age": 9, "endpoints": []}', False),
        ('{"report_to": "g", "max_age": 9}', '{"group": "g", "endpoints": [{"url": "/r"}]}', False),
        ('{"report_to": "g", "max_age": 9}', '{"group": "g", "max_age": 0, "endpoints": [{"url": "/r"}]}', False),
        ('{"report_to": "g", "max_age": 9}', '{"group": "g", "max_age": 9.5, "endpoints": [{"url": "/r"}]}', False),
        ('{"report_to": ["own"], "max_age": 9}', OWN_GROUP, False),
        ('{"report_to": {"own": 1}, "max_age": false}', OWN_GROUP, False),
        ('{"max_age": false}', OWN_GROUP, False),
        ('{"max_age": 0.0}', OWN_GROUP, False),
        ('{"max_age": 0}, {"max_age": 0}', OWN_GROUP, False),
        ("[]", OWN_GROUP, False),
        ("x", OWN_GROUP, False),
    ],
)
def test_network_errors_are_reported_to_the_site_itself_or_not_at_all(policy, groups, stays):
    """NEL stays with a group of this very response that is the site's own, or to end what was before."""
    fields = [("nel", policy)] + ([("report-to", groups)] if groups else [])
    assert guarded(fields, PAGE)[0][0] == (policy if stays else None)


def with_endpoints(name, value):
    """What leaves of a field beside an endpoint "own" that is, and an endpoint "far" and "old" that is not here."""
    fields = [(name.lower(), value), ("reporting-endpoints", f'own="/r", far="{FAR}/r"')]
    return guarded(fields, PAGE)[0][0]


POLICIES = [
    ("default-src 'self'", "default-src 'self'"),
    (
        "img-src https://third.test; report-uri /r; report-to own",
        "img-src https://third.test; report-uri /r; report-to own",
    ),
    (f"img-src *; report-uri {FAR}/r", "img-src *"),
    (f"report-uri {FAR}/r ;img-src  *;", "img-src  *;"),
    (f"img-src *;\tReport-URI\t/r {FAR}/r /s; x", "img-src *;\tReport-URI /r /s; x"),
    ("img-src *; report-to far", "img-src *"),
    ("img-src *; REPORT-TO old; font-src *", "img-src *; font-src *"),
    ("img-src *; report-to; report-uri", "img-src *; report-to; report-uri"),
    (f"img-src 'none', report-uri {FAR}, style-src *; report-to far", "img-src 'none', style-src *"),
    (f"report-uri {FAR}", None),
    (f"report-uri {FAR}, ;", ";"),
    ("", ""),
    ("report-to-x far; x report-to far", "report-to-x far; x report-to far"),
    ("report-uri\x0c//third.test", None),
]


@pytest.mark.parametrize("name", ["Content-Security-Policy", "Content-Security-Policy-Report-Only"])
@pytest.mark.parametrize(("value", "left"), POLICIES)
def test_policies_of_the_app_report_to_the_site_itself_or_not_at_all(name, value, left):
    """Whatever they demand stays as it is written."""
    assert with_endpoints(name, value) == left


def test_policy_may_report_to_a_group_of_the_older_header():
    """Chromium knows the names of both."""
    policy = "img-src *; report-to own"
    assert guarded([("content-security-policy", policy), ("report-to", OWN_GROUP)], PAGE)[0][0] is policy
    assert left_of("Content-Security-Policy", policy) == "img-src *"


def test_one_name_for_two_endpoints_is_the_name_of_neither():
    """Whichever a browser takes."""
    fields = [("reporting-endpoints", f'a="/r", a="{FAR}"'), ("content-security-policy", "img-src *; report-to a")]
    assert guarded(fields, PAGE)[0] == ['a="/r"', "img-src *"]


NAMING = [
    ("Cross-Origin-Opener-Policy", 'same-origin; report-to="own"', None),
    ("Cross-Origin-Opener-Policy", 'same-origin; report-to="far"', "same-origin"),
    ("Cross-Origin-Opener-Policy-Report-Only", 'same-origin;report-to="old";x=1', "same-origin;x=1"),
    ("Cross-Origin-Embedder-Policy", 'require-corp; report-to="old"', "require-corp"),
    ("Cross-Origin-Embedder-Policy-Report-Only", "credentialless;report-to=old", "credentialless"),
    ("Document-Isolation-Policy", 'isolate-and-require-corp;report-to="old"', "isolate-and-require-corp"),
    ("Document-Policy", "sync-xhr=?0;report-to=old, x=1.5;report-to=own", "sync-xhr=?0, x=1.5;report-to=own"),
    (
        "Permissions-Policy",
        'camera=();report-to=old, usb=(self "https://x.test")',
        'camera=(), usb=(self "https://x.test")',
    ),
    ("Permissions-Policy", 'camera=("https://x.test/;report-to=old")', None),
    ("Permissions-Policy-Report-Only", "camera=();report-to=own", None),
    ("Connection-Allowlist", "(response-origin);report-to=old;redirects=allow", "(response-origin);redirects=allow"),
    ("Integrity-Policy", "blocked-destinations=(script), endpoints=(own)", None),
    ("Integrity-Policy", "endpoints=(old own), sources=(inline)", "endpoints=(own), sources=(inline)"),
    ("Integrity-Policy-Report-Only", 'endpoints=("far" old), sources=(inline)', "endpoints=(), sources=(inline)"),
    ("Integrity-Policy", "my-endpoints=(old)", None),
    ("Document-Policy", ";report-to=old", ""),
    ("Document-Policy", 'x="unclosed;report-to=old', None),
]


@pytest.mark.parametrize(("name", "value", "left"), NAMING)
def test_names_of_endpoints_that_are_not_here_are_cut(name, value, left):
    """Chromium remembers what earlier responses called so. All else stays as it is written."""
    assert with_endpoints(name, value) == (value if left is None else left or None)


@pytest.mark.parametrize(
    ("name", "value", "stays"),
    [
        ("Expect-CT", "max-age=86400, enforce", True),
        ("Expect-CT", 'max-age=86400, report-uri="/ct"', True),
        ("Expect-CT", f'max-age=86400, report-uri="{FAR}/ct"', False),
        ("Expect-CT", f'report-uri = " {FAR}/ct"', False),
        ("Public-Key-Pins", 'pin-sha256="x"; max-age=1; report-uri="//third.test"', False),
        ("Public-Key-Pins-Report-Only", 'pin-sha256="x"; Report-URI=/own', True),
        ("X-XSS-Protection", "0", True),
        ("X-XSS-Protection", "1; mode=block", True),
        ("X-XSS-Protection", f"1; mode=block; report={FAR}", False),
        ("X-XSS-Protection", "1; REPORT = /x", True),
    ],
)
def test_old_ways_to_report_to_another_site_go(name, value, stays):
    """No browser of today reads them; some of the past did."""
    assert left_of(name, value) == (value if stays else None)


# ── fingerprints ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["Accept-CH", "Critical-CH"])
@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("Sec-CH-UA, Sec-CH-UA-Mobile,sec-ch-ua-platform", "Sec-CH-UA, Sec-CH-UA-Mobile,sec-ch-ua-platform"),
        ("Save-Data, Sec-CH-Prefers-Color-Scheme, Sec-CH-Prefers-Reduced-Motion", ...),
        ("Sec-CH-UA-Model, Sec-CH-UA , DPR", "Sec-CH-UA"),
        ("Sec-CH-UA-Full-Version-List", None),
        ("Device-Memory, Downlink, RTT, ECT, Width, Viewport-Width", None),
        ("Sec-CH-UA;x=1", None),
        ("", ""),
    ],
)
def test_hints_that_tell_devices_apart_go(name, value, left):
    """What says no more than the User-Agent header, or how a page is to look, may be asked for."""
    assert left_of(name, value) == (value if left is ... else left)


# ── in a page ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("http_equiv", "content", "stays"),
    [
        ("refresh", "5", True),
        (" Refresh ", f"0; url={FAR}", False),
        ("refresh", "0; url=data:text/html,x", False),
        ("refresh", "0; url=/own", True),
        ("set-cookie", "a=b", False),
        ("SET-COOKIE", "", False),
        ("x-dns-prefetch-control", "off", True),
        ("X-DNS-Prefetch-Control", "on", False),
        ("accept-ch", "Sec-CH-UA", True),
        ("accept-ch", "Sec-CH-UA, DPR", False),
        ("delegate-ch", "sec-ch-ua-model https://third.test", False),
        ("link", "</a>; rel=preload", True),
        ("link", f"</a>; rel=preload, <{FAR}>; rel=preconnect", False),
        ("origin-trial", OWN_TRIAL, True),
        ("origin-trial", NO_OWN_TRIALS[0], False),
        ("content-security-policy", f"img-src 'none'; report-uri {FAR}", True),
        ("content-type", "text/html", True),
        ("x-ua-compatible", "IE=edge", True),
        ("speculation-rules", '"/x"', False),
        ("", "", True),
    ],
)
def test_equivalent_of_a_header_in_a_page(http_equiv, content, stays):
    """A tag stays when the header would leave whole. A policy does anyway: its report-uri is not read there."""
    assert guarded_meta(http_equiv, content, PAGE) is stays


@pytest.mark.parametrize(
    ("policy", "places"),
    [
        (b"report-to x", [0]),
        (b"img-src 'self'; Report-To x;report-to\ty", [16, 28]),
        (b"default-src 'self', report-to x", [20]),
        (b"report-to", [0]),
        (b"report-tox y; x-report-to z; img-src report-to", []),
    ],
)
def test_directive_that_would_report(policy, places):
    """Chromium obeys it in a page, and may remember endpoints from before privguard was there."""
    assert report_directives(" content-security-policy", policy) == places
    assert report_directives("refresh", policy) == []


# ── whatever comes ───────────────────────────────────────────────────────────────────────────────────────────────────

NAMES = st.sampled_from([*TABLE, "ad-auction-x"])
PIECES = st.sampled_from(
    [*"0;, \t\"'\\=()<>{}[]./a", "//third.test", "https://", "url=", ":443", "NaN", "rel=preconnect"]
)
WORDS = st.sampled_from(["report-to", "report-uri", "endpoints=(", '"max_age":', '"endpoints":[', '"url":', "report="])
VALUES = st.lists(PIECES | WORDS, max_size=12).map("".join) | st.text(max_size=20)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=5))
def test_any_fields_are_judged(fields):
    """Never raises; each value leaves whole, shorter or not at all; what is gone is told; and the rest stays so."""
    left, removed = guarded(fields, PAGE)
    for (_, value), one in zip(fields, left, strict=True):
        assert one is None or one is value or len(one) < len(value)
    assert bool(removed) == any(one is not value for (_, value), one in zip(fields, left, strict=True))
    again = [(name, one) for (name, _), one in zip(fields, left, strict=True) if one is not None]
    assert guarded(again, PAGE) == ([one for _, one in again], [])
    for name, value in fields:
        assert guarded_meta(name, value, PAGE) in (True, False)


LONG = 1 << 16  # characters: what is not read in linear time would take minutes
GUARDS = {field.guard: name for name, field in sorted(TABLE.items())}
UNITS = [
    '"',
    "\\",
    '\\"',
    " ",
    ";",
    ",",
    "a",
    "1",
    "[",
    "(",
    "<",
    ".",
    '{"a":',
    ";report-to",
    "endpoints=(",
    "a=b;",
    'a="b",',
]


@pytest.mark.parametrize("name", GUARDS.values())
def test_long_value_is_judged(name):
    """As quickly as a short one, whatever it repeats, and however it begins."""
    for begin in ("", '"', "0;", 'a="', 'a=":1";', "</a>;"):
        for unit in UNITS:
            value = begin + unit * (LONG // len(unit)) + "\x01"
            left = left_of(name, value)
            assert left is None or len(left) <= len(value)
