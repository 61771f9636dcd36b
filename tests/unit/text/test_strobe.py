"""The checklists: every item is there, an answer leads to one place, and nothing is claimed that nobody answered."""

from __future__ import annotations

import pytest

from burnout_stats import text
from burnout_stats.errors import StudyError
from burnout_stats.text._checklist import NOT_ADDRESSED
from burnout_stats.text._strobe import STROBE, TARMOS


def test_strobe_has_twenty_two_items_in_thirty_four_parts() -> None:
    numbers = [item.number for item in STROBE]
    assert len(numbers) == len(set(numbers)) == 34
    assert list(dict.fromkeys(number.partition("(")[0] for number in numbers)) == [str(k) for k in range(1, 23)]
    parts = {"1": "ab", "6": "ab", "12": "abcde", "13": "abc", "14": "abc", "16": "abc"}
    for number in map(str, range(1, 23)):
        wanted = [f"{number}({letter})" for letter in parts[number]] if number in parts else [number]
        assert [one for one in numbers if one.partition("(")[0] == number] == wanted


def test_every_kind_of_section_is_declared_and_used() -> None:
    used = {kind for item in (*STROBE, *TARMOS) for kind in item.kinds}
    assert used == set(text.SECTION_KINDS)


def test_what_nobody_answers_is_not_addressed() -> None:
    empty = text.strobe({})
    assert empty.n_answered == 0
    assert empty.anchors == ()
    assert {row.cells[2] for row in empty.table.rows} == {NOT_ADDRESSED}


def test_an_answer_leads_to_its_place() -> None:
    filled = text.strobe(
        {"13(a)": ("The cohort", "cohort"), "5": ("The cohort", "cohort"), "6(b)": ("not matched", "")}
    )
    assert filled.anchors == (("The cohort", "cohort"),)
    told = {row.cells[0]: row.cells[2] for row in filled.table.rows}
    assert (told["5"], told["13(a)"], told["6(b)"]) == ("The cohort", "The cohort", "not matched")
    assert repr(filled) == "<Checklist: STROBE, cohort studies; 3 of 34 items answered>"


def test_a_report_answers_by_what_it_holds() -> None:
    answers = text.strobe_answers({"methods": ("Method", "method"), "missing data": ("Missing data", "missing")})
    assert answers == {
        "12(a)": ("Method", "method"),
        "12(c)": ("Missing data", "missing"),
        "12(d)": ("Missing data", "missing"),
    }
    assert text.tarmos(text.tarmos_answers({"sensitivity": ("Sensitivity", "s")})).n_answered == 2


@pytest.mark.raises_code("E-STUDY-OPTION")
def test_an_item_that_strobe_does_not_have() -> None:
    with pytest.raises(StudyError, match="23"):
        text.strobe({"23": ("Funding", "funding")})


@pytest.mark.raises_code("E-STUDY-VALUE")
@pytest.mark.parametrize(
    "answers",
    [{"5": ("Here", "a"), "7": ("Here", "b")}, {"5": ("  ", "a")}, {"5": (NOT_ADDRESSED, "a")}],
)
def test_one_text_is_one_place(answers: dict[str, tuple[str, str]]) -> None:
    with pytest.raises(StudyError) as caught:
        text.strobe(answers)
    assert caught.value.code == "E-STUDY-VALUE"
