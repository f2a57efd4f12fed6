"""The README tells what a response gets: it has to be what a response gets."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from privguard import Policy, SettingsError
from privguard._exchange import Exchange
from privguard._headers import TEXT

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def block(language: str, holding: str) -> str:
    """The fenced block of *language* that has *holding* in it."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    (found,) = [one for one in blocks if holding in one]
    return found


def test_headers_are_those_that_the_readme_lists():
    """To the byte, and in this order."""
    headers = Exchange(Policy(), "/").response_headers(200, [], TEXT)
    assert block("text", "Referrer-Policy").splitlines() == [f"{name}: {value}" for name, value in headers]


def test_settings_of_the_readme_compile():
    """Who copies them gets a policy."""
    (assignment,) = ast.parse(block("python", "PRIVGUARD")).body
    assert isinstance(assignment, ast.Assign)
    assert Policy(ast.literal_eval(assignment.value)).rules_for("/demo/chat").demo


def test_error_message_of_the_readme_is_the_real_one():
    """Nobody has to guess what a mistake looks like."""
    with pytest.raises(SettingsError) as caught:
        Policy({"cookies": {"elswhere": "strip"}})
    assert block("text", "no such key").strip() == str(caught.value)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_links_to_files_lead_somewhere(page):
    """Every relative link names a file that is there."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text("utf-8")):
        assert (ROOT / target).exists(), target
