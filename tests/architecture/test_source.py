"""The source itself: what may not stand in it, read as a syntax tree."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import burnout_stats

PACKAGE = Path(burnout_stats.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "print", "globals", "breakpoint", "input"}
FORBIDDEN_METHODS = {"query", "eval", "to_pickle", "read_pickle"}
FORBIDDEN_MODULES = {"pickle", "cPickle", "shelve", "marshal", "dill", "cloudpickle", "joblib"}
PROCESSES = {"joblib.Parallel", "joblib.delayed"}  # they start workers; what joblib writes to files is a pickle
DRAWERS = {"util", "utils", "helper", "helpers", "common", "core", "base", "misc", "tools", "shared"}


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each import as (level, dotted name); level 0 is absolute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.level, f"{node.module or ''}.{alias.name}".lstrip(".")) for alias in node.names)


def faults(path: Path) -> Iterator[str]:
    """Everything in a module that the house does not allow."""
    tree = tree_of(path)
    room = path.relative_to(PACKAGE).parts[0]
    face = path == PACKAGE / "__init__.py"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
            if not (face and node.func.id == "globals"):  # the lazy face keeps what it has loaded
                yield f"{node.func.id}() in line {node.lineno}"
        elif isinstance(node, ast.Attribute) and node.attr in FORBIDDEN_METHODS:
            yield f".{node.attr} in line {node.lineno}"
        elif isinstance(node, ast.Global):
            yield f"global in line {node.lineno}"
    for level, name in imports(tree):
        top = name.partition(".")[0]
        if level == 0 and top in FORBIDDEN_MODULES and name not in PROCESSES:
            yield f"import of {name}"
        if level == 0 and top == "burnout_stats":
            yield f"import of {name}: inside, imports are relative"
        if level == 0 and top == "matplotlib" and room != "figures":
            yield f"import of {name}: only figures draw"
        if room == "engine" and level == 0 and top not in {"numpy", "scipy", *sys.stdlib_module_names}:
            yield f"import of {name}: the engine knows numpy and scipy only"
        if room == "engine" and (level > 1 or name.startswith("scipy.stats")):
            yield f"import of {name}: the engine knows only itself, and takes its distributions from scipy.special"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_keeps_the_rules(path):
    assert list(faults(path)) == []


@pytest.mark.parametrize(
    ("where", "source"),
    [
        ("models/x.py", "eval('1')"),
        ("cli/x.py", "print(1)"),
        ("cohort/x.py", "frame.query('a > 1')"),
        ("cohort/x.py", "import pickle"),
        ("plan/x.py", "from burnout_stats.models import fit"),
        ("tables/x.py", "def f():\n    from matplotlib import pyplot"),
        ("engine/x.py", "import pandas as pd"),
        ("engine/x.py", "from scipy import stats"),
        ("engine/x.py", "from ..errors import ModelError"),
    ],
)
def test_the_rules_see_what_they_forbid(where, source, tmp_path, monkeypatch):
    path = tmp_path / where
    path.parent.mkdir()
    path.write_text(source)
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    assert len(list(faults(path))) == 1


def test_files_are_named_for_ideas():
    assert [str(path) for path in MODULES if path.stem.strip("_") in DRAWERS] == []
