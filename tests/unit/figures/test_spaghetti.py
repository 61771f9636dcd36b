"""Observed courses: means of persons alike, never a person."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from cohorts import cohort_of, scores
from handmade import PAYLOADS
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure as Canvas

from burnout_stats import figures
from burnout_stats.cohort import Cohort
from burnout_stats.describe._pairs import by_subject
from burnout_stats.errors import DisclosureError, StudyError
from burnout_stats.figures._spaghetti import _alike

SEX = {"sex": {"levels": ["F", "M"]}}


def cohort(n: int = 80, *, seen: float = 0.8, **roles: object) -> Cohort:
    return cohort_of(scores(n, seed=3, seen=seen), covariates=SEX, **roles)


def courses(figure: figures.Figure) -> np.ndarray:
    rows = figure.frame[figure.frame["part"].eq("course")]
    wide = rows.pivot(index=["group", "line"], columns="years", values="value")
    return wide.to_numpy()


def test_no_line_is_a_person() -> None:
    own = by_subject(cohort(), "score")
    lines = courses(figures.spaghetti(cohort(), "score"))
    assert len(lines) >= 8
    assert np.nanmin(np.abs(lines[:, None, :] - own[None, :, :])) > 1e-9


def test_lines_are_means_of_enough_persons_seen_at_the_same_visits() -> None:
    everyone = cohort(60, seen=1.0)
    own = by_subject(everyone, "score")
    lines = courses(figures.spaghetti(everyone, "score", n=60))
    assert len(lines) == 12  # 60 persons in groups of 5
    assert np.allclose(lines.mean(axis=0), own.mean(axis=0))


def test_the_frame_tells_neither_who_nor_how_many() -> None:
    frame = figures.spaghetti(cohort(), "score").frame
    assert list(frame) == ["part", "group", "line", "visit", "years", "value", "hidden"]


def test_the_mean_is_that_of_everyone() -> None:
    figure = figures.spaghetti(cohort(), "score")
    mean = figure.frame[figure.frame["part"].eq("mean")].set_index("visit")["value"]
    assert np.allclose(mean[["baseline", "1 year", "3 years"]], np.nanmean(by_subject(cohort(), "score"), axis=0))


def test_the_same_seed_takes_the_same_persons() -> None:
    first, again, other = (figures.spaghetti(cohort(), "score", n=6, seed=seed) for seed in (1, 1, 2))
    assert first.svg() == again.svg()
    assert not first.frame.equals(other.frame)
    assert len(courses(first)) <= 6


def test_single_persons_where_the_policy_says_so() -> None:
    open_cohort = cohort(30, seen=1.0, min_cell=1)
    own = {tuple(row) for row in by_subject(open_cohort, "score").round(9).tolist()}
    figure = figures.spaghetti(open_cohort, "score", n=10)
    assert {tuple(row) for row in courses(figure).round(9).tolist()} <= own
    assert "of single persons" in figure.alt


@pytest.mark.raises_code("E-DISCLOSURE-COHORT")
def test_few_persons_are_refused() -> None:
    with pytest.raises(DisclosureError) as caught:
        figures.spaghetti(cohort(4, seen=1.0), "score")
    assert caught.value.code == "E-DISCLOSURE-COHORT"


def test_patterns_of_few_persons_are_not_drawn() -> None:
    frame = scores(40, seed=3)
    rare = frame["id"].isin(list(dict.fromkeys(frame["id"]))[:4]) & frame["visit"].eq("1 year")
    lines = courses(figures.spaghetti(cohort_of(frame[~rare]), "score"))
    assert not np.isnan(lines).any()


def test_groups_stand_side_by_side_on_one_scale() -> None:
    figure = figures.spaghetti(cohort(), "score", by="sex", size="double")
    ax = Canvas(figsize=(7, 4)).add_subplot()
    figure.draw(ax)
    first, second = ax.child_axes
    assert first.get_ylim() == second.get_ylim()
    assert [first.get_title(loc="left"), second.get_title(loc="left")] == ["Sex: F", "Sex: M"]
    assert "Sex: F" in figure.alt


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        pytest.param({"n": 0}, "E-STUDY-VALUE", marks=pytest.mark.raises_code("E-STUDY-VALUE")),
        pytest.param({"n": 10_000}, "E-STUDY-VALUE"),
        pytest.param({"by": "arm"}, "E-STUDY-COLUMN", marks=pytest.mark.raises_code("E-STUDY-COLUMN")),
    ],
)
def test_what_cannot_be_drawn_is_refused(asked: dict[str, object], code: str) -> None:
    with pytest.raises(StudyError) as caught:
        figures.spaghetti(cohort(), "score", **asked)  # type: ignore[arg-type]
    assert caught.value.code == code


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=60), st.integers(1, 6))
def test_groups_alike_are_all_rows_in_groups_of_enough(points: list[tuple[float, float]], least: int) -> None:
    groups = _alike(np.array(points), least)
    assert sorted(np.concatenate(groups).tolist()) == list(range(len(points)))
    sizes = [len(group) for group in groups]
    assert min(sizes) >= min(least, len(points))
    assert max(sizes) < 2 * least


def test_labels_that_mean_harm_are_only_text() -> None:
    for payload in PAYLOADS[10:12]:
        asked = cohort(30, outcomes={"score": {"label": payload}})
        assert figures.spaghetti(asked, "score").png(dpi=50)[:4] == b"\x89PNG"
    canvas = Canvas()
    figures.spaghetti(cohort(30, outcomes={"score": {"label": "$x^2$"}}), "score", ax=canvas.add_subplot())
    assert not any(text.get_parse_math() for text in canvas.findobj(mpl.text.Text))
