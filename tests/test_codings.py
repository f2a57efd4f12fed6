"""Tests of content codings (RFC 9110 §8.4): read and written as bodies stream."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard import _codings
from privguard._codings import CodingError, acceptable, decoder, encoder, missing_extra, parse_codings, readable

PAGE = b"<p>text</p>" * 5000
zstd = _codings._zstd()


def raw_deflate(data):
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data) + engine.flush()


COMPRESS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}
DECOMPRESS = {"gzip": gzip.decompress, "deflate": zlib.decompress, "br": brotli.decompress, "zstd": zstd.decompress}
EACH = pytest.mark.parametrize("coding", COMPRESS)


def decoded(codings, chunks):
    engine = decoder(codings)
    pieces = [piece for chunk in chunks for piece in engine.feed(chunk)]
    return b"".join([*pieces, *engine.finish()])


def encoded(codings, chunks):
    engine = encoder(codings)
    pieces = [piece for chunk in chunks for piece in engine.feed(chunk)]
    return b"".join([*pieces, *engine.finish()])


def in_pieces(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


@EACH
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_body_is_read_and_written(coding, size):
    """However it is cut, what others pack is unpacked, and others unpack what is packed."""
    assert decoded([coding], in_pieces(COMPRESS[coding](PAGE), size)) == PAGE
    assert DECOMPRESS[coding](encoded([coding], in_pieces(PAGE, max(size, 500)))) == PAGE


@EACH
def test_each_chunk_arrives(coding):
    """A page that is sent in parts is read in parts, on either side."""
    packer, unpacker = encoder([coding]), decoder([coding])
    for part in (b"<p>one", b"<p>two", b"<p>three"):
        assert b"".join(piece for chunk in packer.feed(part) for piece in unpacker.feed(chunk)) == part
    assert b"".join(packer.feed(b"")) == b""


@EACH
def test_empty_body(coding):
    """One of no bytes is one."""
    assert DECOMPRESS[coding](encoded([coding], [])) == b""
    assert decoded([coding], [COMPRESS[coding](b"")]) == b""


@pytest.mark.parametrize("codings", [("gzip", "gzip"), ("deflate", "br"), ("zstd", "gzip", "deflate")])
def test_several_codings(codings):
    """In the order in which they were applied."""
    body = PAGE
    for coding in codings:
        body = COMPRESS[coding](body)
    assert decoded(codings, in_pieces(body, 99)) == PAGE
    assert decoded(codings, [encoded(codings, [PAGE])]) == PAGE


def test_deflate_without_its_frame():
    """Some servers have always sent it so, and browsers read it."""
    for size in (1, 1000):
        assert decoded(["deflate"], in_pieces(raw_deflate(PAGE), size)) == PAGE


@pytest.mark.parametrize("size", [1, 5, 1 << 20])
def test_several_members_and_what_follows(size):
    """gzip members follow one another; what is no member is no part of the body."""
    body = gzip.compress(b"one") + gzip.compress(b"two")
    assert decoded(["gzip"], in_pieces(body, size)) == b"onetwo"
    for rest in (b"\0\0\0", b"rubbish", b"\x1frubbish"):
        assert decoded(["gzip"], in_pieces(body + rest, size)) == b"onetwo"
    assert decoded(["deflate"], in_pieces(zlib.compress(b"one") + b"rest", size)) == b"one"
    frames = zstd.compress(b"one") + zstd.compress(b"two")
    assert decoded(["zstd"], in_pieces(frames, size)) == b"onetwo"


@EACH
def test_bomb_is_unpacked_in_small_pieces(coding):
    """Nothing in it makes the memory grow."""
    bomb = COMPRESS[coding](bytes(30_000_000))
    sizes = [len(piece) for piece in decoder([coding]).feed(bomb)]
    assert (sum(sizes), max(sizes) < 1 << 18) == (30_000_000, True)


@EACH
@pytest.mark.parametrize("cut", [0, 1, 2, 5, -1])
def test_body_that_is_not_whole(coding, cut):
    """Is told from one that is."""
    with pytest.raises(CodingError):
        decoded([coding], [COMPRESS[coding](PAGE)[:cut]])


@EACH
@given(st.binary(min_size=20, max_size=80))
def test_rubbish(coding, body):
    """Raises nothing else, and never gives what was sent."""
    try:
        assert body not in decoded([coding], [body])
    except CodingError:
        pass


@pytest.mark.parametrize(
    ("values", "codings"),
    [
        ([], ()),
        (["gzip"], ("gzip",)),
        (["X-GZIP , Identity", "br"], ("gzip", "br")),
        (["hologram, zstd,,"], ("zstd",)),
        (["compress"], ("compress",)),
    ],
)
def test_field(values, codings):
    """Several fields are one list; what browsers do not know, they ignore."""
    assert parse_codings(values) == codings


def test_what_can_be_read(monkeypatch):
    """Of what a library is needed for, an error can say which extra has it."""
    assert readable(["gzip", "deflate", "br", "zstd"])
    assert not readable(["compress"])
    assert not readable(["gzip"] * 6)
    monkeypatch.setattr(_codings, "importlib", None)
    assert missing_extra(["br"]) == "privguard[compress]"
    assert missing_extra(["compress"]) is missing_extra(["gzip"] * 6) is None


def test_without_the_libraries(monkeypatch):
    """br and zstd are not read, and not asked for."""

    class Nothing:
        @staticmethod
        def import_module(name):
            raise ImportError(name)

    monkeypatch.setattr(_codings, "importlib", Nothing)
    assert [coding for coding in COMPRESS if readable([coding])] == ["gzip", "deflate"]
    assert acceptable("gzip, deflate, br, zstd") == "gzip, deflate"


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ("", ""),
        ("gzip, deflate", "gzip, deflate"),
        ("gzip;q=1.0, identity; q=0.5, *;q=0", "gzip;q=1.0, identity; q=0.5"),
        ("compress, X-GZIP", "X-GZIP"),
        ("dcb, dcz", "identity"),
        ("*", "identity"),
        ("gzip, br, zstd", "gzip, br, zstd"),
    ],
)
def test_what_a_request_may_ask_for(asked, left):
    """RFC 9110 §12.5.3: what cannot be read is left out, and nobody is asked for anything."""
    assert acceptable(asked) == left
