"""The peers of `bench.py`: the same model on the same frame, from formula and frame to a table of coefficients.

A peer that is not installed is left out and named. Python peers come with the `bench` extra; those of R are run where
`Rscript` and the package are found, and time themselves inside R, after one run to warm up.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import pandas as pd

__all__ = ["MODELS", "PEERS", "Measured", "Peer"]

Measured: TypeAlias = tuple[float | None, float | None]
"""Seconds and MiB of a fit, None where it failed."""

MODELS = {
    "unstructured": "exhaustion ~ visit * sex + age, unstructured over three visits",
    "random intercept": "exhaustion ~ visit * sex + age + (1 | subject)",
    "random slope": "exhaustion ~ years * sex + age + (1 + years | subject)",
}
FIXED = {
    "unstructured": "exhaustion ~ visit * sex + age",
    "random intercept": "exhaustion ~ visit * sex + age",
    "random slope": "exhaustion ~ years * sex + age",
}
RANDOM = {"random intercept": "(1 | id)", "random slope": "(1 + years | id)"}


@dataclass(frozen=True, slots=True)
class Peer:
    """A program and the models it shares with us.

    `run(model, frame)` fits once; `outside(model, frame)`, where given, fits in another program that tells its seconds
    and the MiB by which the fit raised its peak. `answers` tells how far the peer goes: "fit" or "fit + df".
    """

    name: str
    package: str
    models: tuple[str, ...]
    answers: str
    run: Callable[[str, pd.DataFrame], object] | None = None
    outside: Callable[[str, pd.DataFrame], Measured] | None = None
    largest: int = 1_000_000

    def runs(self, model: str) -> Callable[[pd.DataFrame], object]:
        """One fit of a model, for a peer in Python."""
        if self.run is None:
            raise ValueError(f"{self.name} runs outside of Python")
        run = self.run
        return lambda frame: run(model, frame)

    def measured(self, model: str, frame: pd.DataFrame) -> Measured:
        """Seconds and MiB of a fit outside of Python."""
        return (None, None) if self.outside is None else self.outside(model, frame)

    def is_there(self) -> bool:
        """Whether it can be run here."""
        if self.outside is not None:
            return shutil.which("Rscript") is not None and _r_has(self.package)
        return find_spec(self.package) is not None


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with texts for categories and years for visits, as most peers want it."""
    years = {"baseline": 0.0, "1 year": 1.0, "3 years": 3.0}
    return frame.assign(
        visit=frame["visit"].astype(str),
        sex=frame["sex"].astype(str),
        id=frame["id"].astype(str),
        years=frame["visit"].astype(str).map(years).astype(float),
    )


def _statsmodels(model: str, frame: pd.DataFrame) -> object:
    import statsmodels.formula.api as smf

    slope = "~ years" if model == "random slope" else None
    return smf.mixedlm(FIXED[model], frame, groups=frame["id"], re_formula=slope).fit(reml=True).summary()


def _mixedlm(model: str, frame: pd.DataFrame) -> object:
    import mixedlm

    return mixedlm.lmer(f"{FIXED[model]} + {RANDOM[model]}", frame)


def _mixedlm_rs(model: str, frame: pd.DataFrame) -> object:
    import mixedlm_rs

    slope = "~ years" if model == "random slope" else None
    return mixedlm_rs.mixedlm(FIXED[model], frame, groups="id", re_formula=slope).fit(reml=True).params


def _lme_python(model: str, frame: pd.DataFrame) -> object:
    import lme_python
    import polars as pl

    columns = {name: frame[name].to_list() for name in ("exhaustion", "visit", "years", "sex", "age", "id")}
    return lme_python.lmer(f"{FIXED[model]} + {RANDOM[model]}", pl.DataFrame(columns))


def _glmm(model: str, frame: pd.DataFrame) -> object:
    import glmm

    columns = {name: frame[name].to_numpy() for name in ("exhaustion", "visit", "years", "sex", "age", "id")}
    return glmm.fit(columns, f"{FIXED[model]} + {RANDOM[model]}", reml=True, satterthwaite=True)


R_CALLS = {
    "gls": "summary(gls({fixed}, d, correlation = corSymm(form = ~ as.integer(visit) | id), "
    "weights = varIdent(form = ~ 1 | visit)))",
    "glmmTMB": "summary(glmmTMB({fixed} + us(0 + visit | id), d, dispformula = ~ 0, REML = TRUE))",
    "lmer": "summary(lme4::lmer({fixed} + {random}, d))",
    "lmerTest": "coef(summary(lmerTest::lmer({fixed} + {random}, d), ddf = 'Satterthwaite'))",
    "pbkrtest": "coef(summary(lmerTest::lmer({fixed} + {random}, d), ddf = 'Kenward-Roger'))",
}


def _in_r(call: str, package: str) -> Callable[[str, pd.DataFrame], Measured]:
    def measured(model: str, frame: pd.DataFrame) -> Measured:
        text = R_CALLS[call].format(fixed=FIXED[model], random=RANDOM.get(model, ""))
        script = (
            f"suppressPackageStartupMessages({{library({package}); library(nlme)}}); "
            "d <- read.csv(commandArgs(TRUE)[1], stringsAsFactors = TRUE); "
            "d$visit <- factor(d$visit, levels = c('baseline', '1 year', '3 years')); d$id <- factor(d$id); "
            "d <- d[order(d$id, d$visit), ]; "
            f"f <- function() suppressWarnings(suppressMessages({text})); "
            "peak <- function() { s <- '/proc/self/status'; if (!file.exists(s)) return(NA); "
            "as.numeric(gsub('[^0-9]', '', grep('VmHWM', readLines(s), value = TRUE))) / 1024 }; "
            "runs <- if (nrow(d) < 6000) 2 else 1; before <- peak(); t <- system.time(f())[['elapsed']]; "
            "used <- peak() - before; if (runs > 1) t <- min(t, system.time(f())[['elapsed']]); "
            "cat('\\n', sprintf('[%f, %s]', t, if (is.na(used)) 'null' else sprintf('%f', used)), '\\n')"
        )
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "d.csv"
            frame.to_csv(data, index=False)
            done = subprocess.run(
                [str(shutil.which("Rscript")), "-e", script, str(data)], capture_output=True, text=True, check=False
            )
        try:
            seconds, mebibytes = json.loads(done.stdout.strip().splitlines()[-1])
        except (IndexError, ValueError):
            return None, None
        return float(seconds), None if mebibytes is None else float(mebibytes)

    return measured


def _r_has(package: str) -> bool:
    command = [str(shutil.which("Rscript")), "-e", f"quit(status = !requireNamespace('{package}', quietly = TRUE))"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


BOTH = ("random intercept", "random slope")
PEERS = (
    Peer("statsmodels MixedLM", "statsmodels", BOTH, "fit", run=_statsmodels, largest=20_000),
    Peer("mixedlm", "mixedlm", BOTH, "fit", run=_mixedlm, largest=20_000),
    Peer("mixedlm-rs", "mixedlm_rs", BOTH, "fit", run=_mixedlm_rs),
    Peer("lme-python", "lme_python", BOTH, "fit", run=_lme_python, largest=20_000),
    Peer("glmm", "glmm", BOTH, "fit + df", run=_glmm),
    Peer("R lme4", "lme4", BOTH, "fit", outside=_in_r("lmer", "lme4"), largest=200_000),
    Peer("R lmerTest", "lmerTest", BOTH, "fit + df", outside=_in_r("lmerTest", "lmerTest"), largest=20_000),
    Peer("R pbkrtest", "pbkrtest", BOTH, "fit + df", outside=_in_r("pbkrtest", "pbkrtest"), largest=200),
    Peer("R nlme gls", "nlme", ("unstructured",), "fit", outside=_in_r("gls", "nlme"), largest=20_000),
    Peer("R glmmTMB", "glmmTMB", ("unstructured",), "fit", outside=_in_r("glmmTMB", "glmmTMB"), largest=20_000),
)


def once(peer: Peer, model: str, frame: pd.DataFrame, runs: int = 2) -> float | None:
    """Seconds of one fit by a peer, the best of some runs (two where one takes a second); None where it fails."""
    if peer.outside is not None:
        return peer.measured(model, frame)[0]
    run = peer.run
    if run is None:
        return None
    from time import perf_counter

    best: float | None = None
    for done in range(runs):
        if done > 1 and best is not None and best > 1.0:
            break
        start = perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                run(model, frame)
        except Exception:
            return None
        spent = perf_counter() - start
        best = spent if best is None else min(best, spent)
    return best
