# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores by their formulas; regressors kept in files."""

import numpy as np
import pytest

from hspy_ml.networks.model_card import ModelCard
from hspy_ml.networks.model_file import StoredModel, save_model
from hspy_ml.sampling.features import FEATURES, products
from hspy_ml.sampling.regressor import Regressor, default_regressor
from hspy_ml.sampling.regressor_kernels import score_features


def features(n=20):
    return np.random.default_rng(0).random((n, len(FEATURES))).astype(np.float32)


def scores(regressor, rows):
    hidden = np.empty(regressor.coefficients.bias_1.size, np.float32)
    return [score_features(row, regressor.coefficients, hidden) for row in rows]


def network(n_1=5, n_2=3):
    rng = np.random.default_rng(1)
    return {
        "weights_1": rng.normal(size=(len(FEATURES), n_1)),
        "bias_1": rng.normal(size=n_1),
        "weights_2": rng.normal(size=(n_2, n_1)),
        "bias_2": rng.normal(size=n_2),
        "weights_3": rng.normal(size=n_2),
    }


def test_the_rule_is_disagreement_times_the_square_of_the_distance():
    rows = features()
    np.testing.assert_allclose(
        scores(Regressor.from_rule(), rows), rows[:, 0] * rows[:, 2] ** 2, rtol=1e-6
    )


def test_the_regression_is_linear_in_the_products():
    rows, theta = features(), np.random.default_rng(2).normal(size=28)
    np.testing.assert_allclose(
        scores(Regressor.from_theta(theta), rows), products(rows) @ theta, rtol=1e-4
    )


def test_the_network_has_two_layers_of_rectified_units():
    rows, layers = features(), network()
    first = np.maximum(rows @ layers["weights_1"] + layers["bias_1"], 0)
    second = np.maximum(first @ layers["weights_2"].T + layers["bias_2"], 0)
    np.testing.assert_allclose(
        scores(Regressor.from_network(**layers), rows),
        second @ layers["weights_3"],
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    "regressor",
    [
        Regressor.from_rule(),
        Regressor.from_theta(np.arange(28.0), 7, c=8.0),
        Regressor.from_network(5, {"n_images": 3}, **network()),
        default_regressor(),
    ],
)
def test_a_regressor_comes_back_from_its_file(tmp_path, regressor):
    regressor.save(tmp_path / "r.safetensors")
    loaded = Regressor.load(tmp_path / "r.safetensors")
    assert loaded.n_neighbours == regressor.n_neighbours
    assert loaded.training == regressor.training
    for one, other in zip(loaded.coefficients, regressor.coefficients, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_default_says_how_it_was_trained():
    assert default_regressor().training["n_images"] > 10


def test_files_for_something_else_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    weights = {"rule": np.ones(1)}
    for task, architecture in (("quantification", "x"), ("dynamic sampling", "x")):
        card = ModelCard(task, architecture, {"n_neighbours": 5}, {"features": ["d"]})
        save_model(path, StoredModel(card, weights), overwrite=True)
        with pytest.raises(ValueError, match="quantification|other features"):
            Regressor.load(path)


def test_a_theta_of_another_length_is_refused():
    with pytest.raises(ValueError, match="`theta`.*28"):
        Regressor.from_theta(np.ones(22))
