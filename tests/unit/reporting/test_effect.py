"""Nothing that a report says of its own accord speaks of an effect, in any format that is text."""

import html
import json
import re
import warnings
from dataclasses import replace

import pytest
from study_files import MINIMAL, STUDY, write_study

from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.plan import read_study, run
from burnout_stats.plan.estimand import EFFECT, MODEL_WORDS
from burnout_stats.reporting import report

ASKED = """
[sensitivity]
outcomes = ["score"]
imputations = 20

[estimand]
population = "Doctors."
variable = "Exhaustion."
exposure = "One year later against baseline."
intercurrent_events = [{ event = "sick leave", strategy = "treatment policy" }]
summary = "The difference of two means."
[missing_data]
reasons = "People move."
justification = "Earlier scores are in the model."

[analysis.primary]
outcomes = ["score"]
contrasts = ["1 year - baseline"]
adjust = "holm"

[analysis.adjustment]
sex = "known to differ"
age = "known to differ"

[report]
checklist = "strobe"
figures = false
formats = ["html", "json", "tex"]
"""
DENIED = re.compile(r"not\s+as\s+effects|ikke\s+som\s+effekter")
"""What tells a reader that the numbers are none."""

CALLS = re.compile(r"\b\w*\.?\w*effects?\w*\s*=|effects?\(|\beffects?\.\w+|/effect\w*", re.IGNORECASE)
"""Words of other programs, in the calls for reviewers."""


def words(folder):
    """Everything that is written for people, without markup, by file."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".html", ".csv", ".md", ".tex"}:
            text = re.sub(r"(?s)<style.*?</style>|<!--.*?-->", " ", path.read_text(encoding="utf-8"))
            yield path.name, html.unescape(re.sub(r"<[^>]+>", " ", text))
        elif path.suffix == ".json":
            yield path.name, json.dumps(json.loads(path.read_text(encoding="utf-8")), ensure_ascii=False)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("effect")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)
        return run(read_study(write_study(folder, STUDY + ASKED)))


@pytest.mark.parametrize("language", ["en", "nb"])
def test_a_whole_report_claims_no_effect(tmp_path, results, language):
    plan = replace(results.plan, report=results.plan.report.model_copy(update={"language": language}))
    report(replace(results, plan=plan), tmp_path)
    read = dict(words(tmp_path))
    assert {"report.html", "results.json"} <= set(read)
    assert DENIED.search(read["report.html"])  # the word would be found
    told = {name: CALLS.sub("", MODEL_WORDS.sub("", DENIED.sub("", text))) for name, text in read.items()}
    said = {
        name: [text[max(0, found.start() - 60) : found.end() + 60] for found in EFFECT.finditer(text)]
        for name, text in told.items()
    }
    assert {name: found for name, found in said.items() if found} == {}


def test_a_causal_analysis_is_not_told_to_be_read_as_changes(tmp_path):
    said = "Read the numbers below as changes, not as effects."
    attributes = 'population = "P"\nvariable = "V"\nexposure = "E"\nsummary = "S"'
    for causal, expected in (("false", True), ('true\nassumptions = "A"', False)):
        more = f'[estimand]\n{attributes}\ncausal = {causal}\n[report]\nformats = ["html"]\nfigures = false\n'
        more += '[[estimand.intercurrent_events]]\nevent = "sick leave"\nstrategy = "treatment policy"\n'
        report(read_study(write_study(tmp_path, f"{MINIMAL}\n{more}")), tmp_path / "out")
        page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
        assert (said in page) is expected
        assert ">estimand.intercurrent_events.1.strategy<" in page.replace("<code>", "").replace("</code>", "")
        assert "{&#39;event" not in page
        assert "{'event" not in page
