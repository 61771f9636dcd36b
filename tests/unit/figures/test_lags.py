"""Coefficients over the lag: what is drawn, what is said, and what is refused."""

from __future__ import annotations

from functools import cache

import pytest
from matplotlib.figure import Figure as Canvas

from burnout_stats import figures
from burnout_stats.errors import DisclosureError, StudyError
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.pathways import continuous_time, drift, lags
from burnout_stats.studies import example


@cache
def fit():
    return continuous_time(example("villa_sana"), ("coping", "exhaustion"), random_intercepts=False)


def test_a_line_for_each_pair_of_outcomes_and_a_mark_at_each_gap():
    figure = figures.lags(lags(fit(), [0.5, 1.0, 2.0]))
    ax = Canvas().add_subplot()
    figure.draw(ax)
    lines = [line for line in ax.lines if len(line.get_xdata()) == 3]
    assert len(lines) == 4
    assert len(ax.collections) == 4
    for line in lines:
        assert list(line.get_xdata()) == [0.5, 1.0, 2.0]
    own = figure.frame.query("outcome == 'exhaustion' and `from` == 'Emotional exhaustion'")
    assert list(lines[1].get_ydata()) == own["estimate"].tolist()
    gaps = [line.get_xdata()[0] for line in ax.lines if list(line.get_ydata()) == [0, 1]]
    assert gaps == [1.0, 2.0]


def test_what_is_said():
    figure = figures.lags(lags(fit(), [0.5, 2.0]))
    assert figure.alt.startswith(
        "Coefficients of earlier on later scores by the years between: Emotion-focused coping →"
    )
    assert "at 0.5 years and" in figure.alt
    assert "associated with" in figure.long_description
    assert figure.long_description.count("95% CI") == 8


def test_a_lag_at_its_bound_has_no_interval():
    with pytest.warns(BurnoutStatsWarning, match="DRIFT-BOUND"):
        held = continuous_time(example("villa_sana"), "coping")
    figure = figures.lags(lags(held, [0.5, 1.0, 2.0]))
    assert figure.frame["lag"].tolist() == [1.0, 2.0]
    assert lags(held).frame["lag"].min() == 1.0
    with pytest.raises(StudyError, match="None of the lags"):
        figures.lags(lags(held, [0.5]))
    assert "CI" not in figure.long_description.split("One drift")[0]
    figure.draw(Canvas().add_subplot())


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_other_estimates_are_refused():
    with pytest.raises(StudyError, match="continuous_time"):
        figures.lags(drift(fit()))


@pytest.mark.raises_code("E-DISCLOSURE-COHORT")
def test_too_few_persons_are_not_drawn():
    from dataclasses import replace

    found = lags(fit(), [1.0])
    small = replace(found, about=replace(found.about, policy=replace(found.about.policy, min_cell=500), min_cell=500))
    with pytest.raises(DisclosureError):
        figures.lags(small)
