"""What both sites share: the way back to the test, the records of a request, and the ways to set logging up."""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import json
import logging
import logging.config
import logging.handlers
import os
import queue
import socket
import sys
import threading
from pathlib import Path

COOKIES = (("Set-Cookie", "kept=1; Max-Age=3600; Path=/"), ("Set-Cookie", "visit=1; Path=/"))
NAME = os.environ["SITE_NAME"]
BARE = "SITE_BARE" in os.environ
POLICY = json.loads(os.environ.get("SITE_POLICY", "{}"))
SECONDS = 30  # whoever waits longer has been forgotten

# ── the way back to the test ─────────────────────────────────────────────────────────────────────────────────────────


def _gate():
    return ("127.0.0.1", int(os.environ["SITE_GATE"]))


def tell(name):
    """Let the test know that something has happened here."""
    with socket.create_connection(_gate(), timeout=SECONDS) as connection:
        connection.sendall(f"{name}\n".encode())


def wait(name):
    """Let the test know that this is reached, and wait until it opens the gate."""
    with socket.create_connection(_gate(), timeout=SECONDS) as connection:
        connection.sendall(f"{name}\n".encode())
        connection.recv(1)


async def wait_here(name):
    """The same in an event loop, without a thread: a thread would have a context of its own."""
    reader, writer = await asyncio.open_connection(*_gate())
    writer.write(f"{name}\n".encode())
    await asyncio.wait_for(reader.read(1), SECONDS)
    writer.close()


# ── the records of a request ─────────────────────────────────────────────────────────────────────────────────────────


def say(stage, token):
    """Write one record; each stage of a request has a logger of its own."""
    logging.getLogger(f"site.{stage}").warning("record %s:%s.", stage, token)


def say_in_thread(stage, token):
    """Write one record from a thread that was started with a copy of this context."""
    thread = threading.Thread(target=contextvars.copy_context().run, args=(say, stage, token))
    thread.start()
    thread.join()


def say_late(token):
    """Write one record long after the response has left, as a job does that a request has begun."""

    def job():
        wait(f"late:{token}")
        say("late", token)
        tell(f"late-said:{token}")

    threading.Thread(target=contextvars.copy_context().run, args=(job,)).start()


def maximum_memory():
    """The most memory that this process has used so far, in KiB.

    The kernel's own figure: getrusage() would tell what the process that started this one had used.
    """
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])


# ── the ways to set logging up ───────────────────────────────────────────────────────────────────────────────────────

SERVER_LOGGERS = ("uvicorn.access", "uvicorn.error", "gunicorn.access", "gunicorn.error", "werkzeug")


def _dict_config(*, disable):
    handlers = {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "named"}}
    own = {"handlers": ["out"], "level": "INFO", "propagate": False}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": disable,
            "formatters": {"named": {"format": "%(name)s|%(message)s"}},
            "handlers": handlers,
            "root": {"handlers": ["out"], "level": "DEBUG"},
            "loggers": dict.fromkeys(SERVER_LOGGERS, own),
        }
    )


def _queue():
    records = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(records, logging.StreamHandler(sys.stdout))
    listener.start()
    atexit.register(listener.stop)
    for name in ("", *SERVER_LOGGERS):
        logger = logging.getLogger(name)
        logger.handlers[:] = [logging.handlers.QueueHandler(records)]
        logger.propagate = False
        logger.setLevel("INFO")


LOGGING = {
    "basic": lambda: logging.basicConfig(level="INFO"),
    "force": lambda: logging.basicConfig(level="INFO", force=True, format="%(name)s|%(message)s"),
    "disable": lambda: _dict_config(disable=True),
    "keep": lambda: _dict_config(disable=False),
    "queue": _queue,
    "server's": lambda: None,
}


def set_up_logging(moment):
    """Set logging up when *moment*, "before" or "after" the middleware is built, is the one that the test wants."""
    if moment == os.environ.get("SITE_LOGGING_WHEN", "before"):
        LOGGING[os.environ.get("SITE_LOGGING", "basic")]()
