"""The flow diagram and the patterns of missing values: what they draw, their words, and what they must not tell."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from cohorts import burnout_200
from handmade import PAYLOADS
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle

from burnout_stats import describe, figures
from burnout_stats.cohort import Cohort, read_cohort
from burnout_stats.errors import StudyError
from burnout_stats.figures._figure import own_look

PATTERNS = {"111": 169, "110": 16, "101": 15, "100": 27}
TIMES = {"baseline": 0, "1 year": 1, "3 years": 3}


def cohort(patterns: dict[str, int] = PATTERNS, *, min_cell: int = 5, times: dict[str, float] = TIMES) -> Cohort:  # type: ignore[assignment]
    rows: list[tuple[int, str, float]] = []
    for pattern, n in patterns.items():
        first = rows[-1][0] + 1 if rows else 0
        rows += [
            (first + k, visit, 1.0 + (first + k + at) % 4)
            for k in range(n)
            for at, (visit, seen) in enumerate(zip(times, pattern, strict=True))
            if seen == "1"
        ]
    frame = pd.DataFrame(rows, columns=["id", "visit", "stress"])
    return read_cohort(frame, subject="id", visit="visit", times=times, outcomes=["stress"], min_cell=min_cell)


def drawn(figure: figures.Figure) -> mpl.axes.Axes:
    """The axes of a figure, of its own size, with text measured."""
    with own_look():
        canvas = Canvas(figsize=(figure.size[0] / 25.4, figure.size[1] / 25.4))
        ax = canvas.add_axes((0.0, 0.0, 1.0, 1.0))
        figure.draw(ax)
        FigureCanvasAgg(canvas).draw()
    return ax


def words(ax: mpl.axes.Axes) -> list[str]:
    return [text.get_text() for text in ax.texts if text.get_text()]


DECLARED = {"before": {"Invited": 242, "Consented": 227}, "reasons": {"Invited": {"Declined": 9}}}


def test_the_flow_of_villa_sana() -> None:
    figure = figures.flow(describe.flow(cohort(), **DECLARED))  # type: ignore[arg-type]
    said = words(drawn(figure))
    assert said == [
        *("Invited", "n = 242", "Did not take part", "n = 15", "Declined: 9", "Reason not known: 6"),
        *("Consented", "n = 227 (93.8%)", "In the cohort", "n = 227", "Seen at baseline", "n = 227 (100.0%)"),
        *("Not seen at 1 year", "n = 42 (18.5%)", "not again: 27", "Seen at 1 year", "n = 185 (81.5%)"),
        *("Not seen at 3 years", "n = 43 (18.9%)", "Seen at 3 years", "n = 184 (81.1%)"),
        *("Contributing to the model", "Stress: n = 227 (100.0%)"),
    ]
    for number in ("242", "227 (93.8%)", "185", "184"):
        assert number in figure.alt
    for line in ("Did not take part: n = 15; Declined: 9", "Not seen at 1 year: n = 42 (18.5%); not again: 27."):
        assert line in figure.long_description


@pytest.mark.parametrize("size", ["single", "double"])
@pytest.mark.parametrize("by", [None, "sex"])
def test_words_stay_inside_their_boxes_and_boxes_apart(size: str, by: str | None) -> None:
    figure = figures.flow(describe.flow(burnout_200(), by=by), size=size)
    ax = drawn(figure)
    boxes = [patch.get_window_extent() for patch in ax.patches if isinstance(patch, Rectangle)]
    for first in range(len(boxes)):
        assert not any(boxes[first].overlaps(other) for other in boxes[first + 1 :])
    left = min(box.x0 for box in boxes)
    down = [box for box in boxes if box.x0 == left]
    assert all(box.x0 > down[0].x1 for box in boxes if box not in down)
    whole = ax.get_window_extent()
    assert all(whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1 for box in boxes)
    for text in ax.texts:
        if text.get_text():
            inner = text.get_window_extent()
            around = [
                box for box in boxes if box.y0 < (inner.y0 + inner.y1) / 2 < box.y1 and box.x0 < inner.x0 < box.x1
            ]
            assert len(around) == 1
            assert inner.x1 <= around[0].x1


def test_a_hidden_number_stands_nowhere() -> None:
    figure = figures.flow(describe.flow(cohort({"111": 100, "110": 20, "101": 33, "100": 3})))
    said = " ".join([*words(drawn(figure)), figure.alt, figure.long_description])
    assert "not again: hidden" in said
    assert "not again: 3" not in said
    assert figure.frame.loc[figure.frame["hidden"], "value"].isna().all()
    patterns = figures.missingness(describe.missingness(cohort({"111": 100, "110": 20, "101": 33, "100": 3})))
    said = " ".join([*words(drawn(patterns)), patterns.alt, patterns.long_description])
    assert "hidden" in said
    assert "3 (1.9%)" not in said


def test_patterns_are_drawn_as_squares_and_bars() -> None:
    figure = figures.missingness(describe.missingness(cohort()), size="double")
    ax = drawn(figure)
    squares = [patch for patch in ax.patches if np.isclose(patch.get_width(), patch.get_height())]  # type: ignore[attr-defined]
    assert len(squares) == 12
    white = [patch for patch in squares if patch.get_facecolor()[:3] == (1.0, 1.0, 1.0)]
    assert len(white) == 4  # 110 and 101 lack one visit, 100 lacks two
    bars = [patch.get_width() for patch in ax.patches if patch not in squares]  # type: ignore[attr-defined]
    np.testing.assert_allclose(np.array(bars) / bars[0], np.array([169, 16, 15, 27]) / 169)
    assert {"169 (74.4%)", "16 (7.0%)", "15 (6.6%)", "27 (11.9%)", "Stress"} <= set(words(ax))
    assert "observed at baseline and 1 year: 16 (7.0%)" in figure.long_description
    assert "most often observed at baseline and 1 year and 3 years (169 (74.4%))" in figure.alt


def test_figures_save_themselves() -> None:
    for figure in (
        figures.flow(describe.flow(burnout_200())),
        figures.missingness(describe.missingness(burnout_200())),
    ):
        assert figure.png(dpi=50)[:4] == b"\x89PNG"
        assert figure.svg() == figure.svg()
        assert figure.size[0] <= 89.0


@pytest.mark.parametrize("payload", PAYLOADS)
def test_labels_that_mean_harm_are_only_text(payload: str) -> None:
    payload = payload.replace("\n", " ")  # the reader takes no label of two lines
    times = {"baseline": 0.0, payload: 1.0}
    found = cohort({"11": 20, "10": 10}, times=times)
    for figure in (
        figures.flow(describe.flow(found, before={payload: 40})),
        figures.missingness(describe.missingness(found)),
    ):
        assert "<script>alert" not in figure.svg()


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_results_of_another_kind_are_refused() -> None:
    with pytest.raises(StudyError, match="flow diagram"):
        figures.flow(describe.by_visit(burnout_200()))
    with pytest.raises(StudyError, match="patterns"):
        figures.missingness(describe.by_visit(burnout_200()))
