"""Whatever bytes come in, a Cohort or a coded error comes out, and what is read is what was written."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from burnout_stats.codes import registry
from burnout_stats.cohort import Cohort, dialects, read_cohort
from burnout_stats.errors import BurnoutStatsError, DataError
from burnout_stats.notices import BurnoutStatsWarning

TIMES = {"start": 0, "1 year": 1, "3 years": 3}
SAY = {"subject": "id", "visit": "visit", "times": TIMES, "outcomes": ["score"]}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1", "utf-32", "utf-16-be"]

cells = st.one_of(
    st.sampled_from(
        ["", " ", "1", "2.5", "2,5", "1,234", "NA", "99", "start", "1 year", "A1", "a1 ", '"', '""', "\r", "x"]
    ),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=6),
    st.integers(-99, 99).map(str),
)


good = {
    "id": st.sampled_from(["A1", "a1", "007", "7", "1e3", "NA", "B 2", "\u00e5"]),
    "visit": st.sampled_from(list(TIMES)),
    "score": st.sampled_from(["1", "2.5", "-3", "", " 4 ", "1e2"]),
    "sex": st.sampled_from(["F", "M", "", "K"]),
}


@st.composite
def almost_csv(draw):
    """Bytes that look like a cohort file, more or less: at most a few cells, one line or the encoding are odd."""
    separator = draw(st.sampled_from([",", ";", "\t"]))
    names = draw(st.permutations(list(good)))
    rows = draw(st.lists(st.tuples(*(good[name] for name in names)).map(list), min_size=1, max_size=5))
    for _ in range(draw(st.integers(0, 2))):
        row = draw(st.sampled_from(rows))
        row[draw(st.integers(0, len(names) - 1))] = draw(cells)
    if draw(st.integers(0, 9)) == 0:
        rows[-1] = rows[-1] + ["more"]
    if draw(st.integers(0, 9)) == 0:
        names = [*names[:-1], draw(cells)]
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = end.join(separator.join(row) for row in [names, *rows]) + draw(st.sampled_from(["", end]))
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8", *ENCODINGS])), "replace")


def outcome(source, **say):
    """A cohort that keeps its promises, or an error with a registered code; anything else fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)
        try:
            cohort = read_cohort(source, **say)
        except BurnoutStatsError as refusal:
            cohort = refusal
    if isinstance(cohort, BurnoutStatsError):
        assert {problem.code for problem in cohort.problems} <= set(registry())
        return cohort
    assert isinstance(cohort, Cohort)
    data = cohort.data
    assert not data.duplicated(["subject", "visit"]).any()
    assert data[["subject", "years"]].apply(tuple, axis=1).is_monotonic_increasing
    assert sorted(set(data["subject"])) == list(range(1, cohort.n_subjects + 1))
    assert not np.isinf(data[list(cohort.outcomes)]).any(axis=None)
    assert all(notice.code in registry() for notice in cohort.notices)
    return cohort


@settings(max_examples=300)
@given(raw=st.one_of(st.binary(max_size=200), almost_csv()), decimal=st.sampled_from([None, ".", ","]))
@example(raw=b"id,visit,score\n\x00", decimal=None)
@example(raw=b"\xff\xfe", decimal=None)
@example(raw=b"\xef\xbb\xbf", decimal=None)
@example(raw=b"sep=;\n", decimal=None)
@example(raw=b"sep=;", decimal=None)
@example(raw=b'"\n', decimal=None)
@example(raw=b'""\n', decimal=None)
@example(raw=b"id,visit,score\r\r\r", decimal=None)
@example(raw=b"id,visit,score\nA,start,3\x0b\n", decimal=None)
@example(raw="id,visit,score\nA,start,\u0663\n".encode(), decimal=None)
@example(raw="id,visit,score\u2028\nA,start,3\n".encode(), decimal=None)
def test_any_bytes_give_a_cohort_or_a_coded_error(tmp_path_factory, raw, decimal):
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(raw)
    outcome(path, decimal=decimal, **SAY)
    outcome(path, wide="{outcome}_{visit}", visit_codes={"a": "start"}, **(SAY | {"visit": None}))


@settings(max_examples=150)
@given(
    text=st.one_of(
        st.text(max_size=100),
        st.lists(
            st.sampled_from(
                [
                    "[data]\n",
                    'file = "fuzz.csv"\n',
                    'subject = "id"\n',
                    'visit = "visit"\n',
                    "[visits]\nstart = 0\n",
                    "[visits]\nstart = nan\n",
                    "[outcomes.score]\n",
                    "range = [1, 5]\n",
                    "range = [1]\n",
                    'better = "lower"\n',
                    "[covariates.sex]\n",
                    "levels = [1, true]\n",
                    "[disclosure]\nmin_cell = 0\n",
                    "x = 1979-05-27\n",
                ]
            ),
            max_size=12,
        ).map("".join),
    )
)
@example(text="data = 1\nvisits = []\noutcomes = {a = 1}\n")
def test_any_study_file_gives_a_cohort_or_a_coded_error(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp()
    (folder / "fuzz.csv").write_text("id,visit,score,sex\nA,start,3,1\n", encoding="utf-8")
    (folder / "fuzz.toml").write_text(text, encoding="utf-8", errors="replace")
    outcome(folder / "fuzz.csv")


# ---- round trips ---------------------------------------------------------------------------------------------------

names = st.text(alphabet="abcXYZ019_-æ é", min_size=1, max_size=5).filter(str.strip)
scores = st.one_of(st.none(), st.floats(-1e6, 1e6, allow_nan=False, width=64), st.integers(-9, 9).map(float))


@st.composite
def frames(draw):
    """A long cohort frame in any order of rows, with at least one score."""
    keys = draw(st.lists(st.tuples(names, st.sampled_from(list(TIMES))), min_size=1, max_size=12, unique=True))
    n = len(keys)
    values = draw(st.lists(scores, min_size=n, max_size=n).filter(lambda found: any(v is not None for v in found)))
    return pd.DataFrame(
        {
            "id": pd.Series([name for name, _ in keys], dtype=object),
            "visit": [visit for _, visit in keys],
            "score": pd.Series(values, dtype=float),
            "sex": pd.Series(draw(st.lists(st.sampled_from(["F", "M", None]), min_size=n, max_size=n)), dtype=object),
            "age": pd.Series(draw(st.lists(scores, min_size=n, max_size=n)), dtype=float),
        }
    )


COVARIATES = {"sex": {"levels": ["F", "M"], "constant": False}, "age": {"unit": "years"}}


def read_frame(frame):
    covariates = {name: said for name, said in COVARIATES.items() if frame[name].notna().any()}
    return outcome(frame, covariates=covariates, **SAY), covariates


def assert_same(left, right):
    assert isinstance(left, Cohort), left
    assert isinstance(right, Cohort), right
    pd.testing.assert_frame_equal(left.data, right.data, check_exact=True)
    assert left.ids.tolist() == right.ids.tolist()


@settings(max_examples=150)
@given(
    frame=frames(),
    separator=st.sampled_from([",", ";", "\t"]),
    decimal=st.sampled_from([".", ","]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
    quoting=st.sampled_from([0, 1]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_is_what_is_read(tmp_path_factory, frame, separator, decimal, encoding, quoting, end):
    path = tmp_path_factory.getbasetemp() / "round.csv"
    frame.to_csv(
        path, index=False, sep=separator, decimal=decimal, encoding=encoding, quoting=quoting, lineterminator=end
    )
    cohort, covariates = read_frame(frame)
    declared = {"encoding": "latin-1"} if encoding == "latin-1" else {}
    again = outcome(path, covariates=covariates, separator=separator, decimal=decimal, **declared, **SAY)
    assert_same(again, cohort)


@settings(max_examples=100)
@given(frame=frames(), seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_does_not_matter(frame, seed):
    cohort, covariates = read_frame(frame)
    shuffled = frame.sample(frac=1, random_state=seed)
    assert_same(outcome(shuffled, covariates=covariates, **SAY), cohort)


@settings(max_examples=100)
@given(frame=frames())
def test_wide_and_long_are_the_same_cohort(frame):
    assume(frame["id"].is_unique or not frame.duplicated(["id", "visit"]).any())
    long = frame.dropna(subset=["score"])[["id", "visit", "score"]]
    wide = long.pivot(index="id", columns="visit", values="score")
    wide.columns = [f"score at {label}" for label in wide.columns]
    say = SAY | {"visit": None, "wide": "{outcome} at {visit}"}
    assert_same(outcome(wide.reset_index(), **say), outcome(long, **SAY))


@settings(max_examples=100)
@given(frame=frames(), codes=st.booleans())
def test_a_cohort_goes_out_long_or_wide_and_comes_back(frame, codes):
    frame = frame.assign(score=frame["score"].mask(frame["score"] < 0, 99.0))
    if codes:
        frame["sex"] = frame["sex"].fillna("?")
    covariates = {
        name: said for name, said in COVARIATES.items() if frame[name].isin(["F", "M"]).any() or name == "age"
    }
    say = SAY | {"missing_codes": [99, "?"], "covariates": covariates}
    first = outcome(frame, **say)
    assume(isinstance(first, Cohort))
    says = first.data["score"].notna()
    if "score" in first.missing_as:
        says |= first.missing_as["score"].notna()
    cohort = first.subset(says)  # a wide frame cannot say that a visit took place and nothing was measured
    assume(cohort.data.notna().any().all())  # a declared column needs a value
    again = say | {"subject": "subject"}
    pattern = "{outcome} at {visit}"
    assert_same_with_codes(outcome(cohort.to_frame(ids=True, codes=True), **again), cohort)
    wide = cohort.to_frame("wide", ids=True, codes=True, wide=pattern)
    assert len(wide) == cohort.n_subjects
    assert_same_with_codes(outcome(wide, **(again | {"visit": None, "wide": pattern})), cohort)


def assert_same_with_codes(left, right):
    assert_same(left, right)
    assert left.missing_as.keys() == right.missing_as.keys()
    for name, met in right.missing_as.items():
        pd.testing.assert_series_equal(left.missing_as[name].astype(object), met.astype(object))


@settings(max_examples=200)
@given(
    rows=st.lists(
        st.lists(
            st.one_of(
                st.text(alphabet="ab1. \t;é\u2028\x0b", max_size=4),
                st.text(alphabet='a"," \n', max_size=4),
                st.text(alphabet="a é", max_size=3).map('"{}"'.format),
            ),
            min_size=2,
            max_size=3,
        ),
        min_size=2,
        max_size=6,
    ),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_the_fast_path_reads_what_the_csv_module_reads(rows, end):
    rows[0] = [f'"n{k}"' if rows[1][0].startswith('"') else f"n{k}" for k in range(len(rows[0]))]
    text = end.join(",".join(row) for row in rows)
    fast = dialects._fast(text, ",", 1)
    try:
        strict = dialects._strict(text, ",", 1)
    except DataError:
        assert fast is None
        return
    if fast is not None:
        assert fast[0] == strict[0]
        assert [column.tolist() for column in fast[1]] == [column.tolist() for column in strict[1]]
        assert fast[2].tolist() == strict[2].tolist()
