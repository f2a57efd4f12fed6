"""The structure, as data: which module may import which. An import that points up or sideways fails."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "privguard"

# Lowest first. A module may import from the lines above its own; the leaves in one line know nothing of each other.
LAYERS = [
    ["_errors", "_field_words", "_fields", "_interface", "logs"],
    [
        "_addresses",
        "_context",
        "_cookies",
        "_codings",
        "_doctype",
        "_frozen",
        "_markup",
        "_media_types",
        "_paths",
        "_references",
        "_sources",
        "_spool",
        "_styles",
    ],
    ["_csp", "_landmarks", "_links", "_reports", "_visibility"],
    ["_ages", "_charsets", "_dates", "_field_names", "_threads"],
    ["_access_lines"],
    ["_streams"],
    ["_json_fields"],
    ["_pairs"],
    ["_multipart"],
    ["_forms"],
    ["_contacts"],
    ["_elements", "_headers"],
    ["_known_tags", "_scrubber", "_surroundings"],
    ["_parts"],
    ["_encodings", "_html"],
    ["_xml"],
    ["_documents"],
    ["_checks", "_children", "_silence"],
    ["_servers"],
    ["_logs", "_settings", "_sinks"],
    ["_intake", "_refusal"],
    ["_answer", "_policy"],
    ["_body", "_set_cookie"],
    ["_head"],
    ["_exchange"],
    ["__init__", "_asgi_response", "_wsgi_request", "_wsgi_response"],
    ["_asgi_request"],
    ["asgi", "wsgi"],
    ["proving"],
    ["flask", "django", "pytest_plugin"],
    ["cli"],
    ["__main__"],
]
LAYER_OF = {module: number for number, layer in enumerate(LAYERS) for module in layer}
MODULES = sorted(PACKAGE.rglob("*.py"))


def top_name(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_modules(path: Path) -> set[str]:
    """The modules of privguard that a file imports, by their first name below the package."""
    depth = len(path.relative_to(PACKAGE).parts)
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            found |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").startswith("privguard"):
            found.add((node.module or "").partition(".")[2].split(".")[0] or "__init__")
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("privguard.")}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    """A module imports only what lies below it."""
    own = top_name(path)
    assert own in LAYER_OF, f"{own} has no layer yet: give it one in this file"
    wrong = {name for name in imported_modules(path) - {own} if LAYER_OF.get(name, 99) >= LAYER_OF[own]}
    # the package's public names may be used by everything that is no part of them
    assert wrong - {"__init__"} == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_file_grows_past_three_hundred_lines(path):
    """A newcomer reads any file in one sitting."""
    assert len(path.read_text("utf-8").splitlines()) <= 300


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in run.stdout.split()}


@pytest.mark.parametrize("statement", ["import privguard", "import privguard.asgi, privguard.wsgi"])
def test_import_loads_no_framework(statement):
    """Importing privguard costs what privguard is, and none of its dependencies or frameworks."""
    assert loaded_by(statement).isdisjoint(
        {"werkzeug", "asgiref", "flask", "django", "starlette", "asyncio", "uvicorn"}
    )


def test_package_imports_no_adapter():
    """``import privguard`` brings no protocol with it."""
    run = subprocess.run(
        [sys.executable, "-c", "import privguard, sys; print('privguard.asgi' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "False"
