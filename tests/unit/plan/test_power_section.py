"""The plan of a study is stored with it: `[power]` is read, checked and echoed."""

import pytest
from study_files import MINIMAL, write_study

from burnout_stats import power
from burnout_stats.errors import StudyError
from burnout_stats.plan import read_study

DESIGN = power.CohortDesign(
    (3.0, 2.75, 2.7), sd=0.9, correlation=0.5, patterns={"111": 0.8, "100": 0.2}, n=150, outcome="score"
)


def test_the_plan_is_read_and_echoed(tmp_path):
    text = MINIMAL + "\n" + power.block(DESIGN, power=0.9)
    plan = read_study(write_study(tmp_path, text))
    assert plan.power is not None
    assert plan.power.design(plan.visits) == DESIGN
    echo = plan.echo()["power"]
    assert (echo["n"], echo["power"], echo["outcome"]) == (150, 0.9, "score")
    assert "half_width" not in echo
    assert "power" not in read_study(write_study(tmp_path, MINIMAL)).echo()


@pytest.mark.raises_code("E-STUDY-DESIGN", "E-STUDY-COLUMN", "E-STUDY-KEY")
def test_what_does_not_fit_the_study_is_refused(tmp_path):
    good = power.block(DESIGN)
    cases = {
        "E-STUDY-COLUMN": good.replace('outcome = "score"', 'outcome = "scoer"'),
        "E-STUDY-DESIGN": good.replace('"111" = 0.8', '"111" = 0.7'),
        "E-STUDY-KEY": good.replace("null = 0.0", "nul = 0.0"),
    }
    for code, block in cases.items():
        with pytest.raises(StudyError) as caught:
            read_study(write_study(tmp_path, MINIMAL + "\n" + block))
        assert caught.value.code == code
    assert "[power]" in str(StudyError.of([*_problems(tmp_path, cases["E-STUDY-DESIGN"])]))


def _problems(tmp_path, block):
    with pytest.raises(StudyError) as caught:
        read_study(write_study(tmp_path, MINIMAL + "\n" + block))
    return caught.value.problems
