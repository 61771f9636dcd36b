"""Every size, every format: nothing is cut off, letters grow on a slide, bytes stay."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import matplotlib.image
import numpy as np
import pytest
from cohorts import cohort_of, scores
from handmade import changes, means, observed

from burnout_stats import describe, figures
from burnout_stats.errors import StudyError
from burnout_stats.figures import SIZES, Figure
from burnout_stats.figures._figure import room
from burnout_stats.instruments.norms import Norm

TESTS = Path(__file__).parents[2]
NORM = Norm(mean=2.52, sd=0.92, n=1070, label="Norwegian doctors")


def few_visits() -> object:
    return cohort_of(scores(80, seed=3, seen=0.8))


DRAWN: dict[str, Callable[..., Figure]] = {
    "trajectory": lambda size: figures.trajectory(means(), observed=observed(), norm=NORM, mcid=0.5, size=size),
    "two groups": lambda size: figures.trajectory(means(sexes=("F", "M")), norm=NORM, mcid=0.5, size=size),
    "forest": lambda size: figures.forest(changes(), mcid=0.5, size=size),
    "flow": lambda size: figures.flow(describe.flow(few_visits()), size=size),
    "missingness": lambda size: figures.missingness(describe.missingness(few_visits()), size=size),
    "states": lambda size: figures.states(describe.transitions(few_visits(), "score", 3.0, direction=">="), size=size),
    "spaghetti": lambda size: figures.spaghetti(few_visits(), "score", size=size),
}


def inked(figure: Figure, dpi: float) -> tuple[np.ndarray, np.ndarray]:
    """The rows and columns of pixels at the edges of a figure: whether anything is drawn there."""
    pixels = mpl.image.imread(io.BytesIO(figure.png(dpi=dpi)))[..., :3].min(axis=2) < 0.98
    return pixels[[0, -1]], pixels[:, [0, -1]]


@pytest.mark.parametrize(("size", "dpi"), [("single", 72), ("single", 300), ("slide", 72)])
@pytest.mark.parametrize("name", DRAWN)
def test_nothing_reaches_the_edge(name: str, size: str, dpi: float) -> None:
    figure = DRAWN[name](size)
    assert not any(part.any() for part in inked(figure, dpi / figure.larger))


def test_letters_are_larger_on_a_slide() -> None:
    paper, slide = (DRAWN["trajectory"](size) for size in ("single", "slide"))
    assert paper.larger == 1
    assert slide.larger == 2.5
    root = ET.fromstring(slide.svg())  # noqa: S314  our own text
    box = [float(side) for side in root.get("viewBox", "").split()]
    assert float(root.get("width", "").removesuffix("pt")) == pytest.approx(2.5 * box[2], rel=1e-5)
    assert mpl.image.imread(io.BytesIO(slide.png(dpi=25.4))).shape[:2] == (180, 320)


def test_a_figure_that_needs_height_has_it_and_a_slide_keeps_its_shape() -> None:
    assert room("double", height=150.0) == ((183.0, 135.0), 1.0)
    assert room("double", height=50.0) == (SIZES["double"], 1.0)
    assert room((100.0, 50.0), height=150.0) == ((100.0, 50.0), 1.0)
    assert room(None, height=70.0) == ((183.0, 70.0), 1.0)
    assert room("slide", height=20.0, width=160.0) == (SIZES["slide"], 2.0)
    assert room("single", height=80.0, width=178.0) == ((89.0, 72.0), 0.5)


def test_a_pdf_has_one_page_a_font_and_no_date(tmp_path: Path) -> None:
    found = DRAWN["trajectory"]("single").save(tmp_path / "f.pdf").read_bytes()
    assert found.startswith(b"%PDF-")
    assert found.count(b"/Type /Page\n") + found.count(b"/Type /Page ") == 1
    assert b"TrueType" in found or b"CIDFontType2" in found
    for word in (b"CreationDate", b"Creator", b"Producer", b"atplotlib.org"):
        assert word not in found


@pytest.mark.raises_code("E-STUDY-VALUE")
@pytest.mark.parametrize("mcid", [0.0, -1.0, float("nan"), float("inf")])
def test_an_important_difference_is_positive(mcid: float) -> None:
    for draw in (lambda: figures.trajectory(means(), mcid=mcid), lambda: figures.forest(changes(), mcid=mcid)):
        with pytest.raises(StudyError) as caught:
            draw()
        assert caught.value.code == "E-STUDY-VALUE"


def test_the_norm_is_drawn_with_its_interval_and_told() -> None:
    figure = figures.trajectory(means(), norm=NORM)
    half = 1.9622 * 0.92 / np.sqrt(1070)
    assert figure.frame["norm_low"].tolist() == pytest.approx([2.52 - half] * 3, abs=1e-4)
    assert "Norwegian doctors 2.52 (95% CI 2.46 to 2.58)" in figure.alt
    drifting = figures.trajectory(means(), norm=Norm(mean=2.5, sd=0.9, drift=0.1))
    assert drifting.frame["norm"].tolist() == pytest.approx([2.5, 2.6, 2.8])
    assert drifting.frame["norm_low"].isna().all()
    assert "norm 2.50 at baseline, 2.60 at 1 year, 2.80 at 3 years" in drifting.alt
    assert drifting.svg()


def test_the_axis_shows_the_norm_and_the_important_difference() -> None:
    from matplotlib.figure import Figure as Canvas

    ax = Canvas(figsize=(4, 3)).add_subplot()
    figures.trajectory(means(), norm=Norm(mean=1.4, sd=0.9), mcid=0.7, ax=ax)
    low, high = ax.get_ylim()
    assert low < 1.4 < high
    words = [text.get_text() for text in ax.texts]
    assert "MCID: 0.7\nfrom baseline" in words
    assert "norm 1.40" in words


def test_a_band_of_unimportant_differences_stands_behind_the_forest() -> None:
    figure = figures.forest(changes(), mcid={"exhaustion": 0.6})
    assert figure.frame["mcid"].tolist() == [0.6, 0.6]
    assert "1 of 2 estimates reach the MCID of 0.6" in figure.alt
    assert "mcid" not in figures.forest(changes()).frame
    assert figures.forest(changes(), mcid={"job_stress": 0.6}).frame["mcid"].isna().all()


SCRIPT = """
import hashlib, sys
from cohorts import cohort_of, scores
from handmade import means
from burnout_stats import figures
from burnout_stats.models import MMRM, fit
cohort = cohort_of(scores(40, seed=3, seen=0.8))
model = fit(MMRM("score ~ visit"), cohort)
found = hashlib.sha256(figures.residuals(model).svg().encode())
found.update(figures.covariance(model).pdf())
found.update(figures.spaghetti(cohort, "score", size="slide").png(dpi=40))
sys.stdout.write(found.hexdigest())
"""


def test_other_processes_draw_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("font.size: 20\naxes.grid: True\npdf.fonttype: 3\n")
    digests = set()
    for seed, zone, folder in (("1", "UTC", TESTS), ("2", "Asia/Tokyo", tmp_path)):
        environment = os.environ | {
            "PYTHONHASHSEED": seed,
            "TZ": zone,
            "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]),
        }
        digests.add(
            subprocess.run(
                [sys.executable, "-c", SCRIPT], cwd=folder, env=environment, capture_output=True, check=True
            ).stdout
        )
    assert len(digests) == 1
