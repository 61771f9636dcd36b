"""Residuals in four plots: what they show, and that no mark is a person."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from cohorts import cohort_of, scores
from handmade import PAYLOADS
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure as Canvas
from scipy import stats

from burnout_stats import figures
from burnout_stats.cohort import Cohort
from burnout_stats.errors import DisclosureError
from burnout_stats.figures._figure import own_look
from burnout_stats.figures._residuals import _pooled
from burnout_stats.models import MMRM, Fit, fit, mahalanobis
from burnout_stats.models import residuals as residuals_of

PANELS = ("fitted", "normal", "visits", "subjects")


def fitted(n: int = 60, *, seen: float = 0.8, formula: str = "score ~ visit + age", **roles: object) -> Fit:
    return fit(MMRM(formula), cohort(n, seen=seen, **roles))


def cohort(n: int = 60, *, seen: float = 0.8, **roles: object) -> Cohort:
    return cohort_of(scores(n, seed=3, seen=seen), covariates={"sex": {"levels": ["F", "M"]}, "age": {}}, **roles)


@pytest.fixture(scope="module")
def model() -> Fit:
    return fitted()


@pytest.fixture(scope="module")
def figure(model: Fit) -> figures.Figure:
    return figures.residuals(model)


def test_every_panel_has_marks(figure: figures.Figure) -> None:
    assert tuple(dict.fromkeys(figure.frame["panel"])) == PANELS


def test_no_mark_is_a_person(model: Fit, figure: figures.Figure) -> None:
    own = np.concatenate(
        [*(residuals_of(model, kind)["residual"] for kind in ("pearson", "normalized")), mahalanobis(model)["distance"]]
    )
    marks = figure.frame.loc[figure.frame["panel"].ne("visits"), "mean"].dropna().to_numpy()
    assert len(marks) > 30
    assert np.abs(marks[:, None] - own[None, :]).min() > 1e-9
    assert figure.frame["count"].dropna().min() >= 5
    assert "subject" not in figure.frame


def test_no_sum_of_counts_tells_how_many_were_seen(figure: figures.Figure) -> None:
    assert "n" not in figure.frame
    assert (figure.frame["count"].dropna() % 5).eq(0).all()


def test_pools_keep_the_mean_of_all_residuals(model: Fit, figure: figures.Figure) -> None:
    bins = figure.frame[figure.frame["level"].str.contains(", bin ")]
    pearson = residuals_of(model, "pearson")["residual"]
    assert (bins["mean"] * bins["count"]).sum() / bins["count"].sum() == pytest.approx(pearson.mean(), abs=0.12)
    visits = figure.frame[figure.frame["panel"].eq("visits")].set_index("level")
    assert np.allclose(visits["sd"], 1.0, atol=0.05)


def test_quantiles_lie_in_their_envelope_where_the_model_is_right(figure: figures.Figure) -> None:
    for panel in ("normal", "subjects"):
        rows = figure.frame[figure.frame["panel"].eq(panel)]
        outside = rows["mean"].lt(rows["low"]) | rows["mean"].gt(rows["high"])
        assert outside.mean() < 0.35
        assert rows["expected"].is_monotonic_increasing
        assert (rows["low"] < rows["expected"]).all()
        assert (rows["expected"] < rows["high"]).all()


def test_scores_that_are_not_normal_leave_the_envelope() -> None:
    frame = scores(150, seed=3)
    frame["score"] = np.exp(2 * frame["score"])
    found = figures.residuals(fit(MMRM("score ~ visit"), cohort_of(frame)))
    rows = found.frame[found.frame["panel"].eq("normal")]
    assert (rows["mean"].lt(rows["low"]) | rows["mean"].gt(rows["high"])).mean() > 0.5
    assert "lie outside the 95% envelope" in found.alt


def test_the_distance_of_those_seen_less_often_is_brought_to_the_scale_of_all(
    model: Fit, figure: figures.Figure
) -> None:
    own = mahalanobis(model)
    same = stats.chi2.isf(own["p_value"], 3)
    rows = figure.frame[figure.frame["panel"].eq("subjects")]
    assert rows["mean"].between(same.min(), same.max()).all()
    assert rows["mean"].iloc[0] == pytest.approx(np.sort(same)[:5].mean(), abs=0.06)
    full = own["n_visits"].eq(3).to_numpy()
    assert np.allclose(same[full], own.loc[full, "distance"])


def test_percentiles_near_the_ends_need_many_persons() -> None:
    few = figures.residuals(fitted(30, seen=1.0, formula="score ~ visit")).frame
    many = figures.residuals(fitted(60, seen=1.0, formula="score ~ visit")).frame
    assert few.loc[few["panel"].eq("visits"), "p10"].isna().all()
    assert many.loc[many["panel"].eq("visits"), "p10"].notna().all()
    assert few.loc[few["panel"].eq("visits"), "q1"].notna().all()


@pytest.mark.raises_code("E-DISCLOSURE-COHORT")
def test_a_model_of_few_persons_is_not_shown() -> None:
    with pytest.raises(DisclosureError) as caught:
        figures.residuals(fitted(9, seen=1.0, formula="score ~ visit", min_cell=10))
    assert caught.value.code == "E-DISCLOSURE-COHORT"


def test_a_policy_that_allows_persons_still_bins_them() -> None:
    shown = figures.residuals(fitted(40, min_cell=1)).frame
    assert shown["count"].dropna().min() == 1


@given(st.lists(st.tuples(st.integers(-6, 6), st.integers(0, 12)), min_size=5, max_size=60), st.integers(1, 5))
def test_pools_hold_enough_persons_and_keep_the_order(rows: list[tuple[int, int]], least: int) -> None:
    bins, subject = (np.array(part) for part in zip(*sorted(rows), strict=True))
    pool = _pooled(bins, subject, least)
    assert (np.diff(pool) >= 0).all()
    assert all(len(set(pool[bins == code])) == 1 for code in set(bins.tolist()))
    persons = [len(set(subject[pool == k].tolist())) for k in set(pool.tolist())]
    assert min(persons) >= least or len(persons) == 1


def test_the_seed_is_fixed(model: Fit, figure: figures.Figure) -> None:
    assert figures.residuals(model).frame.equals(figure.frame)
    assert figures.residuals(model).svg() == figure.svg()


@pytest.mark.parametrize("size", ["single", "double", "slide"])
def test_panels_stand_apart(model: Fit, size: str) -> None:
    figure = figures.residuals(model, size=size)
    with own_look():
        width, height = (side / 25.4 / figure.larger for side in figure.size)
        canvas = Canvas(figsize=(width, height))
        ax = canvas.add_axes((0.1, 0.1, 0.85, 0.85))
        figure.draw(ax)
        canvas.draw_without_rendering()
    boxes = [child.get_tightbbox() for child in ax.child_axes]
    assert len(boxes) == 4
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_labels_that_mean_harm_are_only_text() -> None:
    for payload in PAYLOADS[10:12]:
        role = {"outcomes": {"score": {"label": payload}}}
        assert figures.residuals(fitted(20, **role)).png(dpi=50)[:4] == b"\x89PNG"
    canvas = Canvas()
    figures.residuals(fitted(20, outcomes={"score": {"label": "$x^2$"}}), ax=canvas.add_subplot())
    assert not any(text.get_parse_math() for text in canvas.findobj(mpl.text.Text))
