"""Planning against R (power/run.R), and against numbers that other packages print."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

from burnout_stats import power
from burnout_stats.engine import power as engine
from burnout_stats.power._mmrm import planned
from tests import tolerances as tol

FOLDER = Path(__file__).parent / "power"
PUBLISHED: dict[str, Any] = tomllib.loads((FOLDER / "published.toml").read_text(encoding="utf-8"))


def reference(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"r_{name}.csv")


def columns(name: str, *wanted: str) -> list[Any]:
    frame = reference(name)
    return [frame[column].to_numpy() for column in wanted]


def alternative(name: str) -> Any:
    return "two-sided" if name == "two.sided" else "greater"


def test_tails_of_the_noncentral_t() -> None:
    df, ncp, c, above, below = columns("noncentral_t", "df", "ncp", "c", "above", "below")
    np.testing.assert_allclose(engine._above(c, df, ncp), above, rtol=0, atol=tol.NONCENTRAL_T)
    np.testing.assert_allclose(engine._above(c, df, -ncp), below, rtol=0, atol=tol.NONCENTRAL_T)


def test_power_of_t_tests() -> None:
    for row in reference("power_t_test").to_dict("records"):
        side = alternative(row["alternative"])
        if row["type"] == "paired":
            found = power.paired(row["delta"], sd=row["sd"], n=row["n"], alternative=side)
        else:
            found = power.two_arms(
                row["delta"], sd=row["sd"], correlation=0.5, analysis="post", n=2 * row["n"], alternative=side
            )
        assert measure(found, "power") == pytest.approx(row["power"], abs=tol.NONCENTRAL_T)


def test_persons_of_t_tests() -> None:
    for row in reference("n_t_test").to_dict("records"):
        if row["type"] == "paired":
            found = power.paired(row["delta"], sd=0.9, power=row["power"])
            assert found.frame["n"].iloc[0] == np.ceil(row["n"])
        else:
            found = power.two_arms(row["delta"], sd=0.9, correlation=0.5, analysis="post", power=row["power"])
            assert found.frame["n"].iloc[0] in (2 * np.ceil(row["n"]), 2 * np.ceil(row["n"]) - 1)


def test_power_of_two_proportions() -> None:
    for row in reference("power_prop_test").to_dict("records"):
        found = engine.two_proportions_power(
            min(row["p1"], row["p2"]),
            max(row["p1"], row["p2"]),
            row["n"],
            row["n"],
            alternative=alternative(row["alternative"]),
        )
        assert float(found) == pytest.approx(row["power"], abs=tol.NONCENTRAL_T)


@pytest.mark.parametrize("method", ["exact", "mid_p"])
def test_power_of_mcnemar_by_asking_every_table(method: str) -> None:
    for row in reference("mcnemar").to_dict("records"):
        found = engine.mcnemar_exact(row["up"], row["down"], row["n"], alpha=row["alpha"], mid_p=method == "mid_p")
        assert found == pytest.approx(row[method], abs=tol.SUMMED)


def test_power_of_equivalence() -> None:
    for row in reference("equivalence").to_dict("records"):
        found = power.equivalence(row["margin"], sd=row["sd"], difference=row["delta"], n=row["n"], alpha=row["alpha"])
        assert measure(found, "power") == pytest.approx(row["power"], abs=tol.INTEGRATED)


def test_half_widths() -> None:
    for row in reference("half_width").to_dict("records"):
        found = power.paired(0.0, sd=row["sd"], n=row["n"])
        assert measure(found, "half-width") == pytest.approx(row["half_width"], rel=tol.INTEGRATED)
        error = row["sd"] / np.sqrt(row["n"])
        chance = engine.half_width_assurance(0.25, error, row["n"] - 1)
        assert float(chance) == pytest.approx(row["chance"], abs=tol.NONCENTRAL_T)
    for row in reference("wilson").to_dict("records"):
        found = power.proportion(row["p"], n=row["n"])
        assert measure(found, "half-width") == pytest.approx(row["half_width"], rel=tol.SUMMED)


def lu_luo_chen(structure: str, rho: float, retention: list[float], **given: Any) -> power.CohortDesign:
    """Two arms that are compared at the last of their visits, by normal quantiles."""
    J = len(retention)
    years = tuple(range(1, J + 1))
    return power.CohortDesign(
        {"a": (0.0,) * J, "b": (*(0.0,) * (J - 1), given.pop("delta", 0.0))},
        correlation=power.correlations(structure, rho, years),
        visits={str(year): year for year in years},
        patterns=power.monotone_patterns(retention),
        contrasts=(str(J),),
        df="asymptotic",
        **given,
    )


def test_variance_of_lu_luo_and_chen() -> None:
    cases = [
        lu_luo_chen("cs", 0.25, [1, 0.9, 0.8, 0.7], sd=1),
        lu_luo_chen("cs", 0.5, [0.95**j for j in (1, 2, 3)], sd=1),
        lu_luo_chen("ar1", 0.6, [0.9**j for j in (1, 2, 3, 4)], sd=1),
        lu_luo_chen("cs", 0.3, [0.92**j for j in (1, 2, 3, 4, 5)], sd=1),
        lu_luo_chen("ar1", 0.8, [1, 0.85, 0.7], sd=1),
    ]
    found = [planned(design).variance[0, 0] * design.n / 4 for design in cases]
    np.testing.assert_allclose(found, reference("lu_luo_chen")["phi"], rtol=tol.IDENTITY)


@pytest.mark.parametrize("case", PUBLISHED["longpower"])
def test_power_that_longpower_prints(case: dict[str, Any]) -> None:
    alpha = case.get("alpha", 0.05)
    shares = dict(zip("ab", case.get("allocation", (1.0, 1.0)), strict=True))
    design = lu_luo_chen(
        case["structure"],
        case["rho"],
        case["retention"],
        sd=case["sigma"],
        delta=case["delta"],
        n=case["n"],
        conf_level=1 - alpha,
        alternative=case.get("alternative", "two-sided"),
        allocation=shares,
    )
    assert measure(power.mmrm(design), "power") == pytest.approx(case["power"], abs=tol.ONE_TAIL)


@pytest.mark.parametrize("case", PUBLISHED["power_tost"])
def test_power_that_power_tost_prints(case: dict[str, Any]) -> None:
    sd = np.sqrt(np.log1p(case["cv"] ** 2))
    found = engine.equivalence_power(
        np.log(case["theta0"]), sd * np.sqrt(2 / case["n"]), case["n"] - 2, np.log(0.8), np.log(1.25)
    )
    assert float(found) == pytest.approx(case["power"], abs=tol.PRINTED_POWER)


@pytest.mark.parametrize("case", PUBLISHED["mess"])
def test_persons_that_mess_prints(case: dict[str, Any]) -> None:
    n = engine.smallest(
        lambda size: bool(
            engine.mcnemar_connor(case["up"], case["down"], size, alternative=case["alternative"]) >= case["power"]
        ),
        lowest=2,
        highest=1000,
    )
    assert n in (case["n"], case["n"] + 1)  # it rounds, and does not round up
    given = PUBLISHED["mess_exact"]
    exact = engine.mcnemar_exact(given["up"], given["down"], given["n"], alpha=given["alpha"], alternative="less")
    assert round(exact, 2) == given["power"]


def measure(found: Any, name: str) -> float:
    frame = found.frame
    return float(frame.loc[frame["measure"].eq(name), "estimate"].iloc[0])


def test_normal_limit_is_scipys() -> None:
    assert float(engine.t_power(2.0, np.inf)) == pytest.approx(
        special.ndtr(2 - special.ndtri(0.975)) + special.ndtr(-2 - special.ndtri(0.975)), abs=1e-15
    )
