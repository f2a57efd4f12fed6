"""What ``module:name`` names, found as Python imports it, with the current folder first."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from .._errors import nearest
from ._stop import WrongUse

_OURS = (Path(__file__).parent, Path(importlib.__file__).parent)  # steps in here say nothing of the module's mistake


def find(text: str, *, command: str) -> Any:
    """Return what *text* names: ``module:name``, ``module:name.of.it`` or, called without arguments, ``module:name()``.

    *command* is what to type before the corrected name. Raises WrongUse.
    """
    module_name, colon, name = text.partition(":")
    if not colon or not name:
        raise WrongUse(f"{text!r} names no {_ends(command)}; type: {command} {_as_module(module_name)}:NAME")
    if _as_module(module_name) != module_name or not all(part.isidentifier() for part in module_name.split(".")):
        raise WrongUse(f"{module_name!r} is no module's name; type: {command} {_as_module(module_name)}:{name}")
    called = name.endswith("()")
    path = name.removesuffix("()")
    if not all(part.isidentifier() for part in path.split(".")):
        raise WrongUse(
            f'{name!r} is no name in a module; type: {command} {module_name}:NAME, or "{module_name}:NAME()"'
        )
    found = _attribute(_imported(module_name, command, name), path, f"{command} {module_name}")
    return _made(found, module_name, name) if called else found


def _ends(command: str) -> str:
    return "settings" if command.endswith(" --settings") else "app"


def _as_module(text: str) -> str:
    """``src/shop.py`` as Python imports it."""
    return text.removesuffix(".py").strip("./\\").replace("\\", "/").replace("/", ".") or "module"


def _imported(module_name: str, command: str, name: str) -> ModuleType:
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if not error.name or not f"{module_name}.".startswith(f"{error.name}."):
            raise _failure(f"importing {module_name}", error, f"import {module_name}") from None
        near = nearest(module_name, _modules_here(Path(folder)))
        hint = f"did you mean {near!r}? Type: {command} {near}:{name}" if near else "type it from the app's own folder"
        raise WrongUse(f"there is no module {module_name!r} in {folder}, nor is one installed; {hint}") from None
    except (Exception, SystemExit) as error:
        raise _failure(f"importing {module_name}", error, f"import {module_name}") from None


def _modules_here(folder: Path) -> list[str]:
    files = [path.relative_to(folder) for pattern in ("*.py", "*/*.py") for path in sorted(folder.glob(pattern))]
    return [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in files]


def _attribute(module: ModuleType, path: str, typed: str) -> Any:
    found: Any = module
    done = ""
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            owner = done or module.__name__
            near = nearest(part, [one for one in dir(found) if not one.startswith("_")])
            better = f"{done}.{near}" if done else near
            hint = f"did you mean {near!r}? Type: {typed}:{better}" if near else f"look for its name in {owner}"
            raise WrongUse(f"{owner} has no {part!r}; {hint}") from None
        done = f"{done}.{part}" if done else part
    return found


def _made(factory: Any, module_name: str, name: str) -> Any:
    if not callable(factory):
        raise WrongUse(f"{module_name}:{name} calls {kind_of_thing(factory)}; leave the () out")
    if inspect.iscoroutinefunction(factory):
        raise WrongUse(f"{module_name}:{name} is an async function; name an ordinary one that returns the app")
    try:
        return factory()
    except (Exception, SystemExit) as error:
        code = f"import {module_name}; {module_name}.{name}"
        raise _failure(f"{module_name}:{name}", error, code) from None


def kind_of_thing(found: Any) -> str:
    """Say in two words what *found* is.

    >>> kind_of_thing({})
    'a dict'
    """
    name = type(found).__name__
    return "None" if found is None else f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _failure(what: str, error: BaseException, code: str) -> WrongUse:
    """Somebody else's code failed: say how, where, and how to see all of it."""
    name, message, place = type(error).__name__, str(error), ""
    steps = [step for step in traceback.extract_tb(error.__traceback__) if _is_theirs(step.filename)]
    if isinstance(error, SyntaxError):
        message, place = error.msg, f" ({error.filename}, line {error.lineno})"
    elif steps:
        place = f" ({steps[-1].filename}, line {steps[-1].lineno})"
    said = f"{name}: {message}" if message else name
    return WrongUse(f'{what} failed: {said}{place}; to see where it comes from, type: python -c "{code}"')


def _is_theirs(filename: str) -> bool:
    return not filename.startswith("<frozen") and Path(filename).parent not in _OURS
