"""Sentences, tables and figures of events and counts."""

from __future__ import annotations

import pytest

import burnout_stats as bs
from burnout_stats.display.table import Hidden
from burnout_stats.models import fit
from burnout_stats.models.gee import GEE
from burnout_stats.models.generalized import GLMM
from burnout_stats.models.generalized_fit import GeneralizedFit
from burnout_stats.text import unsupported_numbers


@pytest.fixture(scope="module")
def leave() -> GeneralizedFit:
    return fit(GLMM("sick_leave ~ visit + sex + (1 | subject)"), bs.example("villa_sana"))


def test_probabilities_are_told_in_percent(leave: GeneralizedFit) -> None:
    means = bs.emmeans(leave, "visit", scale="marginal")
    changes = bs.contrast(means)
    said = bs.text.result(changes, means=means)
    assert said.startswith("On full-time sick leave: the probability fell from 37.8% at baseline to 5.1% at 1 year")
    assert "percentage points" in said
    assert "effect" not in said
    assert unsupported_numbers(said, changes, means) == ()
    alone = bs.text.result(changes)
    assert "fell by 32.7 percentage points from baseline to 1 year" in alone
    assert "points from" not in alone.replace("percentage points from", "")
    norwegian = bs.text.result(changes, means=means, language="nb")
    assert "sannsynligheten sank fra 37,8 % ved baseline til 5,1 %" in norwegian


def test_ratios_are_told_as_times(leave: GeneralizedFit) -> None:
    odds = bs.contrast(bs.emmeans(leave, "visit"), measure="ratio")
    said = bs.text.result(odds)
    assert "the odds at 1 year were 0.028" in said
    assert "times those at baseline" in said
    assert unsupported_numbers(said, odds) == ()
    risks = bs.contrast(bs.emmeans(leave, "visit", scale="marginal"), measure="ratio")
    assert "the probability at 3 years was 0.102 times that at baseline" in bs.text.result(risks)
    assert "oddsen ved 1 year var" in bs.text.result(odds, language="nb")
    groups = bs.contrast(bs.emmeans(leave, "sex"), "pairwise", measure="ratio")
    assert "the odds ratio was" in bs.text.result(groups)
    differences = bs.contrast(bs.emmeans(leave, "sex", scale="marginal"), "pairwise")
    assert "the probability differed by" in bs.text.result(differences)


def test_open_and_hidden_changes(leave: GeneralizedFit) -> None:
    means = bs.emmeans(leave, "visit", scale="marginal")
    later = bs.contrast(means, {"3 years - 1 year": [0, -1, 1]})
    assert "holds a fall as well as a rise" in bs.text.result(later)
    by_sex = fit(GLMM("sick_leave ~ visit * sex + (1 | subject)"), bs.example("villa_sana"))
    few = bs.contrast(bs.emmeans(by_sex, "visit", by="sex", scale="marginal"))
    assert "is hidden: it rests on too few persons" in bs.text.result(few)


def test_tables_are_named_after_what_they_hold(leave: GeneralizedFit) -> None:
    means = bs.emmeans(leave, "visit", scale="marginal")
    table = bs.tables.means(means)
    assert table.title == "Probability: On full-time sick leave"
    assert [column.header for column in table.columns] == ["Visit", "Probability", "95% CI", "SE", "n"]
    differences = bs.tables.contrasts(bs.contrast(means))
    assert differences.columns[1].header == "Risk difference"
    ratios = bs.tables.contrasts(bs.contrast(means, measure="ratio"))
    assert ratios.title == "Risk ratios: On full-time sick leave"
    assert [column.key for column in ratios.columns] == ["contrast", "estimate", "conf", "statistic", "p_value", "n"]
    assert not any(isinstance(cell, Hidden) for row in ratios.rows for cell in row.cells)
    with pytest.raises(bs.StudyError, match="measured outcomes"):
        bs.tables.contrasts(bs.contrast(means), bs.contrast(means))


def test_figures_have_axes_of_percent_and_of_logarithms(leave: GeneralizedFit) -> None:
    means = bs.emmeans(leave, "visit", scale="marginal")
    course = bs.figures.trajectory(means)
    assert course.frame["estimate"].iloc[0] == pytest.approx(100 * means.frame["estimate"].iloc[0])
    assert "from 37.8% at baseline to 3.8% at 3 years" in course.alt
    ratios = bs.contrast(bs.emmeans(leave, "visit"), measure="ratio")
    forest = bs.figures.forest(ratios)
    assert "2 of 2 intervals exclude 1" in forest.alt
    import matplotlib.pyplot as plt

    drawn, ax = plt.subplots()
    bs.figures.forest(ratios, ax=ax)
    assert ax.get_xscale() == "log"
    assert "Odds ratio" in ax.get_xlabel()
    plt.close(drawn)
    with pytest.raises(bs.StudyError, match="ratios"):
        bs.figures.forest(ratios, mcid=0.1)
    assert bs.figures.forest(bs.contrast(means)).frame["estimate"].min() < -30


def test_methods_say_the_model(leave: GeneralizedFit) -> None:
    means = bs.emmeans(leave, "visit", scale="marginal")
    said = bs.text.methods(leave, means=means, changes=bs.contrast(means, measure="ratio"))
    assert "mixed-effects logistic model, with visit and sex as fixed effects" in said
    assert "adaptive Gauss-Hermite quadrature with 15 nodes" in said
    assert "The risk ratios were" in said
    averaged = fit(GEE("sick_leave ~ visit"), bs.example("villa_sana"))
    gee = bs.text.methods(averaged, changes=bs.contrast(bs.emmeans(averaged, "visit"), adjust="holm"))
    assert "generalized estimating equations" in gee
    assert "adjusted for several tests" in gee
    with pytest.raises(bs.ModelError, match="other programs"):
        bs.text.calls(leave)  # type: ignore[arg-type]
