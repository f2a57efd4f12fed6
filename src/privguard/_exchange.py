"""One request and its response under a policy: everything that privguard decides, and no I/O.

The adapters bring the path, the header fields and the status, and send what comes back. The clock and the nonce's
randomness come in as arguments.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextvars import Token

from . import _context, _logs, _servers, _silence, _sinks
from ._answer import Answer, of_error, of_refusal
from ._body import Body
from ._codings import acceptable
from ._errors import NonceError, SubmissionError
from ._head import ResponseHead
from ._intake import Intake, Values
from ._policy import ChildAction, CookieMode, PathRules, Policy

_NO_DOCUMENTS = frozenset("audio font image manifest script style track video worker".split())  # Fetch §2.2.7
_MAKING_NONCE = threading.RLock()
_TELLING_OF_CHILD = threading.RLock()  # held for no more than some assignments


def prepare(policy: Policy) -> None:
    """Put privguard's question before all that writes in this process, as every adapter does at start."""
    _silence.install(policy.settings["logs"])
    _sinks.look()
    _servers.adapt()


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
    _intake: Intake | None = None
    _access_lines: int = 0
    _muted: bool = False
    _waiting: _silence.Waiting | None = None
    _on_child: tuple[Callable[[], object], ...] = ()
    was_refused: bool = False
    """Whether the visitor's cookies say so; these may be hidden by then."""
    _at_end: Sequence[_sinks.Leave] = ()
    _has_begun: bool = False
    """Whether the libraries that write past logging know of it."""
    action: ChildAction | None = None
    """What happens to the submission, where it was found to be a child's before the app was called."""

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
        left = _context.current.get()
        if left is not None and parent is None and (left.muted or left.waiting):
            self._at_end = _sinks.start_over(left)
        if path in policy.quiet_paths:
            self.outermost._muted = True
            self.outermost._begin()
            _sinks.flag(self.outermost)

    # ── what the request's own code may do ───────────────────────────────────────────────────────────────────────────

    @property
    def muted(self) -> bool:
        """Whether nothing about this request may reach a log; once true it stays so."""
        return self._muted if self.parent is None else self.parent.muted

    @property
    def waiting(self) -> _silence.Waiting | None:
        """Where what the request writes waits, while it may still turn out to be a child's submission."""
        return self._waiting if self.parent is None else self.parent.waiting

    def flag_child(self) -> None:
        """Mute the whole request, and call those who asked for it; what one of them raises is raised in the end."""
        outermost = self.outermost
        with _TELLING_OF_CHILD:
            outermost.is_childs = outermost._muted = True
            callbacks, outermost._on_child = outermost._on_child, ()
        if outermost._waiting is not None:
            outermost._waiting.drop()
        outermost._begin()
        _sinks.flag(outermost)
        failed: BaseException | None = None
        for callback in callbacks:
            try:
                callback()
            except Exception as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def on_child(self, callback: Callable[[], object]) -> None:
        """Have *callback* called when the submission turns out to be a child's; at once, if it has."""
        outermost = self.outermost
        with _TELLING_OF_CHILD:
            is_childs = outermost.is_childs
            if not is_childs:
                outermost._on_child += (callback,)
        if is_childs:
            callback()

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

    def swallows(self, error: BaseException) -> bool:
        """Whether an app's *error* goes no further: servers tell of one in ways that nobody can silence."""
        return self.muted and isinstance(error, Exception)

    def end(self, *, raised: bool = False) -> None:
        """Say that the app is done with the request, and whether by an exception."""
        self.ended = True
        self.raised = raised
        self._on_child = ()
        intake, self._intake = self._intake, None
        if intake is not None:
            intake.discard()
        if self.parent is None:
            self.wait_no_more()
        if self._at_end:
            at_end, self._at_end = self._at_end, ()
            _sinks.end(at_end)
        if not self.muted:
            _servers.log_ordinary()

    # ── a submission ─────────────────────────────────────────────────────────────────────────────────────────────────

    def take_in(self, query: bytes, values: Values) -> Intake | None:
        """Begin to look at a submission: what it writes waits from here on. None where no setting speaks of any.

        *values* gives those of a request's header field. Call settle() when the query, the body or the end was seen.
        """
        outermost = self.outermost
        if outermost._waiting is None and not outermost._muted:
            outermost._waiting = _silence.Waiting(errors_at_once=self.policy.settings["logs"]["errors_at_once"])
            outermost._begin()
        if not self.policy.children or self._was_looked_at():
            return None
        self._intake = self.policy.children.intake(
            query, values, self._clock(), is_childs=self.rules.child, was_refused=self.was_refused
        )
        return self._intake

    def wait_no_more(self) -> None:
        """Write what waits, and all that comes, at once: nothing was submitted, or a connection goes on for long."""
        outermost = self.outermost
        waiting, outermost._waiting = outermost._waiting, None
        if waiting is not None:
            waiting.release()

    def _was_looked_at(self) -> bool:
        """Whether a guard around this one has asked the same of the same submission."""
        parent: Exchange | None = self.parent
        theirs = parent.policy.settings["children"] if parent is not None else None
        return theirs is not None and theirs == self.policy.settings["children"]

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._at_end = [*self._at_end, *_sinks.begin(self)]

    def settle(self, intake: Intake) -> ChildAction | None:
        """Return what happens to the submission, if it is a child's by now."""
        if intake.is_childs:
            self.flag_child()
            self.action = self.policy.child_action
        return self.action

    def refusal(self, accept: str) -> Answer:
        """Return what a child gets instead of the app's answer."""
        if self.policy.settings["children"]["back_button"]:
            self.outermost.sets_back_cookie = True
        return of_refusal(self.policy.refusal, accept)

    def fail(self, error: SubmissionError) -> Answer:
        """Return what a visitor gets whose submission could not be taken in."""
        _logs.tell_submission(error, self.path)
        return of_error(error.status)

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
