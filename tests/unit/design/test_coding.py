"""Our columns against formulaic's: same span everywhere, same columns where both code by treatment."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from burnout_stats.design import parse
from burnout_stats.design.coding import CODINGS
from burnout_stats.design.encode import Variable, encoder

LEVELS = {"a": ("a1", "a2", "a3"), "b": ("b1", "b2"), "c": ("c1", "c2", "c3")}
RNG = np.random.default_rng(3)
FRAME = pd.DataFrame(
    {name: pd.Categorical(RNG.choice(levels, 80), categories=levels) for name, levels in LEVELS.items()}
    | {"x": RNG.normal(size=80), "z": RNG.normal(size=80)}
)
VARIABLES = {name: Variable(name, levels) for name, levels in LEVELS.items()} | {
    name: Variable(name, mean=FRAME[name].mean(), sd=FRAME[name].std()) for name in ("x", "z")
}


def ours(text):
    formula = parse(f"y ~ {text}")
    made = encoder(formula, {name: VARIABLES[name] for name in formula.variables})
    values = {
        name: FRAME[name].cat.codes.to_numpy() if name in LEVELS else FRAME[name].to_numpy()
        for name in formula.variables
    }
    return made, made.columns(values, len(FRAME))


FORMULAS = [
    "1",
    "a",
    "0 + a",
    "a + b",
    "0 + a + b",
    "a * b",
    "a:b",
    "0 + a:b",
    "a + a:b",
    "b + a:b",
    "0 + a + a:b",
    "x",
    "a * x",
    "a:x",
    "0 + a:x",
    "x + a:x",
    "a + a:x",
    "a * b * x",
    "a * b * c",
    "a:b:c",
    "a + b:c",
    "a:b + b:c",
    "x:z",
    "x * z + a:x:z",
    "0 + x + b:x",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_same_model_as_formulaic(text):
    from formulaic import model_matrix

    reference = np.asarray(model_matrix(text, FRAME), dtype=float)
    _, X = ours(text)
    rank = np.linalg.matrix_rank(reference)
    assert X.shape[1] == rank == np.linalg.matrix_rank(X), "full rank, and as many columns as the model has dimensions"
    assert np.linalg.matrix_rank(np.hstack([X, reference])) == rank, "the same span"


@pytest.mark.parametrize("text", ["a", "a + b", "a * b", "a * x", "0 + a", "x + z", "a + x"])
def test_same_columns_as_formulaic(text):
    from formulaic import model_matrix

    reference = np.asarray(model_matrix(text, FRAME), dtype=float)
    _, X = ours(text)
    assert {tuple(np.round(c, 12)) for c in X.T} == {tuple(np.round(c, 12)) for c in reference.T}


def test_names_are_readable():
    assert ours("a * b")[0].names == ("Intercept", "a[a2]", "a[a3]", "b[b2]", "a[a2]:b[b2]", "a[a3]:b[b2]")
    assert ours("0 + a:x")[0].names == ("a[a1]:x", "a[a2]:x", "a[a3]:x")
    assert ours('coded(a, "sum")')[0].names == ("Intercept", "a[sum: a1]", "a[sum: a2]")


def test_each_name_belongs_to_the_column_of_that_name():
    made, X = ours("a * b")
    for name, column in zip(made.names[1:], X.T[1:], strict=True):
        wanted = np.ones(len(FRAME))
        for part in name.split(":"):
            variable, level = part.rstrip("]").split("[")
            wanted = wanted * (FRAME[variable] == level).to_numpy()
        np.testing.assert_array_equal(column, wanted)


@pytest.mark.parametrize("text", FORMULAS)
def test_the_constant_is_what_it_says(text):
    made, X = ours(text)
    if made.constant.any():
        np.testing.assert_allclose(X @ made.constant, 1.0)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("k", [2, 3, 5])
def test_codings_span_all_differences(coding, k):
    matrix = CODINGS[coding](k, np.arange(k) ** 1.5)
    assert matrix.shape == (k, k - 1)
    assert np.linalg.matrix_rank(np.column_stack([np.ones(k), matrix])) == k
    if coding != "treatment":
        np.testing.assert_allclose(matrix.sum(0), 0, atol=1e-12)


def test_sequential_coefficients_are_successive_differences():
    means = np.array([3.0, 2.5, 2.4, 2.9])
    X = np.column_stack([np.ones(4), CODINGS["sequential"](4, np.arange(4.0))])
    np.testing.assert_allclose(np.linalg.solve(X, means), [means.mean(), -0.5, -0.1, 0.5])


def test_polynomial_uses_the_true_times():
    linear = CODINGS["polynomial"](3, np.array([0.0, 1.0, 3.0]))[:, 0]
    np.testing.assert_allclose(np.diff(linear)[1] / np.diff(linear)[0], 2.0)
    assert linear[0] < linear[1] < linear[2]


def test_transforms():
    _, X = ours("center(x) + standardize(z) + power(x, 2) + per(z, 10)")
    np.testing.assert_allclose(X[:, 1], FRAME["x"] - FRAME["x"].mean())
    np.testing.assert_allclose(X[:, 2], (FRAME["z"] - FRAME["z"].mean()) / FRAME["z"].std())
    np.testing.assert_allclose(X[:, 3], FRAME["x"] ** 2)
    np.testing.assert_allclose(X[:, 4], FRAME["z"] / 10)
