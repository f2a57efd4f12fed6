"""Tests of the values in JSON texts (RFC 8259) and of the keys that lead to them."""

from __future__ import annotations

import itertools
import json
import tracemalloc
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privguard._json_fields import LONGEST_VALUE, JsonReader
from submitting import fields_from, in_every_way

TEXT = st.text(max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4))
PIECES = r'{ } [ ] , : " "a" "b": "\" \\ \u \u0041 \ud83d \ude00 x 5 -1.5e3 null tru true "": "a":5, [1,'.split(" ")
ANY_TEXT = st.lists(st.sampled_from([*PIECES, " ", "\n", "é", "\x1e", "\0"])).map("".join)


def walked(value, path=()):
    """What json.loads() has made of a text, as fields; numbers are text already."""
    if isinstance(value, dict):
        return [field for key, inner in value.items() for field in walked(inner, (*path, key))]
    if isinstance(value, list):
        return [field for number, inner in enumerate(value) for field in walked(inner, (*path, str(number)))]
    return [(path, {None: "", True: "true", False: "false"}.get(value, value))]


def read(body, **options):
    return in_every_way(lambda: JsonReader(**options), body)


@settings(max_examples=25)
@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans(), st.sampled_from(["utf-8", "utf-16", "utf-32-be"]))
def test_same_values_as_json_loads(value, indent, is_ascii, encoding):
    """Whatever Python writes as JSON is read as Python reads it, in each encoding that Python detects."""
    body = json.dumps(value, indent=indent, ensure_ascii=is_ascii).encode(encoding)
    assert read(body) == (walked(json.loads(body, parse_int=str, parse_float=str, parse_constant=str)), "")


@settings(max_examples=12)
@given(st.lists(VALUES, max_size=3), st.sampled_from(["\n", "\r\n", "\x1e", "\n\x1e", " "]))
def test_texts_in_a_row(values, separator):
    """JSON lines and RFC 7464: every record is read, and none hides another."""
    body = separator.join(["", *map(json.dumps, values), ""])
    expected = [
        walked(json.loads(json.dumps(one), parse_int=str, parse_float=str, parse_constant=str)) for one in values
    ]
    assert read(body.encode()) == (list(itertools.chain(*expected)), "")


@given(ANY_TEXT)
def test_text_that_is_none(text):
    """Raises nothing, and is the same however it is cut."""
    read(text.encode())


@given(st.binary(max_size=60), st.sampled_from(["", "shift_jis", "iso-8859-1", "iso-2022-jp", "utf-16", "zip"]))
def test_any_bytes(body, charset):
    """Raise nothing in any charset, and are the same however they are cut."""
    read(body, charset=charset)


@given(ANY_TEXT)
def test_what_json_loads_accepts_is_not_called_malformed(text):
    """Where Python reads a text, nothing is left unread."""
    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=list)
    except ValueError:
        return
    assert read(text.encode())[1] == "", value


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"age": 9, "age": 30}', [(("age",), "9"), (("age",), "30")]),  # duplicates: some take the first
        (b'{"a": {"b": [null, {"c": false}]}}', [(("a", "b", "0"), ""), (("a", "b", "1", "c"), "false")]),
        (b"[[], {}, [1]]", [(("2", "0"), "1")]),
        (b'[["a"], "b"]', [(("0", "0"), "a"), (("1",), "b")]),
        (b"12.50e+3", [((), "12.50e+3")]),
        (b'"text"', [((), "text")]),
        (b"[NaN, -Infinity, 1E400]", [(("0",), "NaN"), (("1",), "-Infinity"), (("2",), "1E400")]),
        (b'\xef\xbb\xbf{"a": 1}', [(("a",), "1")]),
        (rb'{"\u0061\"\/\n\ud83d\ude00": "\\"}', [(('a"/\n\U0001f600',), "\\")]),
        (rb'["\ud83d", "\ude00\ud83d"]', [(("0",), "\ufffd"), (("1",), "\ufffd\ufffd")]),  # alone they are nothing
        (b'["\xff", "\xed\xa0\x80"]', [(("0",), "\ufffd"), (("1",), "\ufffd\ufffd\ufffd")]),
        (b'["a\nb\0"]', [(("0",), "a\nb\0")]),
        (b'{"": {"": 1}}', [(("", ""), "1")]),
        (b'{"a" \n : \n "b" \n , "c":1 }', [(("a",), "b"), (("c",), "1")]),
        (b"", []),
        (b" \n ", []),
    ],
)
def test_text(body, fields):
    """Each value is found with the keys that lead to it."""
    assert read(body) == (fields, "")


@pytest.mark.parametrize(
    ("body", "fields", "unread"),
    [
        (b'{"age": 9', [(("age",), "9")], "truncated JSON"),
        (b'{"age": "9', [(("age",), "9")], "truncated JSON"),
        (rb'{"age": "9\u00', [(("age",), "9u00")], "truncated JSON"),
        (b'{"age": "9\\', [(("age",), "9")], "truncated JSON"),
        (b'{"age": 9, "na', [(("age",), "9"), (("age",), "na")], "truncated JSON"),
        (b'{"age": ', [], "truncated JSON"),
        (b"{age: 9}", [(("age",), "9")], "malformed JSON"),
        (b'{"age": 09x, "b": 1}', [(("age",), "09x"), (("b",), "1")], "malformed JSON"),
        (b'{"a": 1}]]}, {"age": 9}', [(("a",), "1"), (("age",), "9")], "malformed JSON"),
        (b'{"a" "age": 9}', [(("",), "a"), (("age",), "9")], ""),
        (b'["age": 9]', [(("age",), "9")], "malformed JSON"),
        (b'"age": 9', [(("age",), "9")], "malformed JSON"),
        (b'{: 9, "a": 1}', [(("",), "9"), (("a",), "1")], "malformed JSON"),
        (rb'{"a": "\x\'", "b": 1}', [(("a",), "x'"), (("b",), "1")], ""),
        (b'{"a": tru, "age" : 9}', [(("a",), "tru"), (("age",), "9")], "malformed JSON"),
        (b'{"a" , : 9}', [(("a",), "9")], ""),
        (b"{age , : 9}", [(("age",), "9")], "malformed JSON"),
    ],
)
def test_text_with_an_error(body, fields, unread):
    """The reader goes on, and says that it could not read everything."""
    assert read(body) == (fields, unread)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-8-sig"])
def test_encoding_of_unicode(encoding):
    """Is told from the first bytes, as json.loads() and so Flask do it."""
    assert read('{"é": "ü"}'.encode(encoding)) == ([(("é",), "ü")], "")
    assert read("5".encode(encoding)) == ([((), "5")], "")


@pytest.mark.parametrize("charset", ["iso-8859-1", "shift_jis", "utf-8", "utf-16", "hologram"])
def test_declared_charset(charset):
    """Is heeded where it is one in which forms are sent: in Shift JIS, a backslash is half of some letters."""
    text = {"iso-8859-1": "é", "shift_jis": "表"}.get(charset, "é")
    encoding = charset if charset in ("iso-8859-1", "shift_jis") else "utf-8"
    assert read(f'{{"{text}": "{text}"}}'.encode(encoding), charset=charset) == ([((text,), text)], "")


@pytest.mark.parametrize("size", [1 << 14, (1 << 14) + 1, 1 << 16, 100_000])
@pytest.mark.parametrize(
    ("begin", "unit", "end"),
    [
        (b'{"a": "', b"x", b'", "b": "c"}'),
        (b'{"a": "', b"\\n", b'", "b": "c"}'),
        (b'{"a": "', rb"\ud83d\ude00", b'", "b": "c"}'),
        (b'{"a": "', "é".encode(), b'", "b": "c"}'),
        (b'{"a": ', b"1", b', "b": "c"}'),
        (b'{"a": ', b"1", b"]"),
        (b'{"a": ', b"1", b'"b": "c"}'),
        (b'{"a" ', b"1", b""),
        (b'{"a" "', b"1", b""),
        (b'{"', b"n", b'": 2, "b": "c"}'),
    ],
)
def test_overlong_token(begin, unit, end, size):
    """Of a long value the begin is kept, and what follows is found, wherever the chunks end."""
    body = begin + unit * (size // len(unit)) + end
    whole = fields_from(JsonReader(), [body])
    assert all(len(field.value) <= LONGEST_VALUE for field in whole)
    assert (("b",), "c") in whole or not end.endswith(b'"c"}')
    for cut in (1 << 14, (1 << 14) + 1, (1 << 14) + 8, size, size + 7, size + 8, size + 9):
        assert fields_from(JsonReader(), [body[:cut], body[cut:]]) == whole
    assert fields_from(JsonReader(), [body[at : at + 999] for at in range(0, len(body), 999)]) == whole


def test_path_goes_before():
    """What a part of a form contains is below the part's name."""
    assert read(b'{"dob": "2020"}', path=("user",)) == ([(("user", "dob"), "2020")], "")


@pytest.mark.parametrize("depth", [1, 63, 64, 65, 66, 200])
def test_deep_nesting(depth):
    """Below 64 containers a value is still told with its own key, and behind them everything is as it was."""
    body = b'{"a":' * depth + b'{"age": 9, "c": [1, {"child": true}]}' + b"}" * depth + b', {"b": 2}'
    fields, unread = read(body)
    assert [(path[-1], value) for path, value in fields] == [
        ("age", "9"),
        ("0" if depth < 63 else "c", "1"),
        ("child", "true"),
        ("b", "2"),
    ]
    assert (fields[-1][0], unread) == (("b",), "")
    assert max(len(path) for path, _ in fields) <= 66


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_hundred_megabytes_of_brackets(opening, closing):
    """Take no more memory than one, and a child behind them is found."""
    count = 100_000_000 if len(opening) == 1 else 20_000
    chunk = 10_000
    reader = JsonReader()
    tracemalloc.start()
    for bracket in (opening, closing):
        for _ in range(count // chunk):
            deque(reader.feed(bracket * chunk), maxlen=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fields_from(reader, [b'{"age": 9}']) == [(("age",), "9")]
    assert (peak < 1_000_000, reader.unread) == (True, "")


@pytest.mark.parametrize("unit", [b"a", b"\\", b"\\u00e9", b'"a",', b"12,", b"1", b'{"a":1},', b" ", b"[],"])
def test_large_text_in_constant_memory(unit):
    """A child behind megabytes of anything is found, and they are not held."""
    reader = JsonReader()
    is_text = unit in (b"a", b"\\", b"\\u00e9")
    chunk = unit * (60_000 // len(unit))
    tracemalloc.start()
    deque(reader.feed(b'{"age": 9, "text": ' + (b'"' if is_text else b"[")), maxlen=0)
    for _ in range(170 if is_text else 2):
        deque(reader.feed(chunk), maxlen=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fields_from(reader, [b'"' if is_text else b"]", b', "child": true}'])[-1] == (("child",), "true")
    assert peak < 3_000_000
