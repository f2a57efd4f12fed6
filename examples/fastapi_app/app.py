"""The smallest FastAPI app with a log-in, and with docs that load nothing from a CDN; look for "privguard"."""

import hashlib
import os
import secrets
from html import escape
from typing import Annotated

from fastapi import APIRouter, FastAPI, Form, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.sessions import SessionMiddleware

from privguard import csp_nonce
from privguard.asgi import PrivacyMiddleware

# A key that is made at every start logs everybody out at every start: set your own where people rely on it.
SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_hex()

site = FastAPI(title="A site with a log-in", docs_url=None, redoc_url=None)  # privguard: our own docs are below
# max_age is how long the server takes a session for a good one; privguard makes the cookie one for the visit.
site.add_middleware(SessionMiddleware, secret_key=SECRET_KEY, max_age=24 * 60 * 60)  # seconds
pages = APIRouter(include_in_schema=False)

# ── the members ──────────────────────────────────────────────────────────────────────────────────────────────────────

SALT = secrets.token_bytes(16)


def hashed(password: str) -> bytes:
    return hashlib.scrypt(password.encode(), salt=SALT, n=2**14, r=8, p=1)


MEMBERS = {"ada": hashed("lovelace")}


@site.get("/api/me")
def me(request: Request) -> dict[str, str | None]:
    """Say who is logged in."""
    return {"name": request.session.get("name")}


# ── the pages ────────────────────────────────────────────────────────────────────────────────────────────────────────


def page(title: str, main: str, status: int = 200) -> HTMLResponse:
    # privguard: the nonce lets this very style in, and nobody else's.
    head = f"""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style nonce="{csp_nonce()}">
  body {{ font-family: sans-serif; margin: 3em auto; max-width: 30em; padding: 0 1em; }}
</style>
<h1>{title}</h1>
"""
    return HTMLResponse(head + main, status)


@pages.get("/")
def front() -> HTMLResponse:
    main = f"""\
<p>Hello. It is <output>some time or other</output> where you are.</p>
<p><a href="/members">For members</a></p>
<p><a href="/docs">The API</a>, and <a href="/redoc">the same as one long page</a></p>
<script nonce="{csp_nonce()}">
  document.querySelector("output").textContent = new Date().toLocaleTimeString();
</script>
"""
    return page("A site with a log-in", main)


@pages.get("/members", response_model=None)
def members(request: Request) -> HTMLResponse | RedirectResponse:
    if "name" not in request.session:
        return RedirectResponse("/login", 303)
    main = f"""\
<p>Hello {escape(request.session["name"])}. You are logged in until you log out or close the browser.</p>
<form method="post" action="/logout"><button>Log out</button></form>
"""
    return page("For members", main)


LOGIN = """\
<form method="post" action="/login">
  <p><label>Name <input name="name" autocomplete="username" required></label></p>
  <p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
  <button>Log in</button>
</form>
"""


@pages.get("/login")
def login_form() -> HTMLResponse:
    return page("Log in", LOGIN)


@pages.post("/login", response_model=None)
def login(
    request: Request, name: Annotated[str, Form()], password: Annotated[str, Form()]
) -> HTMLResponse | RedirectResponse:
    if not secrets.compare_digest(MEMBERS.get(name, b""), hashed(password)):
        return page("Log in", '<p role="alert">That name and that password do not go together.</p>\n' + LOGIN, 403)
    request.session["name"] = name
    return RedirectResponse("/members", 303)


@pages.post("/logout")
def logout(request: Request) -> RedirectResponse:
    request.session.clear()
    return RedirectResponse("/", 303)


# ── the docs of the API ──────────────────────────────────────────────────────────────────────────────────────────────

# privguard: FastAPI's own pages load from a CDN, which the policy stops, so that they would stay blank. The package
# fastapi-offline brings the same files; a folder with your own copies of them does as well: StaticFiles(directory=…).
site.mount("/docs-files", StaticFiles(packages=[("fastapi_offline", "static")]))


@pages.get("/docs")
def docs() -> HTMLResponse:
    swagger = get_swagger_ui_html(
        title=site.title,
        openapi_url="/openapi.json",
        swagger_js_url="/docs-files/swagger-ui-bundle.js",
        swagger_css_url="/docs-files/swagger-ui.css",
        swagger_favicon_url="/docs-files/favicon.png",
    )
    # privguard: the page starts Swagger UI with an inline script, which needs the nonce to run. Never do this to a page
    # with anything of a visitor's in it: a script that somebody slipped in would get the nonce, too.
    html = bytes(swagger.body).decode()
    return HTMLResponse(html.replace("<script>", f'<script nonce="{csp_nonce()}">'))


@pages.get("/redoc")
def redoc() -> HTMLResponse:
    return get_redoc_html(
        title=site.title,
        openapi_url="/openapi.json",
        redoc_js_url="/docs-files/redoc.standalone.js",
        redoc_favicon_url="/docs-files/favicon.png",
        with_google_fonts=False,
    )


site.include_router(pages)
SETTINGS = {
    "csp": {
        "paths": {
            # Redoc writes its style sheet when it runs, and searches in a worker that it makes out of its own text.
            "/redoc": {"style-src": ["'self'", "'unsafe-inline'"], "worker-src": ["'self'", "blob:"]},
        },
    },
}
app = PrivacyMiddleware(site, SETTINGS)  # privguard: around the whole app, so that its error pages are guarded too
