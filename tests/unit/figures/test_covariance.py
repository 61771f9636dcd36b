"""The heat map of the covariance of the visits."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from cohorts import cohort_of, scores
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle

from burnout_stats import figures
from burnout_stats.errors import ModelError, StudyError
from burnout_stats.figures._palette import ink_on
from burnout_stats.models import LMM, MMRM, Fit, fit

SEX = {"sex": {"levels": ["F", "M"]}}


@pytest.fixture(scope="module")
def model() -> Fit:
    return fit(MMRM("score ~ visit"), cohort_of(scores(60, seed=3, seen=0.8)))


def drawn(figure: figures.Figure) -> mpl.axes.Axes:
    ax = Canvas(figsize=(4, 4)).add_subplot()
    figure.draw(ax)
    return ax


def test_numbers_are_those_of_the_model(model: Fit) -> None:
    frame = figures.covariance(model).frame.set_index(["other_visit", "visit"])["value"]
    sigma = model.covariance.to_numpy()
    sd = np.sqrt(np.diagonal(sigma))
    assert frame["baseline", "baseline"] == pytest.approx(sd[0])
    assert frame["1 year", "3 years"] == pytest.approx(sigma[1, 2] / sd[1] / sd[2])
    raw = figures.covariance(model, kind="covariance").frame.set_index(["other_visit", "visit"])["value"]
    assert raw["1 year", "3 years"] == pytest.approx(sigma[1, 2])
    assert raw["3 years", "3 years"] == pytest.approx(sigma[2, 2])


def test_every_cell_has_its_number_and_the_upper_triangle_is_blank(model: Fit) -> None:
    ax = drawn(figures.covariance(model))
    cells = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert len(cells) == 6
    assert len([text for text in ax.texts if text.get_text().replace("−", "").replace(".", "").isdigit()]) == 6
    assert all(cell.get_x() <= cell.get_y() for cell in cells)


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    def luminance(color: tuple[float, ...]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color[:3]]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    high, low = sorted([luminance(one), luminance(other)], reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_numbers_can_be_read_on_every_color() -> None:
    for share in np.linspace(0, 1, 51):
        fill = mpl.colormaps["cividis"](share)
        assert contrast(fill, mpl.colors.to_rgb(ink_on(fill))) >= 4.5


def test_pairs_of_visits_that_few_share_are_hidden() -> None:
    frame = scores(40, seed=3)
    order = {name: k for k, name in enumerate(dict.fromkeys(frame["id"]))}
    place = frame["id"].map(order)
    later = frame["visit"].eq("3 years")
    kept = frame[~later | place.lt(4) | place.ge(30)]
    kept = kept[~(kept["visit"].eq("1 year") & kept["id"].map(order).ge(30))]
    figure = figures.covariance(fit(MMRM("score ~ visit", covariance="cs"), cohort_of(kept)))
    hidden = figure.frame.set_index(["other_visit", "visit"])["hidden"]
    assert hidden["1 year", "3 years"]
    assert not hidden["baseline", "1 year"]
    assert "hidden" in [text.get_text() for text in drawn(figure).texts]
    assert "1 year and 3 years: correlation hidden, too few persons." in figure.long_description


def test_groups_with_their_own_covariance_stand_side_by_side() -> None:
    spec = MMRM("score ~ visit", covariance="us", covariance_by="sex")
    figure = figures.covariance(fit(spec, cohort_of(scores(80, seed=3), covariates=SEX)), size="double")
    assert list(dict.fromkeys(figure.frame["group"])) == ["F", "M"]
    assert len(drawn(figure).child_axes) == 2
    assert figure.svg()


@pytest.mark.raises_code("E-STUDY-OPTION")
def test_another_kind_is_refused(model: Fit) -> None:
    with pytest.raises(StudyError) as caught:
        figures.covariance(model, kind="precision")  # type: ignore[arg-type]
    assert caught.value.code == "E-STUDY-OPTION"


@pytest.mark.filterwarnings("ignore:.*N-MODEL-BOUNDARY")
@pytest.mark.raises_code("E-MODEL-NOT-NOMINAL")
def test_a_model_without_one_covariance_is_refused() -> None:
    frame = scores(40, seed=3)
    found = fit(LMM("score ~ visit + age + (age | subject)"), cohort_of(frame, covariates={"age": {}}))
    with pytest.raises(ModelError) as caught:
        figures.covariance(found)
    assert caught.value.code == "E-MODEL-NOT-NOMINAL"


def test_words_tell_the_numbers(model: Fit) -> None:
    figure = figures.covariance(model)
    sd = np.sqrt(model.covariance.to_numpy()[0, 0])
    assert f"baseline: SD {sd:.2f}." in figure.long_description
    assert "between 3 visits" in figure.alt
