"""The site: which address gives which page, and who is signed in."""

import json
from collections.abc import Iterable
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

from markupsafe import Markup
from werkzeug import Response
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule
from werkzeug.utils import redirect

from .forms import LONGEST_NAME, LONGEST_TEXT, SiteRequest
from .pages import board_list, chat_message, page, post, render, spoken
from .rooms import open_boards, open_chat

PROBLEMS = {
    400: ("That did not work", ""),  # the form's own sentence says why
    404: ("Nobody is here", "There is no page at this address. Perhaps the link lost a letter on the way."),
    405: ("Not like this", "This address takes no such request."),
    413: ("Too much at once", "What you sent is larger than what belongs here, so we did not read it."),
}
NOTHING = {"head": Markup(""), "body": Markup("")}


def not_from_children(wants_json: bool) -> str:
    """Return what a child reads whose form was refused: it repeats nothing, and names no limit."""
    title, text = "Not from children", "We do not take this form from children. What you sent is deleted."
    problem = render("problem", title=title, text=text)
    return json.dumps({"error": text}) if wants_json else page(title, problem, "/join", "", NOTHING)


SETTINGS: dict[str, Any] = {
    "demo_paths": ["/demo/"],
    "user_image_paths": ["/boards/"],
    # "downgrade", because the policy allows cookies on the demo pages for the visit only.
    "cookies": {"demo": "downgrade", "elsewhere": "strip", "visit": ["session"]},
    "children": {"minimum_age": 13, "age_fields": ["age"], "action": "refuse", "refusal": not_from_children},
}

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".ico": "image/x-icon"}
FILES = {path.name: path for path in Path(__file__).parent.glob("static/*") if path.suffix in TYPES}
ROUTES = Map(
    [
        Rule("/", endpoint="front", methods=["GET"]),
        Rule("/demo/chat", endpoint="chat", methods=["GET", "POST"]),
        Rule("/demo/chat/messages", endpoint="chat_messages", methods=["GET"]),
        Rule("/boards/", endpoint="boards", methods=["GET"]),
        Rule("/boards/<slug>", endpoint="board", methods=["GET", "POST"]),
        Rule("/join", endpoint="join", methods=["GET", "POST"]),
        Rule("/login", endpoint="login", methods=["GET", "POST"]),
        Rule("/logout", endpoint="logout", methods=["POST"]),
        Rule("/privacy", endpoint="privacy", methods=["GET"]),
        Rule("/favicon.ico", endpoint="file", defaults={"name": "favicon.ico"}, methods=["GET"]),
        Rule("/static/<name>", endpoint="file", methods=["GET"]),
    ],
    redirect_defaults=False,
)
SIGNED_IN_AT_MOST = 1000  # the longest-standing are signed out for the newest


class Site:
    """One running site with its conversations; a WSGI application."""

    def __init__(self) -> None:
        self.room = open_chat()
        self.shelf = open_boards()
        self.members: dict[str, str] = {}  # the session cookie's value -> the screen name

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = SiteRequest(environ)
        return self.answer(request)(environ, start_response)

    def answer(self, request: SiteRequest) -> Response:
        try:
            endpoint, arguments = ROUTES.bind_to_environ(request.environ).match()
            request.check_form()
            response: Response = getattr(self, f"answer_{endpoint}")(request, **arguments)
            return response
        except RequestRedirect as moved:
            return redirect(urlsplit(moved.new_url).path, 308)
        except HTTPException as problem:
            return self.problem(request, problem)

    def page(self, request: SiteRequest, title: str, template: str, /, **values: object) -> Response:
        main = render(template, **values)
        frame = page(title, main, request.path, self.member(request), self.from_elsewhere(request))
        response = Response(frame, mimetype="text/html")
        response.headers["Cache-Control"] = "no-cache"  # the frame names who is signed in
        return response

    def from_elsewhere(self, request: SiteRequest) -> dict[str, Markup]:
        """Return what the frame takes from other servers, in its head and at the end of its body: nothing."""
        return NOTHING

    def problem(self, request: SiteRequest, problem: HTTPException) -> Response:
        title, text = PROBLEMS.get(problem.code or 0, PROBLEMS[400])
        response = self.page(request, title, "problem", title=title, text=text or problem.description or "")
        response.status_code = problem.code or 400
        response.headers.extend(h for h in problem.get_headers(request.environ) if h[0] == "Allow")
        return response

    def answer_front(self, request: SiteRequest) -> Response:
        return self.page(request, "Say it here", "front", boards=board_list(self.shelf))

    def answer_chat(self, request: SiteRequest) -> Response:
        name = self.chat_name(request)
        if request.method != "POST":
            messages = Markup("").join(chat_message(message, name) for message in self.room.after())
            return self.page(request, "Demo chat", "chat", name=name, messages=messages)
        new_name = request.typed("name", "your name")
        message = self.room.say(new_name, request.typed("text", "your message", LONGEST_TEXT))
        if not name:
            self.room.say("Robin", f"Welcome, {new_name}. Your browser forgets that name when you close it.")
        if request.accept_mimetypes.best == "application/json":
            response = Response(status=204)  # to the page's own script, which goes on to ask for what is new
        else:
            response = redirect(f"/demo/chat#message-{message.number}", 303)
        response.set_cookie("name", quote(new_name), path="/demo/", httponly=True, samesite="Lax")
        return response

    def answer_chat_messages(self, request: SiteRequest) -> Response:
        name = self.chat_name(request)
        messages = self.room.after(request.args.get("after", 0, type=int))
        new = json.dumps([{**spoken(message), "own": message.name == name} for message in messages])
        return Response(new, mimetype="application/json", headers={"Cache-Control": "no-store"})

    def chat_name(self, request: SiteRequest) -> str:
        return unquote(request.cookies.get("name", ""))[:LONGEST_NAME]

    def answer_boards(self, request: SiteRequest) -> Response:
        return self.page(request, "Boards", "boards", boards=board_list(self.shelf))

    def answer_board(self, request: SiteRequest, slug: str) -> Response:
        board = self.shelf.get(slug)
        if board is None:
            raise NotFound
        member = self.member(request)
        if request.method == "POST":
            name = member or request.typed("name", "your name")
            text = request.typed("text", "your text", LONGEST_TEXT)
            number = board.say(name, text, request.typed_image_address()).number
            return redirect(f"/boards/{slug}#post-{number}", 303)
        return self.page(
            request,
            board.title,
            "board",
            slug=slug,
            title=board.title,
            about=board.about,
            posts=Markup("").join(post(message) for message in reversed(board.after())),
            signature=render("signature", member=member) if member else render("signature_field"),
        )

    def answer_join(self, request: SiteRequest) -> Response:
        if request.method != "POST":
            return self.page(request, "Join", "join")
        request.typed_age()  # and forgotten; a child's form does not come here: privguard refuses it
        name, address = request.typed("name", "your screen name"), request.typed_mail_address()
        letter = render("newsletter", address=address) if request.form.get("newsletter") else ""
        return self.page(request, f"Welcome, {name}", "welcome", name=name, newsletter=letter)

    def answer_login(self, request: SiteRequest) -> Response:
        if request.method != "POST":
            return self.page(request, "Sign in", "login")
        session = token_urlsafe(24)
        self.members[session] = request.typed("name", "your screen name")
        for oldest in list(self.members)[:-SIGNED_IN_AT_MOST]:
            self.members.pop(oldest, None)
        response = redirect("/boards/", 303)
        response.set_cookie("session", session, httponly=True, samesite="Lax", secure=request.is_secure)
        return response

    def answer_logout(self, request: SiteRequest) -> Response:
        self.members.pop(request.cookies.get("session", ""), None)
        response = redirect("/", 303)
        response.delete_cookie("session", httponly=True, samesite="Lax", secure=request.is_secure)
        return response

    def member(self, request: SiteRequest) -> str:
        """Return who is signed in, or "" for nobody."""
        return self.members.get(request.cookies.get("session", ""), "")

    def answer_privacy(self, request: SiteRequest) -> Response:
        return self.page(request, "Privacy", "privacy")

    def answer_file(self, request: SiteRequest, name: str) -> Response:
        if name not in FILES:
            raise NotFound
        response = Response(FILES[name].read_bytes(), mimetype=TYPES[FILES[name].suffix])
        response.headers["Cache-Control"] = "no-cache"  # browsers ask whether it changed
        response.add_etag()
        return response.make_conditional(request)
