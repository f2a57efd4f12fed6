"""What privguard adds to a request, in microseconds, beside a hand-written closure that appends the same headers.

Usage: python benchmarks/request.py [--json]

In process, no sockets: a page of 1 KiB with eight headers, of which two are cookies (one session, one persistent).
Each contender runs in turn in short batches; the fastest batch counts, as CPU time, less the bare app's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import platform
import time
from collections.abc import Callable, Iterable
from typing import Any

from privguard import Policy
from privguard._headers import TEXT
from privguard.asgi import PrivacyMiddleware as AsgiMiddleware
from privguard.wsgi import PrivacyMiddleware as WsgiMiddleware

BATCH = 200  # requests
ROUNDS = 300  # batches of each contender
BODY = b"x" * 1024
HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Length", "1024"),
    ("Vary", "Cookie"),
    ("Cache-Control", "no-cache"),
    ("X-Frame-Options", "DENY"),
    ("Server", "bench"),
    ("Set-Cookie", "sessionid=abcdefghijklmnopqrstuvwxyz012345; HttpOnly; Path=/; SameSite=Lax"),
    ("Set-Cookie", "visitor=abcdefghijklmnopqrstuvwxyz; Max-Age=31536000; Path=/; SameSite=Lax"),
]
PLAIN_HEADERS = [pair for pair in HEADERS if pair[0] != "Set-Cookie"]
BYTES = {id(pair): (pair[0].lower().encode(), pair[1].encode()) for pair in HEADERS}


def constant_headers() -> list[tuple[str, str]]:
    """What privguard adds to a response that sets none of it."""
    return [*Policy().rules_for("/").policy_fields[TEXT], *TEXT.if_absent[frozenset()]]


# ── WSGI ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def wsgi_app(headers: list[tuple[str, str]]) -> Callable[..., Iterable[bytes]]:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", list(headers))
        return [BODY]

    return app


def wsgi_closure(app: Any) -> Any:
    added = constant_headers()

    def guarded(environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: Any, *exc_info: Any) -> Any:
            return start_response(status, headers + added, *exc_info)

        return app(environ, start)

    return guarded


def run_wsgi(app: Any) -> float:
    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/boards/window-seat", "QUERY_STRING": ""}

    def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
        pass

    begin = time.process_time_ns()
    for _ in range(BATCH):
        b"".join(app(dict(environ), start_response))
    return (time.process_time_ns() - begin) / BATCH / 1000


# ── ASGI ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def asgi_app(headers: list[tuple[str, str]]) -> Any:
    pairs = [BYTES[id(pair)] for pair in headers]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(pairs)})
        await send({"type": "http.response.body", "body": BODY})

    return app


def asgi_closure(app: Any) -> Any:
    added = [(name.lower().encode(), value.encode()) for name, value in constant_headers()]

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        async def guarded_send(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": message["headers"] + added}
            await send(message)

        await app(scope, receive, guarded_send)

    return guarded


def run_asgi(app: Any) -> float:
    scope = {"type": "http", "method": "GET", "path": "/boards/window-seat", "root_path": "", "headers": []}
    scope |= {"query_string": b"", "http_version": "1.1", "scheme": "http", "client": None, "server": None}

    async def send(message: Any) -> None:
        pass

    async def batch() -> float:
        begin = time.process_time_ns()
        for _ in range(BATCH):
            await app(dict(scope), None, send)
        return (time.process_time_ns() - begin) / BATCH / 1000

    return asyncio.run(batch())


def measure(contenders: dict[str, Any], run: Callable[[Any], float]) -> dict[str, float]:
    """The fastest batch of each, the contenders in turn, so that a slow moment of the machine hits all alike."""
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(ROUNDS):
        for name, app in contenders.items():
            best[name] = min(best[name], run(app))
    return {name: best[name] - best["bare"] for name in contenders if name != "bare"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    as_json = parser.parse_args().json
    logging.getLogger("privguard").setLevel(logging.CRITICAL)
    results: dict[str, dict[str, float]] = {}
    for case, headers in (("no cookies", PLAIN_HEADERS), ("two cookies", HEADERS)):
        for protocol, app, closure, middleware, run in (
            ("ASGI", asgi_app(headers), asgi_closure, AsgiMiddleware, run_asgi),
            ("WSGI", wsgi_app(headers), wsgi_closure, WsgiMiddleware, run_wsgi),
        ):
            contenders = {"bare": app, "closure": closure(app), "privguard": middleware(app)}
            results[f"{protocol}, {case}"] = measure(contenders, run)
    if as_json:
        print(json.dumps({"python": platform.python_version(), "added_microseconds": results}, indent=1))
        return
    print(f"Python {platform.python_version()}: microseconds of CPU time added to a request, over the bare app")
    for name, added in results.items():
        ratio = added["privguard"] / added["closure"]
        print(f"{name:20} closure {added['closure']:6.2f}   privguard {added['privguard']:6.2f}   {ratio:5.1f} times")


if __name__ == "__main__":
    main()
