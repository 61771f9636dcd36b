"""Labels in Norwegian bokmål: what the catalog holds, what it leaves alone, and that machines never see it."""

from __future__ import annotations

import re
import time
import tomllib
from importlib import resources
from pathlib import Path

import pytest
from handmade import PAYLOADS

from burnout_stats.display import (
    Column,
    Hidden,
    Interval,
    Missing,
    Row,
    Table,
    to_csv,
    to_html,
    to_json,
    to_markdown,
    to_text,
)
from burnout_stats.display.language import LANGUAGES, cell_label, is_known, label
from burnout_stats.estimates import tabulation

NBSP = "\N{NO-BREAK SPACE}"
CATALOG = tomllib.loads(resources.files("burnout_stats.display").joinpath("nb.toml").read_text(encoding="utf-8"))
PLACE = re.compile(r"\{\w+\}")
TABLE = Table(
    title="Change in job stress",
    columns=(
        Column("contrast", "Contrast", "contrast"),
        Column("estimate", "Change", "estimate"),
        Column("conf", "95% CI", "interval", spanner="Standardized"),
        Column("p_value", "p", "p", symbol=True),
        Column("how", "Strategy"),
    ),
    rows=(
        Row(("1 year - baseline", -0.48, Interval(-0.58, -0.37), 0.0004, "no further change"), "Job stress"),
        Row(("3 years - baseline", Hidden(), Missing("not estimable from these data"), 0.034, "Change"), "Job stress"),
    ),
    notes=("Job stress: scale 1 to 5, lower is better.", "A note of the study."),
)


@pytest.mark.parametrize("section", ["labels", "cells"])
def test_both_sides_of_an_entry_have_the_same_places(section: str) -> None:
    for english, told in CATALOG[section].items():
        assert sorted(PLACE.findall(english)) == sorted(PLACE.findall(told)), english
        places = PLACE.findall(english)
        assert len(places) == len(set(places)), english


@pytest.mark.parametrize("section", ["labels", "cells"])
def test_no_entry_is_hidden_behind_another(section: str) -> None:
    for english, told in CATALOG[section].items():
        if not PLACE.search(english):
            told_now = label(english, "nb") if section == "labels" else cell_label(english, "nb")
            assert told_now == told


@pytest.mark.parametrize(
    ("english", "told"),
    [
        ("95% CI", f"95{NBSP}% KI"),
        ("97.5% CI", f"97,5{NBSP}% KI"),
        ("Tipping point: Job stress", "Vippepunkt: Job stress"),
        (
            "Job stress: scale 1 to 5, in points, higher is better.",
            "Job stress: skala 1 til 5, i points, høyere er bedre.",
        ),
        ("Job stress: in hours.", "Job stress: i hours."),
        ("Degrees of freedom: Satterthwaite.", "Frihetsgrader: Satterthwaite."),
        ("Seen at the visit", "Målt ved tidspunktet"),
        (
            "Missing at random given: Coping (every visit), Sex.",
            "Tilfeldig manglende gitt: Coping (alle tidspunkter), Sex.",
        ),
        ("Averaged over sex and arm with equal weights.", "Gjennomsnitt over sex og arm med lik vekt."),
        ("Of a visit: all who were seen there. Complete cases.", None),
        ("What nobody translated", "What nobody translated"),
        ("Complete cases. What nobody translated.", "Complete cases. What nobody translated."),
        ("", ""),
    ],
)
def test_labels(english: str, told: str | None) -> None:
    if told is None:
        first, second = (label(part, "nb") for part in ("Of a visit: all who were seen there.", "Complete cases."))
        told = f"{first} {second}"
    assert label(english, "nb") == told
    assert label(english, "en") == english


def test_labels_of_the_study_in_cells_are_left_alone() -> None:
    assert cell_label("Change", "nb") == "Change"
    assert cell_label("Change in role", "nb") == "Change in role"
    assert cell_label("last mean carried forward", "nb") == "siste gjennomsnitt føres videre"
    assert cell_label("+1.68", "nb") == "+1,68"
    assert cell_label("1.2.3", "nb") == "1.2.3"


@pytest.mark.parametrize(
    "kind", sorted({*tabulation._TITLES.values(), *tabulation._ESTIMATE.values(), *tabulation._INTERVAL.values()})
)
def test_every_title_and_header_of_tabulation_has_a_word(kind: str) -> None:
    assert is_known(kind, "nb")


def test_every_df_method_has_a_word() -> None:
    for name in tabulation.DF_NAMES.values():
        assert is_known(f"Degrees of freedom: {name}.", "nb")


def test_a_table_for_people() -> None:
    html = to_html(TABLE, language="nb")
    for told in (
        "<caption>Endring i job stress</caption>",
        '<th scope="col">Kontrast</th>',
        f">95{NBSP}% KI</th>",
        ">Standardisert</th>",
        "<td>ingen videre endring</td>",
        "<td>Change</td>",
        ">−0,48</td>",
        ">−0,58 til −0,37</td>",
        "&lt;0,001",
        '<span class="bs-hidden">skjult</span>',
        '<abbr title="kan ikke estimeres fra disse dataene">',
        "<p>Job stress: skala 1 til 5, lavere er bedre.</p>",
        "<p>A note of the study.</p>",
        "1 year − baseline",
    ):
        assert told in html, told
    for text in (to_markdown(TABLE, language="nb"), to_text(TABLE, language="nb")):
        assert "Standardisert: 95" in text
        assert "kan ikke estimeres fra disse dataene" in text
        assert "0,034" in text
        assert "0.034" not in text


def test_english_is_as_it_was() -> None:
    assert to_html(TABLE) == to_html(TABLE, language="en")
    assert "Endring" not in to_html(TABLE)


def test_a_page_says_its_language(tmp_path: Path) -> None:
    for language in LANGUAGES:
        page = TABLE.save(tmp_path / "table.html", language=language).read_text(encoding="utf-8")
        assert f'<html lang="{language}">' in page
    assert "<title>Endring i job stress</title>" in page


def test_machines_read_english_numbers_and_labels(tmp_path: Path) -> None:
    for suffix, writer in ((".csv", to_csv), (".json", to_json)):
        saved = TABLE.save(tmp_path / f"table{suffix}", style="ama", language="nb").read_text(encoding="utf-8")
        assert saved == writer(TABLE)
        assert "-0.48" in saved


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_labels_are_escaped_in_every_language(payload: str) -> None:
    table = Table(
        title=f"Change in {payload}",
        columns=(Column("a", payload), Column("b", "Strategy", spanner=payload)),
        rows=(Row((payload, payload), payload),),
        notes=(f"{payload}: scale 1 to 5, lower is better.", payload),
    )
    html = to_html(table, language="nb")
    assert html.count("<script") == html.count("<img") == html.count("<svg") == 0
    assert html.count("<th") == to_html(table).count("<th")
    assert to_markdown(table, language="nb").count("\n") == to_markdown(table).count("\n")
    assert "\x1b" not in to_text(table, language="nb")


def test_a_long_label_costs_no_time() -> None:
    hostile = [": in , " * 140, "from a to b; " * 400, "Suppose that 1 (95% CI 1 to 2) " * 30, ". A" * 5000]
    begun = time.perf_counter()
    for text in hostile:
        assert label(text, "nb") == text
    assert time.perf_counter() - begun < 2
