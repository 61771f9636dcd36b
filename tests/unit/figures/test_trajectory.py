"""The trajectory: the frame that it draws, its words, its bytes."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.image
import matplotlib.text
import numpy as np
import pandas as pd
import pytest
from handmade import PAYLOADS, changes, means, observed
from matplotlib.figure import Figure as Canvas

from burnout_stats.errors import StudyError
from burnout_stats.figures import SIZES, Figure, trajectory
from burnout_stats.figures._palette import STROKES
from burnout_stats.text import numbers_in

TESTS = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def axes() -> mpl.axes.Axes:
    return Canvas(figsize=(5, 4)).add_subplot()


def test_the_frame_holds_what_is_drawn(snapshot: Callable[[str, str], None]) -> None:
    figure = trajectory(means(sexes=("F", "M")), observed=observed(sexes=("F", "M")))
    snapshot("figures/trajectory.csv", figure.frame.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
    assert list(figure.frame["years"]) == [0.0, 1.0, 3.0] * 2


def test_time_is_drawn_to_scale() -> None:
    ax = axes()
    trajectory(means(), ax=ax)
    assert list(ax.get_xticks()) == [0.0, 1.0, 3.0]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["baseline", "1 year", "3 years"]
    assert [list(line.get_xdata()) for line in ax.lines] == [[0.0, 1.0, 3.0]] * 2


def test_lines_go_through_the_means_and_bars_along_the_intervals() -> None:
    ax = axes()
    estimates = means()
    trajectory(estimates, ax=ax)
    assert list(ax.lines[0].get_ydata()) == list(estimates.frame["estimate"])
    bars = [path.vertices[:, 1].tolist() for path in ax.collections[0].get_paths()]
    assert bars == estimates.frame[["conf_low", "conf_high"]].to_numpy().tolist()


def test_observed_means_are_hollow() -> None:
    ax = axes()
    trajectory(means(), observed=observed(), ax=ax)
    hollow = ax.lines[-1]
    assert list(hollow.get_ydata()) == [3.07, 2.55, 2.29]
    assert hollow.get_markerfacecolor() == "white"


def test_the_axis_stays_on_the_scale_and_shows_enough_of_it() -> None:
    ax = axes()
    trajectory(means(), ax=ax)
    low, high = ax.get_ylim()
    assert 1 <= low < 2.18
    assert 3.17 < high <= 5
    assert high - low >= 0.3 * 4
    near_floor = replace(means(), frame=means().frame.assign(estimate=1.05, conf_low=0.9, conf_high=1.2))
    ax = axes()
    trajectory(near_floor, ax=ax)
    assert ax.get_ylim()[0] == 0.9  # an interval may leave the scale; it is not cut
    assert min(ax.get_yticks()) == 1.0


def test_an_outcome_without_a_scale_has_an_axis_too() -> None:
    ax = axes()
    trajectory(replace(means(), about=replace(means().about, ranges={})), ax=ax)
    low, high = ax.get_ylim()
    assert low < 2.3
    assert high > 3.1


def test_groups_differ_by_more_than_color() -> None:
    ax = axes()
    trajectory(means(sexes=("F", "M", "X")), ax=ax)
    lines = [line for line in ax.lines if line.get_marker() == "None"]
    marks = [line for line in ax.lines if line.get_marker() != "None"]
    assert len({line.get_color() for line in lines}) == 3
    assert len({str(line._dash_pattern) for line in lines}) == 3
    assert len({line.get_marker() for line in marks}) == 3


def luminance(color: str) -> float:
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_can_be_read_and_lines_be_seen_on_white() -> None:
    assert all(1.05 / (luminance(stroke.text) + 0.05) >= 4.5 for stroke in STROKES)
    assert all(1.05 / (luminance(stroke.color) + 0.05) >= 2.9 for stroke in STROKES[:5])


def test_numbers_of_subjects_stand_under_the_axis() -> None:
    ax = axes()
    trajectory(means(sexes=("F", "M"), few=4), ax=ax)
    words = [text.get_text() for text in ax.texts]
    assert words.count("113") == 2
    assert "hidden" in words
    assert "n, F" in words


def test_few_persons_are_neither_drawn_nor_told() -> None:
    figure = trajectory(means(few=4), observed=observed(few=4))
    assert figure.frame["estimate"].isna().tolist() == [False, False, True]
    assert figure.frame["observed"].isna().tolist() == [False, False, True]
    assert figure.frame["n"].isna().tolist() == [False, False, True]
    assert "2.31" not in figure.alt + figure.long_description
    assert "3 years: hidden, too few persons." in figure.long_description
    ax = axes()
    figure.draw(ax)
    assert [len(line.get_xdata()) for line in ax.lines] == [2, 2, 2]


def test_a_figure_of_hidden_means_only_can_be_drawn() -> None:
    all_hidden = replace(means(), frame=means().frame.assign(n=3))
    assert "all hidden" in trajectory(all_hidden).alt
    assert trajectory(all_hidden).svg()


def test_the_words_tell_the_numbers() -> None:
    figure = trajectory(means(), observed=observed())
    assert figure.alt == (
        "Line chart of model means of emotional exhaustion over 3 years: "
        "from 3.05 at baseline to 2.31 at 3 years (95% CI 2.18 to 2.44)."
    )
    labels = ["baseline", "1 year", "3 years"]
    assert numbers_in(figure.long_description, labels=labels)[:6] == ("3.05", "95", "2.93", "3.17", "227", "3.07")


def test_a_figure_without_words_cannot_be_made() -> None:
    parts = {"title": "t", "frame": pd.DataFrame(), "draw": lambda ax: None}
    with pytest.raises(TypeError):
        Figure(**parts)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="alt text"):
        Figure(**parts, alt=" ", long_description="x")  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [*SIZES, (120.0, 80.0)])
def test_a_figure_has_the_size_that_was_asked_for(size: str | tuple[float, float]) -> None:
    figure = trajectory(means(), size=size)
    root = ET.fromstring(figure.svg())  # noqa: S314  our own text
    width, height = SIZES[size] if isinstance(size, str) else size
    assert float(root.get("width", "").removesuffix("pt")) == pytest.approx(width / 25.4 * 72, abs=1e-3)
    assert float(root.get("height", "").removesuffix("pt")) == pytest.approx(height / 25.4 * 72, abs=1e-3)


@pytest.mark.parametrize("sexes", [(), ("day course", "week course with a longer name")])
def test_nothing_is_cut_off(sexes: tuple[str, ...]) -> None:
    figure = trajectory(means(sexes=sexes), observed=observed(sexes=sexes))
    pixels = mpl.image.imread(io.BytesIO(figure.png(dpi=150)))[..., :3].min(axis=2) < 0.99
    inked = [np.flatnonzero(pixels.any(axis=axis)) for axis in (0, 1)]
    margin = 1.2 / 25.4 * 150
    for places, length in zip(inked, reversed(pixels.shape), strict=True):
        assert places[0] >= 0.5 * margin
        assert places[-1] <= length - 0.5 * margin
        assert places[0] <= 3 * margin  # and no room is wasted
        assert places[-1] >= length - 3 * margin


def test_text_is_drawn_with_the_font_that_comes_with_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    files: set[str] = set()

    def spy(canvas: Canvas, *args: object, **kwargs: object) -> None:
        files.update(str(text.get_fontproperties().get_file()) for text in canvas.findobj(mpl.text.Text))

    monkeypatch.setattr(Canvas, "savefig", spy)
    assert trajectory(means()).png() == b""
    assert files == {str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_labels_that_mean_harm_are_only_text(payload: str) -> None:
    figure = trajectory(means(sexes=(payload, "M"), label=payload))
    root = ET.fromstring(figure.svg())  # noqa: S314  our own text
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "defs", "style", "g", "path", "use", "clipPath", "rect"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on")}
    assert figure.png()[:4] == b"\x89PNG"


def test_mathematics_in_a_label_is_not_set() -> None:
    ax = axes()
    trajectory(means(sexes=("$x^2$", "$y$"), label="$z$"), ax=ax)
    texts = [*ax.texts, ax.yaxis.label, *ax.get_xticklabels()]
    assert not any(text.get_parse_math() for text in texts)


def test_two_figures_share_no_ids() -> None:
    ids = [
        {element.get("id") for element in ET.fromstring(trajectory(means(label=label)).svg()).iter()} - {None}  # noqa: S314
        for label in ("Exhaustion", "Job stress")
    ]
    assert not ids[0] & ids[1]


def test_references_inside_a_figure_hold() -> None:
    root = ET.fromstring(trajectory(means(), observed=observed()).svg())  # noqa: S314  our own text
    ids = {element.get("id") for element in root.iter()}
    links = [
        value.removeprefix("#") for element in root.iter() for name, value in element.items() if name.endswith("href")
    ]
    assert links
    assert set(links) <= ids
    assert set(str(root.get("aria-labelledby")).split()) <= ids


def test_a_figure_tells_of_no_software_and_no_date(tmp_path: Path) -> None:
    figure = trajectory(means())
    svg = figure.save(tmp_path / "f.svg").read_text(encoding="utf-8").casefold()
    assert "matplotlib" not in svg
    assert "<metadata" not in svg
    assert "<!--" not in svg
    png = figure.save(tmp_path / "f.png").read_bytes()
    assert b"oftware" not in png
    assert b"tIME" not in png


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        trajectory(means()).save(tmp_path / "f.gif")
    assert caught.value.code == "E-STUDY-VALUE"


SCRIPT = """
import hashlib, sys
from handmade import means, observed
from burnout_stats.figures import trajectory
figure = trajectory(means(sexes=("F", "M")), observed=observed(sexes=("F", "M")))
sys.stdout.write(hashlib.sha256(figure.svg().encode() + figure.png()).hexdigest())
"""


def test_two_processes_draw_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("font.size: 20\naxes.grid: True\nsvg.fonttype: none\n")
    digests = set()
    for seed, folder in (("1", TESTS), ("2", tmp_path)):
        environment = os.environ | {
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]),
        }
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT], cwd=folder, env=environment, capture_output=True, check=True
        )
        digests.add(run.stdout)
    figure = trajectory(means(sexes=("F", "M")), observed=observed(sexes=("F", "M")))
    digests.add(hashlib.sha256(figure.svg().encode() + figure.png()).hexdigest().encode())
    assert len(digests) == 1


def test_matplotlib_loads_only_when_something_is_drawn() -> None:
    code = (
        "import sys; from handmade import means; from burnout_stats.figures import trajectory; "
        "trajectory(means()); sys.exit('matplotlib' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_the_global_state_stays_as_it_was() -> None:
    before = dict(mpl.rcParams)
    trajectory(means()).svg()
    trajectory(means()).png()
    assert dict(mpl.rcParams) == before
    import matplotlib.pyplot as plt

    assert plt.get_fignums() == []


def test_a_notebook_shows_the_figure_with_its_words() -> None:
    figure = trajectory(means())
    html = figure._repr_html_()
    assert html.startswith("<figure")
    assert figure.alt in html
    assert 'width="100%"' in html
    assert figure._repr_svg_() == figure.svg()
    assert repr(figure) == "<Figure: Emotional exhaustion over time; 89 × 72 mm>"


def test_visits_that_are_near_each_other_keep_their_labels_apart() -> None:
    ax = axes()
    times = {"baseline": 0.0, "1 year": 0.1, "3 years": 3.0}
    trajectory(replace(means(), about=replace(means().about, visit_years=times)), ax=ax)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["baseline", "\n1 year", "3 years"]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(changes, id="contrasts"),
        pytest.param(lambda: replace(means(), about=replace(means().about, visit_years={})), id="no times"),
        pytest.param(
            lambda: replace(means(), frame=means().frame.assign(outcome=["a", "b", "c"])), id="three outcomes"
        ),
        pytest.param(lambda: means(sexes=tuple("abcdefgh")), id="eight groups"),
    ],
)
@pytest.mark.raises_code("E-STUDY-VALUE")
def test_what_is_no_trajectory_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(StudyError) as caught:
        trajectory(wrong())  # type: ignore[arg-type]
    assert caught.value.code == "E-STUDY-VALUE"


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_observed_means_of_other_groups_are_refused() -> None:
    with pytest.raises(StudyError, match="by sex"):
        trajectory(means(sexes=("F", "M")), observed=observed())


@pytest.mark.raises_code("E-STUDY-OPTION")
def test_an_unknown_size_is_refused() -> None:
    with pytest.raises(StudyError) as caught:
        trajectory(means(), size="wide")
    assert caught.value.code == "E-STUDY-OPTION"
