"""Tests of the settings dict: each wrong value is named, with what to type instead."""

from __future__ import annotations

import copy
import pickle
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard import ChildAction, CookieMode, Policy, PrivguardError, SettingsError

WRONG = [
    # settings, the message to the letter
    ([], "PRIVGUARD: must be a dict, not a list"),
    ("x", "PRIVGUARD: must be a dict, not a string"),
    ({"demo_path": []}, 'PRIVGUARD["demo_path"]: no such key; did you mean "demo_paths"?'),
    ({3: 1}, "PRIVGUARD[3]: no such key; keys are strings"),
    ({"cookies": {"elswhere": "strip"}}, 'PRIVGUARD["cookies"]["elswhere"]: no such key; did you mean "elsewhere"?'),
    ({"cookies": {"qq": 1}}, 'PRIVGUARD["cookies"]["qq"]: no such key; known: demo, elsewhere, visit'),
    ({"cookies": None}, 'PRIVGUARD["cookies"]: must be a dict, not None'),
    (
        {"demo_paths": "/demo/"},
        "PRIVGUARD[\"demo_paths\"]: must be a list of path prefixes, not a string; write ['/demo/']",
    ),
    ({"demo_paths": {}}, 'PRIVGUARD["demo_paths"]: must be a list of path prefixes, not a dict'),
    ({"demo_paths": ["demo/"]}, 'PRIVGUARD["demo_paths"][0]: must begin with "/"; did you mean "/demo/"?'),
    ({"demo_paths": ["/a", 5]}, 'PRIVGUARD["demo_paths"][1]: must be a path such as "/demo/", not a number'),
    (
        {"demo_paths": ["/demo/*"]},
        "PRIVGUARD[\"demo_paths\"][0]: has no wildcards; write '/demo/', which holds for all that is below it",
    ),
    (
        {"demo_paths": ["https://x.example/demo/"]},
        'PRIVGUARD["demo_paths"][0]: must be a path such as "/demo/", not an address: \'https://x.example/demo/\'',
    ),
    (
        {"logs": {"quiet_paths": ["/favicon.ico?x"]}},
        'PRIVGUARD["logs"]["quiet_paths"][0]: must be a path alone, without query, fragment or control characters: '
        "'/favicon.ico?x'",
    ),
    (
        {"first_party": ["www.chatalot.com"]},
        'PRIVGUARD["first_party"][0]: \'www.chatalot.com\' is no origin; did you mean "https://www.chatalot.com"?',
    ),
    (
        {"first_party": [None]},
        'PRIVGUARD["first_party"][0]: must be an origin such as "https://www.example.com", not None',
    ),
    (
        {"cookies": {"elsewhere": "stripp"}},
        'PRIVGUARD["cookies"]["elsewhere"]: "stripp" is none of "allow", "downgrade", "strip", "block"; '
        'did you mean "strip"?',
    ),
    (
        {"cookies": {"demo": True}},
        'PRIVGUARD["cookies"]["demo"]: must be one of "allow", "downgrade", "strip", "block", not a bool',
    ),
    (
        {"cookies": {"visit": ["a b"]}},
        'PRIVGUARD["cookies"]["visit"][0]: \'a b\' cannot be a cookie\'s name',
    ),
    ({"cookies": {"visit": [1]}}, 'PRIVGUARD["cookies"]["visit"][0]: must be a cookie\'s name, not a number'),
    (
        {"csp": {"directives": {"img-scr": ["*"]}}},
        'PRIVGUARD["csp"]["directives"]["img-scr"]: no such directive; did you mean "img-src"?',
    ),
    ({"csp": {"directives": {7: []}}}, 'PRIVGUARD["csp"]["directives"][7]: no such directive'),
    ({"csp": {"directives": []}}, 'PRIVGUARD["csp"]["directives"]: must be a dict of directives, not a list'),
    (
        {"csp": {"directives": {"img-src": "'self' data:"}}},
        'PRIVGUARD["csp"]["directives"]["img-src"]: must be a list of sources, not a string; '
        "write [\"'self'\", 'data:']",
    ),
    (
        {"csp": {"directives": {"img-src": ["self"]}}},
        'PRIVGUARD["csp"]["directives"]["img-src"][0]: \'self\' needs single quotes; did you mean "\'self\'"?',
    ),
    (
        {"csp": {"directives": {"img-src": [None]}}},
        'PRIVGUARD["csp"]["directives"]["img-src"][0]: must be a source, as a string, not None',
    ),
    (
        {"csp": {"directives": {"img-src": ["'none'", "data:"]}}},
        'PRIVGUARD["csp"]["directives"]["img-src"]: \'none\' stands alone; take it out, or take the other sources out',
    ),
    (
        {"csp": {"paths": {"/admin/": {"style-src": ["unsafe-inline"]}}}},
        'PRIVGUARD["csp"]["paths"]["/admin/"]["style-src"][0]: \'unsafe-inline\' needs single quotes; '
        "did you mean \"'unsafe-inline'\"?",
    ),
    (
        {"csp": {"paths": ["/admin/"]}},
        'PRIVGUARD["csp"]["paths"]: must be a dict such as {"/admin/": {"style-src": ["\'self\'"]}}, not a list',
    ),
    (
        {"csp": {"paths": {"/admin/": {}, "/admin": {}}}},
        'PRIVGUARD["csp"]["paths"]["/admin"]: names the same pages as another key: both are \'/admin/\'',
    ),
    (
        {"csp": {"directives": {"report-uri": ["/😀"]}}},
        'PRIVGUARD["csp"]["directives"]["report-uri"][0]: \'/😀\' must be a path on this site, for example '
        '"/csp-reports": reports tell who reads what',
    ),
    (
        {"logs": {"front_header": "Set-Cookie"}},
        'PRIVGUARD["logs"]["front_header"]: must be a header of your own, such as "X-Privguard-Log"; '
        "'Set-Cookie' has a meaning",
    ),
    ({"csp": {"nonce": None}}, 'PRIVGUARD["csp"]["nonce"]: must be one of "auto", "always", "never", not None'),
    ({"csp": {"report_only": 1}}, 'PRIVGUARD["csp"]["report_only"]: must be True or False, not a number'),
    ({"scrub_html": "yes"}, 'PRIVGUARD["scrub_html"]: must be True or False, not a string'),
    (
        {"children": {"minimum_age": 0}},
        'PRIVGUARD["children"]["minimum_age"]: must be a whole number of years from 1 to 99, not 0',
    ),
    (
        {"children": {"minimum_age": True}},
        'PRIVGUARD["children"]["minimum_age"]: must be a whole number of years from 1 to 99, not a bool',
    ),
    (
        {"children": {"age_fields": [" age"]}},
        'PRIVGUARD["children"]["age_fields"][0]: must be a field name, without blanks around it or control characters',
    ),
    (
        {"children": {"flag_fields": [b"child"]}},
        'PRIVGUARD["children"]["flag_fields"][0]: must be a field name, not a bytes',
    ),
    (
        {"children": {"action": "delete"}},
        'PRIVGUARD["children"]["action"]: "delete" is none of "refuse", "erase", "mute"',
    ),
    (
        {"children": {"signal_header": "X Child"}},
        'PRIVGUARD["children"]["signal_header"]: \'X Child\' cannot be a header\'s name',
    ),
    ({"logs": {"ip": "half"}}, 'PRIVGUARD["logs"]["ip"]: "half" is none of "full", "truncate", "none"'),
    (
        {"logs": {"retention_days": 0.5}},
        'PRIVGUARD["logs"]["retention_days"]: must be a whole number of days from 1 to 36500, not a number',
    ),
]


@pytest.mark.parametrize("settings, message", WRONG, ids=range(len(WRONG)))
def test_wrong_setting_is_named_with_what_to_type(settings, message):
    """An owner reads the error once and knows what to type."""
    with pytest.raises(SettingsError) as caught:
        Policy(settings)
    assert str(caught.value) == message
    assert isinstance(caught.value, PrivguardError) and isinstance(caught.value, ValueError)


def test_settings_error_survives_a_trip_to_another_process():
    """A server that starts workers can hand the error on."""
    error = pickle.loads(pickle.dumps(SettingsError('PRIVGUARD["x"]', "no such key")))
    assert (error.where, error.problem, str(error)) == ('PRIVGUARD["x"]', "no such key", 'PRIVGUARD["x"]: no such key')


NOTHING = [None, {}, {"cookies": {}, "csp": {}, "children": {}, "logs": {}}, MappingProxyType({})]


@pytest.mark.parametrize("settings", NOTHING)
def test_every_key_is_optional(settings):
    """No settings at all are a strict, working policy."""
    policy = Policy(settings)
    assert policy == Policy()
    assert policy.settings["cookies"] == {
        "demo": "allow",
        "elsewhere": "strip",
        "visit": ("session", "sessionid", "csrftoken"),
    }
    assert policy.settings["csp"] == {"directives": {}, "paths": {}, "nonce": "auto", "report_only": False}
    assert policy.settings["children"] == {
        "minimum_age": 13,
        "age_fields": ("age",),
        "birthdate_fields": ("birthdate", "birthday", "birth_date", "date_of_birth", "dob", "bday"),
        "flag_fields": ("child",),
        "paths": (),
        "signal_header": None,
        "action": "refuse",
        "refusal": None,
        "back_button": False,
        "limits": {
            "memory_bytes": 500_000,
            "body_bytes": 2_147_483_647,
            "seconds": 60,
            "bytes_per_second": 500,
        },
    }
    assert policy.settings["logs"] == {
        "quiet_paths": ("/favicon.ico", "/apple-touch-icon.png", "/apple-touch-icon-precomposed.png"),
        "ip": "full",
        "query": True,
        "front_header": None,
        "errors_at_once": False,
        "retention_days": None,
    }
    assert policy.settings["scrub_html"] is True
    assert policy.child_action is ChildAction.REFUSE


def test_policy_is_frozen():
    """Nothing changes a policy once it is compiled, not even the dict that it came from."""
    settings = {"demo_paths": ["/demo/"], "csp": {"directives": {"img-src": ["*"]}}}
    policy = Policy(settings)
    before = copy.deepcopy(settings)
    settings["demo_paths"].append("/")
    settings["csp"]["directives"]["img-src"].append("data:")
    assert policy == Policy(before)
    with pytest.raises(AttributeError, match="frozen"):
        policy.visit = frozenset()
    with pytest.raises(AttributeError, match="frozen"):
        del policy.visit
    with pytest.raises(TypeError):
        policy.settings["scrub_html"] = False
    with pytest.raises(AttributeError):
        policy.rules_for("/").demo = True


def test_policies_of_the_same_settings_are_equal():
    """Two spellings of one policy are one policy."""
    one = Policy({"demo_paths": ["/demo"], "first_party": ["https://A.example:443"]})
    two = Policy({"demo_paths": ("//demo/", "/x/../demo/"), "first_party": {"https://a.example"}})
    assert one == two and hash(one) == hash(two)
    assert one != Policy() and one != 1
    assert Policy.of(one) is one
    assert Policy(one) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert eval(repr(one), {"Policy": Policy}) == one


def test_path_in_the_settings_may_be_copied_from_the_address_bar():
    """A percent-encoded prefix and a plain one are the same."""
    policy = Policy({"demo_paths": ["/caf%C3%A9/menu%20card"]})
    assert policy.rules_for("/café/menu card/x").demo


def test_rules_of_a_path_are_those_of_its_longest_prefix():
    """Each directive of a longer prefix replaces that of a shorter one; the others stay."""
    policy = Policy(
        {
            "demo_paths": ["/demo/"],
            "user_image_paths": ["/demo/boards/"],
            "sealed_paths": ["/join"],
            "children": {"paths": ["/join/kids"]},
            "cookies": {"demo": "downgrade", "elsewhere": "block"},
            "csp": {
                "directives": {"font-src": ["data:"]},
                "paths": {
                    "/demo/": {"style-src": ["'unsafe-inline'"], "img-src": ["'self'"]},
                    "/demo/boards/": {"style-src": ["'self'"], "font-src": []},
                },
            },
        }
    )
    root, demo, boards = (policy.rules_for(path) for path in ("/", "/demo", "/demo/boards/1"))
    assert (root.cookies, demo.cookies) == (CookieMode.BLOCK, CookieMode.DOWNGRADE)
    assert (root.demo, demo.demo, boards.demo) == (False, True, True)
    assert root.directives["font-src"] == demo.directives["font-src"] == ("data:",)
    assert demo.directives["style-src"] == ("'unsafe-inline'",)
    assert boards.directives["style-src"] == ("'self'",)
    assert boards.directives["font-src"] == ()
    assert "font-src 'none'" in boards.policies[0]
    assert boards.directives["img-src"] == ("'self'", "https:")
    assert (boards.user_images, demo.user_images) == (True, False)
    join = policy.rules_for("/join")
    assert (join.sealed, join.child, policy.rules_for("/join/kids/x").child) == (True, False, True)
    assert not policy.rules_for("/demo/../x").demo or policy.rules_for("/x") is root


def test_user_images_may_come_from_anywhere_over_https_and_nothing_else_may():
    """On a board, a picture may be anybody's, a script never."""
    rules = Policy({"user_image_paths": ["/boards/"], "csp": {"directives": {"img-src": ["'none'"]}}}).rules_for(
        "/boards/"
    )
    assert rules.directives["img-src"] == ("https:",)
    assert [name for name, sources in rules.directives.items() if "https:" in sources] == ["img-src"]


def test_cookie_names_for_the_visit_can_be_added():
    """An integration adds what its framework is configured with."""
    policy = Policy({"cookies": {"visit": ["a"]}})
    assert policy.with_visit(["b", "a"]).visit == {b"a", b"b"}
    assert policy.visit == {b"a"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "demo_paths",
    "first_party",
    "cookies",
    "csp",
    "scrub_html",
    "user_image_paths",
    "sealed_paths",
    "children",
    "logs",
]


@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=3))
def test_any_value_is_taken_or_named(settings):
    """There is no value of any kind that ends in another error than ours."""
    try:
        Policy(settings)
    except SettingsError as error:
        assert error.where.startswith("PRIVGUARD")
