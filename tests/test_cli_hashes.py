"""Tests of ``privguard hashes``: what of a page is hashed, what is said of the rest, and the settings to paste."""

from __future__ import annotations

import ast
import base64
import hashlib
import http.server
import socket
import sys
import threading
import tomllib
import warnings
from collections.abc import Iterator

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli_process import privguard as run_privguard
from privguard import Policy
from privguard.cli import _inline as inline
from privguard.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def sha256(text: str) -> str:
    """What CSP3 §2.3.1 writes for a text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def said(capsys, *arguments: str) -> tuple[str, list[str]]:
    assert main(["hashes", *arguments]) == 0
    output, errors = capsys.readouterr()
    lines = errors.splitlines()
    assert all(line.startswith("privguard: ") for line in lines)
    return output, [line.removeprefix("privguard: ") for line in lines]


def directives(output: str) -> dict[str, list[str]]:
    """What is pasted, after a look at whether the settings take it."""
    settings = ast.literal_eval(output.removeprefix("PRIVGUARD = "))
    Policy(settings)
    return settings["csp"]["directives"]


def found(page: str) -> list[tuple[str, str]]:
    return [(one.directive, one.text) for one in inline.inline_code(page)]


# ── what is hashed ───────────────────────────────────────────────────────────────────────────────────────────────────

SCRIPT, STYLE, HANDLER, ATTRIBUTE = "script-src", "style-src", "script-src-attr", "style-src-attr"
PIECES = [
    ("<script>a</script>", [(SCRIPT, "a")]),
    ("<SCRIPT\nTYPE=Module>a</sCript/x>", [(SCRIPT, "a")]),
    ("<script>\r\na\rb\r\n</script>", [(SCRIPT, "\na\nb\n")]),
    ("<script>&lt;</script>", [(SCRIPT, "&lt;")]),
    ("<script>a</scripts></script\f>", [(SCRIPT, "a</scripts>")]),
    ("<script>a\0</script>", [(SCRIPT, "a\ufffd")]),
    ("<script><!--<script>a</script>--></script>", [(SCRIPT, "<!--<script>a</script>-->")]),
    ("<script><!--<script></script>a</script>", [(SCRIPT, "<!--<script></script>a")]),
    ("<script><!--><script>a</script>", [(SCRIPT, "<!--><script>a")]),
    ("<script>--><!--a</script>", [(SCRIPT, "--><!--a")]),
    ("<script><script>a</script>", [(SCRIPT, "<script>a")]),
    ("<script>a", []),
    ("<script></script>", []),
    ("<script src>a</script>", []),
    ("<script src=x.js></script>", []),
    ("<script type=application/json>{}</script>", []),
    ("<script type=text/template><b onclick=a></script>", []),
    ("<script type='text/javascript; charset=utf-8'>a</script>", []),
    ("<script type=speculationrules>{}</script>", []),
    ("<script type=importmap>{}</script>", [(SCRIPT, "{}")]),
    ("<script type=' text/JScript '>a</script>", [(SCRIPT, "a")]),
    ("<script type='' language=x>a</script>", [(SCRIPT, "a")]),
    ("<script type=' '>a</script>", []),
    ("<script language=>a</script>", [(SCRIPT, "a")]),
    ("<script language=JavaScript>a</script>", [(SCRIPT, "a")]),
    ("<script language=VBScript>a</script>", []),
    ("<script nonce=x>a</script>", []),
    ("<script nonce>a</script>", [(SCRIPT, "a")]),
    ("<style>a&amp;</style >", [(STYLE, "a&amp;")]),
    ("<style><!--</style>--><style type=text/CSS>b</style>", [(STYLE, "<!--"), (STYLE, "b")]),
    ("<style>a", [(STYLE, "a")]),
    ("<style></style>", [(STYLE, "")]),
    ("<style nonce=x>a</style><style type=text/less>a</style>", []),
    ("<p onclick='a&quot;&#10;&copy=' style=b ONLOAD=c>", [(HANDLER, 'a"\n&copy='), (ATTRIBUTE, "b"), (HANDLER, "c")]),
    ("<p onclick=a onclick=b>", [(HANDLER, "a")]),
    ("<p onclick style='' on-x=a once>", []),
    ("<p onclick='a\r\n\rb'>", [(HANDLER, "a\n\nb")]),
    ("</p onclick=a>", []),
    ("<p onclick=a", []),
    ("<a href=x href=javascript:a>", []),
    ("<a href=' java\nscript:a'>", [("", " java\nscript:a")]),
    ("<iframe srcdoc='<p style=&quot;a&amp;quot;&quot;>'></iframe>", [(ATTRIBUTE, 'a"')]),
    ("<!--<script>a</script>--><!--><script>b</script>--><!---><script>c</script>", [(SCRIPT, "b"), (SCRIPT, "c")]),
    ("<!--a--!><script>b</script><!--<script>c</script>", [(SCRIPT, "b")]),
    ("<!x<script>a</script>><?y><script>b</script>", [(SCRIPT, "b")]),
    ("</ <script>a</script>< script></script><!x", []),
    ("<textarea><script>a</script></textarea><title><script>b</script></title>", []),
    ("<xmp><style>a</style></xmp><iframe><style>b</style></iframe><plaintext><style>c</style></plaintext>", []),
    ("<noscript><style>a</style></noscript>", [(STYLE, "a")]),
    ("<![CDATA[<script>a</script>]]>", []),
    ("<svg><style>a&gt;b<![CDATA[c&gt;]]><!--d-->e</style></svg>", [(STYLE, "a>bc&gt;e")]),
    ("<svg><![CDATA[<script>a</script>]]><script/><style/></svg><script>&amp;</script>", [(SCRIPT, "&amp;")]),
    ("<svg><style>a<b></b></style></svg>", []),
    ("<svg><style>a<![CDATA[b", []),
    ("<svg><script href=x>a</script><script xlink:href=x>a</script></svg>", []),
    ("<svg><title><script>&amp;</script></title><script>&amp;</script>", [(SCRIPT, "&amp;"), (SCRIPT, "&")]),
    ("<svg><desc></svg><style>&amp;</style></desc>", [(STYLE, "&amp;")]),
    ("<svg/><script>&amp;</script>", [(SCRIPT, "&amp;")]),
    ("<svg><g></g></x><p><script>&amp;</script>", [(SCRIPT, "&amp;")]),
    ("<math><mi><style>&amp;</style></mi></math>", [(STYLE, "&amp;")]),
]


@pytest.mark.parametrize(("page", "code"), PIECES, ids=[page[:40] for page, _ in PIECES])
def test_what_is_inline_code(page, code):
    """What the HTML standard makes of it is what a browser hashes."""
    assert found(page) == code


HTML = "{http://www.w3.org/1999/xhtml}"
TEXTS = [
    "a",
    " ",
    "\r\n",
    "&amp;",
    "&lt",
    "&#65;",
    "'",
    '"',
    "=",
    "-",
    "<",
    ">",
    "/",
    "]]>",
    "<![CDATA[",
    "<!",
    "--",
    "!",
]
TAGS = [
    *("<script>", "</script>", "<script ", "</script ", "<style>", "</style>", "<style media=all ", "</STYLE\n"),
    *("<!--", "-->", "--!>", "<title>", "</title>", "<textarea>", "</textarea>", "<xmp>", "</xmp>", "<div>", "</div>"),
    *("<hr onclick=", "<div style='", "<noscript>", "</noscript>", "<?", "</ "),
    *("<svg><style>a&lt;</style></svg>", "<svg><desc><script>&lt;</script></desc><script>&lt;</script></svg>"),
]


def as_html5lib_reads(page: str) -> list[tuple[str, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of data loss: names that ElementTree could not hold
        tree = html5lib.parse(page, treebuilder="etree", scripting=False)
    code = []
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        name, text = element.tag.rpartition("}")[2], element.text or ""
        if not len(element) and (name == "style" or (name == "script" and text)):
            code.append((f"{name}-src", text))
        if element.get("onclick"):
            code.append((HANDLER, element.get("onclick")))
        if element.get("style"):
            code.append((ATTRIBUTE, element.get("style")))
    return sorted(code)


@given(st.lists(st.sampled_from([*TEXTS, *TAGS]), max_size=14).map("".join))
def test_a_whole_parser_finds_the_same(page):
    """Whatever a page is made of, html5lib has the same scripts, styles and attributes in its tree."""
    page += "\"'>--></script></style></title></textarea></xmp>"  # a script runs when it ends
    assert sorted(found(page)) == as_html5lib_reads(page)


@given(st.text(), st.booleans())
def test_any_text_is_a_page(text, is_template):
    """No page and no template makes the command fail; a template keeps its length and its lines."""
    masked = inline.masked(text) if is_template else text
    assert len(masked) == len(text) and masked.count("\n") == text.count("\n")
    list(inline.inline_code(masked))


# ── templates ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_picture_in_a_tag():
    """However long the tag is, it has an end, and something may come behind it."""
    picture = f"<img src='data:,{'x' * 99_999}"
    assert found(f"{picture}' onload=a><p onclick=b>") == [(HANDLER, "a"), (HANDLER, "b")]
    assert found(picture) == []


def test_frames_in_frames():
    """A document in an attribute of a document, and so on; the line is that of the outermost."""
    page = "<p/onclick=a>"
    for _ in range(400):
        page = f"<iframe/srcdoc={page.replace('&', '&amp;').replace('>', '&gt;')}>"
    (code,) = inline.inline_code(f"\n{page}")
    assert (code.text, code.line) == ("a", 2)


def test_template_code_in_a_tag(folder, capsys):
    """Its quotes and brackets are its own, and what stands between two pieces of it may be there."""
    (folder / "a.html").write_text(
        '<a href="{% url "x" %}" title="{{ y|default:">" }}" onclick="a()">\n'
        '<p {% if a > b %}onclick="b()"{% else %}onclick="c()"{% endif %}style="d">\n'
        '{# <script>no</script> #}<% if "<script>" %><script>e</script>\n'
    )
    output, notes = said(capsys, "a.html")
    assert notes == []
    assert directives(output) == {
        "script-src": ["'self'", sha256("e")],
        "script-src-attr": ["'unsafe-hashes'", sha256("a()"), sha256("b()"), sha256("c()")],
        "style-src-attr": ["'unsafe-hashes'", sha256("d")],
    }


def test_template_code_in_inline_code(folder, capsys):
    """What differs with each page can have no hash, and the owner is told where it stands and what to do instead."""
    (folder / "a.html").write_text(
        "<script>a = {{ a }}</script>\n<style>{% if b %}c{% endif %}</style>\n"
        "<p onclick=\"d('<%= e %>')\"\nstyle='width: {{ f }}px'>\n<a href='javascript:g()'>\n"
        "<a href='javascript:{{ h }}'>"
    )
    output, notes = said(capsys, "a.html")
    assert output == ""
    assert notes == [
        "a.html line 1: the script holds template code: its hash differs with each page, and it gets none; "
        'write <script nonce="…"> with csp_nonce(), or move it into a file',
        "a.html line 2: the style holds template code: its hash differs with each page, and it gets none; "
        'write <style nonce="…"> with csp_nonce(), or move it into a file',
        'a.html line 3: onclick="…" holds template code: its hash differs with each page, and it gets none; '
        "listen for the event in a script file, and hand over what differs as data-… attributes",
        'a.html line 3: style="…" holds template code: its hash differs with each page, and it gets none; '
        "use a class, and say in a style sheet what it looks like",
        'a.html line 5: href="javascript:…" gets no hash; use a button, and listen for its click in a script file',
        'a.html line 6: href="javascript:…" gets no hash; use a button, and listen for its click in a script file',
        "there is no inline code that a hash would have to admit",
    ]


@pytest.mark.parametrize(
    "attribute", ['nonce="{{ csp_nonce() }}"', "nonce={{ csp_nonce }}", "{% csp_nonce_attr %}", "{%csp_nonce_attr m%}x"]
)
def test_code_with_a_nonce_needs_no_hash(folder, capsys, attribute):
    """It runs already, whatever the template writes into it."""
    (folder / "a.html").write_text(f"<script {attribute}>a = {{{{ a }}}}</script><style {attribute}>b</style>")
    assert said(capsys, "a.html") == ("", ["there is no inline code that a hash would have to admit"])


def test_brackets_that_are_no_template_code(folder, capsys):
    """A script may hold such brackets by chance: what does not close opens nothing."""
    script = "class A { {#b} } }} {{ %> <% {# {{ {%}"
    (folder / "a.html").write_text(f"<script>{script}</script>")
    assert directives(said(capsys, "a.html")[0])["script-src"] == ["'self'", sha256(script)]


def test_folder_of_templates(folder, capsys):
    """Each template is read, in the order of names; what others brought along, and what is no template, is not."""
    for name in (
        "t/b.html",
        "t/a/base.html.j2",
        "t/.git/c.html",
        "t/node_modules/d/e.html",
        "t/f.js",
        "t/g.html/h.txt",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"\n<script>{name}</script>\n<script>all</script>")
    assert said(capsys, "t")[0] == (
        "PRIVGUARD = {\n"
        '    "csp": {\n'
        '        "directives": {\n'
        '            "script-src": [\n'
        "                \"'self'\",\n"
        f'                "{sha256("t/a/base.html.j2")}",  # t/a/base.html.j2 line 2\n'
        f'                "{sha256("all")}",  # t/a/base.html.j2 line 3 and 1 more\n'
        f'                "{sha256("t/b.html")}",  # t/b.html line 2\n'
        "            ],\n"
        "        },\n"
        "    },\n"
        "}\n"
    )


def test_file_name_that_would_leave_its_comment(folder, capsys):
    """Whatever a file is called, what is pasted holds settings and nothing else."""
    (folder / "a\n},os.\x1b[31m.html").write_text("<script>a</script>")
    output, _ = said(capsys, ".")
    assert directives(output) == {"script-src": ["'self'", sha256("a")]}
    assert "# a },os.\\x1b[31m.html line 1" in output


WRONG = [
    (
        ["nowhere.html"],
        "there is no file or folder nowhere.html; name a template, a folder of them, or the http:// addr",
    ),
    (["pgae.html"], "did you mean 'page.html'?"),
    (["empty"], "empty holds no templates, such as *.html or *.jinja; name the files themselves"),
    (["logo.svg"], "logo.svg is XML, where scripts and styles are read otherwise; move them into files"),
    (["latin.html"], "latin.html: is not UTF-8 text; save it as UTF-8"),
    ([], "type, for example: privguard hashes templates"),
    (["page.html", "--setings", "x"], 'did you mean "--settings"? Type: privguard hashes --settings'),
    (["page.html", "--settings", "x.toml"], "there is no file x.toml"),
    (["http://[/"], "http://[/ is no address"),
    (["http://site.example:port/"], "type, for example: privguard hashes http://localhost:8000/"),
]


@pytest.mark.parametrize(("arguments", "hint"), WRONG, ids=lambda value: " ".join(value)[:40])
def test_wrong_use(folder, capsys, arguments, hint):
    """Whoever names no page is told in one line what to name."""
    (folder / "empty").mkdir()
    (folder / "page.html").write_text("")
    (folder / "logo.svg").write_text("")
    (folder / "latin.html").write_bytes(b"\xe9")
    assert main(["hashes", *arguments]) == 2
    output, errors = capsys.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert hint in errors


def test_file_that_cannot_be_read(folder, capsys, monkeypatch):
    """It is named, and the command ends."""

    def fails(path):
        raise PermissionError(13, "Permission denied")

    (folder / "a.html").write_text("")
    monkeypatch.setattr("pathlib.Path.read_bytes", fails)
    assert main(["hashes", "a.html"]) == 2
    assert "a.html: cannot be read: Permission denied; name the templates that can" in capsys.readouterr().err


# ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────────────

PAGE = "<script>a</script><style>b</style><p onclick=c style=d>"
MERGED = [
    ({}, {"style-src-attr": ["'unsafe-hashes'", sha256("d")], "style-src": ["'self'", sha256("b")]}),
    ({"style-src": ["'none'"]}, {"style-src": [sha256("b")]}),
    (
        {"style-src": ["'self'", "https://a.example", sha256("x")]},
        {"style-src": ["'self'", "https://a.example", sha256("x"), sha256("b")]},
    ),
    ({"style-src": ["'self'", sha256("b")]}, {"style-src": None}),
    (
        {"style-src-elem": ["https://a.example"]},
        {"style-src": None, "style-src-elem": ["https://a.example", sha256("b")]},
    ),
    ({"style-src-attr": [sha256("x")]}, {"style-src-attr": [sha256("x"), "'unsafe-hashes'", sha256("d")]}),
    (
        {"style-src": ["'self'", "'Unsafe-Hashes'", sha256("x")]},
        {"style-src-attr": None, "style-src": ["'self'", "'Unsafe-Hashes'", sha256("x"), sha256("b"), sha256("d")]},
    ),
    ({"style-src-attr": ["'unsafe-hashes'", sha256("d")]}, {"style-src-attr": None}),
    ({"style-src-attr": ["'Unsafe-Hashes'"]}, {"style-src-attr": ["'Unsafe-Hashes'", sha256("d")]}),
    (
        {"style-src": ["'unsafe-inline'", sha256("x")]},
        {
            "style-src": ["'unsafe-inline'", sha256("x"), sha256("b")],
            "style-src-attr": ["'unsafe-hashes'", sha256("d")],
        },
    ),
]


@pytest.mark.parametrize(("own", "expected"), MERGED)
def test_sources_of_the_settings_are_kept(folder, capsys, own, expected):
    """What is pasted replaces lists, so it has what the settings had in them; a list that has all is left out."""
    (folder / "a.html").write_text(PAGE)
    (folder / "own.toml").write_text("".join(f"csp.directives.{name} = {sources}\n" for name, sources in own.items()))
    output, notes = said(capsys, "a.html", "--settings", "own.toml")
    assert notes == []
    lists = tomllib.loads(output)["csp"]["directives"]
    assert {name: lists.get(name) for name in expected} == expected
    assert lists["script-src"] == ["'self'", sha256("a")]
    Policy(tomllib.loads(output))


def test_list_that_admits_all_inline_code(folder, capsys):
    """A hash would switch it off, and break what it admits today."""
    (folder / "a.html").write_text("<style>b</style><p style=d>")
    (folder / "own.toml").write_text("""csp.directives.style-src = ["'self'", "'Unsafe-Inline'"]""")
    note = "style-src has 'unsafe-inline', which a hash would switch off: none is printed for it"
    nothing = "there is no inline code that a hash would have to admit"
    assert said(capsys, "a.html", "--settings", "own.toml") == ("", [note, nothing])


def test_lists_of_their_own_below_a_path(folder, capsys):
    """They replace what is pasted, and the owner is told so."""
    (folder / "a.html").write_text(PAGE)
    (folder / "own.toml").write_text("""csp.paths."/a/" = {style-src = ["'self'"], img-src = []}""")
    _, notes = said(capsys, "a.html", "--settings", "own.toml")
    assert notes == ["below /a/, your settings have another style-src: add there what those pages need"]


@pytest.mark.parametrize(
    ("text", "table"),
    [("demo_paths = []", "csp.directives"), ("[privguard]\ndemo_paths = []", "privguard.csp.directives")],
)
def test_settings_for_a_file(folder, capsys, text, table):
    """Who keeps the settings in a TOML file gets TOML, with the table's whole name."""
    (folder / "a.html").write_text("<script>a</script>")
    (folder / "own.toml").write_text(text)
    output, _ = said(capsys, "a.html", "--settings", "own.toml")
    assert output.splitlines() == [
        f"[{table}]",
        "script-src = [",
        "    \"'self'\",",
        f'    "{sha256("a")}",  # a.html line 1',
        "]",
    ]


def test_settings_in_python(folder, capsys):
    """A dict gets a dict."""
    (folder / "a.html").write_text("<script>a</script>")
    (folder / "own_hashes.py").write_text("PRIVGUARD = {'csp': {'directives': {'script-src': ['https://a.example']}}}")
    try:
        output, _ = said(capsys, "a.html", "--settings", "own_hashes:PRIVGUARD")
    finally:
        sys.modules.pop("own_hashes", None)
    assert directives(output) == {"script-src": ["https://a.example", sha256("a")]}


def test_command_in_a_process_of_its_own(folder):
    """Settings go to where they can be sent on, and notes to the owner's eyes."""
    (folder / "ä.html").write_text("<script>a</script><script>{{ b }}</script>", "utf-8")
    run = run_privguard("hashes", "ä.html", cwd=folder)
    assert run.returncode == 0
    assert directives(run.stdout) == {"script-src": ["'self'", sha256("a")]}
    assert run.stderr.startswith("privguard: ") and "line 1: the script holds template code" in run.stderr


# ── pages of a running site ──────────────────────────────────────────────────────────────────────────────────────────


class Pages(http.server.BaseHTTPRequestHandler):
    """Answers each path with status, header fields and body; a list of bodies is sent one after the other."""

    answers: dict[str, tuple[int, dict[str, str], bytes | list[bytes]]]

    def do_GET(self) -> None:
        if self.path not in self.answers:
            self.close_connection = True
            return
        status, headers, body = self.answers[self.path]
        body = body if isinstance(body, bytes) else body.pop(0)
        self.send_response(status)
        for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@pytest.fixture
def pages() -> Iterator[tuple[str, dict]]:
    """The origin of a site, and what it answers."""
    handler = type("Handler", (Pages,), {"answers": {}})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", handler.answers
        server.shutdown()
        thread.join()


def test_page_of_a_running_site(capsys, pages):
    """It is read as it is sent, behind redirects of its own; brackets in it are no template code any more."""
    origin, answers = pages
    answers["/a%C3%A4?b=%20c%C3%A4"] = 302, {"Location": "/d?e"}, b""
    answers["/d?e"] = 200, {}, b"\n<script>{{ a }}</script>"
    output, notes = said(capsys, f"{origin}/aä?b=%20cä#top")
    assert notes == []
    assert f"# {origin}/d?e line 2\n" in output
    assert directives(output) == {"script-src": ["'self'", sha256("{{ a }}")]}


def test_page_that_is_another_each_time(capsys, pages):
    """What differs from one request to the next gets no hash."""
    origin, answers = pages
    answers["/"] = 200, {}, [b"<script>a</script><p onclick=b%d><script>c%d</script>" % (n, n) for n in range(2)]
    output, notes = said(capsys, origin)
    assert directives(output) == {"script-src": ["'self'", sha256("a")]}
    assert notes == [
        f'{origin} line 1: onclick="…" was another when the page was asked for again, and gets no hash; '
        "listen for the event in a script file, and hand over what differs as data-… attributes",
        f"{origin} line 1: the script was another when the page was asked for again, and gets no hash; "
        'write <script nonce="…"> with csp_nonce(), or move it into a file',
    ]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html; charset=utf-8", "<script>é</script>".encode()),
        ("text/html; charset=ISO-8859-1", "<script>é</script>".encode("cp1252")),
        ("text/html; charset=utf-8", "\ufeff<script>é</script>".encode("utf-16-le")),
        ("text/html; charset=latin1", "\ufeff<script>é</script>".encode()),
        ("text/html", "<meta charset='utf-8'><script>é</script>".encode()),
        ("text/html", '<meta content="text/html;charset=koi8-r"><script>\u0436</script>'.encode("koi8-r")),
        ("text/html; charset=nonsense", "<script>é</script>".encode("cp1252")),
        ("text/html", "<script>é</script>".encode("cp1252")),
    ],
)
def test_encoding_of_a_page(capsys, pages, content_type, body):
    """It is found out as browsers do it: by the mark at the begin, the header, the <meta>; a hash is one of UTF-8."""
    origin, answers = pages
    answers["/"] = 200, {"Content-Type": content_type}, body
    letter = "ж" if b"koi8" in body else "é"
    assert directives(said(capsys, origin)[0]) == {"script-src": ["'self'", sha256(letter)]}


ANSWERS = [
    (404, {}, 1, "answers with 404; name a page that anybody may see, or its template"),
    (304, {}, 1, "answers with 304"),
    (200, {"Content-Type": "image/png"}, 2, "is no HTML page, but image/png; name a page of your site"),
    (200, {"Content-Encoding": "gzip"}, 1, "comes compressed though nobody asked for that; name its template"),
    (301, {"Location": "http://site.invalid/"}, 2, "if that is your site, type: privguard hashes http://site.invalid/"),
    (301, {"Location": "//["}, 2, "is no address, or leads to none: "),
    (301, {"Location": "/"}, 1, "leads on and on"),
]


@pytest.mark.parametrize(("status", "headers", "code", "hint"), ANSWERS)
def test_page_that_cannot_be_had(capsys, pages, status, headers, code, hint):
    """What a site answers instead is told in one line, with what to do."""
    origin, answers = pages
    answers["/"] = status, headers, b""
    assert main(["hashes", origin + "/"]) == code
    output, errors = capsys.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert hint in errors


def test_site_that_is_not_there(capsys, pages):
    """Nobody answers, or with nothing at all, or the name is none."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/", f"{pages[0]}/nothing", f"https{pages[0].removeprefix('http')}/"):
        assert main(["hashes", url]) == 1
        assert f"{url} does not answer: " in (errors := capsys.readouterr().err)
        assert errors.endswith("; start the site, or name its templates\n") and errors.count("\n") == 1
