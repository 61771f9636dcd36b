"""Numbers of groups beside words: what is asked of the words, and what may not be shown."""

from __future__ import annotations

import pytest
from cohorts import cohort_of, scores

from burnout_stats.display import Hidden
from burnout_stats.errors import StudyError
from burnout_stats.inference import emmeans, joint_display
from burnout_stats.models import MMRM, fit
from burnout_stats.tables import joint_display as table_of


@pytest.fixture(scope="module")
def means():
    fitted = fit(MMRM("score ~ visit * sex"), cohort_of(scores(40, seed=2)))
    return emmeans(fitted, "visit", by="sex")


def levels(means):
    return list(dict.fromkeys(map(str, means.frame["sex"])))


def test_every_level_has_its_words(means):
    one, other = levels(means)
    shown = joint_display(means, themes={other: "second", one: ["first", "also"]}, factor="sex", source="a study")
    table = table_of(shown)
    assert [row.cells[1] for row in table.rows] == ["first; also", "second"]
    assert table.notes[0] == "In words: labels of a study; given, not found in these numbers."


def test_a_level_may_have_no_words(means):
    one, other = levels(means)
    table = table_of(joint_display(means, themes={one: "", other: "b"}, factor="sex", source="a study"))
    assert table.rows[0].cells[1] == "no label given"


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_displays_that_cannot_be_made(means):
    one, other = levels(means)
    good = {one: "a", other: "b"}
    for parts, said in [
        ((), {"themes": good, "factor": "sex", "source": "x"}),
        ((means,), {"themes": good, "factor": "specialty", "source": "x"}),
        ((means,), {"themes": {one: "a"}, "factor": "sex", "source": "x"}),
        ((means,), {"themes": good, "factor": "sex", "source": " "}),
    ]:
        with pytest.raises(StudyError) as raised:
            joint_display(*parts, **said)
        assert raised.value.code == "E-STUDY-VALUE"


def test_small_groups_are_hidden():
    frame = scores(40, seed=2)
    few = frame["id"].isin(sorted(frame["id"].unique())[:3])
    frame["sex"] = few.map({True: "few", False: "many"})
    means = emmeans(fit(MMRM("score ~ visit + sex"), cohort_of(frame)), "visit", by="sex")
    table = table_of(joint_display(means, themes={"few": "x", "many": "y"}, factor="sex", source="a study"))
    cells = {row.cells[0]: row.cells[2:] for row in table.rows}
    assert all(isinstance(cell, Hidden) for cell in cells["few"])
