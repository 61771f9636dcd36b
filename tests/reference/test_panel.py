"""Panel models against lavaan (`r/panel.R`), complete and with visits missing: estimates, standard errors from the
observed information and robust ones, standardized values, log-likelihoods and fit indices.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tolerances import LAVAAN

from burnout_stats.cohort import read_cohort
from burnout_stats.pathways import cross_lagged, fit_indices, paths, random_intercept, synchronous

HERE = Path(__file__).parent / "r"
THEIRS = json.loads((HERE / "panel.json").read_text(encoding="utf-8"))
VISITS = {"v0": 0, "v1": 1, "v2": 3}
ASKED = {
    "cross_lagged_2": lambda cohort: cross_lagged(cohort, "x", "y"),
    "cross_lagged_2_age": lambda cohort: cross_lagged(cohort, "x", "y", covariates=["age"]),
    "synchronous": lambda cohort: synchronous(cohort, "x", "y"),
    "synchronous_x_to_y": lambda cohort: synchronous(cohort, "x", "y", direction="x_to_y"),
    "cross_lagged_3": lambda cohort: cross_lagged(cohort, "x", "y", waves=3),
    "random_intercept": lambda cohort: random_intercept(cohort, "x", "y"),
}
CASES = [(name, data) for name in ASKED for data in ("complete", "missing")]


def cohort_of(data):
    wide = pd.read_csv(HERE / "data" / f"panel_{data}.csv")
    rows = [
        wide[["age", f"x{k}", f"y{k}"]].set_axis(["age", "x", "y"], axis=1).assign(id=wide.index, visit=f"v{k}")
        for k in range(3)
    ]
    return read_cohort(
        pd.concat(rows),
        subject="id",
        visit="visit",
        times=VISITS,
        outcomes=["x", "y"],
        covariates={"age": {"unit": "years"}},
    )


def ours(name, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ASKED[name](cohort_of(data))


def called(word):
    """lavaan's name of a variable in ours."""
    if word == "age":
        return "Age"
    if word in ("rx", "ry"):
        return f"{word[1].upper()} (between)"
    return f"{word[-2].upper()}, v{word[-1]}" + (" (within)" if word[0] == "w" else "")


def by_name(estimates):
    """Rows by the set of their ends and whether they are a mean or a path."""
    found = {}
    for row in estimates.frame.to_dict("records"):
        sort = {"mean": "~1", "intercept": "~1"}.get(row["path"], "~~" if "varian" in row["path"] else "~")
        sort = "~~" if row["path"] == "between persons" else sort
        key = (row["to"], row["from"]) if sort == "~" else tuple(sorted((row["to"], row["from"])))
        found[(sort, *key)] = row
    return found


def theirs_by_name(reference):
    for k, (lhs, op, rhs) in enumerate(zip(reference["lhs"], reference["op"], reference["rhs"], strict=True)):
        key = (called(lhs), called(rhs or lhs))
        yield k, (op, *(key if op == "~" else sorted(key)))


def close(value, reference, scale):
    assert value == pytest.approx(reference, rel=LAVAAN, abs=LAVAAN * scale)


@pytest.mark.parametrize(("name", "data"), CASES)
def test_estimates_and_standard_errors(name, data):
    fit, reference = ours(name, data), THEIRS[name][data]
    plain, robust = by_name(paths(fit, which="all")), by_name(paths(fit, which="all", vcov="robust"))
    assert fit.converged
    assert len(plain) == len(reference["lhs"])
    for k, key in theirs_by_name(reference):
        close(plain[key]["estimate"], reference["estimate"][k], reference["se"][k])
        close(plain[key]["std_error"], reference["se"][k], 0)
        close(robust[key]["std_error"], reference["robust_se"][k], 0)


@pytest.mark.parametrize(("name", "data"), CASES)
def test_standardized_values(name, data):
    fit, reference = ours(name, data), THEIRS[name][data]
    found = by_name(paths(fit, standardized=True, which="all"))
    for k, key in theirs_by_name(reference):
        close(found[key]["estimate"], reference["standardized"][k], 1)
        if np.isfinite(found[key]["std_error"]):
            close(found[key]["std_error"], reference["standardized_se"][k], 0)
        else:
            assert reference["standardized_se"][k] == pytest.approx(0, abs=LAVAAN)


@pytest.mark.parametrize(("name", "data"), CASES)
def test_likelihoods_and_fit_indices(name, data):
    fit, reference = ours(name, data), THEIRS[name][data]["indices"]
    found = fit.estimated
    close(fit.loglik, reference["logl"], 0)
    close(found.saturated_loglik, reference["unrestricted.logl"], 0)
    close(found.indices.baseline_chi_square, reference["baseline.chisq"], 0)
    assert (fit.df, found.indices.baseline_df) == (reference["df"], reference["baseline.df"])
    if fit.df:
        frame = fit_indices(fit).frame.set_index("index")
        for index, key in (
            ("chi-square", "chisq"),
            ("CFI", "cfi"),
            ("TLI", "tli"),
            ("RMSEA", "rmsea"),
            ("SRMR", "srmr"),
        ):
            close(frame.loc[index, "estimate"], reference[key], 0)
        close(frame.loc["chi-square", "p_value"], reference["pvalue"], 0)
        close(frame.loc["RMSEA", "conf_low"], reference["rmsea.ci.lower"], 0)
        close(frame.loc["RMSEA", "conf_high"], reference["rmsea.ci.upper"], 0)
