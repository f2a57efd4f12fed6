"""Tests of the fields of a submission, of whatever type and in whatever coding its body is."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tracemalloc
import zlib
from collections import deque

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard import _codings, _forms
from privguard._forms import fields_reader
from submitting import fields_from, in_every_way

zstd = _codings._zstd()
COMPRESS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}
FORM, JSON = b"age=9&name=Ann", b'{"age": 9, "name": "Ann"}'
PARTS = b"\r\n".join(
    [
        b'--b\r\nContent-Disposition: form-data; name="age"',
        b"",
        b"9",
        b'--b\r\nContent-Disposition: form-data; name="name"',
        b"",
        b"Ann",
        b"--b--",
    ]
)
PLAIN = b"age=9\r\nname=Ann\r\n"
BOTH = [(("age",), "9"), (("name",), "Ann")]
TYPES = {
    "application/x-www-form-urlencoded": FORM,
    "multipart/form-data; boundary=b": PARTS,
    "application/json": JSON,
    "text/plain": PLAIN,
}


def read(body, content_type, coding=""):
    return in_every_way(lambda: fields_reader(content_type, coding), body)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        *TYPES.items(),
        ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", FORM),
        ("application/json; charset=utf-8", JSON),
        ("application/vnd.api+json", JSON),
        ("application/graphql+json", JSON),
        ("application/x-ndjson", b'{"age": 9}\n{"name": "Ann"}\n'),
        ("application/jsonl", b'{"age": 9}\n{"name": "Ann"}'),
        ("application/jsonlines", b'{"age": 9}\n{"name": "Ann"}'),
        ("application/json-seq", b'\x1e{"age": 9}\n\x1e{"name": "Ann"}\n'),
        ("application/geo+json-seq", b'\x1e{"age": 9}\n\x1e{"name": "Ann"}\n'),
        ("text/json", JSON),
        ("application/x-amz-json-1.1", JSON),
        ("MULTIPART/Form-Data; boundary=b", PARTS),
        # What fetch(), sendBeacon(), curl and careless scripts send.
        ("text/plain;charset=UTF-8", JSON),
        ("application/x-www-form-urlencoded", JSON),
        ("application/x-www-form-urlencoded", b" \n" + JSON),
        ("", JSON),
        ("", FORM),
        ("json", JSON),
        ("undefined", FORM),
        ("*/*", JSON),
        ("", JSON.decode().encode("utf-16")),
        ("", JSON.decode().encode("utf-16-be")),
    ],
)
def test_submission(content_type, body):
    """Is read whatever it is sent as."""
    assert read(body, content_type) == (BOTH, "")


@pytest.mark.parametrize("name", ["[0].age", "[12][age]", "[].age", "[-1]age"])
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_name_that_begins_with_a_place_in_a_list(name, content_type):
    """Forms that bind to lists begin with it, and it is no JSON."""
    assert read(f"{name}=9".encode(), content_type) == ([((name,), "9")], "")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'[{"age": 9}]', [(("0", "age"), "9")]),
        (b'[ "age", 9]', [(("0",), "age"), (("1",), "9")]),
        (b"[age]=9&b=1", [(("[age]",), "9"), (("b",), "1")]),
        (b"[", [(("[",), "")]),
        (b" age=9", [((" age",), "9")]),
        (b" " * 1100 + JSON, [((" " * 1024,), "")]),
        (b"", []),
    ],
)
def test_form_that_may_be_json(body, fields):
    """Is told by its begin."""
    assert read(body, "application/x-www-form-urlencoded") == (fields, "")


@pytest.mark.parametrize(
    "content_type",
    ["text/html", "image/png", "application/octet-stream", "application/xml", "multipart/mixed; boundary=b"],
)
def test_no_submission(content_type):
    """Another type is no submission, and its body is not looked at."""
    assert fields_reader(content_type) is None
    assert fields_reader(content_type, "gzip") is None


@pytest.mark.parametrize("coding", COMPRESS)
@pytest.mark.parametrize("content_type", TYPES)
def test_compressed_body(coding, content_type):
    """Is read as what it contains."""
    assert read(COMPRESS[coding](TYPES[content_type]), content_type, coding) == (BOTH, "")


@pytest.mark.parametrize("coding", ["X-GZIP", "identity, gzip", "gzip,identity"])
def test_name_of_a_coding(coding):
    """In any case, and beside one that means nothing."""
    assert read(gzip.compress(JSON), "application/json", coding) == (BOTH, "")


def test_two_codings():
    """In the order in which they were applied."""
    assert read(brotli.compress(gzip.compress(JSON)), "application/json", "gzip, br") == (BOTH, "")


@pytest.mark.parametrize("coding", ["utf-8", "gzip;q=1", "compress", ", ".join(["gzip"] * 6)])
def test_coding_that_cannot_be_read(coding):
    """Is told, and the body is read as it is: an app that looks at no coding reads it so."""
    assert read(JSON, "application/json", coding) == (BOTH, "unknown coding")


def test_no_coding():
    """``identity`` is none (RFC 9110 §12.5.3)."""
    assert read(JSON, "application/json", "identity") == (BOTH, "")
    assert read(b"", "application/json", "gzip") == ([], "")


@pytest.mark.parametrize("body", [JSON, b"5", b"[9, 10]" * 20_000])
def test_body_that_is_not_in_its_coding(body):
    """Is read as it is, and it is told."""
    reader = fields_reader("application/json", "gzip")
    assert fields_from(reader, [body]) == fields_from(fields_reader("application/json"), [body])
    assert reader.unread in ("the body is not compressed as it says", "the compressed body is not whole")


def test_compressed_body_without_its_end():
    """What was seen counts."""
    reader = fields_reader("application/x-www-form-urlencoded", "gzip")
    assert fields_from(reader, [gzip.compress(b"age=9&name=Ann")[:-8]]) == BOTH
    assert reader.unread == "the compressed body is not whole"


def test_compressed_body_that_breaks():
    """What was seen counts, and what follows is not looked at."""
    body = gzip.compress(b"age=9&name=Ann")
    reader = fields_reader("application/x-www-form-urlencoded", "gzip")
    assert fields_from(reader, [body[:-8], b"12345678", b"&b=1", b""]) == BOTH
    assert reader.unread == "the body is not compressed as it says"


def test_bomb(monkeypatch):
    """A hundred megabytes in a hundred kilobytes are read in constant memory, and much more is not read."""
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join([packer.compress(b"text="), *(packer.compress(b"a" * 100_000) for _ in range(1000))])
    bomb += packer.compress(b"&age=9") + packer.flush()
    reader = fields_reader("application/x-www-form-urlencoded", "gzip")
    tracemalloc.start()
    fields = fields_from(reader, [bomb])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (fields[-1], peak < 1_000_000, reader.unread) == ((("age",), "9"), True, "")
    monkeypatch.setattr(_forms, "_MOST_UNPACKED", 1 << 24)
    reader = fields_reader("application/x-www-form-urlencoded", "gzip")
    assert [len(field.value) for field in fields_from(reader, [bomb, b"&age=9"])] == [1024]
    assert reader.unread == "the body is a bomb"


def test_multipart_without_boundary():
    """Cannot be read by anybody."""
    assert read(PARTS, "multipart/form-data") == ([], "no boundary")


def test_field_behind_a_large_file():
    """A child behind 100 MB of file is found in constant memory."""
    reader = fields_reader("multipart/form-data; boundary=b")
    tracemalloc.start()
    deque(reader.feed(b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'), maxlen=0)
    for _ in range(100):
        deque(reader.feed(bytes(1_000_000)), maxlen=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fields_from(reader, [b"\r\n" + PARTS]) == BOTH
    assert (peak < 3_000_000, reader.unread) == (True, "")


@given(st.binary(max_size=60), st.sampled_from([*TYPES, ""]), st.sampled_from(["", "gzip", "br", "x"]))
def test_any_bytes(body, content_type, coding):
    """Raise nothing."""
    for chunks in ([body], [body[:9], body[9:]]):
        reader = fields_reader(content_type, coding)
        fields_from(reader, chunks)
        assert isinstance(reader.unread, str)


@given(st.text(max_size=30), st.text(max_size=9))
def test_any_header(content_type, coding):
    """Raises nothing."""
    for prefix in ("", "multipart/form-data; boundary=", "application/json; charset="):
        reader = fields_reader(prefix + content_type, coding)
        assert reader is None or fields_from(reader, [JSON]) is not None


def test_werkzeug_is_loaded_by_the_first_multipart_form():
    """And by nothing before: it costs a tenth of a second."""
    code = (
        "import sys; from privguard._forms import fields_reader; fields_reader('application/json');"
        "print('werkzeug' in sys.modules); fields_reader('multipart/form-data; boundary=b');"
        "print('werkzeug.sansio.multipart' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "True"]
