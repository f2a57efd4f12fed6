"""Third parties on loopback, and browsers that cannot contact one of them unseen.

Each third party has a name and a port of its own. The name tells a look-up apart, the port a connection in which
nothing is said. No name here ends in .localhost for the page: browsers treat those hosts otherwise than all others.
"""

from __future__ import annotations

import contextlib
import enum
import json
import re
import selectors
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from browsers.chromium import Chromium
from browsers.firefox import Firefox
from browsers.raw_server import page, parse

DOMAIN = "third.test"
MAPPED_HOST = "third.localhost"
"""What Chromium is told to look up instead: it finds such a name by itself, and writes down for which port it did."""
_TLS = b"\x16\x03"  # a handshake record
_MOST_OF_A_REQUEST = 1 << 16  # bytes
_KINDS = {"css": b"text/css", "js": b"text/javascript", "json": b"application/json", "png": b"image/png"}


class Contact(enum.IntEnum):
    """How far a browser went; each goes farther than the one before."""

    LOOK_UP = 1
    CONNECTION = 2
    TLS_HELLO = 3
    REQUEST = 4


class Sinks:
    """One third party for each of *labels*: whoever connects to its port has contacted it."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.seen: dict[str, Contact] = {}
        """The farthest contact with each that was contacted."""
        self._listeners = {label: socket.create_server(("127.0.0.1", 0), backlog=16) for label in labels}
        self.ports: dict[str, int] = {label: one.getsockname()[1] for label, one in self._listeners.items()}
        self._selector = selectors.DefaultSelector()
        self._waker, self._wake = socket.socketpair()
        self._received: dict[socket.socket, bytes] = {}
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Sinks:
        for label, listener in self._listeners.items():
            self._selector.register(listener, selectors.EVENT_READ, label)
        self._selector.register(self._waker, selectors.EVENT_READ, None)
        self._thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._wake.send(b"!")
        self._thread.join()
        for one in (*self._received, *self._listeners.values(), self._waker, self._wake):
            one.close()
        self._selector.close()

    def host(self, label: str) -> str:
        """Return host and port of a third party."""
        return f"{label}.{DOMAIN}:{self.ports[label]}"

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    return
                assert isinstance(key.fileobj, socket.socket)
                with contextlib.suppress(OSError):  # the browser has lost interest
                    if key.fileobj in self._received:
                        self._read(key.fileobj, key.data)
                    else:
                        self._accept(key.fileobj, key.data)

    def _note(self, label: str, contact: Contact) -> None:
        self.seen[label] = max(contact, self.seen.get(label, contact))

    def _accept(self, listener: socket.socket, label: str) -> None:
        connection, _ = listener.accept()
        connection.settimeout(10)  # seconds for a browser to take what it asked for
        self._note(label, Contact.CONNECTION)
        self._received[connection] = b""
        self._selector.register(connection, selectors.EVENT_READ, label)

    def _read(self, connection: socket.socket, label: str) -> None:
        chunk = b""
        with contextlib.suppress(OSError):
            chunk = connection.recv(65536)
        received = self._received[connection] = self._received[connection] + chunk
        is_hello = received.startswith(_TLS)
        if is_hello:
            self._note(label, Contact.TLS_HELLO)
        request = parse(received) if chunk and not is_hello else None
        if request is None and chunk and not is_hello and len(received) < _MOST_OF_A_REQUEST:
            return  # there is more to come
        if request is not None:
            self._note(label, Contact.REQUEST)
            with contextlib.suppress(OSError):
                connection.sendall(_answer(request.path, request.headers.get("origin", "*")))
        self._selector.unregister(connection)
        del self._received[connection]
        connection.close()


def _answer(path: str, origin: str) -> bytes:
    kind = _KINDS.get(path.rpartition(".")[2], b"text/plain")
    fields = [b"Access-Control-Allow-Origin: " + origin.encode(), b"Access-Control-Allow-Credentials: true"]
    return page(b"", *fields, b"Cache-Control: no-store", kind=kind)


class WatchedChromium(Chromium):
    """A Chromium in which third parties are found, and which writes down whom it looks up."""

    def __init__(self, folder: Path, sinks: Sinks) -> None:
        self._labels = {str(port): label for label, port in sinks.ports.items()}
        self._log = folder / "net-log.json"
        self._read_until, self._last = 0, ""
        self._looked_up: set[str] = set()
        super().__init__(folder)

    def _command(self, folder: Path) -> list[str]:
        *command, first_page = super()._command(folder)
        rules = f"MAP *.{DOMAIN} {MAPPED_HOST}, MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE 127.0.0.1"
        # Of two switches of one name the last counts. Reports leave at once and not after a minute.
        more = [f"--log-net-log={self._log}", "--short-reporting-delay", f"--host-resolver-rules={rules}"]
        return [*command, *more, first_page]

    def looked_up(self) -> set[str]:
        """Return the third parties that it has looked up and has written down by now."""
        with contextlib.suppress(FileNotFoundError), self._log.open(errors="replace") as log:
            log.seek(self._read_until)
            *lines, last = (self._last + log.read()).split("\n")
            self._read_until, self._last = log.tell(), last
            ports = re.findall(rf'"host":"(?:https?://)?{re.escape(MAPPED_HOST)}:([0-9]+)', "\n".join(lines))
            self._looked_up.update(self._labels[port] for port in ports if port in self._labels)
        return self._looked_up.copy()

    def version(self) -> str:
        """Return its version, as far as it matters."""
        product: str = self._wire.call("Browser.getVersion")["product"]
        return "Chromium " + product.rpartition("/")[2].partition(".")[0]

    def open_tab(self, url: str) -> str:
        """Begin to show the page at *url* in one tab more, and return the tab."""
        # In a window of its own, or only the last one would be in front: a page behind does not prefetch.
        tab: str = self._wire.call("Target.createTarget", params={"url": url, "newWindow": True})["targetId"]
        return tab

    def close_tab(self, tab: str) -> None:
        """Close a tab that open_tab() has opened."""
        self._wire.call("Target.closeTarget", params={"targetId": tab})


WATCHING = {
    "network.dns.notifyResolution": True,
    "network.dns.native_https_query": False,  # it would ask a server outside for more than an address
    "network.early-hints.over-http-v1-1.enabled": True,  # as it does over HTTP/2 by itself
}


class WatchedFirefox(Firefox):
    """A Firefox in which third parties are found, and which notes whom it looks up."""

    def __init__(self, folder: Path, sinks: Sinks) -> None:
        self._hosts = [f"{label}.{DOMAIN}" for label in sinks.ports]
        super().__init__(folder)

    def _command(self, folder: Path) -> list[str]:
        command = super()._command(folder)
        with (folder / "profile" / "user.js").open("a") as preferences:
            preferences.writelines(f'user_pref("{name}", {json.dumps(value)});\n' for name, value in WATCHING.items())
        return [*command, "--remote-allow-system-access"]

    def _attach(self) -> None:
        super()._attach()
        tree = self._call("browsingContext.getTree", **{"moz:scope": "chrome"})
        self._window: str = tree["contexts"][0]["context"]
        self._in_window(f"""
            const overrides = Cc["@mozilla.org/network/native-dns-override;1"];
            const override = overrides.getService(Ci.nsINativeDNSResolverOverride);
            for (const host of {json.dumps(self._hosts)}) override.addIPOverride(host, "127.0.0.1");
            window.lookedUp = new Set();
            window.noteLookUp = (subject, topic, host) => window.lookedUp.add(host);
            Services.obs.addObserver(window.noteLookUp, "dns-resolution-request");""")

    def _in_window(self, script: str) -> Any:
        answer = self._call(
            "script.evaluate",
            expression=f"(() => {{ {script} }})()",
            target={"context": self._window},
            awaitPromise=False,
        )
        if answer["type"] == "exception":
            raise RuntimeError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def looked_up(self) -> set[str]:
        """Return the third parties that it has looked up by now."""
        hosts = json.loads(self._in_window("return JSON.stringify([...window.lookedUp])"))
        return {host.removesuffix(f".{DOMAIN}") for host in hosts if host.endswith(f".{DOMAIN}")}

    def version(self) -> str:
        """Return its version, as far as it matters."""
        version: str = self._in_window("return Services.appinfo.version")
        return "Firefox " + version.partition(".")[0]

    def open_tab(self, url: str) -> str:
        """Begin to show the page at *url* in one tab more, and return the tab."""
        tab: str = self._call("browsingContext.create", type="tab")["context"]
        # Not until it is loaded: Firefox never says so of some pages with frames that a policy has blocked.
        self._call("browsingContext.navigate", context=tab, url=url, wait="none")
        return tab

    def close_tab(self, tab: str) -> None:
        """Close a tab that open_tab() has opened."""
        self._call("browsingContext.close", context=tab)


WatchedBrowser = WatchedChromium | WatchedFirefox
WATCHED: Mapping[str, Callable[[Path, Sinks], WatchedBrowser]] = {
    "chromium": WatchedChromium,
    "firefox": WatchedFirefox,
}
