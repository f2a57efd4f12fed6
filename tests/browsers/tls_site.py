"""A site over HTTPS and HTTP/2, as an ASGI app behind a real server, and browsers that take its certificate.

Nobody else is asked to take it: what vouches for it is made for the site, and forgotten with it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypercorn.asyncio import serve
from hypercorn.config import Config

from browsers.contact_sinks import Sinks, WatchedBrowser, WatchedChromium, WatchedFirefox
from browsers.contact_vectors import Vector
from browsers.contact_watch import Site, path_of
from browsers.tls_vectors import SILENT_FOR, VECTORS
from browsers.two_sites import SITE
from privguard.asgi import PrivacyMiddleware


class TlsSite(Site):
    """The site over HTTPS; what does not come over HTTP/2, or not as the app meant it, does not count as served."""

    scheme = "https"

    def __init__(self) -> None:
        super().__init__(VECTORS, SILENT_FOR)
        self._apps: Mapping[str, Any] = {"bare": self._app, "default": PrivacyMiddleware(self._app)}
        self._certificate = trustme.CA().issue_cert(SITE)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._port: int = self._listener.getsockname()[1]

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        is_over = threading.Event()
        with self.sinks, tempfile.TemporaryDirectory() as folder:
            config = self._config(Path(folder))
            thread = threading.Thread(target=asyncio.run, args=(self._serve(config, is_over),), daemon=True)
            thread.start()
            try:
                yield
            finally:
                is_over.set()
                thread.join()

    def _config(self, folder: Path) -> Config:
        config = Config()
        config.bind = [f"fd://{self._listener.detach()}"]  # which closes it, too
        config.errorlog = None  # it tells of each browser that hangs up
        config.h2_max_concurrent_streams = 500  # one page shows all frames
        config.certfile, config.keyfile = str(folder / "certificate.pem"), str(folder / "key.pem")
        self._certificate.cert_chain_pems[0].write_to_path(config.certfile)
        self._certificate.private_key_pem.write_to_path(config.keyfile)
        return config

    async def _serve(self, config: Config, is_over: threading.Event) -> None:
        asyncio.get_running_loop().set_exception_handler(_tell_failure)
        await serve(self._switch, config, shutdown_trigger=lambda: asyncio.to_thread(is_over.wait), mode="asgi")

    def start_browser(self, kind: str, folder: Path) -> WatchedBrowser:
        if kind == "firefox":
            return TrustingFirefox(folder, self.sinks)
        return TrustingChromium(folder, self.sinks, _public_key_hash(self._certificate.cert_chain_pems[0].bytes()))

    @property
    def origin(self) -> str:
        return f"https://{SITE}:{self._port}"

    def address(self, vector: Vector, guard: str) -> str:
        if not vector.is_in_tab:
            return super().address(vector, guard)
        # On a host of its own: some header fields hold for all of an origin.
        return f"https://{vector.label}-{guard}.{SITE}:{self._port}{path_of(vector, guard)}"

    async def _switch(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError  # so hypercorn goes on without
        path = scope["path"]

        async def send_and_note(message: Any) -> None:
            if message.get("status") == 200 and scope["http_version"] == "2":
                self.served[path] += 1
            await send(message)

        await self._apps.get(path.split("/")[1], self._sheet)(scope, receive, send_and_note)

    async def _sheet(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].startswith("/sheet/"):
            await _send(send, 200, [("Content-Type", "text/html")], self.sheet_at(scope["path"]))
        else:  # such as the icon for which a browser asks by itself
            await _send(send, 404, [("Content-Type", "text/plain")], b"nothing here")

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        _, guard, group, name, file = scope["path"].split("/")
        vector = self.vectors[group, name]
        if vector.early and not file:
            links = [self.fill(vector.early, vector, guard).encode()]
            await send({"type": "http.response.early_hint", "links": links})
        await _send(send, *self.response(vector, guard, file))


def _tell_failure(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not isinstance(context.get("exception"), OSError):  # the browser has lost interest
        loop.default_exception_handler(context)


async def _send(send: Any, status: int, fields: list[tuple[str, str]], body: bytes) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in fields]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _public_key_hash(certificate: bytes) -> str:
    key = x509.load_pem_x509_certificate(certificate).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


class TrustingChromium(WatchedChromium):
    """A Chromium to which certificates for one public key are as good as any."""

    def __init__(self, folder: Path, sinks: Sinks, key_hash: str) -> None:
        self._key_hash = key_hash
        super().__init__(folder, sinks)

    def _command(self, folder: Path) -> list[str]:
        # QUIC is what it takes alternative services for.
        *command, first_page = (one for one in super()._command(folder) if one != "--disable-quic")
        # --ignore-certificate-errors would not do: where there are errors to ignore it obeys no Report-To and no NEL.
        return [*command, f"--ignore-certificate-errors-spki-list={self._key_hash}", first_page]


class TrustingFirefox(WatchedFirefox):
    """A Firefox that takes any certificate."""

    capabilities: ClassVar[Mapping[str, Any]] = {"alwaysMatch": {"acceptInsecureCerts": True}}
