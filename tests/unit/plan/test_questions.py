"""Primary questions are one family, and the unadjusted model differs from the adjusted one in its terms alone."""

import numpy as np
import pandas as pd
import pytest
from study_files import STUDY, write_study

from burnout_stats.errors import StudyError
from burnout_stats.inference import contrast, emmeans
from burnout_stats.models import MMRM, fit
from burnout_stats.plan import read_study, run
from burnout_stats.plan.questions import contrast_names
from burnout_stats.reporting.gate import shown

PRIMARY = '[analysis.primary]\noutcomes = ["score", "second"]\ncontrasts = ["1 year - baseline"]\nadjust = "{}"\n'
ADJUSTMENT = '[analysis.adjustment]\nsex = "known to differ"\nage = "known to differ"\n'


def refused(tmp_path, text):
    with pytest.raises(StudyError) as caught:
        read_study(write_study(tmp_path, STUDY + text))
    return caught.value.problems


def holm(p):
    """The definition, spelled out."""
    order = np.argsort(p)
    found, least = np.empty(len(p)), 0.0
    for rank, place in enumerate(order):
        least = max(least, min((len(p) - rank) * p[place], 1.0))
        found[place] = least
    return found


@pytest.mark.parametrize(
    ("adjust", "by_hand"), [("holm", holm), ("none", lambda p: p), ("bonferroni", lambda p: 2 * p)]
)
def test_the_primary_family_spans_outcomes(tmp_path, adjust, by_hand):
    results = run(read_study(write_study(tmp_path, STUDY + PRIMARY.format(adjust), n=20)))
    alone = [contrast(part.means, "vs_baseline").frame.iloc[0] for part in results.outcomes]
    p = np.array([row["p_value"] for row in alone])
    family = results.primary
    assert list(family.frame["outcome"]) == ["score", "second"]
    assert set(family.frame["contrast"]) == {"1 year - baseline"}
    np.testing.assert_allclose(family.frame["p_value"], np.minimum(by_hand(p), 1.0), rtol=1e-12)
    np.testing.assert_allclose(family.frame["estimate"], [row["estimate"] for row in alone], rtol=1e-12)
    widths = family.frame["conf_high"] - family.frame["conf_low"]
    own = np.array([row["conf_high"] - row["conf_low"] for row in alone])
    assert (widths > own).all() if adjust == "bonferroni" else np.allclose(widths, own)
    assert family.about.adjust == adjust
    assert any("primary contrasts" in note for note in family.about.notes)


def test_each_table_says_what_is_primary_in_it(tmp_path):
    one = PRIMARY.format("holm").replace(', "second"', "")
    plan = read_study(write_study(tmp_path, STUDY + one))
    notes = [part.changes.about.notes for part in run(plan).outcomes]
    assert "Primary: 1 year - baseline. Secondary: 3 years - baseline." in notes[0]
    assert "Secondary outcome: no contrast here belongs to the primary family." in notes[1]
    assert plan.multiplicity == (
        "Primary: 1 year − baseline in Exhaustion.",
        "There is one primary contrast, so nothing is adjusted for multiplicity.",
        "All other contrasts are secondary, and no part of that family.",
        "In the tables of single outcomes: p values are not adjusted for the number of contrasts within an outcome.",
    )


def test_without_a_primary_block_nothing_is_singled_out(tmp_path):
    plan = read_study(write_study(tmp_path, STUDY + 'adjust = "holm"\n'))
    results = run(plan)
    assert results.primary is None
    assert not any("rimary" in note for part in results.outcomes for note in part.changes.about.notes)
    assert plan.multiplicity == (
        "P values are adjusted over the contrasts of each outcome (Holm), and not for the number of outcomes.",
    )


def test_the_unadjusted_model_has_the_same_rows_and_fewer_terms(tmp_path):
    path = write_study(tmp_path, STUDY + ADJUSTMENT)
    frame = pd.read_csv(tmp_path / "scores.csv")
    frame.loc[frame["id"].isin(frame["id"].unique()[:30]), "age"] = np.nan
    frame.to_csv(tmp_path / "scores.csv", index=False)
    plan = read_study(path)
    assert plan.unadjusted_terms == ("visit",)  # visit:sex goes with sex
    with pytest.warns(match="N-MODEL-ROWS-LEFT-OUT"):
        part = run(plan).outcomes[0]
    cohort = plan.cohort()
    again = fit(MMRM("score ~ visit"), cohort.subset(cohort.frame["age"].notna()))
    expected = contrast(emmeans(again, "visit"), "vs_baseline").frame
    np.testing.assert_allclose(part.unadjusted.frame["estimate"], expected["estimate"], rtol=1e-10)
    np.testing.assert_allclose(part.unadjusted.frame["std_error"], expected["std_error"], rtol=1e-10)
    assert list(part.unadjusted.frame["n"]) == list(part.changes.frame["n"])
    assert not np.allclose(part.unadjusted.frame["estimate"], part.changes.frame["estimate"], rtol=1e-6)


def test_without_adjustment_terms_there_is_no_unadjusted_model(tmp_path):
    results = run(read_study(write_study(tmp_path)))
    assert {part.unadjusted for part in results.outcomes} == {None}


def test_what_is_hidden_in_the_changes_is_hidden_in_the_others(tmp_path):
    asked = PRIMARY.format("holm").replace("1 year", "3 years") + ADJUSTMENT + "[disclosure]\nmin_cell = 40\n"
    path = write_study(tmp_path, STUDY + asked)
    frame = pd.read_csv(tmp_path / "scores.csv")
    late = frame.index[frame["visit"].eq("3 years")]
    frame.loc[late[30:], ["score", "second"]] = np.nan
    frame.to_csv(tmp_path / "scores.csv", index=False)
    results = run(read_study(path))
    assert results.primary.frame["n"].max() < 40
    seen = shown(results)
    assert seen.primary.frame["hidden"].all()
    assert seen.primary.frame[["estimate", "p_value", "n"]].isna().all(axis=None)
    for part in seen.outcomes:
        late = part.unadjusted.frame.set_index("contrast").loc["3 years - baseline"]
        assert late["hidden"]
        assert np.isnan(late["estimate"])
        assert list(part.unadjusted.frame["hidden"]) == list(part.changes.frame["hidden"])


@pytest.mark.parametrize(
    ("text", "code", "seen", "advice"),
    [
        ('[analysis.primary]\noutcomes = ["scoer"]\n', "E-STUDY-COLUMN", "`scoer`", "Did you mean `score`?"),
        (
            '[analysis.primary]\noutcomes = ["score"]\ncontrasts = ["1 year - basline"]\n',
            "E-STUDY-VALUE",
            "`analysis.primary.contrasts` names `1 year - basline`.",
            "Did you mean `1 year - baseline`?",
        ),
        ('[analysis.primary]\noutcomes = ["score", "score"]\n', "E-STUDY-VALUE", "says a name twice", "second"),
        ('[analysis.primary]\noutcomes = ["score"]\nadjust = "tukey"\n', "E-STUDY-VALUE", "'tukey'", "none"),
        ('[analysis.adjustment]\nweight = "why not"\n', "E-STUDY-TERM", "'weight'", "Add it to `analysis.terms`"),
        ('[analysis.adjustment]\nvisit = "why not"\n', "E-STUDY-TERM", "'visit'", "Leave it out here."),
        ('contrasts = "difference_in_differences"\n', "E-STUDY-VALUE", "difference_in_differences", "vs_baseline"),
    ],
)
def test_questions_that_the_study_cannot_ask(tmp_path, text, code, seen, advice):
    (problem,) = refused(tmp_path, text)
    assert problem.code == code
    assert seen in problem.seen
    assert advice in problem.sentence()


def test_contrasts_are_named_as_the_answers_name_them(tmp_path):
    for method in ("vs_baseline", "consecutive", "pairwise", "polynomial"):
        plan = read_study(write_study(tmp_path, STUDY + f'contrasts = "{method}"\n'))
        found = run(plan).outcomes[0].changes.frame["contrast"]
        assert tuple(found) == contrast_names(method, plan.visits)
