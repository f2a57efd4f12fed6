"""How ``privguard purge`` and ``privguard export`` are called."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import _Parser

FORMATS = ("logrotate", "journald", "nginx", "apache", "caddy")
_MOST_DAYS = 36_500  # as in the settings


def run_command(options: argparse.Namespace) -> int:
    """Run the one of the two that *options* name; return the exit code."""
    if options.command == "purge":
        from ._purge import purge

        asked = {name: getattr(options, name) for name in ("days", "patterns", "dry_run", "verbose")}
        return purge(options.folders, **asked)
    from ._export import export

    return export(options.format, options.paths, settings=options.settings, days=options.days)


def add_purge(commands: argparse._SubParsersAction[_Parser], exit_codes: str) -> _Parser:
    """Add the parser of ``privguard purge``."""
    parser = commands.add_parser(
        "purge",
        example="privguard purge /var/log/shop --days 30",
        help="delete log files that have become too old",
        description="Delete the log files below some folders that were last changed more than so\n"
        "many days ago. No link is followed, and no folder is deleted.",
        epilog=f"""Examples:
  privguard purge /var/log/shop --days 30 --dry-run   see what would be deleted
  privguard purge /var/log/shop --days 30             delete it
  privguard purge logs --days 7 --pattern "*.txt"     files of other names

Without --pattern, a log file is one whose name ends in ".log", in ".log" and a
number or date (shop.log.1, shop.log-20261001), or in these and .gz, .bz2, .xz,
.zst or .lz4.

{exit_codes}""",
    )
    parser.add_argument("folders", nargs="+", metavar="PATH", help="a folder, with all that is below it")
    parser.add_argument("--days", type=_days, required=True, metavar="N", help="how old a file may become")
    parser.add_argument(
        "--pattern",
        dest="patterns",
        action="append",
        default=[],
        metavar="GLOB",
        help='the names of log files, such as "*.txt", again for each',
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be deleted, and delete nothing")
    parser.add_argument("-v", "--verbose", action="store_true", help="name each file that is deleted")
    return parser


def add_export(commands: argparse._SubParsersAction[_Parser], exit_codes: str) -> _Parser:
    """Add the parser of ``privguard export``."""
    parser = commands.add_parser(
        "export",
        example="privguard export nginx --settings privguard.toml",
        help="print the policy as the configuration of another program",
        description="Print a configuration that makes another program keep the same policy: one that\n"
        "rotates logs (logrotate, journald), or a server in front (nginx, apache,\ncaddy).",
        epilog=f"""Examples:
  privguard export logrotate "/var/log/shop/*.log" --days 30
  privguard export journald --settings privguard.toml
  privguard export nginx --settings privguard.toml > shop.conf
  privguard export nginx /srv/shop/public --settings privguard.toml

{exit_codes}""",
    )
    parser.add_argument("format", choices=FORMATS, metavar="PROGRAM", help=", ".join(FORMATS))
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="logrotate: the log files; a front: the folder of files that it serves"
    )
    parser.add_argument(
        "--settings", metavar="FILE", help='a TOML file, or "module:NAME" (by default the strict policy)'
    )
    parser.add_argument("--days", type=_days, metavar="N", help="how old a log may become, instead of the settings")
    return parser


def _days(text: str) -> int:
    # argparse words the error for a ValueError by the function's name
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST_DAYS):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days; write a whole one from 1 to {_MOST_DAYS}")
    return int(text)
