"""The public door: what it offers, what it loads, and the signatures that users have learned."""

from __future__ import annotations

import ast
import inspect
import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import get_origin

import pytest

import burnout_stats as bs

PACKAGE = Path(bs.__file__).parent
HEAVY = {"scipy.stats", "statsmodels", "matplotlib", "pydantic", "pyarrow"}
ROOMS = set(bs._ROOMS)


def fresh(code: str) -> object:
    """What a fresh process prints as JSON."""
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_every_name_resolves():
    assert len(set(bs.__all__)) == len(bs.__all__)
    assert {name for name in bs.__all__ if getattr(bs, name, None) is None} == set()


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'fti'"):
        _ = bs.fti


def test_completion_sees_the_names_in_order():
    assert dir(bs) == sorted(bs.__all__)


def test_tools_and_the_lazy_table_see_the_same_names():
    face = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in face.body if isinstance(node, ast.If))
    statements = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    homes = {alias.name: (node.module or "").partition(".")[0] for node in statements for alias in node.names}
    assert homes == bs._HOMES | dict.fromkeys(bs._ROOMS, "")
    assert {*homes, "__version__"} == set(bs.__all__)


@pytest.mark.parametrize(
    "statement", ["import burnout_stats as bs; dir(bs)", "import burnout_stats.cli", "import burnout_stats.engine"]
)
def test_an_import_loads_nothing_heavy(statement):
    loaded = fresh(f"{statement}; import sys, json; print(json.dumps(list(sys.modules)))")
    assert HEAVY & set(loaded) == set()


def test_fitting_and_asking_need_no_drawing_and_no_study_file():
    tell = "import sys, json; print(json.dumps(list(sys.modules)))"
    own = set(fresh(f"from burnout_stats import MMRM, fit, emmeans, read_cohort; {tell}"))
    brought = set(fresh(f"import pandas; {tell}"))  # pandas 3 itself loads pyarrow where it is installed
    assert (HEAVY - brought) & own == set()
    assert {name for name in own - brought if name.startswith(("pyarrow", "dask", "distributed"))} == set()


def test_names_mean_the_same_whatever_was_imported_first():
    modules = [f"burnout_stats.{module.name}" for module in pkgutil.iter_modules(bs.__path__)]
    modules.remove("burnout_stats.__main__")
    load_modules = f"[importlib.import_module(name) for name in {modules}]"
    load_names = "[getattr(bs, name) for name in bs.__all__]"
    tell = "print(json.dumps({name: repr(type(getattr(bs, name))) for name in bs.__all__}))"
    head = "import importlib, json; import burnout_stats as bs"
    names_first = fresh(f"{head}; {load_names}; {load_modules}; {tell}")
    modules_first = fresh(f"{head}; {load_modules}; {load_names}; {tell}")
    assert names_first == modules_first
    assert {name for name, kind in names_first.items() if "module" in kind} == ROOMS


def test_no_module_shares_its_name_with_a_function():
    modules = {module.name for module in pkgutil.iter_modules(bs.__path__)}
    assert modules & (set(bs.__all__) - ROOMS) == set()


def test_public_signatures(snapshot):
    snapshot("signatures.txt", "\n".join(_signatures()) + "\n")


def _signatures() -> Iterator[str]:
    for name in sorted(bs.__all__):
        value = getattr(bs, name)
        if name == "__version__":
            continue
        if isinstance(value, ModuleType):
            yield f"bs.{name}"
            for inner in sorted(value.__all__):
                yield from _signature(f"    bs.{name}.{inner}", getattr(value, inner))
        else:
            yield from _signature(f"bs.{name}", value)


def _signature(name: str, value: object) -> Iterator[str]:
    """Names, order and defaults of arguments: what a call written today relies on."""
    if not callable(value) or get_origin(value) or (inspect.isclass(value) and issubclass(value, Warning)):
        yield f"{name}: {type(value).__name__}"
        return
    signature = inspect.signature(value)
    bare = [parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()]
    yield name + str(signature.replace(parameters=bare, return_annotation=signature.empty))
    if inspect.isclass(value) and value.__module__.startswith("burnout_stats"):
        for inner, member in sorted(vars(value).items()):
            if inner.startswith("_"):
                continue
            if isinstance(member, property):
                yield f"    {name}.{inner}"
            elif inspect.isroutine(getattr(value, inner)):
                yield from _signature(f"    {name}.{inner}", getattr(value, inner))
