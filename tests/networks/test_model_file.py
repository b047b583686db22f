# SPDX-License-Identifier: GPL-3.0-or-later
import json
import os
import stat
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from safetensors.numpy import save

from hspy_ml.networks import model_file
from hspy_ml.networks.model_card import FORMAT_VERSION, ModelCard
from hspy_ml.networks.model_file import (
    StoredModel,
    load_model,
    model_info,
    save_model,
)

CARD = ModelCard(
    task="quantification",
    architecture="dilated convolutions",
    hyperparameters={"channels": 24, "kernel": 5, "dilations": (1, 2, 4)},
    conditions={
        "elements": ("Al", "Ti", "V", "Fe"),
        "energy_axis": {"offset_keV": -0.2, "scale_keV": 0.01, "size": 2048},
        "beam_energy_keV": np.float32(200),
        "tilt": None,
    },
    training={"n_steps": 2000, "simulated": True},
    scores={"rmse_atomic_percent": np.array([8.1, 2.6])},
)
MODEL = StoredModel(
    CARD, {"weight": np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.array(7)}
)


@pytest.fixture
def path(tmp_path):
    save_model(tmp_path / "model.safetensors", MODEL)
    return tmp_path / "model.safetensors"


def assert_same(first, second):
    assert first.card == second.card
    assert first.weights.keys() == second.weights.keys()
    for name, weight in first.weights.items():
        assert second.weights[name].dtype == weight.dtype
        np.testing.assert_array_equal(second.weights[name], weight, strict=True)


numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
parts = st.dictionaries(st.text(max_size=8), plain, max_size=4)
cards = st.builds(
    ModelCard,
    task=st.text(min_size=1),
    architecture=st.text(min_size=1),
    hyperparameters=parts,
    conditions=parts,
    training=parts,
    scores=parts,
)
kinds = (
    npst.floating_dtypes(sizes=(16, 32, 64), endianness="?")
    | npst.integer_dtypes(endianness="?")
    | npst.unsigned_integer_dtypes(endianness="?")
    | npst.boolean_dtypes()
)
arrays = kinds.flatmap(
    lambda kind: npst.arrays(
        kind,
        npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        elements={"allow_nan": False, "allow_infinity": False}
        if kind.kind == "f"
        else None,
    )
)
weights = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=6), arrays, min_size=1, max_size=4
)


@given(card=cards, weights=weights)
def test_round_trip(tmp_path_factory, card, weights):
    path = tmp_path_factory.getbasetemp() / "round_trip.safetensors"
    stored = StoredModel(card, weights)
    save_model(path, stored, overwrite=True)
    assert_same(load_model(path), stored)
    assert model_info(path) == card


def test_layout_in_memory_does_not_matter(tmp_path):
    array = np.arange(24, dtype=">f4").reshape(2, 3, 4)
    views = {"T": array.T, "step": array[:, ::2], "F": np.asfortranarray(array)}
    save_model(tmp_path / "m.safetensors", StoredModel(CARD, views))
    loaded = load_model(tmp_path / "m.safetensors").weights
    for name, view in views.items():
        np.testing.assert_array_equal(loaded[name], view)
        assert loaded[name].dtype == np.float32
        assert loaded[name].flags.writeable


def test_what_was_stored_does_not_change_with_the_caller_s_array():
    array = np.ones(3)
    stored = StoredModel(CARD, {"weight": array})
    array[:] = 5
    assert stored.weights["weight"].tolist() == [1, 1, 1]


def test_the_card_is_readable():
    text = str(CARD)
    for shown in (
        "Model for quantification, made by hspy_ml",
        "dilations: 1, 2, 4",
        "  elements: Al, Ti, V, Fe",
        "  energy axis:\n    offset keV: -0.2",
        "  rmse atomic percent: 8.1, 2.6",
    ):
        assert shown in text
    long = replace(CARD, scores={}, training={"loss": list(range(100))})
    assert "10, 11, ... (100 in all)" in str(long)
    assert "scores on spectra it had not seen:\n  (not given)" in str(long)


def test_info_does_not_read_the_weights(path, monkeypatch):
    monkeypatch.delattr(model_file.TensorFile, "read_weights")
    assert model_info(path) == CARD
    with pytest.raises(AttributeError):
        load_model(path)


def test_other_programs_can_read_it(path):
    from safetensors.numpy import load_file

    np.testing.assert_array_equal(load_file(path)["weight"], MODEL.weights["weight"])


def test_the_task_is_checked(path):
    assert load_model(path, task="quantification").card == CARD
    with pytest.raises(ValueError, match="is a model for quantification, not for cl"):
        load_model(path, task="classification")


# cards and weights that cannot be


@pytest.mark.parametrize(
    ("part", "value", "error", "message"),
    [
        ("task", "", ValueError, "empty"),
        ("task", 3, TypeError, "give text"),
        ("architecture", None, TypeError, "give text"),
        ("conditions", [1], TypeError, "give a dictionary"),
        ("conditions", {"a": {3: 1}}, TypeError, "key 3; give text"),
        ("scores", {"a": [1.0, np.nan]}, ValueError, "finite number, or None"),
        ("scores", {"a": np.inf}, ValueError, "finite number, or None"),
        ("training", {"a": object()}, TypeError, "give text, numbers"),
        ("training", {"a": 1j}, TypeError, "give text, numbers"),
        ("format_version", "1", TypeError, "whole number"),
        ("format_version", True, TypeError, "whole number"),
    ],
)
def test_cards_that_cannot_be(part, value, error, message):
    with pytest.raises(error, match=f"`{part}.*{message}"):
        replace(CARD, **{part: value})


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ({}, ValueError, "are empty"),
        ({"a": np.array([1, np.nan])}, ValueError, "not finite"),
        ({"a": np.array([1, -np.inf], dtype=np.float16)}, ValueError, "not finite"),
        ({"a": np.array([1j])}, TypeError, "real numbers"),
        ({"a": np.array([None])}, TypeError, "real numbers"),
        ({"a": np.array(["b"])}, TypeError, "real numbers"),
        ({"__metadata__": np.ones(2)}, ValueError, "another one"),
        ({3: np.ones(2)}, ValueError, "another one"),
    ],
)
def test_weights_that_cannot_be(weights, error, message):
    with pytest.raises(error, match=f"`weights.*{message}"):
        StoredModel(CARD, weights)


# saving


def test_a_file_is_replaced_only_if_told(path):
    other = StoredModel(replace(CARD, architecture="other"), MODEL.weights)
    with pytest.raises(FileExistsError, match="`overwrite=True`"):
        save_model(path, other)
    assert_same(load_model(path), MODEL)
    save_model(path, other, overwrite=True)
    assert_same(load_model(path), other)


def test_places_that_cannot_be_written(tmp_path):
    for name in ("model", "model.pt", "model.safetensors.bak"):
        with pytest.raises(ValueError, match="ends in '.safetensors'"):
            save_model(tmp_path / name, MODEL)
    with pytest.raises(FileNotFoundError, match="make it first"):
        save_model(tmp_path / "missing" / "model.safetensors", MODEL)
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(IsADirectoryError, match="a folder"):
        save_model(tmp_path / "folder.safetensors", MODEL, overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder.safetensors"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "disk full"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_old_file(path, monkeypatch, call, error):
    def fails(*_):
        raise error

    monkeypatch.setattr(f"hspy_ml.networks.atomic_file.os.{call}", fails)
    other = StoredModel(replace(CARD, architecture="other"), MODEL.weights)
    with pytest.raises(type(error)):
        save_model(path, other, overwrite=True)
    assert_same(load_model(path), MODEL)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_model_is_as_readable_as_any_file(path):
    beside = path.with_name("beside")
    beside.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(beside.stat().st_mode)


def test_a_card_too_long_for_a_header(tmp_path, monkeypatch):
    monkeypatch.setattr(model_file, "MAX_HEADER_BYTES", 2000)
    card = replace(CARD, training={"loss": list(range(1000))})
    with pytest.raises(ValueError, match="Shorten the card"):
        save_model(tmp_path / "m.safetensors", StoredModel(card, MODEL.weights))
    assert not list(tmp_path.iterdir())


# files whose card is not ours


def write_with_card(path, text):
    path.write_bytes(save(dict(MODEL.weights), {"hspy_ml": text}))


def test_another_project_s_file(path):
    path.write_bytes(save(dict(MODEL.weights), {"format": "pt"}))
    for read in (load_model, model_info):
        with pytest.raises(ValueError, match="of another project"):
            read(path)
    path.write_bytes(save(dict(MODEL.weights)))
    with pytest.raises(ValueError, match="of another project"):
        load_model(path)


def altered(**parts):
    return json.dumps(json.loads(CARD.to_json()) | parts)


def lacking(name):
    content = json.loads(CARD.to_json())
    del content[name]
    return json.dumps(content)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[1]", "no JSON object"),
        (lacking("task"), "lacks task"),
        (lacking("scores"), "lacks scores"),
        (lacking("format_version"), "format_version is None"),
        (altered(format_version="1"), "format_version is '1'"),
        (altered(format_version=True), "format_version is True"),
        (altered(task=None), "`task` is None"),
        (altered(conditions=[]), r"`conditions` is \[\]"),
        (altered(scores={"rmse": float("nan")}), "finite number"),
        ('{"format_version": 1e999}', "format_version is inf"),
    ],
)
def test_cards_that_are_wrong(path, text, message):
    write_with_card(path, text)
    for read in (load_model, model_info):
        with pytest.raises(ValueError, match=f"is damaged: the card.*{message}"):
            read(path)


def test_a_newer_format_says_what_to_do(path):
    newer = {"format_version": FORMAT_VERSION + 1, "only": "what we cannot know"}
    write_with_card(path, json.dumps(newer))
    with pytest.raises(ValueError, match="its format is 2.*update hspy_ml"):
        load_model(path)


def test_weights_that_are_not_finite(path):
    bad = {"weight": np.array([1, np.nan], dtype=np.float32)}
    path.write_bytes(save(bad, {"hspy_ml": CARD.to_json()}))
    with pytest.raises(ValueError, match="cannot be used.*not finite"):
        load_model(path)
    assert model_info(path) == CARD
