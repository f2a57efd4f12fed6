"""``privguard demo``: one careless site served twice, bare and guarded, and what a browser gets from each."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
from collections.abc import Iterator

from ..wsgi import PrivacyMiddleware
from ._listening import free_or_any, listen
from ._sites import LOOPBACK, DemoServer, example, third_party
from ._stop import WrongUse, until_told_to_stop
from ._visit import TOUR, Visit, visit

FIRST_PORT = 8000
# A browser keeps cookies by host, whatever the port: with two names, neither site sees the other's cookies. Browsers
# look up no name that ends in ".localhost": it is this machine (RFC 6761 §6.3).
HOSTS = {"bare": LOOPBACK, "guarded": "localhost", "elsewhere": "elsewhere.localhost"}


def demo(*, port: int | None, once: bool) -> int:
    """Serve the sites, print the table and, unless it is for *once*, serve on until Ctrl-C."""
    with contextlib.ExitStack() as stack:
        bare, guarded, elsewhere = _sites(port, stack)
        stack.enter_context(_owner_log_is_quiet())
        for site in (bare, guarded):
            site.start()
            stack.callback(site.shutdown)
        print(report(bare, guarded, visit(bare), visit(guarded), has_colour=_has_colour()), flush=True)
        if not once:
            print("Both are served until you press Ctrl-C. Their access logs follow.\n", flush=True)
            _serve_on(bare, guarded, elsewhere)
    return 0


def _sites(port: int | None, stack: contextlib.ExitStack) -> list[DemoServer]:
    servers = []
    for number, (name, host) in enumerate(HOSTS.items()):
        listener = _listener(port, number)
        servers.append(stack.enter_context(DemoServer(name, host, listener)))
    bare, guarded, elsewhere = servers
    site = example()
    origin = elsewhere.origin
    bare.set_app(site.create_app(bare=True, elsewhere=origin))
    guarded.set_app(PrivacyMiddleware(site.create_app(bare=True, elsewhere=origin), site.SETTINGS))
    elsewhere.set_app(third_party())
    return servers


def _listener(port: int | None, number: int) -> socket.socket:
    if port is None:
        return free_or_any(LOOPBACK, FIRST_PORT + number)
    if port + len(HOSTS) - 1 > 65535:
        raise WrongUse("the demo takes three ports in a row; type: privguard demo --port 8000")
    return listen(
        LOOPBACK, port + number if port else 0, instead=lambda: "privguard demo, which takes ports that are free"
    )


@contextlib.contextmanager
def _owner_log_is_quiet() -> Iterator[None]:
    """Keep privguard's advice to owners out of the demo, and its failures in."""
    log = logging.getLogger("privguard")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _serve_on(*sites: DemoServer) -> None:
    """Serve until Ctrl-C, and show the access logs of all sites but the last."""
    *logged, last = sites
    handlers = [(site.log, _shown_log(site.name)) for site in logged]
    for log, handler in handlers:
        log.addHandler(handler)
    try:
        with until_told_to_stop():
            last.serve_forever(poll_interval=0.1)  # in the main thread, which is the one that Ctrl-C reaches
    finally:
        for log, handler in handlers:
            log.removeHandler(handler)


def _shown_log(name: str) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(f"%(asctime)s {name:<7} %(message)s", "%H:%M:%S"))
    return handler


# ── the report ───────────────────────────────────────────────────────────────────────────────────────────────────────

_COLUMNS = (("cookies kept", "after the visit"), ("third-party", "hosts admitted"), ("log lines for", "/favicon.ico"))
_RED, _GREEN, _BOLD = "31", "32", "1"


def report(bare: DemoServer, guarded: DemoServer, of_bare: Visit, of_guarded: Visit, *, has_colour: bool) -> str:
    """Return the addresses, the table, and what the counts are made of; 80 columns wide at most."""

    def paint(text: str, colour: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if has_colour else text

    def row(name: str, seen: Visit) -> str:
        cells = [paint(f"{count:>17}", _RED if count else _GREEN) for count in seen.counts]
        return f"  {name:<8}{''.join(cells)}"

    head = [f"  {'':<8}" + "".join(f"{column[line]:>17}" for column in _COLUMNS) for line in (0, 1)]
    width = max(len(site.origin) for site in (bare, guarded)) + 1
    lines = [
        "The same careless chat site twice, on this machine alone:",
        "",
        f"  bare      {paint(f'{bare.origin}/'.ljust(width), _BOLD)}   as it is",
        f"  guarded   {paint(f'{guarded.origin}/'.ljust(width), _BOLD)}   behind privguard, its code unchanged",
        "",
        f"What a browser gets from each, measured just now on {len(TOUR)} addresses and the icon:",
        "",
        *(paint(line, _BOLD) for line in head),
        f"  {'-' * 59}",
        row("bare", of_bare),
        row("guarded", of_guarded),
        "",
        *_details("bare", of_bare),
        *_details("guarded", of_guarded),
    ]
    return "\n".join(lines)


def _details(name: str, seen: Visit) -> list[str]:
    """What the counts are made of: nothing, where there is nothing."""
    lines = [f"    cookie        {cookie} ({attributes})" for cookie, attributes in seen.cookies.items()]
    lines += [f"    third party   {host} ({', '.join(kinds)})" for host, kinds in seen.hosts.items()]
    lines += [f"    log line      {line}" for line in seen.log_lines]
    return [f"  What the {name} site leaves behind:", *lines, ""] if lines else []


def _has_colour() -> bool:
    # https://no-color.org
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
