"""Cohorts that several tests read, and small ones made from a random generator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from burnout_stats.cohort import Cohort, read_cohort

ORACLES = Path(__file__).parent / "reference" / "oracles"
TIMES = {"baseline": 0.0, "1 year": 1.0, "3 years": 3.0}


def oracle(name: str) -> dict[str, Any]:
    """Reference results by name of the data set."""
    return json.loads((ORACLES / f"{name}.json").read_text(encoding="utf-8"))


def burnout_200() -> Cohort:
    """200 subjects, three visits, two groups, dropout."""
    frame = pd.read_csv(ORACLES / "burnout_200.csv").drop(columns="years")
    return read_cohort(
        frame,
        subject="id",
        visit="visit",
        times={"v0": 0, "v1": 1, "v3": 3},
        outcomes=["EE"],
        covariates={
            "group": {"levels": ["control", "intervention"]},
            "sex": {"levels": ["F", "M"]},
            "age": {"unit": "years"},
            "specialty": {},
        },
    )


def potthoff_roy() -> Cohort:
    """Dental growth of 27 children at 8, 10, 12 and 14 years (Potthoff & Roy 1964, Biometrika 51:313)."""
    frame = pd.read_csv(ORACLES / "potthoff_roy.csv")
    frame["visit"] = frame["age"].astype(str)
    return read_cohort(
        frame.drop(columns="age"),
        subject="Subject",
        visit="visit",
        times={"8": 8, "10": 10, "12": 12, "14": 14},
        outcomes=["distance"],
        covariates={"Sex": {"levels": ["Male", "Female"]}},
    )


def scores(n: int, seed: int, *, seen: float = 1.0, fall: tuple[float, ...] = (0.0, -0.5, -0.6)) -> pd.DataFrame:
    """Long scores of n subjects at three visits with a group, a sex and an age; later visits are seen with probability
    `seen`.
    """
    rng = np.random.default_rng(seed)
    covariance = np.array([[0.88, 0.30, 0.25], [0.30, 0.60, 0.35], [0.25, 0.35, 0.70]])
    y = rng.multivariate_normal(3 + np.array(fall), covariance, size=n)
    there = rng.random((n, 3)) < [1.0, seen, seen]
    subject, visit = np.nonzero(there)
    return pd.DataFrame(
        {
            "id": [f"S{k:04d}" for k in subject],
            "visit": np.array(list(TIMES))[visit],
            "score": y[subject, visit],
            "sex": np.array(["F", "M"])[rng.integers(0, 2, n)][subject],
            "age": rng.normal(47, 9, n)[subject],
        }
    )


def cohort_of(frame: pd.DataFrame, **roles: Any) -> Cohort:
    """A cohort from `scores`, or from a frame shaped like it."""
    times = {label: years for label, years in TIMES.items() if label in set(frame["visit"])}
    asked = {"subject": "id", "visit": "visit", "times": times, "outcomes": ["score"]} | roles
    return read_cohort(frame, **asked)
