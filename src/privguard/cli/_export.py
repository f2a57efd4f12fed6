"""``privguard export``: the policy as the configuration of a program that rotates logs, or of a server in front."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from .._policy import Policy
from . import _apache, _caddy, _nginx, _rotation, _settings_file
from ._front import front_of
from ._stop import WrongUse

COMMAND = "privguard export"
_FRONTS = {"nginx": _nginx.configuration, "apache": _apache.configuration, "caddy": _caddy.configuration}
_PLAIN_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
# Each of these means something in the configuration of some front, and no quotes help there.
_UNSAFE_IN_FOLDER = re.compile(r"[\"'`$%\\{}#;<>*?\[\]]")


def export(program: str, paths: Sequence[str], *, settings: str | None, days: int | None) -> int:
    """Print the configuration of *program* that keeps the policy of *settings*."""
    command = f"{COMMAND} {program}"
    policy = _settings_file.load(settings, command=command)
    print(_rotated(program, command, policy, paths, days) if program not in _FRONTS else _front(program, policy, paths))
    return 0


def _rotated(program: str, command: str, policy: Policy, paths: Sequence[str], days: int | None) -> str:
    typed = " ".join([command, *(f'"{path}"' for path in paths)])
    kept = days or policy.settings["logs"]["retention_days"]
    if kept is None:
        raise WrongUse(
            "the settings promise no number of days; set logs.retention_days and name them with --settings, "
            f"or type, for example: {typed} --days 30"
        )
    if program == "journald":
        if paths:
            raise WrongUse(f"journald has no files to name; type: {command} --days {kept}")
        return _rotation.journald(kept)
    if not paths:
        raise WrongUse(f'name the log files, in quotes; type, for example: {command} "/var/log/shop/*.log"')
    return _rotation.logrotate([_checked(path, '"\\') for path in paths], kept)


def _front(program: str, policy: Policy, paths: Sequence[str]) -> str:
    if policy.front_header is None:
        raise WrongUse(
            f"{program} learns by a header which requests are not to be logged, and the settings name none; "
            'set logs.front_header = "X-Privguard-Log", for the app too, and name the settings with --settings'
        )
    if not _PLAIN_HEADER.fullmatch(policy.front_header):
        raise WrongUse(
            f"{program} cannot ask for a header that is called {policy.front_header!r}; set logs.front_header to a "
            'name of letters, digits and hyphens, such as "X-Privguard-Log"'
        )
    if len(paths) > 1:
        raise WrongUse(f"one folder of files is enough; type: {COMMAND} {program} {paths[0]!r}")
    folder = _checked(paths[0]) if paths else None
    if folder is not None and _UNSAFE_IN_FOLDER.search(folder):
        raise WrongUse(f"{folder!r} holds a character that means something to {program}; give the folder a plain name")
    return _FRONTS[program](front_of(policy, policy.front_header, folder))


def _checked(path: str, forbidden: str = "") -> str:
    if not path or not path.isprintable() or any(one in path for one in forbidden):
        raise WrongUse(f"{path!r} cannot stand in a configuration; name a path without quotes and control characters")
    return os.path.abspath(path)
