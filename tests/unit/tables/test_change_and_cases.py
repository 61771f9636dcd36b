"""Tables of change, cases, repeated-measures ANOVA and change against level."""

from __future__ import annotations

import numpy as np
import pytest

from burnout_stats import describe, tables
from burnout_stats.display import Hidden, Interval, Missing
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Share
from burnout_stats.studies import example


def column(table, key):
    at = [one.key for one in table.columns].index(key)
    return [row.cells[at] for row in table.rows]


def test_change_with_everything_beside_it():
    cohort = example("villa_sana")
    change, scores = describe.change(cohort), describe.change_scores(cohort)
    table = tables.change(change, scores, describe.standardized_change(cohort))
    keys = [one.key for one in table.columns]
    assert keys[:6] == ["contrast", "mean_before", "sd_before", "mean_after", "sd_after", "estimate"]
    assert column(table, "estimate") == change.frame["estimate"].tolist()
    values = scores.frame.set_index(["variable", "level", "statistic"])["value"].sort_index()
    for at, row in enumerate(change.frame.itertuples()):
        found = values[row.outcome, row.contrast]
        assert column(table, "mean_before")[at] == found["mean_before"]
        assert column(table, "correlation")[at] == found["correlation"]
        assert column(table, "n_later")[at] == values[row.outcome, row.contrast.split(" - ")[0], "n"]
    assert any(note.startswith("d_av: change over the average") for note in table.notes)
    assert len({row.group for row in table.rows}) == 4
    assert "Standardized" in str(table)


def test_a_rank_test_has_no_standard_error():
    cohort = example("villa_sana")
    table = tables.change(describe.change(cohort, "exhaustion", method="wilcoxon", by="sex"))
    keys = [one.key for one in table.columns]
    assert "std_error" not in keys
    assert next(one.header for one in table.columns if one.key == "statistic") == "z"


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_scores_of_other_rows():
    cohort = example("villa_sana")
    change = describe.change(cohort, "exhaustion")
    with pytest.raises(StudyError, match="other rows"):
        tables.change(change, describe.change_scores(cohort, "job_stress"))
    with pytest.raises(StudyError, match="other rows"):
        tables.change(change, None, describe.standardized_change(cohort, "exhaustion", visits="consecutive"))
    with pytest.raises(StudyError, match="This table was given"):
        tables.change(change, describe.by_visit(cohort))


def test_cases_in_percent():
    cohort = example("villa_sana")
    found = describe.caseness(cohort, "exhaustion", 3.5)
    table = tables.caseness(found)
    np.testing.assert_allclose(column(table, "estimate"), 100 * found.frame["estimate"])
    limits = column(table, "conf")
    assert isinstance(limits[0], Interval)
    assert limits[0].low == pytest.approx(100 * found.frame.loc[0, "conf_low"])
    change = tables.caseness_change(
        describe.caseness_change_from_summaries(before=Share(63, 182), after=Share(10, 182))
    )
    assert column(change, "estimate")[0] == pytest.approx(-29.12, abs=0.005)
    assert isinstance(column(change, "statistic")[0], Missing)


def test_the_gate_stands_before_the_tables():
    cohort = example("villa_sana")
    found = describe.caseness_change(cohort, "sick_leave")
    assert found.frame["estimate"].notna().all()
    table = tables.caseness_change(found)
    assert all(isinstance(cell, Hidden) for key in ("estimate", "conf", "p_value", "n") for cell in column(table, key))
    movement = tables.transitions(describe.transitions(cohort, "sick_leave"))
    assert any(isinstance(cell, Hidden) for cell in column(movement, "n"))
    assert any("hidden" in note for note in movement.notes)


def test_the_other_tables_show_their_numbers():
    cohort = example("villa_sana")
    anova = describe.rm_anova(cohort, "exhaustion", between="sex")
    table = tables.rm_anova(anova)
    assert column(table, "num_df") == anova.frame["num_df"].tolist()
    assert "conf" not in [
        one.key for one in tables.rm_anova(describe.rm_anova(cohort, "exhaustion", eta="generalized")).columns
    ]
    s = describe.sphericity(cohort, "exhaustion")
    assert column(tables.sphericity(s), "estimate") == s.frame["estimate"].tolist()
    for method, header in (("oldham", "Correlation"), ("pitman-morgan", "Variance ratio")):
        shown = tables.level_and_change(describe.level_and_change(cohort, "exhaustion", method=method))
        assert shown.columns[1].header == header
    for result in (anova, s, describe.caseness(cohort, "exhaustion", 3.5), describe.change_scores(cohort)):
        assert str(result)
        assert "<table" in result._repr_html_()


@pytest.mark.parametrize(
    "verb", ["change", "caseness", "caseness_change", "transitions", "rm_anova", "sphericity", "level_and_change"]
)
def test_each_takes_its_own_kind(verb):
    with pytest.raises(StudyError, match="This table was given"):
        getattr(tables, verb)(describe.flow(example("villa_sana")))
