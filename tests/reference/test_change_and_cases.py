"""Signed ranks, McNemar's tests, intervals for proportions, repeated-measures ANOVA and Oldham's correlation against R
(`r/change_and_cases.R`, `.json`, `_session.txt`), and numbers that papers print.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from cohorts import burnout_200, potthoff_roy
from tolerances import CLOSED_FORM, MAUCHLY_P, UNIROOT

from burnout_stats import describe
from burnout_stats.engine import proportions
from burnout_stats.engine.paired import hodges_lehmann, signed_rank
from burnout_stats.engine.rm_anova import rm_anova, within_sums
from burnout_stats.estimates import Share

R = Path(__file__).parent / "r"


@cache
def reference():
    return json.loads((R / "change_and_cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["few", "ties", "many"])
def test_signed_ranks(name):
    theirs = reference()["signed_rank"][name]
    x = np.array(theirs["x"])
    plain = signed_rank(x, exact=False)
    assert plain.w_plus == theirs["V"]
    np.testing.assert_allclose(plain.p_value, theirs["p_plain"], rtol=CLOSED_FORM)
    ours = signed_rank(x, continuity=name != "few")
    assert ours.is_exact == (name == "few")
    np.testing.assert_allclose(ours.p_value, theirs["p"], rtol=CLOSED_FORM)


def test_hodges_lehmann_where_r_is_exact():
    theirs = reference()["signed_rank"]["few"]
    np.testing.assert_allclose(hodges_lehmann(theirs["x"]), [theirs["estimate"], *theirs["conf"]], rtol=CLOSED_FORM)


def test_hodges_lehmann_where_r_solves_for_the_root():
    """R inverts the normal test with its continuity correction; ours are order statistics, at most a step wider."""
    theirs = reference()["signed_rank"]["many"]
    x = np.array(theirs["x"])
    walsh = np.sort(((x[:, None] + x) / 2)[np.triu_indices(len(x))])
    estimate, low, high = hodges_lehmann(x)
    assert estimate == pytest.approx(np.median(walsh), rel=CLOSED_FORM)
    assert abs(estimate - theirs["estimate"]) < 1e-4
    for ours, limit in zip((low, high), theirs["conf"], strict=True):
        assert abs(int(np.searchsorted(walsh, ours)) - int(np.searchsorted(walsh, limit))) <= 2


@pytest.mark.parametrize("name", ["bentur", "cavo", "ezra", "newcombe", "equal", "sana"])
def test_pairs_of_yes_and_no(name):
    theirs = reference()["pairs"][name]
    e, f, g, h = theirs["table"]
    test = proportions.mcnemar(f, g)
    found = [test.z**2, test.p_chi_square, test.p_corrected, test.p_exact, test.p_mid]
    wanted = [theirs[key] for key in ("chi_square", "p", "p_cc", "p_exact", "p_mid")]
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(proportions.tango(f, g, e + f + g + h), theirs["tango"], atol=UNIROOT)
    np.testing.assert_allclose(proportions.newcombe_paired(e, f, g, h), theirs["newcombe"], rtol=CLOSED_FORM)


def test_one_proportion():
    for theirs in reference()["proportions"]:
        x, n = theirs["count"], theirs["n"]
        np.testing.assert_allclose(proportions.wilson(x, n), theirs["wilson"], rtol=CLOSED_FORM, atol=1e-15)
        np.testing.assert_allclose(proportions.clopper_pearson(x, n), theirs["exact"], rtol=CLOSED_FORM)
        corrected = proportions.wilson(x, n, continuity=True)
        np.testing.assert_allclose(corrected, theirs["wilson_cc"], rtol=1e-9, atol=1e-12)


def scores(cohort, outcome, between):
    wide = cohort.data.pivot(index="subject", columns="visit", values=outcome).dropna()
    groups = (
        cohort.data.groupby("subject")[between].first().loc[wide.index].cat.codes if between else 0 * wide.iloc[:, 0]
    )
    return wide.to_numpy(), groups.to_numpy().astype(int)


CASES = {
    "burnout": (burnout_200, "EE", None),
    "burnout_group": (burnout_200, "EE", "group"),
    "teeth": (potthoff_roy, "distance", None),
    "teeth_sex": (potthoff_roy, "distance", "Sex"),
}


@pytest.mark.parametrize("name", list(CASES))
def test_repeated_measures(name):
    make, outcome, between = CASES[name]
    theirs = reference()["anova"][name]
    found = rm_anova(*within_sums(*scores(make(), outcome, between)))
    effects = [effect for effect in (found.between, found.within, found.interaction) if effect is not None]
    for column, attribute in {"ss": "sum_of_squares", "ss_error": "error", "F": "F", "df": "num_df"}.items():
        np.testing.assert_allclose([getattr(effect, attribute) for effect in effects], theirs[column][1:], rtol=1e-9)
    np.testing.assert_allclose([effect.partial_eta_squared for effect in effects], theirs["pes"], rtol=1e-9)
    np.testing.assert_allclose([found.generalized_eta_squared(effect) for effect in effects], theirs["ges"], rtol=1e-9)
    s = found.sphericity
    np.testing.assert_allclose(
        [s.greenhouse_geisser, s.lecoutre, s.W], [theirs[k] for k in ("gg", "hf", "W")], rtol=1e-9
    )
    assert s.p_value == pytest.approx(theirs["mauchly_p"], abs=MAUCHLY_P)


def test_rs_second_order_term_takes_the_visits_for_the_contrasts():
    """Anderson's polynomial is in the number p of contrasts; R 4.2 writes 3 times the number of visits into it."""
    from scipy.special import chdtrc

    theirs = reference()["anova"]["teeth"]
    s = rm_anova(*within_sums(*scores(potthoff_roy(), "distance", None))).sphericity
    p, nu, f = 3, 26, 5
    rho = 1 - (2 * p**2 + p + 2) / (6 * p * nu)

    def value(slip):
        second = (p + 2) * (p - 1) * (p - 2) * (2 * p**3 + 6 * p**2 + 3 * slip + 2) / (288 * (nu * p * rho) ** 2)
        first = chdtrc(f, s.chi_square)
        return first + second * (chdtrc(f + 4, s.chi_square) - first)

    assert value(4) == pytest.approx(theirs["mauchly_p"], rel=1e-9)
    assert value(3) == pytest.approx(s.p_value, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "correction", "key"), [("burnout", "greenhouse-geisser", "p_gg"), ("burnout_group", "lecoutre", "p_hf")]
)
def test_corrected_p_values(name, correction, key):
    make, outcome, between = CASES[name]
    found = describe.rm_anova(make(), outcome, between=between, correction=correction).frame
    assert found.loc[0, "p_value"] == pytest.approx(reference()["anova"][name][key], rel=1e-9)
    assert found.loc[0, "n"] == reference()["anova"][name]["n"]


def test_oldham_and_paired_t():
    theirs = reference()["oldham"]
    found = describe.level_and_change_from_summaries(
        sd0=theirs["sd0"], sd1=theirs["sd1"], r=theirs["r01"], n=theirs["n"]
    )
    row = found.frame.iloc[0]
    np.testing.assert_allclose(
        row[["estimate", "statistic", "df", "p_value", "conf_low", "conf_high"]].to_numpy(dtype=float),
        [theirs["r"], theirs["t"], theirs["df"], theirs["p"], *theirs["conf"]],
        rtol=1e-9,
    )
    cohort = burnout_200()
    complete = cohort.data.groupby("subject")["EE"].transform("count").eq(3)
    t = describe.change(cohort.subset(complete), "EE").frame.iloc[0]
    theirs = reference()["paired_t"]
    np.testing.assert_allclose(
        t[["estimate", "statistic", "df", "p_value", "conf_low", "conf_high"]].to_numpy(dtype=float),
        [theirs["estimate"], theirs["t"], theirs["df"], theirs["p"], *theirs["conf"]],
        rtol=1e-9,
    )


# ---- numbers that papers print -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval", "printed"),
    [("wilson", (0.2553, 0.3662)), ("wilson-continuity", (0.2535, 0.3682)), ("clopper-pearson", (0.2527, 0.3676))],
)
def test_newcombes_example_of_81_of_263(interval, printed):
    """Newcombe 1998, Stat Med 17:857, table I."""
    found = describe.caseness_from_summaries({"all": Share(81, 263)}, interval=interval).frame
    assert tuple(found[["conf_low", "conf_high"]].iloc[0].round(4)) == printed


def test_newcombes_example_of_two_groups():
    """Newcombe 1998, Stat Med 17:873, table II (a): 56/70 less 48/80, method 10."""
    assert [round(float(limit), 4) for limit in proportions.newcombe_independent(56, 70, 48, 80)] == [0.0524, 0.3339]


def test_fagerlands_examples():
    """Fagerland, Lydersen & Laake 2013, BMC Med Res Methodol 13:91: 1 and 7 discordant pairs of 21."""
    test = proportions.mcnemar(1, 7)
    assert [round(float(p), 3) for p in (test.p_chi_square, test.p_corrected, test.p_exact, test.p_mid)] == [
        0.034,
        0.077,
        0.070,
        0.039,
    ]
