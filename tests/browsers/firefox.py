"""A real, headless Firefox, driven by WebDriver BiDi."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from browsers.browser import WATCH_VIOLATIONS, Browser, Cookie
from browsers.programs import require

# Nothing leaves this machine, whatever the browser itself would like to ask.
PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.region.network.url": "",
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.topsites.contile.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.push.connection.enabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "media.autoplay.default": 0,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disableIPv6": True,
    "network.proxy.type": 0,
    "services.settings.server": "data:,",
    "toolkit.telemetry.server": "data:,",
}


class Firefox(Browser):
    """Firefox with a fresh profile in *folder*."""

    name = "firefox"
    capabilities: ClassVar[Mapping[str, Any]] = {}
    """What it is asked for at the start (WebDriver §7)."""

    def _command(self, folder: Path) -> list[str]:
        profile = folder / "profile"
        profile.mkdir()
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()]
        (profile / "user.js").write_text("".join(lines))
        program = require("firefox-esr")
        return [program, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port=0"]

    def _endpoint(self, folder: Path) -> tuple[int, str] | None:
        try:
            return json.loads((folder / "profile" / "WebDriverBiDiServer.json").read_text())["ws_port"], "/session"
        except (OSError, ValueError):  # not there yet, or not all of it
            return None

    def _attach(self) -> None:
        self._call("session.new", capabilities=self.capabilities)
        self._call("session.subscribe", events=["browsingContext.load", "log.entryAdded", "script.message"])
        self._call(
            "script.addPreloadScript",
            functionDeclaration=f"(report) => {{ {WATCH_VIOLATIONS} }}",
            arguments=[{"type": "channel", "value": {"channel": "violations"}}],
        )
        self._tab: str = self._call("browsingContext.getTree")["contexts"][0]["context"]
        self._navigation: str | None = None

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._wire.call(method, params=params)

    def open(self, url: str) -> None:
        answer = self._call("browsingContext.navigate", context=self._tab, url=url, wait="complete")
        self._navigation = answer["navigation"]

    def _take_new_tab(self) -> None:
        tab = self._call("browsingContext.create", type="tab")["context"]
        self._call("browsingContext.close", context=self._tab)
        self._tab = tab

    @contextlib.contextmanager
    def loading(self) -> Iterator[None]:
        since = len(self._wire.events)
        yield
        self._navigation = self._wire.wait_for(self._has_loaded, since)["params"]["navigation"]

    def _has_loaded(self, event: dict[str, Any]) -> bool:
        # What is told of the page that was there before may come late.
        params = event.get("params", {})
        return (
            event.get("method") == "browsingContext.load"
            and params["context"] == self._tab
            and params["navigation"] != self._navigation
        )

    def run(self, script: str) -> Any:
        expression = f"(async () => {{ {script} }})().then(answer => JSON.stringify(answer))"
        answer = self._call(
            "script.evaluate",
            expression=expression,
            target={"context": self._tab},
            awaitPromise=True,
            userActivation=True,
        )
        if answer["type"] == "exception":
            raise RuntimeError(json.dumps(answer["exceptionDetails"]))
        return json.loads(answer["result"].get("value", "null"))

    def cookies(self) -> list[Cookie]:
        return [
            Cookie(
                one["domain"], one["name"].encode("utf-8", "surrogatepass"), _octets(one["value"]), one.get("expiry")
            )
            for one in self._call("storage.getCookies")["cookies"]
        ]

    def clear_cookies(self) -> None:
        self._call("storage.deleteCookies")

    def violations(self) -> list[str]:
        return [
            event["data"]["value"]
            for event in self._wire.take_events("script.message")
            if event["channel"] == "violations"
        ]

    def messages(self) -> list[str]:
        return [event["text"] or "" for event in self._wire.take_events("log.entryAdded")]

    def screenshot(self) -> bytes:
        return base64.b64decode(self._call("browsingContext.captureScreenshot", context=self._tab)["data"])


def _octets(value: dict[str, str]) -> bytes:
    return base64.b64decode(value["value"]) if value["type"] == "base64" else value["value"].encode()
