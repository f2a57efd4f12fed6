"""The arguments of the commands that try a site: ``prove`` and ``doctor``."""

from __future__ import annotations

from typing import Any


def add_prove(commands: Any) -> Any:
    """Add ``prove`` to *commands*, and return its parser."""
    parser = commands.add_parser(
        "prove",
        example="privguard prove forgetting module:app --path /join",
        help="look for what a submission leaves behind",
        description="Submit marked fields to an app in this process, as a form, as a form with a\n"
        "file and as JSON, and look for the marks in all that it writes: logs, output,\n"
        "files, error reports, the answer and its cookies. The app runs as it is: what\n"
        "it does with a submission, it does.",
        epilog="""Examples:
  privguard prove forgetting shop:app --path /join
                                     the age and birth date of a child of seven
  privguard prove forgetting shop:app --path /join --field birthdate=2018-05-05
  privguard prove forgetting shop:app --path /join --watch /var/log/shop
  privguard prove forgetting shop:app --path /join --field "nick={mark}"

Exit codes: 0 done, and nothing was found; 1 something was found; 2 wrong use,
or nothing can be said.""",
    )
    parser.add_argument("what", choices=("forgetting",), metavar="forgetting", help="what to prove")
    parser.add_argument("app", metavar="module:app", help="the app: a module and a name in it")
    parser.add_argument("--path", required=True, metavar="PATH", help="where its form is sent to")
    parser.add_argument(
        "--field",
        dest="fields",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help='a field to send, again for each; "{mark}" in it stands for a mark (by default age and birthdate)',
    )
    parser.add_argument(
        "--watch",
        action="append",
        default=[],
        metavar="FOLDER",
        help="look through its files too, again for each (the current and the temporary folder always are)",
    )
    parser.add_argument("--host", default="localhost", metavar="NAME", help="the Host header (by default localhost)")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--wsgi", dest="kind", action="store_const", const="wsgi", help="the app is WSGI (Flask, Django)")
    kind.add_argument(
        "--asgi", dest="kind", action="store_const", const="asgi", help="the app is ASGI (FastAPI, Starlette)"
    )
    parser.options += ["--wsgi", "--asgi"]
    return parser


def add_doctor(commands: Any) -> Any:
    """Add ``doctor`` to *commands*, and return its parser."""
    parser = commands.add_parser(
        "doctor",
        example="privguard doctor module:app",
        help="tell whether a server is quiet, by trying it",
        description="Start a site, ask it for an ordinary page and for its favicon, send it a\n"
        "child's submission, stop it, and look for both in all that it wrote. The app\n"
        "runs as it is: what it does with a submission, it does.",
        epilog="""Examples:
  privguard doctor shop:app          as privguard run serves it
  privguard doctor shop:app --path /join -- gunicorn -b :{port} shop:app
                                     as you serve it; {port} is a free port
  privguard doctor http://127.0.0.1:8000/ -- ./serve.sh
  privguard doctor http://127.0.0.1:8000/ --watch /var/log/shop/access.log
                                     a site that runs already

Exit codes: 0 done, and it is quiet; 1 it is not; 2 wrong use, or nothing can
be said.""",
    )
    parser.add_argument(
        "target", metavar="module:app", help="the app, or the http:// address of a site on this machine"
    )
    parser.add_argument("--settings", metavar="FILE", help='for privguard run: a TOML file, or "module:NAME"')
    parser.add_argument("--path", default="/", metavar="PATH", help="where a form is sent to (by default /)")
    parser.add_argument(
        "--watch", action="append", default=[], metavar="FILE", help="look through this log file too, again for each"
    )
    return parser
