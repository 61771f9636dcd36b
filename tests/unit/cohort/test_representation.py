"""How a cohort shows itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from burnout_stats.cohort import read_cohort


def cohort(n, later, *, label="Exhaustion", min_cell=5):
    visits = ["start"] * n + ["1 year"] * later
    data = pd.DataFrame(
        {
            "id": [*range(n), *range(later)],
            "visit": visits,
            "ee": np.linspace(1.25, 4.75, n + later),
            "sex": "F",
        }
    )
    return read_cohort(
        data,
        subject="id",
        visit="visit",
        times={"start": 0, "1 year": 1},
        outcomes={"ee": {"label": label, "range": [1, 5], "better": "lower"}},
        covariates={"sex": {"levels": ["F"]}},
        min_cell=min_cell,
    )


def test_a_cohort_tells_its_visits_outcomes_and_covariates():
    text = str(cohort(40, 30))
    for part in ("40 subjects", "start", "1 year", "30", "75.0", "Exhaustion", "1 to 5, lower is better", "3.00"):
        assert part in text
    assert "sex (F)" in text


def test_no_single_value_is_shown():
    shown = cohort(40, 30)
    text = str(shown) + shown._repr_html_() + shown._repr_markdown_() + repr(shown)
    assert "1.25" not in text
    assert "4.75" not in text


@pytest.mark.parametrize(("n", "later", "shown"), [(40, 36, ["40"]), (40, 3, ["40"]), (40, 35, ["40", "35"])])
def test_small_groups_and_those_that_tell_them_are_hidden(n, later, shown):
    table = str(cohort(n, later)).partition("Outcomes")[0]
    for number in ("40", "36", "35", " 3 "):
        assert (number in table) == (number.strip() in shown), number


def test_a_cohort_that_is_too_small_does_not_tell_its_size():
    small = cohort(4, 4, min_cell=6)
    assert "fewer than 6 subjects" in repr(small)
    assert "fewer than 6 subjects" in str(small)
    assert "hidden" in str(small).casefold()


def test_labels_are_escaped():
    shown = cohort(40, 30, label="<script>alert(1)</script>")
    assert "<script>" not in shown._repr_html_()
    assert "&lt;script&gt;" in shown._repr_html_()
