"""The models whose scripts of R are kept in reference/calls and were run: `python tests/calls_elsewhere.py` writes the
scripts, `Rscript run_calls.R` runs them on data/synthetic/villa_sana.csv and writes results.json and session.txt.
"""

from __future__ import annotations

from pathlib import Path

from burnout_stats.cohort import Cohort
from burnout_stats.estimates import Estimates
from burnout_stats.inference import contrast, emmeans
from burnout_stats.models import LMM, MMRM, Fit, fit
from burnout_stats.plan import read_study
from burnout_stats.text import calls

HERE = Path(__file__).parent / "reference" / "calls"
STUDY = HERE.parents[2] / "data" / "synthetic" / "villa_sana.toml"
FULL = "exhaustion ~ visit * sex + age"
CASES: dict[str, tuple[MMRM | LMM, str | None, str]] = {
    **{f"nlme_{code}": (MMRM(FULL, covariance=code), None, "R (nlme)") for code in ("us", "cs", "csh", "ar1", "ar1h")},
    **{f"nlme_{code}": (MMRM(FULL, covariance=code), None, "R (nlme)") for code in ("toep", "toeph", "sp_exp")},
    "nlme_us_ml": (MMRM("exhaustion ~ visit + sex", method="ml"), None, "R (nlme)"),
    "nlme_within_sex": (MMRM("exhaustion ~ visit * sex * intervention + log(age)"), "sex", "R (nlme)"),
    "nlme_codings": (MMRM('exhaustion ~ coded(visit, "sum") * coded(sex, "helmert") + center(age)'), None, "R (nlme)"),
    "lme4_intercept": (LMM("exhaustion ~ visit * sex + age + (1 | subject)"), None, "R (lme4)"),
    "lme4_slope": (LMM("exhaustion ~ visit + sex + standardize(age) + (1 + years | subject)"), None, "R (lme4)"),
    "lme4_uncorrelated": (LMM("exhaustion ~ visit + sex + (1 + years || subject)", method="ml"), None, "R (lme4)"),
}
"""Model, factor within which changes are asked, program."""


def asked(name: str, cohort: Cohort) -> tuple[Fit, Estimates]:
    """A case's fit and its changes from baseline."""
    model, by, program = CASES[name]
    fitted = fit(model, cohort)
    df = "kenward-roger-expected" if program == "R (lme4)" and model.method == "reml" else "satterthwaite"
    return fitted, contrast(emmeans(fitted, "visit", by=by, df=df), "vs_baseline")


def script(name: str, cohort: Cohort) -> str:
    """The script of a case."""
    fitted, changes = asked(name, cohort)
    return calls(fitted, changes, data="villa_sana.csv", subject="id")[CASES[name][2]]


def main() -> None:
    """Write the scripts."""
    cohort = read_study(STUDY).cohort()
    for name in CASES:
        (HERE / f"{name}.R").write_text(script(name, cohort), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
