"""Tests of documents on their way out, on ASGI and WSGI alike: compressed, in parts, streamed, from files."""

from __future__ import annotations

import asyncio
import gzip
import logging
import zlib

import brotli
import pytest

from privguard import _codings, _logs
from privguard._errors import UnseenBodyError
from privguard.asgi import PrivacyMiddleware as AsgiMiddleware
from privguard.wsgi import PrivacyMiddleware as WsgiMiddleware

PAGE = b"<!doctype html><title>x</title><link rel=preconnect href=//third.test><p>" + b"text " * 999
INERT = PAGE.replace(b"href", b"xref")
HTML = ("Content-Type", "text/html; charset=utf-8")


@pytest.fixture(autouse=True)
def fresh_tellings(monkeypatch):
    monkeypatch.setattr(_logs, "_told_contacts", set())


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = [(name.lower(), value) for name, value in headers]

    def values(self, name):
        return [value for one, value in self.headers if one == name]


def by_asgi(chunks, headers, status=200, settings=None, request=(("host", "site.test"),), path="/", messages=None):
    sent = []

    async def app(scope, receive, send):
        fields = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        for message in messages or [
            {"type": "http.response.body", "body": chunk, "more_body": number < len(chunks) - 1}
            for number, chunk in enumerate(chunks or [b""])
        ]:
            await send(message)

    async def send(message):
        sent.append(message)

    fields = [(name.encode(), value.encode()) for name, value in request]
    scope = {"type": "http", "path": path, "headers": fields, "method": "GET"}
    asyncio.run(AsgiMiddleware(app, settings)(scope, None, send))
    start, *rest = sent
    left = [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]]
    return Answer(start["status"], left, b"".join(message.get("body", b"") for message in rest))


def by_wsgi(chunks, headers, status=200, settings=None, request=(("host", "site.test"),), path="/", body=None):
    given = {}

    def start_response(line, fields, exc_info=None):
        if exc_info and given.get("has_left"):
            raise exc_info[1]
        given.update(status=int(line.split()[0]), headers=fields)
        return lambda chunk: given.setdefault("written", []).append(chunk)

    def app(environ, start_response):
        start_response(f"{status} X", list(headers))
        return body if body is not None else iter(chunks)

    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request}
    answer = WsgiMiddleware(app, settings)({"PATH_INFO": path, **environ}, start_response)
    parts = []
    for chunk in answer:
        given["has_left"] = given.get("has_left") or bool(chunk)
        parts.append(chunk)
    if hasattr(answer, "close"):
        answer.close()
    return Answer(given["status"], given["headers"], b"".join(parts))


BOTH = pytest.mark.parametrize("serve", [by_asgi, by_wsgi])


def in_pieces(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


@BOTH
@pytest.mark.parametrize("size", [7, 1000, 1 << 20])
def test_page_is_scrubbed_as_it_streams(serve, size):
    """At the same length, with the app's own length still true."""
    headers = [HTML, ("Content-Length", str(len(PAGE))), ("ETag", '"1"')]
    answer = serve(in_pieces(PAGE, size), headers)
    assert answer.body == INERT
    assert (answer.values("content-length"), answer.values("etag")) == ([str(len(PAGE))], ['"1"'])


def deflated(data):
    return zlib.compress(data)


CODINGS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": deflated, "br": brotli.compress}
DECODERS = {"gzip": gzip.decompress, "x-gzip": gzip.decompress, "deflate": zlib.decompress, "br": brotli.decompress}


@BOTH
@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("size", [7, 1 << 20])
def test_compressed_page(serve, coding, size):
    """Unpacked, scrubbed and packed again; its length is another one, and its entity tag a weak one."""
    headers = [HTML, ("Content-Encoding", coding), ("Content-Length", "9"), ("ETag", '"1"'), ("Accept-Ranges", "bytes")]
    answer = serve(in_pieces(CODINGS[coding](PAGE), size), headers)
    assert DECODERS[coding](answer.body) == INERT
    assert (answer.values("content-encoding"), answer.values("etag")) == ([coding.removeprefix("x-")], ['W/"1"'])
    assert answer.values("content-length") == answer.values("accept-ranges") == []


@BOTH
def test_page_compressed_twice(serve):
    """As it was applied."""
    answer = serve(
        [gzip.compress(gzip.compress(PAGE))], [HTML, ("Content-Encoding", "gzip"), ("Content-Encoding", "gzip")]
    )
    assert gzip.decompress(gzip.decompress(answer.body)) == INERT


@BOTH
@pytest.mark.parametrize("coding", ["identity", "", "hologram"])
def test_coding_that_no_browser_knows(serve, coding):
    """Browsers show what comes as it is: so it is said, and the app's length and entity tag are still true."""
    headers = [HTML, ("Content-Encoding", coding), ("Content-Length", str(len(PAGE))), ("ETag", '"1"')]
    answer = serve([PAGE], headers)
    assert answer.body == INERT
    assert answer.values("content-encoding") == []
    assert (answer.values("content-length"), answer.values("etag")) == ([str(len(PAGE))], ['"1"'])


@BOTH
@pytest.mark.parametrize("fields", [["gzip, identity"], ["hologram, gzip"], ["GZIP"], ["identity", "gzip"]])
def test_codings_that_browsers_read_differently(serve, fields):
    """What leaves says only what was done to it."""
    answer = serve([gzip.compress(PAGE)], [HTML, *(("Content-Encoding", value) for value in fields)])
    assert gzip.decompress(answer.body) == INERT
    assert answer.values("content-encoding") == ["gzip"]


@BOTH
@pytest.mark.parametrize("coding", ["br", "dcb", "gzip, zstd, gzip, gzip, gzip, gzip"])
def test_page_that_cannot_be_read_does_not_leave(serve, coding, monkeypatch, caplog):
    """The owner is told what to do."""
    monkeypatch.setitem(_codings._LIBRARIES, "br", lambda: None)
    answer = serve([brotli.compress(PAGE)], [HTML, ("Content-Encoding", coding)])
    assert (answer.status, answer.body) == (500, b"Internal Server Error")
    (line,) = [record.getMessage() for record in caplog.records]
    assert "cannot be read here" in line
    assert ("pip install 'privguard[compress]'" in line) == (coding == "br")


def test_request_asks_for_no_coding_that_cannot_be_read(monkeypatch):
    """Unless the browser says that no document will come of it."""
    seen = []

    def app(environ, start_response):
        seen.append(environ["HTTP_ACCEPT_ENCODING"])
        start_response("200 OK", [])
        return []

    async def asgi_app(scope, receive, send):
        seen.append(dict(scope["headers"])[b"accept-encoding"].decode())
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        pass

    monkeypatch.setitem(_codings._LIBRARIES, "br", lambda: None)
    for settings in (None, {"scrub_html": False}):
        for destination in ("document", "script"):
            environ = {"PATH_INFO": "/", "HTTP_ACCEPT_ENCODING": "gzip, br;q=1, *", "HTTP_SEC_FETCH_DEST": destination}
            WsgiMiddleware(app, settings)(environ, lambda *args: None)
            headers = [(b"accept-encoding", b"gzip, br;q=1, *"), (b"sec-fetch-dest", destination.encode())]
            scope = {"type": "http", "path": "/", "headers": headers}
            asyncio.run(AsgiMiddleware(asgi_app, settings)(scope, None, send))
    everything = "gzip, br;q=1, *"
    assert seen == ["gzip", "gzip", everything, everything, everything, everything, everything, everything]


@BOTH
def test_body_that_is_not_compressed_as_it_says(serve, caplog):
    """Nothing of it leaves as a page."""
    try:
        answer = serve([b"\x1f\x8b broken", PAGE], [HTML, ("Content-Encoding", "gzip")])
    except Exception:
        answer = None  # the server breaks the connection off
    assert answer is None or PAGE not in answer.body
    assert "the body is not compressed as it says (gzip): send that" in caplog.text


@BOTH
def test_body_that_breaks_in_the_middle(serve, caplog):
    """What has left, has; the rest does not."""
    broken = gzip.compress(PAGE)[:-20] + b"\xff" * 12
    try:
        serve(in_pieces(broken, 10), [HTML, ("Content-Encoding", "gzip")])
    except UnseenBodyError:
        pass  # raised to the server, which breaks the connection off
    assert "compressed" in caplog.text


@BOTH
def test_body_that_ends_too_early(serve, caplog):
    """The owner reads what is wrong with the app, and not that privguard has a bug."""
    try:
        serve([gzip.compress(PAGE)[:-9]], [HTML, ("Content-Encoding", "gzip")])
    except UnseenBodyError:
        pass
    assert "the compressed body is not whole (gzip): send that Content-Encoding only" in caplog.text
    assert "bug" not in caplog.text


@BOTH
@pytest.mark.parametrize("status", [200, 204, 304])
def test_answer_without_a_body(serve, status):
    """To HEAD, and where there is none: no byte comes of it, compressed or not."""
    for extra in ([], [("Content-Encoding", "gzip")]):
        answer = serve([], [HTML, ("ETag", '"1"'), *extra], status=status)
        assert answer.body == b""
    assert answer.values("etag") == (['W/"1"'] if status == 200 else ['"1"'])


@BOTH
def test_part_of_a_page(serve):
    """One that begins in the middle is scrubbed wherever it may be markup; of a compressed one nothing can be said."""
    part = b"' --> <link rel=preconnect href=//third.test> <!--"
    headers = [HTML, ("Content-Range", "bytes 7-99/1000")]
    assert serve([part], headers, status=206).body == part.replace(b"href", b"xref")
    begin = b"<!--" + part.replace(b"--> ", b"")
    assert serve([begin], [HTML, ("Content-Range", "bytes 0-99/1000")], status=206).body == begin
    assert serve([part], [*headers, ("Content-Encoding", "gzip")], status=206).status == 500


@BOTH
def test_download_is_not_changed(serve):
    """No browser shows it."""
    assert serve([PAGE], [HTML, ("Content-Disposition", 'attachment; filename="x.html"')]).body == PAGE
    assert serve([PAGE], [HTML, ("Content-Disposition", "inline")]).body == INERT


@BOTH
def test_digests_go_from_documents(serve):
    """They were computed over other bytes."""
    digests = [("Content-MD5", "x"), ("Repr-Digest", "sha-256=:x:")]
    assert [name for name, _ in serve([PAGE], [HTML, *digests]).headers if "digest" in name or "md5" in name] == []
    assert serve([PAGE], [("Content-Type", "text/plain"), *digests]).values("content-md5") == ["x"]


@BOTH
def test_file_that_is_no_document_passes_chunk_by_chunk(serve):
    """The very bytes."""
    assert serve(in_pieces(PAGE, 999), [("Content-Type", "text/css")]).body == PAGE


@BOTH
def test_own_hosts(serve):
    """The host that was asked for, and the owner's other origins."""
    page = b"<link rel=preconnect href=//site.test:8443><form action=https://www.own.test/x>"
    settings = {"first_party": ["https://www.own.test"]}
    assert serve([page], [HTML], settings=settings, request=[("host", "SITE.test:8443")]).body == page
    assert b"href" not in serve([page], [HTML], settings=settings, request=[("host", "site.test")]).body
    assert b"xref" in serve([page], [HTML], settings=settings, request=[]).body


@BOTH
def test_what_the_policy_admits_stays(serve):
    """A frame that a directive admits there, and nowhere else."""
    page = b"<iframe src=https://video.test/1></iframe>"
    settings = {"csp": {"paths": {"/talks/": {"frame-src": ["https://video.test"]}}}}
    assert serve([page], [HTML], settings=settings, path="/talks/1").body == page
    assert serve([page], [HTML], settings=settings).body == page.replace(b"src", b"xrc")
    link = ("Link", "<https://video.test/x>; rel=preload; as=document")
    assert serve([page], [HTML, link], settings=settings, path="/talks/1").values("link") == [link[1]]
    assert serve([page], [HTML, link], settings=settings).values("link") == []


@BOTH
def test_report_only_leaves_what_a_directive_governs(serve):
    """Hints, which none governs, go all the same."""
    page = b"<iframe src=//third.test></iframe><form action=//third.test><link rel=preconnect href=//third.test>"
    answer = serve([page], [HTML], settings={"csp": {"report_only": True}})
    assert answer.body == page.replace(b"href", b"xref")


@BOTH
def test_scrubbing_can_be_switched_off(serve):
    """Then pages leave as they are."""
    assert serve([PAGE], [HTML], settings={"scrub_html": False}).body == PAGE


@BOTH
def test_sealed_pages(serve):
    """A browser that can is told to contact nobody else; what the app says of that does not count there."""
    settings = {"sealed_paths": ["/read/"], "first_party": ["https://www.own.test"], "block_webrtc": True}
    theirs = ("Connection-Allowlist", '("*://*:*/*")')
    answer = serve([PAGE], [HTML, theirs], settings=settings, path="/read/1")
    assert answer.values("connection-allowlist") == ['(response-origin "https://www.own.test/*");redirects=allow']
    answer = serve([PAGE], [HTML], settings=settings)
    assert answer.values("connection-allowlist") == ['("*://*:*/*");redirects=allow']
    assert serve([PAGE], [HTML, theirs], settings=settings).values("connection-allowlist") == [theirs[1]]
    assert serve([PAGE], [HTML, theirs]).values("connection-allowlist") == [theirs[1]]


@BOTH
def test_users_images(serve):
    """They get no referrer, whatever the app and the page say; and a hidden one is none."""
    settings = {"user_image_paths": ["/boards/"]}
    page = (
        b"<meta name=referrer content=unsafe-url><img src=https://third.test/a><img src=https://third.test/b width=1>"
    )
    loose = ("Referrer-Policy", "unsafe-url")
    answer = serve([page], [HTML, loose], settings=settings, path="/boards/1")
    assert answer.values("referrer-policy") == ["same-origin"]
    assert answer.body == page.replace(b"name", b"xame").replace(
        b"src=https://third.test/b", b"xrc=https://third.test/b"
    )
    strict = ("Referrer-Policy", "no-referrer")
    assert serve([page], [HTML, strict], settings=settings, path="/boards/1").values("referrer-policy") == [
        "no-referrer"
    ]
    assert serve([page], [HTML, loose], settings=settings).values("referrer-policy") == ["unsafe-url"]


@BOTH
def test_users_images_are_images_alone(serve):
    """That they may come from anywhere admits no icon and no preload, in a tag or in a header field."""
    settings = {"user_image_paths": ["/boards/"]}
    tags = (b"<link rel=icon href=//third.test/a>", b"<link rel=preload as=image href=//third.test/a>")
    link = "</own.png>; rel=icon, <//third.test/a>; rel=preload; as=image"
    answer = serve(tags, [HTML, ("Link", link)], settings=settings, path="/boards/1")
    assert answer.body == b"".join(tags).replace(b"href", b"xref")
    assert answer.values("link") == ["</own.png>; rel=icon"]


@BOTH
def test_what_was_taken_out_is_told_once(serve, caplog):
    """For each kind and path; and nothing of a muted request."""
    page = b"<p>\n<link rel=preconnect href=//third.test>"
    with caplog.at_level(logging.WARNING):
        for path in ("/a", "/a", "/favicon.ico"):
            serve([page], [HTML, ("Refresh", "0; url=//third.test/")], path=path)
    lines = [record.getMessage().partition(": ")[0] for record in caplog.records]
    assert lines == ["removed a Refresh to third.test from /a", "removed a preconnect to third.test from /a, line 2"]


def test_page_from_a_file_on_asgi(tmp_path):
    """Whichever way the app hands it over."""
    file = tmp_path / "page.html"
    file.write_bytes(PAGE * 40)
    whole = [{"type": "http.response.pathsend", "path": str(file)}]
    assert by_asgi([], [HTML], messages=whole).body == INERT * 40
    with file.open("rb") as opened:
        parts = [
            {"type": "http.response.zerocopysend", "file": opened, "count": 10, "more_body": True},
            {"type": "http.response.zerocopysend", "file": opened, "more_body": True},
            {"type": "http.response.zerocopysend", "file": opened, "offset": 0, "count": 15},
        ]
        assert by_asgi([], [HTML], messages=parts).body == INERT * 40 + PAGE[:15]
    file.write_bytes(b"")
    assert by_asgi([], [HTML], messages=whole).body == b""


def test_other_messages_between_those_of_a_document():
    """They pass."""
    debug = {"type": "http.response.debug", "info": {}}
    last = {"type": "http.response.body", "body": PAGE}
    assert by_asgi([], [HTML], messages=[debug, last]).body == INERT


def test_denied_websocket_is_no_document():
    """Nobody renders what comes with it."""
    sent = []

    async def app(scope, receive, send):
        await send(
            {"type": "websocket.http.response.start", "status": 403, "headers": [(b"content-type", b"text/html")]}
        )
        await send({"type": "websocket.http.response.body", "body": PAGE})

    async def send(message):
        sent.append(message)

    asyncio.run(AsgiMiddleware(app)({"type": "websocket", "path": "/", "headers": []}, None, send))
    assert sent[1] == {"type": "websocket.http.response.body", "body": PAGE}


@pytest.mark.parametrize("body", [[PAGE], (PAGE[:50], PAGE[50:]), [b"", PAGE, b""]], ids=["one", "two", "empty-ones"])
def test_finished_body_on_wsgi(body):
    """Stays one, in as many chunks: of a single one, servers tell the length."""

    def app(environ, start_response):
        start_response("200 OK", [HTML])
        return body

    answer = WsgiMiddleware(app)({"PATH_INFO": "/"}, lambda *args: print)
    assert b"".join(answer) == INERT
    assert (isinstance(answer, list), len(answer)) == (True, len(body))


@pytest.mark.parametrize("body", [[], iter([]), iter([b"<p>"])], ids=["nothing", "no-chunk", "a-chunk"])
def test_written_page_on_wsgi(body):
    """What is left of it leaves with what the app returns."""
    written = []

    def app(environ, start_response):
        write = start_response("200 OK", [HTML])
        for piece in in_pieces(PAGE[:-1], 11):
            write(piece)
        write(b"<link rel=preconnect href=//third.test")
        return body

    answer = WsgiMiddleware(app)({"PATH_INFO": "/"}, lambda *args: written.append)
    whole = b"".join(written) + b"".join(answer)
    assert whole.startswith(INERT[:-1] + b"<link rel=preconnect ")


def test_failure_before_the_first_byte_on_wsgi(monkeypatch, caplog):
    """The visitor gets a 500."""

    def fail(*args, **kwargs):
        raise RuntimeError("x")

    monkeypatch.setattr("privguard._documents.DocumentScrubber.feed", fail)
    for answer in (by_wsgi([PAGE], [HTML]), by_wsgi([], [HTML], body=[PAGE])):
        assert (answer.status, answer.body) == (500, b"Internal Server Error")
    assert "RuntimeError" in caplog.text
    assert by_asgi([PAGE], [HTML]).body == b""


def test_nothing_is_sent_while_a_tag_is_held():
    """An empty chunk would end the response, on some servers."""
    chunks = [b"<p><link rel=pre", b"connect href=", b"", b"//third.test>"]

    def app(environ, start_response):
        start_response("200 OK", [HTML])
        return iter(chunks)

    left = list(WsgiMiddleware(app)({"PATH_INFO": "/"}, lambda *args: print))
    assert left == [b"<p>", b"", b"<link rel=preconnect xref=//third.test>"]  # the empty one is the app's


@BOTH
def test_what_was_taken_out_is_handed_on_once(serve, monkeypatch):
    """However many chunks follow; the log is not asked about it again."""
    told = []
    monkeypatch.setattr(_logs, "tell_contact", lambda what, host, path, line: told.append((what, host, path, line)))
    serve([*in_pieces(PAGE, 100), b"<p>", b"<p>"], [HTML], path="/x")
    assert told == [("preconnect", "third.test", "/x", 1)]
