"""Tests of the patterns themselves: what some Python that is supported gets wrong is not used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SOURCES = sorted((Path(__file__).parents[1] / "src" / "privguard").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_group_is_possessive(path):
    """Python 3.11.0 to 3.11.4 match them wrongly (gh-106052), and tags would pass unseen. Of a class, they are fine."""
    code = re.sub(r"\[\^?\]?[^\]]*\]", "[]", path.read_text("utf-8"))
    assert re.findall(r"^.*\)[*?+]\+.*$", code, re.MULTILINE) == []
