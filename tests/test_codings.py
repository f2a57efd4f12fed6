"""Tests of content codings (RFC 9110 §8.4): read and written as bodies stream."""

from __future__ import annotations

import gzip
import random
import sys
import types
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


def outcome(coding, chunks):
    try:
        return decoded([coding], chunks)
    except CodingError:
        return "broken"


@pytest.fixture
def no_libraries(monkeypatch):
    """Nothing of the extra is installed."""
    for name in ("brotli", "brotlicffi", "compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    _codings._library.cache_clear()
    yield
    _codings._library.cache_clear()


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
    assert b"".join(packer.feed(b"")) == b"".join(unpacker.feed(b"")) == b""


@EACH
def test_cut_at_every_point(coding):
    """Where the network cuts a body is nothing to its reader."""
    body = COMPRESS[coding](bytes(range(256)) + PAGE[:300])
    for at in range(len(body) + 1):
        assert decoded([coding], [body[:at], b"", body[at:], b""]) == bytes(range(256)) + PAGE[:300]


@given(st.lists(st.sampled_from(list(COMPRESS)), max_size=5), st.lists(st.binary(max_size=300)))
def test_any_body_in_any_codings(codings, chunks):
    """What is packed is unpacked, and others unpack it, too."""
    body = packed = b"".join(chunks)
    assert decoded(codings, in_pieces(encoded(codings, chunks), 77)) == body
    for coding in codings:
        packed = COMPRESS[coding](packed)
    assert decoded(codings, in_pieces(packed, 77)) == body


@EACH
def test_page_is_packed_the_same_each_time(coding):
    """No clock is in it: gzip's MTIME is 0 (RFC 1952 §2.3.1), and two visitors get the same bytes."""
    assert encoded([coding], [PAGE]) == encoded([coding], [PAGE])
    assert encoded(["gzip"], [PAGE])[4:8] == bytes(4)


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


def test_end_of_a_body_that_has_been_read_before_it_is_unpacked():
    """A byte of DEFLATE may stand for a thousand: the last ones wait in zlib, and have no byte behind them."""
    for length in range(65536, 65536 + 1200, 7):
        body = raw_deflate(bytes(length))
        assert decoded(["deflate"], [body]) == decoded(["deflate"], in_pieces(body, 1)) == bytes(length)


def test_gzip_header_with_every_field():
    """RFC 1952 §2.3: FEXTRA, FNAME, FCOMMENT and FHCRC."""
    header = b"\x1f\x8b\x08\x1e\x01\x02\x03\x04\x00\x03" + b"\x03\x00abc" + b"name\0" + b"comment\0"
    header += (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little")
    trailer = zlib.crc32(PAGE).to_bytes(4, "little") + len(PAGE).to_bytes(4, "little")
    for size in (1, 1 << 20):
        assert decoded(["gzip"], in_pieces(header + raw_deflate(PAGE) + trailer, size)) == PAGE


ONE, TWO = b"one one one", b"two"
SKIPPABLE = b"\x50\x2a\x4d\x18\x02\0\0\0ab"  # RFC 8878 §3.1.2


@pytest.mark.parametrize(
    ("coding", "body", "read"),
    [
        # RFC 1952 §2.2; Chromium and Firefox stop after the first member.
        ("gzip", gzip.compress(ONE) + gzip.compress(TWO), ONE + TWO),
        ("gzip", gzip.compress(b"") + gzip.compress(TWO), TWO),
        ("gzip", gzip.compress(ONE) + gzip.compress(TWO)[:-1], "broken"),
        # The rest is as both browsers have it.
        ("gzip", gzip.compress(ONE) + b"rubbish", ONE),
        ("gzip", gzip.compress(ONE) + b"\x1f", ONE),
        ("gzip", gzip.compress(ONE) + b"\x1frubbish", ONE),
        ("gzip", gzip.compress(ONE) + bytes(9) + gzip.compress(TWO), ONE),
        ("gzip", zlib.compress(ONE), "broken"),
        ("gzip", raw_deflate(ONE), "broken"),
        ("gzip", b"<p>plain", "broken"),
        ("deflate", zlib.compress(ONE) + b"rubbish", ONE),
        ("deflate", zlib.compress(ONE) + zlib.compress(TWO), ONE),
        ("deflate", zlib.compress(ONE)[:-4] + b"ABCD", "broken"),
        ("deflate", b"x\x9c" + b"\xff" * 9, "broken"),
        ("deflate", gzip.compress(ONE), "broken"),
        ("deflate", b"<p>plain", "broken"),
        ("br", b"<p>plain", "broken"),
        ("zstd", zstd.compress(ONE) + zstd.compress(TWO), ONE + TWO),
        ("zstd", SKIPPABLE + zstd.compress(ONE) + SKIPPABLE, ONE),
        ("zstd", SKIPPABLE, b""),
        ("zstd", zstd.compress(ONE) + b"rubbish", "broken"),
        ("zstd", b"<p>plain", "broken"),
        # The library allows what browsers ignore nowhere.
        ("br", brotli.compress(ONE) + b"rubbish", "broken"),
    ],
)
def test_several_members_and_what_follows(coding, body, read):
    """Is read as browsers read it, or not at all, and the same however it is cut."""
    for at in range(len(body)):
        assert outcome(coding, [body[:at], body[at:]]) == read
    assert outcome(coding, in_pieces(body, 1)) == read


@pytest.mark.parametrize(("log", "is_read"), [(23, True), (24, False), (27, False)])
def test_window_of_zstd(log, is_read):
    """RFC 9659 §3: 8 MiB at most, here and in browsers."""
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: log})
    body = packer.compress(PAGE, packer.FLUSH_BLOCK) + packer.flush()
    assert outcome("zstd", [body]) == (PAGE if is_read else "broken")


@EACH
def test_bomb_is_unpacked_in_small_pieces(coding):
    """A hundred megabytes of zeros never are in the memory."""
    bomber = encoder([coding])
    bomb = b"".join(piece for _ in range(100) for piece in bomber.feed(bytes(1_000_000)))
    sizes = [len(piece) for piece in decoder([coding]).feed(bomb)]
    assert (sum(sizes), max(sizes) <= 1 << 17) == (100_000_000, True)


@EACH
def test_large_chunk_is_packed_in_small_pieces(coding):
    """An app may hand out a whole file as one."""
    rubbish = random.Random(1).randbytes(1_000_000)
    pieces = list(encoder([coding]).feed(rubbish))
    assert max(map(len, pieces)) < 1 << 17
    assert b"".join(decoder([coding]).feed(b"".join(pieces))) == rubbish


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
    assert body not in (outcome(coding, [body]), outcome(coding, in_pieces(body, 1)))


@EACH
@given(st.data())
def test_damaged_body(coding, data):
    """Is the same, or broken, however it is cut."""
    body = bytearray(COMPRESS[coding](ONE * 3) + data.draw(st.sampled_from([b"", COMPRESS[coding](TWO), b"\0"])))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    sizes = data.draw(st.integers(1, 9))
    assert outcome(coding, in_pieces(bytes(body), sizes)) == outcome(coding, [bytes(body)])


@pytest.mark.parametrize(
    ("values", "codings"),
    [
        ([], ()),
        (["gzip"], ("gzip",)),
        (["X-GZIP , Identity", "br"], ("gzip", "br")),
        (["hologram, zstd,,"], ("zstd",)),
        (["gzip x", "br\tgzip"], ("gzip", "br", "gzip")),  # Firefox reads these as gzip, and so on
        (["gzip;q=1", '"gzip"', "\xa0gzip", "\x0bgzip", "x-deflate", "none", ""], ()),
        (["compress"], ("compress",)),
    ],
)
def test_field(values, codings):
    """Several fields are one list; what browsers do not know, they ignore."""
    assert parse_codings(values) == codings


def test_what_can_be_read():
    """At most five codings, of those that there are libraries for."""
    assert readable([])
    assert readable(["gzip", "deflate", "br", "zstd", "gzip"])
    assert not readable(["compress"])
    assert not readable(["dcb"])
    assert not readable(["gzip"] * 6)


def test_without_the_libraries(no_libraries):
    """br and zstd are not read, and not asked for; an error can say which extra has what is missing."""
    assert [coding for coding in COMPRESS if readable([coding])] == ["gzip", "deflate"]
    assert acceptable("gzip, deflate, br, zstd") == "gzip, deflate"
    assert missing_extra(["gzip", "br"]) == missing_extra(["zstd"]) == "privguard[compress]"
    assert missing_extra(["br", "compress"]) is missing_extra(["br"] * 6) is None


def test_library_that_cannot_stop(no_libraries, monkeypatch):
    """brotli before 1.2 unpacks a bomb at once: it is as good as none."""
    monkeypatch.setitem(sys.modules, "brotli", types.SimpleNamespace(Decompressor=type("Decompressor", (), {})))
    assert not readable(["br"])
    assert acceptable("gzip, br") == "gzip"


def test_second_library(no_libraries, monkeypatch):
    """brotlicffi has the same interface as brotli."""
    monkeypatch.setitem(sys.modules, "brotlicffi", brotli)
    assert decoded(["br"], [encoded(["br"], [PAGE])]) == PAGE


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
        ("compress, gzip", "gzip"),  # the examples of RFC 9110 §12.5.3
        ("compress;q=0.5, gzip;q=1.0", "gzip;q=1.0"),
        ("GZip ;q=0.3,BR;Q=1 ,, Zstd", "GZip ;q=0.3, BR;Q=1, Zstd"),
        ("br;q=0, identity;q=0", "br;q=0, identity;q=0"),
        ("gzip x, dcz;q=1, *;q=0.1", "identity"),
    ],
)
def test_what_a_request_may_ask_for(asked, left):
    """RFC 9110 §12.5.3: what cannot be read is left out, and nobody is asked for anything."""
    assert acceptable(asked) == left
