"""The calls of other programs: what they ask, what has no equivalent, and that no name gets out of its quotes."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
from handmade import PAYLOADS

from burnout_stats.cohort import Cohort, read_cohort
from burnout_stats.engine.covariance import STRUCTURES
from burnout_stats.inference import contrast, emmeans
from burnout_stats.models import LMM, MMRM, fit
from burnout_stats.models.degrees_of_freedom import DF_METHODS
from burnout_stats.text import calls
from burnout_stats.text._calls_quoting import comment, plain_names, r_text, sas_name, sas_text, stata_text

VISITS = {"baseline": 0.0, "1 year": 1.0, "3 years": 3.0}
HOSTILE_NAME = "y'n; x \"q\" %sysexec touch; */ $(id) ``' /// /*"
HOSTILE_LEVEL = "a\"); system('touch x') # $HOME `x' */ \\"


@cache
def cohort(y: str = "score", group: str = "arm", level: str = "M") -> Cohort:
    rng = np.random.default_rng(3)
    rows = []
    for subject in range(1, 61):
        lasting = rng.normal()
        for visit, years in VISITS.items():
            if years and rng.random() < 0.2:
                continue
            rows.append(
                {
                    "subject": subject,
                    "visit": visit,
                    y: lasting + rng.normal() - 0.3 * years,
                    group: level if subject % 2 else "F",
                    "age": 30.0 + subject % 7,
                    "clinic": f"c{subject % 6}",
                    "times": 1 + subject % 3,
                }
            )
    return read_cohort(pd.DataFrame(rows), subject="subject", visit="visit", times=VISITS, outcomes=[y])


def scripts(model: MMRM | LMM, df: str | None = None, **where: str) -> dict[str, str]:
    fitted = fit(model, cohort(**where))
    return dict(calls(fitted, contrast(emmeans(fitted, "visit", df=df), "vs_baseline")))


def test_every_program_asks_the_same() -> None:
    told = scripts(MMRM("score ~ visit * arm + age"))
    assert list(told) == ["SAS", "R (mmrm)", "R (nlme)", "Stata"]
    assert "model score = visit arm age visit*arm / solution cl ddfm=kenwardroger(firstorder);" in told["SAS"]
    assert "repeated visit_n / subject=subject type=un;" in told["SAS"]
    assert "score ~ visit + arm + age + visit:arm + us(visit | subject)" in told["R (mmrm)"]
    assert 'method = "Kenward-Roger", vcov = "Kenward-Roger-Linear"' in told["R (mmrm)"]
    assert (
        "mixed score i.visit i.arm c.age i.visit#i.arm || subject:, noconstant "
        "residuals(unstructured, t(visit)) dfmethod(kroger, oim) reml" in told["Stata"]
    )
    assert "lincom 2.visit + `share1'*2.visit#2.arm, small level(95)" in told["Stata"]


def test_random_effects_are_asked_of_lme4() -> None:
    told = scripts(LMM("score ~ visit + arm + (1 + years | subject)"), df="kenward-roger-expected")
    assert list(told) == ["SAS", "R (lme4)", "Stata"]
    assert "random intercept years / subject=subject type=un;" in told["SAS"]
    assert "lmer(score ~ visit + arm + (1 + years | subject)" in told["R (lme4)"]
    assert 'ddf = "Kenward-Roger"' in told["R (lme4)"]
    assert "|| subject: years, covariance(unstructured) dfmethod(kroger, eim) reml" in told["Stata"]


@pytest.mark.parametrize("code", STRUCTURES)
def test_every_structure_has_a_call_or_says_why_not(code: str) -> None:
    told = scripts(MMRM("score ~ visit", covariance=code))
    for program, script in told.items():
        assert ("No equivalent call:" in script) != (
            "fit <-" in script or "proc mixed" in script or "\nmixed" in script
        )
        if program == "R (mmrm)":
            assert re.search(rf"\b{code}\((visit|years) \| subject\)", script)
    lacks = {program for program, script in told.items() if "No equivalent call:" in script}
    expected = {
        "SAS": {"ad"},
        "R (nlme)": {"ad", "adh"},
        "Stata": {"csh", "ar1h", "toeph", "ad", "adh"},
    }
    assert lacks == {program for program, codes in expected.items() if code in codes}


@pytest.mark.parametrize("df", DF_METHODS)
def test_every_df_method_has_a_word_or_a_note(df: str) -> None:
    told = scripts(MMRM("score ~ visit"), df=df)
    assert all("No equivalent" not in script for script in told.values())
    if df == "kenward-roger-expected":
        assert "kroger, eim" in told["Stata"]
        assert "observed information" in told["SAS"]
        assert "observed information" in told["R (mmrm)"]
    if df == "asymptotic":
        assert "dfmethod" not in told["Stata"]
        assert ", small" not in told["Stata"]
        assert "no normal distribution" in told["SAS"]


def test_what_a_program_cannot_do_is_said() -> None:
    weighted = scripts(MMRM("score ~ visit", weights="times", weights_kind="probability"))
    assert all("No equivalent call:" in script for script in weighted.values())
    clusters = scripts(MMRM("score ~ visit", cluster="clinic"))
    assert all("robust" in script for script in clusters.values())
    apart = scripts(MMRM("score ~ visit", covariance_by="arm"))
    assert "us(visit | arm / subject)" in apart["R (mmrm)"]
    assert "group=arm" in apart["SAS"]
    assert "by(arm)" in apart["Stata"]
    assert "No equivalent call:" in apart["R (nlme)"]
    counted = scripts(MMRM("score ~ visit", weights="times"))
    assert "expand times" in counted["Stata"]
    assert "do _k = 1 to times;" in counted["SAS"]
    nested = scripts(MMRM("score ~ visit + (1 | clinic)"))
    assert "|| clinic: || subject:, noconstant" in nested["Stata"]
    assert "random intercept / subject=clinic;" in nested["SAS"]
    assert "random = ~ 1 | clinic" in nested["R (nlme)"]
    assert "No equivalent call:" in nested["R (mmrm)"]


def test_the_reference_is_the_first_level_everywhere() -> None:
    told = scripts(MMRM("score ~ visit * arm"))
    assert 'levels = c("baseline", "1 year", "3 years")' in told["R (nlme)"]
    assert "visit = whichc(strip(vvalue(_c2)), '1 year', '3 years', 'baseline');" in told["SAS"]  # last: the reference
    assert "visit_n = whichc(strip(vvalue(_c2)), 'baseline', '1 year', '3 years');" in told["SAS"]  # in time
    assert 'replace visit = 1 if _c2 == "baseline"' in told["Stata"]


def test_contrasts_that_have_no_short_call_are_left_out_with_a_reason() -> None:
    fitted = fit(MMRM("score ~ visit * arm"), cohort())
    odd = contrast(emmeans(fitted, "visit", by="arm"), "polynomial")
    for script in calls(fitted, odd).values():
        assert "contrasts are left out, because the contrasts are not differences between two visits" in script
        assert "emmeans(" not in script
        assert "lincom" not in script
        assert "lsmeans" not in script


def test_the_file_has_its_own_names() -> None:
    fitted = fit(MMRM("score ~ visit"), cohort())
    told = calls(fitted, data="my data.csv", subject="person no", visit="t")
    assert "rename=('person no'n=_c1 t=_c2" in told["SAS"]
    assert 'raw[["person no"]]' in told["R (mmrm)"]
    assert "Stata cannot quote a name: call the column person no by the name subject_raw first" in told["Stata"]


@pytest.mark.parametrize("program", ["SAS", "R (mmrm)", "R (nlme)", "Stata"])
def test_no_name_or_level_leaves_its_quotes(program: str) -> None:
    model = MMRM(f"`{HOSTILE_NAME.replace('`', '~')}` ~ visit * `arm; drop`")
    script = scripts(model, y=HOSTILE_NAME.replace("`", "~"), group="arm; drop", level=HOSTILE_LEVEL)[program]
    outside = without_quotes(script, program)
    for word in ("system", "sysexec", "touch", "HOME", "drop;", "(id)"):
        assert word not in outside, (word, outside)


def without_quotes(script: str, program: str) -> str:
    """The script as the program reads it: without its comments and strings."""
    if program == "SAS":
        return re.sub(r"/\*.*?\*/|'(?:[^']|'')*'", " ", script, flags=re.DOTALL)
    if program == "Stata":
        assert "///" not in script
        lines = [line.partition(" // ")[0] for line in script.splitlines() if not line.startswith("*")]
        inside = re.findall(r'"[^"]*"', "\n".join(lines))
        assert not any(set(text) & set("$`'\\") for text in inside), "a macro would expand"
        return re.sub(r'"[^"]*"', " ", "\n".join(lines))
    return re.sub(r'#[^\n]*|"(?:[^"\\]|\\.)*"', lambda found: " " if found[0][0] == '"' else "", script)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_quoting(payload: str) -> None:
    assert re.fullmatch(r'"(?:[^"\\\n]|\\["\\]|\\U[0-9a-f]{8})*"', r_text(payload))
    assert re.fullmatch(r"'(?:[^'\n]|'')*'", sas_text(payload))
    assert re.fullmatch(r"'(?:[^'\n]|'')*'n", sas_name(payload))
    assert not set(re.sub(r'"[^"`$\\]*"|char\(\d+\)', "", stata_text(payload))) - set(" +()")
    told = comment(payload)
    assert "\n" not in told
    assert not {"*/", "/*", "//"} & {told[k : k + 2] for k in range(len(told))}


def test_plain_names_are_words_and_differ() -> None:
    given = plain_names(["age", "AGE", "if", "e é", "x" * 40, "_x", "str8", "column2", "d"])
    assert given["age"] == "age"
    assert given["column2"] == "column2"
    assert len({name.lower() for name in given.values()}) == len(given)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) for name in given.values())


def test_p_values_are_adjusted_or_that_is_said() -> None:
    fitted = fit(MMRM("score ~ visit"), cohort())
    told = calls(fitted, contrast(emmeans(fitted, "visit"), "vs_baseline", adjust="holm"))
    assert 'print(test(changes, adjust = "holm"))' in told["R (mmrm)"]
    assert "the analysis adjusted them by holm" in told["SAS"]
    assert "the analysis adjusted them by holm" in told["Stata"]
    assert "adjust" not in calls(fitted, contrast(emmeans(fitted, "visit"), "vs_baseline"))["SAS"]
