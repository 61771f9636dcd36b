"""What a policy hides beside small counts: zeros, single persons' values, quantiles of few, and the n of estimates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from burnout_stats.errors import StudyError
from burnout_stats.estimates import About, Estimates, Policy, Summaries, counted, protect, protect_all


def counts(*levels, statistic="n"):
    """A table of which subjects are in which level."""
    rows = [
        {"variable": "state", "level": str(k), "statistic": statistic, "value": float(of.sum()), "n": int(of.sum())}
        for k, of in enumerate(levels)
    ]
    return Summaries(frame=pd.DataFrame(rows), about=About(kind="flow"), margins=counted(levels))


def among(n, *sizes):
    """Disjoint levels of n subjects."""
    code = np.repeat(np.arange(len(sizes)), sizes)
    return [np.r_[code == k, np.zeros(n - len(code), dtype=bool)] for k in range(len(sizes))]


def hidden(summaries, policy):
    return protect(summaries, policy).frame["hidden"].tolist()


@pytest.mark.raises_code("E-STUDY-VALUE", "E-STUDY-OPTION")
def test_a_policy_is_checked():
    with pytest.raises(StudyError, match="min_cell"):
        Policy(0)
    with pytest.raises(StudyError, match="zeros"):
        Policy(zeros="perhaps")
    assert Policy(quasi_identifiers="sex").quasi_identifiers == ("sex",)
    assert Policy(5, quasi_identifiers=["sex", "age"]) == Policy(quasi_identifiers=("sex", "age"))


def test_a_zero_is_shown_or_protected_as_it_is_asked():
    levels = among(30, 18, 12, 0)
    assert hidden(counts(*levels), Policy()) == [False, False, False]
    is_hidden = hidden(counts(*levels), Policy(zeros="hide"))
    assert is_hidden[2]
    assert sum(is_hidden) >= 2  # else the total tells that the third level is empty
    assert hidden(counts(*levels), Policy(1, zeros="hide")) == [False, False, False]


def test_nobody_missing_is_not_told_by_everybody_seen():
    everyone = np.ones(30, dtype=bool)
    rows = [
        {"variable": "stress", "level": "start", "statistic": statistic, "value": value, "n": n}
        for statistic, value, n in (("n", 30.0, 30), ("missing", 0.0, 0), ("mean", 3.0, 30))
    ]
    half = np.arange(30) < 15
    margins = counted([everyone & half, ~everyone, None])
    rows[0] |= {"value": 15.0, "n": 15}
    table = Summaries(frame=pd.DataFrame(rows), about=About(kind="by_visit"), margins=margins)
    total = counts(half, ~half)
    for_one, _ = protect_all([table, total], Policy(zeros="hide"))
    assert for_one.frame["hidden"].tolist() == [True, True, False]
    assert np.isnan(for_one.frame["n"].iloc[2])


def test_without_complementary_only_small_counts_are_hidden():
    levels = among(40, 3, 12, 25)
    assert hidden(counts(*levels), Policy()) == [True, True, False]
    assert hidden(counts(*levels), Policy(complementary=False)) == [True, False, False]


@pytest.mark.parametrize(
    ("statistic", "n", "extremes", "is_hidden"),
    [
        ("min", 500, False, True),
        ("max", 500, True, False),
        ("max", 4, True, True),
        ("median", 9, False, True),
        ("median", 10, False, False),
        ("q1", 19, False, True),
        ("q3", 20, False, False),
        ("mean", 5, False, False),
        ("sd", 4, False, True),
    ],
)
def test_values_of_single_persons_are_hidden(statistic, n, extremes, is_hidden):
    frame = pd.DataFrame([{"variable": "stress", "level": "start", "statistic": statistic, "value": 3.5, "n": n}])
    protected = protect(Summaries(frame=frame, about=About(kind="by_visit")), Policy(extremes=extremes))
    assert protected.frame["hidden"].tolist() == [is_hidden]
    assert np.isnan(protected.frame["value"].iloc[0]) == is_hidden


def means(*members):
    """Estimates whose n count these subjects."""
    n = [float(of.sum()) for of in members]
    frame = pd.DataFrame({"outcome": "stress", "visit": [f"v{k}" for k in range(len(n))], "estimate": 3.0})
    for name in ("std_error", "df", "statistic", "p_value", "conf_low", "conf_high"):
        frame[name] = 1.0
    frame["n"] = n
    return Estimates(
        frame=frame.assign(method="satterthwaite"),
        vcov=np.eye(len(n)),
        about=About(kind="means", factors=("visit",)),
        margins=counted(members),
    )


@pytest.mark.raises_code("N-DISCLOSURE-HIDDEN")
def test_an_n_that_tells_of_few_is_withheld_and_its_mean_stays():
    everyone, seen = np.ones(60, dtype=bool), np.arange(60) < 57
    found = protect(means(everyone, seen), Policy())
    assert found.frame["hidden"].tolist() == [False, False]
    assert found.frame["estimate"].tolist() == [3.0, 3.0]
    assert found.frame["n"].isna().tolist() == [False, True]
    assert found.about.n_withheld
    assert [notice.code for notice in found.notices] == ["N-DISCLOSURE-HIDDEN"]
    assert "57" not in str(means(everyone, seen))
    assert "hidden" in str(means(everyone, seen))


def test_results_are_protected_together():
    everyone, seen = np.ones(60, dtype=bool), np.arange(60) < 57
    crude, adjusted = means(everyone & (np.arange(60) < 50)), counts(np.arange(60) < 47)
    alone = protect(crude, Policy()), protect(adjusted, Policy())
    assert not alone[0].frame["n"].isna().any()
    assert not alone[1].frame["hidden"].any()
    joint = protect_all([crude, adjusted], Policy())
    assert joint[0].frame["n"].isna().any() or joint[1].frame["hidden"].any()
    assert seen.sum() == 57


def test_about_carries_the_policy():
    policy = Policy(7, zeros="hide")
    assert About(kind="flow", policy=policy).min_cell == 7
    assert About(kind="flow", min_cell=9).policy == Policy(9)
    assert About(kind="flow").policy == Policy()
    zero = Summaries(
        frame=pd.DataFrame([{"variable": "v", "level": "a", "statistic": "n", "value": 0.0, "n": 0}]),
        about=About(kind="flow", policy=policy),
    )
    assert "hidden" in str(zero)
