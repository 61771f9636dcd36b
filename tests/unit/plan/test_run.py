"""A plan carried out gives what the same questions give when they are asked one by one."""

import numpy as np
import pandas as pd
import pytest
from study_files import MINIMAL, STUDY, write_study

from burnout_stats.errors import DisclosureError, ModelError, StudyError
from burnout_stats.inference import contrast, emmeans
from burnout_stats.models import MMRM, fit
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.plan import check, read_study, run

CONSTANT = STUDY + "\n[outcomes.third]\n\n[outcomes.fourth]\n"


def with_columns(folder, **columns):
    frame = pd.read_csv(folder / "scores.csv")
    frame.assign(**columns).to_csv(folder / "scores.csv", index=False)


def test_a_run_answers_as_the_questions_one_by_one(tmp_path):
    plan = read_study(write_study(tmp_path))
    results = run(plan)
    assert [part.outcome.name for part in results.outcomes] == ["score", "second"]
    assert results.notices == ()
    part = results.outcomes[0]
    again = fit(MMRM("score ~ visit + sex + age + visit:sex"), plan.cohort())
    change = contrast(emmeans(again, "visit"), "vs_baseline")
    pd.testing.assert_frame_equal(part.changes.frame, change.frame)
    np.testing.assert_array_equal(part.changes.vcov, change.vcov)


def test_changes_are_standardized_by_the_sd_observed_at_baseline(tmp_path):
    results = run(read_study(write_study(tmp_path)))
    frame = pd.read_csv(tmp_path / "scores.csv")
    sd = frame.loc[frame["visit"].eq("baseline"), "score"].std()
    part = results.outcomes[0]
    np.testing.assert_allclose(part.standardized.frame["estimate"], part.changes.frame["estimate"] / sd, rtol=1e-12)
    assert any("SD observed at baseline" in note for note in part.standardized.about.notes)


def test_the_plan_s_options_reach_the_answers(tmp_path):
    asked = (
        'df = "satterthwaite"\ncontrasts = "pairwise"\nadjust = "holm"\n'
        'conf_level = 0.9\nweights = "equal"\nmethod = "ml"\n'
    )
    part = run(read_study(write_study(tmp_path, STUDY + asked))).outcomes[0]
    assert list(part.changes.frame["contrast"]) == ["1 year - baseline", "3 years - baseline", "3 years - 1 year"]
    assert (part.changes.about.adjust, part.changes.about.conf_level) == ("holm", 0.9)
    assert part.coefficients.about.df_method == "satterthwaite"
    assert part.fit.spec.method == "ml"
    assert any("equal" in note for note in part.means.about.notes)


def test_progress_is_told_from_start_to_end(tmp_path):
    told = []
    run(read_study(write_study(tmp_path)), progress=lambda done, total, what: told.append((done, total, what)))
    assert told == [(0, 3, "reading the data"), (1, 3, "score"), (2, 3, "second"), (3, 3, "done")]


def test_provenance_names_inputs_by_hash_and_never_by_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    told = run(read_study(write_study(tmp_path))).provenance
    assert (told.study_name, told.data_name, told.seed, told.date) == ("study.toml", "scores.csv", 1, "")
    assert len(told.study_sha256) == len(told.data_sha256) == 64
    assert str(tmp_path) not in repr(told)
    assert {"burnout_stats", "python", "numpy", "scipy", "pandas"} <= set(told.versions)


def test_the_only_date_is_that_of_source_date_epoch(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    assert run(read_study(write_study(tmp_path, MINIMAL))).provenance.date == "2023-11-14"


@pytest.mark.raises_code("E-STUDY-DATE")
@pytest.mark.parametrize("epoch", ["yesterday", "1e9", "9" * 30])
def test_a_date_that_is_no_number_of_seconds_is_refused(tmp_path, monkeypatch, epoch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    with pytest.raises(StudyError) as caught:
        run(read_study(write_study(tmp_path, MINIMAL)))
    assert caught.value.code == "E-STUDY-DATE"


def test_models_without_an_answer_are_all_named(tmp_path):
    path = write_study(tmp_path, CONSTANT)
    with_columns(tmp_path, third=1.0, fourth=2.0)
    with pytest.raises(ModelError) as caught:
        run(read_study(path))
    assert [problem.code for problem in caught.value.problems] == ["E-MODEL-NO-SPREAD", "E-MODEL-NO-SPREAD"]
    assert "third" in caught.value.problems[0].seen
    assert "fourth" in caught.value.problems[1].seen


def test_a_notice_is_kept_and_announced_once(tmp_path):
    path = write_study(tmp_path, STUDY.replace('"age", "visit:sex"]', '"age", "copy"]') + "\n[covariates.copy]\n")
    with_columns(tmp_path, copy=pd.read_csv(tmp_path / "scores.csv")["age"] * 2)
    with pytest.warns(BurnoutStatsWarning) as warned:
        results = run(read_study(path))
    assert [notice.code for notice in results.notices] == ["N-MODEL-ALIASED"] * 2
    assert len(warned) == 2
    assert ["`score`" in notice.message for notice in results.notices] == [True, False]
    assert results.outcomes[1].notices == results.notices[1:]


@pytest.mark.raises_code("E-DISCLOSURE-COHORT")
def test_a_cohort_smaller_than_the_smallest_cell_is_not_reported(tmp_path):
    path = write_study(tmp_path, STUDY + "\n[disclosure]\nmin_cell = 101\n")
    with pytest.raises(DisclosureError) as caught:
        run(read_study(path))
    assert caught.value.code == "E-DISCLOSURE-COHORT"
    assert caught.value.exit_code == 5
    assert check(path).exit_code == 5


def test_results_show_themselves_briefly(tmp_path):
    results = run(read_study(write_study(tmp_path)))
    assert repr(results) == "<Results: A hundred people; outcomes score, second; 0 notices>"
    assert repr(results.outcomes[0]) == "<OutcomeResults: score>"


def test_numbers_before_the_data_stand_in_the_flow(tmp_path):
    flow = '\n[flow]\nbefore = { "Invited" = 140, "Consented" = 120 }\nreasons = { "Invited" = { "Declined" = 20 } }\n'
    plan = read_study(write_study(tmp_path, STUDY + flow))
    frame = run(plan).flow.frame
    told = frame[frame["statistic"].eq("n")].set_index(["variable", "level"])["value"]
    assert [told["before", "Invited"], told["left after Invited", "Declined"], told["subjects", "all"]] == [
        140,
        20,
        100,
    ]
    assert told["left after Consented", "all"] == 20


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_numbers_before_the_data_cannot_be_negative(tmp_path):
    with pytest.raises(StudyError, match=r"flow\.before"):
        read_study(write_study(tmp_path, STUDY + '\n[flow]\nbefore = { "Invited" = -1 }\n'))
