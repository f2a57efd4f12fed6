"""The same site as many sites are: it remembers visitors for a year, logs what they type, and tells somebody else."""

import logging
from secrets import token_hex
from urllib.parse import quote

from markupsafe import Markup
from werkzeug import Response
from werkzeug.http import dump_cookie

from .forms import SiteRequest
from .pages import render
from .site import Site

log = logging.getLogger(__name__)

ONE_YEAR = 365 * 24 * 60 * 60  # seconds


class BareSite(Site):
    """CustomChat with everything that its policy rules out."""

    def __init__(self, elsewhere: str) -> None:
        super().__init__()
        self.elsewhere = elsewhere

    def answer(self, request: SiteRequest) -> Response:
        response = super().answer(request)
        log.info("%s %s from %s: %s", request.method, request.full_path, request.user_agent, request.form.to_dict())
        if response.mimetype == "text/html":
            visitor = request.cookies.get("visitor") or token_hex(8)
            # By hand, because set_cookie would add an Expires, which many sites leave out.
            cookie = dump_cookie("visitor", visitor, max_age=ONE_YEAR, sync_expires=False)
            response.headers.add("Set-Cookie", cookie)
        return response

    def from_elsewhere(self, request: SiteRequest) -> dict[str, Markup]:
        return {
            "head": render("elsewhere_head", elsewhere=self.elsewhere),
            "body": render("elsewhere_body", elsewhere=self.elsewhere, page=quote(request.path, safe="")),
        }


def create_app(elsewhere: str = "http://elsewhere.example") -> BareSite:
    """Return a fresh careless site."""
    return BareSite(elsewhere)
