"""F tests of the terms of a model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..design.parse import Term
from ..design.recode import Recoding, contains, recoded
from ..errors import StudyError, one_of
from ..estimates import Estimates
from ..estimates.answers import JointAnswer
from ..models import Fit
from ..models.degrees_of_freedom import MomentsState
from ..models.fitted import Fitted
from ..models.measured import refuse_counted
from ..notices import Notice
from .about import about
from .intervals import f_tests

__all__ = ["term_tests"]

Array = NDArray[np.float64]

NOTES = {
    3: "Each term is tested with all others in the model, over equally weighted levels of the factors (type III).",
    2: "Each term is tested with all others in the model that do not contain it (type II).",
}


def term_tests(fit: Fitted, type: int = 3, *, df: str | None = None, vcov: str | None = None) -> Estimates:  # noqa: A002
    """Test every term of the model.

    Parameters
    ----------
    type : 3 or 2
        - 3: the hypotheses are about means in which the levels of all other factors weigh alike, whatever the coding. A
          factor that interacts with a numeric variable is tested where that variable is 0: center it.
        - 2: each term after all others save those that contain it (the principle of marginality). What averages over
          the terms that contain it follows the numbers in the cells, as in SAS.
    df, vcov : str, optional
        As in `summarize`.

    Returns
    -------
    Estimates
        One row per term: `statistic` is F on `num_df` and `df` degrees of freedom. Of a term that the data can test
        only in part (empty cells), that part is tested, with fewer `num_df` and a notice; NaN where nothing is left.

    Notes
    -----
    The hypotheses are those of SAS and mmrm; none depends on the coding of the factors. In type 2 a term contains
    another where it has the same numeric factors and more categorical ones (car also counts additional numeric ones).
    Satterthwaite's denominator for several rows depends on how the rows are written too (Fai & Cornelius take the
    eigenvectors of LΦL'). As mmrm we write them as the coefficients of the term when all factors are sum coded (type 3)
    or treatment coded (type 2). lmerTest writes those of terms inside others otherwise, and gets the same F on other
    degrees of freedom, with random slopes by as much as a third; emmeans takes the smallest df of the rows. Those of
    Kenward-Roger, and of the robust tests, do not depend on it.

    **Source**: Goodnight 1980, Comm Stat A 9:167, tests of hypotheses in fixed effects linear models (types II and
    III); Fox & Weisberg 2019, An R Companion to Applied Regression, section 5.3.4; mmrm's method for car::Anova.

    >>> from burnout_stats.models import MMRM, fit
    >>> from burnout_stats.studies import example
    >>> fitted = fit(MMRM("exhaustion ~ visit * sex"), example("villa_sana"))
    >>> term_tests(fitted).frame[["term", "num_df"]].to_string(index=False, header=False).split()
    ['visit', '2.0', 'sex', '1.0', 'visit:sex', '2.0']
    """
    kind = int(one_of("type", str(type), ["2", "3"]))
    terms = fit.design.formula.terms
    labels = [":".join(map(str, term)) for term in terms]
    if kind == 3:
        hypotheses = _type_three(fit, labels)
    elif isinstance(fit, Fit):
        hypotheses = _type_two(fit, terms)
    else:
        refuse_counted(fit, "Tests of type 2 are", "Ask for type=3.")
        raise StudyError(
            "E-STUDY-OPTION",
            "Type 2 is asked of a fit to imputed data.",
            "Its hypotheses follow the numbers in the cells, which imputation fills up.",
            "Ask for type=3.",
        )
    method, vcov_name = "", "model"
    joints: list[JointAnswer | None] = []
    partial: list[str] = []
    for label, L in zip(labels, hypotheses, strict=True):
        estimable = _estimable_part(L, fit.null)
        if len(estimable) < len(L):
            partial.append(f"{label} ({len(estimable)} of {len(L)})")
        joint = fit.answer_joint(estimable, df=df, vcov=vcov) if len(estimable) else None
        joints.append(joint)
        if joint is not None:
            method, vcov_name = joint.method, joint.vcov_name
    frame = f_tests(joints, float(fit.n_subjects), method)
    frame.insert(0, "term", labels)
    frame.insert(0, "outcome", fit.outcome.name)
    return Estimates(
        frame=frame,
        vcov=np.full((len(frame),) * 2, np.nan),
        about=about(
            fit,
            kind="tests",
            factors=("term",),
            df_method=method,
            vcov=vcov_name,
            notes=(NOTES[kind],) if terms else (),
        ),
        notices=fit.notices if not partial else (*fit.notices, _in_part(partial)),
    )


def _type_three(fit: Fitted, labels: list[str]) -> list[Array]:
    """The coefficients of each term when all factors are sum coded."""
    sums = recoded(fit.design.encoder, "sum")
    return [sums.T[list(sums.rows.get(label, ()))] for label in labels]


def _type_two(fit: Fit, terms: tuple[Term, ...]) -> list[Array]:
    """With columns ordered as (X₀ all others, X₁ the term, X₂ those that contain it) and M the projection off X₀, the
    rows are (0, I, (X₁'MX₁)⁻¹X₁'MX₂).
    """
    encoder = fit.design.encoder
    indicators = recoded(encoder, "treatment")
    R = _root(fit, indicators)
    hypotheses = []
    for term in terms:
        own = list(indicators.rows.get(":".join(map(str, term)), ()))
        above = [
            row
            for other in terms
            if contains(encoder, other, term)
            for row in indicators.rows.get(":".join(map(str, other)), ())
        ]
        others = np.setdiff1d(np.arange(R.shape[1]), [*own, *above])
        first = _orthonormal(R[:, others])
        left = R - first @ (first.T @ R)
        second = _orthonormal(left[:, own])
        L = np.zeros((len(own), R.shape[1]))
        both = [*own, *above]
        L[:, both] = np.linalg.pinv(second.T @ left[:, own]) @ (second.T @ left[:, both])
        hypotheses.append(L @ indicators.T)
    return hypotheses


def _root(fit: Fit, coding: Recoding) -> Array:
    """R with R'R = X*'X* for the columns of the recoding, each scaled as X* is."""
    state = fit.state
    if isinstance(state, MomentsState):
        p = state.moments.n_columns
        root: Array = np.linalg.cholesky(state.moments.gram[:p, :p]).T @ np.linalg.inv(state.basis.map)
    else:
        root = np.asarray(np.linalg.qr(fit.needed_rows().z[:, :-1][:, fit.kept], mode="r"))
    whole = np.zeros((len(root), len(coding.T)))
    whole[:, fit.kept] = root
    dropped = np.setdiff1d(np.arange(len(coding.T)), fit.kept)
    if len(dropped):
        # X null = 0 writes the columns left out as combinations of those kept
        whole[:, dropped] = -root @ fit.null[fit.kept] @ np.linalg.inv(fit.null[dropped])
    return np.asarray(np.linalg.solve(coding.T.T, whole.T).T)


def _orthonormal(columns: Array) -> Array:
    """An orthonormal basis of the span of some columns."""
    size = np.sqrt((columns**2).sum(0))
    u, s, _ = np.linalg.svd(columns / np.where(size > 0, size, 1.0), full_matrices=False)
    return np.asarray(u[:, s > 1e-7 * max(float(s.max(initial=0.0)), 1e-300)])


def _estimable_part(L: Array, null: Array) -> Array:
    """The rows of L, or, where the data cannot estimate all of them, the combinations that they can."""
    if not null.size or not len(L):
        return L
    u, s, _ = np.linalg.svd(L @ (null / np.sqrt((null**2).sum(0))))
    kept = u[:, int((s > 1e-9 * np.abs(L).max()).sum()) :].T @ L
    if not len(kept):
        return kept
    u, s, _ = np.linalg.svd(kept, full_matrices=False)
    rank = int((s > 1e-9 * np.abs(L).max()).sum())
    if rank == len(L):
        return L
    part = u[:, :rank].T @ kept
    # what rounding left beside a true 0 would not look estimable
    return np.asarray(np.where(np.abs(part) > 1e-12 * np.abs(L).max(), part, 0.0))


def _in_part(terms: list[str]) -> Notice:
    return Notice(
        "N-MODEL-TEST-IN-PART",
        f"These terms can be tested only in part, because some cells have nobody in them: {', '.join(terms)} rows.",
        "Leave the interaction out, or merge levels; the tests shown are of what the data can tell.",
    )
