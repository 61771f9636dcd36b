"""The page: well-formed, walkable without sight, asking for nothing from outside, and deaf to what labels say."""

import itertools
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from study_files import STUDY, write_study

from burnout_stats.display import number_style
from burnout_stats.plan import read_study
from burnout_stats.reporting import report
from burnout_stats.reporting.page import _spoken
from burnout_stats.reporting.spoken import Spoken

VOID = {"meta", "img", "br", "hr", "input", "link", "source", "circle", "path", "line"}
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=//evil.example/x onerror=alert(2)>',
    "</title></style><svg onload=alert(3)>",
    "{{ 7 * 191 }}{% for x in y %}",
    "$\\frac{1}{2}$ & 'quoted'",
    "=HYPERLINK(1)",
    "::error::forged",
    "\u202eright to left",
)


class Page(HTMLParser):
    """What a test wants to know of a page."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.words, self.style = [], [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs), tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs), tuple(self.open)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open, f"</{tag}> closes nothing"
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.words.append(data)

    def all(self, *names):
        return [attributes for tag, attributes, _ in self.tags if tag in names]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    report(read_study(write_study(folder)), folder / "out")
    return (folder / "out/report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The text of a report whose labels, levels, visits and columns attack it."""
    folder = tmp_path_factory.mktemp("hostile")
    said = {f"attack_{number}": attack for number, attack in enumerate(ATTACKS)}
    write_study(folder)
    frame = pd.read_csv(folder / "scores.csv")
    frame["visit"] = frame["visit"].replace({"1 year": "<b>1 year</b>"})
    frame["sex"] = frame["sex"].replace({"F": "<script>F</script>", "M": "::set-output::"})
    frame = frame.rename(columns={"second": "<img src=x>", "sex": "</td><td onclick=x>"})
    frame.to_csv(folder / "scores.csv", index=False)
    lines = [
        f"title = {json.dumps(''.join(ATTACKS))}",
        f"description = {json.dumps(chr(10).join(ATTACKS))}",
        '[data]\nfile = "scores.csv"\nsubject = "id"\nvisit = "visit"',
        '[visits]\n"baseline" = 0\n"<b>1 year</b>" = 1\n"3 years" = 3',
        f"[outcomes.score]\nlabel = {json.dumps(said['attack_0'])}\nunit = {json.dumps(said['attack_1'])}",
        f"instrument = {json.dumps(said['attack_2'])}\nnote = {json.dumps(said['attack_3'])}",
        f'[outcomes."<img src=x>"]\nlabel = {json.dumps(said["attack_1"])}',
        '[covariates."</td><td onclick=x>"]\nlevels = ["<script>F</script>", "::set-output::"]',
        f"[covariates.age]\nlabel = {json.dumps(said['attack_4'])}\nunit = {json.dumps(said['attack_0'])}",
        '[analysis]\nterms = ["visit", "</td><td onclick=x>", "age"]',
    ]
    (folder / "study.toml").write_text("\n\n".join(lines), encoding="utf-8")
    report(read_study(folder / "study.toml"), folder / "out")
    return folder / "out"


def test_the_page_is_well_formed_and_says_its_language(page, text):
    assert page.open == []
    assert text.startswith("<!DOCTYPE html>\n")
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    assert len(page.all("main")) == len(page.all("nav")) == len(page.all("header")) == 1
    ids = [attributes["id"] for _, attributes, _ in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_headings_descend_one_step_at_a_time(page):
    levels = [int(tag[1]) for tag, _, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_every_link_leads_into_the_page(page):
    ids = {attributes["id"] for _, attributes, _ in page.tags if "id" in attributes}
    targets = [attributes["href"] for attributes in page.all("a")]
    assert targets[0] == "#content", "the skip link comes first"
    assert all(target.startswith("#") and target[1:] in ids for target in targets)
    labels = [attributes[key] for _, attributes, _ in page.tags for key in ("aria-labelledby",) if key in attributes]
    assert set(labels) <= ids


def test_every_table_has_a_caption_and_headers_with_scope(page):
    tables = [index for index, (tag, _, _) in enumerate(page.tags) if tag == "table"]
    assert len(tables) == 8 + 2 * 6
    for start, end in zip(tables, [*tables[1:], len(page.tags)], strict=True):
        inside = page.tags[start:end]
        assert inside[1][0] == "caption"
        assert any(tag == "th" for tag, _, _ in inside)
    assert all(attributes.get("scope") in {"col", "row", "colgroup", "rowgroup"} for attributes in page.all("th"))


def test_words_between_back_quotes_are_code_and_keep_their_spaces():
    spoken = Spoken(language="en", style=number_style("plain"), places=())
    assert _spoken(spoken, "ask `<explain>` then") == "ask <code>&lt;explain&gt;</code> then"


def test_every_table_scrolls_in_a_region_that_keys_can_reach(page):
    regions = [attributes for attributes in page.all("div") if attributes.get("class", "").split()[:1] == ["scroll"]]
    assert len(regions) == len(page.all("table"))
    assert all(region["role"] == "group" and region["aria-label"] and region["tabindex"] == "0" for region in regions)


def test_every_picture_has_words(page):
    assert len(page.all("img")) == 2 * 2 + 2 * (2 + 1 + 1), "each twice, but for those of the model in full"
    assert all(len(attributes["alt"]) > 40 for attributes in page.all("img"))
    for attributes in page.all("svg"):
        assert attributes.get("aria-hidden") == "true" or attributes["aria-label"]
    captions = re.findall(r"Figure (\d+)\. ", page.text)
    assert captions == [str(number) for number in range(1, 9)]
    assert "Figure 6. Job stress over time" in page.text


def test_tables_have_numbers_in_the_order_of_reading(page):
    numbers = re.findall(r"Table (\d+)\. ", " ".join(word for word in page.words if word.startswith("Table ")))
    assert numbers == [str(number) for number in range(1, len(page.all("table")))], "all but the front table"
    assert "Table 1. Characteristics at baseline" in page.text
    assert "The numbers stand in Figure 3, Table 6, Table 7 and Table 8." in page.text


def outside(page):
    """Everything by which a page could ask for something."""
    found = [
        tag
        for tag, _, _ in page.tags
        if tag in {"script", "iframe", "object", "embed", "link", "form", "base", "video", "audio"}
    ]
    for _, attributes, _ in page.tags:
        found += [key for key in attributes if key.startswith("on")]
        for key in ("src", "srcset", "action", "data", "poster", "background", "formaction", "ping"):
            if attributes.get(key) and not attributes[key].startswith("data:image/svg+xml;base64,"):
                found.append(attributes[key])
        if attributes.get("href") and not attributes["href"].startswith("#"):
            found.append(attributes["href"])
        if "url(" in (attributes.get("style") or ""):
            found.append(attributes["style"])
    return found + re.findall(r"url\(|@import|https?:", page.style)


def test_the_page_asks_for_nothing_and_runs_nothing(page):
    assert outside(page) == []
    policies = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policies == [POLICY]


def test_the_page_says_what_it_must(page):
    for words in (
        "A hundred people",
        "Made from random numbers.",
        "What one cohort can and cannot say",
        "regression to the mean",
        "Standardized by the SD observed at baseline",
        "lower is better",
        "restricted maximum likelihood",
        "Kenward-Roger",
        "missing at random",
        "Change in job stress",
        "Residual covariance of the visits",
        "burnout_stats",
        "analysis.terms",
        "visit, sex, age, visit:sex",
    ):
        assert words in page.text


def test_letters_and_marks_stand_out_from_the_page(page):
    """WCAG 2.2: text 4.5 to 1 on its ground, drawn marks 3 to 1."""

    def luminance(color):
        channels = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one, other):
        high, low = sorted((luminance(one), luminance(other)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    colors = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", page.style))
    for ground in ("#ffffff", colors["wash"], colors["warn-wash"]):
        assert min(contrast(colors[name], ground) for name in ("ink", "soft", "accent", "warn")) >= 4.5
    assert contrast("#0072b2", "#ffffff") >= 3
    marks = {attributes["fill"] for attributes in page.all("circle")}
    assert marks == {"#0072b2"}


def test_hostile_labels_are_only_words(hostile):
    text = (hostile / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert outside(page) == []
    assert len(page.all("h1")) == 1
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7 * 191 }}" in page.text
    assert "1337" not in page.text
    assert "\u202e" not in text
    assert all("onclick" not in attributes for _, attributes, _ in page.tags)


def test_hostile_names_stay_inside_the_folder(hostile):
    names = [str(path.relative_to(hostile)) for path in hostile.rglob("*")]
    assert all(re.fullmatch(r"[a-z0-9_./-]+", name) for name in names)


def test_hostile_labels_are_no_formulas_and_no_markup_in_other_files(hostile):
    for path in (hostile / "tables").iterdir():
        for field in re.findall(r'"((?:[^"]|"")*)"', path.read_text(encoding="utf-8")):
            assert field == "-" or not field.startswith(("=", "+", "-", "@", "\t", "\r")), field
    for path in (hostile / "figures").glob("*.svg"):
        for element in ET.fromstring(path.read_bytes()).iter():  # noqa: S314  our own file
            assert not element.tag.endswith(("script", "}b", "img", "foreignObject"))
            assert not any(name.startswith("on") for name in element.attrib)
    json.loads((hostile / "results.json").read_text(encoding="utf-8"))


def test_a_column_that_is_a_formula_is_guarded_in_the_tables(tmp_path):
    path = write_study(tmp_path, STUDY.replace("[outcomes.second]", '[outcomes."=1+1"]'))
    frame = pd.read_csv(tmp_path / "scores.csv").rename(columns={"second": "=1+1"})
    frame.to_csv(tmp_path / "scores.csv", index=False)
    report(read_study(path), tmp_path / "out")
    text = (tmp_path / "out/tables/changes.csv").read_text(encoding="utf-8")
    assert '"\'=1+1"' in text
    assert '"=1+1"' not in text


def test_the_scale_and_the_rows_of_the_front_table_share_their_pixels(page):
    """A style that scaled one of the drawings would move estimates against their scale."""
    drawings = page.all("svg")
    assert len({attributes["width"] for attributes in drawings}) == 1
    for attributes in drawings:
        assert attributes["viewbox"] == f"0 0 {attributes['width']} {attributes['height']}"
    rules = re.findall(r"[^{}]*svg[^{}]*\{([^}]*)\}", page.style)
    assert rules == [" display: block; max-width: none; "]
