"""Generalized mixed models that are something simpler: without random effects, relabeled, reflected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from cohorts import burnout_200

from burnout_stats.design import build
from burnout_stats.models import fit
from burnout_stats.models.events import counted_outcome
from burnout_stats.models.generalized import GLMM
from burnout_stats.models.generalized_fit import _independent, _problem
from burnout_stats.models.generalized_search import without_random

FORMULA = "EE ~ visit * group + sex + age + (1 | subject)"


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_without_random_effects_it_is_a_glm(link):
    spec = GLMM(FORMULA, case=">= 27", link=link)
    counted = counted_outcome(burnout_200(), "EE", "binomial", event=None, case=">= 27")
    design, rows = build(spec.parsed, counted.cohort)
    kept, _, _ = _independent(rows, design)
    ours = without_random(_problem(spec, design, rows, kept, counted), penalty=False)
    family = sm.families.Binomial(sm.families.links.Probit() if link == "probit" else None)
    glm = sm.GLM(rows.z[:, -1], rows.z[:, :-1], family=family).fit(tol=1e-14)
    assert ours.converged
    np.testing.assert_allclose(ours.psi, glm.params, rtol=1e-7)
    assert ours.loglik == pytest.approx(glm.llf, rel=1e-12)


def test_no_event_in_place_of_event_changes_signs_only():
    events = fit(GLMM(FORMULA, case=">= 27"), burnout_200())
    others = fit(GLMM(FORMULA, case="< 27"), burnout_200())
    np.testing.assert_allclose(others.coef, -events.coef, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(others.vcov, events.vcov, rtol=1e-5, atol=1e-10)
    assert others.loglik == pytest.approx(events.loglik, rel=1e-12)


def test_two_ordered_categories_are_events():
    data = burnout_200()
    events = fit(GLMM(FORMULA, case=">= 27"), data)
    hi = replace(data, data=data.data.assign(EE=(data.data["EE"] >= 27).astype(float)))
    ordered = fit(GLMM(FORMULA, family="ordinal"), hi)
    assert ordered.loglik == pytest.approx(events.loglik, rel=1e-12)
    np.testing.assert_allclose(ordered.coef, events.coef, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(ordered.vcov, events.vcov, rtol=1e-5, atol=1e-10)
