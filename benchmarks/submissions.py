"""How fast the bodies of submissions are read for their fields: MB/s, and microseconds for a form of 1 KiB.

Usage: python benchmarks/submissions.py [--json]

In process, no sockets, CPU time; bodies of 4 MiB in chunks of 64 KiB; the fastest of many runs counts.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import random
import time
from collections import deque
from urllib.parse import urlencode

from privguard._forms import fields_reader
from privguard._pairs import query_fields

CHUNK = 1 << 16
SIZE = 1 << 22  # bytes of a large body
CPU_TIME = 400_000_000  # nanoseconds for each case
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=----WebKitFormBoundaryx7MA4YWxkTrZu0gW"
SEED = 4

PERSON = {
    "id": 17,
    "name": "Ann Example",
    "tags": ["a", "b"],
    "address": {"city": "Berlin", "zip": "10115"},
    "ok": True,
}
FORM = [(f"field_number_{number}", f"the value of {number} is this & that") for number in range(20)]


def part(name: str, value: bytes, more: str = "") -> bytes:
    """One part with its delimiter."""
    head = f'------WebKitFormBoundaryx7MA4YWxkTrZu0gW\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + value + b"\r\n"


def multipart(*parts: bytes) -> bytes:
    """A whole form."""
    return b"".join(parts) + b"------WebKitFormBoundaryx7MA4YWxkTrZu0gW--\r\n"


def large_bodies() -> dict[str, tuple[str, str, bytes]]:
    """Content type, coding and body of each case."""
    noise = random.Random(SEED).randbytes(SIZE)
    people = json.dumps([PERSON] * (SIZE // len(json.dumps(PERSON)))).encode()
    fields = "&".join([urlencode(FORM)] * (SIZE // len(urlencode(FORM)))).encode()
    return {
        "multipart, a file of noise": (MULTIPART, "", multipart(part("file", noise, '; filename="a.bin"'))),
        "multipart, a file of lines": (
            MULTIPART,
            "",
            multipart(part("f", b"ab,cd\r\n" * (SIZE // 7), '; filename="b"')),
        ),
        "multipart, many fields": (MULTIPART, "", multipart(*[part("name", b"a value")] * (SIZE // 100))),
        "urlencoded, many fields": (URLENCODED, "", fields),
        "urlencoded, one value": (URLENCODED, "", b"text=" + b"a" * SIZE),
        "text/plain, many lines": ("text/plain", "", b"name=some value\r\n" * (SIZE // 17)),
        "JSON, records": ("application/json", "", people),
        "JSON, records in gzip": ("application/json", "gzip", gzip.compress(people)),
        "JSON, one string": ("application/json", "", b'{"text": "' + b"a" * SIZE + b'"}'),
        "JSON, a string of escapes": ("application/json", "", b'{"text": "' + b"\\u00e9" * (SIZE // 6) + b'"}'),
        "JSON, numbers": ("application/json", "", b"[" + b"12.5, " * (SIZE // 6) + b"0]"),
        "JSON, open brackets": ("application/json", "", b"[" * SIZE),
        "JSON, nested objects": ("application/json", "", b'{"a":' * (SIZE // 5)),
    }


def read(content_type: str, coding: str, chunks: list[bytes]) -> None:
    """Read a body as the middleware does."""
    reader = fields_reader(content_type, coding)
    assert reader is not None
    for chunk in chunks:
        deque(reader.feed(chunk), maxlen=0)
    deque(reader.finish(), maxlen=0)


def nanoseconds(work: object, *arguments: object) -> float:
    """The fastest of many runs."""
    best, spent = float("inf"), 0
    while spent < CPU_TIME:
        begin = time.process_time_ns()
        work(*arguments)  # type: ignore[operator]
        taken = time.process_time_ns() - begin
        best, spent = min(best, taken), spent + taken
    return best


def speeds() -> dict[str, float]:
    """MB/s of each large body; of a packed one, of what it contains."""
    found = {}
    for name, (content_type, coding, body) in large_bodies().items():
        chunks = [body[at : at + CHUNK] for at in range(0, len(body), CHUNK)]
        size = len(gzip.decompress(body)) if coding else len(body)
        found[name] = size / nanoseconds(read, content_type, coding, chunks) * 1000
    return found


def small() -> dict[str, float]:
    """Microseconds of each body of about 1 KiB."""
    form = urlencode(FORM).encode()
    # A browser makes a new boundary for each form: Werkzeug compiles two patterns for each.
    parts = multipart(*(part(name, value.encode()) for name, value in FORM[:8]))
    stem, number = MULTIPART[:-16], iter(range(10**15, 10**16))

    def read_next_form() -> None:
        boundary = str(next(number)).encode()
        read(stem + boundary.decode(), "", [parts.replace(MULTIPART[-16:].encode(), boundary)])

    return {
        f"urlencoded, 20 fields, {len(form)} bytes": nanoseconds(read, URLENCODED, "", [form]) / 1000,
        "the same as a query": nanoseconds(query_fields, form) / 1000,
        f"multipart, 8 fields, {len(parts)} bytes": nanoseconds(read_next_form) / 1000,
        "JSON, 8 records": nanoseconds(read, "application/json", "", [json.dumps([PERSON] * 8).encode()]) / 1000,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    results = {"megabytes_a_second": speeds(), "microseconds": small()}
    if options.json:
        print(json.dumps({"python": platform.python_version(), **results}, indent=1))
        return
    for unit, values in results.items():
        print(f"Python {platform.python_version()}: {unit.replace('_', ' ')}")
        for name, value in values.items():
            print(f"{name:42} {value:9.1f}")


if __name__ == "__main__":
    main()
