"""Template context: the nonce under the name that Django uses and the one that django-csp uses."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def csp_nonce(request: HttpRequest) -> dict[str, Any]:
    """Return ``csp_nonce`` and ``CSP_NONCE``; both are made on first use in the template."""
    nonce = getattr(request, "csp_nonce", "")
    return {"csp_nonce": nonce, "CSP_NONCE": nonce}
