"""Tests of the ASGI adapter's own work: which messages are changed, and which are the very same."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

import privguard
from privguard import OutsideRequestError, _context
from privguard.asgi import PrivacyMiddleware

COOKIE = (b"set-cookie", b"visitor=1; Max-Age=3600")
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain"), COOKIE]}
BODY = {"type": "http.response.body", "body": b"x"}


def serve(app, settings=None, **scope):
    """Run one connection; return what the server was sent."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    scope = {"type": "http", "path": "/", "headers": [], **scope}
    asyncio.run(PrivacyMiddleware(app, settings)(scope, receive, send))
    return sent


def sending(*messages):
    async def app(scope, receive, send):
        for message in messages:
            await send(message)

    return app


def cookies(message):
    return [value for name, value in message["headers"] if name == b"set-cookie"]


HEADS = [
    START,
    {**START, "trailers": True, "unknown": object()},
    {"type": "websocket.accept", "subprotocol": "chat", "headers": [COOKIE]},
    {"type": "websocket.http.response.start", "status": 403, "headers": [COOKIE]},
]


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head["type"])
def test_each_head_is_guarded_and_keeps_its_other_keys(head):
    """No cookie leaves by a side door, and nothing else of the message is lost."""
    (sent,) = serve(sending(head), type=head["type"].partition(".")[0])
    assert cookies(sent) == []
    assert {**sent, "headers": None} == {**head, "headers": None}
    assert head["headers"][-1] == COOKIE  # the app's own list is not touched


@pytest.mark.parametrize("head", [HEADS[0], HEADS[3]], ids=lambda head: head["type"])
def test_each_answer_has_the_policy(head):
    """Also the one that declines a WebSocket."""
    (sent,) = serve(sending(head), type=head["type"].partition(".")[0])
    assert b"content-security-policy" in dict(sent["headers"])


OTHERS = [
    BODY,
    {"type": "http.response.body", "body": b"x", "more_body": True},
    {"type": "http.response.pathsend", "path": "/x"},
    {"type": "http.response.zerocopysend", "file": 3},
    {"type": "http.response.trailers", "headers": [], "more_trailers": False},
    {"type": "http.response.push", "path": "/x", "headers": []},
    {"type": "http.response.debug", "info": {}},
    {"type": "websocket.send", "text": "x"},
    {"type": "websocket.close", "code": 1000},
    {"type": "websocket.accept"},
    {"type": "of.tomorrow", "headers": [COOKIE]},
    {"no": "type"},
]


@pytest.mark.parametrize("message", OTHERS, ids=str)
def test_every_other_message_is_the_very_same(message):
    """Bodies, files and what nobody knows yet pass untouched and unbuffered."""
    (sent,) = serve(sending(message))
    assert sent is message


def test_early_hints_carry_links_alone():
    """A cookie among them would be a header of its own on some server."""
    hint = {"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload", b"</b>\r\nSet-Cookie: a=b"]}
    (sent,) = serve(sending(hint))
    assert sent["links"] == [b"</a.css>; rel=preload"]


def test_early_hints_lead_nowhere_else():
    """Browsers act on them before a policy is there; another origin of the same owner is no third party."""
    links = [
        b"</a.css>; rel=preload, <https://third.example/b.css>; rel=preload",
        b"<//third.example>; rel=preconnect",
        b"<https://www.chatalot.com/c.css>; rel=preload",
    ]
    hint = {"type": "http.response.early_hint", "links": links}
    (sent,) = serve(sending(hint), {"first_party": ["https://www.chatalot.com"]})
    assert sent["links"] == [links[0].partition(b",")[0], links[2]]


@pytest.mark.parametrize("kind", ["lifespan", "of.tomorrow"])
def test_other_scopes_are_not_touched(kind):
    """The app gets the server's own objects."""
    given = []

    async def app(scope, receive, send):
        given.append((scope, receive, send))

    scope, receive, send = {"type": kind}, object(), object()
    asyncio.run(PrivacyMiddleware(app)(scope, receive, send))
    assert given == [(scope, receive, send)] and given[0][0] is scope


def test_receive_is_the_servers_own():
    """A request's body costs nothing."""
    given = []

    async def app(scope, receive, send):
        given.append(receive)

    async def receive():
        pytest.fail("called")

    asyncio.run(PrivacyMiddleware(app)({"type": "http", "path": "/", "headers": []}, receive, None))
    assert given == [receive]


def fail(*args, **kwargs):
    raise RuntimeError("what a visitor sent")


def test_nothing_leaves_unguarded_when_the_response_cannot_be_judged(monkeypatch, caplog):
    """The visitor gets a bare 500, and what the app goes on sending goes nowhere."""
    monkeypatch.setattr(privguard._exchange.Exchange, "response_headers", fail)
    head, body = serve(sending(START, BODY, BODY))
    assert (head["status"], [name for name, _ in head["headers"]]) == (500, [b"content-type", b"content-length"])
    assert body["body"] == b"Internal Server Error"
    assert "please report" in caplog.text and "visitor" not in caplog.text


def test_socket_is_closed_when_its_handshake_cannot_be_judged(monkeypatch):
    """1011: the server could not go on (RFC 6455 §7.4.1)."""
    monkeypatch.setattr(privguard._exchange.Exchange, "interim_headers", fail)
    sent = serve(sending(HEADS[2], {"type": "websocket.send", "text": "secret"}), type="websocket")
    assert sent == [{"type": "websocket.close", "code": 1011}]


def test_nothing_is_asked_of_the_app_when_the_request_cannot_be_read(caplog):
    """An app that nobody guards is not called."""

    async def app(scope, receive, send):
        pytest.fail("called")

    head, _ = serve(app, path=None)
    assert head["status"] == 500 and "please report" in caplog.text


def test_exception_of_the_app_passes_through():
    """It is the server's to report."""
    with pytest.raises(KeyError, match="the app's"):
        serve(raising)


class _TooShort(Exception):
    """What a server's send() raises of a body that is shorter than its head says."""


def test_quiet_answer_that_fails_in_the_middle_is_broken_off_by_the_server():
    """By an exception of the server's own, with nothing of the app's: else the visitor would wait for the rest."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        raise RuntimeError("the app's own")

    async def send(message):
        if message["type"] == "http.response.body" and not message["more_body"]:
            raise _TooShort

    scope = {"type": "http", "path": "/favicon.ico", "headers": []}
    with pytest.raises(_TooShort) as raised:
        asyncio.run(PrivacyMiddleware(app)(scope, None, send))
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


def test_quiet_failure_before_the_answer_is_nobodys_when_the_visitor_has_left():
    """The 500 that cannot be sent is not worth an exception."""

    async def send(message):
        raise OSError("gone")

    asyncio.run(PrivacyMiddleware(raising)({"type": "http", "path": "/favicon.ico", "headers": []}, None, send))


async def raising(scope, receive, send):
    raise KeyError("the app's")


def test_exception_of_an_apps_header_iterator_passes_through():
    """It is the app's, and privguard has no part in it."""

    def headers():
        yield COOKIE
        raise KeyError("the app's")

    with pytest.raises(KeyError, match="the app's"):
        serve(sending({**START, "headers": headers()}))


def test_hint_without_links_is_no_reason_to_lose_the_page():
    """It hints at nothing."""
    hint = {"type": "http.response.early_hint"}
    assert serve(sending(hint, BODY)) == [{**hint, "links": []}, BODY]


@pytest.mark.parametrize("path", ["/", "/favicon.ico"])
def test_requests_leave_nothing_for_the_garbage_collector(path):
    """Memory is free again when a request is over."""

    async def main():
        app = PrivacyMiddleware(sending(START, BODY))
        for _ in range(3):
            await app({"type": "http", "path": path, "headers": []}, None, discard)
        gc.collect()
        gc.disable()
        try:
            for _ in range(3):
                await app({"type": "http", "path": path, "headers": []}, None, discard)
            return gc.collect()
        finally:
            gc.enable()

    assert asyncio.run(main()) == 0


def test_request_that_starts_in_a_copy_of_the_last_ones_context_is_not_inside_it(caplog):
    """Servers start a pipelined request so, while the one before is still at work."""
    logger = logging.getLogger("server")

    async def main():
        quiet = asyncio.Event()
        started = []

        async def child(scope, receive, send):
            privguard.flag_child()
            quiet.set()

        async def second():
            await PrivacyMiddleware(child)({"type": "http", "path": "/join", "headers": []}, None, discard)
            logger.warning("of the child")

        async def first(scope, receive, send):
            started.append(asyncio.create_task(second()))
            await quiet.wait()
            logger.warning("of the first")

        await PrivacyMiddleware(first)({"type": "http", "path": "/", "headers": []}, None, discard)
        await started[0]

    asyncio.run(main())
    # the second is over when it writes, and does not speak of its path: what counts is whose silence holds
    assert {record.getMessage() for record in caplog.records} == {"of the first", "of the child"}


def test_app_sees_no_cookies_in_mode_block():
    """In any spelling of the header's name."""
    seen = []

    async def app(scope, receive, send):
        seen.extend(scope["headers"])

    headers = [(b"cookie", b"a=b"), (b"Cookie", b"c=d"), (b"cookie ", b"e=f"), (b"accept", b"*/*")]
    serve(app, {"cookies": {"elsewhere": "block"}}, headers=headers)
    assert seen == [(b"accept", b"*/*")]


def test_guarded_app_that_calls_another_one_is_back_in_its_own_request():
    """What the other did leaves no trace: neither its nonce nor its silence."""

    async def app(scope, receive, send):
        nonce = privguard.csp_nonce()
        await PrivacyMiddleware(sending(START, BODY))({**scope, "path": "/favicon.ico"} | {KEY: None}, receive, discard)
        assert privguard.csp_nonce() == nonce and not _context.current.get().muted
        await send(BODY)

    assert serve(app) == [BODY]


KEY = privguard.asgi.SCOPE_KEY


async def discard(message):
    pass


def test_mounted_guard_shares_the_request_of_the_one_around_it():
    """Both policies are sent, with one nonce."""

    async def app(scope, receive, send):
        privguard.csp_nonce()
        await send(START)

    inner = PrivacyMiddleware(app, {"csp": {"directives": {"img-src": ["'none'"]}}})
    (head,) = serve(inner)
    policies = [value for name, value in head["headers"] if name == b"content-security-policy"]
    assert len(policies) == 4


def test_task_that_outlives_its_request_is_in_none():
    """It is told so, rather than given a nonce that no header names."""
    outcome = []

    async def later(done):
        await done.wait()
        with pytest.raises(OutsideRequestError):
            privguard.csp_nonce()
        outcome.append(True)

    async def main():
        done = asyncio.Event()
        tasks = []

        async def app(scope, receive, send):
            tasks.append(asyncio.create_task(later(done)))

        await PrivacyMiddleware(app)({"type": "http", "path": "/", "headers": []}, None, None)
        done.set()
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert outcome == [True]
