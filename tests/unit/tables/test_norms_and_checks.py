"""Tables of norms, reliable change, screening and consistency: approved texts, captions, other kinds refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from handmade import PAYLOADS, means

from burnout_stats import describe, tables
from burnout_stats.describe import PrintedF, PrintedMean, PrintedPairs, PrintedPercent, PrintedTest, Reliability
from burnout_stats.display import Table, to_csv, to_html, to_text
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Sample
from burnout_stats.instruments.norms import Norm
from burnout_stats.studies import example

ALPHA = Reliability(0.90, kind="alpha", source="Falkum 2000")
NORM = Norm(2.52, 0.92, 1070, label="Norwegian doctors 1993", source="BMC Public Health 2007;7:36")
RESULTS: dict[str, Callable[[], object]] = {
    "against_norm": lambda: describe.against_norm_from_summaries(
        {"baseline": Sample(3.00, 0.94, 185), "1 year": Sample(2.53, 0.76, 185)}, norm=NORM, margin=0.3
    ),
    "reliable_change": lambda: describe.reliable_change(
        example("villa_sana"), "exhaustion", after="1 year", reliability=ALPHA, norm=NORM
    ),
    "screening": lambda: describe.screening_from_table(
        [[400, 40], [60, 100]], test_levels=[0, 1], reference_levels=[0, 1], test_cut=1, reference_cut=1, prevalence=0.2
    ),
    "consistency": lambda: describe.consistency(
        [
            PrintedPairs("3.00", "0.94", "2.53", "0.76", t="6.76", n=185),
            PrintedPercent("35", 63, 182),
            PrintedPercent("6", 10, 182),
            PrintedTest("t", "2.03", p=".04", df=225),
            PrintedF("33.1", "1.8", "267.0", n=147, levels=3),
            PrintedMean("5.23", "2.55", n=31),
        ]
    ),
}


@pytest.mark.parametrize("name", RESULTS)
def test_approved_texts(name: str, snapshot: Callable[[str, str], None]) -> None:
    table: Table = getattr(tables, name)(RESULTS[name]())
    snapshot(f"tables/{name}.txt", to_text(table))  # no CSV: its last digits are those of the machine
    assert to_csv(table).count("\n") == len(table) + 1
    html = to_html(table)
    assert "<caption>" in html
    assert html.count('scope="row"') == len(table)


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.raises_code("E-STUDY-VALUE")
def test_captions_and_other_kinds(name: str) -> None:
    verb = getattr(tables, name)
    assert verb(RESULTS[name](), title="My title").title == "My title"
    with pytest.raises(StudyError) as caught:
        verb(means())
    assert caught.value.code == "E-STUDY-VALUE"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_label_means_harm(payload: str) -> None:
    norm = Norm(2.52, 0.92, 1070, label=payload, source=payload)
    table = tables.against_norm(describe.against_norm_from_summaries(Sample(3, 0.9, 90), norm=norm, label=payload))
    html = to_html(table)
    assert "<script" not in html
    assert "<img" not in html
    assert "<svg" not in html
