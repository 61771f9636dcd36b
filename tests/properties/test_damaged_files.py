"""Bytes of workbooks, statistical files, Parquet and Feather, damaged at random: a cohort that keeps its promises or a
coded error, never another exception. Where the format has check sums, also never a changed value.
"""

from __future__ import annotations

import io
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnout_stats.codes import registry
from burnout_stats.cohort import Cohort, read_cohort
from burnout_stats.errors import BurnoutStatsError
from burnout_stats.notices import BurnoutStatsWarning

SAY = {
    "subject": "id",
    "visit": "visit",
    "times": {"start": 0, "1 year": 1},
    "outcomes": ["score"],
    "missing_codes": [99],
    "covariates": ["arm"],
}
FRAME = pd.DataFrame(
    {
        "id": np.repeat([1.0, 2, 3, 4], 2),
        "visit": ["start", "1 year"] * 4,
        "score": [1.5, 99, np.nan, 2.5, 3, 3.5, 4, 4.5],
        "arm": np.repeat(["a", "b"], 4),
    }
)


def bytes_of(write):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "whole"
        write(path)
        return path.read_bytes()


def workbook():
    stream = io.BytesIO()
    FRAME.to_excel(stream, index=False)
    return stream.getvalue()


WHOLE = {
    "xlsx": workbook(),
    "parquet": bytes_of(FRAME.to_parquet),
    "feather": bytes_of(FRAME.to_feather),
    "sav": bytes_of(
        lambda path: pyreadstat.write_sav(
            FRAME, str(path), variable_value_labels={"arm": {"a": "A"}}, missing_ranges={"score": [99]}
        )
    ),
    "dta": bytes_of(lambda path: pyreadstat.write_dta(FRAME, str(path), variable_value_labels={"id": {1: "one"}})),
    "por": bytes_of(lambda path: pyreadstat.write_por(FRAME.rename(columns=str.upper), str(path))),
    "xpt": bytes_of(lambda path: pyreadstat.write_xport(FRAME, str(path))),
}
CHECKED = {"xlsx"}
"""Formats whose bytes are guarded by check sums."""


@st.composite
def damaged(draw, kind):
    """The file with up to four changes: a byte replaced, bytes put in, the end cut off."""
    raw = bytearray(WHOLE[kind])
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(raw) - 1, 0)))
        change = draw(st.sampled_from(["replace", "replace", "replace", "insert", "cut"]))
        if change == "replace" and raw:
            raw[place] = draw(st.integers(0, 255))
        elif change == "insert":
            raw[place:place] = draw(st.binary(min_size=1, max_size=6))
        else:
            del raw[place:]
    return bytes(raw)


def outcome(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)
        try:
            cohort = read_cohort(path, **SAY)
        except BurnoutStatsError as refusal:
            cohort = refusal
    if isinstance(cohort, BurnoutStatsError):
        assert {problem.code for problem in cohort.problems} <= set(registry())
        return None
    assert isinstance(cohort, Cohort)
    assert not cohort.data.duplicated(["subject", "visit"]).any()
    assert not np.isinf(cohort.data["score"]).any()
    assert (cohort.source.rows_kept, cohort.source.dialect["layout"]) == (len(cohort.data), "long")
    return cohort


def check(folder, kind, raw):
    path = folder / f"damaged.{kind}"
    path.write_bytes(raw)
    cohort = outcome(path)
    if cohort is not None and kind in CHECKED:
        path.write_bytes(WHOLE[kind])
        pd.testing.assert_frame_equal(cohort.data, outcome(path).data)


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "feather"])
def test_damaged_bytes(tmp_path_factory, kind):
    @settings(max_examples=200)
    @given(raw=damaged(kind))
    def any_damage(raw):
        check(tmp_path_factory.getbasetemp(), kind, raw)

    any_damage()


@pytest.mark.parametrize("kind", ["sav", "dta", "xpt", "por"])
def test_damaged_bytes_of_statistical_files(tmp_path_factory, kind):
    """Fewer, because each is read in a process of its own."""

    @settings(max_examples=8)
    @given(raw=damaged(kind))
    def any_damage(raw):
        check(tmp_path_factory.getbasetemp(), kind, raw)

    any_damage()


@settings(max_examples=150)
@given(data=st.data())
def test_damaged_parts_of_a_workbook(tmp_path_factory, data):
    """The archive is whole, and the XML in one of its parts is not."""
    with zipfile.ZipFile(io.BytesIO(WHOLE["xlsx"])) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from(sorted(parts)))
    text = bytearray(parts[name])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, max(len(text) - 1, 0)))
        if data.draw(st.booleans()):
            text[place : place + 1] = data.draw(st.binary(min_size=1, max_size=3))
        else:
            known = [
                b'r="A1048577"',
                b' t="b"',
                b' t="e"',
                b' t="d"',
                b' s="9"',
                b"<f>1</f>",
                b"1e400",
                b"-1",
                b"<v>",
                b"",
            ]
            text[place : place + data.draw(st.integers(0, 8))] = data.draw(st.sampled_from(known))
    path = tmp_path_factory.getbasetemp() / "parts.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for part, whole in parts.items():
            archive.writestr(part, bytes(text) if part == name else whole)
    outcome(path)


@settings(max_examples=60)
@given(
    cells=st.lists(
        st.one_of(
            st.none(),
            st.floats(-1e300, 1e300),
            st.integers(-(10**9), 10**9),
            st.sampled_from([99, 99.0, "99", "2.5", ""]),
        ),
        min_size=1,
        max_size=6,
    ).filter(lambda cells: any(cell not in (None, "", 99, "99") for cell in cells))
)
def test_what_stands_in_a_workbook_is_what_is_read(tmp_path_factory, cells):
    frame = pd.DataFrame(
        {"id": [f"p{k}" for k in range(len(cells))], "visit": "start", "score": pd.Series(cells, dtype=object)}
    )
    path = tmp_path_factory.getbasetemp() / "round.xlsx"
    frame.to_excel(path, index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)
        cohort = read_cohort(path, **(SAY | {"covariates": []}))
    expected = [np.nan if cell in (None, "", 99, "99") else float(cell) for cell in cells]
    np.testing.assert_allclose(cohort.data["score"], expected, rtol=1e-15)
    met = [cell in (99, "99") for cell in cells]
    told = cohort.missing_as.get("score", pd.Series([None] * len(cells)))
    assert told.notna().tolist() == met
