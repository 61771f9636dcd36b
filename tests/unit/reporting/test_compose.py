"""A report as a document: what it holds for a study file that says much, and for one that says little; that its tables
and figures are numbered as they are met, and that what it names is there.
"""

import importlib
import re

import pandas as pd
import pytest
from study_files import MINIMAL, STUDY, write_study

from burnout_stats import tables
from burnout_stats.display.escape import clean
from burnout_stats.errors import SetupError
from burnout_stats.plan import read_study, run
from burnout_stats.reporting import report
from burnout_stats.reporting.compose import compose
from burnout_stats.reporting.document import Code, Details, Drawn, Heading, Paragraph, Set, blocks_of
from burnout_stats.reporting.gate import shown
from burnout_stats.reporting.page import grouped, to_page

FULL = (
    STUDY
    + """
adjustment = { age = "The older answer differently." }

[analysis.primary]
outcomes = ["score"]
contrasts = ["1 year - baseline"]

[estimand]
population = "People who came for help."
variable = "Exhaustion at one year."
exposure = "One year after, against before."
summary = "The difference of two means."

[[estimand.intercurrent_events]]
event = "A new job"
strategy = "treatment policy"

[missing_data]
reasons = "People move."
justification = "Scores before tell who moves."

[report]
checklist = "strobe"
authors = ["A. Author", "B. <b>Author</b>"]
funding = "Nobody paid."
"""
)


PLANNED = ("estimand", "adjustment", "missing_data_plan")
"""The tables of words about what was planned have no numbers, so that Table 1 is who the subjects were."""


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """The document of a study file that says much; its figures are drawn once."""
    folder = tmp_path_factory.mktemp("full")
    return compose(shown(run(read_study(write_study(folder, FULL)))))


@pytest.fixture(scope="module")
def little(tmp_path_factory):
    """The document of a study file that says little, without figures."""
    folder = tmp_path_factory.mktemp("little")
    return compose(shown(run(read_study(write_study(folder, MINIMAL + "\n[report]\nfigures = false\n")))))


def titles(document):
    return [section.title for section in document.sections]


def anchors(document):
    found = [section.anchor for section in document.sections]
    return found + [block.anchor for block in blocks_of(document) if isinstance(block, Heading) and block.anchor]


def test_the_sections_stand_in_the_order_of_a_paper(full):
    assert titles(full) == [
        "What is asked",
        "At a glance",
        "The cohort",
        "Missing data",
        "Primary results",
        "Exhaustion",
        "Job stress",
        "Notices",
        "Declarations",
        "STROBE checklist",
        "Provenance",
    ]


def test_what_the_study_file_does_not_say_takes_no_room(little):
    assert titles(little) == ["At a glance", "The cohort", "Missing data", "Score", "Notices", "Provenance"]
    assert not [block for block in blocks_of(little) if isinstance(block, Drawn)]


def test_the_three_steps_of_tarmos_have_their_places(full, little):
    for document in (full, little):
        places = anchors(document)
        steps = ["missing-data-plan", "missingness-found", "sensitivity"]
        assert [place for place in places if place in steps] == steps


@pytest.mark.parametrize("kind", [Set, Drawn])
def test_numbers_follow_the_order_of_reading(full, kind):
    names = [block.name for block in blocks_of(full) if isinstance(block, kind) and block.name]
    word = {Set: "Table", Drawn: "Figure"}[kind]
    assert names == [f"{word} {number}" for number in range(1, len(names) + 1)]
    for block in blocks_of(full):
        if isinstance(block, Set):
            assert block.table.title.startswith(f"{block.name}. ") or block.file in PLANNED
        elif isinstance(block, Drawn):
            assert block.picture.caption.startswith(f"{block.name}. ")


def test_table_one_is_who_the_subjects_were(full, little):
    for document in (full, little):
        first = next(block for block in blocks_of(document) if isinstance(block, Set) and block.name)
        assert (first.name, first.file) == ("Table 1", "baseline")


def test_what_is_referred_to_is_there(full):
    names = {block.name for block in blocks_of(full) if isinstance(block, Set | Drawn)}
    said = [block.text for block in blocks_of(full) if isinstance(block, Paragraph) and block.kind == "pointer"]
    assert len(said) == 2
    assert set(re.findall(r"(?:Table|Figure) \d+", " ".join(said))) <= names


def test_anchors_are_all_different_and_the_checklist_leads_to_them(full):
    places = anchors(full)
    assert len(places) == len(set(places))
    checklist = next(block for block in blocks_of(full) if isinstance(block, Set) and block.file == "strobe")
    there = {*places, "title", "one-arm"}
    assert {anchor for _, anchor in checklist.anchors} <= there
    answered = {str(row.cells[0]): row.cells[2] for row in checklist.table.rows}
    assert answered["16(a)"] == "Change"
    assert answered["22"] == "Funding"
    assert answered["20"] == "not addressed"


def test_the_checklist_links_to_its_answers_on_the_page(full):
    page = to_page(full).decode()
    assert '<a href="#missing-data-plan">Missing-data plan</a></td>' in page
    assert ">not addressed</td>" in page
    assert "B. &lt;b&gt;Author&lt;/b&gt;" in page


def test_unadjusted_changes_stand_beside_the_adjusted_ones(full):
    table = next(
        block.table for block in blocks_of(full) if isinstance(block, Set) and block.file == "unadjusted_score"
    )
    assert [column.spanner for column in table.columns] == ["", *["Unadjusted"] * 3, *["Adjusted"] * 3]
    changes = next(block.table for block in blocks_of(full) if isinstance(block, Set) and block.file == "changes_score")
    assert [row.cells[4] for row in table.rows] == [row.cells[1] for row in changes.rows]
    assert [row.cells[1] for row in table.rows] != [row.cells[4] for row in table.rows]


def test_only_primary_contrasts_are_marked(full):
    page = to_page(full).decode()
    assert page.count('<span class="mark">primary</span>') == 1


def test_other_programs_are_asked_the_same(full):
    scripts = [block for block in blocks_of(full) if isinstance(block, Code) and block.language]
    assert {block.language for block in scripts} == {"SAS", "R (mmrm)", "R (nlme)", "Stata"}
    assert all("scores.csv" in block.text for block in scripts)


def test_no_block_is_lost_when_they_are_grouped(full):
    for section in full.sections:
        assert [block for group in grouped(section.blocks) for block in group.blocks] == list(section.blocks)


def test_a_report_in_bokmaal_says_so_and_counts_so(tmp_path):
    path = write_study(tmp_path, STUDY + '\n[report]\nlanguage = "nb"\nfigures = false\n')
    page = to_page(compose(shown(run(read_study(path))))).decode()
    assert '<html lang="nb">' in page
    for words in ("Tabell 1. ", "Kohorten", "Innhold", "Kort fortalt", "95\N{NO-BREAK SPACE}% KI"):
        assert words in page
    assert re.search(r"\N{MINUS SIGN}\d,\d\d til", page)
    assert "Table 1" not in page


@pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")
def test_table_one_hides_what_few_persons_have(tmp_path):
    """Three persons of an unknown sex: their number is not told, nor what it could be worked out from."""
    path = write_study(tmp_path, MINIMAL + '\n[covariates.sex]\nlevels = ["F", "M"]\n')
    frame = pd.read_csv(tmp_path / "scores.csv")
    frame.loc[frame["id"].isin(sorted(set(frame["id"]))[:3]), "sex"] = None
    frame.to_csv(tmp_path / "scores.csv", index=False)
    safe = shown(run(read_study(path)))
    found = safe.baseline.frame
    whole = found[found["variable"].eq("sex") & found["level"].eq("(all)")]
    counts = whole[whole["statistic"].isin(["n", "missing"]) & whole["completion"].isin(["lost", "Overall"])]
    assert counts["hidden"].all()
    shares = found[found["variable"].eq("sex") & found["statistic"].isin(["percent", "smd"])]
    assert shares.loc[shares["completion"].ne("completed"), "hidden"].all(), "16 are 50%: of 32, where 35 were lost"
    assert "hidden" in str(tables.baseline(safe.baseline))
    assert safe.attrition is None, "its shares are the counts in other words"


def test_table_one_has_one_group_where_nobody_was_lost(tmp_path):
    path = write_study(tmp_path, MINIMAL)
    frame = pd.read_csv(tmp_path / "scores.csv")
    whole = frame["id"].map(frame.groupby("id").size()).eq(3)
    frame[whole].to_csv(tmp_path / "scores.csv", index=False)
    results = run(read_study(path))
    assert results.baseline.about.by == ()
    assert results.attrition is None


def test_every_format_comes_with_its_files(tmp_path):
    formats = '["html", "docx", "pdf", "md", "tex"]'
    said = STUDY.replace("[outcomes.second]", '[outcomes."a_$x$ & b"]')
    path = write_study(tmp_path, f"{said}\n[report]\nformats = {formats}\n")
    frame = pd.read_csv(tmp_path / "scores.csv").rename(columns={"second": "a_$x$ & b"})
    frame.to_csv(tmp_path / "scores.csv", index=False)
    manifest = report(read_study(path), tmp_path / "out")
    assert manifest.files[:3] == ("report.html", "report.docx", "report.pdf")
    assert {name.rsplit(".")[-1] for name in manifest.files} == {
        "html",
        "docx",
        "pdf",
        "md",
        "tex",
        "svg",
        "png",
        "json",
    }
    first = (tmp_path / "out/tables/baseline.md").read_text(encoding="utf-8")
    assert "Characteristics at baseline" in first
    assert "Table 1" not in first, "the text that takes it in counts for itself"
    assert "\\toprule" in (tmp_path / "out/tables/baseline.tex").read_text(encoding="utf-8")


@pytest.mark.raises_code("E-SETUP-EXTRA")
@pytest.mark.parametrize(("name", "library"), [("pdf", "typst"), ("docx", "docx")])
def test_a_format_that_is_not_installed_is_told_before_a_model_is_fitted(tmp_path, monkeypatch, name, library):
    plan = read_study(write_study(tmp_path, MINIMAL + f'\n[report]\nformats = ["{name}"]\n'))
    real = importlib.import_module

    def without(asked, *more):
        if asked.split(".")[0] == library:
            raise ImportError(asked)
        return real(asked, *more)

    monkeypatch.setattr(importlib, "import_module", without)
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(SetupError) as caught:
        report(plan, tmp_path / "out", progress=lambda *_: pytest.fail("a step was begun"))
    assert caught.value.code == "E-SETUP-EXTRA"
    assert not (tmp_path / "out").exists()


def test_details_hold_what_few_readers_ask_for(full):
    summaries = [block.summary for block in blocks_of(full) if isinstance(block, Details)]
    assert summaries.count("The model in full") == 2
    assert summaries.count("The same model in other programs") == 2
    assert all(clean(summary) == summary for summary in summaries)
