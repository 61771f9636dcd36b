"""A published cohort as the starting point of a plan: its means, spread, correlations and lost visits, with sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import one_of
from ..power import CohortDesign
from ._design import EVERYONE, Design, design, study_id

__all__ = ["planned"]


def planned(
    name: str = "villa_sana",
    outcome: str = "exhaustion",
    *,
    n: int | None = None,
    contrasts: Sequence[str] = (),
) -> CohortDesign:
    """The design of a study like this one: what it was, or is assumed to have been, as a plan for the next.

    Means, standard deviations and correlations are those of the study's targets; where a number was reported of those
    who were seen then, it is taken as it stands. The patterns of visits are as they were counted. `sources` tells
    which of them were printed and which are assumptions.

    Parameters
    ----------
    name : id of a study with a synthetic cohort
    outcome : str
        One of its outcomes.
    n : int, optional
        Persons; the study's own number where left out.
    contrasts : as in `power.CohortDesign`

    Raises
    ------
    StudyError
        `E-STUDY-UNKNOWN` for an unknown study, `E-STUDY-OPTION` for an outcome that it does not have.

    Examples
    --------
    >>> from burnout_stats.studies import planned
    >>> like = planned("villa_sana", "exhaustion", n=100)
    >>> like.sds.tolist(), like.expected_n().round(1).tolist()
    ([0.9373, 0.76, 0.8], [[100.0, 81.5, 81.1]])
    """
    study = design(study_id(name))
    outcomes = [key for key, table in study.variables.items() if table["role"] == "outcome"]
    table = study.variables[one_of("outcome", outcome, outcomes)]
    moments: dict[str, Mapping[str, Any]] = {str(moment["visit"]): moment for moment in table["moments"]}
    labels = study.visits.labels
    places = {label: at for at, label in enumerate(labels)}
    R = np.eye(len(labels))
    for pair in table["stability"]:
        a, b = (places[str(label)] for label in pair["visits"])
        R[a, b] = R[b, a] = float(pair["value"])
    counts = {"".join(str(int(seen)) for seen in record["seen"]): float(record["count"]) for record in study.patterns}
    total = sum(counts.values())
    at = [moments[label] for label in labels]
    return CohortDesign(
        [float(moment["mean"]) for moment in at],
        sd=[float(moment["sd"]) for moment in at],
        correlation=R,
        visits=study.visits.by_label(),
        contrasts=tuple(contrasts),
        patterns={key: count / total for key, count in counts.items()},
        n=study.n if n is None else n,
        outcome=str(table["label"]),
        better=str(table["better"]),
        sources={
            "means and standard deviations": _told(study, at),
            "correlations": _told(study, table["stability"]),
            "patterns of visits": _told(study, study.patterns),
        },
    )


def _told(study: Design, records: Sequence[Mapping[str, Any]]) -> str:
    """The sources of some numbers, each with its mark."""
    told = []
    for record in records:
        among = str(record.get("among", EVERYONE))
        whom = "" if among == EVERYONE else f" among those seen at {among}"
        source = study.source(str(record.get("source", "")))
        told.append(f"{record['mark']}{f' ({source})' if source else ''}{whom}")
    return "; ".join(dict.fromkeys(told))
