"""Tests of Content-Security-Policy: writing, reading, checking, and what a source list admits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard import _csp
from privguard._sources import KEYWORDS, check_list_source, check_origin

GOOD_SOURCES = [
    "'self'",
    "'SELF'",
    "'none'",
    "'unsafe-inline'",
    "'sha256-YWJj+/YWJj=='",
    "https:",
    "data:",
    "*",
    "https://cdn.example",
    "http://cdn.example:8000/path/",
    "cdn.example",
    "*.cdn.example:*",
    "localhost",
    "localhost:8000",
    "127.0.0.1:8000",
    "wss://chat.example",
    "https://cdn.example/it's",
]


@pytest.mark.parametrize("source", GOOD_SOURCES)
def test_source_of_the_grammar_is_taken(source):
    """What the standard allows, the owner may write."""
    _csp.check_source("img-src", source)


BAD_SOURCES = [
    # source, part of the message
    ("", "is empty"),
    ("a;b", "must be one source"),
    ("a,b", "must be one source"),
    ("'self' data:", "must be one source"),
    ("a\tb", "must be one source"),
    ("a\nb", "must be one source"),
    ("a\x00b", "must be one source"),
    ("a\x7fb", "must be one source"),
    ("a\xa0b", "must be one source"),
    ("self", "did you mean \"'self'\""),
    ("None", "did you mean \"'none'\""),
    ("unsafe-inline", "did you mean \"'unsafe-inline'\""),
    ("unsave-inline", "did you mean \"'unsafe-inline'\""),
    ("'slef'", "did you mean \"'self'\""),
    ("'unsafe-inlin'", "did you mean \"'unsafe-inline'\""),
    ("'self", "did you mean \"'self'\""),
    ("'qqqqqqqq'", "is no keyword; known:"),
    ("'nonce-abc'", "csp_nonce()"),
    ("nonce-abc", "csp_nonce()"),
    ("sha256-YWJj", "single quotes"),
    ("'sha1-YWJj'", "is no keyword"),
    ("qqqqqqqq", "is no host"),
    ("http://", "is no source"),
    ("https://a b", "must be one source"),
    ("https://[::1]", "is no source"),
    ("https://a.example?q", "is no source"),
    ("a.example:99999", "is no source"),
    ("münchen.example", "xn--"),
    ('"self"', "is no source"),
    ("unsafe_inline", "did you mean \"'unsafe-inline'\""),
    ("https//x.example", 'did you mean "https://x.example"'),
    ("htps:", 'did you mean "https:"'),
    ("x.example:", "is no scheme"),
    ("data", 'did you mean "data:"'),
]


@pytest.mark.parametrize("source, message", BAD_SOURCES)
def test_source_that_would_not_mean_what_it_says_is_refused(source, message):
    """Nothing that ends the directive, and no keyword that browsers would take for a host, gets into a policy."""
    with pytest.raises(ValueError) as caught:
        _csp.check_source("img-src", source)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "directive, source, message",
    [
        ("upgrade-insecure-requests", "1", "takes no value"),
        ("sandbox", "allow-script", 'did you mean "allow-scripts"'),
        ("sandbox", "q", "known:"),
        ("require-trusted-types-for", "'style'", "is no value of it"),
        ("trusted-types", "'self'", "no name of a Trusted Types policy"),
        ("report-uri", "https://collector.example/", "a path on this site"),
        ("report-uri", "//collector.example/", "a path on this site"),
        ("report-uri", "/\\collector.example", "a path on this site"),
        ("report-uri", "/\x80", "a path on this site"),
        ("report-to", "a b", "must be one source"),
        ("report-to", "a=b", "no name of a reporting endpoint"),
    ],
)
def test_value_of_a_directive_without_source_list_is_checked(directive, source, message):
    """Directives that take other values than sources have checks of their own."""
    with pytest.raises(ValueError) as caught:
        _csp.check_source(directive, source)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "directive, source",
    [
        ("sandbox", "allow-scripts"),
        ("require-trusted-types-for", "'script'"),
        ("trusted-types", "default"),
        ("trusted-types", "'none'"),
        ("report-uri", "/csp-reports"),
        ("report-to", "endpoint-1"),
    ],
)
def test_value_of_a_directive_without_source_list_is_taken(directive, source):
    """What these directives allow, the owner may write."""
    _csp.check_source(directive, source)


@pytest.mark.parametrize(
    "name, message",
    [
        ("img-scr", 'did you mean "img-src"'),
        ("IMG-SRC", 'did you mean "img-src"'),
        ("script_src", 'did you mean "script-src"'),
        ("qqq", "no such directive"),
        ("prefetch-src", "no browser knows it any more"),
        ("", "no such directive"),
    ],
)
def test_unknown_directive_is_refused_with_the_nearest_name(name, message):
    """A directive that no browser knows would silently do nothing."""
    with pytest.raises(ValueError) as caught:
        _csp.check_directive_name(name)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text, origin",
    [
        ("https://www.chatalot.com", "https://www.chatalot.com"),
        ("HTTPS://WWW.Chatalot.com", "https://www.chatalot.com"),
        ("https://a.example:443", "https://a.example"),
        ("http://a.example:8000", "http://a.example:8000"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
    ],
)
def test_origin_is_written_in_one_way(text, origin):
    """Two spellings of one origin are one origin."""
    assert check_origin(text) == origin


@pytest.mark.parametrize(
    "text, message",
    [
        ("www.chatalot.com", 'did you mean "https://www.chatalot.com"'),
        ("https://www.chatalot.com/", 'did you mean "https://www.chatalot.com"'),
        ("https://www.chatalot.com/chat?x#y", 'did you mean "https://www.chatalot.com"'),
        ("https://user@a.example", 'did you mean "https://a.example"'),
        ("https://*.a.example", "without wildcards"),
        ("https://", "must name one host"),
        ("https://münchen.example", "in ASCII"),
        ("wss://a.example", 'must begin with "https://"'),
        ("https://a.example:x", "is no origin"),
        ("https://a.example:99999", "is no origin"),
        ("https://a.example; script-src *", "must name one host"),
        ("https://[::1]", "must name one host"),
    ],
)
def test_what_is_no_origin_is_refused(text, message):
    """The error says what to write instead."""
    with pytest.raises(ValueError) as caught:
        check_origin(text)
    assert message in str(caught.value)


def test_strict_default_covers_every_fetch_directive():
    """What the default does not name falls to 'none'."""
    default = _csp.strict_default()
    assert default["default-src"] == ("'none'",)
    assert {source for sources in default.values() for source in sources} == {"'none'", "'self'", "data:"}
    assert [name for name, sources in default.items() if "data:" in sources] == ["img-src"]
    assert {"object-src", "base-uri", "form-action", "frame-ancestors"} <= default.keys()
    assert "upgrade-insecure-requests" not in default


DIRECTIVES = st.dictionaries(
    st.sampled_from(sorted(_csp.SOURCE_LIST_DIRECTIVES)),
    st.lists(st.sampled_from(GOOD_SOURCES), min_size=1, max_size=4).map(tuple),
)


@given(DIRECTIVES)
def test_policy_that_is_written_is_read_back(directives):
    """Serializing and parsing lose nothing."""
    assert _csp.parse(_csp.serialize(directives)) == directives


@given(st.text())
def test_parser_never_raises(text):
    """Whatever header an app sends, it can be read."""
    parsed = _csp.parse(text)
    assert _csp.parse(_csp.serialize(parsed)).keys() == parsed.keys()


def test_of_a_directive_named_twice_the_first_counts():
    """Browsers ignore the second (CSP3 §2.2.1)."""
    assert _csp.parse("IMG-src a.example;; img-src *; x") == {"img-src": ("a.example",), "x": ()}


@given(st.text(max_size=12))
def test_source_that_passes_the_check_ends_no_directive(text):
    """No source can say more than one thing."""
    try:
        _csp.check_source("script-src", text)
    except ValueError:
        return
    assert _csp.parse(f"script-src {text}") == {"script-src": (text,)}


@given(st.text())
def test_origin_that_passes_the_check_is_a_source(text):
    """What first_party takes can be written into a policy."""
    try:
        origin = check_origin(text)
    except ValueError:
        return
    check_list_source(origin)


def test_first_party_is_admitted_wherever_self_is():
    """The owner's other origins are no third party, WebSockets included."""
    directives = {"img-src": ("'self'", "data:"), "connect-src": ("'SELF'",), "object-src": ("'none'",)}
    assert _csp.with_first_party(directives, ["https://b.example"]) == {
        "img-src": ("'self'", "data:", "https://b.example"),
        "connect-src": ("'SELF'", "https://b.example", "wss://b.example"),
        "object-src": ("'none'",),
    }


def test_nonce_goes_into_one_policy_and_files_are_limited_by_another():
    """A nonce lets inline code in and never a third party's file."""
    first, second = map(
        _csp.serialize, _csp.nonced({"default-src": ("'none'",), "script-src": ("'self'",), "style-src": ("'self'",)})
    )
    assert first == "default-src 'none'; script-src 'self' 'nonce-{}'; style-src 'self' 'nonce-{}'"
    assert second == "script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"


def test_nonce_leaves_alone_what_the_owner_allowed_or_forbade():
    """A nonce would switch 'unsafe-inline' off, and does not open what is 'none'."""
    directives = {"script-src": ("'self'", "'unsafe-inline'"), "style-src": ("'none'",)}
    first, second = _csp.nonced(directives)
    assert first == directives
    assert second == {"script-src": ("'self'", "'unsafe-inline'"), "style-src": ("'unsafe-inline'",)}


def test_hashes_and_strict_dynamic_stay_out_of_the_second_policy():
    """By a hash or a trusted loader, too, only first-party files load."""
    directives = {
        "script-src": ("'self'", "'strict-dynamic'", "'sha256-YWJj'", "'wasm-unsafe-eval'"),
        "script-src-elem": ("https://a.example", "'sha256-YWJj'"),
        "style-src": ("'self'",),
    }
    assert _csp.needs_files_only(directives)
    assert not _csp.needs_files_only(_csp.strict_default())
    first, second = _csp.nonced(directives)
    assert first["script-src-elem"] == ("https://a.example", "'sha256-YWJj'", _csp.NONCE_MARK)
    assert second == {
        "script-src": ("'self'", "'wasm-unsafe-eval'", "'unsafe-inline'"),
        "script-src-elem": ("https://a.example", "'unsafe-inline'"),
        "style-src": ("'self'", "'unsafe-inline'"),
    }


@pytest.mark.parametrize("name", ["worker-src", "child-src"])
def test_second_policy_leaves_workers_to_the_list_that_the_owner_gave_them(name):
    """The list for scripts is no list for workers that have one."""
    first, second = _csp.nonced({**_csp.strict_default(), "worker-src": ("'self'",), name: ("'self'", "blob:")})
    expected = first["worker-src"]
    assert second.get("worker-src", second["script-src"][:1]) == expected
    without = {key: value for key, value in _csp.strict_default().items() if key != "worker-src"}
    assert _csp.nonced({**without, name: ("blob:",)})[1]["worker-src"] == ("blob:",)


OWN = "https://own.example"
ADMITS = [
    # policy, directive, url, admitted
    ("img-src 'self'", "img-src", "https://own.example/x", True),
    ("img-src 'self'", "img-src", "https://own.example:8443/x", False),
    ("img-src 'self'", "img-src", "http://own.example/x", False),
    ("img-src 'self'", "img-src", "https://sub.own.example/x", False),
    ("connect-src 'self'", "connect-src", "wss://own.example/x", True),
    ("connect-src 'self'", "connect-src", "wss://own.example:443/x", True),
    ("connect-src 'self'", "connect-src", "wss://own.example:80/x", False),
    ("default-src 'self'", "img-src", "https://third.example/x", False),
    ("default-src 'none'", "font-src", "https://own.example/x", False),
    ("script-src 'self'", "img-src", "https://third.example/x", True),
    ("default-src 'none'", "form-action", "https://third.example/x", True),
    ("script-src https:", "script-src-elem", "https://third.example/x", True),
    ("child-src https:", "frame-src", "https://third.example/x", True),
    ("img-src *", "img-src", "http://third.example/x", True),
    ("img-src *", "img-src", "data:image/gif;base64,", False),
    ("img-src data:", "img-src", "data:image/gif;base64,", True),
    ("img-src http:", "img-src", "https://third.example/x", True),
    ("img-src https:", "img-src", "http://third.example/x", False),
    ("img-src ws:", "img-src", "wss://third.example/x", True),
    ("img-src third.example", "img-src", "https://third.example/x", True),
    ("img-src third.example", "img-src", "http://third.example/x", False),
    ("img-src http://third.example", "img-src", "https://third.example/x", True),
    ("img-src *.third.example", "img-src", "https://a.third.example/x", True),
    ("img-src *.third.example", "img-src", "https://third.example/x", False),
    ("img-src https://*", "img-src", "https://third.example/x", True),
    ("img-src third.example:8000", "img-src", "https://third.example:8000/x", True),
    ("img-src third.example:8000", "img-src", "https://third.example/x", False),
    ("img-src third.example", "img-src", "https://third.example:8000/x", False),
    ("img-src third.example:*", "img-src", "https://third.example:8000/x", True),
    ("img-src http://third.example:80", "img-src", "https://third.example/x", True),
    ("img-src https://third.example/a/", "img-src", "https://third.example/a/b", True),
    ("img-src https://third.example/a", "img-src", "https://third.example/a/b", False),
    ("img-src https://third.example/a", "img-src", "https://third.example/a", True),
    ("img-src 'unsafe-inline'", "img-src", "https://third.example/a", False),
    ("img-src ???", "img-src", "https://third.example/a", False),
]


@pytest.mark.parametrize("policy, directive, url, admitted", ADMITS)
def test_source_list_admits_by_url(policy, directive, url, admitted):
    """A URL is matched as CSP3 §6.7.2 says."""
    assert _csp.admits(_csp.parse(policy), directive, url, own_origin=OWN) is admitted


@pytest.mark.parametrize(
    "own, url, admitted",
    [
        ("http://own.example", "https://own.example/", True),
        ("http://own.example", "ws://own.example/", True),
        ("http://own.example:8000", "ws://own.example:8000/", True),
        ("http://own.example:8000", "ws://own.example:9000/", False),
        ("https://own.example", "https://own.example:443/", True),
    ],
)
def test_self_covers_the_same_host_over_a_better_scheme(own, url, admitted):
    """'self' on an http page includes its https and WebSocket twins, and no other port."""
    assert _csp.admits({"default-src": ("'self'",)}, "connect-src", url, own_origin=own) is admitted


def test_every_keyword_is_quoted_and_in_lower_case():
    """The nearest-name search can offer any of them as it is to be typed."""
    assert all(keyword == keyword.lower() and keyword[0] == keyword[-1] == "'" for keyword in KEYWORDS)
