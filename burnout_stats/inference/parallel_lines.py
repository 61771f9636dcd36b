"""The check of proportional odds: whether a term does the same at every threshold."""

from __future__ import annotations

import numpy as np

from ..engine.parallel_lines import parallel_lines_score
from ..errors import StudyError
from ..estimates import Estimates
from ..estimates.answers import JointAnswer
from ..models.generalized_fit import GeneralizedFit
from .about import about
from .intervals import f_tests

__all__ = ["parallel_lines"]


def parallel_lines(fit: GeneralizedFit) -> Estimates:
    """Test for each term, and for all together, that its odds ratio is the same at every threshold (proportional odds).

    Returns
    -------
    Estimates
        One row per term, and "all terms": `statistic` is chi-squared over `num_df`, as F on infinite `df`. A small p
        says that one odds ratio for all thresholds leaves something out.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for a model that is not ordinal, or has two categories.

    **Source**: the score test of partial proportional odds, Peterson & Harrell 1990, Appl Stat 39:205.
    """
    if fit.spec.family != "ordinal" or len(fit.names_of_gamma) < 2:
        raise StudyError(
            "E-STUDY-VALUE",
            f"The family is {fit.spec.family} with {len(fit.names_of_gamma)} thresholds.",
            "Proportional odds are an assumption on several thresholds of ordered categories.",
            'Ask it of a GLMM with family="ordinal" and at least three categories.',
        )
    n_nodes = fit.spec.nodes(fit.problem.Z.shape[2])
    slices = fit.design.encoder.slices
    kept = [int(k) for k in fit.kept[1:]]  # columns of the problem: all but the intercept
    parts = {name: [kept.index(k) for k in part if k in kept] for name, part in slices.items()}
    parts = {name: columns for name, columns in parts.items() if columns and name != "Intercept"}
    parts["all terms"] = list(range(len(kept)))
    answers = []
    for columns in parts.values():
        statistic, df = parallel_lines_score(fit.problem, fit.optimum.psi, n_nodes, np.array(columns))
        answers.append(JointAnswer(statistic=statistic / max(df, 1), num_df=float(df), df=np.inf, method="asymptotic"))
    frame = f_tests(answers, float(fit.n_subjects), "asymptotic")
    frame.insert(0, "term", list(parts))
    frame.insert(0, "outcome", fit.outcome.name)
    note = "Score tests of one odds ratio for all thresholds (proportional odds) against one for each."
    return Estimates(
        frame=frame,
        vcov=np.full((len(parts),) * 2, np.nan),
        about=about(fit, kind="tests", factors=("term",), df_method="asymptotic", notes=(note,)),
        notices=fit.notices,
    )
