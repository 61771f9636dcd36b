"""A cohort that is read part by part gives the fit of the same cohort in memory, however it is cut."""

from __future__ import annotations

import operator
from functools import reduce
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import TIMES, scores
from tolerances import STREAM

import burnout_stats as bs
from burnout_stats.cohort import read_cohort
from burnout_stats.engine.basis import Basis
from burnout_stats.engine.moments import moments_of_rows
from burnout_stats.errors import DataError, ModelError
from burnout_stats.models import LMM, MMRM, Fit, fit, tally

pytestmark = pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")

SAID = {
    "subject": "id",
    "visit": "visit",
    "times": TIMES,
    "outcomes": ["score"],
    "covariates": ["age", "weight"],
    "levels": {"sex": ["F", "M"], "clinic": ["north", "south", "west"]},
}


def frame(n: int = 300) -> pd.DataFrame:
    """Scores with dropout, holes in outcome and covariate, and a clinic that comes late."""
    rng = np.random.default_rng(n)
    made = scores(n, 5, seen=0.75)
    ordinal = pd.factorize(made["id"])[0]
    made["clinic"] = np.array(["north", "south", "west"])[ordinal * 3 // n]
    made["weight"] = rng.integers(1, 4, n)[ordinal]
    made.loc[rng.random(len(made)) < 0.04, "age"] = np.nan
    made.loc[rng.random(len(made)) < 0.04, "score"] = np.nan
    return made


def cut(whole: pd.DataFrame, rows: int) -> list[pd.DataFrame]:
    return [whole.iloc[start : start + rows] for start in range(0, len(whole), rows)]


def same(one: Fit, other: Fit) -> None:
    """All that is asked of a fit agrees."""
    assert (one.n_obs, one.n_subjects, one.design.n_cohort) == (other.n_obs, other.n_subjects, other.design.n_cohort)
    assert one.loglik == pytest.approx(other.loglik, rel=STREAM)
    assert one.design.groups == other.design.groups
    assert [notice.message for notice in one.notices] == [notice.message for notice in other.notices]
    axis = "visit" if "visit" in one.grid.factors() else "years"
    asked = [bs.summarize(one), bs.emmeans(one, axis), bs.emmeans(one, axis, at="rows")]
    told = [bs.summarize(other), bs.emmeans(other, axis), bs.emmeans(other, axis, at="rows")]
    for a, b in zip(asked, told, strict=True):
        numbers = a.frame.select_dtypes("number").columns
        np.testing.assert_allclose(b.frame[numbers], a.frame[numbers], rtol=STREAM, atol=STREAM)
        assert a.about == b.about
    np.testing.assert_allclose(other.covariance, one.covariance, rtol=STREAM)


MODELS = [
    MMRM("score ~ visit * sex + age + clinic"),
    MMRM("score ~ 0 + visit + age", covariance="ar1h", method="ml"),
    MMRM("score ~ 0 + age + years"),
    MMRM("score ~ visit + log(age)", covariance="csh", covariance_by="clinic", weights="weight"),
    LMM("score ~ years + sex + (1 + years | subject)"),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.formula)
@pytest.mark.parametrize("rows", [50, 97])
def test_a_stream_gives_the_fit_in_memory(model, rows):
    whole = frame()
    same(fit(model, read_cohort(whole, **SAID)), fit(model, read_cohort(cut(whole, rows), stream=True, **SAID)))


@pytest.mark.parametrize("rows", [1, 2, 7, 1000])
def test_the_size_of_the_parts_does_not_matter(rows):
    whole = frame(60)
    model = MODELS[0]
    same(fit(model, read_cohort(whole, **SAID)), fit(model, read_cohort(cut(whole, rows), stream=True, **SAID)))


@pytest.mark.parametrize("shift", [0.0, 1e9])
def test_an_unlike_first_part_costs_no_digits(shift):
    """Sorted by age, the first part is the youngest; and its one subject is 1e6 years away from all others."""
    whole = frame().sort_values(["age", "id"], kind="stable")
    age = whole.groupby("id")["age"].transform("max")
    whole = whole.assign(age=age.fillna(40.0)).sort_values(["age", "id", "visit"])
    whole["age"] += shift
    whole.loc[whole["id"] == whole["id"].iloc[0], "age"] -= 1e6
    model = MMRM("score ~ visit + age")
    memory = fit(model, read_cohort(whole, **SAID))
    stream = fit(model, read_cohort([whole.iloc[:2], *cut(whole.iloc[2:], 60)], stream=True, **SAID))
    table, other = bs.summarize(memory).frame, bs.summarize(stream).frame
    slopes = table["term"] != "Intercept"  # with ages of 1e9, the intercept is 1e9 years away from the data
    np.testing.assert_allclose(other[slopes]["estimate"], table[slopes]["estimate"], rtol=STREAM)
    np.testing.assert_allclose(other[slopes]["std_error"], table[slopes]["std_error"], rtol=STREAM)
    assert stream.loglik == pytest.approx(memory.loglik, rel=STREAM)


def test_weights_of_probability_count_on_their_own_scale():
    whole = frame()
    model = MMRM("score ~ visit", weights="weight", weights_kind="probability")
    memory = fit(model, read_cohort(whole, **SAID))
    stream = fit(model, read_cohort(cut(whole, 80), stream=True, **SAID))
    np.testing.assert_allclose(stream.coef, memory.coef, rtol=STREAM)
    assert stream.loglik == pytest.approx(memory.loglik, rel=STREAM)


def test_parts_without_a_complete_row_count_their_subjects():
    whole = frame(80)
    late = whole.assign(id="Z" + whole["id"], score=np.nan)
    first = late["id"] < "ZS0020"
    parts = [late[first], *cut(whole, 50), late[~first]]
    both = pd.concat([late, whole])
    same(fit(MODELS[0], read_cohort(both, **SAID)), fit(MODELS[0], read_cohort(parts, stream=True, **SAID)))


@pytest.mark.raises_code("E-MODEL-EMPTY", "E-DATA-BLANK")
def test_no_complete_row_in_any_part():
    whole = frame(20)
    crossed = whole.assign(score=whole["score"].where(whole["age"].isna()))
    crossed.loc[0, ["score", "age"]] = [3.0, np.nan]
    with pytest.raises(ModelError, match="E-MODEL-EMPTY"):
        fit(MODELS[0], read_cohort(cut(crossed, 9), stream=True, **SAID))
    with pytest.raises(DataError, match="E-DATA-BLANK"):
        fit(MODELS[0], read_cohort(cut(whole.assign(score=np.nan), 9), stream=True, **SAID))


@pytest.mark.raises_code("E-MODEL-NEEDS-ROWS")
def test_a_fit_of_a_stream_has_no_rows():
    fitted = fit(MODELS[0], read_cohort(cut(frame(), 90), stream=True, **SAID))
    assert fitted.rows is None
    with pytest.raises(ModelError, match="E-MODEL-NEEDS-ROWS"):
        fitted.needed_rows()
    with pytest.raises(ModelError, match="E-MODEL-NEEDS-ROWS"):
        bs.summarize(fitted, vcov="cr2")
    for model in (LMM("score ~ visit + (1 + age | subject)"), MMRM("score ~ visit + (1 | clinic)")):
        with pytest.raises(ModelError, match="E-MODEL-NEEDS-ROWS"):
            fit(model, read_cohort(cut(frame(), 90), stream=True, **SAID))


def test_moments_about_another_center_are_those_of_the_rows_about_it():
    rng = np.random.default_rng(3)
    subject, visit = np.nonzero(rng.random((40, 3)) < 0.7)
    z = np.column_stack(
        [np.ones(len(subject)), visit == 1, rng.normal(50, 9, len(subject)), rng.normal(3, 1, len(subject))]
    )
    constant = np.array([1.0, 0.0, 0.0])
    here, there = np.array([9.0, 0.2, 30.0, 2.0]), np.array([9.0, 0.3, 51.0, 3.1])
    made = [moments_of_rows(z, subject, visit, 3, basis=Basis.centered(center, constant)) for center in (here, there)]
    np.testing.assert_allclose(made[0].recentered(there).T, made[1].T, rtol=1e-12, atol=1e-9)
    assert made[0].recentered(there).basis.same_as(made[1].basis)
    with pytest.raises(ValueError, match="transformed"):
        made[0].orthonormal().recentered(there)


def test_a_data_set_of_files_gives_the_fit_in_memory(tmp_path: Path):
    pytest.importorskip("pyarrow")
    whole = frame()
    for k, part in enumerate(cut(whole, 45)):
        part.to_parquet(tmp_path / f"part.{k}.parquet", row_group_size=20)  # subjects are cut by groups and files
    whole.assign(id=pd.factorize(whole["id"])[0], sex=whole["sex"].astype("category")).to_parquet(tmp_path / "one")
    memory = fit(MODELS[0], read_cohort(whole, **SAID))
    same(memory, fit(MODELS[0], read_cohort(tmp_path, stream=True, **SAID)))
    same(memory, fit(MODELS[0], read_cohort(str(tmp_path / "one"), stream=True, **SAID)))


@pytest.mark.raises_code("E-DATA-SPLIT", "E-STUDY-VALUE")
def test_tallies_add_in_any_order_and_know_their_model():
    whole = frame()
    stream = read_cohort([], stream=True, **SAID)
    parts = [tally(MODELS[3], stream.part(whole[whole["clinic"] == clinic])) for clinic in ("west", "north", "south")]
    same(fit(MODELS[3], read_cohort(whole, **SAID)), fit(MODELS[3], parts[0] + (parts[1] + parts[2])))
    with pytest.raises(DataError, match="E-DATA-SPLIT"):
        _ = parts[0] + parts[1] + parts[0]
    with pytest.raises(ValueError, match="two models"):
        _ = parts[0] + tally(MODELS[0], stream.part(whole))
    with pytest.raises(bs.StudyError, match="E-STUDY-VALUE"):
        fit(MODELS[0], parts[0])


@pytest.mark.xdist_group("dask")
@pytest.mark.filterwarnings("default")
def test_workers_of_a_dask_cluster_tally_the_parts():
    dask = pytest.importorskip("dask")
    distributed = pytest.importorskip("distributed")
    model, whole = MODELS[0], frame()
    stream = read_cohort([], stream=True, **SAID)

    def count(part: pd.DataFrame) -> object:
        return tally(model, stream.part(part))

    parts = [dask.delayed(count)(part) for _, part in whole.groupby("clinic")]
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        total = dask.delayed(reduce)(operator.add, parts).compute()
    same(fit(model, read_cohort(whole, **SAID)), fit(model, total))
