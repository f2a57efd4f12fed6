"""Tests of multipart forms (RFC 7578)."""

from __future__ import annotations

import base64
import io
import random
import tracemalloc
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_multipart.multipart import MultipartParser as OtherParser
from werkzeug.formparser import FormDataParser

from privguard._multipart import MultipartReader, boundary_in
from submitting import fields_from, in_every_way

END = b"--b--\r\n"


def part(headers, value=b"1"):
    """One part with its delimiter; headers that are only a name are made a field's."""
    if "\n" not in headers and ":" not in headers:
        headers = f'Content-Disposition: form-data; name="{headers}"'
    return b"--b\r\n" + headers.encode("latin-1") + b"\r\n\r\n" + value + b"\r\n"


def field(name, more, value):
    return part(f'Content-Disposition: form-data; name="{name}"{more}', value)


def read(body, charset=""):
    return in_every_way(lambda: MultipartReader(b"b", charset), body)


def names_and_values(body, charset=""):
    fields, unread = read(body, charset)
    assert unread == ""
    return [("/".join(path), value) for path, value in fields]


def as_werkzeug_reads(body):
    _, form, _ = FormDataParser().parse(io.BytesIO(body), "multipart/form-data", len(body), {"boundary": "b"})
    return [((name,), value) for name, value in form.items(multi=True)]


NAMES = st.text(st.characters(exclude_characters='"\\\r\n%', exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
VALUES = (
    st.text(max_size=9)
    .map(str.encode)
    .filter(lambda value: value.lstrip()[:1] not in (b"{", b"[") and b"--b" not in value)
)


@settings(max_examples=25)
@given(st.lists(st.tuples(NAMES, VALUES), max_size=4))
def test_same_fields_as_werkzeugs_parser(pairs):
    """What a browser sends is read as the app reads it."""
    body = b"".join(field(name.encode().decode("latin-1"), "", value) for name, value in pairs) + END
    fields, unread = read(body)
    assert (sorted(fields), unread) == (sorted(as_werkzeug_reads(body)), "")


PIECES = [
    b"--b",
    b"--b--",
    b"\r\n",
    b"\n",
    b"\r",
    b"-",
    b" ",
    b"b",
    b"x",
    b"\xff",
    b"Content-Disposition: form-data; name=a",
]


@settings(max_examples=200)
@given(st.lists(st.sampled_from([*PIECES, b"--b\r\n", b"\r\n\r\n", b"; filename=f", b"Content-Type: a/json", b"[1"])))
def test_rubbish(pieces):
    """Raises nothing, and is the same however it is cut."""
    read(b"".join(pieces))


@given(st.binary(max_size=80))
def test_any_bytes(body):
    """Raise nothing."""
    read(body)
    read(b"--b\r\n" + body)
    read(part("a", body))


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        (part("age", b"9") + part("age", b"30") + END, [("age", "9"), ("age", "30")]),
        (END, []),
        (b"\r\n" + END, []),
        (part("age", b"") + END, [("age", "")]),
        (part("age", b"\r\n9\r\n") + END, [("age", "\r\n9\r\n")]),
        (b"a preamble\r\n" + part("age", b"9") + b"--b--", [("age", "9")]),
        (part("age", b"9").replace(b"\r\n", b"\n") + b"--b--\n", [("age", "9")]),
        (part("age", b"9").replace(b"\r\n", b"\r") + b"--b--\r", [("age", "9")]),
        (part("age", b"x--b\r\n-b\r\n--bb\r\n9") + END, [("age", "x--b\r\n-b\r\n--bb\r\n9")]),
        (part("age", b"9").replace(b"--b", b"--b \t ") + END, [("age", "9")]),
        # Names
        (part("user[dob]") + END, [("user[dob]", "1")]),
        (part("content-disposition:form-data;NAME=age") + END, [("age", "1")]),
        (part("gr\xc3\xb6\xc3\x9fe") + END, [("größe", "1")]),
        (part('a%22b\\"c') + END, [('a"b"c', "1")]),
        (part("Content-Disposition: form-data; name*=utf-8''na%C3%AFf") + END, [("naïf", "1")]),
        (part("Content-Disposition: form-data; name = age") + END, [("age", "1")]),
        (part('Content-Disposition: form-data; name="age') + END, [("age", "1")]),
        (part("Content-Disposition: form-data; name='age'") + END, [("'age'", "1")]),
        (part("Content-Disposition: form-data;\r\n name=age") + END, [("age", "1")]),
        # No fields: no name, and files
        (part("Content-Disposition: form-data") + part("age") + END, [("age", "1")]),
        (part('Content-Disposition: form-data; name=""') + part("age") + END, [("age", "1")]),
        (part('Content-Disposition: form-data; name="age"; filename="a"') + part("b") + END, [("b", "1")]),
        (part('Content-Disposition: form-data; name="age"; filename=""') + part("b") + END, [("b", "1")]),
        # What Werkzeug's decoder cannot read, and others can
        (part("Content-Type: text/plain") + part("age") + END, [("age", "1")]),
        (b"--b\n\n1\n" + part("age") + END, [("age", "1")]),
        (b"--b\r\r\r1\r" + part("age") + END, [("age", "1")]),
        (part("gr\xf6\xdfe") + part("age") + END, [("gr\ufffd\ufffde", "1"), ("age", "1")]),
        (END + part("age") + END, [("age", "1")]),
    ],
)
def test_form(body, pairs):
    """Its fields are found in their order."""
    assert names_and_values(body) == pairs


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        (field("a", "\r\nContent-Type: text/plain; charset=iso-8859-1", b"\xe9"), [("a", "é")]),
        (field("a", "", b"\xe9"), [("a", "\ufffd")]),
        (
            field("_charset_", "", b"windows-1252") + field("a", "", b"\x80"),
            [("_charset_", "windows-1252"), ("a", "€")],
        ),
        (field("u", "\r\nContent-Type: application/json", b'{"age": 9}'), [("u/age", "9")]),
        (field("u", '; filename="blob"\r\nContent-Type: application/json', b'{"age": 9}'), [("u/age", "9")]),
        (field("u", '; filename="pets.json"\r\nContent-Type: application/json', b'{"age": 9}'), []),
        (field("", "\r\nContent-Type: application/json", b'{"age": 9}'), []),
        (field("operations", "", b'{"age": 9}'), [("operations", '{"age": 9}'), ("operations/age", "9")]),
        (field("a", "\r\nContent-Transfer-Encoding: BASE64", base64.b64encode(b"12")), [("a", "MTI="), ("a", "12")]),
        (field("a", "\r\nContent-Transfer-Encoding: base64", b"5"), [("a", "5")]),
        (field("a", "\r\nContent-Transfer-Encoding: 8bit", b"5"), [("a", "5")]),
    ],
)
def test_text_of_a_part(body, pairs):
    """A part may say its charset and its coding; JSON in it is looked into, as FormData sends it, files are not."""
    assert names_and_values(body + END) == pairs


def test_long_name():
    """Of a name, 1,024 characters are kept."""
    assert fields_from(MultipartReader(b"b"), [part("n" * 5000) + END]) == [(("n" * 1024,), "1")]


def test_charset_of_the_form():
    """Counts where a part says nothing else, in its names, too."""
    assert names_and_values(part("\xe9", b"\xe9") + END, "iso-8859-1") == [("é", "é")]


@pytest.mark.parametrize(
    ("body", "fields", "unread"),
    [
        (b"", [], "no such boundary"),
        (b"--c\r\n" + part("age")[5:], [], "no such boundary"),
        (part("age", b"9")[:-2], [(("age",), "9")], "truncated multipart"),
        (part("age", b"9"), [(("age",), "9")], "truncated multipart"),
        (part("age", b"9") + b"--b", [(("age",), "9")], "truncated multipart"),
        (part("age", b"9") + part("b")[:20], [(("age",), "9")], "truncated multipart"),
        (field("a", "\r\nContent-Type: a/json", b'{"age": 9')[:-2], [(("a", "age"), "9")], "truncated multipart"),
    ],
)
def test_form_without_its_end(body, fields, unread):
    """What was seen counts, as in Django; and it is said that there is no more."""
    assert read(body) == (fields, unread)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=AaB03x", b"AaB03x"),
        ('multipart/form-data; charset=utf-8; Boundary = "a\\"b c" ', b'a"b c'),
        ("multipart/form-data; boundary=----=_Part_1.2; x=y", b"----=_Part_1.2"),
        ("multipart/form-data; boundary=\xe9", b"\xe9"),
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=", b""),
        ("multipart/form-data; boundary=" + "b" * 1025, b""),
    ],
)
def test_boundary(content_type, boundary):
    """Is read in quotes and without, even where there should have been some."""
    assert boundary_in(content_type) == boundary


def test_ten_thousand_parts():
    """Are all read, though apps stop after a thousand: the last one may be the one."""
    body = b"".join(part(f"n{number}", b"%d" % number) for number in range(10_000)) + END
    assert fields_from(MultipartReader(b"b"), [body]) == [((f"n{number}",), str(number)) for number in range(10_000)]


@pytest.mark.parametrize("size", [65_400, 65_470, 65_500, 65_536, 130_000])
@pytest.mark.parametrize("padding", [b"", b" " * 40])
def test_delimiter_at_the_end_of_a_block(size, padding):
    """Is one wherever it stands."""
    line = b"--b" + padding + b"\r\n"
    for more in range(0, 140, 7):
        body = field("f", '; filename="f"', b"x" * (size + more)) + part("age", b"9").replace(b"--b\r\n", line) + END
        assert fields_from(MultipartReader(b"b"), [body]) == [(("age",), "9")]
        assert fields_from(MultipartReader(b"b"), [body[:65_536], body[65_536:]]) == [(("age",), "9")]


@pytest.mark.parametrize("what", ["file", "preamble", "epilogue", "field", "headers", "lines", "json", "undecodable"])
def test_large_form_in_constant_memory(what):
    """A child behind a file of any size is found, and nothing of the file is held."""
    rubbish = random.Random(4).randbytes(60_000).replace(b"-", b"+")
    begin = {
        "file": field("f", "; filename=f", b"")[:-2],
        "lines": field("f", "; filename=f", b"")[:-2],
        "preamble": b"",
        "epilogue": part("a") + END,
        "field": field("f", "", b"")[:-2],
        "headers": b"--b\r\nX: ",
        "json": field("f", "\r\nContent-Type: a/json", b'"')[:-2],
        "undecodable": field("f\xf6", "; filename=f", b"")[:-2],
    }[what]
    chunk = {"lines": b"\r\n--c\r\n" * 9_000, "headers": b"x" * 60_000, "json": b"x" * 60_000}.get(what, rubbish)
    reader = MultipartReader(b"b")
    tracemalloc.start()
    deque(reader.feed(begin), maxlen=0)
    for _ in range(100):
        deque(reader.feed(chunk), maxlen=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fields_from(reader, [b"\r\n" + part("age", b"9") + END])[-1] == (("age",), "9")
    assert peak < 3_000_000
    assert reader.unread == ("overlong headers in multipart" if what == "headers" else "")


def as_python_multipart_reads(body):
    """The names' headers and the values, as Starlette's parser tells them."""
    values, current = [], bytearray()
    parser = OtherParser(
        b"b",
        {
            "on_part_data": lambda data, start, end: current.extend(data[start:end]),
            "on_part_end": lambda: (values.append(current.decode("utf-8", "replace")), current.clear()),
        },
    )
    parser.write(body)
    parser.finalize()
    return values


@settings(max_examples=50)
@given(
    st.lists(
        st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"-", b"--", b"b", b"x", b" "])).map(b"".join), max_size=3
    )
)
def test_same_values_as_starlettes_parser(values):
    """Line ends and dashes in a value are read as another parser reads them, but where they look like a delimiter."""
    values = [value for value in values if b"--b" not in value]
    body = b"".join(part("a", value) for value in values) + END
    if values:
        assert [value for _, value in read(body)[0]] == as_python_multipart_reads(body)
