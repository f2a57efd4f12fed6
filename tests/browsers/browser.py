"""What the tests ask of a browser, of whichever kind: open a page, run a script in it, read the cookie jar."""

from __future__ import annotations

import abc
import contextlib
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from websockets.sync.client import connect

from browsers.programs import Process

DEADLINE = 30  # seconds: far more than a loopback page takes on a busy machine

# Policy violations, told by the page itself: neither protocol reports them all by other means.
WATCH_VIOLATIONS = """
    addEventListener("securitypolicyviolation", (event) => report(
        [event.effectiveDirective, event.blockedURI, event.disposition, event.documentURI].join(" ")))
"""


class Cookie(NamedTuple):
    """One cookie in a browser's jar."""

    host: str
    name: bytes
    value: bytes
    expires: float | None
    """In seconds since 1970; None for a session cookie, which goes when the browser is closed."""

    @property
    def is_persistent(self) -> bool:
        return self.expires is not None


class Wire:
    """The WebSocket on which a browser is told what to do and tells what has happened."""

    def __init__(self, port: int, path: str) -> None:
        self.events: list[dict[str, Any]] = []
        self._last_id = 0
        self._closing = contextlib.ExitStack()
        self._socket = self._closing.enter_context(
            connect(
                f"ws://127.0.0.1:{port}{path}",
                sock=socket.create_connection(("127.0.0.1", port)),  # ours, so that no proxy is asked
                max_size=None,  # a screenshot is one message
                max_queue=None,  # what nobody has asked for yet must not stop the rest
                compression=None,
                ping_interval=None,
            )
        )

    def call(self, method: str, **message: Any) -> dict[str, Any]:
        """Send one command and return its result; raises RuntimeError with what the browser says of a failure."""
        self._last_id += 1
        self._socket.send(json.dumps({"id": self._last_id, "method": method, **message}))
        deadline = time.monotonic() + DEADLINE
        while (answer := self._receive(deadline)).get("id") != self._last_id:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']} {answer.get('message', '')}")
        result: dict[str, Any] = answer["result"]
        return result

    def wait_for(self, is_it: Callable[[dict[str, Any]], bool], since: int) -> dict[str, Any]:
        """Return the first event that *is_it* from number *since* on, waiting for it if need be."""
        deadline = time.monotonic() + DEADLINE
        while True:
            for event in self.events[since:]:
                if is_it(event):
                    return event
            since = len(self.events)
            self.events.append(self._receive(deadline))

    def take_events(self, method: str) -> list[dict[str, Any]]:
        """Return the parameters of the events that are there by now."""
        with contextlib.suppress(TimeoutError):
            while True:
                self.events.append(self._receive(time.monotonic()))
        return [event["params"] for event in self.events if event.get("method") == method]

    def close(self) -> None:
        self._closing.close()

    def _receive(self, deadline: float) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._socket.recv(max(0, deadline - time.monotonic())))
        return message


class Browser(abc.ABC):
    """One headless browser with one tab."""

    name: str
    _wire: Wire

    def __init__(self, folder: Path) -> None:
        with contextlib.ExitStack() as closing:
            process = Process(self._command(folder), folder)
            closing.callback(process.kill)  # its profile goes, too
            port, path = process.wait_for(lambda: self._endpoint(folder))
            self._wire = Wire(port, path)
            closing.callback(self._wire.close)
            self._attach()
            self._closing = closing.pop_all()

    @abc.abstractmethod
    def _command(self, folder: Path) -> list[str]:
        """Return the command that starts the browser with its profile in *folder*."""

    @abc.abstractmethod
    def _endpoint(self, folder: Path) -> tuple[int, str] | None:
        """Return the port and the path at which it listens, or None while it does not."""

    @abc.abstractmethod
    def _attach(self) -> None:
        """Take hold of the tab."""

    @abc.abstractmethod
    def _take_new_tab(self) -> None:
        """Go on in a new tab: in the old one some navigation may still be under way, and overtake the next."""

    @abc.abstractmethod
    def open(self, url: str) -> None:
        """Show the page at *url* and wait until it is loaded, with whatever it loads."""

    @abc.abstractmethod
    def run(self, script: str) -> Any:
        """Return what the JavaScript function body *script* returns, as JSON; it may use await."""

    @abc.abstractmethod
    def loading(self) -> contextlib.AbstractContextManager[None]:
        """Wait at the end of the block until another page has loaded, which something in the block has led to."""

    @abc.abstractmethod
    def cookies(self) -> list[Cookie]:
        """Return the whole jar."""

    @abc.abstractmethod
    def clear_cookies(self) -> None:
        """Empty the jar."""

    @abc.abstractmethod
    def violations(self) -> list[str]:
        """Return what policies have blocked or reported since start_over(): directive, URL, disposition, page."""

    @abc.abstractmethod
    def messages(self) -> list[str]:
        """Return the warnings, errors and prints of the console since start_over()."""

    @abc.abstractmethod
    def screenshot(self) -> bytes:
        """Return a PNG of what the tab shows."""

    def start_over(self) -> None:
        """Leave the page, empty the jar and forget what was told."""
        self._take_new_tab()
        self.clear_cookies()
        self.messages()
        self._wire.events.clear()

    def fill(self, selector: str, text: str) -> None:
        """Type *text* into the one field that *selector* names."""
        self.run(f"""
            const [field, ...more] = document.querySelectorAll({json.dumps(selector)});
            if (!field || more.length) throw Error("not one field: " + {json.dumps(selector)});
            field.focus();
            field.value = {json.dumps(text)};
            field.dispatchEvent(new Event("input", {{bubbles: true}}));
            field.dispatchEvent(new Event("change", {{bubbles: true}}));
        """)

    def click(self, selector: str) -> None:
        """Click on the first element that *selector* names; in a loading() block where it leads to another page."""
        self.run(f"""
            const element = document.querySelector({json.dumps(selector)});
            if (!element) throw Error("nothing to click on: " + {json.dumps(selector)});
            element.click();
        """)

    def text(self) -> str:
        """Return the text that the page shows."""
        text: str = self.run("return document.body.innerText")
        return text

    def wait_until(self, expression: str) -> Any:
        """Wait until the JavaScript *expression* is true, as long as a page may take, and return its value."""
        return self.run(f"""
            const deadline = Date.now() + {DEADLINE * 500};
            let answer;
            while (!(answer = {expression}) && Date.now() < deadline) await new Promise(go => setTimeout(go, 20));
            return answer;
        """)

    def close(self) -> None:
        """End the browser."""
        self._closing.close()
