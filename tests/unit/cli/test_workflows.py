"""The workflows and hooks that we give away: they parse, ask for little, pin what they use, and their commands run."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from burnout_stats.cli import app

ROOT = Path(__file__).parents[3]
WORKFLOWS = [
    ROOT / ".github/workflows/test.yml",
    ROOT / ".github/workflows/report.yml",
    ROOT / "examples/ci/report.yml",
]
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}\Z")


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def command_lines():
    """Every line of a workflow, hook or README of ours that calls the command."""
    found = []
    for path in [*WORKFLOWS, ROOT / "examples/ci/README.md"]:
        for line in path.read_text(encoding="utf-8").splitlines():
            match = re.search(r"(?:run: |^ +|`)(burnout-stats (?:check|report|compare)[^`|&#]*)", line)
            if match and len(match[1].split()) > 2:
                found.append(match[1].strip())
    return sorted(set(found))


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The repository of a study: the synthetic cohort, without what takes long."""
    folder = tmp_path_factory.mktemp("repository")
    shutil.copy(ROOT / "data/synthetic/villa_sana.csv", folder)
    text = (ROOT / "data/synthetic/villa_sana.toml").read_text(encoding="utf-8")
    text = re.sub(r"\[sensitivity.*?(?=\[report\])", "", text, flags=re.DOTALL)
    text = re.sub(r"formats = .*", 'formats = ["json"]', text)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_workflow_asks_for_little_and_pins_what_it_uses(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in workflow["jobs"].values())
    assert all(job["timeout-minutes"] for job in workflow["jobs"].values())
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used
    assert [name for name in used if not PINNED.match(name)] == []
    for line in path.read_text(encoding="utf-8").splitlines():
        if "uses: actions/" in line:
            assert re.search(r"# v\d+\.\d+\.\d+\Z", line), line
    for step in steps(workflow):
        if "actions/checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False
        assert not re.search(r"\$\{\{\s*(inputs|github\.event|github\.head)", step.get("run", "")), step


def test_every_python_that_we_promise_is_tested():
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    tested = [entry["python"] for entry in workflow["jobs"]["check"]["strategy"]["matrix"]["include"]]
    promised = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert tested == promised
    words = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    runs = [step["run"] for step in steps(workflow) if "run" in step]
    runs += [entry["run"] for entry in workflow["jobs"]["check"]["strategy"]["matrix"]["include"]]
    assert {run.removeprefix("make ") for run in runs if run.startswith("make ")} <= set(words)
    assert (ROOT / ".ci/run").exists()


def test_the_reusable_workflow_has_a_default_for_all_it_asks():
    workflow = yaml.safe_load((ROOT / ".github/workflows/report.yml").read_text(encoding="utf-8"))
    inputs = workflow[True]["workflow_call"]["inputs"]  # YAML reads the key `on` as true
    assert all({"description", "type", "default"} <= set(told) for told in inputs.values())
    text = (ROOT / ".github/workflows/report.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(inputs)


def test_there_are_command_lines():
    lines = command_lines()
    assert {line.split()[1] for line in lines} == {"check", "report", "compare"}
    assert len(lines) >= 5


def test_every_command_line_runs(repository, monkeypatch):
    monkeypatch.chdir(repository)
    monkeypatch.setenv("STUDY", "study.toml")
    order = {"check": 0, "report": 1, "compare": 2}
    for line in sorted(command_lines(), key=lambda line: order[line.split()[1]]):
        arguments = [argument.replace("$STUDY", "study.toml") for argument in shlex.split(line)[1:]]
        if arguments[0] == "compare":
            (repository / "last").mkdir(exist_ok=True)
            shutil.copy(repository / "report/results.json", repository / "last/results.json")
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, (line, result.output)


def test_the_hook_is_a_command_of_ours_and_finds_study_files(repository):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    config = yaml.safe_load((ROOT / "examples/ci/.pre-commit-config.yaml").read_text(encoding="utf-8"))
    used = config["repos"][0]["hooks"][0]
    assert used["id"] == hook["id"]
    assert hook["language"] == "python"
    for name, is_one in (
        ("study.toml", True),
        ("a/my.study.toml", True),
        ("pyproject.toml", False),
        ("astudy.toml", False),
    ):
        assert bool(re.search(hook["files"], name)) is is_one
    assert re.search(used["files"], "data/scores.csv")
    words = shlex.split(hook["entry"])[1:]
    study = str(repository / "study.toml")
    assert CliRunner().invoke(app, [*words, study]).exit_code == 0
    assert CliRunner().invoke(app, [*words, study, study]).exit_code == 0  # pre-commit hands over several files
    assert CliRunner().invoke(app, [*words, *used["args"][1:], study]).exit_code == 0


def test_an_example_says_what_the_reusable_workflow_says():
    ours, example = (
        [step.get("name", step.get("uses")) for step in steps(yaml.safe_load(path.read_text(encoding="utf-8")))]
        for path in WORKFLOWS[1:]
    )
    assert ours == example
