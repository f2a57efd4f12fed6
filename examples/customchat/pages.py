"""HTML from the templates beside this file: every value is escaped unless it is markup already."""

from pathlib import Path
from string import Template

from markupsafe import Markup, escape

from .rooms import Message, Room

FOLDER = Path(__file__).parent / "templates"
TEMPLATES = {path.stem: Template(path.read_text("utf-8")) for path in FOLDER.glob("*.html")}
NAVIGATION = [("/demo/chat", "Demo chat"), ("/boards/", "Boards"), ("/privacy", "Privacy")]


def render(template: str, /, **values: object) -> Markup:
    """Fill in a template and return it as markup."""
    return Markup(TEMPLATES[template].substitute({name: escape(value) for name, value in values.items()}))


def page(title: str, main: Markup, path: str, member: str, elsewhere: dict[str, Markup]) -> Markup:
    """Put the site's frame around a page: `member` is who is signed in, or "" for nobody."""
    links = Markup("").join(
        render("link_here" if path.startswith(href) else "link", href=href, label=label) for href, label in NAVIGATION
    )
    account = render("signed_in", member=member) if member else render("signed_out")
    return render("page", title=title, main=main, links=links, account=account, **elsewhere)


def chat_message(message: Message, own_name: str) -> Markup:
    return render("chat_message", own="own" if message.name == own_name else "", **spoken(message))


def post(message: Message) -> Markup:
    """Return a post with its image, which is only a link when it would come without encryption."""
    template = "image" if message.image.startswith("https:") else "image_link"
    image = render(template, url=message.image, name=message.name) if message.image else ""
    return render("post", image=image, **spoken(message))


def spoken(message: Message) -> dict[str, object]:
    """Return what the templates and the chat's script show of a message."""
    return {
        "number": message.number,
        "name": message.name,
        "text": message.text,
        "tone": message.tone,
        "time": message.said_at.strftime("%H:%M"),
        "moment": message.said_at.isoformat(timespec="seconds"),
    }


def board_list(boards: dict[str, Room]) -> Markup:
    return Markup("").join(
        render(
            "board_entry",
            slug=slug,
            title=room.title,
            about=room.about,
            latest=posts[-1].text,
            name=posts[-1].name,
            count="1 post" if len(posts) == 1 else f"{len(posts)} posts",
        )
        for slug, room in boards.items()
        for posts in [room.after()]
    )
