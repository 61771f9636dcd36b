"""The STROBE checklist for cohort studies: 22 items in 34 parts, each with the place that answers it."""

from __future__ import annotations

from collections.abc import Mapping

from ._checklist import Checklist, Item, answers_from, filled

__all__ = ["SECTION_KINDS", "STROBE", "TARMOS", "strobe", "strobe_answers", "tarmos", "tarmos_answers"]

SECTION_KINDS: Mapping[str, str] = {
    "title": "title or lede that names the design (a cohort, followed over time)",
    "summary": "the findings at a glance",
    "estimand": "the question, as the five attributes of an estimand",
    "primary": "which outcomes and contrasts are primary",
    "setting": "the study's own description: setting, dates, who was eligible",
    "visits": "when people were seen",
    "flow": "numbers at each stage and visit",
    "flow figure": "the flow drawn",
    "reasons": "why people took no part",
    "dictionary": "every variable: instrument, scale, levels",
    "characteristics": "the cohort at baseline, with missing values counted",
    "missing values": "missing values counted by variable",
    "follow up": "time since baseline",
    "observed": "observed scores at each visit",
    "methods": "the statistical methods",
    "adjustment": "which terms are adjusted for, and why",
    "subgroups": "interactions or subgroups among the contrasts",
    "missing data": "how missing data were planned for and handled",
    "completers": "completers against those lost",
    "sensitivity": "the same question under other assumptions",
    "precision": "how large the study was, and how precise it is",
    "unadjusted": "unadjusted beside adjusted estimates",
    "limitations": "what this design can and cannot say",
    "interpretation": "an interpretation written by the authors",
    "generalizability": "to whom the results apply, written by the authors",
    "funding": "who paid, and their role",
}
"""The kinds of section by which a report says what it holds."""

TITLE, INTRODUCTION, METHODS = "Title and abstract", "Introduction", "Methods"
RESULTS, DISCUSSION, OTHER = "Results", "Discussion", "Other information"

STROBE: tuple[Item, ...] = (
    Item("1(a)", TITLE, "A usual name of the design in title or abstract", ("title",)),
    Item("1(b)", TITLE, "An abstract that says evenly what was done and found", ("summary",)),
    Item("2", INTRODUCTION, "Background of the study, and why it was done"),
    Item("3", INTRODUCTION, "The objectives, with hypotheses stated beforehand", ("estimand", "primary")),
    Item("4", METHODS, "The main elements of the design, early in the paper", ("title", "estimand")),
    Item("5", METHODS, "Setting, places and dates of recruitment, exposure and follow-up", ("setting",)),
    Item("6(a)", METHODS, "Who was eligible, how people were found, how they were followed up", ("setting",)),
    Item("6(b)", METHODS, "Where people were matched: on what, and how many were exposed and unexposed"),
    Item("7", METHODS, "Every outcome, exposure, predictor, confounder and modifier defined", ("dictionary",)),
    Item("8", METHODS, "For each variable, where it comes from and how it was measured", ("dictionary",)),
    Item("9", METHODS, "What was done about possible bias", ("sensitivity", "completers")),
    Item("10", METHODS, "How the size of the study came about", ("precision",)),
    Item("11", METHODS, "How quantitative variables were used; groupings and why", ("dictionary",)),
    Item("12(a)", METHODS, "All statistical methods, and how confounding was handled", ("adjustment", "methods")),
    Item("12(b)", METHODS, "How subgroups and interactions were examined", ("subgroups",)),
    Item("12(c)", METHODS, "How missing data were handled", ("missing data", "methods")),
    Item("12(d)", METHODS, "How loss to follow-up was handled", ("missing data", "sensitivity", "methods")),
    Item("12(e)", METHODS, "Sensitivity analyses", ("sensitivity",)),
    Item("13(a)", RESULTS, "How many took part at each stage", ("flow",)),
    Item("13(b)", RESULTS, "Why people did not take part, at each stage", ("reasons",)),
    Item("13(c)", RESULTS, "A flow diagram", ("flow figure",)),
    Item("14(a)", RESULTS, "Who the participants were: characteristics, exposures, confounders", ("characteristics",)),
    Item("14(b)", RESULTS, "How many values of each variable were missing", ("missing values", "characteristics")),
    Item("14(c)", RESULTS, "How long people were followed", ("follow up", "visits")),
    Item("15", RESULTS, "Outcome events or summaries over time", ("observed",)),
    Item("16(a)", RESULTS, "Unadjusted and adjusted estimates with their precision", ("unadjusted",)),
    Item("16(b)", RESULTS, "The limits of categories made from quantitative variables"),
    Item("16(c)", RESULTS, "Relative risks as absolute ones, where that helps"),
    Item("17", RESULTS, "Other analyses: subgroups, interactions, sensitivity", ("sensitivity", "subgroups")),
    Item("18", DISCUSSION, "The main results, against the objectives", ("summary",)),
    Item("19", DISCUSSION, "Limitations: bias and imprecision, their direction and size", ("limitations",)),
    Item("20", DISCUSSION, "A cautious interpretation in the light of other evidence", ("interpretation",)),
    Item("21", DISCUSSION, "To whom the results apply", ("generalizability",)),
    Item("22", OTHER, "Who paid for the study, and their part in it", ("funding",)),
)

TARMOS: tuple[Item, ...] = (
    Item("1(a)", "Plan", "The analysis model, and what it is to estimate", ("estimand", "methods")),
    Item("1(b)", "Plan", "Whether an analysis of complete records may be valid, and why", ("missing data",)),
    Item("1(c)", "Plan", "Whether multiple imputation may help, and why", ("missing data",)),
    Item("1(d)", "Plan", "Whether scores missing not at random need sensitivity analyses", ("missing data",)),
    Item("2(a)", "Conduct", "How much is missing, of what, and of whom", ("missing values", "flow")),
    Item("2(b)", "Conduct", "Whether the data agree with what the plan took for granted", ("completers",)),
    Item("3(a)", "Report", "How the missing data were handled", ("missing data", "methods")),
    Item("3(b)", "Report", "The results of all analyses of missing data", ("sensitivity",)),
    Item("3(c)", "Report", "The results read in the light of what is missing", ("sensitivity",)),
)


def strobe(answers: Mapping[str, tuple[str, str]]) -> Checklist:
    """The STROBE checklist for cohort studies, filled in.

    What each item asks is told in our words; the statement itself has the full wording. A place that is named says
    where to look, not that what stands there is enough: that is for a reader to judge.

    Parameters
    ----------
    answers : mapping of item to (text, anchor)
        For each item that is answered ("5", "13(c)"), what the answer is called and the anchor of the section that
        holds it; an empty anchor for an answer that is only a sentence ("not applicable: nobody was matched"). Items
        that are left out are "not addressed".

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an item that STROBE does not have, `E-STUDY-VALUE` for one text that stands for two places.

    **Source**: von Elm et al. 2007, PLoS Med 4:e296, the checklist for cohort studies.

    >>> strobe({"13(a)": ("The cohort", "cohort")})
    <Checklist: STROBE, cohort studies; 1 of 34 items answered>
    """
    return filled(
        "STROBE, cohort studies",
        STROBE,
        answers,
        notes=(
            "STROBE statement, checklist for cohort studies (von Elm et al. 2007), items in short.",
            "A place says where to look; whether what stands there is enough is for a reader to judge.",
        ),
    )


def strobe_answers(sections: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """What a report answers, from what it holds.

    Parameters
    ----------
    sections : mapping of kind to (title, anchor)
        The sections of the report by what they hold: keys of `SECTION_KINDS`.

    >>> strobe_answers({"funding": ("Funding", "funding")})
    {'22': ('Funding', 'funding')}
    """
    return answers_from(STROBE, sections)


def tarmos(answers: Mapping[str, tuple[str, str]]) -> Checklist:
    """The three steps of TARMOS for missing data in observational studies, filled in; `answers` as in `strobe`.

    The steps are those of the framework; their division into parts is ours.

    **Source**: Lee et al. 2021, J Clin Epidemiol 134:79.
    """
    return filled(
        "TARMOS, missing data",
        TARMOS,
        answers,
        notes=("The steps of TARMOS (Lee et al. 2021); their division into parts is ours.",),
    )


def tarmos_answers(sections: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """As `strobe_answers`, for the steps of TARMOS."""
    return answers_from(TARMOS, sections)
