"""Django's middleware: the exchange, with Django's own request and response objects."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from .. import _context, _logs, _servers
from .._exchange import Exchange, new_nonce, prepare
from .._headers import TEXT
from .._intake import says_refused
from .._paths import asgi_path, canonical_path, wsgi_path
from .._policy import Policy
from ..asgi import SCOPE_KEY, without_cookies
from ..wsgi import ENVIRON_KEY
from .content import scrub_content
from .policy import project_policy
from .submission import take_in_request

GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]

# On each of the pages that Django shows a developer, and a visitor never.
_NONCE = re.compile(r"[A-Za-z0-9+/_-]{22,}={0,2}")  # 22 characters are 128 bits
_DEBUG_PAGE = re.compile(rb">DEBUG\s*=\s*True<")


if TYPE_CHECKING:
    _LazyText = SimpleLazyObject[str]
else:  # generic in the stubs only
    _LazyText = SimpleLazyObject


class LazyNonce(_LazyText):
    """The nonce, made when it is first read; false until then, as Django's own is."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange.nonce)
        self.__dict__["_exchange"] = exchange

    def __bool__(self) -> bool:
        exchange: Exchange = self.__dict__["_exchange"]
        return exchange.has_nonce


class PrivacyMiddleware:
    """Make a Django project keep the promises of its privacy policy; first in MIDDLEWARE, sync and async.

    First, so that it sees what every other middleware did to the response. The policy is ``settings.PRIVGUARD``.
    Raises :class:`privguard.SettingsError` when the server starts.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response: Any = get_response
        self.policy: Policy = project_policy()
        self.is_async: bool = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)
        prepare(self.policy)

    def __call__(self, request: HttpRequest) -> Any:
        """Answer one request, or return the coroutine that does."""
        if self.is_async:
            return self._answer_async(request)
        around = _context.current.get()
        exchange = self._open(request)
        if exchange is None:
            return _refusal()
        try:
            response = take_in_request(request, exchange) or self.get_response(request)
            return self._close(request, response, exchange)
        finally:
            _context.pause(exchange, around)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        around = _context.current.get()
        exchange = self._open(request)
        if exchange is None:
            return _refusal()
        try:
            response = take_in_request(request, exchange) or await self.get_response(request)
            return self._close(request, response, exchange)
        finally:
            _context.pause(exchange, around)

    def _open(self, request: Any) -> Exchange | None:
        try:
            around = _parent(request)
            host = request.META.get("HTTP_HOST", "")
            exchange = Exchange(self.policy, _path(request), parent=around, host=lambda: host)
            exchange.outermost.make_nonce = _shared_nonce(request, exchange.outermost)
            _context.enter(exchange)
            _servers.begin(getattr(request, "scope", request.META), exchange.outermost)
            request._privguard_exchange = exchange
            if self.policy.nonce_mode == "never":
                request.csp_nonce = ""
            else:
                request.csp_nonce = request._csp_nonce = LazyNonce(exchange)
            if exchange.hides_cookies:
                exchange.was_refused = says_refused(request.META.get("HTTP_COOKIE", ""))
                _hide_cookies(request)
            _ask_for_readable(request, exchange)
        except Exception as error:
            _logs.tell_failure(error)
            return None
        return exchange

    def _close(self, request: HttpRequest, response: HttpResponseBase, exchange: Exchange) -> HttpResponseBase:
        try:
            if getattr(request, "_csp_nonce", None) and self.policy.nonce_mode != "never":
                exchange.nonce()  # made by Django's own middleware, maybe: then this response carries it
            if settings.DEBUG and _is_debug_page(response):
                exchange.admit_inline()
            _take_back_policies(response, self.policy.csp_header)
            theirs = response.headers.get(self.policy.csp_header)
            _guard_headers(response, exchange)
            vars(response)["_privguard_policies"] = (response.headers.get(self.policy.csp_header), theirs)
            if exchange.body is not None:
                scrub_content(response, exchange)
        except Exception as error:
            _logs.tell_failure(error)
            response.close()
            response = _refusal()
        response._resource_closers.append(lambda: _end(exchange))  # type: ignore[attr-defined]
        return response


def _end(exchange: Exchange) -> None:
    exchange.outermost.make_nonce = new_nonce  # what was there holds the request, which holds the exchange
    exchange.end()
    _context.leave(exchange, None)


def _path(request: Any) -> str:
    if hasattr(request, "scope"):
        return asgi_path(request.scope)
    return wsgi_path(request.environ) if hasattr(request, "environ") else canonical_path(request.path)


def _parent(request: Any) -> Exchange | None:
    """Return the exchange of a guard around this one: the middleware again, or one around the whole application."""
    scope: dict[str, Any] = getattr(request, "scope", {})
    around: Exchange | None = request.META.get(ENVIRON_KEY) or scope.get(SCOPE_KEY)
    return vars(request).get("_privguard_exchange") or around


def _hide_cookies(request: Any) -> None:
    request.META.pop("HTTP_COOKIE", None)
    request.COOKIES = {}
    vars(request).pop("headers", None)  # cached from META
    if hasattr(request, "scope"):
        request.scope = {**request.scope, "headers": without_cookies(request.scope["headers"])}


def _ask_for_readable(request: Any, exchange: Exchange) -> None:
    """Let no middleware below compress a page so that it would leave unseen."""
    accepted = request.META.get("HTTP_ACCEPT_ENCODING")
    if accepted:
        readable = exchange.acceptable(accepted, request.META.get("HTTP_SEC_FETCH_DEST", ""))
        if readable != accepted:
            request.META["HTTP_ACCEPT_ENCODING"] = readable
            vars(request).pop("headers", None)  # cached from META


def _shared_nonce(request: Any, exchange: Exchange) -> Callable[[], str]:
    """Return what makes the nonce: Django's own CSP middleware, where that is in the project, else privguard."""

    def make() -> str:
        exchange.make_nonce = new_nonce  # theirs may ask for ours in turn
        request._cache_update_cache = False  # Django's cache would give the page with this nonce to others
        theirs = getattr(request, "_csp_nonce", None)
        if theirs is None or type(theirs) is LazyNonce:
            return new_nonce()
        # It stands in a policy of ours: what is no nonce (CSP3 §2.3.1), or a guessable one, has no place there.
        return text if _NONCE.fullmatch(text := str(theirs)) else new_nonce()

    return make


def _is_debug_page(response: HttpResponseBase) -> bool:
    return _DEBUG_PAGE.search(getattr(response, "content", b"")) is not None


def _guard_headers(response: Any, exchange: Exchange) -> None:
    cookies = [("Set-Cookie", morsel.OutputString()) for morsel in response.cookies.values()]
    guarded = exchange.response_headers(response.status_code, [*response.headers.items(), *cookies], TEXT)
    for name in list(response.headers):
        del response.headers[name]
    left: list[str] = []
    for name, value in guarded:
        if name.strip().lower() == "set-cookie":
            left.append(value)
        elif name in response.headers:
            # Django keeps one value a name. Of a Content-Security-Policy that may be a list of policies, all of which
            # hold (CSP3 §3.1), as they would in header fields of their own.
            response.headers[name] += f", {value}"
        else:
            response.headers[name] = value
    _replace_cookies(response, left)


def _take_back_policies(response: Any, csp_header: str) -> None:
    """Leave the view's own policy alone in *response*: a view may return one response object for every request."""
    given = response.headers.get(csp_header)
    sent, theirs = vars(response).get("_privguard_policies", (None, None))
    if given is not None and given == sent:
        del response.headers[csp_header]
        if theirs is not None:
            response.headers[csp_header] = theirs


def _replace_cookies(response: HttpResponseBase, left: Iterable[str]) -> None:
    """Make the response send exactly *left*: cut lifetimes out of its own cookies, drop those that are not left."""
    unsent = list(left)
    for key, morsel in list(response.cookies.items()):
        if morsel.OutputString() not in unsent:
            morsel["expires"] = morsel["max-age"] = ""
        if morsel.OutputString() in unsent:
            unsent.remove(morsel.OutputString())
        else:
            del response.cookies[key]
    if unsent:  # set as a plain header, of which Django keeps one
        response.headers["Set-Cookie"] = unsent[0]


def _refusal() -> HttpResponse:
    return HttpResponse("Internal Server Error", status=500, content_type="text/plain; charset=utf-8")
