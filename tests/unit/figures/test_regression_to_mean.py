"""The curve over stabilities: what is drawn, what is said for who cannot see it, and what is refused."""

from __future__ import annotations

import pytest
from cohorts import cohort_of, scores
from matplotlib.figure import Figure as Canvas

from burnout_stats import figures
from burnout_stats.errors import DisclosureError, StudyError
from burnout_stats.estimates import Sample
from burnout_stats.instruments.norms import Norm, Stability
from burnout_stats.sensitivity._regression_to_mean import regression_to_the_mean_from_summaries
from burnout_stats.sensitivity._stability_curve import stability_curve, stability_curve_from_summaries

PRINTED = {"t": 6.76, "norm": Norm(2.52, 0.92, 1070)}
BEFORE, AFTER = Sample(3.00, 0.94, 185), Sample(2.53, 0.76, 185)


def curve(**more):
    return stability_curve_from_summaries(BEFORE, AFTER, **PRINTED, **more)


def drawn(figure):
    ax = Canvas().add_subplot()
    figure.draw(ax)
    return ax


def test_the_curve_the_observed_change_and_the_given_stability_are_drawn():
    ax = drawn(figures.regression_to_the_mean(curve(stability=Stability(0.62, n=293))))
    lines = {tuple(line.get_ydata().round(3)) for line in ax.lines if len(line.get_xdata()) == 7}
    assert lines == {(-0.336, -0.288, -0.24, -0.192, -0.144, -0.096, -0.048)}
    assert any(line.get_ydata()[0] == pytest.approx(-0.47) for line in ax.lines)
    mark = next(line for line in ax.lines if line.get_marker() == "D")
    assert (mark.get_xdata()[0], round(mark.get_ydata()[0], 3)) == (0.62, -0.182)


def test_points_are_filled_where_observed_and_expected_are_clearly_apart():
    ax = drawn(figures.regression_to_the_mean(curve(over=[0.0, 0.1, 0.2, 0.4, 0.6])))
    filled, hollow = (group.get_offsets()[:, 0].tolist() for group in ax.collections[-2:])
    assert filled == [0.4, 0.6]
    assert hollow == [0.0, 0.1, 0.2]  # Fieller's interval of the tipping stability ends at .25


def test_under_selection_by_the_state_the_mark_stands_at_the_stability():
    figure = figures.regression_to_the_mean(
        curve(stability=Stability(0.62, n=293), selection="state", reliability=0.9, over=[0.3, 0.9])
    )
    mark = next(line for line in drawn(figure).lines if line.get_marker() == "D")
    assert mark.get_xdata()[0] == 0.62
    assert mark.get_ydata()[0] == pytest.approx(-(1 - 0.62 / 0.9) * 0.48)


def test_the_words_tell_the_numbers():
    figure = figures.regression_to_the_mean(curve(stability=Stability(0.62, n=293)))
    assert "−0.34 at stability 0.3 to −0.05 at stability 0.9" in figure.alt
    assert "observed change is −0.47 (95% CI −0.61 to −0.33), and the two meet at stability 0.02" in figure.alt
    assert "not a bound" in figure.long_description or "is a bound" in figure.long_description
    assert figure.svg().startswith("<svg")


def test_a_visit_is_chosen_by_name():
    found = stability_curve(cohort_of(scores(60, seed=1)), "score", norm=Norm(2.6, 0.9))
    assert "by 1 year" in figures.regression_to_the_mean(found).alt
    assert "by 3 years" in figures.regression_to_the_mean(found, visit="3 years").alt
    with pytest.raises(StudyError, match="visit"):
        figures.regression_to_the_mean(found, visit="2 years")


def test_other_estimates_and_too_few_persons_are_refused():
    given = Stability(0.62, n=293)
    with pytest.raises(StudyError, match="stability_curve"):
        figures.regression_to_the_mean(regression_to_the_mean_from_summaries(BEFORE, AFTER, stability=given, **PRINTED))
    few = stability_curve(cohort_of(scores(4, seed=1)), "score", norm=Norm(2.6, 0.9))
    with pytest.raises(DisclosureError):
        figures.regression_to_the_mean(few)
