"""The estimand and the plan for missing data are read and echoed; "effect" is said under `causal = true` only."""

import pytest
from study_files import MINIMAL, STUDY, write_study

from burnout_stats.errors import StudyError
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.plan import check, read_study, run
from burnout_stats.plan.estimand import EFFECT, effect_notices, may_say_effect

ESTIMAND = """
[estimand]
population = "Doctors who asked for counseling."
variable = "Exhaustion at 1 year."
exposure = "One year later against baseline."
intercurrent_events = [{ event = "sick leave", strategy = "treatment policy", note = "Part of what happens." }]
summary = "The difference of two means."
"""
CAUSAL = ESTIMAND + 'causal = true\nassumptions = "No other help, and no return to the mean."\n'
MISSING = """
[missing_data]
reasons = "People move."
justification = "Earlier scores are in the model."
auxiliaries = ["second[baseline]", "age"]
"""


def problems(tmp_path, text):
    with pytest.raises(StudyError) as caught:
        read_study(write_study(tmp_path, text))
    return caught.value.problems


def test_without_the_sections_the_echo_is_as_it_was(tmp_path):
    plan = read_study(write_study(tmp_path, MINIMAL))
    echo = plan.echo()
    assert (plan.estimand, plan.missing_data, plan.analysis.primary) == (None, None, None)
    assert not {"estimand", "missing_data"} & set(echo)
    assert set(echo["report"]) == {"formats", "number_style", "figures", "seed"}
    assert not {"primary", "adjustment"} & set(echo["analysis"])


def test_what_is_said_is_echoed(tmp_path):
    echo = read_study(write_study(tmp_path, STUDY + ESTIMAND + MISSING)).echo()
    assert echo["estimand"]["causal"] is False
    assert echo["estimand"]["intercurrent_events"][0]["strategy"] == "treatment policy"
    assert echo["missing_data"]["mechanism"] == "missing at random"
    said = 'language = "nb"\nchecklist = "strobe"\nauthors = ["A. Author"]\nformats = ["docx", "pdf", "md", "tex"]\n'
    report = read_study(write_study(tmp_path, STUDY + "[report]\n" + said)).echo()["report"]
    assert (report["language"], report["checklist"], report["authors"]) == ("nb", "strobe", ["A. Author"])
    assert report["formats"] == ["docx", "pdf", "md", "tex"]
    assert "funding" not in report


@pytest.mark.raises_code("E-STUDY-MISSING", "E-STUDY-VALUE", "E-STUDY-COLUMN", "E-STUDY-KEY")
def test_what_is_wrong_is_named_by_its_key_path(tmp_path):
    found = problems(tmp_path, STUDY + ESTIMAND + "causal = true\n")
    assert [problem.seen for problem in found] == ["`estimand.causal` is true and `estimand.assumptions` is missing."]
    wrong = ESTIMAND.replace("treatment policy", "ignore it").replace('summary = "The difference of two means."\n', "")
    told = {problem.seen: problem for problem in problems(tmp_path, STUDY + wrong)}
    assert "`estimand.intercurrent_events[0].strategy` is 'ignore it'." in told
    assert "principal stratum" in told["`estimand.intercurrent_events[0].strategy` is 'ignore it'."].expected
    assert "`estimand.summary` is missing." in told
    (column,) = problems(tmp_path, STUDY + MISSING.replace('"age"', '"aeg"'))
    assert (column.code, column.seen) == ("E-STUDY-COLUMN", "`missing_data.auxiliaries` names `aeg`.")
    assert "Did you mean `age`?" in column.advice
    (key,) = problems(tmp_path, STUDY + "[report]\nlangauge = 'nb'\n")
    assert "Did you mean `language`?" in key.advice
    (event,) = problems(tmp_path, STUDY + ESTIMAND.replace("event =", "evnt =").replace("{ ", '{ event = "x", '))
    assert event.seen == "Key `estimand.intercurrent_events[0].evnt` is not known."


@pytest.mark.raises_code("N-STUDY-EFFECT")
def test_the_user_s_own_effect_is_noticed_where_the_estimand_is_not_causal(tmp_path):
    named = STUDY.replace("A hundred people", "The effect of counseling").replace("Job stress", "Effekter av kurs")
    for text in (named, named + ESTIMAND):
        found = check(write_study(tmp_path, text))
        assert [notice.code for notice in found.notices] == ["N-STUDY-EFFECT"]
        assert "`title`, `outcomes.second.label`" in found.notices[0].message
        assert not may_say_effect(found.plan.estimand)
    with pytest.warns(BurnoutStatsWarning, match="N-STUDY-EFFECT"):
        results = run(read_study(write_study(tmp_path, named)))
    assert "N-STUDY-EFFECT" in {notice.code for notice in results.notices}


@pytest.mark.parametrize("text", [STUDY.replace("A hundred", "Fixed and random effects of a hundred"), STUDY])
def test_effects_of_a_model_are_no_claim(tmp_path, text):
    assert effect_notices(read_study(write_study(tmp_path, text))) == ()


def test_a_causal_estimand_may_say_effect(tmp_path):
    plan = read_study(write_study(tmp_path, STUDY.replace("A hundred", "The effect on a hundred") + CAUSAL))
    assert plan.may_say_effect
    assert effect_notices(plan) == ()


def test_words_of_the_sections_are_looked_at_too(tmp_path):
    plan = read_study(write_study(tmp_path, STUDY + ESTIMAND.replace("The difference of two means", "The effect")))
    (notice,) = effect_notices(plan)
    assert "`estimand.summary`" in notice.message


@pytest.mark.parametrize(("text", "is_claim"), [("effectively", True), ("affect", False), ("effekt", True)])
def test_what_counts_as_the_word(text, is_claim):
    assert bool(EFFECT.search(text)) == is_claim
