"""The answers that privguard gives itself, in the app's place."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

from ._refusal import STATUS, Refusal


class Answer(NamedTuple):
    """A whole response, before the policy's own header fields are added."""

    status: int
    content_type: str
    body: bytes

    @property
    def line(self) -> str:
        """The status with its phrase, as WSGI wants it."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Its header fields."""
        length = ("Content-Length", str(len(self.body)))
        return [("Content-Type", self.content_type), length, *self.beside_the_body]

    @property
    def beside_the_body(self) -> list[tuple[str, str]]:
        """The fields that say nothing of the body.

        A form that is sent as a query stays in the page's address: what the page loads and where it leads would be
        asked for with it, and servers log the Referer.
        """
        return [("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer")]


def of_refusal(refusal: Refusal, accept: str) -> Answer:
    """Return what a child gets whose request has this Accept header."""
    return Answer(STATUS, *refusal.answer(accept))


def of_error(status: int) -> Answer:
    """Return what anybody gets whose submission could not be taken in."""
    return Answer(status, "text/plain; charset=utf-8", HTTPStatus(status).phrase.encode())
