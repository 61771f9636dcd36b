"""What GitHub reads: annotations within its limits, lines that no name can forge, a summary that fits."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from study_files import MINIMAL, write_study
from typer.testing import CliRunner

from burnout_stats.cli import app
from burnout_stats.cli.github import LARGEST, MOST, Mark, annotate, command, summarize

FORGED = "::error file=x::forged\\n::add-mask::x ##[error]forged, 100%: \\u001b[31mred"
ANNOTATION = re.compile(r"::(error|warning|notice) (?:file=[^,:]+(?:,line=\d+)?,)?title=[^:,]+::[^\r\n]+\Z")


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A job with a summary, at the top of a repository."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "a-doctor/a-study")
    monkeypatch.setenv("GITHUB_RUN_ID", "42")
    return tmp_path


def call(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments), "--format", "github"])


def commands(text):
    return [line for line in text.splitlines() if line.startswith("::")]


def test_a_refusal_is_an_error_at_its_line(job):
    study = write_study(job, MINIMAL + "range = [1, 2]\n")
    result = call("check", study)
    assert result.exit_code == 3
    (line,) = commands(result.stdout)
    match = re.match(
        r"::error file=scores\.csv,line=(\d+),title=E-DATA-RANGE::.+\((\d+) rows, first at line (\d+)\)", line
    )
    assert match
    assert match[1] == match[3]
    assert int(match[2]) > 100
    summary = (job / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("## study.toml: refused\n")
    assert "**E-DATA-RANGE**" in summary


def test_a_wrong_study_file_is_an_error_of_that_file(job):
    study = write_study(job, MINIMAL + "nothing = 1\n")
    for word in ("check", "report"):
        result = call(word, study)
        assert result.exit_code == 2
        assert commands(result.stdout)[0].startswith("::error file=study.toml,title=E-STUDY-KEY::")


def test_notices_are_warnings_and_under_strict_errors(job):
    study = write_study(job, MINIMAL + '\n[covariates.sex]\nlevels = ["F", "M", "X"]\n')
    assert [line.partition(" ")[0] for line in commands(call("check", study).stdout)] == ["::warning"]
    strict = call("check", study, "--strict")
    assert strict.exit_code == 1
    assert [line.partition(" ")[0] for line in commands(strict.stdout)] == ["::error"]


def test_a_report_has_a_summary_with_changes_notices_and_software(job):
    text = MINIMAL + '\n[analysis]\nterms = ["visit", "age", "copy"]\n[covariates.age]\n[covariates.copy]\n'
    study = write_study(job, text + '\n[report]\nformats = ["json"]\n')
    frame = pd.read_csv(job / "scores.csv")
    frame.assign(copy=2 * frame["age"]).to_csv(job / "scores.csv", index=False)
    result = call("report", study, "-o", "out")
    assert result.exit_code == 0
    assert commands(result.stdout)[0].startswith("::warning file=study.toml,title=N-MODEL-ALIASED::")
    assert "out/results.json" in result.stdout.splitlines()
    summary = (job / "summary.md").read_text(encoding="utf-8")
    assert "| 1 year − baseline |" in summary
    assert "**N-MODEL-ALIASED**" in summary
    assert "SHA-256" in summary
    assert "[artifacts](https://github.com/a-doctor/a-study/actions/runs/42#artifacts)" in summary


def test_an_address_that_is_none_is_no_link(job, monkeypatch):
    monkeypatch.setenv("GITHUB_REPOSITORY", "x](javascript:1)")
    call("report", write_study(job, MINIMAL + '\n[report]\nformats = ["json"]\n'), "-o", "out")
    summary = (job / "summary.md").read_text(encoding="utf-8")
    assert "javascript" not in summary
    assert "among the artifacts of this run" in summary


@pytest.mark.parametrize(
    "text",
    [
        f'{MINIMAL}\n[outcomes."{FORGED}"]\nrnge = [1, 5]\n',
        f'{MINIMAL}\n[report]\nnumber_style = "{FORGED}"\n',
        f'{MINIMAL}\n[outcomes."{FORGED}"]\n',
        MINIMAL.replace('"1 year"', f'"{FORGED}"'),
        MINIMAL.replace("scores.csv", FORGED.replace("/", "")),
        f'title = "{FORGED}"\n{MINIMAL}label = "{FORGED}"\nbetter = "lower"\n[report]\nformats = ["json"]\n',
    ],
)
@pytest.mark.parametrize("word", [["check"], ["report", "-o", "out"]])
def test_no_name_can_forge_a_command(job, text, word):
    result = call(word[0], write_study(job, text), *word[1:])
    assert result.exit_code in {0, 2, 3}
    for line in (result.stdout + "\n" + result.stderr).splitlines():
        if line.lstrip().startswith("::"):
            assert ANNOTATION.match(line), line
            assert "add-mask::" not in line.partition("::error")[0]
            assert not re.search(r"::(add-mask|set-env|stop-commands)::", line)
        assert "##[" not in line
        assert "\x1b" not in line
    summary = (job / "summary.md").read_text(encoding="utf-8")
    assert "::" not in summary.replace(r"\:\:", "")
    assert "##[" not in summary


def test_what_stands_in_a_command_is_escaped():
    mark = Mark(level="error", title="a:b,c%", message="50%\r\n::error::x", lines=(3,))
    line = command(mark)
    assert line.startswith("::error title=a%3Ab%2Cc%25::50%25")
    assert "\n" not in line
    assert "\r" not in line
    assert line.count("::") == 2


def test_annotations_stay_within_the_limits(capsys):
    same = [Mark(level="error", title="E-DATA-RANGE", message=f"Column {k}.", lines=(k,)) for k in range(1, 40)]
    annotate(same)
    assert capsys.readouterr().out == "::error title=E-DATA-RANGE::Column 1. (38 more of this kind) (line 1)\n"
    kinds = [Mark(level=level, title=f"E-{k}", message="x") for k in range(25) for level in ("error", "warning")]
    annotate(kinds)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 * MOST
    assert lines[MOST - 1].startswith("::error title=And more::16 more kinds: E-9, E-10")
    few = [Mark(level="notice", title="same", message=f"{k}") for k in range(MOST)]
    annotate(few)
    assert len(capsys.readouterr().out.splitlines()) == MOST


def test_a_long_message_is_cut():
    assert len(command(Mark(level="error", title="t", message="x" * 100_000))) < 1100


def test_a_file_elsewhere_is_told_by_its_name(job):
    assert command(Mark(level="error", title="t", message="m", file=job.parent / "secret" / "study.toml")).startswith(
        "::error file=study.toml,"
    )
    assert "file=sub/study.toml" in command(Mark(level="error", title="t", message="m", file=job / "sub/study.toml"))


def test_the_summary_stays_below_its_limit(job):
    path = job / "summary.md"
    path.write_text("x" * (LARGEST - 4000), encoding="utf-8")
    summarize(["first", "æ" * 5000, "last"])
    told = path.read_text(encoding="utf-8")
    assert len(told.encode()) <= LARGEST
    assert "first" in told
    assert "last" in told
    assert "æ" not in told
    assert told.rstrip().endswith("GitHub shows 1 MiB of it.")
    path.write_text("x" * LARGEST, encoding="utf-8")
    summarize(["more"])
    assert path.stat().st_size == LARGEST


def test_without_a_job_there_is_no_summary(tmp_path, monkeypatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.chdir(tmp_path)
    assert call("check", write_study(tmp_path, MINIMAL)).exit_code == 0
    assert not list(tmp_path.glob("*.md"))


def test_a_summary_that_cannot_be_written_loses_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    result = call("check", write_study(tmp_path, MINIMAL))
    assert result.exit_code == 0
    assert "job summary cannot be written" in result.stderr
