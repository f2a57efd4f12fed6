"""The settings dict: every key, its default and its check, in one table.

Checking happens once, at start. What comes out is complete (defaults filled in), canonical and frozen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._checks import (
    csp_directives,
    csp_paths,
    list_of,
    one_of,
    one_origin,
    one_path,
    one_prefix,
    or_none,
    own_header,
    page_or_callable,
    printable_text,
    switch,
    table,
    token,
    whole_number,
)

COOKIE_MODES = ("allow", "downgrade", "strip", "block")
CHILD_ACTIONS = ("refuse", "erase", "mute")
NONCE_MODES = ("auto", "always", "never")
IP_MODES = ("full", "truncate", "none")


def check_settings(settings: Any, where: str = "PRIVGUARD") -> Mapping[str, Any]:
    """Return *settings* checked, complete and frozen. Raises SettingsError, which names the key's full path."""
    compiled: Mapping[str, Any] = _TABLE(settings, where)
    return compiled


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────

_PREFIXES = list_of("path prefixes", one_prefix)
_COOKIE_NAMES = list_of("cookie names", token("a cookie's name"))
_FIELDS = list_of("field names", printable_text("a field name"))

_TABLE = table(
    {
        "demo_paths": ((), _PREFIXES),
        "first_party": ((), list_of("origins", one_origin)),
        "cookies": (
            {},
            table(
                {
                    "demo": ("allow", one_of(*COOKIE_MODES)),
                    "elsewhere": ("strip", one_of(*COOKIE_MODES)),
                    "visit": (("session", "sessionid", "csrftoken"), _COOKIE_NAMES),
                }
            ),
        ),
        "csp": (
            {},
            table(
                {
                    "directives": ({}, csp_directives),
                    "paths": ({}, csp_paths),
                    "nonce": ("auto", one_of(*NONCE_MODES)),
                    "report_only": (False, switch),
                }
            ),
        ),
        "scrub_html": (True, switch),
        "user_image_paths": ((), _PREFIXES),
        "sealed_paths": ((), _PREFIXES),
        "block_webrtc": (False, switch),
        "children": (
            {},
            table(
                {
                    "minimum_age": (13, whole_number("years", 1, 99)),
                    "age_fields": (("age",), _FIELDS),
                    "birthdate_fields": (
                        ("birthdate", "birthday", "birth_date", "date_of_birth", "dob", "bday"),
                        _FIELDS,
                    ),
                    "flag_fields": (("child",), _FIELDS),
                    "paths": ((), _PREFIXES),
                    "signal_header": (None, or_none(token("a header's name"))),
                    "action": ("refuse", one_of(*CHILD_ACTIONS)),
                    "refusal": (None, or_none(page_or_callable)),
                    "back_button": (False, switch),
                    "limits": (
                        {},
                        table(
                            {
                                # Werkzeug's max_form_memory_size
                                "memory_bytes": (500_000, whole_number("bytes", 0, 1 << 30)),
                                # What fits into a signed 32-bit length, the usual limit of file uploads
                                "body_bytes": ((1 << 31) - 1, whole_number("bytes", 1, 1 << 50)),
                                # Apache's RequestReadTimeout body=20,MinRate=500, with nginx's client_body_timeout
                                "seconds": (60, whole_number("seconds", 1, 86_400)),
                                "bytes_per_second": (500, whole_number("bytes a second", 0, 1 << 30)),
                            }
                        ),
                    ),
                }
            ),
        ),
        "logs": (
            {},
            table(
                {
                    "quiet_paths": (
                        ("/favicon.ico", "/apple-touch-icon.png", "/apple-touch-icon-precomposed.png"),
                        list_of("paths", one_path),
                    ),
                    "ip": ("full", one_of(*IP_MODES)),
                    "query": (True, switch),
                    "front_header": (None, or_none(own_header)),
                    # A hundred years: past that it is no retention period but a slip of the hand.
                    "errors_at_once": (False, switch),
                    "retention_days": (None, or_none(whole_number("days", 1, 36_500))),
                }
            ),
        ),
    }
)
