"""The synthetic peer-support cohort: the design that was read, files byte for byte, and its analysis."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from burnout_stats.cohort import read_cohort
from burnout_stats.errors import StudyError
from burnout_stats.plan import check, read_study
from burnout_stats.studies import example, peer_support_analysis, simulate, write, write_synthetic
from burnout_stats.studies._peer_support import tables_of, themes
from burnout_stats.tables import joint_display

SHIPPED = Path(__file__).parents[3] / "data" / "synthetic"


@pytest.fixture(scope="module")
def cohort():
    return example("peer_support")


@pytest.fixture(scope="module")
def analysis(cohort):
    return peer_support_analysis(cohort)


@pytest.mark.pinned
def test_the_shipped_files_are_what_one_command_writes(tmp_path):
    written = write_synthetic(tmp_path, "peer-support")
    assert [path.name for path in written] == ["peer_support.csv", "peer_support.toml", "peer_support.md"]
    for path in written:
        assert path.read_bytes() == (SHIPPED / path.name).read_bytes(), path.name


def test_the_shipped_csv_is_the_example(cohort):
    read = read_cohort(SHIPPED / "peer_support.csv")
    pd.testing.assert_frame_equal(cohort.data, read.data)
    assert dict(cohort.outcome_roles) == dict(read.outcome_roles)
    assert dict(cohort.covariate_roles) == dict(read.covariate_roles)
    assert read.notices == ()


def test_the_study_file_is_sound():
    plan = read_study(SHIPPED / "peer_support.toml")
    assert check(plan) is not None


def test_the_design_is_the_one_that_was_read(cohort):
    data = cohort.data
    first = data[data["visit"] == "baseline"]
    assert (first["supporter"].nunique(), first["county"].nunique()) == (90, 11)
    assert (first.groupby("supporter", observed=True)["county"].nunique() == 1).all()
    assert (first["supporter"].value_counts() == 5).all()
    assert set(first["sessions"]) == {"1", "2", "3"}
    assert (first["consent"] != "form not returned").sum() == 22
    assert (first["consent"] == "interviewed").sum() == 12
    later = data.loc[data["visit"] == "12 months", "exact_years"] * 365.25 - 365.25
    assert later.abs().max() <= tables_of()["window"]
    assert later.min() < -10
    assert later.max() > 10


def test_a_seed_says_everything_and_another_says_something_else(tmp_path):
    one, again, other = (simulate("peer_support", n=120, seed=s).data for s in (4, 4, 5))
    pd.testing.assert_frame_equal(one, again)
    assert not one.equals(other)
    write("peer-support", tmp_path / "a.csv", n=120, seed=4)
    write("peer-support", tmp_path / "b.csv", n=120, seed=4)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_scores_keep_to_their_grids_and_moments_near_what_was_assumed():
    data = simulate("peer_support", n=20000, seed=2).data
    plan = tables_of()["outcomes"]
    for name, row in plan.items():
        low, high = row["range"]
        grid = np.round(low + (high - low) * np.arange(row["steps"] + 1) / row["steps"], 2)
        assert set(data[name]) <= set(grid)
    means = data[data["visit"] == "baseline"].groupby("category", observed=True)["exhaustion"].mean()
    # 90 supporters and 11 counties of SD 0.2 and 0.1 leave an SE of 0.04; clipping moves the highest mean down by 0.03
    np.testing.assert_allclose(means, plan["exhaustion"]["baseline"], atol=0.13)


def test_nothing_but_category_and_level_makes_the_course():
    """With the first score and the category known, sessions and treatment say nothing about the second score."""
    data = simulate("peer_support", n=20000, seed=3).data
    wide = data.pivot(index="subject", columns="visit", values="exhaustion").dropna()
    first = data[data["visit"] == "baseline"].set_index("subject").loc[wide.index]
    X = np.column_stack(
        [
            np.ones(len(wide)),
            wide["baseline"],
            *((first["category"] == level).to_numpy(float) for level in ("coping", "way back")),
            first["sessions"].astype(int),
            (first["treatment"] == "yes").to_numpy(float),
        ]
    )
    y = wide["12 months"].to_numpy()
    beta, *_ = np.linalg.lstsq(X, y, rcond=None)
    error = np.sqrt(np.diag(np.linalg.inv(X.T @ X)) * (y - X @ beta).var())
    assert (np.abs(beta[4:] / error[4:]) < 3).all()
    alone = np.corrcoef(first["sessions"].astype(int), y - wide["baseline"])[0, 1]
    assert alone < -0.1


@pytest.mark.raises_code("E-STUDY-SIZE")
def test_a_cohort_smaller_than_its_network_is_refused():
    with pytest.raises(StudyError, match="one doctor for each supporter") as raised:
        simulate("peer_support", n=50, seed=1)
    assert raised.value.code == "E-STUDY-SIZE"


def test_the_analysis_says_associated_and_what_was_assumed(analysis):
    notes = " ".join(analysis.changes_by_sessions.about.notes)
    assert "associated with" in notes
    assert "assumption" in notes
    assert analysis.supporter_sd > 0
    assert len(analysis.clustered.frame) == 3
    assert (analysis.clustered.frame["df"] < 11).all()
    for part in (analysis.changes_by_treatment, analysis.changes_given_category):
        assert "associated with" in " ".join(part.about.notes)


def test_the_joint_display_sets_words_beside_numbers(analysis):
    table = joint_display(analysis.display)
    text = str(table)
    assert [row.cells[:2] for row in table.rows] == [(level, labels[0]) for level, labels in themes().items()]
    assert "12 interviewed" in text
    assert len(table.columns) == 5
    change = analysis.changes.frame.set_index("category").loc["coping", "estimate"]
    assert table.rows[1].cells[4].first == pytest.approx(change)
