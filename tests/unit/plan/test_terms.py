"""From terms to a formula: names are looked up, never evaluated."""

import pytest

from burnout_stats.design import parse
from burnout_stats.errors import StudyError
from burnout_stats.plan.terms import check_terms, formula, split_term

COVARIATES = ("sex", "age", "work: hours", "log(x)")


def problems(*terms):
    return check_terms(terms, outcomes=("exhaustion",), covariates=COVARIATES)


@pytest.mark.parametrize(
    ("term", "names"),
    [
        ("visit", ("visit",)),
        (" visit : sex ", ("visit", "sex")),
        ("`work: hours`:visit", ("work: hours", "visit")),
        ("work: hours", ("work: hours",)),
        ("a:b:c", ("a", "b", "c")),
        ("", ()),
        ("visit:", ()),
        (":visit", ()),
        ("visit::sex", ()),
        ("`visit", ()),
    ],
)
def test_a_term_is_names_joined_by_colons(term, names):
    assert split_term(term, COVARIATES) == names


def test_good_terms_have_no_problem():
    assert problems("visit", "sex", "age", "visit:sex", "work: hours", "`work: hours`:visit") == []


@pytest.mark.parametrize(
    ("term", "said"),
    [
        ("agee", "Did you mean `age`?"),
        ("exhaustion", "an outcome explains no other outcome"),
        ("education level", '[covariates."education level"]'),
        ("visit:", "names joined by colons"),
        ("sex:visit", "'visit:sex' before it"),
        ("__import__('os').system('true')", "__import__"),
    ],
)
@pytest.mark.raises_code("E-STUDY-TERM")
def test_a_bad_term_is_refused_with_advice(term, said):
    found = problems("visit", "sex", "visit:sex", term)
    assert [problem.code for problem in found] == ["E-STUDY-TERM"]
    assert said in found[0].sentence()
    assert "`analysis.terms[3]`" in found[0].seen


def test_the_visit_is_always_a_term():
    (problem,) = problems("sex", "visit:sex")
    assert 'Add "visit"' in problem.advice


def test_a_formula_reads_back_as_the_names_that_went_in():
    hostile = ["visit", "work: hours", "visit:`work: hours`", "log(x)"]
    parsed = parse(formula("a ~ b + c", hostile, COVARIATES))
    assert parsed.response == "a ~ b + c"
    assert [[factor.variable for factor in term] for term in parsed.terms] == [
        ["visit"],
        ["work: hours"],
        ["log(x)"],
        ["visit", "work: hours"],
    ]
    assert not any(factor.transform for term in parsed.terms for factor in term)


def test_a_name_that_cannot_be_quoted_is_refused():
    found = check_terms(["visit", "a`b"], outcomes=(), covariates=("a`b",))
    assert found
    with pytest.raises(StudyError):
        raise StudyError.of(found)
