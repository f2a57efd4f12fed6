"""Every error that privguard raises on purpose, so that one ``except`` can name them all.

Errors about settings are raised at start, never at a request. They name the place, what it may be and the nearest
known name; no message ever holds a visitor's data.
"""

from __future__ import annotations

from collections.abc import Iterable


class PrivguardError(Exception):
    """The base of every error that privguard raises on purpose."""


class SettingsError(PrivguardError, ValueError):
    """A setting is unknown, of the wrong type, or impossible.

    ``where`` is the full path of the key as it would be typed, for example ``PRIVGUARD["cookies"]["elsewhere"]``.

    >>> str(SettingsError('PRIVGUARD["demo_paths"]', 'must be a list'))
    'PRIVGUARD["demo_paths"]: must be a list'
    """

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where
        self.problem = problem

    def __reduce__(self) -> tuple[type[SettingsError], tuple[str, str]]:
        return type(self), (self.where, self.problem)


class UnseenBodyError(PrivguardError):
    """A document's body cannot be read here, and must not leave unseen. The message says what to do."""


class SubmissionError(PrivguardError):
    """A submission could not be taken in.

    *status* is what the visitor gets (RFC 9110 §15.5); *limit* the key of ``children.limits`` that it ran into, empty
    where it was none.
    """

    def __init__(self, status: int, limit: str, problem: str) -> None:
        where = f' PRIVGUARD["children"]["limits"]["{limit}"]' if limit else ""
        super().__init__(problem + where)
        self.status = status
        self.limit = limit


class OutsideRequestError(PrivguardError, RuntimeError):
    """``csp_nonce()``, ``flag_child()`` or ``on_child()`` was called where no guarded request is in progress."""


class NonceError(PrivguardError, RuntimeError):
    """``csp_nonce()`` was called when no nonce can be given: too late, or never by the settings."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that looks most like *word*, or None when none comes near.

    >>> nearest("elswhere", ["demo", "elsewhere", "visit"])
    'elsewhere'
    """
    import difflib  # only needed to word an error: keeps `import privguard` light

    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None
