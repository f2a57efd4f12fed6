"""Tests of the report's text."""

from __future__ import annotations

from privguard.proving import Finding, Report

LOG = "log record of shop (INFO)"


def test_report_with_findings():
    """By place, each line once, with all that it holds."""
    report = Report(
        (
            Finding(LOG, "field birthdate", "JSON", "plain", "born [mark of field birthdate]"),
            Finding(LOG, "field birthdate", "multipart", "plain", "born [mark of field birthdate]"),
            Finding(LOG, "field birthdate", "JSON", "hex", "born [mark of field birthdate]"),
            Finding(LOG, "field name", "", "plain", "called [mark of field name]"),
            Finding("file /srv/a\x1b.db", "field name", "", "base64", "[mark of field name]"),
        ),
        ("log records: 3",),
        ("field age: too short to tell",),
    )
    assert not report.is_clean
    assert (
        str(report)
        == """\
log record of shop (INFO)
  field birthdate (JSON, multipart): plain; field birthdate (JSON): hex
    born [mark of field birthdate]
  field name: plain
    called [mark of field name]

file /srv/a\\x1b.db
  field name: base64
    [mark of field name]

Looked through:
  log records: 3
Left out:
  field age: too short to tell

Found 4 things that the submissions left, in 2 places."""
    )


def test_place_with_many_findings():
    """A dozen lines say enough."""
    report = Report(tuple(Finding(LOG, "cookie", "JSON", "plain", f"line {one}") for one in range(15)), ())
    assert "line 11" in str(report) and "line 12" not in str(report)
    assert "  and 3 more lines like these\n" in str(report)
    assert str(report).endswith("Found 1 thing that the submissions left, in 1 place.")
