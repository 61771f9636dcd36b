"""What docs/validation.md says: power by formula beside simulated power from 12 persons on, and the level of tests."""

from __future__ import annotations

import numpy as np
import pytest
from tolerances import PLANNED_POWER

from burnout_stats.power._validation import AIM, SIZES, STUDIES, agreement, grid_design, rejections, validation

pytestmark = pytest.mark.slow
REPLICATES = 2000


@pytest.mark.parametrize("n", SIZES)
def test_the_formula_says_what_simulated_cohorts_find(n):
    found = agreement(replicates=REPLICATES, sizes=[n], seed=5).frame
    formula = found[found["measure"] == "formula"].set_index(["arms", "lost", "correlation"])["estimate"]
    rows = found[found["measure"] == "simulated"].set_index(["arms", "lost", "correlation"])
    np.testing.assert_allclose(formula, AIM, atol=0.005)
    for (arms, lost, rho), row in rows.iterrows():
        room = PLANNED_POWER * int(arms) * float(lost.rstrip("%")) / 100 / n
        off = row["estimate"] - formula[arms, lost, rho]
        assert -room - 4 * row["std_error"] < off < 0.005 + 4 * row["std_error"], (arms, lost, rho)


def test_without_dropout_the_formula_is_right_at_any_size():
    hits, sound = rejections(grid_design(1, 0.0, 0.5, 12), 20_000, 3)
    assert abs(hits / sound - AIM) < 0.005 + 4 * np.sqrt(AIM * (1 - AIM) / sound)


def test_kenward_roger_keeps_its_level_from_20_persons_on():
    frame = validation(replicates=REPLICATES, sizes=[20, 80], studies=STUDIES[:6], seed=4).frame
    own = frame[frame["test"] == "kenward-roger"]
    error = np.sqrt(0.05 * 0.95 / REPLICATES)
    assert len(own) == 6 * 2 * 3
    assert own["estimate"].between(0.05 - 4 * error, 0.05 + 0.012 + 4 * error).all()


def test_robust_tests_hold_where_a_wrong_structure_breaks_those_of_the_model():
    frame = validation(replicates=REPLICATES, sizes=[80], studies=STUDIES[-1:], seed=6).frame
    own = frame[frame["contrast"] == "3 years - baseline"].set_index(["test", "vcov"])
    error = np.sqrt(0.05 * 0.95 / REPLICATES)
    assert own.loc[("kenward-roger", "model"), "estimate"] > 0.05 + 3 * error
    assert abs(own.loc[("satterthwaite", "cr2"), "estimate"] - 0.05) < 4 * error
