"""Study files with their data, written into a folder for the tests of the plan, the report and the command."""

from __future__ import annotations

from pathlib import Path

from cohorts import scores

STUDY = """\
config_version = 1
title = "A hundred people"
description = "Made from random numbers."

[data]
file = "scores.csv"
subject = "id"
visit = "visit"

[visits]
"baseline" = 0
"1 year" = 1
"3 years" = 3

[outcomes.score]
label = "Exhaustion"
range = [-5, 11]
better = "lower"

[outcomes.second]
label = "Job stress"
better = "lower"

[covariates.sex]
levels = ["F", "M"]

[covariates.age]
unit = "years"

[analysis]
terms = ["visit", "sex", "age", "visit:sex"]
"""

MINIMAL = """\
[data]
file = "scores.csv"
subject = "id"
visit = "visit"

[visits]
"baseline" = 0
"1 year" = 1
"3 years" = 3

[outcomes.score]
"""


def write_study(folder: Path, text: str = STUDY, *, n: int = 100, name: str = "study.toml") -> Path:
    """A study file beside its data: 100 people, three visits, some unseen, two outcomes."""
    frame = scores(n, seed=5, seen=0.8).round({"score": 2, "age": 0})
    frame["second"] = (2 + 0.6 * frame["score"]).round(1)
    frame.to_csv(folder / "scores.csv", index=False)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
