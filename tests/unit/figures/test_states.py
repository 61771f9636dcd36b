"""The figure of states: what it draws, what it leaves out, its words."""

from __future__ import annotations

from dataclasses import replace

import matplotlib.patches
import numpy as np
import pytest
from matplotlib.figure import Figure as Canvas

from burnout_stats import describe, figures
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Policy
from burnout_stats.studies import example


def cohort(min_cell=1):
    return replace(example("villa_sana"), policy=Policy(min_cell))


def drawn(figure):
    ax = Canvas(figsize=(7, 4)).add_subplot()
    figure.draw(ax)
    bars = [patch for patch in ax.patches if isinstance(patch, matplotlib.patches.Rectangle)]
    bands = [patch for patch in ax.patches if isinstance(patch, matplotlib.patches.PathPatch)]
    return ax, bars, bands


def test_bars_and_bands_have_the_heights_of_their_counts():
    summaries = describe.transitions(cohort(), "exhaustion", 3.0)
    ax, bars, bands = drawn(figures.states(summaries))
    frame = summaries.frame[summaries.frame["statistic"].eq("n")]
    states = frame.loc[frame["variable"].eq("state") & frame["value"].gt(0), "value"]
    assert sorted(bar.get_height() for bar in bars) == pytest.approx(sorted(states))
    moves = frame.loc[frame["variable"].str.contains("→") & frame["value"].gt(0), "value"]
    heights = [band.get_path().vertices[:, 1] for band in bands]
    assert sorted(y[0] - y[-2] for y in heights) == pytest.approx(sorted(moves))
    assert list(ax.get_xticks()) == [0.0, 1.0, 3.0]


def test_bands_fill_their_bars():
    """From a bar that everyone leaves to a known state, the bands cover it from end to end."""
    _, bars, bands = drawn(figures.states(describe.transitions(cohort(), "exhaustion", 3.0)))
    first = [bar for bar in bars if bar.get_x() == min(one.get_x() for one in bars)]
    for bar in first:
        right = bar.get_x() + bar.get_width()
        starts = [band.get_path().vertices for band in bands if band.get_path().vertices[0, 0] == pytest.approx(right)]
        inside = [y for y in starts if bar.get_y() - 1e-9 <= y[-2, 1] <= bar.get_y() + bar.get_height()]
        assert sum(y[0, 1] - y[-2, 1] for y in inside) == pytest.approx(bar.get_height())


@pytest.mark.parametrize("asked", [("sick_leave",), ("exhaustion", 3.0)])
def test_what_is_hidden_is_not_drawn(asked):
    summaries = describe.transitions(cohort(5), *asked)
    figure = figures.states(summaries)
    ax, _, bands = drawn(figure)
    shown = figure.frame[~figure.frame["hidden"]]
    assert len(shown) < len(figure.frame)
    assert figure.frame.loc[figure.frame["hidden"], "n"].isna().all()
    known = set(
        zip(shown.loc[shown["to_visit"].eq(""), "visit"], shown.loc[shown["to_visit"].eq(""), "state"], strict=False)
    )
    moves = shown[shown["to_visit"].ne("") & shown["n"].gt(0)].to_dict("records")
    ends = [{(row["visit"], row["state"]), (row["to_visit"], row["to_state"])} <= known for row in moves]
    assert 0 < len(bands) == sum(ends)
    assert all(np.isfinite(band.get_path().vertices).all() for band in bands)
    words = {text.get_text() for text in ax.texts}
    assert bool({"hidden", "Hidden"} & words) == (asked == ("sick_leave",))
    assert any("too few persons" in word for word in words)
    raw = summaries.frame[summaries.frame["statistic"].eq("n")]
    small = raw.loc[raw["value"].between(1, 4) & raw["variable"].eq("state"), "level"]
    for level in small:
        visit, state = level.split(": ")
        assert f"{visit}, {state}: hidden" in figure.long_description


def test_a_cohort_of_few_shows_nothing():
    whole = cohort(300)
    figure = figures.states(describe.transitions(whole, "exhaustion", 3.0))
    ax, bars, bands = drawn(figure)
    assert (bars, bands) == ([], [])
    assert "hidden" in figure.alt
    assert not any(character.isdigit() for text in ax.texts for character in text.get_text())


def test_words_and_files(tmp_path):
    figure = figures.states(describe.transitions(cohort(), "exhaustion", 3.0), size="single", title="Exhausted")
    assert figure.title == "Exhausted"
    assert figure.alt.startswith("State flow of 227 persons: cases 111 (48.9%) at baseline")
    assert "baseline to 1 year, case to not a case: 48 (43.2%)." in figure.long_description
    assert figure.save(tmp_path / "states.svg").read_bytes() == figure.save(tmp_path / "again.svg").read_bytes()
    assert figure.png(dpi=50).startswith(b"\x89PNG")


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_one_group_at_a_time():
    with pytest.raises(StudyError, match="one group"):
        figures.states(describe.transitions(cohort(), "exhaustion", 3.0, by="sex"))
    with pytest.raises(StudyError, match="one group"):
        figures.states(describe.flow(cohort()))
