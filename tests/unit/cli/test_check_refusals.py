"""`burnout-stats check` prints every refusal with its line numbers and never an identifier, and ends with 3."""

from __future__ import annotations

import json
import re

import pytest
from typer.testing import CliRunner

from burnout_stats.cli import app

STUDY = """
[data]
file = "scores.csv"
subject = "id"
visit = "visit"
date = "assessed"
outside = "refuse"
[visits]
"baseline" = 0
"1 year" = 1
[visit_windows]
"1 year" = 30
[outcomes.score]
range = [1, 5]
[covariates.sex]
levels = ["F", "M"]
[covariates.ward]
constant = true
[analysis]
terms = ["visit"]
"""
SECRETS = ("KARI", "OLA", "PER", "LISE", "nordmann", "2004-05-01", "2004-04", "2005")
HEAD = "id,visit,assessed,score,sex,ward,contact\n"
BAD = (
    "KARI-1,baseline,2004-05-01,3,F,a,\n"
    "KARI-1,1 year,2004-04-01,9,M,b,\n"
    "OLA-2,baseline,01.05.2004,x,F,a,ola@nordmann.example.org\n"
    "OLA-2,baseline,2004-05-01,2,F,a,\n"
    "PER-3,1 Year,2005-05-01,2,K,a,\n"
    ",baseline,2004-05-01,2,F,a,\n"
    "LISE-4,baseline,2004-05-01,2,F,pÃ¥ vakt,\n"
    "LISE-4,1 year,2005-09-01,2,F,pÃ¥ vakt,\n"
)
EXPECTED = {
    "E-DATA-MOJIBAKE": (8, 9),
    "E-DATA-CONTACT": (4,),
    "E-DATA-ID": (7,),
    "E-DATA-VISIT": (6,),
    "E-DATA-DUPLICATE": (4, 5),
    "E-DATA-DATE": (4,),
    "E-DATA-DATE-ORDER": (2, 3),
    "E-DATA-WINDOW": (3, 9),
    "E-DATA-RANGE": (3,),
    "E-DATA-NUMBER": (4,),
    "E-DATA-LEVEL": (6,),
}


@pytest.fixture
def study(tmp_path):
    (tmp_path / "scores.csv").write_text(HEAD + BAD, encoding="utf-8")
    path = tmp_path / "study.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.raises_code(*EXPECTED, "E-DATA-CHANGES")
def test_every_refusal_is_printed_with_its_lines_and_no_identifier(study):
    result = call("check", study)
    assert result.exit_code == 3
    told = {}
    for line in result.stdout.splitlines():
        match = re.match(r"(E-[A-Z-]+) \(lines? ([^)]*)\): .+", line)
        assert match, line
        told.setdefault(match[1], set()).update(map(int, re.findall(r"\d+", match[2])))
    assert {code: set(lines) for code, lines in EXPECTED.items()} == {
        code: lines for code, lines in told.items() if code != "E-DATA-CHANGES"
    }
    assert told["E-DATA-CHANGES"] == {3}  # the ward; a sex that is nobody's level is told as such
    assert not any(secret in result.output for secret in SECRETS)
    assert "burnout-stats explain CODE" in result.stderr


@pytest.mark.raises_code(*EXPECTED)
def test_the_same_in_json(study):
    result = call("check", "--json", study)
    document = json.loads(result.stdout)
    assert result.exit_code == document["exit_code"] == 3
    assert {problem["code"]: tuple(problem["lines"]) for problem in document["problems"]}.items() >= EXPECTED.items()
    assert all(problem["expected"] and problem["advice"] for problem in document["problems"])
    assert not any(secret in result.stdout for secret in SECRETS)


@pytest.mark.raises_code("N-DATA-WINDOW", "N-DATA-IDS")
def test_notices_are_printed_too_and_fail_only_when_strict(study):
    good = "".join(
        f"{name},{visit},{date},{score},F,a,\n"
        for name in ("KARI-1", "kari-1", *(f"OLA-{k}" for k in range(20)))
        for visit, date, score in (("baseline", "2004-05-01", 3), ("1 year", "2005-09-01", 2))
    )
    (study.parent / "scores.csv").write_text(HEAD + good, encoding="utf-8")
    study.write_text(STUDY.replace('"refuse"', '"keep"').replace('["F", "M"]', '["F"]'), encoding="utf-8")
    result = call("check", study)
    assert result.exit_code == 0
    assert "N-DATA-WINDOW] 22 assessments lie outside the declared windows (1 year: 22; lines 3, 5, " in result.stdout
    assert "N-DATA-IDS" in result.stdout
    assert not any(secret.casefold() in result.output.casefold() for secret in SECRETS)
    assert call("check", "--strict", study).exit_code == 1
    codes = {notice["code"] for notice in json.loads(call("check", "--json", study).stdout)["notices"]}
    assert {"N-DATA-WINDOW", "N-DATA-IDS"} <= codes


@pytest.mark.parametrize("code", [*EXPECTED, "E-DATA-CHANGES", "N-DATA-SPIKE"])
def test_explain_tells_more_than_the_message(code):
    result = call("explain", code)
    assert result.exit_code == 0
    assert len(result.stdout) > 200
