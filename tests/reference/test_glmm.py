"""Generalized linear mixed models against lme4, glmmTMB and ordinal in R (script and output in `glmm/`), and against
the `glmer_hi` block of the shared oracles.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import burnout_200, oracle
from tolerances import GLMM_LOGLIK, GLMM_OPTIMUM, GLMM_SE, LME4_LAPLACE, LME4_LAPLACE_SE

from burnout_stats.cohort import read_cohort
from burnout_stats.inference import emmeans
from burnout_stats.models import fit
from burnout_stats.models.generalized import GLMM
from burnout_stats.notices import BurnoutStatsWarning

FOLDER = Path(__file__).parent / "glmm"
R = json.loads((FOLDER / "glmm.json").read_text(encoding="utf-8"))
HI = "hi ~ visit * group + sex + age + (1 | subject)"
REST = " ~ visit * group + sex + (1 | subject)"
SPECS = {
    "lme4_1": GLMM(HI, n_nodes=1),
    "lme4_9": GLMM(HI, n_nodes=9),
    "lme4_25": GLMM(HI, n_nodes=25),
    "lme4_probit_9": GLMM(HI, link="probit", n_nodes=9),
    "tmb_logit": GLMM(HI, n_nodes=1),
    "tmb_probit": GLMM(HI, link="probit", n_nodes=1),
    "tmb_slope": GLMM("symptom ~ years * group + (1 + years | subject)", n_nodes=1),
    "tmb_poisson": GLMM("visits_gp" + REST, family="poisson", n_nodes=1),
    "tmb_nbinom2": GLMM("sick_days" + REST, family="negative_binomial", n_nodes=1),
    "tmb_zip": GLMM("zero_days" + REST, family="poisson", zeros="inflated", n_nodes=1),
    "tmb_truncated_nbinom2": GLMM("sick_days" + REST, family="negative_binomial", zeros="none", n_nodes=1),
    "clmm_1": GLMM("level" + REST, family="ordinal", n_nodes=1),
    "clmm_9": GLMM("level" + REST, family="ordinal", n_nodes=9),
    "clmm_15": GLMM("level" + REST, family="ordinal"),
}
LOOSE = {"lme4_1", "lme4_probit_9"}


@cache
def cohort():
    frame = pd.read_csv(FOLDER / "data.csv").drop(columns="years")
    names = ["low", "some", "much", "high"]
    return read_cohort(
        frame.assign(level=[names[k] for k in frame["level"]]),
        subject="id",
        visit="visit",
        times={"v0": 0, "v1": 1, "v3": 3},
        outcomes=["hi", "visits_gp", "sick_days", "zero_days", "symptom"],
        covariates={
            "group": {"levels": ["control", "intervention"]},
            "sex": {"levels": ["F", "M"]},
            "age": {"unit": "years"},
            "level": {"levels": names},
        },
    )


@cache
def fitted(name):
    return fit(SPECS[name], cohort())


@pytest.mark.parametrize("name", list(SPECS))
def test_estimates(name):
    reference, ours = R[name], fitted(name)
    estimate, se = ours.coef.to_numpy(), np.sqrt(np.diag(ours.vcov))
    if name.startswith("clmm"):
        estimate = np.append(ours.further["estimate"], estimate[1:])
        se = np.append(ours.further["std_error"], se[1:])
    close = LME4_LAPLACE if name in LOOSE else GLMM_OPTIMUM
    assert ours.converged
    assert ours.loglik == pytest.approx(reference["loglik"], abs=close if name in LOOSE else GLMM_LOGLIK)
    np.testing.assert_allclose((estimate - reference["estimate"]) / se, 0, atol=close)
    np.testing.assert_allclose(se, reference["se"], rtol=LME4_LAPLACE_SE if name in LOOSE else GLMM_SE)
    np.testing.assert_allclose(ours.varcorr["sd"], np.atleast_1d(reference["sd"]), rtol=close)
    if "correlation" in reference:
        assert ours.varcorr.iloc[0, -1] == pytest.approx(reference["correlation"], abs=close)
    if reference.get("further"):
        assert ours.further["estimate"].tolist() == pytest.approx([reference["further"]], abs=GLMM_OPTIMUM)
        assert ours.further["std_error"].tolist() == pytest.approx([reference["further_se"]], rel=GLMM_SE)


@pytest.mark.parametrize("name", ["tmb_logit", "tmb_poisson", "clmm_15"])
def test_means(name):
    reference = R[name]["emm"]
    found = emmeans(fitted(name), "visit", by="group", weights="equal", at="rows").frame
    np.testing.assert_allclose(found["estimate"], reference["estimate"], atol=1e-4)
    np.testing.assert_allclose(found["std_error"], reference["se"], rtol=1e-4)


@pytest.mark.parametrize(("name", "n_nodes"), [("laplace", 1), ("agq25", 25)])
def test_shared_oracle(name, n_nodes):
    reference = oracle("burnout_200")["glmer_hi"][name]
    ours = fit(GLMM("EE ~ visit * group + sex + age + (1 | subject)", case=">= 27", n_nodes=n_nodes), burnout_200())
    assert ours.loglik == pytest.approx(reference["logLik"], abs=1e-5)
    assert ours.G[0, 0] == pytest.approx(reference["var_id"], rel=1e-4)
    table = dict(zip(reference["coefficients"]["term"], reference["coefficients"]["Estimate"], strict=True))
    assert ours.coef["visit[v1]:group[intervention]"] == pytest.approx(table["visitv1:groupintervention"], abs=1e-4)


def test_soft_penalty():
    """Against optim on lme4's deviance with the same penalty (`glmm/soft_penalty.R`)."""
    reference = json.loads((FOLDER / "soft_penalty.json").read_text(encoding="utf-8"))
    data = cohort().data
    last_of_men = (data["sex"].astype(str) == "M") & (data["years"] == 3)
    given = replace(cohort(), data=data.assign(hi=np.where(last_of_men, 0.0, data["hi"])))
    with pytest.warns(BurnoutStatsWarning, match="soft penalty"):
        ours = fit(GLMM("hi ~ visit * sex + (1 | subject)", penalty="soft"), given)
    se = np.sqrt(np.diag(ours.vcov))
    assert ours.converged
    assert ours.loglik == pytest.approx(reference["loglik"], abs=GLMM_LOGLIK * 10)
    np.testing.assert_allclose((ours.coef.to_numpy() - reference["estimate"]) / se, 0, atol=LME4_LAPLACE)
    np.testing.assert_allclose(se, reference["se"], rtol=LME4_LAPLACE_SE)
    np.testing.assert_allclose(ours.varcorr["sd"], reference["sd"], rtol=LME4_LAPLACE)
