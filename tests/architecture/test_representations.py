"""Every result shows itself in every way, and in none of them tells an identifier or obeys a label."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from study_files import write_study

import burnout_stats as bs
from burnout_stats.display import Shown, Table
from burnout_stats.plan import run
from burnout_stats.reporting.manifest import Manifest
from burnout_stats.sensitivity import analyse

pytestmark = pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")

MARK = "PERSON"
ATTACK = "<img src=x onerror=alert(1)>\\input{x} $&%#_^~ {{ 7 }} ::error::x [l](javascript:y) `c` \x1b[31m\u202e|"
WAYS = ("_repr_html_", "_repr_markdown_", "_repr_latex_")
TAGS = {
    *("style table caption thead tbody tfoot tr th td p i span abbr figure".split()),
    *("svg title desc defs g path use clippath rect metadata".split()),
}
PLAIN = {
    *("None str bool float int dict tuple Mapping Sequence DataFrame Series Path ndarray".split()),
    *("Norm Stability Names Fade JumpToNorm".split()),  # questions, not results
    *("Instrument Scores".split()),  # the lowest floor: they say their repr and their frame
}
"""What public verbs return besides results: plain values, and what is asked with."""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study whose labels and levels attack, and whose identifiers are known wherever they turn up."""
    folder = tmp_path_factory.mktemp("attacked")
    write_study(folder)
    frame = pd.read_csv(folder / "scores.csv")
    frame["id"] = frame["id"].map(lambda number: f"{MARK}-{number}-<i>SECRET")
    frame["sex"] = frame["sex"].replace({"F": ATTACK.replace("\x1b", "").replace("\u202e", "")})
    frame.to_csv(folder / "scores.csv", index=False)
    level = json.dumps(ATTACK.replace("\x1b", "").replace("\u202e", ""))
    said = [
        f"title = {json.dumps(ATTACK)}",
        '[data]\nfile = "scores.csv"\nsubject = "id"\nvisit = "visit"',
        '[visits]\n"baseline" = 0\n"1 year" = 1\n"3 years" = 3',
        f"[outcomes.score]\nlabel = {json.dumps(ATTACK)}\nbetter = 'lower'",
        f"[outcomes.second]\nlabel = {json.dumps('second ' + ATTACK)}",
        f'[covariates.sex]\nlevels = [{level}, "M"]',
        f"[covariates.age]\nlabel = {json.dumps(ATTACK)}",
        '[analysis]\nterms = ["visit", "sex", "age"]',
    ]
    (folder / "study.toml").write_text("\n\n".join(said), encoding="utf-8")
    return folder / "study.toml"


def twice(study, done):
    """The results of a run, and the same with other numbers."""
    folder = study.parent / "twice"
    bs.report(done, folder)
    document = (folder / "results.json").read_text(encoding="utf-8")
    other = folder / "other.json"
    other.write_text(re.sub(r'"estimate": (-?)(\d)', r'"estimate": \g<1>1\2', document), encoding="utf-8")
    return folder / "results.json", other


@pytest.fixture(scope="module")
def results(study):
    """One value at least of every class of results."""
    plan = bs.read_study(study)
    cohort = plan.cohort()
    done = run(plan)
    manifest = Manifest(folder=study.parent, files=("report.html", "manifest.json"), sha256={}, notices=done.notices)
    model = bs.MMRM("score ~ visit * sex + age")
    fit = bs.fit(model, cohort)
    means = bs.emmeans(fit, "visit", by="sex")
    changes = bs.contrast(means, "vs_baseline")
    several = bs.fit_multivariate(bs.MultivariateMMRM(("score", "second"), "visit"), cohort)
    drawn = bs.sensitivity.draws(bs.MMRM("score ~ visit + sex"), cohort, n=4, burn_in=5, thin=1, seed=1)
    imputed = bs.sensitivity.impute(drawn)
    weights = bs.sensitivity.weights(bs.MMRM("score ~ visit"), cohort, ["age"])
    weighted = bs.sensitivity.weighted(bs.MMRM("score ~ visit"), cohort, ["age"])
    panel = bs.pathways.cross_lagged(cohort, "score", "second")
    stream = bs.read_cohort(
        lambda: iter([cohort.frame.assign(subject=cohort.frame["subject"].astype(str))]),
        subject="subject",
        visit="visit",
        times={"baseline": 0, "1 year": 1, "3 years": 3},
        outcomes=["score"],
        stream=True,
    )
    villa = bs.studies.study("villa-sana-2008")
    dashboard = bs.sensitivity.dashboard(bs.MMRM("score ~ visit"), cohort, n=4, seed=1, progress=False)
    return [
        *(plan, cohort, done, *done.outcomes, bs.check(study), manifest, bs.draft_study(study.parent / "scores.csv")),
        bs.compare_results(*twice(study, done)),
        *(fit, bs.fit(bs.LMM("score ~ years + (1 | subject)"), cohort), several, several.of("score"), stream),
        *(means, changes, bs.summarize(fit), bs.describe.flow(cohort), bs.describe.baseline(cohort, by="sex")),
        *(bs.compare(fit, bs.fit(bs.MMRM("score ~ visit * sex + age", covariance="cs"), cohort)), bs.influence(fit)),
        *(drawn, imputed, analyse(imputed), bs.sensitivity.pool(analyse(imputed)), weights, dashboard),
        *(weighted.answers, weighted, panel),
        bs.power.CohortDesign(
            (3.0, 2.5), sd=1.0, correlation=0.5, visits={"baseline": 0, "1 year": 1}, outcome=plan.title
        ),
        *(bs.tally(model, cohort), bs.text.sensitivity(dashboard), villa),
        *(bs.tables.contrasts(changes), bs.figures.trajectory(means), bs.figures.forest(changes)),
    ]


class Markup(HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes = set(), set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def classes_of_results():
    found, waiting = set(), [Shown]
    for module in pkgutil.walk_packages(bs.__path__, "burnout_stats."):
        if "__main__" not in module.name:
            importlib.import_module(module.name)
    while waiting:
        waiting += (children := waiting.pop().__subclasses__())
        own = [one for one in children if one.__module__.startswith("burnout_stats.")]
        found |= {one for one in own if not inspect.isabstract(one)}  # an abstract one is never a result
    return found


def public_verbs():
    rooms = [bs, *(getattr(bs, name) for name in bs.__all__ if inspect.ismodule(getattr(bs, name)))]
    for room in rooms:
        for name in room.__all__:
            value = getattr(room, name)
            if inspect.isfunction(value):
                yield f"{room.__name__}.{name}", value


def test_what_public_verbs_return_shows_itself_in_every_way():
    known = {one.__name__: one for one in classes_of_results()} | {"Table": Table, "Figure": bs.figures.Figure}
    known |= {"SensitivityText": bs.text.SensitivityText}
    for name, verb in public_verbs():
        told = str(inspect.signature(verb).return_annotation)
        for word in re.findall(r"(?<![\w.])[A-Z]\w+(?![\w.])", told):
            if word in PLAIN:
                continue
            assert word in known, f"{name} returns {word}, which does not show itself"
            assert all(hasattr(known[word], way) for way in WAYS), word


def test_no_class_of_results_is_forgotten_here(results):
    seen = {type(value).__name__ for value in results}
    elsewhere = {"Chains", "ContinuousTimeFit", "JointDisplay", "PeerSupport", "Analysis", "Reconstruction", "Today"}
    elsewhere |= {"Checklist", "StudyOfArms", "OverlappingSurveys", "GeneralizedFit", "GeeFit", "PathFitOfArms"}
    elsewhere |= {"EventResults", "PooledEvents"}
    assert {one.__name__ for one in classes_of_results()} - seen <= elsewhere


def test_no_representation_tells_an_identifier_or_obeys_a_label(results):
    for value in results:
        name = type(value).__name__
        texts = {way: getattr(value, way)() for way in WAYS} | {"repr": repr(value), "str": str(value)}
        for way, text in texts.items():
            assert text.strip(), (name, way)
            assert MARK not in text, (name, way)
            assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", text), (name, way)
        markup = Markup(texts["_repr_html_"])
        assert markup.tags <= TAGS | {"ul", "li"}, (name, markup.tags - TAGS)
        assert not any(attribute.startswith("on") for attribute in markup.attributes), name
        assert "<img" not in texts["_repr_html_"], name
        assert not re.search(r"(?<!\\)<img|(?<!\\)\]\(javascript", texts["_repr_markdown_"]), name
        assert "\\input" not in texts["_repr_latex_"], name
        for way in ("repr", "str", "_repr_markdown_"):
            assert "::error::" not in texts[way], (name, way)


def test_reprs_are_short_and_hold_no_rows(results):
    for value in results:
        assert "\n" not in repr(value), type(value)
        assert len(repr(value).replace(ATTACK[:20], "")) < 900, type(value)
        assert repr(value).startswith("<"), type(value)


def test_all_can_be_shown_and_complete_with_tab(results, capsys):
    for value in results:
        if isinstance(value, bs.text.SensitivityText):
            continue
        value.show()
        assert capsys.readouterr().out.strip(), type(value)
        names = dir(value)
        assert "show" in names
        if isinstance(value, Shown):
            assert not [name for name in names if name.startswith("_") and not name.startswith("__")]


def test_a_small_cohort_tells_no_numbers():
    few = bs.example("villa_sana")
    keep = few.frame["subject"].isin(few.frame["subject"].unique()[:4]).to_numpy()
    fit = bs.fit(bs.MMRM("exhaustion ~ visit", covariance="cs"), few.subset(keep))
    for table in fit._tables():
        told = "".join(
            re.findall(r"<td[^>]*>(.*?)</td>", re.sub(r"<tfoot>.*?</tfoot>", "", table._repr_html_(), flags=re.DOTALL))
        )
        assert not re.search(r"\d", told), told
    assert "fewer than 5 subjects" in repr(fit)
