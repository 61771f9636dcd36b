"""Dates of assessment become exact years since the subject's own baseline; windows say what lies outside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from study_files import write_study

from burnout_stats.cohort import read_cohort
from burnout_stats.cohort.sections import read_sections
from burnout_stats.design.build import build
from burnout_stats.design.parse import parse
from burnout_stats.errors import DataError, StudyError
from burnout_stats.inference import emmeans, slopes
from burnout_stats.models import LMM, MMRM, fit
from burnout_stats.notices import BurnoutStatsWarning

TIMES = {"start": 0, "1 year": 1, "3 years": 3}
SAY = {"subject": "id", "visit": "visit", "times": TIMES, "outcomes": ["score"], "date": "assessed"}


def dated(n=40, seed=1, spread=60):
    """n subjects at three visits, each dated up to `spread` days around its nominal day."""
    rng = np.random.default_rng(seed)
    start = np.datetime64("2003-08-01") + rng.integers(0, 700, n)
    days = np.rint(np.array(list(TIMES.values())) * 365.25)[None, :] + rng.integers(-spread, spread + 1, (n, 3))
    days[:, 0] = 0
    level = rng.normal(3, 0.6, n)[:, None] + rng.normal(0, 0.1, n)[:, None] * days / 365.25
    return pd.DataFrame(
        {
            "id": np.repeat(np.arange(n), 3),
            "visit": list(TIMES) * n,
            "assessed": (start[:, None] + days.astype("timedelta64[D]")).ravel(),
            "score": (level + rng.normal(0, 0.4, (n, 3))).ravel(),
            "since": (days / 365.25).ravel(),
        }
    )


def read(frame, **say):
    return read_cohort(frame, **({"covariates": []} | SAY | say))


def test_dates_become_years_since_the_own_baseline():
    frame = dated()
    cohort = read(frame)
    assert list(cohort.data) == ["subject", "visit", "years", "exact_years", "score"]
    np.testing.assert_allclose(cohort.data["exact_years"], frame["since"], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "write",
    [
        lambda column: column.dt.strftime("%Y-%m-%d"),
        lambda column: column.dt.strftime("%Y-%m-%dT13:45:00Z"),
        lambda column: column.dt.strftime(" %Y-%m-%d ").astype("category"),
        lambda column: column.dt.date,
        lambda column: column + pd.Timedelta("9h"),
        lambda column: column.dt.tz_localize("Europe/Oslo"),
    ],
)
def test_the_form_of_a_date_does_not_matter(write):
    frame = dated()
    same = read(frame.assign(assessed=write(frame["assessed"])))
    pd.testing.assert_frame_equal(same.data, read(frame).data)


def test_a_file_and_a_wide_source_give_the_same(tmp_path):
    frame = dated().drop(columns="since")
    frame.to_csv(tmp_path / "long.csv", index=False, sep=";")
    codes = {"t0": "start", "t1": "1 year", "t3": "3 years"}
    wide = frame.replace({"visit": {label: code for code, label in codes.items()}}).pivot(index="id", columns="visit")
    wide.columns = [f"{name}_{code}" for name, code in wide.columns]
    wide.reset_index().sample(frac=1, random_state=1).to_csv(tmp_path / "wide.csv", index=False)
    expected = read(frame).data
    long = read_cohort(tmp_path / "long.csv", **SAY)
    broad = read_cohort(
        tmp_path / "wide.csv", **(SAY | {"visit": None, "wide": "{outcome}_{visit}", "visit_codes": codes})
    )
    for cohort in (long, broad):
        pd.testing.assert_frame_equal(cohort.data, expected)


def test_date_cells_of_a_workbook_and_of_spss_and_stata_files(tmp_path):
    frame = dated(8)
    frame.drop(columns="since").to_excel(tmp_path / "scores.xlsx", index=False)
    pyreadstat.write_sav(frame.assign(assessed=frame["assessed"].dt.date), str(tmp_path / "scores.sav"))
    frame.to_stata(tmp_path / "scores.dta", write_index=False, convert_dates={"assessed": "td"})
    frame.to_parquet(tmp_path / "scores.parquet")
    expected = read(frame).data["exact_years"]
    for name in ("scores.xlsx", "scores.sav", "scores.dta", "scores.parquet"):
        cohort = read_cohort(tmp_path / name, **(SAY | {"covariates": []}))
        pd.testing.assert_series_equal(cohort.data["exact_years"], expected)


def test_the_order_of_rows_does_not_matter():
    frame = dated()
    pd.testing.assert_frame_equal(read(frame.sample(frac=1, random_state=3)).data, read(frame).data)


@pytest.mark.raises_code("N-DATA-BASELINE")
def test_without_a_date_the_years_are_missing():
    frame = dated(4)
    frame["assessed"] = frame["assessed"].astype(object)
    frame.loc[[0, 7], "assessed"] = None
    with pytest.warns(BurnoutStatsWarning, match="1 subject with dates has none at baseline"):
        cohort = read(frame)
    assert np.flatnonzero(cohort.data["exact_years"].isna()).tolist() == [0, 1, 2, 7]
    assert cohort.data["score"].notna().all()


def test_declared_codes_are_no_dates():
    frame = dated(4)
    frame["assessed"] = frame["assessed"].dt.strftime("%Y-%m-%d")
    frame.loc[1, "assessed"] = "99"
    assert np.isnan(read(frame, missing_codes=[99]).data.loc[1, "exact_years"])


WINDOWS = {"1 year": 20, "3 years": {"before": 20, "after": 45}}


@pytest.mark.raises_code("N-DATA-WINDOW", "E-DATA-WINDOW")
def test_windows_keep_drop_or_refuse():
    frame = dated()
    days = (frame["since"] * 365.25).round().to_numpy()
    visit = frame["visit"].to_numpy()
    outside = (visit == "1 year") & (np.abs(days - 365) > 20)
    outside |= (visit == "3 years") & ((days - 1096 < -20) | (days - 1096 > 45))
    assert 10 < outside.sum() < 110
    with pytest.warns(BurnoutStatsWarning, match=rf"{outside.sum()} assessments lie outside .*kept") as caught:
        kept = read(frame, windows=WINDOWS)
    assert len(kept.data) == 120
    with pytest.warns(BurnoutStatsWarning, match="left out"):
        dropped = read(frame, windows=WINDOWS, outside="drop")
    np.testing.assert_allclose(dropped.data["exact_years"], frame["since"][~outside], atol=1e-12)
    assert dropped.n_subjects == 40
    assert dropped.source.rows_kept == len(dropped.data) == 120 - outside.sum()
    with pytest.raises(DataError) as refused:
        read(frame, windows=WINDOWS, outside="refuse")
    assert refused.value.code == "E-DATA-WINDOW"
    assert refused.value.lines == tuple(np.flatnonzero(outside))
    assert not any(str(year) in str(item.message) for item in caught for year in range(2003, 2009))


def test_the_edges_of_a_window_lie_inside():
    frame = dated(2, spread=0)
    frame.loc[1, "assessed"] += pd.Timedelta(days=20)
    frame.loc[5, "assessed"] -= pd.Timedelta(days=20)
    assert read(frame, windows=WINDOWS, outside="refuse").notices == ()


BAD_WINDOWS = [
    pytest.param({"windows": {"2 years": 20}}, marks=pytest.mark.raises_code("E-STUDY-WINDOW")),
    pytest.param({"windows": {"start": 20}}, marks=pytest.mark.raises_code("E-STUDY-WINDOW")),
    pytest.param({"windows": {"1 year": -1}}, marks=pytest.mark.raises_code("E-STUDY-WINDOW")),
    pytest.param({"windows": {"1 year": "20"}}, marks=pytest.mark.raises_code("E-STUDY-WINDOW")),
    pytest.param({"windows": {"1 year": {"before": 3}}}, marks=pytest.mark.raises_code("E-STUDY-WINDOW")),
    pytest.param({"date": None, "windows": WINDOWS}, marks=pytest.mark.raises_code("E-STUDY-WINDOW")),
    pytest.param({"outside": "ignore"}, marks=pytest.mark.raises_code("E-STUDY-OPTION")),
    pytest.param({"times": {"1 year": 1, "3 years": 3}}, marks=pytest.mark.raises_code("E-STUDY-VISITS")),
    pytest.param({"date": "score"}, marks=pytest.mark.raises_code("E-STUDY-ROLES")),
]


@pytest.mark.parametrize("change", BAD_WINDOWS)
def test_a_declaration_that_cannot_be_understood(request, change):
    with pytest.raises(StudyError) as caught:
        read(dated(3), **change)
    assert [caught.value.code] == [code for mark in request.node.iter_markers("raises_code") for code in mark.args]


@pytest.mark.raises_code("E-DATA-COLUMN")
def test_the_column_of_dates_must_be_there():
    with pytest.raises(DataError, match="`visited`"):
        read(dated(3), date="visited")


def test_a_study_file_says_the_same(tmp_path):
    frame = dated()
    frame.to_csv(tmp_path / "scores.csv", index=False)
    study = tmp_path / "study.toml"
    study.write_text(
        '[data]\nfile = "scores.csv"\nsubject = "id"\nvisit = "visit"\ndate = "assessed"\noutside = "drop"\n'
        '[visits]\nstart = 0\n"1 year" = 1\n"3 years" = 3\n[visit_windows]\n"1 year" = 20\n'
        '"3 years" = {before = 20, after = 45}\n[outcomes.score]\n',
        encoding="utf-8",
    )
    cohort = read_sections(study).cohort(tmp_path)
    with pytest.warns(BurnoutStatsWarning):
        pd.testing.assert_frame_equal(cohort.data, read(frame, windows=WINDOWS, outside="drop").data)


@pytest.mark.raises_code("E-STUDY-WINDOW")
def test_a_plan_refuses_windows_it_cannot_use(tmp_path):
    from burnout_stats.plan import read_study

    path = write_study(tmp_path)
    path.write_text(path.read_text(encoding="utf-8") + '\n[visit_windows]\n"1 year" = 20\n', encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        read_study(path)
    assert caught.value.code == "E-STUDY-WINDOW"


# ---- in models -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_exact_years_are_a_numeric_covariate(method):
    frame = dated()
    by_date = fit(LMM("score ~ exact_years + (1 + exact_years | subject)", method=method), read(frame))
    by_number = fit(
        LMM("score ~ since + (1 + since | subject)", method=method),
        read(frame, covariates={"since": {"unit": "years"}}),
    )
    np.testing.assert_allclose(by_date.coef, by_number.coef, rtol=1e-9)
    np.testing.assert_allclose(by_date.loglik, by_number.loglik, rtol=1e-12)
    assert list(by_date.coef.index) == ["Intercept", "exact_years"]


def test_exact_years_stand_in_the_fixed_part_of_any_model():
    cohort = read(dated())
    fitted = fit(MMRM("score ~ visit + exact_years"), cohort)
    assert "exact_years" in fitted.coef.index
    slope = slopes(fit(LMM("score ~ exact_years + (1 | subject)"), cohort), "exact_years")
    assert len(slope.frame) == 1
    line = emmeans(fit(LMM("score ~ exact_years + (1 | subject)"), cohort), "exact_years").frame
    assert line["exact_years"].tolist() == [0.0, 1.0, 3.0]
    _, rows = build(parse("score ~ exact_years"), cohort)
    np.testing.assert_array_equal(rows.z[:, 1], cohort.data["exact_years"])


@pytest.mark.raises_code("E-STUDY-COLUMN")
def test_without_dates_there_are_no_exact_years():
    cohort = read(dated().drop(columns="assessed"), date=None)
    with pytest.raises(StudyError, match="exact_years"):
        fit(MMRM("score ~ exact_years"), cohort)


def test_a_stream_has_exact_years_too():
    frame = dated().drop(columns="since")
    parts = read_cohort([frame[:60], frame[60:]], stream=True, **(SAY | {"covariates": []}))
    whole = fit(MMRM("score ~ visit + exact_years"), read(frame))
    np.testing.assert_allclose(fit(MMRM("score ~ visit + exact_years"), parts).coef, whole.coef, rtol=1e-9)


@pytest.mark.raises_code("E-DATA-DATE")
@pytest.mark.parametrize("cells", [[38110, 38480, 39210], ["38110", "38480.5", "39210"], [38110.0, 38480.0, 39210.0]])
def test_serial_numbers_of_a_spreadsheet_are_refused_with_the_way_out(cells):
    frame = dated(1).assign(assessed=cells)
    with pytest.raises(DataError, match="1900 or 1904: format the column as yyyy-mm-dd"):
        read(frame)


@pytest.mark.raises_code("E-DATA-DATE-ORDER")
def test_two_visits_on_one_day_are_out_of_order_and_a_gap_between_them_does_not_hide_it():
    frame = dated(3, spread=0)
    same = frame.assign(assessed=frame["assessed"].where(frame.index != 4, frame["assessed"][3]))
    with pytest.raises(DataError) as caught:
        read(same)
    assert (caught.value.code, caught.value.lines) == ("E-DATA-DATE-ORDER", (3, 4))
    late = frame.assign(assessed=frame["assessed"].where(frame.index != 6, frame["assessed"][8] + pd.Timedelta("1D")))
    late.loc[7, "assessed"] = pd.NaT
    with pytest.raises(DataError) as caught:
        read(late)
    assert caught.value.lines == (6, 8)
