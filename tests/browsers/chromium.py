"""A real, headless Chromium, driven by the Chrome DevTools Protocol."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from browsers.browser import WATCH_VIOLATIONS, Browser, Cookie
from browsers.programs import require

ARGUMENTS = [
    "--headless",
    "--no-sandbox",  # the tests may run as root, and visit nobody but themselves
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-proxy-server",
    "--password-store=basic",
    "--use-mock-keychain",
    "--autoplay-policy=no-user-gesture-required",
    # Nothing leaves this machine, whatever the browser itself would like to ask.
    "--host-resolver-rules=MAP *.localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
]


class Chromium(Browser):
    """Chromium with a fresh profile in *folder*."""

    name = "chromium"

    def _command(self, folder: Path) -> list[str]:
        return [require("chromium"), *ARGUMENTS, f"--user-data-dir={folder / 'profile'}", "about:blank"]

    def _endpoint(self, folder: Path) -> tuple[int, str] | None:
        file = folder / "profile" / "DevToolsActivePort"
        lines = file.read_text().split("\n") if file.exists() else []
        return (int(lines[0]), lines[1]) if len(lines) == 2 and lines[1] else None

    def _attach(self) -> None:
        (page,) = (one for one in self._wire.call("Target.getTargets")["targetInfos"] if one["type"] == "page")
        self._hold(page["targetId"])

    def _take_new_tab(self) -> None:
        old = self._target
        self._hold(self._wire.call("Target.createTarget", params={"url": "about:blank"})["targetId"])
        self._wire.call("Target.closeTarget", params={"targetId": old})

    def _hold(self, target: str) -> None:
        self._target = target
        params = {"targetId": target, "flatten": True}
        self._session: str = self._wire.call("Target.attachToTarget", params=params)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")
        self._main_frame = self._call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self._call("Page.setLifecycleEventsEnabled", enabled=True)
        self._call("Runtime.addBinding", name="reportViolation")
        watch = f"{{ const report = reportViolation; {WATCH_VIOLATIONS} }}"
        self._call("Page.addScriptToEvaluateOnNewDocument", source=watch)

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._wire.call(method, sessionId=self._session, params=params)

    def open(self, url: str) -> None:
        since = len(self._wire.events)
        answer = self._call("Page.navigate", url=url)
        if "errorText" in answer:
            raise RuntimeError(f"{url}: {answer['errorText']}")
        if "loaderId" in answer:  # there is none where only the fragment has changed
            self._wire.wait_for(lambda event: self._has_loaded(event, answer["loaderId"]), since)

    @contextlib.contextmanager
    def loading(self) -> Iterator[None]:
        since = len(self._wire.events)
        yield
        self._wire.wait_for(self._has_loaded, since)

    def _has_loaded(self, event: dict[str, Any], loader: str | None = None) -> bool:
        params = event.get("params", {})
        return (
            event.get("method") == "Page.lifecycleEvent"
            and params["name"] == "load"
            and params["frameId"] == self._main_frame
            and loader in (None, params["loaderId"])
        )

    def run(self, script: str) -> Any:
        expression = f"(async () => {{ {script} }})().then(answer => JSON.stringify(answer))"
        answer = self._call("Runtime.evaluate", expression=expression, awaitPromise=True, userGesture=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"]))
        return json.loads(answer["result"].get("value", "null"))

    def load_manifest(self) -> None:
        """Have the page's manifest loaded, as is done when a visitor is about to install the page."""
        self._call("Page.getAppManifest")

    def cookies(self) -> list[Cookie]:
        return [
            Cookie(
                one["domain"], one["name"].encode(), one["value"].encode(), None if one["session"] else one["expires"]
            )
            for one in self._wire.call("Storage.getCookies")["cookies"]
        ]

    def clear_cookies(self) -> None:
        self._wire.call("Storage.clearCookies")

    def violations(self) -> list[str]:
        return [event["payload"] for event in self._wire.take_events("Runtime.bindingCalled")]

    def messages(self) -> list[str]:
        told = [event["entry"] for event in self._wire.take_events("Log.entryAdded")]
        entries = [f"{entry['text']} {entry.get('url', '')}" for entry in told]
        prints = self._wire.take_events("Runtime.consoleAPICalled")
        errors = self._wire.take_events("Runtime.exceptionThrown")
        return entries + [json.dumps(event) for event in prints + errors]

    def screenshot(self) -> bytes:
        return base64.b64decode(self._call("Page.captureScreenshot")["data"])
