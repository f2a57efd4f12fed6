"""An ASGI site of many small pages, each of which answers in a way of its own."""

from __future__ import annotations

import asyncio

from odd_headers import byte_headers
from site_parts import BARE, COOKIES, NAME, POLICY, maximum_memory, say, say_late, set_up_logging, tell, wait_here
from starlette.applications import Starlette

from privguard import flag_child
from privguard.asgi import PrivacyMiddleware

HEADERS = [(b"content-type", b"text/plain"), *((name.encode(), value.encode()) for name, value in COOKIES)]
CHUNK = bytes(64 * 1024)

framework = Starlette()


def header(scope, name):
    return dict(scope["headers"]).get(name, b"").decode()


def token_of(scope):
    return header(scope, b"x-token")


async def start(send, status=200, *more, **keys):
    await send({"type": "http.response.start", "status": status, "headers": [*HEADERS, *more], **keys})


async def body(send, chunk=b"", *, more=False):
    await send({"type": "http.response.body", "body": chunk, "more_body": more})


async def read(receive):
    """Return the whole body of a request."""
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


# ── pages that talk ──────────────────────────────────────────────────────────────────────────────────────────────────


async def say_in_task(token):
    say("task", token)


async def talk(scope, receive, send, flag_at="never"):
    token = token_of(scope)
    if header(scope, b"x-late"):
        say_late(token)
    say("before", token)
    if flag_at == "begin":
        flag_child()
    task = asyncio.create_task(say_in_task(token))
    await asyncio.to_thread(say, "thread", token)
    await start(send, 200, (b"content-length", b"6"))
    say("started", token)
    await body(send, b"[1]", more=True)
    if flag_at == "body":
        flag_child()
    say("between", token)
    await task
    await body(send, b"[2]")
    say("after", token)


async def slow(scope, receive, send):
    await wait_here(f"slow:{token_of(scope)}")
    await talk(scope, receive, send)


async def join(scope, receive, send):
    await talk(scope, receive, send, "begin")


async def join_late(scope, receive, send):
    await talk(scope, receive, send, "body")


async def join_and_fail(scope, receive, send):
    """What a site flags in mid-stream may go wrong after it."""
    await start(send)
    await body(send, b"[1]", more=True)
    flag_child()
    raise RuntimeError(f"secret {token_of(scope)}")


# ── pages that answer in odd but proper ways ─────────────────────────────────────────────────────────────────────────


async def plain(scope, receive, send):
    await start(send)
    await body(send, b"plain")


async def echo(scope, receive, send):
    received = await read(receive)
    await start(send)
    await body(send, received)


async def stream(scope, receive, send):
    await start(send)
    await body(send, b"[1]", more=True)
    await wait_here(f"stream:{token_of(scope)}")
    await body(send, b"[2]", more=True)
    await body(send)


async def events(scope, receive, send):
    """Server-sent events without an end."""
    token = token_of(scope)
    listening = asyncio.create_task(disconnected(receive))
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [*HEADERS[1:], (b"content-type", b"text/event-stream")],
        }
    )
    try:
        while not listening.done():
            await body(send, b"data: x\n\n", more=True)
            await asyncio.wait([listening], timeout=0.02)
    finally:
        listening.cancel()
        tell(f"closed:{token}")


async def disconnected(receive):
    while (await receive())["type"] != "http.disconnect":
        pass


async def head(scope, receive, send):
    await start(send, 200, (b"content-length", b"5"))
    await body(send, b"" if scope["method"] == "HEAD" else b"plain")


async def no_content(scope, receive, send):
    await start(send, 204)
    await body(send)


async def not_modified(scope, receive, send):
    await start(send, 304, (b"etag", b'"1"'))
    await body(send)


async def join_and_raise(scope, receive, send):
    flag_child()
    raise RuntimeError(f"secret {token_of(scope)}")


async def join_and_ask_within(scope, receive, send):
    """A page that asks another guarded app in the same process, as sites ask their own interface."""
    flag_child()
    await start(send)
    await body(send, b"[1]", more=True)
    await within(dict(scope, path="/within"), receive, ignore)
    say("between", token_of(scope))
    await body(send, b"[2]")


async def ignore(message):
    pass


async def background(scope, receive, send):
    await read(receive)
    await plain(scope, receive, send)
    await wait_here(f"background:{token_of(scope)}")
    tell(f"background-done:{token_of(scope)}")


async def big(scope, receive, send):
    before = maximum_memory()
    await start(send)
    for _ in range(int(header(scope, b"x-chunks"))):
        await body(send, CHUNK, more=True)
    await body(send, b"grown by %d KiB" % (maximum_memory() - before))


async def raise_before(scope, receive, send):
    raise RuntimeError(f"before {token_of(scope)}")


async def raise_after(scope, receive, send):
    await start(send)
    await body(send, b"[1]", more=True)
    raise RuntimeError(f"after {token_of(scope)}")


async def trailers(scope, receive, send):
    await start(send, 200, (b"trailer", b"x-sum"), trailers=True)
    await body(send, b"plain")
    await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"7")], "more_trailers": False})


async def early_hints(scope, receive, send):
    await send({"type": "http.response.early_hint", "links": [b"</site.css>; rel=preload; as=style"]})
    await plain(scope, receive, send)


async def state(scope, receive, send):
    await start(send)
    await body(send, scope["state"]["since"].encode())


async def odd(scope, receive, send):
    headers = byte_headers(header(scope, b"x-case"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await body(send, b"plain")


PAGES = {
    "/slow": slow,
    "/join": join,
    "/join-late": join_late,
    "/join-and-fail": join_and_fail,
    "/apple-touch-icon.png": framework,
    "/apple-touch-icon-precomposed.png": raise_before,
    "/plain": plain,
    "/echo": echo,
    "/stream": stream,
    "/events": events,
    "/head": head,
    "/no-content": no_content,
    "/not-modified": not_modified,
    "/background": background,
    "/quiet/background": background,
    "/join-and-raise": join_and_raise,
    "/join-and-ask-within": join_and_ask_within,
    "/big": big,
    "/quiet/big": big,
    "/raise-before": raise_before,
    "/raise-after": raise_after,
    "/trailers": trailers,
    "/early-hints": early_hints,
    "/state": state,
    "/odd": odd,
}


async def websocket(scope, receive, send):
    assert (await receive())["type"] == "websocket.connect"
    cookies = HEADERS[1:]
    if scope["path"] == "/denied":
        await send({"type": "websocket.http.response.start", "status": 418, "headers": HEADERS})
        await send({"type": "websocket.http.response.body", "body": b"not here"})
        return
    if scope["path"] == "/closed":
        await send({"type": "websocket.close", "code": 1008})
        return
    if scope["path"] == "/odd":
        headers = byte_headers(header(scope, b"x-case"))
        await send({"type": "websocket.accept", "headers": headers})
        await send({"type": "websocket.close", "code": 1000})
        return
    subprotocol = scope["subprotocols"][0] if scope["subprotocols"] else None
    await send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": cookies})
    say("accepted", token_of(scope))
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "close":
            await send({"type": "websocket.close", "code": 4321})
            break
        await send({"type": "websocket.send", "text": message.get("text"), "bytes": message.get("bytes")})
    say("closed", token_of(scope))


async def lifespan(scope, receive, send):
    while True:
        message = await receive()
        kind = message["type"].rpartition(".")[2]
        if kind == "startup" and "state" in scope:
            scope["state"]["since"] = "startup"
        tell(f"{kind}:{NAME}")
        await send({"type": f"{message['type']}.complete"})
        if kind == "shutdown":
            return


async def site(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(scope, receive, send)
    elif scope["type"] == "websocket":
        await websocket(scope, receive, send)
    else:
        await PAGES.get(scope["path"], talk)(scope, receive, send)


async def beside(scope, receive, send):
    """The whole site: a part that nobody guards, and the rest."""
    is_unguarded = scope["type"] == "http" and scope["path"] == "/unguarded"
    await (site if is_unguarded else guarded)(scope, receive, send)


set_up_logging("before")
guarded = site if BARE else PrivacyMiddleware(site, POLICY)
within = PrivacyMiddleware(plain)
application = beside
set_up_logging("after")
