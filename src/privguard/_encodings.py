"""Documents whose letters are more or less than a byte (Encoding standard §12.2, §14): UTF-16 and ISO-2022-JP.

For the scrubber within, each letter is one byte: what it changes is changed where that letter is written.
"""

from __future__ import annotations

import re
from collections import deque

from ._scrubber import Removal, Scrubber

UTF_16 = {
    **dict.fromkeys(
        ("utf-16", "utf-16le", "unicode", "ucs-2", "iso-10646-ucs-2", "csunicode", "unicodefeff"), "little"
    ),
    **dict.fromkeys(("utf-16be", "unicodefffe"), "big"),
}
"""From the labels of UTF-16 to the order of its bytes."""
ISO_2022_JP = frozenset({"iso-2022-jp", "csiso2022jp"})
ESCAPE = b"\x1b"

_SEQUENCE = re.compile(rb"\x1b(?:\([BJI]|\$[@B])")
_PARTIAL_SEQUENCE = re.compile(rb"\x1b[($]?\Z")
_TO_ASCII = (b"\x1b(B", b"\x1b(J")
_OTHER = b"\xff"  # stands for every letter that is none of Latin-1: in no tag does one mean anything


class Wide:
    """Scrubs a document in UTF-16."""

    def __init__(self, inner: Scrubber, order: str) -> None:
        self._inner = inner
        self._order = order
        self._given = b""
        """What has not left yet."""
        self._fed = 0
        """How much of that the scrubber has been given."""

    @property
    def removed(self) -> list[Removal]:
        """What was taken out so far."""
        return self._inner.removed

    def feed(self, chunk: bytes) -> bytes:
        """Return what is settled by now."""
        self._given += chunk
        whole = len(self._given) // 2 * 2
        fed, self._fed = self._fed, whole
        return self._leave(self._inner.feed(narrow(self._given[fed:whole], self._order)))

    def finish(self) -> bytes:
        """Return what is left, of which the last may be half a letter."""
        return self._leave(self._inner.finish()) + self._given

    def _leave(self, scrubbed: bytes) -> bytes:
        size = 2 * len(scrubbed)
        leaving, self._given = self._given[:size], self._given[size:]
        self._fed -= size
        seen = narrow(leaving, self._order)
        if seen == scrubbed:
            return leaving
        changed = bytearray(leaving)
        low = 0 if self._order == "little" else 1
        for at, (old, new) in enumerate(zip(seen, scrubbed)):
            if old != new:
                changed[2 * at + low] = new
                changed[2 * at + 1 - low] = 0
        return bytes(changed)


def narrow(wide: bytes, order: str) -> bytes:
    """Return one byte for each UTF-16 unit: its own where it is Latin-1, and 0xFF for all others."""
    low, high = (wide[0::2], wide[1::2]) if order == "little" else (wide[1::2], wide[0::2])
    return low if not any(high) else bytes(0xFF if above else byte for byte, above in zip(low, high))


class Escaped:
    """Scrubs a document in ISO-2022-JP, whose escape sequences say whether what follows is ASCII, and are nothing."""

    def __init__(self, inner: Scrubber) -> None:
        self._inner = inner
        self._partial = b""
        self._is_ascii = True
        self._is_behind_sequence = False
        self._letters = b""
        """What the scrubber was given and has not left, as it is written."""
        self._seen = b""
        """The same, as the scrubber sees it."""
        self._read_so_far = 0
        self._left_so_far = 0
        self._sequences: deque[tuple[int, bytes]] = deque()
        """Those that have not left, and before which letter of the document they stand."""

    @property
    def removed(self) -> list[Removal]:
        """What was taken out so far."""
        return self._inner.removed

    def feed(self, chunk: bytes) -> bytes:
        """Return what is settled by now."""
        data = self._partial + chunk
        partial = _PARTIAL_SEQUENCE.search(data, max(0, len(data) - 2))
        end = partial.start() if partial else len(data)
        self._partial = data[end:]
        return self._leave(self._inner.feed(self._read(data[:end])))

    def finish(self) -> bytes:
        """Return what is left."""
        rest = self._inner.feed(self._read(self._partial))
        return self._leave(rest + self._inner.finish())

    def _read(self, data: bytes) -> bytes:
        """Return what the scrubber sees of *data*."""
        letters: list[bytes] = []
        seen: list[bytes] = []
        at = 0
        for match in _SEQUENCE.finditer(data):
            self._take(data[at : match.start()], letters, seen)
            self._is_ascii = match[0] in _TO_ASCII
            if self._is_behind_sequence:  # of two that follow one another the second is an error, which shows
                self._take(match[0], letters, seen, _OTHER * len(match[0]))
            else:
                self._sequences.append((self._read_so_far, match[0]))
            self._is_behind_sequence = True
            at = match.end()
        self._take(data[at:], letters, seen)
        shown = b"".join(seen)
        self._letters += b"".join(letters)
        self._seen += shown
        return shown

    def _take(self, piece: bytes, letters: list[bytes], seen: list[bytes], shown: bytes | None = None) -> None:
        if piece:
            self._is_behind_sequence = False
            self._read_so_far += len(piece)
            letters.append(piece)
            seen.append(shown or (piece if self._is_ascii else _OTHER * len(piece)))

    def _leave(self, scrubbed: bytes) -> bytes:
        size = len(scrubbed)
        leaving, self._letters = self._letters[:size], self._letters[size:]
        seen, self._seen = self._seen[:size], self._seen[size:]
        if seen != scrubbed:
            leaving = bytes(new if new != old else letter for letter, old, new in zip(leaving, seen, scrubbed))
        parts: list[bytes] = []
        at = 0
        while self._sequences and self._sequences[0][0] <= self._left_so_far + size:
            before, sequence = self._sequences.popleft()
            parts += [leaving[at : before - self._left_so_far], sequence]
            at = before - self._left_so_far
        self._left_so_far += size
        return b"".join([*parts, leaving[at:]])
