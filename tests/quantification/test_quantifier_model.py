# SPDX-License-Identifier: GPL-3.0-or-later
"""Models in files: the same answers, and nothing else is taken for one."""

import pickle
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from hspy_ml.networks.model_file import StoredModel, model_info, save_model
from hspy_ml.networks.model_file import load_model as load_stored
from hspy_ml.quantification.network_reading import posterior_of, read_spectra
from hspy_ml.quantification.quantifier_model import QuantifierModel, load_model


@pytest.fixture
def path(model, tmp_path):
    model.save(tmp_path / "alloy.safetensors")
    return tmp_path / "alloy.safetensors"


def changed(model, **parts):
    """The stored model with another card."""
    stored = model.to_stored()
    return StoredModel(replace(stored.card, **parts), stored.weights)


def answers(model, bank):
    spectra, moments, *_ = bank.draw(23, 11)
    readings = read_spectra(model.network, [spectra], 1)
    return (
        *posterior_of(model.network, readings.seen)(moments),
        readings.shares,
        readings.surprise,
    )


def test_a_loaded_model_gives_identical_answers(model, bank, path):
    loaded = load_model(path)
    for one, other in zip(answers(model, bank), answers(loaded, bank), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not loaded.network.training


def test_a_loaded_model_is_the_same(model, path):
    loaded = load_model(path)
    assert loaded.conditions == model.conditions
    assert loaded.card == model.card
    assert loaded.elements == ("Al", "Ti", "Fe")
    for name, weight in model.network.state_dict().items():
        assert weight.equal(loaded.network.state_dict()[name]), name


def test_the_card_says_for_what_it_is_and_how_good(model, path):
    for text in (model.info(), str(model_info(path)), repr(model)):
        for word in ("quantification", "Al, Ti, Fe", "EDS_TEM", "rms error", "seconds"):
            assert word in text
    assert repr(model).startswith("QuantifierModel for Al, Ti, Fe")


def test_a_file_is_replaced_only_on_request(model, path):
    with pytest.raises(OSError):
        model.save(path)
    model.save(path, overwrite=True)
    assert load_model(path).card == model.card


@pytest.mark.parametrize("name", ["model.pkl", "model"])
def test_another_ending_is_refused(model, tmp_path, name):
    with pytest.raises(ValueError, match="safetensors"):
        model.save(tmp_path / name)


def test_models_for_something_else_are_refused(model):
    for parts in ({"task": "denoising"}, {"architecture": "transformer"}):
        stored = changed(model, **parts)
        with pytest.raises(ValueError, match="train_quantifier") as error:
            QuantifierModel.from_stored(stored)
        assert next(iter(parts.values())) in str(error.value)


def test_a_file_for_something_else_is_refused_by_its_name(model, tmp_path):
    path = tmp_path / "other.safetensors"
    save_model(path, changed(model, task="denoising"))
    with pytest.raises(ValueError, match="denoising") as error:
        load_model(path)
    assert str(path) in str(error.value)


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize("name", ["n_bins", "n_columns", "n_elements", "n_free"])
@pytest.mark.parametrize("value", [0, 2, -1, "many", None, 2**40, 7.5])
def test_sizes_that_do_not_fit_the_weights_are_refused(model, name, value):
    sizes = {**model.network.hyperparameters, name: value}
    with pytest.raises(ValueError):
        QuantifierModel.from_stored(changed(model, hyperparameters=sizes))


@pytest.mark.parametrize("name", ["n_bins", "n_columns", "n_elements", "n_free"])
def test_a_missing_size_is_refused(model, name):
    sizes = dict(model.network.hyperparameters)
    del sizes[name]
    with pytest.raises(ValueError, match="sizes in its card are wrong"):
        QuantifierModel.from_stored(changed(model, hyperparameters=sizes))


@pytest.mark.parametrize(
    ("part", "value", "size"),
    [
        ("elements", ["Al", "Ti"], "n_elements"),
        ("columns", ["Al K"], "n_columns"),
        ("measuring", [0], "n_free"),
        ("channels_per_bin", 1, "n_bins"),
        ("unnamed", [], "n_unnamed"),
    ],
)
def test_conditions_that_do_not_fit_the_network_are_refused(model, part, value, size):
    conditions = model.conditions.to_dict() | {part: value}
    with pytest.raises(ValueError, match=size):
        QuantifierModel.from_stored(changed(model, conditions=conditions))


def test_conditions_that_lack_a_part_are_refused(model, tmp_path):
    conditions = model.conditions.to_dict()
    del conditions["beam_energy_keV"]
    path = tmp_path / "lacking.safetensors"
    save_model(path, changed(model, conditions=conditions))
    with pytest.raises(ValueError, match="beam_energy_keV") as error:
        load_model(path)
    assert str(path) in str(error.value)


def test_weights_of_another_network_are_refused(model):
    stored = model.to_stored()
    weights = dict(stored.weights)
    weights["scores.weight"] = weights["scores.weight"][:, :-1]
    with pytest.raises(ValueError, match="scores.weight"):
        QuantifierModel.from_stored(StoredModel(stored.card, weights))
    del weights["scores.weight"]
    with pytest.raises(ValueError, match="scores.weight is missing"):
        QuantifierModel.from_stored(StoredModel(stored.card, weights))


def test_a_truncated_file_is_refused(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=path.name):
        load_model(path)


def test_a_pickle_is_refused_and_not_executed(path, tmp_path):
    target = tmp_path / "executed"

    class Malicious:
        def __reduce__(self):
            return (open, (str(target), "w"))

    path.write_bytes(pickle.dumps(Malicious()))
    with pytest.raises(ValueError, match=path.name):
        load_model(path)
    assert not target.exists()


def test_no_file_is_said(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "nothing.safetensors")


def test_a_stored_model_is_a_copy(model):
    stored = model.to_stored()
    own = QuantifierModel.from_stored(stored)
    own.network.shapes.zero_()
    assert model.network.shapes.any()
    assert stored.weights["shapes"].any()
    assert deepcopy(model).card == model.card


def test_weights_are_kept_as_they_are(model, path):
    for name, weight in load_stored(path).weights.items():
        np.testing.assert_array_equal(weight, model.to_stored().weights[name])
