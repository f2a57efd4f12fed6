"""Tests of the canonical path and of look-ups by prefix."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from privguard._paths import PrefixTable, asgi_path, canonical_path, wsgi_path

PATHS = [
    ("/", "/"),
    ("", "/"),
    ("x", "/x"),
    ("*", "/*"),
    ("/demo/", "/demo/"),
    ("/demo", "/demo"),
    ("//demo//chat", "/demo/chat"),
    ("/./demo/./", "/demo/"),
    ("/demo/../x", "/x"),
    ("/demo/..", "/"),
    ("/demo/.", "/demo/"),
    ("/../../x", "/x"),
    ("/x/../demo/y", "/demo/y"),
    ("/.hidden/a", "/.hidden/a"),
    ("/a/...", "/a/..."),
    ("/Demo/", "/Demo/"),
    ("/a b/ü", "/a b/ü"),
    ("/%64emo", "/%64emo"),
]


@pytest.mark.parametrize("path, expected", PATHS)
def test_path_becomes_canonical(path, expected):
    """Repeated slashes and dot segments are resolved; case and what is percent-encoded twice stay."""
    assert canonical_path(path) == expected


@given(st.text(alphabet="/.a b", max_size=12))
@example("/a//")
def test_canonical_path_is_what_posix_makes_of_it(path):
    """Dot segments are resolved as the standard library resolves them, once repeated slashes are one."""
    plain = posixpath.normpath("/" + "/".join(part for part in path.split("/") if part))
    assert canonical_path(path).rstrip("/") == plain.rstrip("/")


@given(st.text(max_size=30))
def test_canonical_path_is_idempotent(path):
    """What is canonical already stays as it is."""
    once = canonical_path(path)
    assert once.startswith("/")
    assert canonical_path(once) == once


MOUNTS = [
    # root_path / SCRIPT_NAME, path below it
    ("", "/demo/x"),
    ("/app", "/demo/x"),
    ("/app", "/"),
    ("/app/", "/demo"),
    ("", "//demo//./x/../y"),
    ("/ü", "/ä"),
    ("/app", "/app/x"),
]


@pytest.mark.parametrize("root, path", MOUNTS)
def test_asgi_and_wsgi_give_one_path(root, path):
    """A rule that is written once holds on both protocols, mount prefix included."""
    encoded = {"SCRIPT_NAME": root.rstrip("/"), "PATH_INFO": path}
    environ = {key: value.encode("utf-8").decode("latin-1") for key, value in encoded.items()}
    scope = {"path": root.rstrip("/") + path, "root_path": root}
    assert asgi_path(scope) == wsgi_path(environ)


def test_asgi_path_of_a_server_that_leaves_the_mount_prefix_out():
    """Servers from before the specification was settled give the path below the mount alone."""
    assert asgi_path({"path": "/demo", "root_path": "/app"}) == "/app/demo"


def test_asgi_path_without_mount_prefix():
    """The prefix is optional, and a lone slash is none."""
    assert asgi_path({"path": "/demo"}) == asgi_path({"path": "/demo", "root_path": "/"}) == "/demo"


@given(st.binary(max_size=20))
def test_octets_that_are_no_utf8_give_one_path(octets):
    """Whatever octets a visitor sends, an ASGI server and a WSGI server lead to the same rule."""
    quoted = "".join(f"%{octet:02x}" for octet in b"/x" + octets)
    assert asgi_path({"path": unquote(quoted)}) == wsgi_path({"PATH_INFO": (b"/x" + octets).decode("latin-1")})


TABLE = PrefixTable({"/demo/": "demo", "/demo/deep/er/": "deeper", "/a/": "a"}, "elsewhere")


@pytest.mark.parametrize(
    "path, rules",
    [
        ("/", "elsewhere"),
        ("/demo", "demo"),
        ("/demo/", "demo"),
        ("/demo/x/y", "demo"),
        ("/demolition", "elsewhere"),
        ("/Demo/", "elsewhere"),
        ("/demo/deep", "demo"),
        ("/demo/deep/er", "deeper"),
        ("/demo/deep/er/x", "deeper"),
        ("/demo/deep/erx", "demo"),
        ("/a" * 2000, "a"),
        ("/x/demo/", "elsewhere"),
    ],
)
def test_longest_prefix_of_whole_segments_wins(path, rules):
    """A prefix holds for what is below it, and never for a name that merely begins alike."""
    assert TABLE.find(path) == rules


def test_prefix_of_everything_is_the_default():
    """A rule for "/" holds wherever no longer one does."""
    table = PrefixTable({"/": "all", "/x/": "x"}, "never")
    assert (table.find("/"), table.find("/y"), table.find("/x")) == ("all", "all", "x")


def test_table_without_prefixes_gives_the_default():
    """A policy without path rules answers for every path alike."""
    assert PrefixTable({}, 1).find("/any/thing") == 1


@given(st.lists(st.text(alphabet="ab/", max_size=6)), st.text(alphabet="ab/", max_size=9))
def test_look_up_agrees_with_a_slow_and_obvious_one(prefixes, path):
    """The look-up finds the longest prefix by segments, as a walk over all prefixes does."""
    table = {canonical_path(prefix).rstrip("/") + "/": prefix for prefix in prefixes}
    path = canonical_path(path)
    below = [prefix for prefix in table if (path.rstrip("/") + "/").startswith(prefix)]
    expected = max(below, key=len) if below else None
    assert PrefixTable({prefix: prefix for prefix in table}, None).find(path) == expected
