"""Synthetic cohorts by name: in memory, as a CSV file, and as the folder of files that ships with the package."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd

from ..cohort import Cohort
from ..cohort.simulate import simulate as draw
from ._design import Design, design, example_seed, parameters, study_id
from ._dictionary import dictionary
from ._peer_support import csv_text as peer_support_csv
from ._peer_support import peer_support, shipped
from ._truth import truth

__all__ = ["csv_text", "example", "simulate", "study_file", "write", "write_synthetic"]


def simulate(name: str, *, n: int | None = None, seed: int) -> Cohort:
    """A synthetic cohort drawn from a study's parameters; n is the study's own size where it is not given.

    >>> simulate("villa_sana", n=50, seed=1)
    <Cohort: 50 subjects, 3 visits, outcomes exhaustion, job_stress, depression, anxiety>

    Raises
    ------
    StudyError
        `E-STUDY-UNKNOWN` for an unknown study, `E-STUDY-SIZE` for n below 1 or a negative seed.
    """
    if _is_peer_support(name):
        return peer_support(n=n, seed=seed)
    return draw(parameters(name), n=design(study_id(name)).n if n is None else n, seed=seed)


def example(name: str) -> Cohort:
    """The synthetic cohort that ships as `data/synthetic/<name>.csv`, made in memory.

    >>> example("villa_sana").n_subjects
    227
    """
    return peer_support() if _is_peer_support(name) else simulate(name, seed=example_seed(name))


def write(name: str, target: str | Path | TextIO, *, n: int | None = None, seed: int | None = None) -> None:
    """Write a synthetic cohort as CSV to a path or an open text stream; without a seed, that of the shipped example."""
    if _is_peer_support(name):
        text = peer_support_csv(n=n, seed=seed)
    else:
        cohort = simulate(name, n=n, seed=example_seed(name) if seed is None else seed)
        text = csv_text(cohort, design(study_id(name)))
    if isinstance(target, (str, Path)):
        Path(target).write_text(text, encoding="utf-8", newline="")
    else:
        target.write(text)


def write_synthetic(folder: str | Path, name: str = "villa_sana") -> tuple[Path, ...]:
    """Write the shipped example of a study: CSV, study file, what is true of it, and the dictionary of the data.

    The same version of the package and its libraries writes the same bytes. Returns the paths written.
    """
    texts = shipped() if _is_peer_support(name) else _texts(study_id(name))
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8", newline="")
    return tuple(folder / file for file in texts)


def _is_peer_support(name: str) -> bool:
    """Whether the cohort is the nested one, which has a recipe of its own."""
    return name.replace("-", "_") == "peer_support"


def _texts(key: str) -> dict[str, str]:
    plan, told = design(key), truth(key)
    cohort = example(key)
    return {
        f"{key}.csv": csv_text(cohort, plan),
        f"{key}.toml": study_file(cohort, plan),
        f"{key}.truth.json": json.dumps(told, indent=2, ensure_ascii=False) + "\n",
        "README.md": dictionary(plan, told),
    }


def csv_text(cohort: Cohort, plan: Design) -> str:
    """The cohort as CSV, one line per subject and visit: `id`, `visit`, then the columns in the study's order."""
    data = cohort.data
    columns = {"id": cohort.ids[data["subject"].to_numpy() - 1], "visit": data["visit"].astype(str)}
    columns |= {name: _cells(data[name]) for name in plan.tables["columns"]}
    stream = io.StringIO()
    pd.DataFrame(columns).to_csv(stream, index=False, lineterminator="\n")
    return stream.getvalue()


def _cells(column: pd.Series) -> list[str]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return [str(label) for label in column]
    return [f"{value:.10g}" for value in column.to_numpy(dtype=np.float64)]


def study_file(cohort: Cohort, plan: Design) -> str:
    """The study file of the cohort."""
    lines = [
        "config_version = 1",
        f"title = {_quoted(plan.tables['title'])}",
        f"description = {_quoted(plan.tables['description'])}",
        "",
        "[data]",
        f'file = "{plan.name}.csv"',
        'subject = "id"',
        'visit = "visit"',
        "",
        "[visits]",
        *(f"{_quoted(label)} = {years:g}" for label, years in cohort.visits.by_label().items()),
    ]
    for outcome in cohort.outcome_roles.values():
        lowest, highest = outcome.range or (0.0, 0.0)
        lines += [
            "",
            f"[outcomes.{outcome.name}]",
            f"label = {_quoted(outcome.label)}",
            f"instrument = {_quoted(outcome.instrument)}",
        ]
        lines += [f"range = [{lowest:g}, {highest:g}]", f"better = {_quoted(outcome.better)}"]
        lines += [f"note = {_quoted(outcome.note)}"] if outcome.note else []
    for covariate in cohort.covariate_roles.values():
        lines += ["", f"[covariates.{covariate.name}]", f"label = {_quoted(covariate.label)}"]
        lines += [f"levels = [{', '.join(map(_quoted, covariate.levels))}]"] if covariate.levels else []
        lines += [f"unit = {_quoted(covariate.unit)}"] if covariate.unit else []
    return "\n".join([*lines, "", *ANALYSIS]) + "\n"


ANALYSIS = (
    "[disclosure]",
    "min_cell = 5",
    "quasi_identifiers = []  # no row is a person",
    "",
    "[estimand]",
    'population = "Doctors who came for counseling and answered the first questionnaire."',
    'variable = "Emotional exhaustion (1-5) at baseline and 1 year later, whoever still answers."',
    'exposure = "The time since counseling: 1 year later against baseline; there is nobody to compare with."',
    "intercurrent_events = [",
    '  { event = "full-time sick leave", strategy = "treatment policy" },',
    '  { event = "psychotherapy", strategy = "treatment policy" },',
    "]",
    'summary = "The mean change, in points of the scale."',
    "causal = false",
    "",
    "[missing_data]",
    'reasons = "Busy people do not answer; those who left practice are harder to reach."',
    'mechanism = "missing at random"',
    'justification = "Earlier scores, sex and age are in the model, and foretell who answers."',
    'auxiliaries = ["job_stress[baseline]", "coping[baseline]"]',
    'complete_records = "Not valid alone: those who answered every time may have been better off from the start."',
    'sensitivity = "Imputation that lets those who stayed away change less than others, up to a tipping point."',
    "",
    "[analysis]",
    'model = "mmrm"',
    'terms = ["visit", "sex", "age", "visit:sex"]',
    'covariance = "us"',
    'df = "kenward-roger"',
    'contrasts = "vs_baseline"',
    "",
    "[analysis.primary]",
    'outcomes = ["exhaustion", "job_stress"]',
    'contrasts = ["1 year - baseline"]',
    'adjust = "holm"',
    "",
    "[analysis.adjustment]",
    'sex = "Women and men may answer differently; it was known before."',
    'age = "Doctors of another age may burn out, and stay in a cohort, differently."',
    "",
    "[sensitivity]",
    'outcomes = ["exhaustion"]',
    'auxiliaries = ["job_stress[baseline]", "coping[baseline]"]',
    "imputations = 200",
    "",
    "[sensitivity.norms.exhaustion]",
    "mean = 2.52",
    "sd = 0.92",
    "n = 1070",
    'label = "Norwegian doctors 1993"',
    'source = "BMC Public Health 2007;7:36, table 3; the SD is implied by the interval"',
    "",
    "[sensitivity.stabilities.exhaustion]",
    "value = 0.62",
    "n = 293",
    "lag = 5",
    'source = "Ind Health 2016;54:139: exhaustion on exhaustion five years earlier, standardized, adjusted"',
    "",
    "[report]",
    'formats = ["html", "json", "csv"]',
    'number_style = "plain"',
    "seed = 1",
)


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    return json.dumps(text, ensure_ascii=False)
