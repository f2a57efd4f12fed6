"""Tests of what each server leaves of favicons and of children: nothing; and of everybody else: all, once, in order."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from servers.marked import CHILD, FAVICON, MARK, MARKED, NOT_TRIED, Told, missing

RUNS = {}


@pytest.fixture(scope="session")
def told(gate, tmp_path_factory):
    """Return what a server of this name has written, guarded and bare: both ran at the same time."""

    def run(name):
        if name in RUNS:
            return RUNS[name]
        if package := missing(name):
            say = pytest.fail if os.environ.get("PRIVGUARD_REQUIRE_ALL") else pytest.skip
            say(f"{name} is not tried: pip install {package}")

        def tell(kind):
            return Told(name, tmp_path_factory.mktemp(f"{name}-{kind}"), gate, bare=kind == "bare")

        with ThreadPoolExecutor(2) as pool:
            RUNS[name] = tuple(pool.map(tell, ("guarded", "bare")))
        return RUNS[name]

    return run


@pytest.mark.parametrize("name", MARKED)
def test_favicons_and_children_leave_no_line(name, told):
    """Whether they wait for the answer or leave before, whether the app answers them or fails."""
    guarded, _ = told(name)
    assert guarded.lines(FAVICON, MARK, CHILD) == []


@pytest.mark.parametrize("name", MARKED)
def test_everybody_elses_lines_are_those_that_are_written_without_privguard(name, told):
    """None is lost, none is written twice, and each visitor's stand in their order, tracebacks included."""
    guarded, bare = told(name)
    assert guarded.of_ordinary() == bare.of_ordinary()


@pytest.mark.parametrize("name", MARKED)
def test_marks_are_there_without_privguard(name, told):
    """Were the site or the server silent by itself, the other tests would prove nothing."""
    _, bare = told(name)
    assert len(bare.lines(MARK)) > 200
    assert bare.lines(CHILD)
    assert bare.lines(FAVICON) or name in ("waitress", "cheroot", "cherrypy")


@pytest.mark.parametrize("name", NOT_TRIED)
def test_servers_that_are_not_tried(name):
    """They are named in the output, with the reason."""
    pytest.skip(f"{name} is not tried: {NOT_TRIED[name]}")
