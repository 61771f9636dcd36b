"""A synthetic peer-support cohort: doctors in supporters in counties, a dose, mode and supporter that they choose
themselves, a help-seeking category, treatment taken up on the way, and a form at 12 months within a window of days.

A score is a latent normal carried to its grid: at visit t of doctor i with supporter j in county c,

    y = mean of the category at t + county_c + supporter_j + e_it,      e of both outcomes and visits correlated

Sessions, mode, choice and treatment change no score here: doctors in greater need take more sessions, so that a course
that differs by dose shows selection and not dose. Everything is an assumption but the design (see the data file beside
this one, `peer_support.assumed.toml`).
"""

from __future__ import annotations

import io
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from ..cohort import Cohort, read_cohort
from ..errors import StudyError

__all__ = ["ASSUMPTIONS", "csv_text", "peer_support", "shipped", "tables_of", "themes"]

Array = NDArray[np.float64]
VISITS = {"baseline": 0.0, "12 months": 1.0}
COLUMNS = (
    "sex",
    "age",
    "career",
    "category",
    "county",
    "supporter",
    "choice",
    "mode",
    "sessions",
    "treatment",
    "consent",
)
CONSENT = ("form not returned", "form returned", "interviewed")
YEAR = 365.25
NOTE = "An assumption of the synthetic cohort: the services print no scores."


@cache
def tables_of() -> Mapping[str, Any]:
    """The assumptions, as read."""
    text = files(__package__).joinpath("peer_support.assumed.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def themes() -> dict[str, tuple[str, ...]]:
    """The help-seeking categories of the 2021 study in words, by the level of `category`: labels, and no findings.

    >>> themes()["advice"]
    ('concerned, looking for advice',)
    """
    return {level: (str(label),) for level, label in tables_of()["themes"].items()}


def peer_support(*, n: int | None = None, seed: int | None = None) -> Cohort:
    """A synthetic peer-support cohort; without n and seed the one that ships as `data/synthetic/peer_support.csv`.

    The same n and seed give the same cohort.

    Raises
    ------
    StudyError
        `E-STUDY-SIZE` for fewer than 90 doctors (there is one for each supporter) or a negative seed.

    >>> peer_support()
    <Cohort: 450 subjects, 2 visits, outcomes exhaustion, distress>
    """
    plan = tables_of()
    return _read(_frame(plan["n"] if n is None else n, plan["seed"] if seed is None else seed))


def csv_text(*, n: int | None = None, seed: int | None = None) -> str:
    """The cohort as CSV, one line for each form that came back."""
    plan = tables_of()
    stream = io.StringIO()
    _frame(plan["n"] if n is None else n, plan["seed"] if seed is None else seed).to_csv(
        stream, index=False, lineterminator="\n", float_format="%.10g"
    )
    return stream.getvalue()


def shipped() -> dict[str, str]:
    """The files of the example by name: data, study file, and the dictionary of the data."""
    from ._peer_support_files import dictionary, study_file

    return {
        "peer_support.csv": csv_text(),
        "peer_support.toml": study_file(tables_of()),
        "peer_support.md": dictionary(tables_of()),
    }


def covariates() -> dict[str, dict[str, Any]]:
    """The covariates with label, levels and unit."""
    levels = tables_of()["levels"]
    counties, supporters = _places()
    return {
        "sex": {"label": "Sex", "levels": levels["sex"]},
        "age": {"label": "Age", "unit": "years", "constant": True},
        "career": {"label": "Career", "levels": levels["career"], "constant": True},
        "category": {"label": "Help-seeking category", "levels": levels["category"], "constant": True},
        "county": {"label": "County", "levels": counties, "constant": True},
        "supporter": {"label": "Peer supporter", "levels": supporters, "constant": True},
        "choice": {"label": "Why this supporter", "levels": levels["choice"], "constant": True},
        "mode": {"label": "Mode", "levels": levels["mode"], "constant": True},
        "sessions": {"label": "Sessions taken", "levels": levels["sessions"], "constant": True},
        "treatment": {"label": "Formal treatment by 12 months", "levels": ["no", "yes"], "constant": True},
        "consent": {"label": "Interview study", "levels": list(CONSENT), "constant": True},
    }


def outcomes() -> dict[str, dict[str, Any]]:
    """The outcomes with label, range, direction and instrument."""
    return {
        name: {
            "label": row["label"],
            "range": row["range"],
            "better": "lower",
            "instrument": row["instrument"],
            "note": NOTE,
        }
        for name, row in tables_of()["outcomes"].items()
    }


def _read(frame: pd.DataFrame) -> Cohort:
    return read_cohort(
        frame,
        subject="id",
        visit="visit",
        times=VISITS,
        outcomes=outcomes(),
        covariates=covariates(),
        date="date",
        windows={"12 months": tables_of()["window"]},
    )


def _places() -> tuple[list[str], list[str]]:
    """Counties, and supporters named by county, spread as evenly as can be."""
    plan = tables_of()
    county = np.arange(plan["n_supporters"]) * plan["n_counties"] // plan["n_supporters"]
    counties = [f"C{c + 1:02d}" for c in range(plan["n_counties"])]
    return counties, [f"{counties[c]}-S{j + 1:02d}" for j, c in enumerate(county)]


def _frame(n: int, seed: int) -> pd.DataFrame:
    """The forms as a frame, in the columns of the CSV."""
    plan = tables_of()
    if n < plan["n_supporters"] or seed < 0:
        raise StudyError(
            "E-STUDY-SIZE",
            f"A peer-support cohort was asked for with n = {n} and seed = {seed}.",
            f"n is {plan['n_supporters']} or more, one doctor for each supporter; the seed is 0 or more.",
            "Write for example n=450, seed=1.",
        )
    groups, scores, choices, dates = (
        np.random.Generator(np.random.PCG64(part)) for part in np.random.SeedSequence(seed).spawn(4)
    )
    counties, supporters = _places()
    levels, shares, relations = plan["levels"], plan["shares"], plan["relations"]
    supporter = groups.permutation(np.arange(n) % len(supporters))
    county = np.array([counties.index(name.split("-")[0]) for name in supporters])
    drawn = {name: _quota(np.array(shares[name]), n, groups) for name in shares}
    category = drawn["category"]
    y = _scores(plan, category, supporter, county, scores)
    exhaustion = y["exhaustion"][:, 0]
    terms = np.column_stack([exhaustion - 3.0, category == 1, category == 2]).astype(float)
    need = relations["need_of_exhaustion"] * terms[:, 0] + np.array(relations["need_of_category"])[category]
    latent = need + choices.logistic(size=n)
    sessions = (latent[:, None] > np.array(relations["sessions_cuts"])).sum(1)
    uniform = choices.random((2, n))
    treatment = uniform[0] < _chance(relations["treatment"], terms)
    answers = uniform[1] < _chance(relations["answers"], terms)
    age = np.where(drawn["career"] == 1, *(_ages(relations[k], n, choices) for k in ("student_age", "age")))
    consent = _consent(plan, terms @ np.array(relations["returns"]), choices)
    columns: dict[str, Any] = {
        "sex": np.array(levels["sex"])[drawn["sex"]],
        "age": age,
        "career": np.array(levels["career"])[drawn["career"]],
        "category": np.array(levels["category"])[category],
        "county": np.array(counties)[county[supporter]],
        "supporter": np.array(supporters)[supporter],
        "choice": np.array(levels["choice"])[drawn["choice"]],
        "mode": np.array(levels["mode"])[drawn["mode"]],
        "sessions": np.array(levels["sessions"])[sessions],
        "treatment": np.where(treatment, "yes", "no"),
        "consent": np.array(CONSENT)[consent],
    }
    days = _days(plan, n, dates)
    parts = []
    for t, visit in enumerate(VISITS):
        part = pd.DataFrame({"id": [f"PS{k:04d}" for k in range(1, n + 1)], "visit": visit, "date": days[:, t]})
        part = part.assign(**columns, **{name: values[:, t] for name, values in y.items()})
        parts.append(part if t == 0 else part[answers])
    frame = pd.concat(parts, ignore_index=True)
    ordered: pd.DataFrame = frame.sort_values("id", kind="stable", ignore_index=True)
    return ordered


def _quota(shares: Array, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Levels in their shares as near as can be, in random order."""
    position = (rng.permutation(n) + 0.5) / n
    return np.searchsorted(np.cumsum(shares)[:-1], position).astype(np.int64)


def _scores(
    plan: Mapping[str, Any],
    category: NDArray[np.int64],
    supporter: NDArray[np.int64],
    county: NDArray[np.intp],
    rng: np.random.Generator,
) -> dict[str, Array]:
    """Reported scores (doctors × visits) by outcome."""
    rows, relations = plan["outcomes"], plan["relations"]
    K = len(rows)
    same, other = relations["between_outcomes"], relations["across"]
    R = np.kron(np.ones((K, K)), np.array([[same, other], [other, same]]))
    for k, row in enumerate(rows.values()):
        R[2 * k : 2 * k + 2, 2 * k : 2 * k + 2] = [[1.0, row["stability"]], [row["stability"], 1.0]]
    e = (rng.standard_normal((len(category), 2 * K)) @ np.linalg.cholesky(R).T).reshape(-1, K, 2)
    of_supporter, of_county = rng.standard_normal((len(county), K)), rng.standard_normal((plan["n_counties"], K))
    found = {}
    for k, (name, row) in enumerate(rows.items()):
        mean = np.array(row["baseline"])[:, None] + np.array(row["change"])[:, None] * np.array([0.0, 1.0])
        place = row["supporter_sd"] * of_supporter[supporter, k] + row["county_sd"] * of_county[county[supporter], k]
        y = mean[category] + place[:, None] + e[:, k] * np.array(row["sd"])
        low, high = row["range"]
        step = (high - low) / row["steps"]
        found[name] = np.round(low + step * np.clip(np.rint((y - low) / step), 0, row["steps"]), 2)
    return found


def _chance(coefficients: list[float], terms: Array) -> Array:
    intercept, *slopes = coefficients
    return np.asarray(expit(intercept + terms @ np.array(slopes)))


def _ages(moments: list[float], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    mean, sd = moments
    return np.clip(np.rint(rng.normal(mean, sd, n)), 21, 70).astype(np.int64)


def _consent(plan: Mapping[str, Any], worth: Array, rng: np.random.Generator) -> NDArray[np.int64]:
    """Who returned the form and who was interviewed: as many as in the 2023 study, chosen one after another with
    weights exp(worth) (Gumbel noise and ranks), and the interviewed at random among the returned.
    """
    rank = np.argsort(-(worth + rng.gumbel(size=len(worth))), kind="stable")
    consent = np.zeros(len(worth), dtype=np.int64)
    returned = rank[: plan["returned"]]
    consent[returned] = 1
    consent[rng.permutation(returned)[: plan["interviewed"]]] = 2
    return consent


def _days(plan: Mapping[str, Any], n: int, rng: np.random.Generator) -> NDArray[np.object_]:
    """ISO dates of both forms (n × 2); the second inside the window around 12 months."""
    first, last = (np.datetime64(plan[key], "D") for key in ("first_contact", "last_contact"))
    contact = first + rng.integers(0, int((last - first) / np.timedelta64(1, "D")) + 1, n)
    # whole days about 365.25: day 365 less 19 and plus 20 are the farthest inside the window
    off = np.clip(np.rint(rng.normal(0.0, plan["relations"]["days_sd"], n)), -plan["window"] + 1, plan["window"])
    later = contact + (np.floor(YEAR) + off).astype(np.int64)
    return np.column_stack([contact.astype(str), later.astype(str)]).astype(object)


ASSUMPTIONS = (
    "Every score, share and relation is an assumption; the design variables and their values are of the services.",
    "Sessions, mode, supporter and treatment are chosen by the doctors; in this simulation none of them moves a score.",
    (
        "450 consent forms handed out, 22 returned, 12 interviewed (2023): that these 450 are the doctors of this "
        "cohort is an assumption, and so is who returned the form. The interviewed are self-selected and stand for "
        "nobody else."
    ),
)
"""What is printed with every analysis of the cohort."""
