"""What a fit shows of itself, and what it keeps back."""

from __future__ import annotations

import re

import numpy as np
import pytest

from burnout_stats.estimates import Policy
from burnout_stats.models import LMM, MMRM, fit
from burnout_stats.models.representation import fit_tables, size_of, subjects
from burnout_stats.studies import example

pytestmark = pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")


@pytest.fixture(scope="module")
def cohort():
    return example("villa_sana")


def test_coefficients_have_no_p_values(cohort):
    fitted = fit(MMRM("exhaustion ~ visit"), cohort)
    fixed, varying = fit_tables(fitted)
    assert [column.key for column in fixed.columns] == ["term", "estimate", "std_error"]
    assert [row.cells[1] for row in fixed.rows] == pytest.approx(fitted.coef.tolist())
    assert [row.cells[2] for row in fixed.rows] == pytest.approx(np.sqrt(np.diag(fitted.vcov)).tolist())
    assert [row.cells[1] for row in varying.rows] == pytest.approx(fitted.varcorr["sd"].tolist())
    assert f"{fitted.n_subjects} subjects, {fitted.n_obs} rows, REML, converged" in fixed.notes[1]


def test_random_effects(cohort):
    fixed, varying = fit_tables(fit(LMM("exhaustion ~ years + (1 + years | subject)"), cohort))
    assert [row.cells[0] for row in varying.rows] == ["Intercept", "years", "residual"]
    assert len(fixed.rows) == 2


def test_numbers_of_few_subjects_are_words():
    policy = Policy(min_cell=5)
    assert subjects(4, policy) == "fewer than 5 subjects"
    assert subjects(97, policy, of=100) == "nearly all subjects"
    assert subjects(95, policy, of=100) == "95 subjects"
    assert size_of(97, 290, policy, of=100) == "nearly all subjects"
    assert size_of(100, 290, policy, of=100) == "100 subjects, 290 rows"


def without(cohort, visit, n):
    """The cohort in which all have the visit but n."""
    frame = cohort.frame
    seen = frame.groupby("subject")["exhaustion"].transform("count").eq(3)
    there = frame[seen]
    first = there["subject"].unique()[:n]
    keep = seen & ~(frame["subject"].isin(first) & frame["visit"].eq(visit))
    return cohort.subset(keep.to_numpy())


def test_the_number_of_rows_does_not_tell_how_few_stayed_away(cohort):
    some = fit(MMRM("exhaustion ~ visit"), without(cohort, "1 year", 3))
    many = fit(MMRM("exhaustion ~ visit"), without(cohort, "1 year", 9))
    assert "rows" not in repr(some)
    assert str(some.n_obs) not in str(some)
    assert f"{many.n_obs} rows" in repr(many)


def test_the_sd_of_a_visit_that_few_had_is_hidden(cohort):
    frame = cohort.frame
    last = frame["visit"].eq("3 years")
    keep = ~last | frame["subject"].isin(frame.loc[last & frame["exhaustion"].notna(), "subject"].unique()[:4])
    fitted = fit(MMRM("exhaustion ~ visit", covariance="cs"), cohort.subset(keep.to_numpy()))
    _, varying = fit_tables(fitted)
    assert "hidden" in str(varying)
    rows = {row.cells[0]: row.cells[1:] for row in varying.rows}
    assert not any(isinstance(cell, float) for cell in rows["3 years"])
    assert re.search("fewer than 5 persons", varying.notes[0])
