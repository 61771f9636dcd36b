"""A draft is a study file that the check accepts, asks where it cannot know, and tells nothing of a person."""

import tomllib

import numpy as np
import pandas as pd
import pytest

from burnout_stats.errors import DataError, StudyError
from burnout_stats.plan import check
from burnout_stats.plan.draft import draft_study
from burnout_stats.plan.recognition import better_end, instruments_of, time_of, words_of

N = 60
IDS = [f"P{k:03d}" for k in range(N)]
RNG = np.random.default_rng(11)
LEVEL = RNG.normal(3, 0.8, N)


def score(visit, low=1.0, high=5.0):
    return np.clip(LEVEL + RNG.normal(-0.2 * visit, 0.5, N), low, high).round(1)


def long(labels=("pre", "6 months", "18 months"), **columns):
    parts = [
        pd.DataFrame({"id": IDS, "visit": label, "mbi_ee": score(k), "sex": np.where(LEVEL > 3, "F", "M"), **columns})
        for k, label in enumerate(labels)
    ]
    return pd.concat(parts, ignore_index=True)


def drafted(folder, frame, name="cohort.csv", **said):
    path = folder / name
    frame.to_csv(path, index=False, sep=said.pop("sep", ","), decimal=said.pop("decimal", "."))
    draft = draft_study(path, **said)
    found = check(draft.plan(folder / "cohort.toml"))
    assert found.problems == ()
    return draft, tomllib.loads(draft.text), found


def test_a_long_file_is_drafted_and_passes_the_check(tmp_path):
    draft, study, found = drafted(tmp_path, long())
    assert study["data"] == {"file": "cohort.csv", "subject": "id", "visit": "visit"}
    assert study["visits"] == {"pre": 0, "6 months": 0.5, "18 months": 1.5}
    assert list(study["outcomes"]) == ["mbi_ee"]
    assert study["covariates"]["sex"]["levels"] == ["F", "M"]
    assert study["analysis"]["terms"] == ["visit"]
    assert found.cohort.n_subjects == N
    unwrapped = draft.text.replace("\n# ", " ")
    assert all(f"TODO: {question}" in unwrapped for question in draft.questions[1:])


def test_a_wide_file_is_drafted_and_its_visits_are_asked_for(tmp_path):
    frame = pd.DataFrame({"pid": IDS, "Burnout_T0": score(0), "Burnout_T1": score(1), "age": RNG.integers(30, 60, N)})
    draft, study, found = drafted(tmp_path, frame)
    assert study["data"]["wide"] == "{outcome}_{visit}"
    assert study["visits"] == {"T0": 0, "T1": 1}
    assert "TODO: How many years after baseline? The file only tells the order of T0, T1." in draft.text
    assert study["outcomes"]["Burnout"]["better"] == "lower"
    assert found.plan.covariates.keys() == {"age"}


@pytest.mark.parametrize(
    ("columns", "pattern"),
    [
        (["EE_1", "EE_2", "EE_3"], "{outcome}_{visit}"),
        (["t0.stress", "t1.stress"], "{visit}.{outcome}"),
        (["stress0", "stress1"], "{outcome}{visit}"),
        (["stress_baseline", "stress_12mnd"], "{outcome}_{visit}"),
        (["stress 1y", "stress 3y"], "{outcome} {visit}"),
    ],
)
def test_ways_to_write_the_visit_in_the_name_of_a_column(tmp_path, columns, pattern):
    frame = pd.DataFrame({"id": IDS} | {name: score(k) for k, name in enumerate(columns)})
    _, study, _ = drafted(tmp_path, frame)
    assert study["data"]["wide"] == pattern
    assert len(study["outcomes"]) == 1


def test_dates_tell_the_years_of_visits_that_are_only_counted(tmp_path):
    frame = long(labels=("0", "1", "2"))
    days = np.repeat([0, 365, 1096], N) + RNG.integers(0, 20, 3 * N) + np.tile(RNG.integers(0, 300, N), 3)
    frame["dato"] = (np.datetime64("2003-01-01") + days.astype("timedelta64[D]")).astype(str)
    draft, study, found = drafted(tmp_path, frame)
    assert study["visits"] == {"baseline": 0, "1 year": 1, "3 years": 3}
    assert study["data"]["visit_codes"] == {"0": "baseline", "1": "1 year", "2": "3 years"}
    assert study["data"]["date"] == "dato"
    assert "2003" not in draft.text
    assert "exact_years" in found.cohort.frame


def test_a_column_of_months_tells_the_years(tmp_path):
    frame = long(labels=("a", "b", "c"), subgroup="x").assign(months=np.repeat([0, 6, 18], N))
    _, study, _ = drafted(tmp_path, frame)
    assert study["visits"] == {"a": 0, "b": 0.5, "c": 1.5}


def test_codes_and_words_for_no_value_are_proposed_and_asked(tmp_path):
    frame = long()
    frame.loc[3:9, "mbi_ee"] = 99
    frame["mbi_ee"] = frame["mbi_ee"].astype(object)
    frame.loc[20, "mbi_ee"] = "NA"
    draft, study, found = drafted(tmp_path, frame)
    assert study["data"]["missing_codes"] == [99, "NA"]
    assert "TODO: Do these mean a missing value? They stand in `mbi_ee`." in draft.text
    assert found.cohort.frame["mbi_ee"].max() <= 5


def test_a_code_that_is_a_value_elsewhere_is_asked_and_not_declared(tmp_path):
    frame = long()
    frame.loc[3:9, "mbi_ee"] = 9
    frame["stress"] = RNG.integers(0, 22, len(frame)).astype(float)
    draft, study, _ = drafted(tmp_path, frame)
    assert "missing_codes" not in study["data"]
    assert "TODO: Does 9 mean a missing value in `mbi_ee`?" in draft.text


def test_semicolons_and_decimal_commas_pass(tmp_path):
    _, study, found = drafted(tmp_path, long(), sep=";", decimal=",")
    assert list(study["outcomes"]) == ["mbi_ee"]
    assert found.cohort.frame["mbi_ee"].between(1, 5).all()


def test_instruments_are_recognized_only_where_their_name_and_their_range_fit(tmp_path):
    frame = long().rename(columns={"mbi_ee": "hads_d"})
    draft, study, _ = drafted(tmp_path, frame)
    assert study["outcomes"]["hads_d"] == {"instrument": "hads_depression", "range": [0, 21], "better": "lower"}
    draft, study, _ = drafted(tmp_path, long())
    assert "instrument" not in study["outcomes"]["mbi_ee"]
    assert "Which instrument is `mbi_ee`? It could be mbi_gs_exhaustion, mbi_hss_exhaustion, mbi_norwegian_ee." in (
        draft.questions
    )
    assert instruments_of(words_of("hads_d"), 0, 40) == ((), False)
    assert instruments_of(words_of("GAD7"), 0, 20) == (("gad7",), True)


def test_items_of_a_known_instrument_become_scores(tmp_path):
    answers = {f"cbi{k}_t{t}": RNG.choice([0, 25, 50, 75, 100], N) for t in (0, 1) for k in range(1, 20)}
    _, study, found = drafted(tmp_path, pd.DataFrame({"id": IDS} | answers))
    assert study["scores"]["cbi_work"] == {"instrument": "cbi_work", "items": "cbi{item}"}
    assert found.cohort.outcomes[-3:] == ("cbi_personal", "cbi_work", "cbi_client")


def test_items_of_an_unknown_instrument_are_asked_for(tmp_path):
    frame = long().assign(**{f"q{k}": RNG.integers(1, 6, 3 * N) for k in range(1, 8)})
    draft, study, _ = drafted(tmp_path, frame)
    assert "scores" not in study
    assert "TODO: Items q{item} (7 columns): of which instrument?" in draft.text


def test_nothing_of_a_person_is_written(tmp_path):
    frame = long(labels=("pre", "post"), born="1961-02-03")
    frame["site"] = np.where(np.tile(np.arange(N), 2) < 2, "Secret Island", "Town")
    frame["note"] = [f"told in confidence {k}" for k in range(2 * N)]
    frame["mail"] = [f"person{k}@example.org" for k in range(2 * N)]
    frame.loc[0, "mbi_ee"] = 4.97
    path = tmp_path / "cohort.csv"
    frame.to_csv(path, index=False)
    draft = draft_study(path)
    whole = " ".join([draft.text, *draft.found, *draft.questions])
    for secret in ("Secret", "Town", "confidence", "1961", "@", "P00", "4.97"):
        assert secret not in whole
    assert "`note` (free text, or too many categories)" in draft.text.replace("\n# ", " ")
    assert "`mail` (names or numbers of persons)" in draft.text.replace("\n# ", " ")


def test_hostile_names_stay_names(tmp_path):
    names = {"mbi_ee": '=cmd|"x"\\ #', "sex": "a'b [z] ::error::"}
    draft, study, _ = drafted(tmp_path, long().rename(columns=names))
    assert list(study["outcomes"]) == [names["mbi_ee"]]
    assert list(study["covariates"]) == [names["sex"]]
    assert "a'b [z] ::error::" in draft.text


@pytest.mark.raises_code("E-STUDY-DRAFT")
def test_a_file_without_repeated_measurements_is_refused_with_advice(tmp_path):
    path = tmp_path / "once.csv"
    pd.DataFrame({"id": IDS, "burnout": score(0)}).to_csv(path, index=False)
    with pytest.raises(StudyError) as caught:
        draft_study(path)
    assert "--subject COLUMN" in str(caught.value)


def test_unusual_names_may_be_said(tmp_path):
    frame = long().rename(columns={"id": "xx", "visit": "yy"})
    _, study, _ = drafted(tmp_path, frame, subject="xx", visit="yy")
    assert (study["data"]["subject"], study["data"]["visit"]) == ("xx", "yy")


@pytest.mark.raises_code("E-STUDY-COLUMN", "E-STUDY-FILE")
def test_what_is_said_wrongly_is_named(tmp_path):
    with pytest.raises(StudyError) as caught:
        draft_study(tmp_path / "none.csv")
    assert caught.value.problems[0].code == "E-STUDY-FILE"
    with pytest.raises(StudyError) as caught:
        drafted(tmp_path, long(), subject="idd")
    assert caught.value.problems[0].seen == "There is no column `idd`."


def test_a_file_that_cannot_be_opened_is_refused_as_ever(tmp_path):
    (tmp_path / "broken.sav").write_bytes(b"$FL2 nothing more")
    with pytest.raises(DataError):
        draft_study(tmp_path / "broken.sav")


def test_spss_labels_user_missing_codes_and_dates_are_used(tmp_path):
    pyreadstat = pytest.importorskip("pyreadstat")
    frame = long(labels=("0", "1", "2")).assign(visit=np.repeat([0.0, 1.0, 2.0], N))
    frame["sex"] = frame["sex"].map({"F": 1.0, "M": 2.0})
    frame.loc[5:12, "mbi_ee"] = 99.0
    pyreadstat.write_sav(
        frame,
        str(tmp_path / "kohort.sav"),
        column_labels={"mbi_ee": "Emosjonell utmattelse", "sex": "Kjønn"},
        variable_value_labels={
            "visit": {0.0: "Baseline", 1.0: "1 år", 2.0: "3 år"},
            "sex": {1.0: "Kvinne", 2.0: "Mann"},
            "mbi_ee": {99.0: "Ikke besvart"},
        },
        missing_ranges={"mbi_ee": [99]},
    )
    draft = draft_study(tmp_path / "kohort.sav")
    study = tomllib.loads(draft.text)
    assert study["visits"] == {"Baseline": 0, "1 år": 1, "3 år": 3}
    assert study["outcomes"]["mbi_ee"]["label"] == "Emosjonell utmattelse"
    assert study["covariates"]["sex"] == {"label": "Kjønn", "levels": ["Kvinne", "Mann"]}
    assert "missing_codes" not in study["data"]
    assert "codes for missing values are used as they are (`mbi_ee`)" in draft.text
    found = check(draft.plan(tmp_path / "kohort.toml"))
    assert found.is_fine
    assert found.cohort.frame["mbi_ee"].isna().sum() == 8


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Baseline", (0.0, True)),
        ("3 years", (3.0, True)),
        ("1 år", (1.0, True)),
        ("month 18", (1.5, True)),
        ("52 uker", (52 * 7 / 365.25, True)),
        ("T2", (2.0, False)),
        ("wave 3", (3.0, False)),
        ("follow-up", (None, False)),
    ],
)
def test_times_that_labels_tell(label, expected):
    years, is_sure = time_of(label)
    assert is_sure == expected[1]
    assert years == (expected[0] if expected[0] is None else pytest.approx(expected[0]))


def test_which_end_is_better_is_told_by_words_alone():
    assert better_end(words_of("jobbstress")) == "lower"
    assert better_end(words_of("Job satisfaction")) == "higher"
    assert better_end(words_of("score", "stress and satisfaction")) == ""
