"""The instruments that ship: each loads, says what it rests on, and holds no wording."""

from __future__ import annotations

import itertools
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from burnout_stats import instruments
from burnout_stats.errors import StudyError

ROOT = Path(__file__).parents[3]
SHIPPED = (
    "bat12 bat23 cbi cooper_job_stress eri gad7 hads job_satisfaction mbi_gs mbi_hss mbi_norwegian olbi pfi phq9 pss10 "
    "scl10 scl25 scl5 single_item_burnout"
).split()


def test_what_ships():
    assert list(instruments.names()) == SHIPPED


@pytest.mark.parametrize("key", SHIPPED)
def test_every_rule_has_a_mark_and_a_source(key):
    found = instruments.instrument(key)
    rules = found.rules()
    assert {"items", "response", *(f"subscales.{name}" for name in found.subscales)} <= set(rules)
    assert all(mark.source for mark in rules.values())
    assert found.licence
    remembered = [name for name, mark in rules.items() if re.search(r"remember|infer", mark.source)]
    assert set(remembered) <= set(found.unverified())


@pytest.mark.parametrize("key", SHIPPED)
def test_a_cutoff_lies_inside_its_score(key):
    found = instruments.instrument(key)
    for cutoff in found.cutoffs:
        part = found.subscales.get(cutoff.subscale)
        limits = part.range(found.response) if part else None
        if limits is not None:
            assert limits[0] < cutoff.at <= limits[1]
        assert found.cutoff(cutoff.subscale, cutoff.meaning) == cutoff


@pytest.mark.parametrize("key", SHIPPED)
def test_no_wording_ships(key):
    text = files("burnout_stats").joinpath("instruments", "keys", f"{key}.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    assert not re.search(r"\?|\bI\b|\b(?:I'm|my|myself|you)\b", text)
    assert set(document) <= {
        "title",
        "licence",
        "note",
        "items",
        "response",
        "reverse",
        "subscales",
        "composites",
        "cutoffs",
    }


def test_subscales_share_no_item_and_cover_all():
    for key in ("cbi", "olbi", "hads"):
        found = instruments.instrument(key)
        dealt = sorted(itertools.chain.from_iterable(part.items for part in found.subscales.values()))
        assert dealt == list(found.numbers)


@pytest.mark.parametrize(
    ("key", "n_items", "low", "high", "turned"),
    [
        ("cbi", 19, 0, 100, (13,)),
        ("olbi", 16, 1, 4, (2, 3, 4, 6, 8, 9, 11, 12)),
        ("pss10", 10, 0, 4, (4, 5, 7, 8)),
        ("hads", 14, 0, 3, ()),
        ("scl5", 5, 1, 4, ()),
        ("phq9", 9, 0, 3, ()),
        ("mbi_hss", 22, 0, 6, ()),
    ],
)
def test_facts_of_section_10(key, n_items, low, high, turned):
    found = instruments.instrument(key)
    assert (len(found.numbers), found.response.low, found.response.high, found.reverse) == (n_items, low, high, turned)


def test_a_subscale_stands_alone_under_both_names():
    alone = instruments.instrument("cbi_work")
    assert alone.numbers == (7, 8, 9, 10, 11, 12, 13)
    assert alone.reverse == (13,)
    assert {cutoff.subscale for cutoff in alone.cutoffs} == {"work"}
    assert instruments.instrument("cbi.work").numbers == alone.numbers
    assert instruments.instrument("cbi_personal").reverse == ()


def test_the_keys_of_the_synthetic_study_are_known():
    study = tomllib.loads((ROOT / "data" / "synthetic" / "villa_sana.toml").read_text(encoding="utf-8"))
    asked = {name: outcome["instrument"] for name, outcome in study["outcomes"].items()}
    assert {"mbi_norwegian_ee", "cooper_job_stress", "hads_depression", "hads_anxiety"} <= set(asked.values())
    for name, key in asked.items():
        found = instruments.instrument(key)
        part = next(iter(found.subscales.values()))
        assert part.better == study["outcomes"][name]["better"]
        limits = part.range(found.response)
        assert limits is None or list(limits) == study["outcomes"][name]["range"]


@pytest.mark.raises_code("E-STUDY-INSTRUMENT")
def test_unknown_names_are_told():
    with pytest.raises(StudyError, match=r"There is no instrument `cbl`.*Did you mean `cbi`"):
        instruments.instrument("cbl")
    with pytest.raises(StudyError, match=r"has no score `personel`.*Did you mean `personal`"):
        instruments.instrument("cbi_personel")
    with pytest.raises(StudyError, match="has no cut-off with the meaning 'dire' for `personal`"):
        instruments.instrument("cbi").cutoff("personal", "dire")
    with pytest.raises(StudyError, match="Nobody has published one"):
        instruments.instrument("job_satisfaction").cutoff()


def test_the_first_cutoff_is_the_one_that_counts_cases():
    assert str(instruments.instrument("phq9").cutoff()) == "moderate: total at or above 10"
    assert instruments.instrument("hads").cutoff("depression").at == 8
    assert instruments.instrument("mbi_hss").cutoff("accomplishment").rule == "<"


def test_a_composite_stands_alone_with_the_subscales_it_is_made_of():
    alone = instruments.instrument("mbi_gs_burnout")
    assert alone.scores == ("exhaustion", "cynicism", "efficacy", "burnout")
    assert {cutoff.subscale for cutoff in alone.cutoffs} == {"burnout"}
    assert alone.cutoff().at == 1.5
    assert alone.cutoff(meaning="burnout").at == 3.5


@pytest.mark.raises_code("N-INSTRUMENT-UNVERIFIED")
def test_an_unverified_cutoff_is_doubted():
    key = instruments.instrument("bat12")
    (doubt,) = key.doubts([key.cutoff("core", "severe").rule_name])
    assert "cutoffs.core>=2.96" in doubt.message
    assert instruments.instrument("hads").doubts(["cutoffs.depression>=8", "items"]) == ()


def test_the_short_form_names_what_is_unverified():
    assert repr(instruments.instrument("mbi_gs")) == (
        "<Instrument mbi_gs: 16 items; scores exhaustion, cynicism, efficacy, burnout; 1 unverified rules>"
    )
