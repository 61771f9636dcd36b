"""The gate of a whole report: counts of different parts together tell of nobody, and identifiers stand nowhere."""

from __future__ import annotations

import inspect
import json
import re

import numpy as np
import pandas as pd
import pytest
from study_files import MINIMAL, write_study

from burnout_stats import describe
from burnout_stats.errors import BurnoutStatsError
from burnout_stats.inference import contrast, emmeans, influence, summarize, term_tests
from burnout_stats.models import LMM, MMRM, fit, residuals
from burnout_stats.plan import check, read_study, run
from burnout_stats.reporting import report

pytestmark = pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")


def almost_all_at(visit, folder, *, without=3, more="", keep=100):
    """A study in which all but a few people have a score at every visit, and these lack one of them."""
    path = write_study(folder, MINIMAL + more)
    frame = pd.DataFrame({"id": np.repeat(np.arange(100), 3), "visit": ["baseline", "1 year", "3 years"] * 100})
    rng = np.random.default_rng(3)
    frame["score"] = rng.normal(3.0, 1.0, 300).round(2)
    absent = frame["visit"].eq(visit) & (frame["id"] < without)
    frame[~absent & (frame["id"] < keep)].to_csv(folder / "scores.csv", index=False)
    return path


def written(path, folder):
    """The JSON of a report, and all its text without the manifest and digits of checksums."""
    report(read_study(path), folder / "out")
    document = json.loads((folder / "out/results.json").read_text(encoding="utf-8"))
    page = (folder / "out/report.html").read_text(encoding="utf-8")
    return document, re.sub(r"data:image[^\"]*", "", page)


@pytest.mark.raises_code("N-DISCLOSURE-HIDDEN")
def test_the_n_of_means_do_not_tell_how_few_stayed_away(tmp_path):
    document, page = written(almost_all_at("1 year", tmp_path), tmp_path)
    part = document["outcomes"][0]
    means = {row["visit"]: row for row in part["means"]["rows"]}
    assert means["1 year"]["n"] is None
    assert means["1 year"]["reasons"] == {"n": "hidden"}
    assert means["1 year"]["estimate"] is not None
    assert means["baseline"]["n"] == 100
    changes = {row["contrast"]: row for row in part["changes"]["rows"]}
    assert changes["1 year - baseline"]["n"] is None
    assert changes["3 years - baseline"]["n"] == 100
    model = part["model"]
    assert (model["n_obs"], model["aicc"], model["n_subjects"]) == (None, None, 100)
    assert document["provenance"]["data"]["rows_kept"] is None
    assert not re.search(r"(?<![.\d])(97|297)\b", page)


def test_what_is_large_enough_is_told(tmp_path):
    document, page = written(almost_all_at("1 year", tmp_path, without=9), tmp_path)
    part = document["outcomes"][0]
    assert [row["n"] for row in part["means"]["rows"]] == [100, 91, 100]
    assert part["model"]["n_obs"] == 291
    assert "291 scores of 100 subjects" in page


def test_people_without_the_outcome_are_not_told_by_the_size_of_the_model(tmp_path):
    path = almost_all_at("1 year", tmp_path, without=0, more="[outcomes.other]\n")
    frame = pd.read_csv(tmp_path / "scores.csv")
    frame["other"] = (frame["score"] ** 2).where(frame["id"] >= 3)
    frame.to_csv(tmp_path / "scores.csv", index=False)
    document, page = written(path, tmp_path)
    model = document["outcomes"][1]["model"]
    assert (model["n_subjects"], model["bic"], model["n_obs"]) == (None, None, None)
    assert document["outcomes"][0]["model"]["n_subjects"] == 100
    assert not re.search(r"(?<![.\d])(97|291)\b", page)


@pytest.mark.raises_code("N-MODEL-ROWS-LEFT-OUT")
def test_rows_left_out_are_not_counted_where_they_are_few(tmp_path):
    more = '[covariates.age]\n[analysis]\nterms = ["visit", "age"]\n'
    path = almost_all_at("1 year", tmp_path, without=0, more=more)
    frame = pd.read_csv(tmp_path / "scores.csv")
    frame["age"] = np.where(frame["id"] < 1, np.nan, 40 + frame["id"] % 20)
    frame.to_csv(tmp_path / "scores.csv", index=False)
    document, page = written(path, tmp_path)
    messages = [notice["message"] for notice in document["notices"] if notice["code"] == "N-MODEL-ROWS-LEFT-OUT"]
    assert messages[0].startswith("Fewer than 5 rows with `score` were left out")
    assert [row["n"] for row in document["outcomes"][0]["means"]["rows"]] == [None, None, None]
    assert document["outcomes"][0]["model"]["n_subjects"] is None
    assert not re.search(r"(?<![.\d])(99|297)\b", page)


@pytest.mark.raises_code("N-DISCLOSURE-UNIQUE")
def test_people_who_are_singled_out_are_counted_and_not_named(tmp_path):
    more = '[covariates.sex]\nlevels = ["F", "M"]\n[covariates.specialty]\nlevels = ["a", "b", "c"]\n[covariates.age]\n'
    path = almost_all_at("1 year", tmp_path, without=9, more=more)
    frame = pd.read_csv(tmp_path / "scores.csv")
    person = frame["id"]
    frame["sex"] = np.where(person % 2 == 0, "F", "M")
    frame["specialty"] = np.select([person < 12, person < 30], ["a", "b"], "c")
    frame["age"] = 30 + person % 30
    frame.to_csv(tmp_path / "scores.csv", index=False)
    found = check(path)
    told = [notice for notice in found.notices if notice.code == "N-DISCLOSURE-UNIQUE"]
    assert found.is_fine
    assert len(told) == 1
    counts = describe.singled_out(found.cohort).frame
    few = int(counts.loc[counts["variable"].eq("few") & counts["statistic"].eq("n"), "value"].iloc[0])
    once = frame.drop_duplicates("id")
    by_hand = pd.DataFrame({"s": once["sex"], "p": once["specialty"], "a": once["age"] // 10})
    sizes = by_hand.groupby(["s", "p", "a"])["s"].transform("size")
    assert few == (sizes < 5).sum()
    assert few > 5
    assert told[0].message.startswith(f"{few} of 100 subjects share their sex, specialty and age with fewer than 4")
    assert "N-DISCLOSURE-UNIQUE" in [notice.code for notice in report(read_study(path), tmp_path / "out").notices]
    nobody = path.with_name("other.toml")
    nobody.write_text(path.read_text() + "\n[disclosure]\nquasi_identifiers = []\n")
    assert check(nobody).notices == ()


def test_the_section_has_the_names_of_the_policy(tmp_path):
    more = '[disclosure]\nmin_cell = 8\nzeros = "hide"\ncomplementary = false\nextremes = true\n'
    path = almost_all_at("1 year", tmp_path, without=0, more=more + 'quasi_identifiers = ["sex"]\n')
    policy = read_study(path).disclosure.policy()
    assert (policy.min_cell, policy.zeros, policy.complementary, policy.extremes) == (8, "hide", False, True)
    assert policy.quasi_identifiers == ("sex",)


# ---- identifiers ---------------------------------------------------------------------------------------------------

MARK = "PERSON"


@pytest.fixture(scope="module")
def named_study(tmp_path_factory):
    """A study whose identifiers are recognizable wherever they turn up."""
    folder = tmp_path_factory.mktemp("named")
    path = write_study(folder)
    frame = pd.read_csv(folder / "scores.csv")
    frame["id"] = frame["id"].map(lambda number: f"{MARK}-{number}-SECRET")
    frame.to_csv(folder / "scores.csv", index=False)
    return path


def values_of(cohort):
    """Public values made from a cohort: its parts, every description that needs no more, fits and answers."""
    yield cohort
    yield from (cohort.visits, cohort.source, cohort.policy, cohort.frame, *cohort.notices)
    yield from (cohort.outcome_roles, cohort.covariate_roles)
    yield cohort.subset(cohort.frame["sex"].eq("F").to_numpy())
    described = 0
    for name in describe.__all__:
        verb = getattr(describe, name)
        parameters = list(inspect.signature(verb).parameters.values())
        if not inspect.isfunction(verb) or parameters[0].name != "cohort":
            continue
        needed = [one.name for one in parameters[1:] if one.default is inspect.Parameter.empty]
        if needed in ([], ["outcome"]):
            try:
                found = verb(cohort, *(["score"] if needed else []))
            except BurnoutStatsError as error:  # it wants a norm, a cut-off, ...
                yield error
                continue
            described += 1
            yield from (found, found.frame, found.margins, found.about, *found.notices)
    assert described >= 6
    for spec in (MMRM("score ~ visit * sex + age"), LMM("score ~ years + (1 | subject)")):
        fitted = fit(spec, cohort)
        yield from (
            spec,
            fitted,
            fitted.rows,
            fitted.design,
            fitted.state,
            fitted.coef,
            fitted.optimum,
            *fitted.notices,
        )
        yield from (residuals(fitted), summarize(fitted), term_tests(fitted))
        if isinstance(spec, MMRM):
            means = emmeans(fitted, "visit", by="sex")
            yield from (means, means.frame, contrast(means, "vs_baseline"), influence(fitted))


def representations(value):
    """Every way in which a value may be printed, shown or saved."""
    yield repr(value)
    yield str(value)
    for name in ("_repr_html_", "_repr_markdown_", "_repr_latex_"):
        if hasattr(value, name):
            yield getattr(value, name)() or ""
    if isinstance(value, pd.DataFrame):
        yield value.to_csv()
        yield value.to_html(max_rows=None)
    if hasattr(value, "frame") and isinstance(value.frame, pd.DataFrame):
        yield value.frame.to_csv()


def test_identifiers_stand_in_no_representation(named_study):
    cohort = read_study(named_study).cohort()
    assert all(MARK in one for one in cohort.ids)
    seen = 0
    for value in values_of(cohort):
        for text in representations(value):
            assert MARK not in text, type(value)
            seen += 1
    assert seen > 60


def test_identifiers_stand_in_no_file_of_a_report(named_study, tmp_path):
    results = run(read_study(named_study))
    report(results, tmp_path / "out")
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) > 5
    for path in files:
        assert MARK.encode() not in path.read_bytes(), path.name
    for value in (results, *results.outcomes, results.plan, results.provenance, check(named_study)):
        assert MARK not in repr(value) + str(value)


def test_the_one_door_to_identifiers(named_study):
    cohort = read_study(named_study).cohort()
    part = cohort.subset(cohort.frame["subject"].between(11, 60).to_numpy())
    fitted = fit(MMRM("score ~ visit"), part)
    ids = fitted.subject_ids()
    has = part.frame.loc[part.frame["score"].notna(), "subject"].unique()
    assert len(ids) == fitted.n_subjects == len(has)
    assert ids.tolist() == part.ids[has - 1].tolist()
    assert set(ids) < set(cohort.ids)


@pytest.mark.raises_code("N-DATA-SPIKE", "N-DATA-IDS")
def test_what_was_noticed_in_few_rows_is_told_to_who_checks_and_not_to_who_reads(tmp_path):
    more = "[covariates.age]\n[disclosure]\nquasi_identifiers = []\n[report]\nfigures = false\n"
    path = almost_all_at("1 year", tmp_path, without=9, more=more)
    frame = pd.read_csv(tmp_path / "scores.csv")
    frame["age"] = np.where(frame["id"] < 2, 999, 40 + frame["id"] % 20)
    frame["id"] = frame["id"].astype(str).map(lambda one: {"7": "a7", "8": "A7"}.get(one, f"p{one}"))
    frame.to_csv(tmp_path / "scores.csv", index=False)
    told = {notice.code: notice.message for notice in check(path).notices}
    assert re.search(r"4 values of 999, .*\(lines? 2", told["N-DATA-SPIKE"])
    assert re.search(r"2 subject identifiers .*\(lines?", told["N-DATA-IDS"])
    document, page = written(path, tmp_path)
    read = {notice["code"]: f"{notice['message']} {notice['advice']}" for notice in document["notices"]}
    assert read["N-DATA-SPIKE"].startswith("Column `age`: a number that often means a missing value stands far")
    for code in ("N-DATA-SPIKE", "N-DATA-IDS"):
        assert not re.search(r"\d|\blines?\b", read[code])
    assert not re.search(r"\blines? \d|(?<![.\d])999\b", page)
