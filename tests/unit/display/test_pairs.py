"""A number with another one, or limits, in parentheses."""

from __future__ import annotations

import json

from burnout_stats.display import Column, Hidden, Interval, Missing, Pair, Row, Table, to_csv, to_html, to_json, to_text

TABLE = Table(
    title="Pairs",
    columns=(Column("what", "What"), Column("all", "All", "estimate")),
    rows=(
        Row(("mean", Pair(3.014, 0.966)), decimals=2),
        Row(("count", Pair(12345, 56.25, (0, 1)))),
        Row(("median", Pair(0.5, Interval(0.0, 5.0), (1, 1)))),
        Row(("no spread", Pair(2.0, Missing("one person"))), decimals=1),
        Row(("few", Hidden())),
        Row(("none", 0), decimals=0),
    ),
)


def test_pairs_as_text() -> None:
    cells = [line.split("  ")[-1].strip() for line in to_text(TABLE).splitlines()[3:9]]
    assert cells == ["3.01 (0.97)", "12\u202f345 (56.3)", "0.5 (0.0 to 5.0)", "2.0 (—)", "hidden", "0"]
    assert "3.01 (0.97)" in to_html(TABLE)
    assert "0.5 ([0.0, 5.0])" in to_text(TABLE, "apa")


def test_pairs_as_numbers() -> None:
    lines = to_csv(TABLE).splitlines()
    assert lines[0] == '"what","all","all_beside","all_low","all_high","hidden"'
    assert lines[1] == '"mean",3.014,0.966,"","","false"'
    assert lines[3] == '"median",0.5,"",0.0,5.0,"false"'
    assert lines[5] == '"few","","","","","true"'
    assert lines[6] == '"none",0,"","","","false"'
    found = [row["cells"]["all"] for row in json.loads(to_json(TABLE))["rows"]]
    assert found[0] == {"value": 3.014, "in_parentheses": 0.966}
    assert found[2] == {"value": 0.5, "in_parentheses": {"low": 0.0, "high": 5.0}}
