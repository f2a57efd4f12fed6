"""One request and its response under a policy: everything that privguard decides, and no I/O.

The adapters bring the path, the header fields and the status, and send what comes back. The clock and the nonce's
randomness come in as arguments.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import Token

from . import _context, _logs
from ._body import Body
from ._codings import acceptable
from ._errors import NonceError
from ._head import ResponseHead
from ._policy import CookieMode, PathRules, Policy

_NO_DOCUMENTS = frozenset("audio font image manifest script style track video worker".split())  # Fetch §2.2.7
_MAKING_NONCE = threading.RLock()


def new_nonce() -> str:
    """Return 128 random bits in base64url (CSP3 §7.1)."""
    import secrets  # a hundred modules that a process without nonces never needs

    return secrets.token_urlsafe(16)


def _no_host() -> str:
    return ""


class Exchange(ResponseHead):
    """One request and its response; the only mutable object that a request costs.

    *path* is canonical. *parent* is the exchange of a guarded app around this one: one nonce and one silence hold for
    both, and each enforces its own policy. *host* tells the request's Host field, if anybody needs to know.
    """

    # Of the class until a request has its own: most requests never do.
    in_call: bool = True
    """Whether the app is being called; what it returned may still be read."""
    ended: bool = False
    """Whether the app is done with the request, its body included."""
    raised: bool = False
    """Whether it was done by an exception."""
    token: Token[_context.InProgress | None] | None = None
    """What the context in which its code runs gave for it."""
    body: Body | None = None
    _access_lines: int = 0
    _muted: bool = False

    def __init__(
        self,
        policy: Policy,
        path: str,
        parent: Exchange | None = None,
        make_nonce: Callable[[], str] = new_nonce,
        clock: Callable[[], float] = time.time,
        host: Callable[[], str] = _no_host,
    ) -> None:
        self.policy = policy
        self.path = path
        self.parent: Exchange | None = parent
        self.rules: PathRules = policy.rules_for(path)
        self.make_nonce = make_nonce
        self._clock = clock
        self._host = host
        if path in policy.quiet_paths:
            self.flag_child()

    # ── what the request's own code may do ───────────────────────────────────────────────────────────────────────────

    @property
    def muted(self) -> bool:
        """Whether nothing about this request may reach a log; once true it stays so."""
        return self._muted if self.parent is None else self.parent.muted

    def flag_child(self) -> None:
        """Mute the rest of the request."""
        self.outermost._muted = True

    @property
    def has_nonce(self) -> bool:
        """Whether the response's nonce has been made."""
        return self.outermost._nonce is not None

    def nonce(self) -> str:
        """Return the response's nonce; raises NonceError when none can be given."""
        if self.policy.nonce_mode == "never":
            raise NonceError('csp_nonce() is switched off; set PRIVGUARD["csp"]["nonce"] to "auto" or "always"')
        outermost = self.outermost
        if outermost._nonce is None:
            if self._head_sent or outermost._head_sent:
                raise NonceError(
                    "csp_nonce() was called after the response's header had been sent without a nonce, as streaming "
                    'bodies do; call it before the response starts, or set PRIVGUARD["csp"]["nonce"] to "always"'
                )
            with _MAKING_NONCE:  # two threads of one request must not make two
                outermost._nonce = outermost._nonce or outermost.make_nonce()
        return outermost._nonce

    @property
    def access_lines(self) -> int:
        """How many access lines of this request were not written so far."""
        return self.outermost._access_lines

    def is_access_line_of_its_own(self) -> bool:
        """Count an access line that is not written: while a request is in progress, each is its own."""
        self.outermost._access_lines += 1
        return True

    @property
    def outermost(self) -> Exchange:
        """The exchange whose nonce and silence are this one's too."""
        return self if self.parent is None else self.parent.outermost

    # ── the request ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def hides_cookies(self) -> bool:
        """Whether the app may see no Cookie header."""
        return self.rules.cookies is CookieMode.BLOCK

    def acceptable(self, accept_encoding: str, destination: str) -> str:
        """Return what the app may read as Accept-Encoding: no coding in which a document could not be looked through.

        *destination* is the request's Sec-Fetch-Dest, by which browsers say of a file that it becomes no document.
        """
        if not self.policy.scrubs_html or destination in _NO_DOCUMENTS:
            return accept_encoding
        return acceptable(accept_encoding)

    def admit_inline(self) -> None:
        """Let inline code run on this response: for the pages that a framework shows its developer, and nobody else."""
        self._admits_inline = True

    def end(self, *, raised: bool = False) -> None:
        """Say that the app is done with the request, and whether by an exception."""
        self.ended = True
        self.raised = raised

    # ── the response's body ──────────────────────────────────────────────────────────────────────────────────────────

    def scrub(self, chunk: bytes, *, is_last: bool = False) -> bytes:
        """Return what may leave of the body by now: *chunk* itself, unless it is a document's."""
        body = self.body
        if body is None:
            return chunk
        scrubbed = body.feed(chunk)
        if is_last:
            self.body = None
            scrubbed += body.finish()
        self._tell_removals(body)
        return scrubbed

    def _tell_removals(self, body: Body) -> None:
        for what, host, line in body.take_removed():
            if not self.muted:
                _logs.tell_contact(what, host, self.path, line)
