"""Term tests, contrasts, adjustments, trends and populations against R: the oracle files of mmrm and lme4
(`oracles/*.json`, made by `make_reference.R`), and `r/asking.json`, made by `r/asking.R`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import burnout_200, oracle, potthoff_roy
from tolerances import DF, DUNNETT, ESTIMATE, LATTICE, LMER_OPTIMUM, P_VALUE, TUKEY_LIMIT

from burnout_stats.cohort import read_cohort
from burnout_stats.engine.multiplicity import two_sided_p
from burnout_stats.engine.multivariate_t import largest, largest_quantile, largest_tail
from burnout_stats.engine.studentized_range import studentized_range_tail
from burnout_stats.inference import contrast, emmeans, joint_test, slopes, term_tests
from burnout_stats.models import LMM, MMRM, fit

DATA = {
    "burnout_200": (burnout_200, "EE ~ visit * group + sex + age", "group"),
    "potthoff_roy": (potthoff_roy, "distance ~ Sex * visit", "Sex"),
}
METHODS = {"REML_Satterthwaite": "satterthwaite", "REML_KRlinear": "kenward-roger"}


def blocks(part):
    """The mmrm blocks, by data set, covariance and method, that hold a part."""
    found = []
    for name in DATA:
        for key, block in oracle(name)["mmrm"].items():
            code, _, method = key.partition("_REML_")
            if f"REML_{method}" in METHODS and isinstance(block.get(part), dict) and block[part]:
                found.append((name, code, f"REML_{method}"))
    return pytest.mark.parametrize("pair", found, indirect=True, ids="-".join)


@cache
def fitted(name, code):
    make, formula, by = DATA[name]
    grouped = code == "us_grouped"
    spec = MMRM(formula, covariance="us" if grouped else code, covariance_by=by if grouped else None)
    return fit(spec, make())


@pytest.fixture
def pair(request):
    name, code, key = request.param
    return fitted(name, code), METHODS[key], oracle(name)["mmrm"][f"{code}_{key}"], DATA[name][2]


@cache
def asked():
    return json.loads((Path(__file__).parent / "r" / "asking.json").read_text(encoding="utf-8"))


def close(ours, theirs, tolerance):
    np.testing.assert_allclose(np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float), rtol=tolerance)


@blocks("anova_type3")
@pytest.mark.parametrize("kind", [2, 3])
def test_terms(pair, kind):
    ours, df, theirs, _ = pair
    block = theirs[f"anova_type{kind}"]
    frame = term_tests(ours, kind, df=df).frame.set_index("term").loc[block["term"]]
    close(frame["statistic"], block["F"], ESTIMATE)
    close(frame["num_df"], block["Df"], 0)
    close(frame["df"], block["Res.Df"], DF)
    np.testing.assert_allclose(frame["p_value"], block["Pr(>F)"], atol=P_VALUE)


LMER = {
    "ri_REML": "EE ~ visit * group + sex + age + (1 | subject)",
    "ri_ML": "EE ~ visit * group + sex + age + (1 | subject)",
    "ris_REML": "EE ~ visit * group + sex + age + (1 + years | subject)",
    "lin_ris_REML": "EE ~ years * group + sex + age + (1 + years | subject)",
}


@pytest.mark.parametrize("key", LMER)
def test_terms_against_lmer(key):
    """Where a term has one row, lmerTest's degrees of freedom are ours; of several it writes the rows otherwise."""
    theirs = oracle("burnout_200")["lmer"][key]
    ours = fit(LMM(LMER[key], method="ml" if key == "ri_ML" else "reml"), burnout_200())
    for kind in (2, 3):
        block = theirs[f"anova_type{kind}_satterthwaite"]
        frame = term_tests(ours, kind, df="satterthwaite").frame.set_index("term").loc[block["term"]]
        close(frame["statistic"], block["F value"], LMER_OPTIMUM)
        one = np.array(block["NumDF"]) == 1
        close(frame["df"][one], np.array(block["DenDF"])[one], DF)
    if "anova_type3_kr" in theirs:
        block = theirs["anova_type3_kr"]
        frame = term_tests(ours, 3, df="kenward-roger-expected").frame.set_index("term").loc[block["term"]]
        close(frame["statistic"], block["F value"], LMER_OPTIMUM)
        close(frame["df"], block["DenDF"], DF)
        np.testing.assert_allclose(frame["p_value"], block["Pr(>F)"], atol=P_VALUE)


@pytest.mark.parametrize("kind", [2, 3])
def test_terms_of_a_linear_model(kind):
    """One visit makes the model an ordinary regression: car's Anova with sum contrasts, covariate interactions too."""
    data = pd.read_csv(Path(__file__).parent / "oracles" / "burnout_200.csv").query("visit == 'v0'")
    cohort = read_cohort(
        data.drop(columns="years"),
        subject="id",
        visit="visit",
        times={"v0": 0},
        outcomes=["EE"],
        covariates={"group": {}, "sex": {}, "specialty": {}, "age": {}},
    )
    ours = fit(MMRM("EE ~ group * sex + specialty * sex + age * group"), cohort)
    block = asked()[f"type{kind}"]
    theirs = pd.DataFrame({key: block[key] for key in ("term", "Df", "F value", "Pr(>F)")}).set_index("term")
    frame = term_tests(ours, kind, df="satterthwaite").frame.set_index("term")
    frame = frame.rename(index={"specialty:sex": "sex:specialty", "age:group": "group:age"})
    # of type 2, car takes `group` to be contained in its interaction with a covariate; SAS, mmrm and we do not
    rows = [term for term in frame.index if kind == 3 or term != "group"]
    close(frame.loc[rows, "num_df"], theirs.loc[rows, "Df"], 0)
    close(frame.loc[rows, "statistic"], theirs.loc[rows, "F value"], ESTIMATE)
    close(frame.loc[rows, "df"], 186, DF)
    close(frame.loc[rows, "p_value"], theirs.loc[rows, "Pr(>F)"], ESTIMATE)


def lined_up(frame, block, columns):
    """The rows of a frame in the order of a block of emmeans: by the estimate, up to the sign of the difference."""
    estimate, theirs = frame["estimate"].to_numpy(), np.array(block["estimate"])
    distance = np.abs(np.abs(estimate)[:, None] - np.abs(theirs))
    order = distance.argmin(0)
    assert sorted(order) == list(range(len(frame)))
    ordered = frame.iloc[order]
    sign = np.sign(ordered["estimate"].to_numpy() * theirs)
    assert list(ordered.columns[:1]) == ["outcome"]
    return ordered, sign, [np.array(block[column]) for column in columns]


@blocks("emm")
def test_contrasts_of_means(pair):
    ours, df, theirs, by = pair
    grid = {"weights": "equal", "at": "rows", "df": df}
    by_group = emmeans(ours, "visit", by=by, **grid)
    both = emmeans(ours, ["visit", by], **grid)
    cases = {
        "by_contrasts": contrast(emmeans(ours, by, by="visit", **grid), "pairwise"),
        "diff_in_change": contrast(by_group, "difference_in_differences"),
        "pairs_none": contrast(both, "pairwise"),
        "pairs_bonferroni": contrast(both, "pairwise", adjust="bonferroni"),
        "pairs_tukey": contrast(both, "pairwise", adjust="tukey"),
    }
    for name, result in cases.items():
        frame, sign, (se, dof, low, high, p) = lined_up(
            result.frame, theirs["emm"][name], ["SE", "df", "lower.CL", "upper.CL", "p.value"]
        )
        close(frame["std_error"], se, ESTIMATE)
        close(frame["df"], dof, DF)
        np.testing.assert_allclose(frame["p_value"], p, atol=P_VALUE)
        ours_low = np.where(sign > 0, frame["conf_low"], -frame["conf_high"])
        ours_high = np.where(sign > 0, frame["conf_high"], -frame["conf_low"])
        scale = TUKEY_LIMIT if name == "pairs_tukey" else 1e-5
        np.testing.assert_allclose(ours_low, low, atol=scale * se.max() * 4)
        np.testing.assert_allclose(ours_high, high, atol=scale * se.max() * 4)
    frame, _, (p,) = lined_up(contrast(both, "pairwise", adjust="holm").frame, theirs["emm"]["pairs_holm"], ["p.value"])
    np.testing.assert_allclose(frame["p_value"], p, atol=P_VALUE)
    names = contrast(both, "difference_in_differences").frame["contrast"].tolist()
    assert names == contrast(by_group, "difference_in_differences").frame["contrast"].tolist()


@blocks("emm")
def test_the_mixture_that_emmeans_calls_dunnettx(pair):
    """emmeans replaces Dunnett's integral by a mixture of Tukey's and Šidák's p values for k contrasts, in which
    Tukey's counts (1 + √(1 + 8k)) / 2 means: that checks the studentized range between whole numbers of means. Our
    exact p values are near, and never above Bonferroni's.
    """
    ours, df, theirs, by = pair
    means = emmeans(ours, "visit", by=by, weights="equal", at="rows", df=df)
    block = theirs["emm"]["change_from_first_dunnett"]
    exact, _, (p,) = lined_up(contrast(means, adjust="dunnett").frame, block, ["p.value"])
    k = len(exact) // 2
    t, dof = (exact[name].to_numpy(dtype=float) for name in ("statistic", "df"))
    tukey = studentized_range_tail(np.sqrt(2) * np.abs(t), (1 + np.sqrt(1 + 8 * k)) / 2, dof)
    alone = two_sided_p(t, dof)
    mixed = ((k - 1) * tukey + 1 - (1 - alone) ** k) / k
    np.testing.assert_allclose(mixed, p, atol=P_VALUE)
    np.testing.assert_allclose(exact["p_value"], p, atol=DUNNETT)
    assert (exact["p_value"] > alone).all()
    assert (exact["p_value"] < np.minimum(k * alone, 1)).all()


@blocks("emm")
def test_joint_tests_of_emmeans(pair):
    """F of the consecutive differences, printed to three digits (as df2 emmeans takes the smallest df of its rows)."""
    ours, df, theirs, _ = pair
    block = theirs["emm"]["joint_tests"]
    if df != "satterthwaite" or not isinstance(block, dict):
        return
    row = block["model term"].index("visit")
    rows = contrast(emmeans(ours, "visit", weights="equal", at="rows", df=df), "consecutive")
    joint = joint_test(ours, rows, df=df).frame.iloc[0]
    assert joint["statistic"] == pytest.approx(block["F.ratio"][row], abs=6e-4)
    assert joint["num_df"] == block["df1"][row]


def test_means_of_a_population():
    ours = fit(MMRM("EE ~ visit * group * sex + age", covariance="cs"), burnout_200())
    block = asked()["population"]
    for weights in ({"sex": {"F": 0.7, "M": 0.3}}, pd.DataFrame({"sex": ["M", "F"], "weight": [3, 7]})):
        means = emmeans(ours, "visit:group", weights=weights, at="rows", df="satterthwaite")
        frame = means.frame.sort_values(["group", "visit"])
        assert frame["visit"].tolist() == block["visit"]
        close(frame["estimate"], block["emmean"], LMER_OPTIMUM)
        close(frame["std_error"], block["SE"], LMER_OPTIMUM)
        close(frame["df"], block["df"], DF)
        assert "Averaged over sex in the proportions of a given population." in means.about.notes
    tukey = asked()["pairs_tukey"]
    pairs = contrast(
        emmeans(ours, "visit", weights="equal", at="rows", df="satterthwaite"), "pairwise", adjust="tukey"
    ).frame
    close(pairs["estimate"], -np.array(tukey["estimate"]), 1e-5)
    np.testing.assert_allclose(pairs["p_value"], tukey["p.value"], atol=P_VALUE)
    np.testing.assert_allclose(pairs["conf_low"], -np.array(tukey["upper.CL"]), atol=TUKEY_LIMIT)


def test_trends_through_transforms():
    """emtrends takes differences over 1e-5; ours are derivatives."""
    ours = fit(MMRM("EE ~ log(age) * group + years * group + power(years, 2)", covariance="cs"), burnout_200())
    for variable, value in (("age", 50), ("years", 2)):
        block = asked()[f"trend_{variable}"]
        frame = slopes(ours, variable, by="group", at={variable: value}, df="satterthwaite").frame
        assert frame["group"].tolist() == block["group"]
        np.testing.assert_allclose(frame["estimate"], block[f"{variable}.trend"], atol=1e-5)
        close(frame["std_error"], block["SE"], 1e-5)
        close(frame["df"], block["df"], 1e-3)


def test_polynomials_on_true_times():
    """The same tests as emmeans with contr.poly(3, scores = c(0, 1, 3)); the estimates are another multiple."""
    ours = fitted("burnout_200", "cs")
    block = asked()["polynomial"]
    trends = contrast(
        emmeans(ours, "visit", by="group", weights="equal", at="rows", df="satterthwaite"), "polynomial"
    ).frame
    assert trends["contrast"].tolist() == block["contrast"]
    close(trends["statistic"], block["t.ratio"], 1e-5)
    close(trends["df"], block["df"], DF)
    np.testing.assert_allclose(trends["p_value"], block["p.value"], atol=P_VALUE)


@pytest.mark.parametrize("case", range(8))
def test_the_largest_of_several_t(case):
    """Genz and Bretz's algorithm in mvtnorm, at an error of 1e-6 for p and 1e-5 for the quantile."""
    theirs = asked()["mvt"][case]
    m, rank = largest(np.array(theirs["corr"]))
    assert rank == theirs["k"]
    p = float(largest_tail(np.array(theirs["c"]), np.array(float(theirs["df"])), m, rank))
    assert p == pytest.approx(theirs["p"], abs=LATTICE if rank > 3 else 3e-6)
    q = largest_quantile(0.95, float(theirs["df"]), theirs["k"], m, rank)
    assert q == pytest.approx(theirs["q95"], abs=2e-3)
