"""The synthetic cohorts by name, the files that ship, and what their numbers claim to be."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from burnout_stats.cohort import read_cohort
from burnout_stats.errors import StudyError
from burnout_stats.studies import available, example, simulate, write, write_synthetic
from burnout_stats.studies.__main__ import main
from burnout_stats.studies._calibrate import calibrate, first_typical_seed, pair_targets
from burnout_stats.studies._design import design, example_seed, parameters
from burnout_stats.studies._solved import solved_text
from burnout_stats.studies._truth import rm_anova

SHIPPED = Path(__file__).parents[3] / "data" / "synthetic"
VISITS = ["baseline", "1 year", "3 years"]
OUTCOMES = ("exhaustion", "job_stress", "depression", "anxiety")


@pytest.fixture(scope="module")
def told() -> dict:
    return json.loads((SHIPPED / "villa_sana.truth.json").read_text(encoding="utf-8"))


def patterns(cohort) -> dict[tuple[bool, ...], int]:
    seen = pd.crosstab(cohort.data["subject"], cohort.data["visit"]).to_numpy() > 0
    found, counts = np.unique(seen, axis=0, return_counts=True)
    return {tuple(map(bool, row)): int(count) for row, count in zip(found, counts, strict=True)}


@pytest.mark.pinned
def test_the_shipped_files_are_what_one_command_writes(tmp_path):
    written = write_synthetic(tmp_path / "data")
    assert {path.name for path in written} == {
        "villa_sana.csv",
        "villa_sana.toml",
        "villa_sana.truth.json",
        "README.md",
    }
    for path in written:
        assert path.read_bytes() == (SHIPPED / path.name).read_bytes(), path.name


def test_the_shipped_csv_is_the_example():
    made, read = example("villa_sana"), read_cohort(SHIPPED / "villa_sana.csv")
    pd.testing.assert_frame_equal(made.data, read.data)
    assert list(made.ids) == list(read.ids)
    assert dict(made.outcome_roles) == dict(read.outcome_roles)
    assert dict(made.covariate_roles) == dict(read.covariate_roles)
    assert made.visits == read.visits
    assert read.notices == ()


def test_the_shipped_csv_has_the_columns_of_the_dictionary():
    head, first, *_ = (SHIPPED / "villa_sana.csv").read_text(encoding="utf-8").splitlines()
    assert head == (
        "id,visit,sex,age,intervention,exhaustion,job_stress,depression,anxiety,scl5,coping,neuroticism,work_hours,"
        "sick_leave,sick_leave_weeks,psychotherapy"
    )
    assert first.startswith("VS001,baseline,")
    text = (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert all(f"| {name} |" in text for name in head.split(","))


def test_the_example_is_typical_by_its_patterns_of_visits_and_the_first_of_its_kind():
    wanted = {(True, True, True): 169, (True, True, False): 16, (True, False, True): 15, (True, False, False): 27}
    assert patterns(example("villa_sana")) == wanted
    assert first_typical_seed(design("villa_sana"), parameters("villa_sana")) == example_seed("villa_sana")


@pytest.mark.raises_code("E-STUDY-CALIBRATION")
def test_a_search_for_a_typical_seed_ends():
    with pytest.raises(StudyError, match="No seed up to 3"):
        first_typical_seed(design("villa_sana"), parameters("villa_sana"), limit=3)


def test_117_of_227_are_women():
    assert example("villa_sana").data.drop_duplicates("subject")["sex"].value_counts().to_dict() == {"F": 117, "M": 110}


def test_names_take_hyphens_and_sizes_are_the_study_s_own_unless_given():
    assert available() == ("villa_sana",)
    assert simulate("villa-sana", seed=1).n_subjects == 227
    assert simulate("villa_sana", n=10, seed=1).n_subjects == 10


@pytest.mark.raises_code("E-STUDY-UNKNOWN")
def test_an_unknown_study_is_refused_with_the_nearest_name():
    with pytest.raises(StudyError, match="Did you mean `villa_sana`"):
        simulate("vila-sana", seed=1)


def test_a_cohort_is_written_to_a_path_or_a_stream(tmp_path):
    stream = io.StringIO()
    write("villa-sana", stream, n=12, seed=4)
    write("villa_sana", tmp_path / "some.csv", n=12, seed=4)
    assert (tmp_path / "some.csv").read_bytes() == stream.getvalue().encode()
    (tmp_path / "some.toml").write_bytes(
        (SHIPPED / "villa_sana.toml").read_bytes().replace(b"villa_sana.csv", b"some.csv")
    )
    pd.testing.assert_frame_equal(read_cohort(tmp_path / "some.csv").data, simulate("villa_sana", n=12, seed=4).data)
    write("villa_sana", tmp_path / "shipped.csv")
    assert (tmp_path / "shipped.csv").read_bytes() == (SHIPPED / "villa_sana.csv").read_bytes()


def test_scores_keep_to_their_grids():
    data = simulate("villa_sana", n=3000, seed=9).data
    for variable in parameters("villa_sana").variables:
        if not isinstance(data[variable.name].dtype, pd.CategoricalDtype):
            assert set(data[variable.name].unique()) <= set(variable.grid.values), variable.name


def test_the_words_of_the_workshop(tmp_path, capsys):
    assert main(["synthetic", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("villa_sana.csv")
    assert lines[-1].endswith("peer_support.md")
    assert main(["other"]) == 2
    assert "calibrate" in capsys.readouterr().err


# ---- where the numbers come from -------------------------------------------------------------------------------------


def test_every_number_has_a_mark_and_every_published_one_a_source():
    plan = design("villa_sana")
    rows = [row for table in plan.variables.values() for row in (*table["moments"], *table["stability"])]
    rows += [
        *plan.tables["factors"].values(),
        *plan.tables["pairs"],
        *plan.patterns,
        *plan.missed,
        *plan.tables["further"],
    ]
    for row in rows:
        assert row["mark"] in {"seen", "derived", "inferred", "assumption"}
        assert row["mark"] == "assumption" or re.match(r"[A-D](, |:)", row["source"]), row


def test_what_no_source_gives_is_called_an_assumption(told):
    text = (SHIPPED / "README.md").read_text(encoding="utf-8")
    for name in ("depression", "anxiety"):
        rows = [row for row in told["targets"] if f"of {name}@" in row["what"]]
        assert len(rows) == 6
        assert {row["mark"] for row in rows} == {"assumption"}
        assert "assumption" in example("villa_sana").outcome(name).note
        assert re.search(rf"\| {name} \|.*assumption", text)
    assert "scl5_as_printed_1_5" in text
    assert told["synthetic"].startswith("Made by simulation")


def test_the_latent_correlations_are_well_inside_the_possible():
    given = parameters("villa_sana")
    assert np.linalg.eigvalsh(given.correlation)[0] > 0.04
    assert len(given.latent) == 34


def test_dropout_depends_on_sex_and_baseline_only():
    dropout = parameters("villa_sana").dropout
    assert {term.variable for term in dropout.terms} == {"sex", "exhaustion", "job_stress", "coping"}
    assert all(pattern.seen[0] for pattern in dropout.patterns)


def test_every_pair_of_columns_has_one_target():
    pairs = list(pair_targets(design("villa_sana")))
    assert len(pairs) == len({frozenset((pair.first, pair.second)) for pair in pairs}) == 34 * 33 // 2


# ---- what is true ----------------------------------------------------------------------------------------------------


def test_every_target_is_reached(told):
    """Within 0.002 SD for means and SDs, 0.002 for correlations and shares, 0.02 subjects."""
    unsolved = {(row["what"], row["among"]) for row in design("villa_sana").tables["further"]}
    solved = [row for row in told["targets"] if (row["what"], row["among"]) not in unsolved]
    assert len(solved) == len(told["targets"]) - len(unsolved) > 80
    unit = {
        row["what"].removeprefix("SD of "): row["target"] for row in told["targets"] if row["what"].startswith("SD of ")
    }
    for row in solved:
        column = row["what"].removeprefix("mean of ").removeprefix("mean change of ").removeprefix("SD of ")
        scale = unit.get(column, 10.0 if row["what"].startswith("subjects") else 1.0)
        assert row["reached"] == pytest.approx(row["target"], abs=0.002 * scale), row["what"]


def test_figures_that_nothing_was_solved_for_are_near_too(told):
    reached = {row["what"]: (row["target"], row["reached"]) for row in told["targets"]}
    near = {
        "F of": 1.0,
        "epsilon": 0.008,
        "mean of exhaustion@baseline (lost)": 0.005,
        "SD of exhaustion@baseline (lost)": 0.005,
        "mean of job_stress@baseline (lost)": 0.005,
        "SD of job_stress@baseline (lost)": 0.005,
        "mean of coping@baseline (lost)": 0.005,
        "SD of coping@baseline (lost)": 0.005,
        "share seen at 3 years, sex F": 0.001,
        "SD of the change of work_hours": 0.02,
        "z of coping": 0.1,
        "z of job_stress": 0.1,
        "beta of the fall of work hours": 0.01,
        "beta of weeks": 0.01,
        "share on full-time sick leave": 0.025,
    }
    for start, tolerance in near.items():
        target, value = next(pair for what, pair in reached.items() if what.startswith(start))
        assert value == pytest.approx(target, abs=tolerance), start


def test_the_true_changes_are_differences_of_true_means(told):
    everyone = told["moments"]["everyone"]["scores"]
    for name in OUTCOMES:
        for label in VISITS[1:]:
            change = everyone[f"{name}@{label}"]["mean"] - everyone[f"{name}@baseline"]["mean"]
            assert told["estimands"][name][label]["change"] == pytest.approx(change, abs=1.01e-4)
            assert told["estimands"][name][label]["change"] < told["estimands"][name][label]["change_among_seen"] < 0


def test_rm_anova_from_moments_is_the_textbook_f():
    mixing = np.array([[1, 0.4, 0.2], [0, 1, 0.5], [0, 0, 1]])
    y = np.random.default_rng(1).normal(size=(40, 3)) @ mixing + [0, 0.3, 0.5]
    subject, visit, grand = y.mean(axis=1, keepdims=True), y.mean(axis=0), y.mean()
    between = 40 * np.sum((visit - grand) ** 2) / 2
    within = np.sum((y - subject - visit + grand) ** 2) / (2 * 39)
    f, epsilon = rm_anova(visit, np.cov(y.T), 40)
    assert f == pytest.approx(between / within, rel=1e-12)
    assert 0.5 < epsilon < 1.0


# ---- solving ------------------------------------------------------------------------------------------------------


def test_solving_again_on_few_points_comes_near_the_shipped_parameters():
    plan = design("villa_sana")
    solution = calibrate(plan, points=12, enough=0.02)
    for variable in parameters("villa_sana").variables:
        for mine, theirs in zip(solution.margins[variable.name], variable.margins, strict=True):
            assert mine.mean == pytest.approx(theirs.mean, abs=0.05 * max(theirs.sd, 0.5)), variable.name
    assert "seed = 5 #" in solved_text(plan, solution, 5)


@pytest.mark.raises_code("E-STUDY-CALIBRATION")
def test_solving_says_which_target_is_missed():
    with pytest.raises(StudyError, match=r"After 1 rounds .* misses a target: "):
        calibrate(design("villa_sana"), points=10, rounds=1)
