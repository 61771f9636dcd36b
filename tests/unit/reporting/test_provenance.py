"""provenance.json tells from what and how the numbers came about, and no more of persons than the report does."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from study_files import MINIMAL, STUDY, write_study

import burnout_stats
from burnout_stats.engine.scoring import Attempt, Status
from burnout_stats.notices import Notice
from burnout_stats.plan import read_study, run
from burnout_stats.reporting import report
from burnout_stats.reporting.gate import shown
from burnout_stats.reporting.provenance import to_provenance

pytestmark = pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")

JSON_ONLY = '\n[report]\nformats = ["json"]\n'


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return shown(run(read_study(write_study(tmp_path_factory.mktemp("study"), STUDY + JSON_ONLY))))


def told(results):
    return json.loads(to_provenance(results), parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


def test_it_names_inputs_software_seed_and_plan(results):
    document = told(results)
    data = results.plan.path.parent / "scores.csv"
    assert document["inputs"]["data"]["sha256"] == hashlib.sha256(data.read_bytes()).hexdigest()
    assert document["inputs"]["study"]["sha256"] == hashlib.sha256(results.plan.path.read_bytes()).hexdigest()
    assert document["software"]["versions"]["burnout_stats"] == burnout_stats.__version__
    assert document["software"]["python"] == platform.python_implementation()
    assert set(document["software"]["blas"]) <= {"name", "version"}
    assert document["seed"] == results.plan.report.seed
    assert document["plan"] == json.loads(json.dumps(results.plan.echo()))
    assert document["date"] is None


def test_it_logs_every_attempt_of_the_optimizer(results):
    for part, logged in zip(results.outcomes, told(results)["decisions"]["outcomes"], strict=True):
        assert logged["outcome"] == part.outcome.name
        assert len(logged["optimum"]["attempts"]) == len(part.fit.optimum.attempts) >= 1
        assert logged["optimum"]["attempts"][-1]["status"] == "verified"
        assert logged["optimum"]["minus_2_loglik"] == pytest.approx(-2 * part.fit.loglik)
        assert not logged["optimum"]["at_boundary"]


def test_it_tells_a_second_start_and_a_boundary(results, monkeypatch):
    part = results.outcomes[0]
    tried = tuple(
        Attempt(start=start, method="scoring", iterations=4, criterion=1.0, max_gradient=0.5, status=status)
        for start, status in (("moments", Status.NOT_CONVERGED), ("correlated", Status.INDEFINITE))
    )
    optimum = replace(part.fit.optimum, attempts=tried)
    monkeypatch.setattr(type(part.fit), "optimum", property(lambda _fit: optimum))
    logged = told(results)["decisions"]["outcomes"][0]["optimum"]
    assert [(one["start"], one["status"]) for one in logged["attempts"]] == [
        ("moments", "not converged"),
        ("correlated", "at a saddle or a bound"),
    ]
    assert (logged["restarted"], logged["at_boundary"]) == (True, True)


def test_every_notice_stands_once_with_its_outcome(tmp_path):
    study = write_study(
        tmp_path, MINIMAL + '\n[analysis]\nterms = ["visit", "age", "copy"]\n[covariates.age]\n[covariates.copy]\n'
    )
    frame = pd.read_csv(tmp_path / "scores.csv")
    frame.assign(copy=2 * frame["age"]).to_csv(tmp_path / "scores.csv", index=False)
    results = shown(run(read_study(study)))
    extra = Notice("N-DATA-IDS", "Something about the data.")
    decisions = told(replace(results, notices=(*results.notices, extra)))["decisions"]
    logged = decisions["outcomes"][0]
    assert "N-MODEL-ALIASED" in [notice["code"] for notice in logged["notices"]]
    assert logged["simplified"] == ["N-MODEL-ALIASED"]
    assert "N-DATA-IDS" in [notice["code"] for notice in decisions["data"]]
    every = [
        notice["message"]
        for part in (decisions["outcomes"], decisions["sensitivity"])
        for one in part
        for notice in one["notices"]
    ]
    every += [notice["message"] for notice in decisions["data"]]
    assert sorted(every) == sorted(notice.message for notice in (*results.notices, extra))


def test_rows_that_would_tell_of_few_are_null_with_a_reason(tmp_path):
    study = write_study(tmp_path, MINIMAL)
    frame = pd.DataFrame({"id": np.repeat(np.arange(100), 3), "visit": ["baseline", "1 year", "3 years"] * 100})
    frame["score"] = np.random.default_rng(3).normal(3.0, 1.0, 300).round(2)
    frame[~(frame["visit"].eq("1 year") & (frame["id"] < 3))].to_csv(tmp_path / "scores.csv", index=False)
    document = told(shown(run(read_study(study))))
    data = document["inputs"]["data"]
    assert (data["rows_read"], data["rows_kept"], data["rows_dropped"]) == (None, None, None)
    assert set(data["reasons"].values()) == {"hidden"}
    assert "297" not in json.dumps(document["inputs"]["data"]["dialect"])


def test_it_is_written_and_the_same_whatever_the_number_of_threads(results, tmp_path, monkeypatch):
    manifest = report(results, tmp_path / "out")
    first = (tmp_path / "out/provenance.json").read_bytes()
    assert "provenance.json" in manifest.files
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    monkeypatch.chdir(tmp_path)
    assert to_provenance(results) == first
    assert str(tmp_path) not in first.decode()


def test_the_extras_that_were_used_have_their_versions(results):
    plan = replace(
        results.plan,
        report=results.plan.report.model_copy(update={"formats": ("docx", "json")}),
        data=results.plan.data.model_copy(update={"file": "scores.SAV"}),
    )
    assert set(told(replace(results, plan=plan))["software"]["extras"]) == {"pyreadstat", "python-docx"}
    assert told(results)["software"]["extras"] == {}
