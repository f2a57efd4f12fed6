"""The lifespan of an ASGI app (the Lifespan Protocol 2.0): starts it, and stops it at the end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from ._report import CannotProve

_LEAVE = 5  # seconds for the end


@contextlib.asynccontextmanager
async def running(app: Any, patience: float) -> AsyncIterator[dict[str, Any]]:
    """Start *app*, and yield the state that it makes for its requests; stop it behind the block.

    An app that knows no lifespan is called without. Raises CannotProve for one that says that it cannot start.
    """
    span = _Span()
    call = asyncio.create_task(span.call(app))
    try:
        _check_start(await span.next_answer(call, patience), patience)
        yield span.state
    finally:
        span.messages.put_nowait({"type": "lifespan.shutdown"})
        await span.next_answer(call, _LEAVE)
        call.cancel()
        await asyncio.wait([call])


def _check_start(answer: Mapping[str, Any] | None, patience: float) -> None:
    if answer is None:
        raise CannotProve(f"the app did not start within {patience} seconds; mend that, and type the same again")
    if answer["type"] == "lifespan.startup.failed":
        said = answer.get("message") or "it gave no reason"
        raise CannotProve(f"the app did not start: {said}; mend that, and type the same again")


class _Span:
    def __init__(self) -> None:
        self.state: dict[str, Any] = {}
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.answers: asyncio.Queue[Any] = asyncio.Queue()
        self.messages.put_nowait({"type": "lifespan.startup"})

    async def call(self, app: Any) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await app(scope, self.messages.get, self.answers.put)
        except Exception:  # the protocol: "the server must continue but not send any lifespan events"
            return

    async def next_answer(self, call: asyncio.Task[None], patience: float) -> Mapping[str, Any] | None:
        """Return the app's next message; an empty one when its call is over, None when nothing comes."""
        answer = asyncio.create_task(self.answers.get())
        done, _ = await asyncio.wait([answer, call], timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if answer in done:
            message: Mapping[str, Any] = answer.result()
            return message
        answer.cancel()
        return {"type": ""} if done else None
