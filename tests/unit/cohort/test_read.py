"""What is read is what the file says: dialects, identifiers, missing codes, layouts, frames."""

from __future__ import annotations

import csv
import hashlib

import numpy as np
import pandas as pd
import pytest

from burnout_stats.cohort import Covariate, read_cohort
from burnout_stats.notices import BurnoutStatsWarning

TIMES = {"start": 0, "1 year": 1, "3 years": 3}
SAY = {"subject": "id", "visit": "visit", "times": TIMES, "outcomes": ["score"]}
ONE = {"times": {"start": 0}}
TEXT = (
    "id,visit,score,sex,age\n"
    "007,start,3.25,F,41.5\n"
    "007,1 year,2.5,F,41.5\n"
    "12,start,,M,\n"
    "12,1 year,4,M,\n"
    "12,3 years,3,M,50\n"
)


def write(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "cohort.csv"
    path.write_bytes(text.encode(encoding))
    return path


def read(tmp_path, text, stored="utf-8", **say):
    return read_cohort(write(tmp_path, text, stored), **(SAY | say))


def assert_same(left, right):
    pd.testing.assert_frame_equal(left.data, right.data)
    assert list(map(str, left.ids)) == list(map(str, right.ids))


def test_a_file_becomes_a_cohort(tmp_path):
    cohort = read(tmp_path, TEXT)
    data = cohort.data
    assert list(data) == ["subject", "visit", "years", "score", "sex", "age"]
    assert data["subject"].tolist() == [1, 1, 2, 2, 2]
    assert data["visit"].tolist() == ["start", "1 year", "start", "1 year", "3 years"]
    assert data["visit"].cat.categories.tolist() == list(TIMES)
    assert data["visit"].cat.ordered
    assert data["years"].tolist() == [0, 1, 0, 1, 3]
    np.testing.assert_array_equal(data["score"], [3.25, 2.5, np.nan, 4, 3])
    assert data["sex"].tolist() == ["F", "F", "M", "M", "M"]
    np.testing.assert_array_equal(data["age"], [41.5, 41.5, np.nan, np.nan, 50])
    assert cohort.covariate_roles == {"sex": Covariate("sex", levels=("F", "M")), "age": Covariate("age")}
    assert cohort.ids.tolist() == ["007", "12"]
    assert cohort.notices == ()


def test_where_the_data_came_from(tmp_path):
    path = write(tmp_path, TEXT.replace(",", ";"))
    source = read_cohort(path, **(SAY | {"covariates": ["sex"], "missing_codes": [99]})).source
    assert source.name == "cohort.csv"
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (source.rows_read, source.rows_kept) == (5, 5)
    assert dict(source.dialect) == {
        "encoding": "utf-8",
        "separator": "semicolon",
        "layout": "long",
        "decimal": ".",
        "missing_codes": "99",
        "not_used": "age",
    }


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (TEXT, "utf-8-sig"),
        (TEXT, "utf-16"),
        (TEXT.replace("\n", "\r\n"), "utf-8"),
        (TEXT.replace("\n", "\r"), "utf-8"),
        (TEXT.rstrip("\n"), "utf-8"),
        (TEXT + "\n\n\n", "utf-8"),
        ("\n" + TEXT, "utf-8"),
        (TEXT.replace(",", "\t"), "utf-8"),
        (TEXT.replace(",", ";"), "utf-16"),
        ("sep=;\n" + TEXT.replace(",", ";"), "utf-8"),
        (TEXT.replace(",", ";").replace(".", ","), "utf-8"),
        (TEXT.replace(",", "\t").replace(".", ","), "utf-8"),
        (TEXT.replace("start", '"start"').replace("3.25", '"3.25"'), "utf-8"),
        (TEXT.replace("3.25", '"3,25"').replace("2.5", '"2,5"').replace("41.5", '"41,5"'), "utf-8"),
        (TEXT.replace("id,visit,score", " id , visit,score ").replace("start", " start ").replace("F", "F "), "utf-8"),
        (TEXT.replace("2.5", "25e-1").replace("3.25", "+3.250"), "utf-8"),
    ],
)
def test_one_cohort_in_many_dialects(tmp_path, text, encoding):
    assert_same(read(tmp_path, text, encoding), read_cohort(write(tmp_path, TEXT), **SAY))


@pytest.mark.raises_code("N-DATA-ENCODING")
def test_windows_1252_is_read_with_a_notice_and_without_when_declared(tmp_path):
    text = TEXT.replace("F,", "Bodø,").replace("M,", "Tromsø,")
    with pytest.warns(BurnoutStatsWarning, match="N-DATA-ENCODING"):
        cohort = read(tmp_path, text, "cp1252")
    assert cohort.covariate_roles["sex"].levels == ("Bodø", "Tromsø")
    assert read(tmp_path, text, "cp1252", encoding="cp1252").notices == ()


@pytest.mark.raises_code("N-DATA-BLANK")
def test_blank_rows_are_skipped_and_said(tmp_path):
    text = TEXT.replace("12,start", ",,,,\n12,start") + " ,,,,\n"
    with pytest.warns(BurnoutStatsWarning, match=r"2 lines without any value .*\(lines 4 and 8\)"):
        cohort = read(tmp_path, text)
    assert (cohort.source.rows_read, cohort.source.rows_kept) == (7, 5)
    with pytest.warns(BurnoutStatsWarning, match=r"1 line without any value .*\(line 3\)"):
        read(tmp_path, 'id,visit,score\n"A",start,3\n\nB,start,3\n', **ONE)


def test_line_numbers_count_the_lines_of_the_file_not_the_rows(tmp_path):
    from burnout_stats.errors import DataError

    text = 'sep=,\nid,visit,score,note\nA,start,3,"two\nlines"\nB,start,x,\n'
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    assert caught.value.lines == (5,)


def test_identifiers_are_kept_as_they_stand(tmp_path):
    ids = ["007", "1e3", "NA", "12345678901234567890", "12345678901234567891", "99", "nan", "1.0", "-", "å b"]
    text = "id,visit,score\n" + "".join(f"{name},start,3\n" for name in ids)
    cohort = read(tmp_path, text, missing_codes=[99, "-"], **ONE)
    assert cohort.ids.tolist() == sorted(ids)
    assert cohort.n_subjects == len(ids)


def test_identifiers_of_digits_are_in_order_of_number(tmp_path):
    text = "id,visit,score\n" + "".join(f"{name},start,3\n" for name in [10, 9, 1, 100])
    assert read(tmp_path, text, **ONE).ids.tolist() == ["1", "9", "10", "100"]


@pytest.mark.raises_code("N-DATA-IDS")
def test_identifiers_that_differ_by_case_space_or_zeros_are_said(tmp_path):
    text = "id,visit,score\na1,start,3\nA1 ,start,3\nb2,start,3\n 07,start,3\n7,start,3\n"
    with pytest.warns(BurnoutStatsWarning, match=r"4 subject identifiers .*\(lines 2, 3, 5 and 6\)") as caught:
        cohort = read(tmp_path, text, **ONE)
    assert cohort.n_subjects == 5
    assert "a1" not in str(caught[0].message).casefold()


def test_missing_codes_are_compared_as_numbers_and_as_text(tmp_path):
    text = "id,visit,score,group\nA,start,99,a\nB,start,99.0,.\nC,start,-9,99\nD,start,.,b\nE,start,9,a\n"
    cohort = read(tmp_path, text, missing_codes=[99, -9.0, "."], **ONE)
    np.testing.assert_array_equal(cohort.data["score"], [np.nan, np.nan, np.nan, np.nan, 9])
    assert cohort.data["group"].isna().tolist() == [False, True, True, False, False]
    data = pd.DataFrame({"id": [1, 2, 3], "visit": "start", "score": [99.0, -9.0, 9.0]})
    np.testing.assert_array_equal(
        read_cohort(data, missing_codes=[99, "-9"], **SAY | ONE).data["score"], [np.nan, np.nan, 9]
    )


def test_undeclared_covariates_follow_one_rule(tmp_path):
    text = "id,visit,score,number,text,flag\nA,start,3,1,b,yes\nB,start,3,,a,\nC,start,3,2.5,b,no\n"
    cohort = read(tmp_path, text, **ONE)
    assert cohort.covariate_roles["number"].levels is None
    assert cohort.covariate_roles["text"].levels == ("a", "b")
    assert cohort.data["text"].cat.categories.tolist() == ["a", "b"]
    assert cohort.data["flag"].isna().tolist() == [False, True, False]


@pytest.mark.raises_code("N-DATA-COLUMN")
def test_empty_columns_and_free_text_are_left_out_and_said(tmp_path):
    rows = "".join(f"{k},start,{k % 5},,person {k} said so\n" for k in range(30))
    with pytest.warns(BurnoutStatsWarning, match="N-DATA-COLUMN") as caught:
        cohort = read(tmp_path, "id,visit,score,empty,note\n" + rows, **ONE)
    assert cohort.covariates == ()
    assert len(caught) == 2
    assert "person" not in " ".join(str(item.message) for item in caught)


@pytest.mark.raises_code("N-DATA-COLUMN")
def test_a_column_of_objects_is_left_out_and_said():
    data = pd.DataFrame({"id": [1, 2], "visit": "start", "score": 3.0, "raw": [[1], [2]]})
    with pytest.warns(BurnoutStatsWarning, match="neither numbers nor text"):
        assert read_cohort(data, **SAY | ONE).covariates == ()


@pytest.mark.raises_code("N-DATA-WORD")
def test_a_level_that_may_mean_missing_is_said(tmp_path):
    text = "id,visit,score,sex\nA,start,3,F\nB,start,3,NA\n"
    with pytest.warns(BurnoutStatsWarning, match="N-DATA-WORD"):
        assert read(tmp_path, text, **ONE).covariate_roles["sex"].levels == ("F", "NA")
    assert read(tmp_path, text, missing_codes=["NA"], **ONE).covariate_roles["sex"].levels == ("F",)


@pytest.mark.raises_code("N-DATA-LEVEL", "N-DATA-VISIT")
def test_declared_levels_keep_their_order_and_unused_ones_are_said(tmp_path):
    text = "id,visit,score,sex\nA,start,3,F\nB,1 year,3,M\n"
    with pytest.warns(BurnoutStatsWarning) as caught:
        cohort = read(tmp_path, text, covariates={"sex": {"levels": ["X", "M", "F"]}})
    assert cohort.data["sex"].cat.categories.tolist() == ["X", "M", "F"]
    assert [notice.code for notice in cohort.notices] == ["N-DATA-LEVEL", "N-DATA-VISIT"]
    assert len(caught) == 2


def test_visits_may_be_coded(tmp_path):
    text = TEXT.replace("start", "t0").replace("1 year", "t1")
    codes = {"t0": "start", "t1": "1 year"}
    assert_same(read(tmp_path, text, visit_codes=codes), read_cohort(write(tmp_path, TEXT), **SAY))
    frame = pd.DataFrame({"id": [1, 1, 2], "visit": [0.0, 12.0, 0.0], "score": [3, 4, 5]})
    cohort = read_cohort(frame, **(SAY | {"times": {"start": 0, "12": 1}, "visit_codes": {"0": "start"}}))
    assert cohort.data["visit"].tolist() == ["start", "12", "start"]


def test_a_column_of_the_visits_years_is_the_role_itself(tmp_path):
    cohort = read(tmp_path, TEXT)
    text = cohort.frame.assign(subject=cohort.ids[cohort.data["subject"] - 1]).to_csv(index=False)
    again = read(tmp_path, text, subject="subject")
    assert_same(cohort, again)
    assert "years" not in again.covariates


# ---- wide ----------------------------------------------------------------------------------------------------------


def as_wide(cohort, codes):
    data = cohort.data.assign(
        id=cohort.ids[cohort.data["subject"] - 1], code=cohort.data["visit"].map(codes).astype(str)
    )
    wide = data.pivot(index="id", columns="code", values=["score", "age"])
    wide.columns = [f"{name}_{code}" for name, code in wide.columns]
    sex = data.groupby("id")["sex"].first().astype(str)
    return wide.join(sex).reset_index()


def test_wide_and_long_are_the_same_cohort(tmp_path):
    text = TEXT.replace("12,start,,M,\n", "")
    cohort = read(tmp_path, text)
    codes = {"start": "t0", "1 year": "t1", "3 years": "t3"}
    wide = as_wide(cohort, codes)
    say = SAY | {"visit": None, "wide": "{outcome}_{visit}", "visit_codes": {v: k for k, v in codes.items()}}
    from_frame = read_cohort(wide, **say)
    wide.to_csv(tmp_path / "wide.csv", index=False)
    from_file = read_cohort(tmp_path / "wide.csv", **say)
    columns = list(cohort.data)
    for again in (from_frame, from_file):
        pd.testing.assert_frame_equal(again.data[columns], cohort.data)
        assert again.ids.tolist() == cohort.ids.tolist()
        assert again.source.dialect["layout"] == "wide, {outcome}_{visit}"
    labelled = wide.rename(
        columns=lambda name: name.replace("t0", "start").replace("t1", "1 year").replace("t3", "3 years")
    )
    pd.testing.assert_frame_equal(read_cohort(labelled, **(say | {"visit_codes": None})).data[columns], cohort.data)


def test_in_a_wide_source_a_visit_without_values_has_no_row_but_every_subject_stays():
    wide = pd.DataFrame({"id": ["A", "B"], "score_start": [3.0, np.nan], "score_1 year": [2.0, np.nan]})
    times = {"start": 0, "1 year": 1}
    cohort = read_cohort(wide, **(SAY | {"visit": None, "wide": "{outcome}_{visit}", "times": times}))
    assert cohort.data["subject"].tolist() == [1, 1, 2]
    assert cohort.data["visit"].tolist() == ["start", "1 year", "start"]


@pytest.mark.raises_code("N-DATA-WIDE", "N-DATA-VISIT")
def test_a_visit_without_a_column_is_said():
    wide = pd.DataFrame({"id": ["A", "B"], "score_start": [3.0, 2.0], "score_1 year": [3.0, 2.0]})
    with pytest.warns(BurnoutStatsWarning, match="3 years"):
        cohort = read_cohort(wide, **(SAY | {"visit": None, "wide": "{outcome}_{visit}"}))
    assert len(cohort.data) == 4


# ---- frames --------------------------------------------------------------------------------------------------------


def long_frame():
    return pd.DataFrame(
        {
            "id": ["b", "a", "a", "c"],
            "visit": ["start", "3 years", "start", "1 year"],
            "score": [1.5, 2.5, 3.5, np.nan],
            "sex": ["M", "F", "F", "M"],
            "age": [40, 50, 50, 60],
        }
    )


@pytest.mark.parametrize(
    "change",
    [
        {"id": "category"},
        {"id": object, "visit": object, "sex": object},
        {"id": "string", "visit": "string", "sex": "string"},
        {"visit": "category", "sex": "category"},
        {"score": "Float64", "age": "Int64"},
        {"score": object, "age": object},
        {"score": "float32", "age": "int8"},
        {"score": "string", "age": "string"},
    ],
    ids=str,
)
def test_the_dtype_of_a_column_does_not_matter(change):
    expected = read_cohort(long_frame(), **SAY)
    assert_same(read_cohort(long_frame().astype(change), **SAY), expected)
    assert expected.data["subject"].tolist() == [1, 1, 2, 3]
    assert expected.ids.tolist() == ["a", "b", "c"]


def test_a_categorical_of_pandas_keeps_its_order_of_levels():
    data = long_frame().assign(sex=pd.Categorical(["M", "F", "F", "M"], categories=["X", "M", "F"]))
    assert read_cohort(data, **SAY).covariate_roles["sex"].levels == ("M", "F")


def test_levels_may_be_declared_for_a_column_of_numbers():
    data = long_frame().assign(leave=[1.0, 0.0, 0.0, np.nan])
    cohort = read_cohort(data, covariates={"leave": {"levels": [0, 1]}}, **SAY)
    assert cohort.data["leave"].astype(object).tolist()[:3] == ["0", "0", "1"]
    assert cohort.data["leave"].isna().tolist() == [False, False, False, True]


def test_the_frame_of_the_user_stays_as_it_is_and_is_not_shared():
    data = long_frame().sort_values("id", ignore_index=True)
    before = data.copy(deep=True)
    cohort = read_cohort(data, missing_codes=[1.5], **SAY)
    pd.testing.assert_frame_equal(data, before)
    kept = cohort.data.copy(deep=True)
    data["score"] = 0.0
    data["age"] = 0
    pd.testing.assert_frame_equal(cohort.data, kept)


@pytest.mark.parametrize("ids", [[30, 10, 10, 20], [3_000_000_000, 1, 1, 2], [0.3, 0.1, 0.1, 0.2], [-1, -9, -9, -5]])
def test_numeric_identifiers_are_ordered_and_kept(ids):
    cohort = read_cohort(long_frame().assign(id=ids), **SAY)
    assert cohort.ids.tolist() == sorted(set(ids))
    assert cohort.data["subject"].tolist() == [1, 1, 2, 3]


def test_the_csv_module_and_the_fast_path_read_the_same(tmp_path):
    rng = np.random.default_rng(5)
    data = pd.DataFrame(
        {
            "id": np.repeat([f"P{k:03d}" for k in range(300)], 3),
            "visit": list(TIMES) * 300,
            "score": rng.normal(3, 1, 900).round(3),
            "shift": rng.choice(["day", "night", ""], 900),
        }
    )
    data.to_csv(tmp_path / "plain.csv", index=False)
    data.to_csv(tmp_path / "quoted.csv", index=False, quoting=csv.QUOTE_ALL)
    plain, quoted = (read_cohort(tmp_path / name, **SAY) for name in ("plain.csv", "quoted.csv"))
    assert_same(plain, quoted)
    pd.testing.assert_series_equal(plain.data["score"], data["score"])
