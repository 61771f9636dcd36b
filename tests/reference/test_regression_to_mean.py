"""Mee and Chua's change at the mean of a norm, its range over means, and selection by a cut-off against R's lm, root
finding and integration (`r/regression_to_mean.R`, session beside it); pupils of McClave & Dietrich as in the paper.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from tolerances import CLOSED_FORM, R_OPTIMIZE, UNIROOT

from burnout_stats.engine.mee_chua import line, range_over_means
from burnout_stats.engine.regression_to_mean import beyond_cutoff, from_mean_of_baselines

R = json.loads((Path(__file__).parent / "r" / "regression_to_mean.json").read_text(encoding="utf-8"))
MU = {"pupils": 75, "villa_sana": 2.52, "between": 62}


def line_of(name):
    known = R["moments"][name]
    return line(*known["means"], *known["sds"], known["r"], known["n"])


@pytest.mark.parametrize("name", MU)
def test_the_change_at_the_norm_mean_is_the_intercept_of_lm(name):
    found, expected = line_of(name), R["at"][name]
    change, error = found.change_at(MU[name])
    assert float(change) == pytest.approx(expected["change"], rel=CLOSED_FORM)
    assert float(error) == pytest.approx(expected["std_error"], rel=CLOSED_FORM)
    assert found.slope == pytest.approx(expected["slope"], rel=CLOSED_FORM)
    assert found.slope_error == pytest.approx(expected["slope_error"], rel=CLOSED_FORM)


@pytest.mark.parametrize("name", MU)
def test_the_range_over_means_is_where_the_t_of_lm_crosses_its_quantile(name):
    found, expected = range_over_means(line_of(name)), R["over"][name]
    assert found.none.estimate == pytest.approx(expected["zero"], rel=UNIROOT)
    assert abs(found.t) == pytest.approx(expected["largest"], rel=CLOSED_FORM)
    assert found.best == pytest.approx(expected["best"], rel=R_OPTIMIZE)
    limits = [found.none.conf_low, found.none.conf_high] if name == "villa_sana" else list(found.shown)
    if name == "pupils":
        assert expected["roots"] == []
        assert all(math.isnan(limit) for limit in limits)
    else:
        assert limits == pytest.approx(expected["roots"], rel=UNIROOT)


def test_selection_by_a_cut_off_is_the_integral_over_the_truncated_normal():
    assert float(beyond_cutoff(3.5, 2.52, 0.92, 0.62)) == pytest.approx(R["james_above"], rel=CLOSED_FORM)
    assert float(beyond_cutoff(40, 60, 15, 0.5, above=False)) == pytest.approx(R["james_below"], rel=CLOSED_FORM)
    several = from_mean_of_baselines(3.5, 2.52, 0.92, 0.62, np.array([1, 2, 3]))
    assert several == pytest.approx(R["gardner_heady"], rel=CLOSED_FORM)
