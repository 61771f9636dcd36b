"""`power.simulate`: batches and refits answer with power, coverage and bias, and count what has no answer."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from burnout_stats import power
from burnout_stats.cohort import Cohort
from burnout_stats.errors import ModelError, SetupError, StudyError
from burnout_stats.inference import contrast, emmeans
from burnout_stats.models import GEE, GLMM, LMM, MMRM
from burnout_stats.power._performance import performance, share

DESIGN = power.CohortDesign(
    (3.0, 2.8), sd=0.9, correlation=0.5, visits={"before": 0, "after": 1}, patterns={"11": 0.8, "10": 0.2}, n=40
)
TWO = power.CohortDesign(
    {"control": (3.0, 2.9, 2.8), "help": (3.0, 2.5, 2.4)},
    sd=0.9,
    correlation=0.5,
    patterns=power.monotone_patterns((1, 0.8, 0.7)),
    n=60,
)
MODEL = MMRM("score ~ visit")


def change(fit):
    return contrast(emmeans(fit, "visit"))


def column(found, name="estimate"):
    return dict(zip(found.frame["measure"], found.frame[name], strict=True))


def test_a_batch_says_power_coverage_bias_and_how_right_its_standard_errors_are():
    found = power.simulate(DESIGN, replicates=2000, seed=1)
    told, errors = column(found), column(found, "std_error")
    assert list(told) == ["power", "coverage", "bias", "standard error / SD of estimates"]
    expected = {"coverage": 0.95, "bias": 0.0, "standard error / SD of estimates": 1.0}
    assert all(abs(told[name] - value) < 4 * errors[name] for name, value in expected.items())
    assert errors["power"] == pytest.approx(np.sqrt(told["power"] * (1 - told["power"]) / 2000))
    notes = " ".join(found.about.notes)
    assert all(word in notes for word in ("2,000", "40 persons", "3, 2.8", "SD 0.9", "80%", "kenward-roger", "0.05"))


def test_no_difference_makes_a_type_i_error():
    found = power.simulate(replace(DESIGN, means=(3.0, 3.0)), replicates=1000, seed=1)
    assert "type I error" in column(found)
    assert 0.03 < column(found)["type I error"] < 0.07


def test_the_null_and_the_side_of_a_test_are_those_of_the_design():
    one_sided = column(power.simulate(replace(DESIGN, alternative="less"), replicates=1000, seed=1))
    other = column(power.simulate(replace(DESIGN, alternative="greater"), replicates=1000, seed=1))
    two_sided = column(power.simulate(DESIGN, replicates=1000, seed=1))
    moved = column(power.simulate(replace(DESIGN, null=-0.2), replicates=1000, seed=1))
    assert other["power"] < 0.02 < two_sided["power"] < one_sided["power"]
    assert "type I error" in moved


def test_the_same_seed_gives_the_same_and_another_does_not():
    first, again, other = (power.simulate(TWO, replicates=300, seed=k).frame["estimate"] for k in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_two_arms_tell_how_many_are_in_each():
    found = power.simulate(replace(TWO, allocation={"control": 1, "help": 2}), replicates=200, seed=1, df="asymptotic")
    assert "20 in control and 40 in help" in found.about.notes[0]
    assert found.about.df_method == "asymptotic"


@pytest.mark.raises_code("N-MODEL-SIMULATED")
@pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")
def test_cohorts_without_an_answer_are_counted_under_their_code():
    few = replace(TWO, n=14, patterns=power.independent_patterns((1, 0.6, 0.6)))
    found = power.simulate(few, replicates=200, seed=1)
    (notice,) = found.notices
    assert notice.code == "N-MODEL-SIMULATED"
    counts = [int(word) for word in notice.message.replace("(", " ").replace(",", " ").split() if word.isdigit()]
    assert counts[0] == sum(counts[2:])
    assert f"{200 - counts[0]:,} simulated cohorts" in found.about.notes[0]
    assert "N-MODEL-ALIASED" in notice.message


@pytest.mark.raises_code("E-MODEL-SIMULATED")
def test_a_design_that_cannot_carry_its_model_is_refused():
    few = replace(TWO, n=4, patterns=power.independent_patterns((1, 0.5, 0.5)))
    with pytest.raises(ModelError, match="E-MODEL-SIMULATED"):
        power.simulate(few, replicates=100, seed=1)


def test_a_robust_covariance_refuses_a_mean_that_rests_on_one_person():
    few = replace(TWO, n=12, covariance="cs", patterns={"111": 0.5, "110": 0.3, "100": 0.2})
    with pytest.warns(match="E-MODEL-LEVERAGE"):
        found = power.simulate(few, replicates=500, seed=1, vcov="cr2")
    assert found.about.df_method == "satterthwaite"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"df": "exact"}, "E-STUDY-OPTION"),
        ({"vcov": "cr9"}, "E-STUDY-OPTION"),
        ({"vcov": "cr2", "df": "kenward-roger"}, "E-STUDY-OPTION"),
        ({"replicates": 5}, "E-STUDY-VALUE"),
        ({"model": MODEL}, "E-STUDY-OPTION"),
        ({"model": MODEL, "question": change, "df": "residual"}, "E-STUDY-OPTION"),
        ({"model": MODEL, "question": change, "backend": "threads"}, "E-STUDY-OPTION"),
        ({"model": MODEL, "question": change, "workers": 0}, "E-STUDY-VALUE"),
        ({"model": MODEL, "question": change, "replicates": 100, "truth": [1, 2, 3]}, "E-STUDY-VALUE"),
        ({"model": MODEL, "question": change, "replicates": 100, "backend": "dask"}, "E-STUDY-OPTION"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, code):
    with pytest.raises(StudyError) as caught:
        power.simulate(DESIGN, seed=1, **options)
    assert caught.value.code == code


def test_a_generator_needs_a_model_and_missing_at_random_a_baseline():
    with pytest.raises(StudyError):
        power.simulate(lambda rng: power.draw(DESIGN, seed=1), seed=1)
    with pytest.raises(StudyError, match="baseline"):
        power.simulate(replace(DESIGN, patterns={"11": 0.8, "01": 0.2}), seed=1, dropout_slope=0.5)


def test_a_design_drawn_with_rows_and_refitted_agrees_with_the_batch():
    batch = column(power.simulate(DESIGN, replicates=4000, seed=1))
    found = power.simulate(DESIGN, MODEL, change, replicates=150, seed=1, truth=[-0.2])
    single, errors = column(found), column(found, "std_error")
    assert list(single) == list(batch)
    assert all(abs(single[name] - batch[name]) < 4 * errors[name] for name in batch)
    assert "MMRM" in found.about.notes[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        LMM("score ~ visit + (1 | subject)"),
        GLMM("score ~ visit + (1 | subject)", case=">= 3"),
        GEE("score ~ visit", case=">= 3", family="binomial"),
    ],
    ids=lambda model: type(model).__name__,
)
def test_whatever_can_be_fitted_can_be_simulated(model):
    design = replace(DESIGN, n=80)
    some, more = (
        power.simulate(replace(design, means=(3.0, after)), model, change, replicates=100, seed=2)
        for after in (3.0, 2.5)
    )
    assert column(some)["power"] < 0.2 < column(more)["power"]
    assert column(some)["standard error / SD of estimates"] == pytest.approx(1, abs=0.3)
    assert type(model).__name__ in some.about.notes[1]


def generator(rng: np.random.Generator) -> Cohort:
    return power.draw(replace(DESIGN, n=25), seed=int(rng.integers(1 << 30)))


@pytest.mark.slow
def test_workers_and_backends_change_nothing():
    pytest.importorskip("joblib")
    here, two, three = (
        power.simulate(generator, MODEL, change, replicates=105, seed=3, workers=workers, backend=backend)
        for workers, backend in ((1, "serial"), (2, "joblib"), (3, "joblib"))
    )
    for other in (two, three):
        assert here.frame.equals(other.frame)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_dask_cluster_gives_the_same():
    distributed = pytest.importorskip("distributed")
    here = power.simulate(DESIGN, MODEL, change, replicates=105, seed=3)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        there = power.simulate(DESIGN, MODEL, change, replicates=105, seed=3, backend="dask")
    assert here.frame.equals(there.frame)


@pytest.mark.raises_code("E-SETUP-EXTRA")
@pytest.mark.parametrize(("backend", "library"), [("joblib", "joblib"), ("dask", "distributed")])
def test_a_backend_that_is_not_installed_says_what_to_install(monkeypatch, backend, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(SetupError, match="distributed"):
        power.simulate(DESIGN, MODEL, change, replicates=100, seed=1, backend=backend)


def test_refusals_of_refits_are_counted_by_code():
    few = replace(DESIGN, n=8, patterns={"11": 0.5, "10": 0.5})
    with pytest.warns(match="E-MODEL"):
        found = power.simulate(few, MODEL, change, replicates=100, seed=1)
    left = int(found.notices[0].message.split("for ")[1].split()[0])
    assert found.about.notes[0].startswith(f"{100 - left:,} simulated cohorts")


def test_a_fault_of_the_generator_is_not_taken_for_a_refusal():
    def broken(rng):
        raise KeyError("no")

    with pytest.raises(KeyError):
        power.simulate(broken, MODEL, change, replicates=100, seed=1)


def test_dropout_keeps_its_shares_and_goes_with_the_score():
    design = replace(DESIGN, n=4000)
    flat = power.draw(design, seed=1).frame
    tilted = power.draw(design, seed=1, dropout_slope=1.0).frame
    for frame in (flat, tilted):
        assert (frame["visit"] == "after").sum() / 4000 == pytest.approx(0.8, abs=0.025)

    def gap(frame):
        kept = frame.groupby("subject")["visit"].count() == 2
        first = frame[frame["visit"] == "before"].set_index("subject")["score"]
        return first[~kept].mean() - first[kept].mean()

    assert abs(gap(flat)) < 0.12
    assert gap(tilted) > 0.5


def test_those_selected_lie_above_the_cut_off():
    cohort = power.draw(TWO, seed=1, selected_above=3.5)
    frame = cohort.frame
    assert frame[frame["visit"] == "baseline"]["score"].min() > 3.5
    assert set(frame["arm"]) == {"control", "help"}
    assert cohort.covariates == ("arm",)


def test_a_second_arm_that_is_selected_alike_guards_against_regression_to_the_mean():
    one = power.regression_to_the_mean_null(replace(DESIGN, n=80), above=3.3, replicates=400, seed=1)
    two = power.regression_to_the_mean_null(
        power.CohortDesign(
            {"a": (3.0, 2.8), "b": (3.0, 2.5)}, sd=0.9, correlation=0.5, visits=dict(DESIGN.visits), n=80
        ),
        above=3.3,
        replicates=400,
        seed=1,
    )
    for found, rejects in ((one, (0.9, 1.0)), (two, (0.02, 0.09))):
        frame = found.frame[found.frame["entered"] != "everyone"].set_index("measure")
        assert rejects[0] <= frame.loc["rejected", "estimate"] <= rejects[1]
        off = frame.loc["mean change", "estimate"] - frame.loc["expected change", "estimate"]
        assert abs(off) < 4 * frame.loc["mean change", "std_error"]


def test_performance_of_numbers_made_by_hand():
    e, s = np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 2.0])
    hits = np.array([True, False, True])
    found = performance(e, s, hits, ~hits, truth=1.5, null=0.0)
    assert found["power"][0] == pytest.approx(2 / 3)
    assert found["coverage"][0] == pytest.approx(1 / 3)
    assert found["bias"][:2] == pytest.approx((0.5, 1 / np.sqrt(3)))
    ratio = np.sqrt(2.0)
    relative = np.sqrt(2.0 / (4 * 3 * 4.0) + 1 / 4)
    assert found["standard error / SD of estimates"][:2] == pytest.approx((ratio, ratio * relative))
    assert share(0, 100)[1] > 0


def test_the_numbers_show_themselves_and_nothing_is_hidden():
    shown = str(power.simulate(replace(DESIGN, n=12), replicates=200, seed=1, df="residual")._tables()[0])
    assert "By simulation" in shown
    assert all(word in shown for word in ("after − before", "power", "coverage"))
    assert "withheld" not in shown
