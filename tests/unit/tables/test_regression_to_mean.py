"""Tables of regression to the mean."""

from __future__ import annotations

import warnings

import pytest
from cohorts import cohort_of, scores

from burnout_stats import tables
from burnout_stats.display import to_text
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Sample
from burnout_stats.inference import summarize
from burnout_stats.instruments.norms import Norm, Stability
from burnout_stats.models import MMRM, fit
from burnout_stats.sensitivity._mee_chua import mee_chua_from_summaries, mee_chua_range_from_summaries
from burnout_stats.sensitivity._regression_to_mean import regression_to_the_mean, regression_to_the_mean_from_summaries
from burnout_stats.sensitivity._stability_curve import stability_curve, stability_curve_from_summaries

PRINTED = (Sample(3.00, 0.94, 185), Sample(2.53, 0.76, 185))
GIVEN = {"t": 6.76, "norm": Norm(2.52, 0.92, 1070, label="Norwegian doctors")}
OUTSIDE = Stability(0.62, n=293, source="Hertzberg 2016")


def test_the_table_tells_what_was_assumed():
    text = to_text(
        tables.regression_to_the_mean(regression_to_the_mean_from_summaries(*PRINTED, stability=OUTSIDE, **GIVEN))
    )
    assert "observed minus expected     −0.29  −0.40 to −0.17" in text
    assert "tipping stability            0.02   −0.29 to 0.25" in text
    for said in ("Norwegian doctors: mean 2.52, SD 0.92, n = 1070.", "Stability (Hertzberg 2016): 0.62", "is a bound"):
        assert said in text


def test_the_curve_has_a_row_for_each_stability():
    text = to_text(tables.regression_to_the_mean(stability_curve_from_summaries(*PRINTED, stability=OUTSIDE, **GIVEN)))
    rows = [line for line in text.splitlines() if line.startswith("after")]
    assert len(rows) == 8
    assert "−0.18 (−0.25 to −0.12)" in rows[0]
    assert "0.4" in rows[2]
    assert "−0.29 (−0.38 to −0.20)" in rows[2]


def test_too_few_persons_are_hidden():
    few = cohort_of(scores(4, seed=1))
    for found in (
        regression_to_the_mean(few, "score", norm=Norm(2.6, 0.9), stability=Stability(0.5, n=100)),
        stability_curve(few, "score", norm=Norm(2.6, 0.9)),
    ):
        text = to_text(tables.regression_to_the_mean(found))
        assert "hidden" in text
        assert "−0." not in text.split("Of those seen")[0]


def test_mee_and_chua():
    with warnings.catch_warnings(action="ignore"):
        at = tables.regression_to_the_mean(mee_chua_from_summaries(*PRINTED, **GIVEN))
        over = tables.regression_to_the_mean(mee_chua_range_from_summaries(*PRINTED, t=6.76, means=[2.5]))
    assert "−0.14" in to_text(at)
    assert "mean without change" in to_text(over)


def test_other_estimates_are_refused():
    with pytest.raises(StudyError, match="regression to the mean"):
        tables.regression_to_the_mean(summarize(fit(MMRM("score ~ visit"), cohort_of(scores(40, seed=1)))))
