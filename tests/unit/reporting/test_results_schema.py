"""results.json keeps to results.schema.json, with hidden and missing numbers too; the schema refuses what is wrong."""

from __future__ import annotations

import copy
import json

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator
from study_files import MINIMAL, STUDY, write_study

from burnout_stats.plan import read_study
from burnout_stats.reporting import report
from burnout_stats.reporting.record import SCHEMA, to_schema

pytestmark = pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")

JSON_ONLY = '\n[report]\nformats = ["json"]\n'
SENSITIVITY = "\n[sensitivity]\nimputations = 20\n"


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(to_schema())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def written(folder, text, change=None, n=100):
    study = write_study(folder, text + JSON_ONLY, n=n)
    if change is not None:
        frame = pd.read_csv(folder / "scores.csv")
        change(frame).to_csv(folder / "scores.csv", index=False)
    report(read_study(study), folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return written(tmp_path_factory.mktemp("whole"), MINIMAL + SENSITIVITY, n=40)


def few(frame):
    """Only eight people at the first year, whose numbers may not be shown under min_cell = 10."""
    there = frame["visit"].eq("1 year")
    return frame[~there | (there.cumsum() <= 8)]


def aliased(frame):
    return frame.assign(copy=2 * frame["age"])


ALIASED = MINIMAL + '\n[analysis]\nterms = ["visit", "age", "copy"]\n[covariates.age]\n[covariates.copy]\n'


@pytest.mark.parametrize(
    ("text", "change", "reasons"),
    [
        (STUDY, None, set()),
        (MINIMAL + "\n[disclosure]\nmin_cell = 10\n", few, {"hidden"}),
        (ALIASED, aliased, {"not estimable"}),
        (MINIMAL + '\n[analysis]\ndf = "asymptotic"\n', None, {"infinite"}),
    ],
)
def test_real_results_keep_to_the_schema(tmp_path, validator, text, change, reasons):
    out = written(tmp_path, text, change)
    raw = (out / "results.json").read_text(encoding="utf-8")
    document = json.loads(raw, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert [f"{list(error.absolute_path)}: {error.message[:200]}" for error in validator.iter_errors(document)] == []
    assert document["schema"] == SCHEMA
    assert set(_reasons(document)) >= reasons


def test_sensitivity_keeps_to_the_schema_too(whole, validator):
    document = json.loads((whole / "results.json").read_text(encoding="utf-8"))
    assert document["sensitivity"]
    assert [error.message[:200] for error in validator.iter_errors(document)] == []


def test_every_null_number_has_its_reason(whole):
    document = json.loads((whole / "results.json").read_text(encoding="utf-8"))

    def rows(value):
        if isinstance(value, dict):
            if "hidden" in value:
                yield value
            for item in value.values():
                yield from rows(item)
        elif isinstance(value, list):
            for item in value:
                yield from rows(item)

    found = list(rows(document))
    nulls = [(row, key) for row in found for key, item in row.items() if item is None]
    assert nulls
    assert all(row["reasons"][key] for row, key in nulls)


def test_the_schema_lies_beside_the_results(whole):
    assert (whole / "results.schema.json").read_bytes() == to_schema()
    schema = json.loads(to_schema())
    assert schema["title"].endswith(f"version {SCHEMA}")
    assert schema["properties"]["schema"] == {"const": SCHEMA}
    assert "$id" not in schema


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), 1),
        (("extra",), 1),
        (("outcomes", 0, "better"), "sideways"),
        (("outcomes", 0, "changes", "rows", 0, "estimate"), None),
        (("outcomes", 0, "changes", "rows", 0, "p_value"), 1.5),
        (("outcomes", 0, "changes", "rows", 0, "reasons"), {"estimate": "because"}),
        (("outcomes", 0, "changes", "rows", 0, "n"), 3.5),
        (("outcomes", 0, "model", "loglik"), None),
        (("outcomes", 0, "model", "n_obs"), "many"),
        (("flow", "rows", 0, "value"), None),
        (("notices",), [{"code": "no", "message": "", "advice": ""}]),
        (("provenance", "data", "dialect"), None),
        (("provenance", "seed"), -1),
    ],
)
def test_the_schema_refuses_what_is_wrong(whole, validator, path, value):
    document = json.loads((whole / "results.json").read_text(encoding="utf-8"))
    assert validator.is_valid(document)
    changed = copy.deepcopy(document)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert not validator.is_valid(changed)


def _reasons(value):
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "reasons":
                yield from item.values()
            else:
                yield from _reasons(item)
    elif isinstance(value, list):
        for item in value:
            yield from _reasons(item)


def test_a_covariance_that_is_null_has_a_reason(tmp_path):
    out = written(tmp_path, ALIASED, aliased)
    coefficients = json.loads((out / "results.json").read_text())["outcomes"][0]["coefficients"]
    assert np.array(coefficients["vcov"], dtype=float).shape == (len(coefficients["rows"]),) * 2
    assert any(cell is None for row in coefficients["vcov"] for cell in row)
    assert coefficients["reasons"] == {"vcov": "not estimable"}
