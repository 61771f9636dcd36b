"""Each person's improvement in SDs at baseline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from burnout_stats import describe
from burnout_stats.errors import StudyError
from burnout_stats.studies import simulate


def wide_of(cohort, name):
    return cohort.data.pivot(index="subject", columns="visit", values=name)[["baseline", "1 year"]]


def test_mean_and_share_by_hand():
    cohort = simulate("villa_sana", n=150, seed=2)
    found = describe.person_effect_sizes(cohort, "exhaustion", least=0.5).frame
    first = found[found["contrast"].eq("1 year - baseline")].set_index("quantity")
    wide = wide_of(cohort, "exhaustion").dropna()
    es = (wide["baseline"] - wide["1 year"]) / wide["baseline"].std(ddof=1)
    assert first.loc["mean", "estimate"] == pytest.approx(es.mean())
    assert first.loc["mean", "conf_high"] == pytest.approx(es.mean() + 1.959964 * es.std(ddof=1) / np.sqrt(len(es)))
    count = int((es >= 0.5).sum())
    low, high = proportion_confint(count, len(es), method="wilson")
    assert first.loc["improved", ["estimate", "conf_low", "conf_high"]].tolist() == pytest.approx(
        [count / len(es), low, high]
    )
    glass = describe.standardized_change(cohort, "exhaustion", measure="glass").frame.loc[0, "estimate"]
    assert first.loc["mean", "estimate"] == pytest.approx(-glass)


def test_improved_on_none_counts_those_who_crossed_no_line():
    cohort = simulate("villa_sana", n=150, seed=2)
    names = ["exhaustion", "job_stress"]
    found = describe.person_effect_sizes(cohort, names).frame
    row = found[found["outcome"].eq("all_measures") & found["contrast"].eq("1 year - baseline")].iloc[0]
    parts = []
    for name in names:
        wide = wide_of(cohort, name).dropna()
        parts.append((wide["baseline"] - wide["1 year"]) / wide["baseline"].std(ddof=1) >= 0.8)
    assert row["estimate"] == pytest.approx(1 - np.mean(parts[0] | parts[1]))


def test_a_rise_is_an_improvement_where_higher_is_better():
    cohort = simulate("villa_sana", n=80, seed=2)
    roles = dict(cohort.outcome_roles) | {"exhaustion": replace(cohort.outcome("exhaustion"), better="higher")}
    one, other = (
        describe.person_effect_sizes(c, "exhaustion").frame.loc[0, "estimate"]
        for c in (cohort, replace(cohort, outcome_roles=roles))
    )
    assert one == pytest.approx(-other)


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_without_a_better_end_there_is_no_improvement():
    cohort = simulate("villa_sana", n=40, seed=2)
    roles = dict(cohort.outcome_roles) | {"exhaustion": replace(cohort.outcome("exhaustion"), better="")}
    with pytest.raises(StudyError, match="which end"):
        describe.person_effect_sizes(replace(cohort, outcome_roles=roles), "exhaustion")


def test_few_who_did_not_improve_are_hidden():
    from burnout_stats.estimates.disclosure import HIDDEN
    from burnout_stats.estimates.tabulation import shown

    cohort = simulate("villa_sana", n=60, seed=2)
    wide = wide_of(cohort, "exhaustion").dropna()
    es = np.sort((wide["baseline"] - wide["1 year"]) / wide["baseline"].std(ddof=1))
    least = float(es[2] + es[3]) / 2 if es[3] > es[2] else float(es[3])
    found = shown(describe.person_effect_sizes(cohort, "exhaustion", least=least)).frame
    assert found.loc[found["quantity"].eq("improved"), HIDDEN].any()
