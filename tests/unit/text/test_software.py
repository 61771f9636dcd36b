"""Software, decisions and assumptions, as SAMPL asks for them."""

from __future__ import annotations

from burnout_stats import text
from burnout_stats.inference import contrast, emmeans
from burnout_stats.models import MMRM, fit
from burnout_stats.studies import simulate

VERSIONS = {"numpy": "2.4.6", "burnout_stats": "1.2", "scipy": "1.17.1", "python": "3.12.1"}


def test_software_is_named_with_its_versions() -> None:
    assert text.software(VERSIONS) == (
        "The analysis used burnout_stats 1.2 under Python 3.12.1, with NumPy 2.4.6 and SciPy 1.17.1."
    )
    assert text.software({"burnout_stats": "1.2"}) == "The analysis used burnout_stats 1.2."
    assert text.software(VERSIONS, language="nb").startswith("Analysen brukte burnout_stats 1.2 under Python")
    assert "\n" not in text.software({"burnout_stats": "1\n2"})


def test_decisions_and_assumptions_are_those_of_the_fit() -> None:
    cohort = simulate("villa_sana", n=60, seed=2)
    fitted = fit(MMRM("exhaustion ~ visit + sex", covariance="ar1h", method="ml"), cohort)
    changes = contrast(emmeans(fitted, "visit", df="between-within", conf_level=0.9), "vs_baseline")
    told = text.decisions(fitted, changes)
    covariance = "heterogeneous first-order autoregressive, with 4 parameters"
    runs = len(fitted.optimum.attempts)
    assert runs > 1
    assert told == (
        f"Covariance within a subject: {covariance}, as asked; no simpler one was put in its place.",
        "Estimation: maximum likelihood.",
        f"Optimum: gradient and Hessian were verified (the best of {runs} runs of the optimizer).",
        "Degrees of freedom: between-within.",
        "Standard errors: of the model.",
    )
    robust = contrast(emmeans(fitted, "visit", vcov="cr2"), "vs_baseline")
    assert text.decisions(fitted, robust)[3:] == (
        "Degrees of freedom: Satterthwaite (Bell & McCaffrey).",
        "Standard errors: robust (CR2).",
    )
    said = text.assumptions(fitted, changes)
    assert said.startswith(
        "Tests are two-sided, and intervals have 90% coverage. Changes in emotional exhaustion are in"
    )
    assert "points of its scale (from 1 to 5)" in said
    assert "plots" in said
    assert "plots" not in text.assumptions(fitted, changes, are_plotted=False)
    assert text.assumptions(fitted, changes, language="nb").startswith(
        "Testene er tosidige, og intervallene har 90\xa0% dekning."
    )
