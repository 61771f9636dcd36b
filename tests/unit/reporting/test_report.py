"""A report: which files it writes, that their bytes depend on nothing but the inputs, and that they hold the numbers of
the run.
"""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from study_files import MINIMAL, write_study

from burnout_stats.errors import DisclosureError, StudyError
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.plan import read_study, run
from burnout_stats.reporting import report

FILES = (
    "report.html",
    *(
        f"figures/{name}.svg"
        for name in (
            "flow",
            "missingness",
            "trajectory_score",
            "residuals_score",
            "correlation_score",
            "trajectory_second",
            "residuals_second",
            "correlation_second",
        )
    ),
    "results.json",
    "results.schema.json",
    "provenance.json",
    "tables/flow.csv",
    "tables/baseline.csv",
    "tables/attrition.csv",
    "tables/missingness.csv",
    "tables/observed.csv",
    "tables/means.csv",
    "tables/changes.csv",
    "tables/standardized_changes.csv",
    "tables/coefficients.csv",
    "manifest.json",
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Results, and the folder of their report."""
    folder = tmp_path_factory.mktemp("study")
    results = run(read_study(write_study(folder)))
    report(results, folder / "out")
    return results, folder / "out"


def all_bytes(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def few_at(visit, folder, more=""):
    """A study in which only 8 people have this visit, and numbers of fewer than 10 may not be shown."""
    path = write_study(folder, f"{MINIMAL}\n[disclosure]\nmin_cell = 10\n{more}")
    frame = pd.read_csv(folder / "scores.csv")
    there = frame["visit"].eq(visit)
    frame[~there | (there.cumsum() <= 8)].to_csv(folder / "scores.csv", index=False)
    return path


def test_a_report_is_these_files(tmp_path):
    manifest = report(read_study(write_study(tmp_path)), tmp_path / "out")
    assert manifest.files == FILES
    assert sorted(all_bytes(tmp_path / "out")) == sorted(FILES)
    assert (manifest.exit_code, manifest.notices) == (0, ())
    assert repr(manifest) == "<Manifest: 22 files, 0 notices>"


@pytest.mark.parametrize(
    ("said", "files"),
    [
        ('formats = ["json"]', ["manifest.json", "provenance.json", "results.json", "results.schema.json"]),
        ('formats = ["html"]\nfigures = false', ["manifest.json", "report.html"]),
    ],
)
def test_only_what_is_asked_for_is_written(tmp_path, said, files):
    report(read_study(write_study(tmp_path, MINIMAL + f"\n[report]\n{said}\n")), tmp_path / "out")
    assert sorted(all_bytes(tmp_path / "out")) == files


def test_the_same_input_gives_the_same_bytes_in_another_process(tmp_path):
    """Hash seed, time zone, locale, working folder, number of threads and the time of day may all differ."""
    study = write_study(tmp_path)
    asked = (
        "import sys; from burnout_stats.plan import read_study; from burnout_stats.reporting import report; "
        "report(read_study(sys.argv[1]), sys.argv[2])"
    )
    around = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    worlds = (
        {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "2", "TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8", "COLUMNS": "40"},
    )
    for number, world in enumerate(worlds):
        place = tmp_path / f"cwd{number}"
        place.mkdir()
        subprocess.run(
            [sys.executable, "-c", asked, str(study), str(tmp_path / f"out{number}")],
            cwd=place,
            env=around | world,
            check=True,
        )
    assert all_bytes(tmp_path / "out0") == all_bytes(tmp_path / "out1")


def test_a_second_run_replaces_the_first(tmp_path):
    report(read_study(write_study(tmp_path)), tmp_path / "out")
    before = all_bytes(tmp_path / "out")
    report(read_study(write_study(tmp_path, MINIMAL)), tmp_path / "out")
    after = all_bytes(tmp_path / "out")
    assert "figures/trajectory_second.svg" not in after
    assert after["report.html"] != before["report.html"]


@pytest.mark.raises_code("E-REPORT-FOREIGN")
def test_a_foreign_report_is_left_alone(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.html").write_text("my own")
    with pytest.raises(StudyError):
        report(read_study(write_study(tmp_path)), out)
    assert all_bytes(out) == {"report.html": b"my own"}


def test_results_json_holds_the_numbers_of_the_run_in_full(written):
    results, out = written
    text = (out / "results.json").read_text(encoding="utf-8")
    document = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert document["schema"] == 2
    for part, told in zip(results.outcomes, document["outcomes"], strict=True):
        for key, estimates in (
            ("means", part.means),
            ("changes", part.changes),
            ("standardized_changes", part.standardized),
        ):
            for name in ("estimate", "std_error", "df", "p_value", "conf_low"):
                np.testing.assert_array_equal([row[name] for row in told[key]["rows"]], estimates.frame[name])
            np.testing.assert_array_equal(told[key]["vcov"], estimates.vcov)
        assert told["model"]["loglik"] == part.fit.loglik
        np.testing.assert_array_equal(told["model"]["covariance"]["matrix"], part.fit.covariance)
    assert document["provenance"]["plan"] == json.loads(json.dumps(results.plan.echo()))
    assert text == json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_csv_files_hold_the_numbers_of_the_run_in_full(written):
    results, out = written
    names = ("estimate", "p_value", "conf_high")
    changes = pd.read_csv(out / "tables/changes.csv", converters=dict.fromkeys(names, float))
    for name in names:
        wanted = np.concatenate([part.changes.frame[name] for part in results.outcomes])
        np.testing.assert_array_equal(changes[name], wanted)
    assert list(changes["outcome"]) == ["score", "score", "second", "second"]
    assert changes["hidden"].eq(False).all()


def test_infinite_degrees_of_freedom_are_null_with_a_reason(tmp_path):
    report(read_study(write_study(tmp_path, MINIMAL + '\n[analysis]\ndf = "asymptotic"\n')), tmp_path / "out")
    document = json.loads((tmp_path / "out/results.json").read_text())
    row = document["outcomes"][0]["changes"]["rows"][0]
    assert row["df"] is None
    assert row["reasons"] == {"df": "infinite"}
    changes = pd.read_csv(tmp_path / "out/tables/changes.csv")
    assert np.isinf(changes["df"]).all()


@pytest.mark.raises_code("N-DISCLOSURE-HIDDEN")
@pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")
def test_numbers_of_few_persons_stand_in_no_file(tmp_path):
    results = run(read_study(few_at("3 years", tmp_path)))
    manifest = report(results, tmp_path / "out")
    document = json.loads((tmp_path / "out/results.json").read_text())
    row = document["outcomes"][0]["means"]["rows"][2]
    assert row["estimate"] is None
    assert row["n"] is None
    assert row["reasons"]["estimate"] == "hidden"
    assert "N-DISCLOSURE-HIDDEN" in [notice.code for notice in manifest.notices]
    raw = results.outcomes[0]
    assert ">hidden<" in (tmp_path / "out/report.html").read_text(encoding="utf-8")
    model = document["outcomes"][0]["model"]
    assert model["covariance"]["matrix"] is None
    assert (model["n_obs"], document["provenance"]["data"]["rows_read"]) == (None, None)
    secrets = [
        raw.fit.covariance.iloc[2, 2],
        raw.means.frame["estimate"].iloc[2],
        raw.changes.frame["estimate"].iloc[1],
        raw.changes.frame["conf_low"].iloc[1],
    ]
    observed = raw.observed.frame
    secrets += list(observed.loc[observed["level"].eq("3 years") & observed["statistic"].eq("sd"), "value"])
    everything = b"".join(
        data for name, data in all_bytes(tmp_path / "out").items() if name != "manifest.json"
    ).decode()
    assert f"{raw.fit.n_obs} scores" not in everything
    assert f"{raw.fit.n_obs} rows" not in everything
    assert f">{raw.fit.n_obs}<" not in everything
    for secret in secrets:
        assert math.isfinite(secret)
        assert repr(float(secret))[:9] not in everything


@pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")
def test_no_change_is_standardized_aloud_by_a_hidden_sd(tmp_path):
    results = run(read_study(few_at("baseline", tmp_path, '[analysis]\ncontrasts = "consecutive"\n')))
    report(results, tmp_path / "out")
    row = json.loads((tmp_path / "out/results.json").read_text())["outcomes"][0]
    assert [change["estimate"] is None for change in row["changes"]["rows"]] == [True, False]
    assert [change["estimate"] is None for change in row["standardized_changes"]["rows"]] == [True, True]
    observed = results.outcomes[0].observed.frame
    sd = observed.loc[observed["level"].eq("baseline") & observed["statistic"].eq("sd"), "value"].iloc[0]
    everything = b"".join(all_bytes(tmp_path / "out").values()).decode()
    assert f"({sd:.3g})" not in everything


@pytest.mark.raises_code("E-DISCLOSURE-COHORT")
@pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")
def test_a_model_of_too_few_people_is_not_reported(tmp_path):
    path = write_study(tmp_path, MINIMAL + "\n[outcomes.rare]\n\n[disclosure]\nmin_cell = 20\n")
    frame = pd.read_csv(tmp_path / "scores.csv")
    few = frame["id"].isin(sorted(set(frame["id"]))[:19])
    frame["rare"] = frame["score"].where(few)
    frame.to_csv(tmp_path / "scores.csv", index=False)
    with pytest.raises(DisclosureError) as caught:
        report(read_study(path), tmp_path / "out")
    assert caught.value.code == "E-DISCLOSURE-COHORT"
    assert not (tmp_path / "out").exists()


def test_notices_count_as_failure_only_where_strict(tmp_path):
    path = write_study(
        tmp_path, MINIMAL + '\n[analysis]\nterms = ["visit", "age", "copy"]\n[covariates.age]\n[covariates.copy]\n'
    )
    frame = pd.read_csv(tmp_path / "scores.csv")
    frame.assign(copy=frame["age"] * 2).to_csv(tmp_path / "scores.csv", index=False)
    with pytest.warns(BurnoutStatsWarning, match="N-MODEL-ALIASED"):
        results = run(read_study(path))
    assert report(results, tmp_path / "out").exit_code == 0
    manifest = report(results, tmp_path / "out", strict=True)
    assert manifest.exit_code == 1
    assert (tmp_path / "out/report.html").exists()
