"""``{% load privguard %}``: the nonce as an attribute, in every template of a guarded request, whatever its context.

Django 6.1 has a tag of this name for its own nonce; where this library is loaded, it takes that one's place, with the
same argument.
"""

from __future__ import annotations

from typing import Any

import django
from django import template
from django.utils.html import format_html

from ... import _context
from ..._exchange import Exchange

register: template.Library = template.Library()


@register.simple_tag(takes_context=True)
def csp_nonce_attr(context: template.Context, media: Any = None) -> str:
    """Return ``nonce="…"``, or nothing when no guarded request is in progress or ``csp.nonce`` is ``"never"``.

    With the *media* of a form or widget, return its tags, nonced where Django can do that. Raises NonceError when the
    response's header has been sent without a nonce.
    """
    nonce = _nonce(context)
    if media:
        tags: str = media.render(attrs={"nonce": nonce}) if nonce and django.VERSION >= (6, 1) else media.render()
        return tags
    return format_html('nonce="{}"', nonce) if nonce else ""


def _nonce(context: template.Context) -> str:
    exchange = _exchange(context)
    if not isinstance(exchange, Exchange) or exchange.ended or exchange.policy.nonce_mode == "never":
        return ""
    return exchange.nonce()


def _exchange(context: template.Context) -> Any:
    """Return the exchange of the request that is being rendered, also in a thread that does not know its request."""
    request = getattr(context, "request", None) or context.get("request")
    return getattr(request, "_privguard_exchange", None) or _context.current.get()
