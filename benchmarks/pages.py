"""How fast pages pass the scrubber, in MB/s of CPU time.

Usage: python benchmarks/pages.py [--json] [--hostile]

In process, no sockets. The made pages are of 30 KiB and 1 MiB, with about 32,000 tags a MiB, and a head like that of a
real site; with and without ten tags that would contact third parties; in one chunk and in chunks of 64 KiB. The fastest
of many runs counts. With --hostile: nanoseconds a byte for a megabyte of what nobody writes, beside a friendly page.
"""

from __future__ import annotations

import argparse
import json
import platform
import time

from privguard._documents import DocumentScrubber, Kind
from privguard._elements import View
from privguard._references import Page

KIB, MIB = 1 << 10, 1 << 20
CPU_TIME = 400_000_000  # nanoseconds for each case
VIEW = View(Page({"site.example"}, lambda directive, url: False))
TYPES = ["text/html; charset=utf-8"]

HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Window seat</title>
<meta name="viewport" content="width=device-width"><link rel="canonical" href="https://site.example/boards/window-seat">
<link rel="stylesheet" href="/static/site.css"><script src="/static/site.js" defer></script></head><body>
<header><form action="/search"><input name="q"><button>Search</button></form></header><main>
"""
ITEM = """<article class="card row-{number}" id="c{number}"><h2><a href="/item/{number}">Item number {number}</a></h2>
<p>Some text that is here for reading, with <b>bold</b> &amp; more, and then some more of it: it's what a page is for.
A page of a real site has a sentence or two between its tags.</p><img src="/i/{number}.png" alt="An image of something">
<a class="ext" href="https://elsewhere.example/{number}?a=1&amp;b=2">more about this</a></article>
"""
THIRD_PARTY = [
    '<link rel="preconnect" href="https://fonts.example">',
    '<link rel="dns-prefetch" href="//cdn.example">',
    '<link rel="stylesheet" href="https://fonts.example/css?family=A">',
    '<script src="https://cdn.example/a.js" async></script>',
    '<iframe src="https://video.example/embed/1" width="560" height="315"></iframe>',
    '<form action="https://list.example/subscribe" method="post"></form>',
    '<a href="/next" ping="https://count.example/p">next</a>',
    '<meta http-equiv="refresh" content="600; url=https://ads.example/">',
    '<link rel="icon" href="https://cdn.example/icon.png">',
    '<object data="https://media.example/x"></object>',
]
HOSTILE = ["<!--", "<a ", '"', "<script", "<script>", "<link ", "<link>", "=", '="', "<svg><style>", "<noscript>", "\0"]


def made_page(size: int, third_party: list[str]) -> bytes:
    """A page of about *size* bytes, the tags of *third_party* spread over it."""
    count = max(1, (size - len(HEAD)) // len(ITEM))
    items = [ITEM.format(number=number) for number in range(count)]
    for number, tag in enumerate(third_party):
        items.insert(number * count // len(third_party), tag)
    return (HEAD + "".join(items) + "</main></body></html>").encode()


def nanoseconds(page: bytes, chunk: int) -> float:
    """The fastest of many runs."""
    chunks = [page[at : at + chunk] for at in range(0, len(page), chunk)]
    best, spent = float("inf"), 0
    while spent < CPU_TIME:
        begin = time.process_time_ns()
        scrubber = DocumentScrubber(Kind.HTML, TYPES, VIEW)
        for one in chunks:
            scrubber.feed(one)
        scrubber.finish()
        taken = time.process_time_ns() - begin
        best, spent = min(best, taken), spent + taken
    return best


def speeds() -> dict[str, float]:
    """MB/s of each case."""
    found = {}
    for size, name in ((30 * KIB, "30 KiB"), (MIB, "1 MiB")):
        for third_party, which in (([], "none"), (THIRD_PARTY, "ten")):
            page = made_page(size, third_party)
            for chunk in (len(page), 64 * KIB):
                case = f"{name}, {which} of third parties, in {'one chunk' if chunk == len(page) else '64 KiB'}"
                found[case] = len(page) / nanoseconds(page, chunk) * 1000
    return found


def hostile() -> dict[str, float]:
    """Nanoseconds a byte of each case."""
    pages = {"a friendly page": made_page(MIB, [])}
    pages |= {piece: (piece * (MIB // len(piece))).encode() for piece in HOSTILE}
    return {name: nanoseconds(page, 64 * KIB) / len(page) for name, page in pages.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--hostile", action="store_true", help="measure hostile input")
    options = parser.parse_args()
    results = hostile() if options.hostile else speeds()
    unit = "nanoseconds_a_byte" if options.hostile else "megabytes_a_second"
    if options.json:
        print(json.dumps({"python": platform.python_version(), unit: results}, indent=1))
        return
    print(f"Python {platform.python_version()}: {unit.replace('_', ' ')}")
    for name, value in results.items():
        print(f"{name!r:52} {value:8.1f}")


if __name__ == "__main__":
    main()
