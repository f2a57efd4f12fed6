"""CustomChat: a small chat site that lives by a strict privacy policy.

    from customchat import SETTINGS, create_app
    from privguard.wsgi import PrivacyMiddleware

    app = PrivacyMiddleware(create_app(), SETTINGS)

`create_app(bare=True)` is the same site with what many sites have on top: a one-year cookie, and a font, a
script and a pixel from elsewhere. Behind the middleware that one keeps the policy too.
"""

from wsgiref.types import WSGIApplication

from .bare import BareSite
from .site import SETTINGS, Site

__all__ = ["SETTINGS", "create_app"]


def create_app(*, bare: bool = False, elsewhere: str = "http://elsewhere.example") -> WSGIApplication:
    """Return a fresh site: `elsewhere` is the origin that the bare one fetches from on every page."""
    return BareSite(elsewhere) if bare else Site()
