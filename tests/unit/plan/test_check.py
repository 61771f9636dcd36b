"""A look before running: all refusals and notices, no exception."""

import pandas as pd
from study_files import MINIMAL, STUDY, write_study

from burnout_stats.plan import check, read_study


def test_a_study_that_can_run_is_fine(tmp_path):
    path = write_study(tmp_path)
    found = check(path)
    assert found.is_fine
    assert (found.problems, found.notices, found.exit_code) == ((), (), 0)
    assert found.cohort.n_subjects == 100
    assert check(read_study(path)).is_fine
    assert repr(found) == "<Checked: fine, 0 notices>"


def test_a_study_file_that_cannot_be_read_ends_with_2(tmp_path):
    found = check(write_study(tmp_path, STUDY + 'covarianc = "us"\n'))
    assert (found.exit_code, found.plan, found.cohort) == (2, None, None)
    assert [problem.code for problem in found.problems] == ["E-STUDY-KEY"]
    assert repr(found) == "<Checked: 1 problems, 0 notices>"


def test_refused_data_end_with_3_and_name_lines_never_persons(tmp_path):
    path = write_study(tmp_path, MINIMAL)
    lines = (tmp_path / "scores.csv").read_text().splitlines()
    lines.insert(3, lines[1])
    (tmp_path / "scores.csv").write_text("\n".join(lines) + "\n")
    found = check(path)
    assert found.exit_code == 3
    assert found.plan is not None
    assert found.problems[0].lines == (2, 4)
    assert "S0000" not in str(found.problems)


def test_a_missing_column_is_found_before_anything_is_fitted(tmp_path):
    path = write_study(tmp_path, STUDY + "\n[outcomes.scoore]\n")
    found = check(path)
    assert found.exit_code in {2, 3}
    assert "scoore" in found.problems[0].sentence()


def test_notices_do_not_stop(tmp_path):
    path = write_study(tmp_path, MINIMAL + '\n[covariates.sex]\nlevels = ["F", "M", "X"]\n')
    found = check(path)
    assert found.is_fine
    assert len(found.notices) == 1
    assert pd.api.types.is_list_like(found.notices)
