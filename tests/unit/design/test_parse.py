from __future__ import annotations

import pytest

from burnout_stats.design import parse
from burnout_stats.errors import StudyError


def terms(text):
    return [":".join(map(str, term)) for term in parse(text).terms]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y ~ 1", []),
        ("y ~ a + b", ["a", "b"]),
        ("y ~ a * b", ["a", "b", "a:b"]),
        ("y ~ a:b + a", ["a", "a:b"]),
        ("y ~ a * b * c", ["a", "b", "c", "a:b", "a:c", "b:c", "a:b:c"]),
        ("y ~ (a + b) * c", ["a", "b", "c", "a:c", "b:c"]),
        ("y ~ a * b - a:b", ["a", "b"]),
        ("y ~ a + a + b:a + a:b", ["a", "b:a"]),
        ("y ~ a:a", ["a"]),
        ("y ~ `work hours` + Größe", ["work hours", "Größe"]),
        ("y ~ log(a) + power(a, 2)", ["log(a)", "power(a, 2.0)"]),
        ('y ~ coded(a, "sum"):b', ["coded(a, sum):b"]),
        ("y~a.b_c", ["a.b_c"]),
    ],
)
def test_terms(text, expected):
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("text", "intercept"),
    [("y ~ a", True), ("y ~ 0 + a", False), ("y ~ a - 1", False), ("y ~ 1 + a", True), ("y ~ -1 + a", False)],
)
def test_intercept(text, intercept):
    assert parse(text).intercept is intercept


def test_random_parts():
    formula = parse("y ~ years + (1 + years | subject) + (0 + years || clinic)")
    first, second = formula.random
    assert (first.group, first.correlated, first.intercept, len(first.terms)) == ("subject", True, True, 1)
    assert (second.group, second.correlated, second.intercept, len(second.terms)) == ("clinic", False, False, 1)
    assert [":".join(map(str, t)) for t in formula.terms] == ["years"]


@pytest.mark.raises_code("E-STUDY-FORMULA")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "y",
        "y ~",
        "~ a",
        "y ~ a +",
        "y ~ a b",
        "y ~ (a + b",
        "y ~ a)",
        "y ~ np.log(a)",
        "y ~ exec(a)",
        "y ~ log(a, 2)",
        "y ~ power(a)",
        "y ~ power(a, b)",
        "y ~ coded(a)",
        'y ~ coded(a, "what")',
        "y ~ a * (1 | g)",
        "y ~ a ** 2",
        "y ~ a[0]",
        "y ~ a; b",
        "y ~ {a}",
        "y ~ __import__('os').system('true')",
        "y ~ a @ b",
        "y ~ `a",
        "y ~ 2",
        "y ~ a : ",
    ],
)
def test_refused(text):
    with pytest.raises(StudyError) as raised:
        parse(text)
    assert raised.value.code == "E-STUDY-FORMULA"


def test_the_message_points_at_the_place():
    with pytest.raises(StudyError, match=r"at `b`"):
        parse("y ~ a b")
