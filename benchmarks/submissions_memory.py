"""What it takes to look at submissions: memory for a large upload behind real servers, time for a small form.

Usage: python benchmarks/submissions_memory.py [--mebibytes 1024] [--json]

Memory: the most that a server process has used by the end of a multipart upload with an age field behind the file,
over what it had used before, bare and guarded; the app reads the body in pieces and keeps none. The disk needs as much
room as the upload has. Time: a form of 1 KiB in process, no sockets, in microseconds of CPU time over the same
middleware with no field named; the fastest of many batches counts.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from privguard.asgi import PrivacyMiddleware as AsgiMiddleware
from privguard.wsgi import PrivacyMiddleware as WsgiMiddleware

NOTHING = {"children": {"age_fields": [], "birthdate_fields": [], "flag_fields": []}}
PIECE = 1 << 16  # bytes that the app reads at once

# ── the app ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def most_memory() -> int:
    """KiB, by the kernel's own count."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])


def told(size: int) -> bytes:
    return json.dumps({"size": size, "most": most_memory()}).encode()


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = told(size)
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    left = size = int(environ.get("CONTENT_LENGTH") or 0)
    while left and (chunk := environ["wsgi.input"].read(min(left, PIECE))):
        left -= len(chunk)
    body = told(size - left)
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


guarded_asgi = AsgiMiddleware(asgi_app)
guarded_wsgi = WsgiMiddleware(wsgi_app)

# ── memory ───────────────────────────────────────────────────────────────────────────────────────────────────────────

SERVERS = {
    "uvicorn": ["-m", "uvicorn", "--port", "{port}", "--log-level", "warning", "submissions_memory:{app}_asgi"],
    "gunicorn gthread": [
        *["-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--threads", "2", "--timeout", "600"],
        *["--log-level", "warning", "submissions_memory:{app}_wsgi"],
    ],
}
bare_asgi, bare_wsgi = asgi_app, wsgi_app


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def connect(port: int) -> socket.socket:
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=600)
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the server did not start")


def upload(port: int, size: int) -> dict[str, int]:
    """Send an adult's upload with a file of so many bytes; return what the app tells."""
    begin = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    end = b'\r\n--b\r\nContent-Disposition: form-data; name="age"\r\n\r\n36\r\n--b--\r\n'
    block = bytes(range(256)) * 4096
    length = len(begin) + size + len(end)
    head = "POST /join HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    with connect(port) as client:
        client.sendall(f"{head}Content-Length: {length}\r\nConnection: close\r\n\r\n".encode() + begin)
        for _ in range(size // len(block)):
            client.sendall(block)
        client.sendall(end)
        answer = b""
        while received := client.recv(PIECE):
            answer += received
    found: dict[str, int] = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert found["size"] == length, found
    return found


def memory(command: list[str], app: str, size: int) -> dict[str, float]:
    """MiB and seconds that one upload takes."""
    port = free_port()
    words = [word.format(port=port, app=app) for word in command]
    paths = [str(Path(__file__).parent), *filter(None, map(os.path.abspath, sys.path))]  # the same privguard as here
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([sys.executable, *words], cwd=folder, env={**environment, "HOME": folder})
        try:
            before = upload(port, 0)["most"]
            begin = time.perf_counter()
            after = upload(port, size)["most"]
            return {"before": before / 1024, "most": after / 1024, "seconds": time.perf_counter() - begin}
        finally:
            server.terminate()
            server.wait()


def memories(size: int) -> dict[str, dict[str, dict[str, float]]]:
    return {name: {app: memory(command, app, size) for app in ("bare", "guarded")} for name, command in SERVERS.items()}


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

BATCH = 100  # requests
ROUNDS = 100  # batches of each contender
FORM = urlencode([(f"field_number_{number}", f"the value of {number} is this & that") for number in range(18)])
FORMS = {
    "4 fields, a long text": b"name=Ann&email=ann%40site.example&age=36&text=" + b"a+word+" * 140,
    "20 fields, each escaped": f"{FORM}&age=36&birthdate=1990-01-02".encode(),
}
KIND = "application/x-www-form-urlencoded"


def run_wsgi(app: Any, body: bytes) -> float:
    environ = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/join",
        "QUERY_STRING": "",
        "CONTENT_TYPE": KIND,
        "CONTENT_LENGTH": str(len(body)),
    }

    def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
        pass

    requests = [{**environ, "wsgi.input": io.BytesIO(body)} for _ in range(BATCH)]
    begin = time.process_time_ns()
    for request in requests:
        answer = app(request, start_response)
        b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
    return (time.process_time_ns() - begin) / BATCH / 1000


def run_asgi(app: Any, body: bytes) -> float:
    scope = {"type": "http", "method": "POST", "path": "/join", "root_path": "", "query_string": b""}
    scope |= {"http_version": "1.1", "scheme": "http", "client": None, "server": None}
    headers = [(b"content-type", KIND.encode()), (b"content-length", str(len(body)).encode())]

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        pass

    async def batch() -> float:
        begin = time.process_time_ns()
        for _ in range(BATCH):
            await app({**scope, "headers": headers}, receive, send)
        return (time.process_time_ns() - begin) / BATCH / 1000

    return asyncio.run(batch())


async def small_asgi_app(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"thanks"})


def small_wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    start_response("200 OK", [])
    return [b"thanks"]


def measure(contenders: dict[str, Any], run: Callable[[Any, bytes], float], body: bytes) -> dict[str, float]:
    """The fastest batch of each, the contenders in turn."""
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(ROUNDS):
        for name, app in contenders.items():
            best[name] = min(best[name], run(app, body))
    return best


def times() -> dict[str, dict[str, float]]:
    """Microseconds of a whole request."""
    found = {}
    for protocol, app, middleware, run in (
        ("ASGI", small_asgi_app, AsgiMiddleware, run_asgi),
        ("WSGI", small_wsgi_app, WsgiMiddleware, run_wsgi),
    ):
        contenders = {"bare": app, "no detection": middleware(app, NOTHING), "detection": middleware(app)}
        for name, body in FORMS.items():
            found[f"{protocol}, {name}"] = measure(contenders, run, body)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mebibytes", type=int, default=1024, help="size of the upload; 0 for none")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    small = times()
    large = memories(options.mebibytes << 20) if options.mebibytes else {}
    if options.json:
        print(json.dumps({"python": platform.python_version(), "microseconds": small, "mebibytes": large}, indent=1))
        return
    print(f"Python {platform.python_version()}: microseconds of a request with a form of 1 KiB")
    for protocol, one in small.items():
        values = "   ".join(f"{name} {value:6.1f}" for name, value in one.items())
        print(f"{protocol:30} {values}   looking costs {one['detection'] - one['no detection']:6.1f}")
    for server, one in large.items():
        print(f"{server}: an upload of {options.mebibytes} MiB")
        for name, values in one.items():
            print(
                f"  {name:8} before {values['before']:6.1f} MiB   most {values['most']:6.1f} MiB   "
                f"grown by {values['most'] - values['before']:5.1f} MiB   {values['seconds']:5.1f} s"
            )


if __name__ == "__main__":
    main()
