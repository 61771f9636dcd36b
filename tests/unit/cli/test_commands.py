"""The commands: data on stdout, talk on stderr, and the exit codes that people's scripts rely on."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest
from study_files import MINIMAL, STUDY, write_study
from typer.testing import CliRunner

import burnout_stats
from burnout_stats.cli import app, main
from burnout_stats.codes import registry

HEAVY = ("numpy", "pandas", "scipy", "statsmodels", "matplotlib", "jinja2", "tqdm", "pyarrow")
ROOMS = ("plan", "reporting", "studies", "cohort", "models", "figures")
"""typer reads its own options with pydantic (from 0.29 on), so that alone is always there."""


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def aliased(folder):
    """A study that runs with a notice: one covariate says the same as another."""
    path = write_study(
        folder, MINIMAL + '\n[analysis]\nterms = ["visit", "age", "copy"]\n[covariates.age]\n[covariates.copy]\n'
    )
    frame = pd.read_csv(folder / "scores.csv")
    frame.assign(copy=2 * frame["age"]).to_csv(folder / "scores.csv", index=False)
    return path


def test_version_is_data():
    result = call("version")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"burnout_stats {burnout_stats.__version__}\n", "")


def test_a_report_lists_its_files_on_stdout(tmp_path):
    result = call("report", write_study(tmp_path), "-o", tmp_path / "out")
    assert result.exit_code == 0
    assert result.stderr == ""
    listed = result.stdout.splitlines()
    assert listed[0] == str(tmp_path / "out/report.html")
    assert all(os.path.exists(path) for path in listed)  # noqa: PTH110  the words as printed


def test_strict_turns_notices_into_failure_and_still_writes(tmp_path):
    study = aliased(tmp_path)
    relaxed = call("report", study, "-o", tmp_path / "out")
    strict = call("report", study, "-o", tmp_path / "out", "--strict")
    assert (relaxed.exit_code, strict.exit_code) == (0, 1)
    assert relaxed.stdout == strict.stdout
    assert "N-MODEL-ALIASED" in relaxed.stderr
    assert "--strict" in strict.stderr


def test_check_tells_what_is_fine(tmp_path):
    result = call("check", write_study(tmp_path))
    assert (result.exit_code, result.stderr) == (0, "Fine.\n")
    assert result.stdout == "study.toml: 100 subjects, visits baseline, 1 year, 3 years, outcomes score, second\n"


def test_check_strict_counts_notices(tmp_path):
    study = write_study(tmp_path, MINIMAL + '\n[covariates.sex]\nlevels = ["F", "M", "X"]\n')
    assert call("check", study).exit_code == 0
    assert call("check", study, "--strict").exit_code == 1


@pytest.mark.parametrize("command", ["check", "report"])
def test_exit_codes_follow_the_stage(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    assert call(command, "nowhere.toml").exit_code == 2
    assert call(command, write_study(tmp_path, STUDY + "nothing = 1\n")).exit_code == 2
    assert call(command, write_study(tmp_path, MINIMAL + "\n[disclosure]\nmin_cell = 101\n")).exit_code == 5
    study = write_study(tmp_path, MINIMAL)
    lines = (tmp_path / "scores.csv").read_text().splitlines()
    (tmp_path / "scores.csv").write_text("\n".join([*lines, lines[1]]) + "\n")
    result = call(command, study)
    assert result.exit_code == 3
    assert "(lines 2, " in result.output
    assert not (tmp_path / "out").exists()


def test_a_model_without_an_answer_ends_with_4(tmp_path):
    study = write_study(tmp_path, MINIMAL)
    frame = pd.read_csv(tmp_path / "scores.csv")
    frame.assign(score=3.0).to_csv(tmp_path / "scores.csv", index=False)
    result = call("report", study, "-o", tmp_path / "out")
    assert result.exit_code == 4
    assert "E-MODEL-NO-SPREAD" in result.stderr
    assert "burnout-stats explain E-MODEL-NO-SPREAD" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("arguments", [["nope"], ["report"], ["check", "--nope"], ["simulate"], []])
def test_wrong_usage_ends_with_2(arguments):
    result = call(*arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.output


def test_help_shows_examples_and_exit_codes():
    result = call("--help")
    assert result.exit_code == 0
    assert "burnout-stats report study.toml -o out/ --strict" in result.stdout
    assert all(f"\n    {code} " in result.stdout for code in (0, 1, 2, 3, 4, 5, 70))


def test_check_in_json_is_whole(tmp_path):
    result = call("check", "--json", write_study(tmp_path, STUDY + "covariance = 'uns'\nnothing = 1\n"))
    document = json.loads(result.stdout)
    assert result.exit_code == document["exit_code"] == 2
    assert document["fine"] is False
    assert {problem["code"] for problem in document["problems"]} == {"E-STUDY-KEY", "E-STUDY-VALUE"}
    assert set(document["problems"][0]) == {"code", "seen", "expected", "advice", "lines"}


def test_the_schema_is_json():
    document = json.loads(call("schema").stdout)
    assert {"data", "visits", "outcomes", "analysis", "report"} <= set(document["properties"])


def test_explain_tells_every_code():
    for code in registry().values():
        result = call("explain", code.code.lower())
        assert result.exit_code == 0
        assert code.sentence in result.stdout
    listed = call("explain").stdout.splitlines()
    assert len(listed) == len(registry())


@pytest.mark.raises_code("E-STUDY-CODE")
def test_an_unknown_code_is_answered_with_the_nearest():
    result = call("explain", "E-STUDY-KEYS")
    assert result.exit_code == 2
    assert "Did you mean `E-STUDY-KEY`?" in result.stderr
    assert result.stdout == ""


def test_simulate_gives_csv_on_stdout_and_the_same_in_a_file(tmp_path):
    result = call("simulate", "villa-sana", "--seed", 3, "-n", 12)
    assert result.exit_code == 0
    assert result.stdout.startswith("id,visit,")
    out = tmp_path / "cohort.csv"
    for _ in range(2):
        filed = call("simulate", "villa-sana", "--seed", 3, "-n", 12, "-o", out)
        assert (filed.exit_code, filed.stdout) == (0, f"{out}\n")
    assert out.read_bytes().decode() == result.stdout
    assert call("simulate", "villa_sana", "--seed", 3, "-n", 12).stdout == result.stdout


@pytest.mark.raises_code("E-STUDY-EXISTS")
def test_simulated_data_replace_no_other_data(tmp_path):
    out = tmp_path / "real.csv"
    out.write_text("real data\n")
    result = call("simulate", "villa-sana", "-o", out)
    assert result.exit_code == 2
    assert "E-STUDY-EXISTS" in result.stderr
    assert out.read_text() == "real data\n"
    assert call("simulate", "villa-sana", "-o", tmp_path / "no" / "folder.csv").exit_code == 2


def test_an_unknown_study_is_answered_with_the_known():
    result = call("simulate", "villa-sanna")
    assert result.exit_code == 2
    assert "villa_sana" in result.stderr


def test_a_fault_of_ours_ends_with_70_and_tells_no_data(tmp_path, monkeypatch):
    def broken(_study):
        raise RuntimeError("the score of S0042 is 3.14")

    monkeypatch.setattr("burnout_stats.plan.check", broken)
    result = call("check", write_study(tmp_path))
    assert result.exit_code == 70
    assert "RuntimeError" in result.stderr
    assert "S0042" not in result.output
    assert len(result.stderr.splitlines()) == 1
    monkeypatch.setenv("BURNOUT_STATS_TRACEBACK", "1")
    assert "Traceback" in call("check", tmp_path / "study.toml").stderr


def test_an_interrupt_is_no_fault(tmp_path, monkeypatch):
    def interrupted(_study):
        raise KeyboardInterrupt

    monkeypatch.setattr("burnout_stats.plan.check", interrupted)
    result = call("check", write_study(tmp_path))
    assert (result.exit_code, result.stderr) == (130, "Stopped.\n")


def test_main_gives_the_exit_code(capsys):
    assert main(["version"]) == 0
    assert main(["check", "nowhere.toml"]) == 2
    assert main(["nope"]) == 2
    assert "E-STUDY-FILE" in capsys.readouterr().out


def test_the_module_is_the_command_and_loads_nothing_heavy():
    asked = (
        "import sys, runpy, atexit\n"
        "atexit.register(lambda: sys.stderr.write(' '.join(sys.modules)))\n"
        "sys.argv = ['burnout-stats', 'version']\n"
        "runpy.run_module('burnout_stats', run_name='__main__')\n"
    )
    around = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, env=around, check=False)
    assert ran.returncode == 0
    assert ran.stdout == f"burnout_stats {burnout_stats.__version__}\n"
    loaded = ran.stderr.split()
    assert [name for name in (*HEAVY, *(f"burnout_stats.{room}" for room in ROOMS)) if name in loaded] == []
    assert "burnout_stats.cli.commands" in loaded
