"""Reading part by part: what is refused, where it stands, and what is said only of the whole."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from burnout_stats.cohort import CohortStream, read_cohort, subjects
from burnout_stats.cohort.subjects import Subjects
from burnout_stats.describe import by_visit, flow
from burnout_stats.errors import BurnoutStatsError, DataError, SetupError, StudyError
from burnout_stats.models import MMRM, fit

SAID = {
    "subject": "id",
    "visit": "visit",
    "times": {"start": 0, "end": 1},
    "outcomes": {"score": {"range": [0, 10]}},
    "levels": {"sex": ["F", "M"]},
}


def rows(*ids: object, visits: str = "se", score: float = 3.0, sex: str = "F") -> pd.DataFrame:
    """One row for each subject and visit."""
    labels = {"s": "start", "e": "end"}
    cells = [(one, labels[visit], score, sex) for one in ids for visit in visits]
    return pd.DataFrame(cells, columns=["id", "visit", "score", "sex"])


def read(parts: object, **said: object) -> tuple[CohortStream, list[pd.DataFrame], tuple[str, ...]]:
    stream = read_cohort(parts, stream=True, **(SAID | said))
    reading = stream.parts()
    frames = [cohort.frame for cohort in reading]
    return stream, frames, tuple(notice.code for notice in reading.notices)


def refused(parts: object, **said: object) -> BurnoutStatsError:
    with pytest.raises(BurnoutStatsError) as caught:
        read(parts, **said)
    return caught.value


def test_parts_are_checked_cohorts_of_whole_subjects():
    whole = rows(1, 2, 3, 4, 5)
    stream, frames, notices = read([whole.iloc[:3], whole.iloc[:0], whole.iloc[3:4], whole.iloc[4:]], covariates=())
    assert [len(frame) for frame in frames] == [2, 6, 2]
    assert {tuple(frame.groupby("subject")["visit"].count()) for frame in frames} == {(2,), (2, 2, 2)}
    assert (stream.outcomes, stream.covariates, stream.visits.labels) == (("score",), ("sex",), ("start", "end"))
    assert stream.policy.min_cell == 5
    assert notices == ("N-DATA-LEVEL",)
    assert repr(stream) == "<CohortStream: data frames; 2 visits, outcomes score>"


def test_a_frame_in_which_subjects_are_mixed_waits_with_all_rows_of_the_last_one():
    mixed = pd.concat([rows(1, 2, 3, visits="s"), rows(1, 3, visits="e")])
    _, frames, _ = read([mixed, rows(4)])
    assert [len(frame) for frame in frames] == [3, 2, 2]


def test_rows_of_a_wide_source_are_subjects():
    wide = pd.DataFrame({"id": [1, 2, 3], "score_start": [1.0, 2.0, 3.0], "score_end": [2.0, np.nan, 4.0]})
    _, frames, _ = read([wide.iloc[:2], wide.iloc[2:]], visit=None, wide="{outcome}_{visit}", levels=None)
    assert sum(map(len, frames)) == 5


@pytest.mark.parametrize("kind", [list, iter, lambda parts: lambda: iter(parts), pd.concat])
def test_frames_come_from_whatever_gives_them(kind):
    assert sum(map(len, read(kind([rows(1, 2), rows(3)]))[1])) == 6


@pytest.mark.raises_code("N-DATA-VISIT", "N-DATA-LEVEL")
def test_what_a_part_lacks_may_stand_in_another():
    early = rows(1, 2, visits="s").assign(score=np.nan)
    late = rows(3, 4, visits="e", sex="M")
    assert read([early, rows(5), late])[2] == ()
    assert read([early, rows(5)], times=SAID["times"] | {"later": 3})[2] == ("N-DATA-VISIT", "N-DATA-LEVEL")


@pytest.mark.raises_code("E-DATA-SPLIT")
@pytest.mark.parametrize("ids", [(1, 2, 3), ("a", "b", "c"), (1.0, 2.0, 3.0), ("c", "b", "a")])
def test_a_subject_that_comes_back_is_refused_by_row(ids):
    a, b, c = ids
    error = refused([rows(a, b), rows(c), rows(b, visits="e")])
    assert error.code == "E-DATA-SPLIT"
    assert "1 subject comes back" in str(error)
    assert "(row 6)" in str(error)


@pytest.mark.raises_code("E-DATA-SPLIT")
def test_many_parts_in_no_order_are_remembered():
    rng = np.random.default_rng(1)
    ids = rng.permutation(3000)
    parts = [ids[start : start + 40] for start in range(0, 3000, 40)]
    seen = Subjects.of(parts[0].astype(object))
    for part in parts[1:]:
        seen = seen.joined(Subjects.of(part.astype(object)))
    assert (seen.n, seen.in_order, len(seen.runs) <= 8) == (3000, False, True)
    assert sum(map(len, seen.runs)) == 3000
    with pytest.raises(DataError, match=r"E-DATA-SPLIT.* 2 subjects come back"):
        seen.joined(Subjects.of(np.array([ids[5], 5000, ids[2999]], dtype=object)))


@pytest.mark.raises_code("E-DATA-ORDER")
def test_too_many_subjects_to_remember_must_come_in_order(monkeypatch):
    monkeypatch.setattr(subjects, "LIMIT", 4)
    assert len(read([rows(1, 2, 3), rows(4, 5), rows(8, 9)])[1]) == 4
    assert refused([rows(1, 2, 3), rows(4, 5), rows(7, 8), rows(6)]).code == "E-DATA-ORDER"
    assert refused([rows(4, 5), rows(1, 2, 3), rows(6, 7)]).code == "E-DATA-ORDER"


@pytest.mark.raises_code("E-DATA-TYPE")
def test_identifiers_are_numbers_or_text_everywhere():
    assert refused([rows(1, 2, 3), rows("4", "5")]).code == "E-DATA-TYPE"


@pytest.mark.parametrize(
    ("part", "code", "place"),
    [
        (rows(4, 5, score=11.0), "E-DATA-RANGE", (4, 5)),
        (rows(4, visits="ses"), "E-DATA-DUPLICATE", (4, 6)),
        (rows(4, 5).assign(id=[4, 4, None, None]), "E-DATA-ID", (6, 7)),
        (rows(4, 5).drop(columns="score"), "E-DATA-COLUMN", ()),
        (rows(4, 5).drop(columns="id"), "E-DATA-COLUMN", ()),
        (rows(4, sex="X"), "E-DATA-LEVEL", (4, 5)),
    ],
)
def test_a_part_is_refused_by_row_of_the_stream(part, code, place):
    error = refused([rows(1, 2), part])
    assert (error.code, error.lines) == (code, place)


@pytest.mark.raises_code("E-DATA-NUMBER")
def test_the_decimal_mark_of_text_is_a_point_unless_declared():
    part = rows(1, 2).assign(score="1,5")
    assert refused([part]).code == "E-DATA-NUMBER"
    assert read([part], decimal=",")[1][0]["score"].tolist() == [1.5, 1.5]


@pytest.mark.raises_code("E-DATA-EMPTY")
def test_a_stream_without_rows():
    assert refused([]).code == "E-DATA-EMPTY"
    assert refused([rows(1).iloc[:0]]).code == "E-DATA-EMPTY"


@pytest.mark.raises_code("E-STUDY-LEVELS")
def test_levels_are_declared():
    error = refused([rows(1, 2)], covariates=["sex"], levels=None)
    assert error.code == "E-STUDY-LEVELS"
    assert 'levels={"sex": [...]}' in str(error)


def test_levels_are_the_same_in_memory():
    both = pd.concat([rows(1, 2, sex="M"), rows(3, sex="F")])
    assert list(read_cohort(both, **(SAID | {"covariates": ["sex"]})).frame["sex"].cat.categories) == ["F", "M"]
    declared = read_cohort([], stream=True, **(SAID | {"covariates": {"sex": {"label": "Gender"}}}))
    assert (declared.covariate_roles["sex"].label, declared.covariate_roles["sex"].levels) == ("Gender", ("F", "M"))


@pytest.mark.raises_code("E-STUDY-SPENT")
def test_an_iterator_is_read_once():
    stream = read_cohort(iter([rows(1, 2, 3)]), stream=True, **SAID)
    assert len(list(stream.parts())) == 2
    with pytest.raises(StudyError, match="E-STUDY-SPENT"):
        list(stream.parts())


@pytest.mark.raises_code("E-STUDY-VALUE")
@pytest.mark.parametrize("source", [3, [3], lambda: 3, ["file.csv"]])
def test_other_sources_are_refused(source):
    assert refused(source).code == "E-STUDY-VALUE"


@pytest.mark.raises_code("E-STUDY-STREAM")
@pytest.mark.parametrize("term", ["center(score2)", "visit * standardize(score2)"])
def test_a_transform_that_needs_the_mean_is_refused(term):
    stream = read_cohort([rows(1, 2, 3).assign(score2=1.0)], stream=True, covariates=["score2"], **SAID)
    with pytest.raises(StudyError, match="E-STUDY-STREAM"):
        fit(MMRM(f"score ~ {term}"), stream)


@pytest.mark.raises_code("E-STUDY-STREAM")
def test_what_needs_all_rows_says_so():
    stream = read_cohort([rows(1, 2, 3)], stream=True, **SAID)
    for ask in (by_visit, flow, lambda cohort: cohort.frame):
        with pytest.raises(StudyError, match="E-STUDY-STREAM"):
            ask(stream)


@pytest.mark.raises_code("E-SETUP-EXTRA")
def test_parquet_needs_an_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SetupError, match=r"E-SETUP-EXTRA.*pip install \"burnout-stats\[io\]\""):
        read(tmp_path)


@pytest.mark.raises_code("E-STUDY-FILE", "E-DATA-PARQUET", "E-DATA-COLUMN")
def test_parquet_that_cannot_be_read(tmp_path: Path):
    pytest.importorskip("pyarrow")
    (tmp_path / "broken.parquet").write_bytes(b"no parquet at all")
    (tmp_path / "cohort.csv").write_text("id,visit")
    (tmp_path / "empty").mkdir()
    rows(1, 2).drop(columns="score").to_parquet(tmp_path / "lacks.parquet")
    found = {name: refused(tmp_path / name) for name in ("broken.parquet", "cohort.csv", "empty", "lacks.parquet", "x")}
    assert [error.code for error in found.values()] == [
        "E-DATA-PARQUET",
        "E-STUDY-FILE",
        "E-STUDY-FILE",
        "E-DATA-COLUMN",
        "E-STUDY-FILE",
    ]
    assert "chunksize" in str(found["cohort.csv"])
    (tmp_path / "two").mkdir()
    rows(1, 2).to_parquet(tmp_path / "two" / "1.parquet")
    rows(3, 4).drop(columns="score").to_parquet(tmp_path / "two" / "2.parquet")
    assert refused(tmp_path / "two").code == "E-DATA-COLUMN"
    assert not any(str(tmp_path) in str(error) for error in found.values())


def test_files_come_in_the_order_in_which_people_count(tmp_path: Path):
    pytest.importorskip("pyarrow")
    for number, ids in ((2, (1, 2)), (10, (3, 4))):
        folder = tmp_path / f"site={number}"
        folder.mkdir()
        rows(*ids).astype({"sex": "category"}).to_parquet(folder / f"part-{number}.parquet")
    _, frames, _ = read(tmp_path, covariates=["site"])
    assert pd.concat(frames)["site"].tolist() == [2.0] * 4 + [10.0] * 4
