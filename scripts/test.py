"""Set up everything that the tests need and run them all; say loudly what could not be run.

Usage: python scripts/test.py [--quick] [pytest arguments]

Needs nothing but Python: for the oldest and the newest Python at hand that privguard supports it makes a virtual
environment beside this folder and runs the whole suite in it, with the Django that belongs to it. Browsers, the servers
in front and logrotate come from the system's packages where this user may install them. With CI=true nothing may be
missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
# The suite runs with the oldest Django that is supported on the oldest Python, and with the newest on the newest.
DJANGO = {"3.11": "django~=5.2.0"}
NEWEST_DJANGO = "django>=6.1,<6.2"
PROGRAMS = {
    "chromium": "chromium",
    "firefox-esr": "firefox-esr",
    "nginx": "nginx-light",
    "apache2": "apache2-bin",
    "caddy": "caddy",
    "logrotate": "logrotate",
}

DOCS_OUT = str(ROOT / "docs" / "_build" / "html")

missing: list[str] = []


def main(arguments: list[str]) -> int:
    quick = "--quick" in arguments
    arguments = [one for one in arguments if one != "--quick"]
    require_all = os.environ.get("CI") == "true"
    install_programs()
    pythons = find_pythons()
    if len(pythons) < 2:
        missing.append(f"a second Python: only {', '.join(pythons) or 'none'} of {', '.join(SUPPORTED)} was found")
    failed: list[str] = []
    chosen = sorted({min(pythons, key=number), max(pythons, key=number)}, key=number) if pythons else []
    for version in chosen[-1:] if quick else chosen:
        python = set_up(version, pythons[version])
        if version == chosen[-1] and not quick:
            failed += [name for name, command in checks(python) if not run(name, command)]
        environment = os.environ | ({"PRIVGUARD_REQUIRE_ALL": "1"} if require_all else {})
        command = [python, "-m", "pytest", *(arguments or ["-q", "--durations=5"])]
        if not run(f"tests on Python {version}", command, environment):
            failed.append(f"tests on Python {version}")
    return report(failed, require_all)


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def find_pythons() -> dict[str, str]:
    """The supported Pythons on the PATH, in pyenv, and the one that runs this."""
    found: dict[str, str] = {}
    places = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/3.*/bin/python"))
    candidates = [sys.executable, *(shutil.which(f"python{version}") or "" for version in SUPPORTED), *map(str, places)]
    for candidate in filter(None, candidates):
        code = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
        asked = subprocess.run([candidate, "-c", code], capture_output=True, text=True)
        version = asked.stdout.strip()
        if version in SUPPORTED:
            found.setdefault(version, candidate)
    return found


def set_up(version: str, base: str) -> str:
    """Make the virtual environment of a Python version; return its interpreter."""
    folder = ROOT / f".venv-{version}"
    python = str(folder / "bin" / "python")
    if not Path(python).exists():
        say(f"making {folder.name}")
        subprocess.run([base, "-m", "venv", str(folder)], check=True)
    requirements = ["-e", f"{ROOT}[test]", DJANGO.get(version, NEWEST_DJANGO)]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)
    return python


def install_programs() -> None:
    """Install the programs that the tests start where they are missing and this user may."""
    wanted = [package for program, package in PROGRAMS.items() if not is_there(program)]
    if wanted and shutil.which("apt-get") and os.geteuid() == 0:
        say(f"installing {', '.join(wanted)}")
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *wanted]):
            subprocess.run(["apt-get", "--quiet", "--quiet", *command], env=environment)
    for program, package in PROGRAMS.items():
        if not is_there(program):
            missing.append(f"{program}: its tests are skipped; install the package {package}")


def is_there(program: str) -> bool:
    """Whether a program can be found, also where only root looks by itself."""
    return bool(shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin"))


def checks(python: str) -> list[tuple[str, list[str]]]:
    """What is checked without running the tests; of Python versions, the newest."""
    subprocess.run([python, "-m", "pip", "install", "--quiet", "-e", f"{ROOT}[docs]"], check=True)
    return [
        ("lint", [python, "-m", "ruff", "check", str(ROOT)]),
        ("format", [python, "-m", "ruff", "format", "--check", str(ROOT)]),
        ("types", [python, "-m", "mypy"]),
        ("types that users see", [python, "-m", "basedpyright", "--verifytypes", "privguard", "--ignoreexternal"]),
        ("documentation", [python, "-m", "sphinx", "-q", "-W", "-b", "html", str(ROOT / "docs"), DOCS_OUT]),
    ]


def run(name: str, command: list[str], environment: dict[str, str] | None = None) -> bool:
    """Run *command* with its virtual environment activated, which is where pyright looks for packages."""
    say(name)
    bin_folder = str(Path(command[0]).parent)
    environment = {**(environment or os.environ), "VIRTUAL_ENV": str(Path(bin_folder).parent)}
    environment["PATH"] = bin_folder + os.pathsep + environment["PATH"]
    return subprocess.run(command, cwd=ROOT, env=environment).returncode == 0


def report(failed: list[str], require_all: bool) -> int:
    for what in missing:
        say(f"NOT RUN  {what}")
    for what in failed:
        say(f"FAILED   {what}")
    if not failed and not missing:
        say("everything was run, and passed")
    return 1 if failed or (missing and require_all) else 0


def say(text: str) -> None:
    print(f"── {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
