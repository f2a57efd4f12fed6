"""The lines that privguard itself writes into the log: each tells the owner what was done, and what to type."""

from __future__ import annotations

import logging
import traceback

from ._errors import SubmissionError, UnseenBodyError
from ._silence import OWN_LOGGER

logger = logging.getLogger(OWN_LOGGER)

_MOST_COOKIE_NAMES = 1000  # an app that makes names up must neither fill the memory nor the log
_told_cookies: set[bytes] = set()
# By which directive an owner can admit what was taken out, for what people miss most.
_DIRECTIVES = {
    "<iframe>": "frame-src",
    "<frame>": "frame-src",
    "<object>": "object-src",
    "<embed>": "object-src",
    "form action": "form-action",
    "stylesheet": "style-src",
    "icon": "img-src",
}
_MOST_CONTACTS = 1000
_told_contacts: set[tuple[str, str]] = set()
_told_malformed = False

_CURES = {
    b"sessionid": "Django: SESSION_EXPIRE_AT_BROWSER_CLOSE = True",
    b"csrftoken": "Django: CSRF_COOKIE_AGE = None",
    b"django_language": "Django: LANGUAGE_COOKIE_AGE = None",
    # Theirs is also the limit that the server itself puts to a session: to be without it would be worse.
    b"session": "Flask: session.permanent = False; Starlette and Litestar: leave max_age as it is, all is well",
    b"remember_token": "Flask-Login: login_user(user, remember=False)",
}
_ANY_CURE = "set it without Max-Age and Expires"


def has_told_cookie(name: bytes) -> bool:
    """Whether the line about the cookie *name* has been written, or so many others that no more are."""
    return name in _told_cookies or len(_told_cookies) >= _MOST_COOKIE_NAMES


def tell_cookie(name: bytes, path: str, mode: str, kind: str, *, removed: bool) -> None:
    """Write the one line in a process that says that the cookie *name* is removed or loses its lifetime.

    *kind* is the value of a Lifetime: what the cookie asked for.
    """
    _told_cookies.add(name)
    shown = repr(name[:100].decode("latin-1"))[1:-1] or "(no name)"
    done = f"{'removed' if removed else 'cut the lifetime of'} the persistent cookie"
    cures = [_CURES.get(name, _ANY_CURE)]
    # Below "/" is the whole site: nobody wants that for a demo.
    or_demo = [] if path == "/" else ['or list the path in PRIVGUARD["demo_paths"]']
    if kind == "malformed":
        done, cures = "removed the malformed cookie", ["take CR, LF and NUL out of its name, value and attributes"]
    elif mode == "block":
        done, cures = "removed the cookie", ["do not set cookies here", *or_demo]
    else:
        cures += [f'or add "{shown}" to PRIVGUARD["cookies"]["visit"] to keep it for the visit'] if removed else []
        cures += or_demo
    logger.warning(
        '%s "%s" that was set on %s (mode "%s"). To stop this line: %s. It is written once for each name.',
        done,
        shown,
        repr(path)[1:-1],
        mode,
        ", ".join(cures),
    )


def tell_malformed(path: str) -> None:
    """Write one line, the first time in a process that a malformed response header is removed."""
    global _told_malformed
    if not _told_malformed:
        _told_malformed = True
        logger.warning(
            "removed a malformed header from the response to %s: its name must be a token, and its value text in "
            "latin-1 (bytes on ASGI) without CR, LF and NUL. This line is written once.",
            repr(path)[1:-1],
        )


def tell_contact(what: str, host: str, path: str, line: int) -> None:
    """Write, the first time for *what* and *path* in a process, what was taken out of a page or its head.

    *line* is the line of the page's source, 0 for a header.
    """
    if (what, path) in _told_contacts or len(_told_contacts) >= _MOST_CONTACTS:
        return
    _told_contacts.add((what, path))
    shown = repr(f"{what} to {host[:100]}" if host else what)[1:-1]
    directive = _DIRECTIVES.get(what)
    logger.warning(
        "removed %s %s from %s%s: it would make the visitor's browser contact another site. To allow an origin that is "
        'yours, add it to PRIVGUARD["first_party"]%s. This is written once for each kind and path.',
        "an" if shown.lstrip("<")[:1].lower() in "aeiou" else "a",
        shown,
        repr(path)[1:-1],
        f", line {line}" if line else "",
        f'; to allow somebody else\'s here, list it as "{directive}" in PRIVGUARD["csp"]["paths"]' if directive else "",
    )


def tell_refusal(error: BaseException) -> None:
    """Write that the function of the setting ``children.refusal`` failed; privguard's own page was sent instead."""
    logger.error(
        'the function in PRIVGUARD["children"]["refusal"] failed with %s, and privguard\'s own page was sent: it takes '
        "one argument, True for JSON, and returns a str or bytes.",
        type(error).__name__,
    )


def tell_submission(error: SubmissionError, path: str) -> None:
    """Write, the first time for a path in a process, why a submission was not taken in, and what to do."""
    if (str(error), path) in _told_contacts or len(_told_contacts) >= _MOST_CONTACTS:
        return
    _told_contacts.add((str(error), path))
    cure = "raise it, if that is to be taken" if error.limit else "make room in the temporary folder, or set TMPDIR"
    logger.error(
        "%s: %s was answered with a %d, and the app was not called; %s. This is written once for each path.",
        error,
        repr(path)[1:-1],
        error.status,
        cure,
    )


def tell_failure(error: BaseException) -> None:
    """Write where privguard itself failed. The error's message is left out: it may hold what a visitor sent."""
    if isinstance(error, UnseenBodyError):
        logger.error("stopped an answer (with a 500, or in the middle), so that nothing unguarded leaves: %s", error)
        return
    steps = [f"{step.filename.rpartition('/')[2]}:{step.lineno} in {step.name}" for step in _steps(error)]
    logger.error(
        "privguard failed on a request and answered it with a 500, so that nothing unguarded leaves. This is a bug in "
        "privguard: please report %s at %s, with privguard's version.",
        type(error).__name__,
        " < ".join(reversed(steps)) or "an unknown place",
    )


def _steps(error: BaseException) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(error.__traceback__))
