"""Results made by hand, so that tests of tables, figures and text need no model; and labels that mean harm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd

from burnout_stats.cohort.roles import Outcome, Visits
from burnout_stats.estimates import About, Estimates, Summaries
from burnout_stats.models import MMRM

VISITS = {"baseline": 0.0, "1 year": 1.0, "3 years": 3.0}
PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]>--><svg onload=alert(1)>",
    '=HYPERLINK("https://example.org")',
    "@SUM(1+1)",
    "+1|-1",
    "a|b\n| c",
    "[link](javascript:alert(1)) `code` **bold** _it_",
    "::error::stop",
    "##[error]stop",
    r"$\frac{1}{$ \undefined",
    "\x1b[31mred\x07",
    "\u202eevil",
    "{{ 7 * 7 }}",
)


def about(kind: str = "means", label: str = "Emotional exhaustion", **more: object) -> About:
    return replace(
        About(
            kind=kind,
            outcomes={"exhaustion": label},
            better={"exhaustion": "lower"},
            ranges={"exhaustion": (1.0, 5.0)},
            visit_years=VISITS,
            factors=("visit",),
            df_method="kenward-roger",
        ),
        **more,  # type: ignore[arg-type]
    )


def numbers(
    estimate: float, std_error: float, n: float, p_value: float = 0.0001, df: float = 180.23
) -> dict[str, float | str]:
    return {
        "estimate": estimate,
        "std_error": std_error,
        "df": df,
        "statistic": estimate / std_error if std_error else np.nan,
        "p_value": p_value,
        "conf_low": estimate - 1.973 * std_error,
        "conf_high": estimate + 1.973 * std_error,
        "n": n,
        "method": "kenward-roger",
    }


def estimates(rows: Sequence[dict[str, object]], kind: About) -> Estimates:
    frame = pd.DataFrame(list(rows))
    return Estimates(frame=frame, vcov=np.diag(frame["std_error"].astype(float) ** 2), about=kind)


def means(*, sexes: Sequence[str] = (), label: str = "Emotional exhaustion", few: float | None = None) -> Estimates:
    """Means at three visits, for each sex if any are named; `few` is the number of subjects behind the last one."""
    rows: list[dict[str, object]] = []
    for place, sex in enumerate(sexes or [""]):
        for visit, mean, n in zip(VISITS, (3.052, 2.531, 2.312), (227, 185, 184), strict=True):
            row: dict[str, object] = {"outcome": "exhaustion", "visit": visit}
            row |= {"sex": sex} if sexes else {}
            rows.append(row | numbers(mean - 0.1 * place, 0.9 / n**0.5, n // max(len(sexes), 1)))
    if few is not None:
        rows[-1]["n"] = few
    by = ("sex",) if sexes else ()
    return estimates(rows, about(label=label, by=by, notes=("Averaged over age.",)))


def changes(*, p_values: tuple[float, float] = (0.0001, 0.04996), adjust: str = "none", **more: object) -> Estimates:
    rows = [
        {"outcome": "exhaustion", "contrast": "1 year - baseline"} | numbers(-0.5213, 0.0712, 185, p_values[0]),
        {"outcome": "exhaustion", "contrast": "3 years - baseline"} | numbers(-0.6514, 0.0741, 184, p_values[1]),
    ]
    return estimates(rows, about("contrasts", factors=("contrast",), adjust=adjust, **more))


def one_change(
    estimate: float, std_error: float = 0.07, p_value: float = 0.3, contrast: str = "1 year - baseline", **more: object
) -> Estimates:
    row: dict[str, object] = {"outcome": "exhaustion", "contrast": contrast}
    return estimates(
        [row | numbers(estimate, std_error, 185, p_value)], about("contrasts", factors=("contrast",), **more)
    )


def coefficients() -> Estimates:
    rows = [
        {"outcome": "exhaustion", "term": "(Intercept)"} | numbers(3.0521, 0.31, 227),
        {"outcome": "exhaustion", "term": "visit[1 year]"} | numbers(-0.5213, 0.0712, 227),
        {"outcome": "exhaustion", "term": "age"} | numbers(0.00391, 0.0021, 227, 0.0641),
        {"outcome": "exhaustion", "term": "sex[M]"} | numbers(np.nan, np.nan, 227, np.nan, np.nan),
    ]
    return estimates(rows, about("coefficients", factors=("term",)))


def observed(*, sexes: Sequence[str] = (), few: float | None = None) -> Summaries:
    rows: list[dict[str, object]] = []
    for sex in sexes or [""]:
        for visit, mean, n in zip(VISITS, (3.07, 2.55, 2.29), (227, 185, 184), strict=True):
            seen = few if few is not None and visit == "3 years" else n
            for statistic, value in {
                "n": seen,
                "missing": 227 - n,
                "mean": mean,
                "sd": 0.94,
                "median": 3.0,
                "q1": 2.3,
                "q3": 3.7,
            }.items():
                row: dict[str, object] = {"variable": "exhaustion", "level": visit}
                row |= {"sex": sex} if sexes else {}
                rows.append(
                    row | {"statistic": statistic, "value": float(value), "n": 100 if statistic == "missing" else seen}
                )
    return Summaries(frame=pd.DataFrame(rows), about=about("by_visit", by=("sex",) if sexes else ()))


def fit(
    formula: str = "exhaustion ~ visit * sex + age", *, converged: bool = True, n_obs: int = 596
) -> SimpleNamespace:
    """What prose and tables read of a Fit."""
    Sigma = pd.DataFrame(
        [[0.88, 0.31, 0.28], [0.31, 0.58, 0.35], [0.28, 0.35, 0.64]], index=list(VISITS), columns=list(VISITS)
    )
    return SimpleNamespace(
        spec=MMRM(formula),
        outcome=Outcome("exhaustion", "Emotional exhaustion", (1.0, 5.0), "", "lower"),
        visits=Visits.of(VISITS),
        covariance=Sigma,
        n_obs=n_obs,
        n_subjects=227,
        converged=converged,
    )
