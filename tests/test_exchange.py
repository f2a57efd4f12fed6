"""Tests of what is decided on one request and its response."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard import NonceError, Policy
from privguard._exchange import Exchange
from privguard._headers import BYTES, TEXT

PERSISTENT = ("Set-Cookie", "visitor=1; Max-Age=3600; Path=/")
VISIT = ("Set-Cookie", "sessionid=1; Max-Age=3600; Path=/")
SESSION = ("Set-Cookie", "cart=1; Path=/")
DELETION = ("Set-Cookie", "visitor=; Max-Age=0; Path=/")
DOUBTFUL = ("Set-Cookie", "visitor=1; Max-Age=+3600; Path=/")
MALFORMED = ("Set-Cookie", "visitor=1\r\nX: y")


def answer(settings=None, headers=(), status=200, path="/", before=lambda exchange: None):
    exchange = Exchange(Policy(settings), path, make_nonce=lambda: "NONCE", clock=lambda: 1e9)
    before(exchange)
    return exchange.response_headers(status, list(headers), TEXT)


def values(headers, name):
    return [value for one, value in headers if one.lower() == name.lower()]


COOKIES = [PERSISTENT, VISIT, SESSION, DELETION, DOUBTFUL, MALFORMED]
CUT = "visitor=1; Path=/"
MODES = {
    "allow": [value for _, value in COOKIES],
    "downgrade": [CUT, "sessionid=1; Path=/", SESSION[1], DELETION[1], CUT],
    "strip": ["sessionid=1; Path=/", SESSION[1], DELETION[1], CUT],
    "block": [DELETION[1]],
}


@pytest.mark.parametrize("mode", MODES)
def test_cookies_in_each_mode(mode):
    """Each mode does with each kind of cookie what its row in the reference says."""
    assert values(answer({"cookies": {"elsewhere": mode}}, COOKIES), "set-cookie") == MODES[mode]


def test_mode_is_that_of_the_path():
    """A persistent cookie passes on a demo page and nowhere else."""
    settings = {"demo_paths": ["/demo/"]}
    assert values(answer(settings, [PERSISTENT], path="/demo/chat"), "set-cookie") == [PERSISTENT[1]]
    assert values(answer(settings, [PERSISTENT], path="/demolition"), "set-cookie") == []


def test_header_name_of_a_cookie_is_read_as_browsers_read_it():
    """In any case, and with blanks behind it."""
    headers = [(name, PERSISTENT[1]) for name in ("set-cookie", "SET-COOKIE", "Set-Cookie ", "sEt-CoOkIe\t")]
    assert [name for name, _ in answer(None, headers) if "cookie" in name.lower()] == []


def test_first_date_of_the_response_is_the_clock_for_expires():
    """A cookie that is over by the server's clock may last by the response's own Date."""
    cookie = ("Set-Cookie", "a=b; Expires=Fri, 01 Jan 1971 00:00:00 GMT")
    dates = [("dAtE", "Thu, 01 Jan 1970 00:00:00 GMT "), ("Date", "Sun, 09 Sep 2001 01:46:40 GMT")]
    assert values(answer(None, [cookie, *dates]), "set-cookie") == ["a=b"]
    assert values(answer(None, [cookie, *dates[::-1]]), "set-cookie") == [cookie[1]]
    assert values(answer(None, [cookie]), "set-cookie") == [cookie[1]]
    assert values(answer(None, [cookie, ("Date", "yesterday")]), "set-cookie") == ["a=b"]


def test_date_with_a_blank_in_its_name_is_the_clock_of_one_browser_and_not_of_the_other():
    """Chromium reads such a name and Firefox does not: neither may keep the cookie."""
    cookie = ("Set-Cookie", "a=b; Expires=Fri, 01 Jan 1971 00:00:00 GMT")
    early, late = "Thu, 01 Jan 1970 00:00:00 GMT", "Sun, 09 Sep 2001 01:46:40 GMT"
    assert values(answer(None, [cookie, ("Date ", early), ("Date", late)]), "set-cookie") == ["a=b"]
    assert values(answer(None, [cookie, ("Date ", late), ("Date", early)]), "set-cookie") == ["a=b"]


@pytest.mark.parametrize("headers", [5, object(), "ab", b"ab", {"Set-Cookie": "a=b"}, {b"a"}, [5], [["a"]], [None]])
def test_what_is_no_header_list_costs_the_app_its_headers_and_the_visitor_nothing(headers):
    """Whatever an app passes for headers, a response with privguard's own leaves."""
    for dialect in (BYTES, TEXT):
        exchange = Exchange(Policy(), "/")
        assert exchange.response_headers(200, headers, dialect) == Exchange(Policy(), "/").response_headers(
            200, [], dialect
        )


def test_cookie_in_any_kind_of_bytes_is_judged():
    """A bytearray is no way around the policy, and no error."""
    headers = [
        (b"set-cookie", bytearray(b"visitor=1; Max-Age=3600")),
        (b"set-cookie", memoryview(b"sessionid=1; Max-Age=3600")),
        (b"set-cookie", bytearray(b"cart=1")),
    ]
    left = Exchange(Policy(), "/").response_headers(200, headers, BYTES)
    assert [bytes(value) for name, value in left if name == b"set-cookie"] == [b"sessionid=1", b"cart=1"]


def test_everything_else_of_the_app_stays_as_it_was():
    """Order, case and bytes of what is not privguard's own business are the app's."""
    theirs = [
        ("X-B", "2"),
        ("content-type", "text/html"),
        ("X-b", " 1 "),
        ("Vary", "Cookie"),
        ("X-É".replace("É", "E"), "é"),
    ]
    headers = answer(None, theirs)
    assert headers[-len(theirs) :] == theirs


ABSENT = ["Referrer-Policy", "X-DNS-Prefetch-Control", "Permissions-Policy"]


@pytest.mark.parametrize("name", ["Referrer-Policy", "Permissions-Policy"])
def test_header_that_the_app_has_set_is_the_apps(name):
    """What the app says of these, it has reasons for."""
    headers = answer(None, [(name.upper(), "origin")])
    assert values(headers, name) == ["origin"]
    assert all(len(values(headers, other)) == 1 for other in [*ABSENT, "X-Content-Type-Options"])


@pytest.mark.parametrize("theirs", ["", "never", "same origin"])
def test_referrer_policy_that_no_browser_knows_is_none(theirs):
    """Browsers would fall back to their own: ours is sent beside it, and the last that is known counts."""
    policies = values(answer(None, [("Referrer-Policy", theirs)]), "referrer-policy")
    assert sorted(policies) == sorted([theirs, "same-origin"])


@pytest.mark.parametrize("theirs", ["nosniff", "none", ""])
def test_nosniff_has_no_other_value(theirs):
    """Whatever the app writes there, nothing is sniffed."""
    assert values(answer(None, [("X-Content-Type-Options", theirs)]), "x-content-type-options") == ["nosniff"]


@pytest.mark.parametrize("status", [200, 204, 301, 304, 404, 500])
def test_policy_is_on_every_response(status):
    """Whatever the status, the strict default is sent."""
    (policy,) = values(answer(status=status), "content-security-policy")
    assert policy == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; media-src 'self'; manifest-src 'self'; worker-src 'self'; frame-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    )


def test_policy_stands_beside_the_apps_own():
    """Browsers enforce both: an app can tighten and never loosen."""
    theirs = ("content-security-policy", "default-src *")
    both = values(answer(None, [theirs]), "content-security-policy")
    assert len(both) == 2 and theirs[1] in both
    assert both == values(answer(None, [theirs]), "content-security-policy")


def test_header_that_passes_by_every_policy_does_not_leave():
    """Chromium prefetches pages of other sites by it, under the strictest policy."""
    headers = answer(None, [("speculation-RULES", '"https://third.example/rules.json"'), ("X-A", "1")])
    assert "third.example" not in str(headers) and headers[-1] == ("X-A", "1")


def test_report_only_is_sent_instead():
    """A policy can be tried before it is enforced."""
    headers = answer({"csp": {"report_only": True}})
    assert values(headers, "content-security-policy") == []
    assert len(values(headers, "content-security-policy-report-only")) == 1


def test_interim_response_gets_no_policy_and_no_persistent_cookie():
    """A 1xx answer is rendered by nobody, and its cookies are judged all the same."""
    assert answer(status=103, headers=[PERSISTENT, SESSION, ("Link", "</a>")]) == [SESSION, ("Link", "</a>")]


def test_nonce_is_one_a_request_and_in_two_policies():
    """The first admits inline code by the nonce, the second files by their origin."""
    seen = []
    headers = answer(
        {"first_party": ["https://b.example"]},
        before=lambda exchange: seen.extend([exchange.nonce(), exchange.nonce()]),
    )
    first, second = values(headers, "content-security-policy")
    assert seen == ["NONCE", "NONCE"]
    assert re.findall(r"[a-z-]+-src [^;]*'nonce-NONCE'", first) == [
        "script-src 'self' https://b.example 'nonce-NONCE'",
        "style-src 'self' https://b.example 'nonce-NONCE'",
    ]
    assert second == (
        "script-src 'self' https://b.example 'unsafe-inline'; style-src 'self' https://b.example 'unsafe-inline'"
    )


def test_nonces_have_128_random_bits():
    """No two requests share one, and nobody guesses one."""
    nonces = {Exchange(Policy(), "/").nonce() for _ in range(100)}
    assert len(nonces) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", nonce) for nonce in nonces)


CACHES = [
    ("Cache-Control", "public, max-age=60"),
    ("CDN-Cache-Control", "max-age=60"),
    ("Vendor-CDN-Cache-Control", "max-age=60"),
    ("Surrogate-Control", "max-age=60"),
    ("X-Accel-Expires", "60"),
    ("X-LiteSpeed-Cache-Control", "public"),
    ("Edge-Control", "cache-maxage=1d"),
    ("ETag", '"1"'),
    ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
]


def test_response_with_a_nonce_is_never_stored_by_a_shared_cache():
    """Nor is it revalidated: a 304 would pair the old body with a new nonce."""
    headers = answer(None, CACHES, before=lambda exchange: exchange.nonce())
    assert [pair for pair in headers if pair[0] in dict(CACHES)] == [("Cache-Control", "private, max-age=60")]


def test_response_without_a_nonce_is_cached_as_the_app_says():
    """Nobody loses caching who has no nonce."""
    assert answer(None, CACHES)[-len(CACHES) :] == CACHES


def test_nonce_after_the_header_says_what_to_set():
    """A streaming body that asks too late gets an error with the cure, not a nonce that no header names."""
    exchange = Exchange(Policy(), "/")
    exchange.response_headers(200, [], TEXT)
    with pytest.raises(NonceError, match=r'PRIVGUARD\["csp"\]\["nonce"\] to "always"'):
        exchange.nonce()


def test_nonce_that_was_asked_for_in_time_can_be_read_later():
    """A streaming body may use the nonce that its header names."""
    exchange = Exchange(Policy(), "/")
    nonce = exchange.nonce()
    exchange.response_headers(200, [], TEXT)
    assert exchange.nonce() == nonce


def test_interim_response_does_not_end_the_time_for_a_nonce():
    """The header that counts is the final one."""
    exchange = Exchange(Policy(), "/")
    exchange.response_headers(103, [], TEXT)
    assert exchange.nonce()


@pytest.mark.parametrize(
    "kind, has_nonce",
    [
        ("text/html; charset=utf-8", True),
        ("IMAGE/SVG+XML", True),
        ("application/atom+xml", True),
        ("text/xsl", True),
        (None, True),
        ("text/css", False),
        ("text/xmlish", False),
    ],
)
def test_nonce_always_is_on_every_document(kind, has_nonce):
    """Set to "always", a body may ask as late as it likes; files stay as cacheable as they were."""
    headers = answer({"csp": {"nonce": "always"}}, [("Content-Type", kind)] if kind else [])
    assert ("NONCE" in str(headers)) is has_nonce
    assert (values(headers, "cache-control") == ["private"]) is has_nonce


@pytest.mark.parametrize("status", [204, 302, 304])
def test_nonce_always_leaves_alone_what_nobody_renders(status):
    """What a shared cache has just revalidated stays in it."""
    headers = answer({"csp": {"nonce": "always"}}, [("ETag", '"1"'), ("Cache-Control", "public")], status)
    assert "NONCE" not in str(headers) and headers[-2:] == [("ETag", '"1"'), ("Cache-Control", "public")]


def test_nonce_never_says_what_to_set():
    """Switched off is switched off, with the way back."""
    exchange = Exchange(Policy({"csp": {"nonce": "never"}}), "/")
    with pytest.raises(NonceError, match='to "auto"'):
        exchange.nonce()
    assert len(values(exchange.response_headers(200, [], TEXT), "content-security-policy")) == 1


def test_hash_in_the_settings_admits_no_third_partys_file():
    """A file with the right hash would load from anywhere, were there not a second policy."""
    first, second = values(
        answer({"csp": {"directives": {"script-src": ["'self'", "'sha256-YWJj'"]}}}), "content-security-policy"
    )
    assert "'sha256-YWJj'" in first and second == "script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"


def test_guard_inside_a_guard_shares_nonce_and_silence():
    """A mounted app with a policy of its own and the app around it agree on the nonce, and on saying nothing."""
    outer = Exchange(Policy(), "/app/x")
    inner = Exchange(Policy({"csp": {"directives": {"img-src": ["'none'"]}}}), "/app/x", parent=outer)
    assert inner.nonce() == outer.nonce()
    headers = outer.response_headers(200, inner.response_headers(200, [], TEXT), TEXT)
    policies = values(headers, "content-security-policy")
    assert len(policies) == 4 and len({policy for policy in policies if inner.nonce() in policy}) == 2
    inner.flag_child()
    assert outer.muted and inner.muted


def test_guard_without_a_nonce_inside_a_guard_with_one():
    """Each policy says of itself whether it names the nonce."""
    outer = Exchange(Policy(), "/app/x")
    inner = Exchange(Policy({"csp": {"nonce": "never"}}), "/app/x", parent=outer)
    nonce = outer.nonce()
    headers = inner.response_headers(200, None, TEXT)
    assert len(values(headers, "content-security-policy")) == 1 and nonce not in str(headers)


def test_front_is_told_of_quiet_answers_only():
    """A proxy that logs can be told by a header which answers to leave out."""
    settings = {"logs": {"front_header": "X-Privguard-Log"}}
    assert values(answer(settings, path="/favicon.ico"), "x-privguard-log") == ["off"]
    assert values(answer(settings), "x-privguard-log") == []
    assert values(answer(None, path="/favicon.ico"), "x-privguard-log") == []


def test_both_spellings_get_the_same_headers():
    """ASGI and WSGI carry one policy, ASGI's names in lower case."""
    headers = [("Content-Type", "text/html"), PERSISTENT, VISIT]
    exchange = Exchange(Policy(), "/")
    in_text = exchange.response_headers(200, headers, TEXT)
    in_bytes = exchange.response_headers(200, [(name.encode(), value.encode()) for name, value in headers], BYTES)
    assert [(name.lower().encode(), value.encode()) for name, value in in_text] == [
        (name.lower(), value) for name, value in in_bytes
    ]
    assert all(name == name.lower() for name, _ in in_bytes[:5])


FIELD = st.sampled_from(
    [PERSISTENT, VISIT, DELETION, MALFORMED, ("ETag", "x"), ("Date", "x"), ("Cache-Control", "x"), ("X-A", "a\nb")]
)


@given(
    st.lists(FIELD | st.tuples(st.text(max_size=9), st.text(max_size=9))), st.booleans(), st.sampled_from(list(MODES))
)
def test_response_headers_never_raise_and_can_be_sent(headers, with_nonce, mode):
    """Whatever an app sends, headers come out that a server takes."""
    exchange = Exchange(Policy({"cookies": {"elsewhere": mode}}), "/")
    if with_nonce:
        exchange.nonce()
    for name, value in exchange.response_headers(200, headers, TEXT):
        name.encode("ascii"), value.encode("latin-1")
        assert mode == "allow" or not set(value) & {"\r", "\n", "\0"}


def test_fields_leave_as_pairs_of_the_standards_own_types():
    """Some servers take a list for a pair, or other kinds of bytes, and some fall over them: they get neither."""
    headers = [[b"content-type", b"text/plain"], (b"x-a", memoryview(b"1")), (b"x-b", bytearray(b"2")), "ab"]
    left = Exchange(Policy(), "/").response_headers(200, headers, BYTES)
    assert left[-4:] == [(b"content-type", b"text/plain"), (b"x-a", b"1"), (b"x-b", b"2"), (b"a", b"b")]
    assert {type(part) for pair in left for part in (pair, *pair)} == {tuple, bytes}
