"""Power curves: which lines are drawn, what is said for who cannot see them, and what is refused."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure as Canvas

from burnout_stats import figures, power
from burnout_stats.errors import StudyError

DESIGN = power.CohortDesign(
    (3.0, 2.8, 2.75),
    sd=0.9,
    correlation=0.5,
    contrasts=("1 year - baseline", "3 years - baseline"),
    patterns=power.monotone_patterns((1, 0.85, 0.7)),
    outcome="Exhaustion",
    unit="points",
)
SIZES = power.curve(DESIGN, n=(40, 80, 160))


def drawn(figure):
    ax = Canvas().add_subplot()
    figure.draw(ax)
    return ax


def lines(ax):
    return [line for line in ax.lines if len(line.get_xdata()) == 3]


def test_a_line_for_each_contrast_over_persons():
    ax = drawn(figures.power_curve(SIZES))
    frame = SIZES.frame[SIZES.frame["measure"].eq("power")]
    assert [line.get_xdata().tolist() for line in lines(ax)] == [[40, 80, 160]] * 2
    assert lines(ax)[0].get_ydata().tolist() == frame["estimate"].tolist()[:3]
    assert ax.get_xlabel() == "Persons enrolled"
    assert len(ax.get_legend().get_texts()) == 2


def test_over_differences_and_half_widths():
    over = power.curve(DESIGN, difference=(-0.3, -0.1, -0.2))
    ax = drawn(figures.power_curve(over))
    assert lines(ax)[0].get_xdata().tolist() == [-0.3, -0.2, -0.1]
    assert ax.get_xlabel() == "Assumed difference in exhaustion (points)"
    widths = drawn(figures.power_curve(SIZES, measure="half-width"))
    assert widths.get_ylabel().replace("\n", " ") == "Expected half-width of the 95% interval (points)"
    assert lines(widths)[0].get_ydata()[0] > lines(widths)[0].get_ydata()[-1]


def test_the_words_tell_the_ends():
    figure = figures.power_curve(SIZES)
    first = SIZES.frame["estimate"].iloc[0]
    assert f"1 year - baseline, −0.20: {first:.2f} at 40 persons to" in figure.alt
    assert "Assumed means" in figure.long_description
    assert figure.svg().startswith("<svg")


@pytest.mark.raises_code("E-STUDY-VALUE", "E-STUDY-OPTION")
def test_other_estimates_too_many_lines_and_unknown_measures_are_refused():
    for ask, code in (
        (lambda: figures.power_curve(power.mmrm(DESIGN)), "E-STUDY-VALUE"),
        (
            lambda: figures.power_curve(power.curve(DESIGN, n=(40, 80), difference=(-0.1, -0.2, -0.3, -0.4))),
            "E-STUDY-VALUE",
        ),
        (lambda: figures.power_curve(SIZES, measure="area"), "E-STUDY-OPTION"),
    ):
        with pytest.raises(StudyError) as caught:
            ask()
        assert caught.value.code == code
