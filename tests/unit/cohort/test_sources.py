"""One small cohort, written in every format that clinicians have, is read as the same cohort."""

from __future__ import annotations

import datetime as dt
import hashlib
import subprocess
import sys

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pyreadstat
import pytest
from pandas.testing import assert_frame_equal

from burnout_stats.cohort import dialects, read_cohort
from burnout_stats.cohort.columns import Column
from burnout_stats.cohort.formats import FORMATS

TIMES = {"baseline": 0, "1 year": 1}
SAY = {"subject": "id", "visit": "visit", "times": TIMES, "outcomes": ["score"]}
N = 12
RNG = np.random.default_rng(5)
LONG = pd.DataFrame(
    {
        "id": [f"p{k:02d}" for k in range(N) for _ in range(2)],
        "visit": ["baseline", "1 year"] * N,
        "score": np.round(RNG.uniform(1, 5, 2 * N), 2),
        "sex": np.repeat(["F", "M"], N),
        "age": np.repeat(RNG.integers(30, 60, N), 2).astype(float),
    }
)
LONG.loc[3, "score"] = np.nan
COVARIATES = {"sex": {"levels": ["F", "M"]}, "age": {"unit": "years"}}
VALUE_LABELS = {
    "visit": {0: "baseline", 1: "1 year"},
    "sex": {1: "F", 2: "M", 9: "not told"},
    "score": {98: "refused"},
}


@pytest.fixture(scope="module")
def cohort():
    return read_cohort(LONG, covariates=COVARIATES, **SAY)


def coded():
    """The same cohort as a statistical program keeps it: numbers with value labels, user-missing codes."""
    frame = LONG.assign(visit=np.tile([0.0, 1.0], N), sex=np.repeat([1.0, 2.0], N))
    frame.loc[[4, 5], "sex"] = 9
    frame.loc[3, "score"] = 98
    frame.loc[5, "score"] = 99
    return frame


def to_xlsx(frame, path):
    frame.to_excel(path, index=False)


WRITERS = {
    "xlsx": to_xlsx,
    "parquet": lambda frame, path: frame.to_parquet(path),
    "indexed.parquet": lambda frame, path: frame.set_index("id").to_parquet(path),
    "feather": lambda frame, path: frame.to_feather(path),
    "sav": pyreadstat.write_sav,
    "zsav": lambda frame, path: pyreadstat.write_sav(frame, path, compress=True),
    "dta": pyreadstat.write_dta,
    "old.dta": lambda frame, path: pyreadstat.write_dta(frame, path, version=12),
    "xpt": pyreadstat.write_xport,
    "tsv": lambda frame, path: frame.to_csv(path, sep="\t", index=False),
    "utf16.txt": lambda frame, path: frame.to_csv(path, sep="\t", index=False, encoding="utf-16"),
    "norwegian.csv": lambda frame, path: frame.to_csv(path, sep=";", decimal=",", index=False, encoding="utf-8-sig"),
    "mac.csv": lambda frame, path: frame.to_csv(path, index=False, lineterminator="\r"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_cohort(tmp_path, cohort, name):
    path = tmp_path / f"study.{name}"
    WRITERS[name](LONG, path)
    again = read_cohort(path, covariates=COVARIATES, **SAY)
    assert_frame_equal(again.data, cohort.data, check_exact=True)
    assert again.ids.tolist() == cohort.ids.tolist()
    assert again.source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (again.source.name, again.source.rows_read, again.source.rows_kept) == (path.name, 2 * N, 2 * N)
    assert "format" in again.source.dialect or "encoding" in again.source.dialect


def test_portable_spss_has_upper_case_names(tmp_path, cohort):
    path = tmp_path / "study.por"
    pyreadstat.write_por(LONG.rename(columns=str.upper), path)
    say = {"subject": "ID", "visit": "VISIT", "times": TIMES, "outcomes": ["SCORE"]}
    again = read_cohort(path, covariates={"SEX": {"levels": ["F", "M"]}, "AGE": {}}, **say)
    assert_frame_equal(again.data.rename(columns=str.lower), cohort.data)


def test_frames_of_polars(cohort):
    frame = pl.from_pandas(LONG)
    assert_frame_equal(read_cohort(frame, covariates=COVARIATES, **SAY).data, cohort.data)
    sexes = pl.Enum(["M", "F"])
    again = read_cohort(frame.with_columns(pl.col("sex").cast(sexes)), **SAY)
    assert again.covariate_roles["sex"].levels == ("M", "F")
    whole = frame.with_columns(pl.col("age").cast(pl.Int64))
    whole = whole.with_columns(pl.when(pl.col("age") < 40).then(None).otherwise(pl.col("age")).alias("age"))
    expected = LONG["age"].where(LONG["age"] >= 40)
    assert_frame_equal(read_cohort(whole, **SAY).data[["age"]], expected.to_frame())


def test_polars_is_not_imported_for_other_sources():
    code = "import pandas as pd, sys; from burnout_stats.cohort import read_cohort\n"
    code += 'frame = pd.DataFrame({"i": ["a", "b"], "v": ["s", "s"], "y": [1.0, 2.0]})\n'
    code += 'read_cohort(frame, subject="i", visit="v", times={"s": 0}, outcomes=["y"])\n'
    code += "sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- what statistical files say more -------------------------------------------------------------------------------


def write_coded(tmp_path, kind):
    path = tmp_path / f"study.{kind}"
    frame = coded()
    labels = {"score": "Emotional exhaustion", "sex": "Sex of the physician"}
    if kind == "sav":
        ranges = {"score": [{"lo": 90, "hi": 99}], "sex": [9]}
        pyreadstat.write_sav(
            frame, path, column_labels=labels, variable_value_labels=VALUE_LABELS, missing_ranges=ranges
        )
    else:
        frame["score"] = frame["score"].astype(object)
        frame.loc[[3, 5], "score"] = ["r", "z"]
        pyreadstat.write_dta(
            frame,
            path,
            column_labels=labels,
            variable_value_labels=VALUE_LABELS | {"score": {"r": "refused"}},
            missing_user_values={"score": ["r", "z"]},
        )
    return path


@pytest.mark.parametrize(("kind", "unlabelled"), [("sav", "99"), ("dta", ".z")])
def test_value_labels_variable_labels_and_user_missing_codes(tmp_path, kind, unlabelled):
    path = write_coded(tmp_path, kind)
    again = read_cohort(path, covariates=["sex"], missing_codes=[9], **SAY)
    assert again.covariate_roles["sex"].levels == ("F", "M")
    assert again.covariate_roles["sex"].label == "Sex of the physician"
    assert again.outcome("score").label == "Emotional exhaustion"
    expected = LONG["score"].copy()
    expected[[3, 5]] = np.nan
    assert_frame_equal(again.data[["score"]], expected.to_frame())
    assert again.data["visit"].astype(str).tolist() == LONG["visit"].tolist()
    met = again.missing_as["score"]
    assert met[[3, 5]].tolist() == ["refused", unlabelled]
    assert met.notna().sum() == 2
    assert again.missing_as["sex"].dropna().tolist() == ["not told", "not told"]
    assert set(again.missing_as) == {"score", "sex"}


def test_a_label_that_the_user_gave_stays(tmp_path):
    path = write_coded(tmp_path, "sav")
    again = read_cohort(path, **(SAY | {"outcomes": {"score": {"label": "EE"}}}), covariates=["sex"])
    assert again.outcome("score").label == "EE"


def test_codes_may_be_declared_in_place_of_their_labels(tmp_path):
    path = write_coded(tmp_path, "sav")
    say = SAY | {"times": {"0": 0, "1": 1}}
    again = read_cohort(path, covariates={"sex": {"levels": [2, 1]}}, **say)
    assert again.covariate_roles["sex"].levels == ("2", "1")
    assert again.data["sex"].astype(str).tolist()[:2] == ["1", "1"]
    translated = read_cohort(
        path,
        covariates=["sex"],
        visit_codes={"0": "start", "1": "later"},
        **(SAY | {"times": {"start": 0, "later": 1}}),
    )
    assert translated.data["visit"].astype(str).tolist()[:2] == ["start", "later"]


def test_a_scale_with_labelled_ends_is_a_number_and_a_label_twice_is_told_apart(tmp_path):
    path = tmp_path / "study.sav"
    frame = coded()[["id", "visit", "age"]].assign(score=np.tile([1.0, 2, 3, 4], 6), arm=np.repeat([1.0, 2, 3], 8))
    labels = {
        "score": {1: "never", 4: "daily"},
        "arm": {1: "care", 2: "care", 3: "usual"},
        "visit": VALUE_LABELS["visit"],
    }
    pyreadstat.write_sav(frame, path, variable_value_labels=labels)
    again = read_cohort(path, **SAY)
    assert again.data["score"].tolist() == frame["score"].tolist()
    assert again.covariate_roles["arm"].levels == ("care (1)", "care (2)", "usual")
    as_covariate = read_cohort(path, covariates=["score"], **(SAY | {"outcomes": ["age"]}))
    assert as_covariate.covariate_roles["score"].levels is None


def test_dates_of_statistical_files_and_workbooks(tmp_path):
    days = [dt.date(2020, 1, 1), dt.date(2020, 12, 31)] * N
    frame = LONG.assign(seen=pd.Series(days, dtype=object))
    years = [0, 365 / 365.25] * N
    for name in ("sav", "dta", "xpt", "xlsx", "parquet"):
        path = tmp_path / f"dates.{name}"
        WRITERS[name](frame, path)
        again = read_cohort(path, date="seen", covariates=[], **SAY)
        np.testing.assert_allclose(again.data["exact_years"], years, err_msg=name)


# ---- workbooks -----------------------------------------------------------------------------------------------------


def workbook(path, *, sheets=1, rows=(), epoch=None):
    book = openpyxl.Workbook()
    if epoch:
        book.epoch = epoch
    for place in range(sheets):
        sheet = book.active if place == 0 else book.create_sheet()
        sheet.title = f"data {place}"
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


ROWS = [
    ["id", "visit", "score", "seen"],
    ["007", "baseline", 3, dt.date(2001, 2, 3)],
    ["007", "1 year", 2.5, dt.date(2002, 2, 3)],
    [8, "baseline", "4", None],
]


def test_a_sheet_is_chosen_by_name_and_text_stays_text(tmp_path):
    path = workbook(tmp_path / "two.xlsx", sheets=2, rows=ROWS)
    again = read_cohort(path, sheet="data 1", covariates=[], **SAY)
    assert again.ids.tolist() == ["007", "8"]
    assert again.data["score"].tolist() == [3, 2.5, 4]
    assert again.source.dialect["sheet"] == "data 1"


def test_the_first_day_of_a_workbook_may_be_in_1904(tmp_path):
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    windows = workbook(tmp_path / "windows.xlsx", rows=ROWS)
    mac = workbook(tmp_path / "mac.xlsx", rows=ROWS, epoch=CALENDAR_MAC_1904)
    serial = openpyxl.load_workbook(mac)
    assert serial.epoch == CALENDAR_MAC_1904
    years = [read_cohort(path, date="seen", covariates=[], **SAY).data["exact_years"] for path in (windows, mac)]
    np.testing.assert_array_equal(years[0], years[1])
    assert years[0][1] == 365 / 365.25


@pytest.mark.raises_code("N-DATA-BLANK")
def test_rows_are_numbered_as_excel_does_and_blank_ones_are_skipped(tmp_path):
    path = workbook(tmp_path / "gap.xlsx", rows=[*ROWS[:3], [], [None, "  "], *ROWS[3:], [], []])
    with pytest.warns(match=r"2 rows without any value were skipped \(rows 4 and 5\)"):
        again = read_cohort(path, covariates=[], **SAY)
    assert len(again.data) == 3
    assert again.source.rows_read == 5


def test_the_study_file_names_the_sheet(tmp_path):
    workbook(tmp_path / "study.xlsx", sheets=2, rows=ROWS)
    text = '[data]\nfile = "study.xlsx"\nsheet = "data 1"\nsubject = "id"\nvisit = "visit"\n'
    text += '[visits]\nbaseline = 0\n"1 year" = 1\n[outcomes.score]\n'
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    assert read_cohort(tmp_path / "study.xlsx").source.dialect["sheet"] == "data 1"


# ---- codes for "no value" ------------------------------------------------------------------------------------------


def coded_csv(tmp_path):
    path = tmp_path / "codes.csv"
    path.write_text(
        "id;visit;score;sex\n1;baseline;99;F\n1;1 year;99,0;.\n2;baseline;;F\n2;1 year;-9;F\n3;baseline;3,5;M\n",
        encoding="utf-8",
    )
    return path


def test_missing_codes_are_kept_apart_from_blank(tmp_path):
    say = SAY | {"missing_codes": [99, -9, "."], "covariates": {"sex": {"levels": ["F", "M"]}}}
    again = read_cohort(coded_csv(tmp_path), **say)
    assert again.data["score"].isna().tolist() == [True, True, True, True, False]
    told = {
        name: series.astype(object).where(series.notna(), None).tolist() for name, series in again.missing_as.items()
    }
    assert told == {"score": ["99", "99", None, "-9", None], "sex": [None, ".", None, None, None]}
    assert again.missing_as["score"].index.equals(again.data.index)
    part = again.subset(again.frame["subject"] == 2)
    assert list(part.missing_as) == ["score"]
    assert part.missing_as["score"].tolist()[1] == "-9"
    assert part.missing_as["score"].index.equals(part.data.index)
    assert not read_cohort(LONG, covariates=[], missing_codes=[99], **SAY).missing_as


def test_missing_codes_follow_their_cells_when_rows_are_sorted(tmp_path):
    frame = LONG.assign(score=np.where(LONG["visit"] == "1 year", np.arange(2.0 * N), 3.25))
    codes = [float(value) for value in frame["score"] if value != 3.25]
    shuffled = frame.sample(frac=1, random_state=3)
    again = read_cohort(shuffled, missing_codes=codes, covariates=[], **SAY)
    later = again.data["visit"] == "1 year"
    assert again.missing_as["score"][later].astype(float).tolist() == codes
    assert again.missing_as["score"][~later].isna().all()


def test_a_visit_of_a_wide_file_with_a_code_for_missing_has_a_row(tmp_path):
    frame = pd.DataFrame({"id": [1, 2, 3], "score_baseline": [2.0, 3, 4], "score_1 year": [99.0, np.nan, 4]})
    say = SAY | {"visit": None, "wide": "{outcome}_{visit}"}
    again = read_cohort(frame, missing_codes=[99], **say)
    assert again.data[["subject", "years"]].apply(tuple, axis=1).tolist() == [(1, 0), (1, 1), (2, 0), (3, 0), (3, 1)]
    assert again.missing_as["score"].tolist()[1] == "99"


def test_stacked_columns_of_numbers_and_texts():
    numbers, texts = Column.of_values([1, None, 2.5]), Column.of_values(["x", 3, None])
    both = Column.stacked([numbers, None, texts], 3)
    assert [both.texts[code] if code >= 0 else None for code in both.codes] == [
        *("1", None, "2.5"),
        *(None, None, None),
        *("x", "3", None),
    ]


def test_true_is_not_one():
    column = Column.of_values([True, 1, 1.0, "1", None])
    assert [column.texts[code] if code >= 0 else None for code in column.codes] == ["True", "1", "1", "1", None]


def test_long_whole_numbers_of_a_workbook_keep_their_digits():
    column = Column.of_values([2**53 + 1, 2**53 + 2])
    assert column.texts == (str(2**53 + 1), str(2**53 + 2))


def test_every_suffix_belongs_to_one_format():
    suffixes = [suffix for known in FORMATS.values() for suffix in known.suffixes]
    assert len(suffixes) == len(set(suffixes))


def test_quotes_around_whole_cells_do_not_slow_a_file_down():
    fast = dialects._fast('"id","visit",score\r\n"a b","",3\r\n"","é",4\r\n', ",", 1)
    assert fast is not None
    names, columns, lines = fast
    assert names == ("id", "visit", "score")
    assert [column.tolist() for column in columns] == [["a b", ""], ["", "é"], ["3", "4"]]
    assert lines.tolist() == [2, 3]
    for cell in ('"a,b"', '"a""b"', '"a\nb"', ' "a"', '"a" ', 'a"b', '"'):
        assert dialects._fast(f"id,score\n{cell},3\n", ",", 1) is None
