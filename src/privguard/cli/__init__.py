"""The command line: ``privguard demo``, ``run``, ``show``, ``hashes``, ``prove``, ``doctor``, ``purge`` and ``export``.

Wrong use exits with 2, what cannot be done now with 1, each with one line on stderr that says what to type. A command's
own code is imported when it is called for: ``privguard --version`` starts no server.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from privguard import __version__

from .._errors import nearest
from ._log_commands import add_export, add_purge, run_command
from ._stop import Stop, WrongUse
from ._trials import add_doctor, add_prove

COMMANDS = ("demo", "run", "show", "hashes", "prove", "doctor", "purge", "export")

_EXIT_CODES = """Exit codes: 0 done, 1 it cannot be done now (a port in use, a missing extra),
2 wrong use."""
_SETTINGS_HELP = 'a TOML file, such as privguard.toml, or "module:NAME" for a dict or Policy in Python'


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser whose error is one line with an example, and that knows the names of its options."""

    def __init__(self, *, example: str, **settings: Any) -> None:
        self.example = example
        self.options: list[str] = []
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **settings)

    def add_argument(self, *names: Any, **settings: Any) -> argparse.Action:
        self.options.extend(name for name in names if name.startswith("-"))
        return super().add_argument(*names, **settings)

    def error(self, message: str) -> NoReturn:
        raise WrongUse(f"{message}; type, for example: {self.example}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command with the arguments *argv* (those of the process by default); return the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a path in a script that the terminal cannot show
    try:
        return _run_command(list(sys.argv[1:] if argv is None else argv))
    except Stop as stop:
        print(f"privguard: {stop}", file=sys.stderr)
        return stop.exit_code
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT, as shells have it
    except BrokenPipeError:  # "privguard show | head -1": the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run_command(arguments: list[str]) -> int:
    parser, by_name = _parsers()
    server: list[str] = []
    if arguments[:1] == ["doctor"] and "--" in arguments:  # what follows is another program's
        server = arguments[arguments.index("--") + 1 :]
        arguments = arguments[: arguments.index("--")]
    position = next((at for at, one in enumerate(arguments) if one[:1] != "-"), len(arguments))
    _check_options(parser, arguments[:position])
    for command in arguments[position : position + 1]:
        if command not in COMMANDS:
            raise WrongUse(_no_such_command(command))
        _check_options(by_name[command], arguments[position + 1 :])
    options, too_many = parser.parse_known_args(arguments)
    if options.command is None:
        raise WrongUse("say what to do; type: privguard demo, privguard run module:app or privguard show")
    if too_many:
        raise WrongUse(
            f"{too_many[0]!r} is one argument too many; type, for example: {by_name[options.command].example}"
        )
    if options.command == "demo":
        from ._demo import demo

        return demo(port=options.port, once=options.once)
    if options.command == "run":
        from ._run import run

        return run(options.app, settings=options.settings, kind=options.kind, host=options.host, port=options.port)
    if options.command == "hashes":
        from ._hashes import hashes

        return hashes(options.pages, settings=options.settings)
    if options.command == "prove":
        from ._prove import prove

        asked = {name: getattr(options, name) for name in ("path", "fields", "watch", "kind", "host")}
        return prove(options.app, **asked)
    if options.command in ("purge", "export"):
        return run_command(options)
    if options.command == "doctor":
        from ._doctor import doctor

        return doctor(options.target, server, settings=options.settings, path=options.path, watch=options.watch)
    from ._show import show

    return show(options.path, settings=options.settings, as_json=options.json)


def _no_such_command(word: str) -> str:
    if ":" in word:
        return f"{word!r} is no command; to serve an app, type: privguard run {word}"
    if word.startswith("/"):
        return f"{word!r} is no command; to see what holds for a path, type: privguard show {word}"
    near = nearest(word, COMMANDS)
    known = f'did you mean "{near}"? Type: privguard {near}' if near else "type: privguard --help"
    return f"there is no command {word!r}; {known}"


def _check_options(parser: _Parser, arguments: Sequence[str]) -> None:
    """Raise WrongUse, with the nearest name, for an option that *parser* does not know."""
    for argument in arguments:
        name = argument.partition("=")[0]
        if name == "--":
            return
        if name in parser.options or name[:1] != "-" or name == "-" or name[1:2].isdigit():
            continue
        near = nearest(name, parser.options)
        known = f'did you mean "{near}"? Type: {parser.prog} {near}' if near else f"type: {parser.prog} --help"
        raise WrongUse(f"there is no option {name!r}; {known}")


def _port(text: str) -> int:
    # argparse words the error for a ValueError by the function's name
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; write a number from 1 to 65535, or 0 for any free one")
    return int(text)


# ── the parsers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _parsers() -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(
        example="privguard demo",
        prog="privguard",
        description="Make a site keep the promises of its privacy policy.",
        epilog=f"""Examples:
  privguard demo                     see what it does, on a careless site
  privguard run shop:app             serve your own app behind it, as it is
  privguard show                     read the policy in plain words
  privguard show /demo/              the headers that pages below /demo/ get
  privguard hashes templates         the settings that admit its inline code
  privguard prove forgetting shop:app --path /join
                                     what a child's submission leaves behind
  privguard purge logs --days 30     delete the logs that are older
  privguard doctor shop:app          whether its server is quiet, by trying it

{_EXIT_CODES}""",
    )
    parser.add_argument("--version", action="version", version=f"privguard {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", parser_class=_Parser)
    adders = (_add_demo, _add_run, _add_show, _add_hashes, add_prove, add_doctor)
    by_name = {name: add(commands) for name, add in zip(COMMANDS, adders)}
    return parser, by_name | {"purge": add_purge(commands, _EXIT_CODES), "export": add_export(commands, _EXIT_CODES)}


def _add_demo(commands: argparse._SubParsersAction[_Parser]) -> _Parser:
    parser = commands.add_parser(
        "demo",
        example="privguard demo --port 8000",
        help="serve a careless site twice, bare and guarded, and compare",
        description="Serve the same careless chat site twice on this machine, bare and guarded, and\n"
        "print what a browser gets from each, measured over HTTP. It opens no browser.",
        epilog=f"""Examples:
  privguard demo                     serve until Ctrl-C
  privguard demo --once              print the table and stop
  privguard demo --port 9000         take the ports 9000, 9001 and 9002

{_EXIT_CODES}""",
    )
    parser.add_argument(
        "--port", type=_port, metavar="N", help="the first of three ports (by default 8000, or whatever is free)"
    )
    parser.add_argument("--once", action="store_true", help="print the table and stop, instead of serving")
    return parser


def _add_run(commands: argparse._SubParsersAction[_Parser]) -> _Parser:
    parser = commands.add_parser(
        "run",
        example="privguard run module:app",
        help="serve an app behind privguard, without a change to its code",
        description="Serve an app behind privguard, without a change to its code: with uvicorn\n"
        "(ASGI) or waitress (WSGI), which come with: pip install 'privguard[run]'",
        epilog=f"""Examples:
  privguard run shop:app             the name "app" in shop.py, in this folder
  privguard run "shop:create_app()"  what the function create_app returns
  privguard run mysite.wsgi:application --settings privguard.toml

uvicorn writes an access line for each request, except for the quiet paths;
waitress writes none.

{_EXIT_CODES}""",
    )
    parser.add_argument("app", metavar="module:app", help="the app: a module and a name in it")
    parser.add_argument("--settings", metavar="FILE", help=f"{_SETTINGS_HELP} (by default the strict policy)")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--wsgi", dest="kind", action="store_const", const="wsgi", help="the app is WSGI (Flask, Django)")
    kind.add_argument(
        "--asgi", dest="kind", action="store_const", const="asgi", help="the app is ASGI (FastAPI, Starlette)"
    )
    parser.options += ["--wsgi", "--asgi"]  # a group keeps its options to itself
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (by default this machine alone)")
    parser.add_argument("--port", type=_port, default=8000, metavar="N", help="the port (by default 8000)")
    return parser


def _add_show(commands: argparse._SubParsersAction[_Parser]) -> _Parser:
    parser = commands.add_parser(
        "show",
        example="privguard show /demo/ --settings privguard.toml",
        help="print the policy, or what holds for a path",
        description="Print the policy in plain words; with a path, the exact headers of a page.",
        epilog=f"""Examples:
  privguard show                               what holds without settings
  privguard show --settings privguard.toml     what holds with yours
  privguard show /demo/chat --settings mysite.settings:PRIVGUARD
  privguard show /demo/chat --json             the same for a program

A settings file has the keys of the settings dict, at its top or below a line
[privguard]:
  demo_paths = ["/demo/"]
  cookies.elsewhere = "strip"

{_EXIT_CODES}""",
    )
    parser.add_argument("path", nargs="?", metavar="PATH", help='a path of the site, such as "/demo/chat"')
    parser.add_argument("--settings", metavar="FILE", help=_SETTINGS_HELP)
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _add_hashes(commands: argparse._SubParsersAction[_Parser]) -> _Parser:
    parser = commands.add_parser(
        "hashes",
        example="privguard hashes templates",
        help="print settings that admit the inline code of templates or pages",
        description="Print the hashes of inline scripts, styles, event handlers and style\n"
        "attributes, as settings to paste. What can have no hash is named on stderr,\n"
        "with what to do.",
        epilog=f"""Examples:
  privguard hashes templates                     every template in the folder
  privguard hashes templates/base.html           one of them
  privguard hashes http://localhost:8000/about   a page of your running site
  privguard hashes templates --settings privguard.toml > add.toml

{_EXIT_CODES}""",
    )
    parser.add_argument("pages", nargs="+", metavar="PAGE", help="a file, a folder of templates, or an http:// address")
    parser.add_argument("--settings", metavar="FILE", help=f"{_SETTINGS_HELP}, whose sources are kept")
    return parser
