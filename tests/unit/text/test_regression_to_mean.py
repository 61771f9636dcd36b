"""The paragraph on regression to the mean: every number stands in the results, and it claims no more than they do."""

from __future__ import annotations

import pytest
from cohorts import cohort_of, scores

from burnout_stats import text
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Sample
from burnout_stats.instruments.norms import Norm, Stability
from burnout_stats.sensitivity._regression_to_mean import regression_to_the_mean, regression_to_the_mean_from_summaries
from burnout_stats.sensitivity._stability_curve import stability_curve

BEFORE, AFTER = Sample(3.00, 0.94, 185), Sample(2.53, 0.76, 185)
DOCTORS = Norm(2.52, 0.92, 1070)


def told(before=BEFORE, after=AFTER, norm=DOCTORS, style="plain", **more):
    given = {"stability": Stability(0.62, n=293), "outcome": "exhaustion", "visit": "1 year", "years": 1} | more
    found = regression_to_the_mean_from_summaries(before, after, t=6.76, norm=norm, **given)
    paragraph = text.regression_to_the_mean(found, style=style)
    assert text.unsupported_numbers(paragraph, found) == ()
    assert "effect" not in paragraph
    return paragraph


def test_what_was_seen_assumed_and_left():
    paragraph = told()
    assert "Among the 185 people seen at both visits, exhaustion fell by 0.47 points (95% CI 0.33 to 0.61)" in paragraph
    assert "0.62 (95% CI 0.54 to 0.69) of a distance from the norm remains" in paragraph
    assert (
        "would bring a fall of 0.18 (95% CI 0.12 to 0.25). The fall that was observed is larger, by 0.29" in paragraph
    )
    assert "if the stability were 0.02 (95% CI −0.29 to 0.25)" in paragraph
    assert paragraph.endswith("only people who were not helped could show what would have happened.")


def test_other_ways_of_selection_are_other_suppositions():
    paragraph = told(selection=["score", "crisis", "trait"])
    assert paragraph.count("Suppose instead that") == 2
    assert "the interval includes no difference: regression to the mean alone may account" in paragraph
    assert "no change that shows at this precision" in paragraph
    assert paragraph.count("What would change this") == 1


def test_several_baselines():
    paragraph = told(selection=["mean", "earlier"], baselines=2, between=Stability(0.8, n=200))
    assert "0.69 (95% CI 0.61 to 0.77) of a distance from the norm remains" in paragraph
    assert "because of an earlier score" in paragraph


def test_rises_and_other_directions():
    up = told(before=AFTER, after=BEFORE, norm=Norm(3.0, 0.92, 1070))
    assert "rose by 0.47 points" in up
    assert "0.47 points below the norm" in up
    assert "a rise of 0.18" in up
    against = told(norm=Norm(3.4, 0.92, 1070))
    assert "a rise of 0.15" in against
    assert "What was observed lies below that, by 0.62" in against
    small = told(after=Sample(2.90, 0.76, 185), stability=Stability(0.2, n=293))
    assert "The fall that was observed is smaller, by" in small


def test_an_endless_interval_and_a_cut_off():
    assert "its interval has no end" in told(norm=Norm(2.95, 0.92, 1070))
    paragraph = told(cutoff=3.5, style="apa")
    assert "which puts them 1.45 from the norm" in paragraph
    assert "95% CI [" in paragraph


def test_too_few_persons_are_not_told():
    found = regression_to_the_mean(
        cohort_of(scores(4, seed=1)), "score", norm=Norm(2.6, 0.9), stability=Stability(0.5, n=100)
    )
    assert "is not told: it rests on too few persons" in text.regression_to_the_mean(found)


def test_other_estimates_are_refused():
    with pytest.raises(StudyError, match="expected one"):
        text.regression_to_the_mean(stability_curve(cohort_of(scores(40, seed=1)), "score", norm=Norm(2.6, 0.9)))
