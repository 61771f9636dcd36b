"""The registry of codes, the source that raises them, and the tests that prove it, agree."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import burnout_stats
from burnout_stats import errors
from burnout_stats.codes import registry

PACKAGE = Path(burnout_stats.__file__).parent
TESTS = Path(__file__).parents[1]
CODE = re.compile(r"(?:E|N)-[A-Z]+(?:-[A-Z]+)+")
EXITS = {
    name: value.exit_code
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.BurnoutStatsError) and value is not errors.BurnoutStatsError
}


def calls(folder: Path) -> list[tuple[str, list[str]]]:
    """Each call in a folder's modules as (name of what is called, the text arguments)."""
    found = []
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                found.append(
                    (name, [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)])
                )
    return found


def codes_in_source() -> set[str]:
    return {
        node.value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
    }


def test_source_and_registry_hold_the_same_codes():
    used, registered = codes_in_source(), set(registry())
    assert used == registered, f"not registered: {sorted(used - registered)}; not used: {sorted(registered - used)}"


def test_every_code_is_raised_by_a_test():
    proven = {code for name, texts in calls(TESTS) if name == "raises_code" for code in texts}
    registered = set(registry())
    assert proven == registered, f"no test: {sorted(registered - proven)}; not a code: {sorted(proven - registered)}"


def test_a_code_leaves_by_the_exit_of_its_class():
    wrong = [
        (name, code)
        for name, texts in calls(PACKAGE)
        if name in EXITS
        for code in texts[:1]
        if CODE.fullmatch(code) and code in registry() and registry()[code].exit_code != EXITS[name]
    ]
    assert wrong == []


@pytest.mark.parametrize("code", registry().values(), ids=lambda code: code.code)
def test_an_entry_is_complete(code):
    stage = code.code.rpartition("-")[0]
    neighbors = {other.exit_code for other in registry().values() if other.code.startswith(f"{stage}-")}
    assert CODE.fullmatch(code.code)
    assert code.exit_code in ({0} if code.code.startswith("N-") else set(EXITS.values()))
    assert neighbors == {code.exit_code}, "the codes of one stage leave by one exit"
    assert code.sentence.endswith(".")
    assert "\n" not in code.sentence
    assert len(code.story) > len(code.sentence)
