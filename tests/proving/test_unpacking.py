"""Tests of what is compressed in some bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard.proving import _unpacking as unpacking
from privguard.proving._unpacking import unpacked

TEXT = b"What a child has typed, and what should be gone. " * 20


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("diary.txt", content)
    return file.getvalue()


PACKED = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zip": zipped,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("before", [b"", b"PK and other bytes: x^2 "])
def test_member_wherever_it_begins(kind, before):
    """A member of each format is read, alone and in the middle of a file."""
    assert (kind, TEXT) in list(unpacked(before + PACKED[kind](TEXT) + b"and more"))


@pytest.mark.parametrize("level", range(10))
def test_zlib_at_every_level(level):
    """The second byte tells the level, and is looked for in all four kinds (RFC 1950 §2.2)."""
    assert list(unpacked(zlib.compress(TEXT, level))) == [("zlib", TEXT)]


def test_members_one_after_the_other():
    """A log that was compressed again and again is read to its end."""
    assert list(unpacked(gzip.compress(b"first") + gzip.compress(b"second"))) == [
        ("gzip", b"first"),
        ("gzip", b"second"),
    ]


@pytest.mark.parametrize("kind", ["gzip", "zlib"])
def test_member_that_breaks_off(kind):
    """What was written until then is read."""
    noise = bytes(range(256)) * 2000
    ((found, content),) = list(unpacked(PACKED[kind](noise)[:-20]))[:1]
    assert found == kind
    assert content and noise.startswith(content)


def test_member_that_is_damaged():
    """What was before the damage is read."""
    packed = bytearray(gzip.compress(bytes(zlib.crc32(b"%d" % one) & 255 for one in range(500_000))))
    packed[-100_000:-90_000] = bytes(10_000)
    ((kind, content), *_) = unpacked(bytes(packed))
    assert kind == "gzip" and len(content) > 100_000


def test_bomb_ends_at_the_limit(monkeypatch):
    """A small file cannot fill the memory."""
    monkeypatch.setattr(unpacking, "LARGEST", 1000)
    assert list(unpacked(gzip.compress(bytes(1_000_000)))) == [("gzip", bytes(1000))]


def test_beginning_without_a_content():
    """An empty member, and what only begins like one, give nothing."""
    assert (
        list(unpacked(gzip.compress(b"") + b"x\x9c no zlib, PK\x03\x04 no ZIP, BZh91AY&SY, \xfd7zXZ\x00 no xz")) == []
    )


@given(st.binary(), st.sampled_from([b"\x1f\x8b\x08", b"x\x9c", b"PK\x03\x04", b"BZh91AY&SY", b"\xfd7zXZ\x00"]))
def test_any_bytes_are_read_without_an_error(data, beginning):
    """Whatever follows."""
    assert all(content for _, content in unpacked(beginning + data))
