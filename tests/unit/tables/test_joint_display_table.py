"""Numbers and words side by side."""

from __future__ import annotations

from burnout_stats import tables
from burnout_stats.display import to_text
from burnout_stats.studies import example, peer_support_analysis


def test_a_joint_display_has_a_row_for_each_category_with_its_words():
    display = peer_support_analysis(example("peer_support")).display
    told = to_text(tables.joint_display(display, title="Numbers and words"))
    assert told.startswith("Numbers and words")
    for words in (
        "concerned, looking for advice",
        "fear of not coping any longer",
        "given, not found in these numbers",
    ):
        assert words in told
