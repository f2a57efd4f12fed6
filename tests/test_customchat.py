"""The example site keeps its policy by itself, and its bare form breaks it in just the ways that it names."""

import re
from html.parser import HTMLParser

import pytest
from werkzeug.datastructures import MultiDict
from werkzeug.test import Client, TestResponse

from customchat import SETTINGS, create_app
from customchat.elsewhere import create_app as create_elsewhere
from customchat.rooms import KEPT_MESSAGES
from privguard.wsgi import PrivacyMiddleware

PAGES = ["/", "/demo/chat", "/boards/", "/boards/window-seat", "/join", "/login", "/privacy", "/nowhere"]
JOINING = {"name": "Ada", "email": "ada@site.example", "age": "36"}
ELSEWHERE = "http://elsewhere.example"


class Parts(HTMLParser):
    """The tags of a page with their attributes, and the text inside script and style."""

    def __init__(self, response: TestResponse) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.inline = ""
        self.feed(response.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self.inline += data

    def fields(self) -> dict[str, dict[str, str]]:
        return {a["name"]: a for tag, a in self.tags if tag in ("input", "textarea")}

    def far(self) -> list[tuple[str, str]]:
        """Return what the page takes from, or leads to on, another origin."""
        values = [(tag, value) for tag, attributes in self.tags for value in attributes.values()]
        return [(tag, value) for tag, value in values if re.match("(?i)([a-z+.-]+:)?//", value)]


@pytest.fixture
def client() -> Client:
    return Client(create_app())


@pytest.fixture
def bare() -> Client:
    return Client(create_app(bare=True, elsewhere=ELSEWHERE))


def cookies(response: TestResponse) -> list[str]:
    return response.headers.getlist("Set-Cookie")


def lasts(cookie: str) -> bool:
    return bool(re.search("(?i);[ ]*(expires|max-age)=", cookie))


@pytest.mark.parametrize("path", PAGES)
def test_page_on_a_plain_visit(client: Client, path: str) -> None:
    """Every page answers, and what is not there says so in the site's own look."""
    response = client.get(path)
    assert response.status_code == (404 if path == "/nowhere" else 200)
    assert response.mimetype == "text/html"
    assert "/static/site.css" in response.text
    assert "$" not in response.text
    assert not cookies(response)


@pytest.mark.parametrize("path", PAGES)
def test_page_asks_nobody_else(client: Client, path: str) -> None:
    """No page takes anything from anybody else, and none has a script or a style inside."""
    parts = Parts(client.get(path))
    assert parts.far() == []
    assert not parts.inline.strip()
    assert not [name for _, attributes in parts.tags for name in attributes if name[:2] == "on" or name == "style"]
    assert not {tag for tag, _ in parts.tags} & {"style", "iframe", "object", "embed", "base"}


@pytest.mark.parametrize("path", PAGES)
def test_page_asked_for_with_head(client: Client, path: str) -> None:
    """HEAD gets the head of the page and no body."""
    response = client.head(path)
    assert response.status_code == client.get(path).status_code
    assert response.data == b""


@pytest.mark.parametrize(
    ("path", "mimetype"),
    [
        ("/favicon.ico", "image/x-icon"),
        ("/static/favicon.ico", "image/x-icon"),
        ("/static/site.css", "text/css"),
        ("/static/site.js", "text/javascript"),
        ("/static/logo.svg", "image/svg+xml"),
    ],
)
def test_file_and_its_second_request(client: Client, path: str, mimetype: str) -> None:
    """The site's own files are there, and are sent once as long as they do not change."""
    response = client.get(path)
    assert (response.status_code, response.mimetype) == (200, mimetype)
    assert client.get(path, headers={"If-None-Match": response.headers["ETag"]}).status_code == 304


def test_own_files_name_no_other_server(client: Client) -> None:
    """The site's style sheet, script and logo fetch nothing from anybody else."""
    namespace = 'xmlns="http://www.w3.org/2000/svg"'
    for name in ("site.css", "site.js", "logo.svg"):
        text = client.get(f"/static/{name}").text.replace(namespace, "")
        assert not re.search(r"//\w|@import|url\(", text), name


@pytest.mark.parametrize("path", ["/static/site.py", "/static/..%2fsite.py", "/boards/nowhere", "/%ff", "/\x00"])
def test_address_that_leads_nowhere(client: Client, path: str) -> None:
    """An address that the site does not know gets a page of the site that says so."""
    response = client.get(path)
    assert response.status_code == 404
    assert "<h1>" in response.text


def test_boards_without_the_last_slash(client: Client) -> None:
    """An address that lacks its last slash leads to the right one on this site."""
    response = client.get("/boards", headers={"Host": "attacker.example"})
    assert (response.status_code, response.location) == (308, "/boards/")


def test_method_that_a_page_does_not_take(client: Client) -> None:
    """A page that takes no forms says so and names what it takes."""
    response = client.post("/privacy")
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]
    assert "<h1>" in response.text


def test_chat_remembers_the_name_for_the_visit(client: Client) -> None:
    """The demo chat's cookie is for the demo pages, ends with the visit, and brings the name back."""
    response = client.post("/demo/chat", data={"name": "Zoë & Co", "text": "Hello"})
    [cookie] = cookies(response)
    assert response.status_code == 303
    assert not lasts(cookie)
    assert "Path=/demo/" in cookie
    assert "HttpOnly" in cookie
    page = client.get("/demo/chat")
    assert Parts(page).fields()["name"]["value"] == "Zoë & Co"
    assert "Hello" in page.text


def test_chat_with_the_script(client: Client) -> None:
    """The page's script sends without reloading and gets only what it does not have yet."""
    before = client.get("/demo/chat/messages").json
    sent = client.post("/demo/chat", data={"name": "Ada", "text": "<b>"}, headers={"Accept": "application/json"})
    assert (sent.status_code, sent.data) == (204, b"")
    [own, greeting] = client.get(f"/demo/chat/messages?after={before[-1]['number']}").json
    assert (own["name"], own["text"], own["own"]) == ("Ada", "<b>", True)
    assert "Ada" in greeting["text"]
    assert not greeting["own"]


@pytest.mark.parametrize("after", ["", "x", "-1", "9" * 5000, "%ff"])
def test_chat_asked_after_no_number(client: Client, after: str) -> None:
    """Whoever asks for the messages after nothing in particular gets them all."""
    assert len(client.get(f"/demo/chat/messages?after={after}").json) == 4


def test_chat_that_goes_on_for_long(client: Client) -> None:
    """Only the newest messages are kept."""
    for number in range(KEPT_MESSAGES + 5):
        client.post("/demo/chat", data={"name": "Ada", "text": f"Message {number}"})
    messages = client.get("/demo/chat/messages").json
    assert len(messages) == KEPT_MESSAGES
    assert messages[-1]["text"] == f"Message {KEPT_MESSAGES + 4}"


@pytest.mark.parametrize("path", ["/demo/chat", "/boards/workbench"])
def test_text_that_is_markup(client: Client, path: str) -> None:
    """Markup that somebody types is shown as they typed it and never becomes part of the page."""
    hostile = "<img src=//far.example onerror=alert(1)>\"'"
    client.post(path, data={"name": hostile[:30], "text": hostile})
    for page in (client.get(path), client.get("/"), client.get("/boards/")):
        assert Parts(page).far() == []
        assert "<img src=//" not in page.text


def test_board_with_a_link_to_an_image(client: Client) -> None:
    """An image on another server is shown where it is, without telling that server the page."""
    answer = client.post(
        "/boards/workbench",
        data={"name": "Ada", "text": "My chair", "image": "HTTPS://far.example/c.png?a=1&b=2"},
    )
    assert answer.location == "/boards/workbench#post-2"
    [(tag, source)] = Parts(client.get("/boards/workbench")).far()
    assert (tag, source) == ("img", "https://far.example/c.png?a=1&b=2")
    assert 'referrerpolicy="no-referrer"' in client.get("/boards/workbench").text


def test_board_with_an_image_in_the_open(client: Client) -> None:
    """An image that would come without encryption is a link that nothing follows by itself."""
    client.post("/boards/workbench", data={"name": "Ada", "text": "x", "image": "http://far.example/c.png"})
    assert Parts(client.get("/boards/workbench")).far() == [("a", "http://far.example/c.png")]


@pytest.mark.parametrize(
    "image",
    [
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "//far.example/c.png",
        "far.example",
        "https:",
        "https://[",
        "https:\\\\far.example",
        "https://far.example/a b",
        "https://far.example/" + "a" * 254,
    ],
)
def test_board_with_an_image_address_that_is_none(client: Client, image: str) -> None:
    """What is not the address of an image is turned down, and nothing is posted."""
    response = client.post("/boards/workbench", data={"name": "Ada", "text": "x", "image": image})
    assert response.status_code == 400
    assert 'id="post-2"' not in client.get("/boards/workbench").text


def test_join_form_as_it_is_offered(client: Client) -> None:
    """The form asks the age openly, names no limit, ticks nothing for you, and has the policy beside it."""
    page = client.get("/join")
    fields = Parts(page).fields()
    assert set(fields) == {"name", "email", "age", "newsletter"}
    assert "type" not in fields["age"]
    assert "checked" not in fields["newsletter"]
    assert not re.search(r"\d", re.sub("<[^>]*>", "", page.text))
    form = page.text[page.text.index("<form") : page.text.index("</form")]
    assert 'href="/privacy"' in form


def test_joining_with_and_without_the_newsletter(client: Client) -> None:
    """Who joins is welcomed by name, gets no cookie, and gets the newsletter only when asked for."""
    plain = client.post("/join", data=JOINING)
    asked = client.post("/join", data={**JOINING, "newsletter": "yes"})
    assert (plain.status_code, cookies(plain)) == (200, [])
    assert "Welcome, <em>Ada</em>" in plain.text
    assert "ada@site.example" not in plain.text
    assert "ada@site.example" in asked.text


def test_joining_leaves_nothing_behind(client: Client) -> None:
    """Once the welcome page is sent, the site has forgotten what it was told."""
    client.post("/join", data={**JOINING, "name": "Unforgettable"})
    assert not [path for path in PAGES if "Unforgettable" in client.get(path).text]


@pytest.mark.parametrize("age", ["0", "9", "012"])
@pytest.mark.parametrize("name", ["Unforgettable", ""])
def test_joining_as_a_child(age: str, name: str) -> None:
    """A child's form is turned down in the site's own look, which neither repeats it nor names the limit."""
    guarded = Client(PrivacyMiddleware(create_app(), SETTINGS))
    response = guarded.post("/join", data={"name": name, "email": "", "age": age, "newsletter": "yes"})
    assert (response.status_code, cookies(response)) == (403, [])
    assert "What you sent is deleted" in response.text
    assert "/static/site.css" in response.text
    assert "Unforgettable" not in response.text
    assert not re.search(r"\d", re.sub("<[^>]*>", "", response.text))


def test_joining_as_a_child_by_script() -> None:
    """A program that asks for JSON gets the same in JSON."""
    guarded = Client(PrivacyMiddleware(create_app(), SETTINGS))
    response = guarded.post("/join", json={"age": 9}, headers={"Accept": "application/json"})
    assert response.status_code == 403
    assert "What you sent is deleted" in response.json["error"]


def test_joining_as_the_youngest_member() -> None:
    """Whoever is old enough, even by a day, joins like anybody else."""
    client = Client(PrivacyMiddleware(create_app(), SETTINGS))
    age = str(SETTINGS["children"]["minimum_age"])
    assert "Welcome, <em>Ada</em>" in client.post("/join", data={**JOINING, "age": age}).text


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "a" * 31},
        {"name": "a\x00b"},
        {"name": "\u202egnirts"},
        {"email": "ada"},
        {"email": "a@b\r\nBcc: c@d"},
        {"age": ""},
        {"age": "twelve"},
        {"age": "-1"},
        {"age": "\u0661\u0662"},
        {"age": "1e2"},
    ],
)
def test_joining_with_a_field_that_will_not_do(client: Client, change: dict[str, str]) -> None:
    """A field that is missing, too long or odd gets a friendly page that says which."""
    response = client.post("/join", data={**JOINING, **change})
    assert response.status_code == 400
    assert "That did not work" in response.text


@pytest.mark.parametrize("path", ["/demo/chat", "/boards/workbench", "/join", "/login"])
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b""),
        ("application/x-www-form-urlencoded", b"name=%ff&text=a&email=a@b&age=36"),
        ("application/x-www-form-urlencoded", b"name=\xff&text=a&email=a@b&age=36"),
        ("application/x-www-form-urlencoded", b"a&" * 50),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\r\n--b--',
        ),
        ("multipart/form-data", b"--"),
        ("application/json", b'{"name": "Ada"}'),
        ("text/plain", b"\xff" * 100),
        ("", b"name=Ada"),
    ],
)
def test_form_that_no_browser_sends(client: Client, path: str, content_type: str, body: bytes) -> None:
    """A form that cannot be read gets a friendly page instead of an error."""
    response = client.post(path, data=body, content_type=content_type)
    assert response.status_code == 400
    assert "That did not work" in response.text
    assert not cookies(response)


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
def test_form_larger_than_the_site_takes(client: Client, content_type: str) -> None:
    """A form that is far too large is turned down in the site's own look."""
    response = client.post("/join", data=b"name=" + b"a" * 20_000, content_type=content_type)
    assert response.status_code == 413
    assert "<h1>" in response.text


def test_field_given_twice(client: Client) -> None:
    """Of a field that arrives twice the first one counts."""
    response = client.post("/login", data=MultiDict([("name", "Ada"), ("name", "Eve")]), follow_redirects=True)
    assert "<b>Ada</b>" in response.text


def test_signing_in_and_out(client: Client) -> None:
    """Signing in lasts for the visit, signs what you post, and is over when you sign out."""
    [cookie] = cookies(client.post("/login", data={"name": "Ada"}))
    assert cookie.startswith("session=")
    assert not lasts(cookie)
    assert "HttpOnly" in cookie
    assert "name" not in Parts(client.get("/boards/workbench")).fields()
    client.post("/boards/workbench", data={"name": "Somebody else", "text": "By me"})
    page = client.get("/boards/workbench").text
    assert "Somebody else" not in page
    assert page.count("<b>Ada</b>") == 3  # in the frame, above the post, in the form
    client.post("/logout")
    assert "Sign out" not in client.get("/").text


def test_signing_out_with_an_old_cookie(client: Client) -> None:
    """A session ends on the server too: its cookie is worth nothing afterwards."""
    client.post("/login", data={"name": "Ada"})
    session = client.get_cookie("session")
    assert session is not None
    client.post("/logout")
    client.set_cookie("session", session.value)
    assert "Sign out" not in client.get("/").text


def test_signing_in_when_many_have(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site remembers only so many sessions: the longest-standing one ends first."""
    monkeypatch.setattr("customchat.site.SIGNED_IN_AT_MOST", 2)
    visitors = [Client(client.application) for _ in range(3)]
    for visitor in visitors:
        visitor.post("/login", data={"name": "Ada"})
    assert ["Sign out" in visitor.get("/").text for visitor in visitors] == [False, True, True]


def test_bare_page_and_what_it_takes_from_elsewhere(bare: Client) -> None:
    """The bare site has a font, a script and a pixel of a third party on every page, and nothing else."""
    for path in PAGES:
        parts = Parts(bare.get(path))
        page = path.replace("/", "%2F")
        assert parts.far() == [
            ("link", f"{ELSEWHERE}/fonts.css"),
            ("script", f"{ELSEWHERE}/tracker.js"),
            ("img", f"{ELSEWHERE}/pixel.gif?page={page}"),
        ]
        assert not parts.inline.strip()


def test_bare_page_and_its_cookie(bare: Client) -> None:
    """The bare site knows a visitor again for a year, from every page."""
    [first] = cookies(bare.get("/"))
    assert re.fullmatch("visitor=[0-9a-f]{16}; Max-Age=31536000; Path=/", first)
    assert [cookies(bare.get(path)) for path in PAGES] == [[first]] * len(PAGES)
    assert not cookies(bare.get("/favicon.ico"))


def test_bare_page_apart_from_its_wrongs(bare: Client, client: Client) -> None:
    """Without what it takes from elsewhere, the bare site is the same site."""
    for path in PAGES:
        lines = bare.get(path).text.splitlines()
        assert [line for line in lines if ELSEWHERE not in line] == client.get(path).text.splitlines()


def test_bare_page_with_a_hostile_cookie(bare: Client) -> None:
    """A cookie that somebody made up does not become a second one."""
    [cookie] = cookies(bare.get("/", headers={"Cookie": 'visitor="a\\073 Domain=far.example\\015\\012X: y"'}))
    assert cookie.endswith("; Max-Age=31536000; Path=/")
    assert cookie.count(";") == 2
    assert "\n" not in cookie


def test_two_sites_share_nothing() -> None:
    """What is said on one running site is not heard on another."""
    one, other = Client(create_app()), Client(create_app(bare=True))
    one.post("/boards/workbench", data={"name": "Ada", "text": "Only here"})
    assert "Only here" not in other.get("/boards/workbench").text


def test_elsewhere_and_what_it_notes() -> None:
    """The third party serves its files and notes every request, also for what it does not have."""
    app = create_elsewhere()
    client = Client(app)
    assert client.get("/fonts.css").mimetype == "text/css"
    assert "__tracked = true" in client.get("/tracker.js").text
    assert client.get("/pixel.gif?page=%2F").data.startswith(b"GIF89a")
    assert client.head("/pixel.gif").data == b""
    assert client.get("/font.woff2").status_code == 404
    assert app.hits == ["/fonts.css", "/tracker.js", "/pixel.gif", "/pixel.gif", "/font.woff2"]


def test_settings_and_the_site_that_they_are_for(client: Client) -> None:
    """The settings name the site's own paths, cookie and field."""
    assert client.get(SETTINGS["demo_paths"][0] + "chat").status_code == 200
    assert client.get(SETTINGS["user_image_paths"][0]).status_code == 200
    assert SETTINGS["cookies"]["visit"] == ["session"]
    assert set(SETTINGS["children"]["age_fields"]) <= set(Parts(client.get("/join")).fields())
