"""The results as one JSON document for machines: full precision, a versioned schema, and a reason wherever a number is
null.

A reason stands beside the row's numbers, by column: `"reasons": {"estimate": "hidden"}`. It is "hidden" (too few
persons), "infinite" (degrees of freedom of a normal distribution) or "not estimable" / "not available" (the data hold
no answer).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from ..cohort import Cohort
from ..display.escape import clean
from ..estimates import Estimates, Summaries
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import shown as protected
from ..notices import Notice
from ..plan import OutcomeResults, Provenance, Results
from ..plan.events import EventResults
from ..sensitivity import Dashboard
from .gate import hides_model, tells

__all__ = ["SCHEMA", "tidy", "to_json", "to_schema"]

SCHEMA = 2
"""The version of this document, whose form is `results.schema.json`; it changes with that form. `compare` reads all.

1 had no `baseline`, `attrition`, `missingness`, `primary`, `unadjusted`, and no reasons beside `vcov`.
"""

COUNTS = frozenset({"n"})
"""Columns that hold whole numbers even where hiding has made them float."""


def to_schema() -> bytes:
    """The JSON Schema of `to_json`, as it stands in the package."""
    return files("burnout_stats.reporting").joinpath("results.schema.json").read_bytes()


def to_json(results: Results) -> bytes:
    """Protected results as UTF-8 JSON with sorted keys."""
    document = {
        "schema": SCHEMA,
        "title": results.plan.title,
        "cohort": _cohort(results.cohort),
        "flow": _summaries(results.flow),
        "baseline": None if results.baseline is None else _summaries(results.baseline),
        "attrition": None if results.attrition is None else _estimates(protected(results.attrition)),
        "missingness": None if results.missingness is None else _summaries(results.missingness),
        "primary": None if results.primary is None else _estimates(results.primary),
        "outcomes": [_outcome(part, results.cohort) for part in results.outcomes],
        "sensitivity": [_doubt(doubt) for doubt in results.doubts],
        **({"events": [_event(event) for event in results.events]} if results.events else {}),
        "notices": [_notice(notice) for notice in results.notices],
        "provenance": _provenance(results.provenance),
    }
    text = json.dumps(tidy(document), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def _cohort(cohort: Cohort) -> dict[str, Any]:
    return {
        "n_subjects": cohort.n_subjects,
        "visits": [{"label": label, "years": years} for label, years in cohort.visits.by_label().items()],
        "min_cell": cohort.policy.min_cell,
    }


def _outcome(part: OutcomeResults, cohort: Cohort) -> dict[str, Any]:
    role = part.outcome
    return {
        "name": role.name,
        "label": role.label,
        "unit": role.unit,
        "range": list(role.range) if role.range else None,
        "better": role.better,
        "instrument": role.instrument,
        "model": _model(part, cohort),
        "observed": _summaries(part.observed),
        "coefficients": _estimates(part.coefficients),
        "means": _estimates(part.means),
        "changes": _estimates(part.changes),
        "unadjusted": None if part.unadjusted is None else _estimates(part.unadjusted),
        "standardized_changes": _estimates(part.standardized),
    }


def _event(event: EventResults) -> dict[str, Any]:
    spec = event.fit.spec
    return {
        "name": event.name,
        "label": event.label,
        "counted": event.fit.counted.what,
        "model": {"formula": spec.formula, "family": spec.family, "link": spec.link_name},
        "means": _estimates(event.means),
        "differences": _estimates(event.differences),
        "ratios": _estimates(event.ratios),
    }


def _doubt(doubt: Dashboard) -> dict[str, Any]:
    """A dashboard, without the covariances of its rows: most of them are not known."""
    analyses = {name: _estimates(protected(value)) for name, value in doubt.estimates.items()}
    for value in analyses.values():
        del value["vcov"]
        value.pop("reasons", None)
    return {
        "outcome": doubt.outcome.name,
        "model": doubt.model.formula,
        "auxiliaries": list(doubt.auxiliaries),
        "predictors": list(doubt.predictors),
        "analyses": analyses,
    }


def _model(part: OutcomeResults, cohort: Cohort) -> dict[str, Any]:
    fit = part.fit
    hidden = hides_model(part, cohort)
    subjects, scores = tells(part)
    scores = scores and not hidden
    withheld = {
        "n_obs": not scores,
        "aicc": not scores,
        "n_subjects": not subjects,
        "bic": not subjects,
        "covariance.matrix": hidden,
    }
    reasons = {name: "hidden" for name, is_withheld in withheld.items() if is_withheld}
    return {
        "formula": fit.spec.formula,
        "covariance_structure": fit.spec.structure_code,
        "method": fit.spec.method,
        "n_obs": fit.n_obs if scores else None,
        "n_subjects": fit.n_subjects if subjects else None,
        "n_parameters": fit.n_parameters,
        "loglik": fit.loglik,
        "aic": fit.aic,
        "aicc": fit.aicc if scores else None,
        "bic": fit.bic if subjects else None,
        "converged": fit.converged,
        "iterations": fit.optimum.iterations,
        "max_gradient": fit.optimum.max_gradient,
        "covariance": {
            "visits": [str(label) for label in fit.covariance.index],
            "matrix": None if hidden else fit.covariance.to_numpy().tolist(),
        },
        **({"reasons": reasons} if reasons else {}),
    }


def _estimates(estimates: Estimates) -> dict[str, Any]:
    about = estimates.about
    return {
        "kind": about.kind,
        **({"quantity": about.quantity} if about.quantity else {}),
        "conf_level": about.conf_level,
        "df_method": about.df_method,
        "adjust": about.adjust,
        "factors": list(about.factors),
        "by": list(about.by),
        "notes": list(about.notes),
        "rows": _rows(estimates.frame, _otherwise(estimates), n_is_withheld=about.n_withheld),
        "vcov": estimates.vcov.tolist(),
        **_reasons(estimates),
    }


def _otherwise(estimates: Estimates) -> str:
    """Why numbers are null where nothing else is said; nobody tests that a probability is 0."""
    is_untested = estimates.about.kind == "means" and bool(estimates.about.quantity)
    return "not available" if is_untested and not estimates.frame["estimate"].isna().any() else "not estimable"


def _reasons(estimates: Estimates) -> dict[str, Any]:
    """Why covariances are null: their rows are hidden, or have no estimate."""
    gone = ~np.isfinite(estimates.vcov)
    if not gone.any():
        return {}
    hidden = estimates.frame[HIDDEN].to_numpy(dtype=bool)
    is_hidden = hidden.any() and not (gone & ~(hidden[:, None] | hidden[None, :])).any()
    return {"reasons": {"vcov": "hidden" if is_hidden else "not estimable"}}


def _summaries(summaries: Summaries) -> dict[str, Any]:
    about = summaries.about
    return {
        "kind": about.kind,
        "notes": list(about.notes),
        "rows": _rows(summaries.frame, "not available", n_is_withheld=about.n_withheld),
    }


def _rows(frame: pd.DataFrame, otherwise: str, *, n_is_withheld: bool) -> list[dict[str, Any]]:
    columns = {str(name): frame[name].astype(object).tolist() for name in frame.columns}
    return [
        _row({name: values[k] for name, values in columns.items()}, otherwise, n_is_withheld) for k in range(len(frame))
    ]


def _row(cells: Mapping[str, Any], otherwise: str, n_is_withheld: bool) -> dict[str, Any]:
    hidden = bool(cells.get("hidden", False))
    row: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for name, value in cells.items():
        if isinstance(value, str | bool | np.bool_):
            row[name] = bool(value) if not isinstance(value, str) else value
            continue
        number = math.nan if value is None else float(value)
        if math.isfinite(number):
            row[name] = int(number) if name in COUNTS and number.is_integer() else number
        else:
            row[name] = None
            reasons[name] = (
                "infinite"
                if math.isinf(number)
                else "hidden"
                if hidden or (name == "n" and n_is_withheld)
                else otherwise
            )
    return row | ({"reasons": reasons} if reasons else {})


def _provenance(provenance: Provenance) -> dict[str, Any]:
    return {
        "versions": dict(provenance.versions),
        "platform": provenance.platform,
        "study": {"name": provenance.study_name, "sha256": provenance.study_sha256},
        "data": {
            "name": provenance.data_name,
            "sha256": provenance.data_sha256,
            "rows_read": provenance.rows_read,
            "rows_kept": provenance.rows_kept,
            "dialect": dict(provenance.dialect),
            **({"reasons": {"rows_read": "hidden", "rows_kept": "hidden"}} if provenance.rows_read is None else {}),
        },
        "seed": provenance.seed,
        "date": provenance.date or None,
        "plan": dict(provenance.plan),
    }


def _notice(notice: Notice) -> dict[str, str]:
    return {"code": notice.code, "message": notice.message, "advice": notice.advice}


def tidy(value: Any) -> Any:
    """The document with NaN and infinity as null, and labels without control characters."""
    if isinstance(value, Mapping):
        return {clean(str(key)): tidy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [tidy(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return clean(value) if isinstance(value, str) else value
