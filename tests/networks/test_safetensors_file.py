# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are no models, or no longer."""

import json
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from hspy_ml.networks.model_card import ModelCard
from hspy_ml.networks.model_file import (
    StoredModel,
    load_model,
    model_info,
    save_model,
)

CARD = ModelCard("quantification", "line", {"n": 3}, {"elements": ["Al"]})
WEIGHTS = {"weight": np.arange(6, dtype=np.float32).reshape(2, 3), "bias": np.ones(4)}
GOOD = save(WEIGHTS, {"hspy_ml": CARD.to_json()})


class Malicious:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def refused(path, message):
    for read in (load_model, model_info):
        with pytest.raises(ValueError, match=message):
            read(path)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_malicious_pickle_is_not_executed(tmp_path, protocol):
    trace, path = tmp_path / "trace", tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(Malicious(trace), protocol=protocol))
    refused(path, "not a safetensors file.*was not opened.*can hold code")
    if protocol >= 2:
        refused(path, "looks like a pickle")
    assert not trace.exists()
    pickle.loads(path.read_bytes()).close()  # it is malicious indeed
    assert trace.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_a_malicious_file_of_torch_is_not_executed(tmp_path, zipped):
    trace, path = tmp_path / "trace", tmp_path / "model.safetensors"
    torch.save(Malicious(trace), path, _use_new_zipfile_serialization=zipped)
    refused(path, "looks like a zip archive" if zipped else "looks like a pickle")
    assert not trace.exists()


def test_a_pickle_in_the_card_is_text(tmp_path):
    trace, path = tmp_path / "trace", tmp_path / "model.safetensors"
    code = pickle.dumps(Malicious(trace), protocol=0).decode()
    save_model(path, StoredModel(ModelCard("a", "b", {"code": code}, {}), WEIGHTS))
    assert load_model(path).card.hyperparameters["code"] == code
    assert not trace.exists()


def hdf5(path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file["weight"] = np.ones(3)


def npz(path):
    with open(path, "wb") as file:
        np.savez(file, weight=np.ones(3))


def npy(path):
    with open(path, "wb") as file:
        np.save(file, np.ones(3))


def archive(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("weight", "1")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (hdf5, "HDF5"),
        (npz, "zip archive"),
        (npy, "NumPy array"),
        (archive, "zip archive"),
        (lambda path: path.write_text("<!DOCTYPE html><html>"), "web page"),
        (
            lambda path: path.write_text("version https://git-lfs.github.com/spec/v1"),
            "Git LFS",
        ),
        (lambda path: path.write_bytes(b""), "it is empty"),
        (lambda path: path.write_bytes(b"ab"), "begins with b'ab'"),
        (lambda path: path.write_text("{'a': 1, 'b': 2}"), "begins with"),
    ],
)
def test_other_files_renamed(tmp_path, write, message):
    path = tmp_path / "model.safetensors"
    write(path)
    refused(path, f"not a safetensors file: .*{message}")


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file.*train one"):
        load_model(tmp_path / "model.safetensors")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        load_model(tmp_path)


def test_a_file_cut_anywhere_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(GOOD)
    assert load_model(path).card == CARD
    for length in range(len(GOOD)):
        path.write_bytes(GOOD[:length])
        refused(path, "is truncated" if length > 8 else "not a safetensors file")


def test_a_header_of_a_length_that_a_pickle_begins_with(tmp_path):
    # 640 = 0x0280, in bytes 80 02, as a pickle of protocol 2 begins
    path = tmp_path / "model.safetensors"
    short = ModelCard("a", "b", {"text": ""}, {})
    rest = 640 - int.from_bytes(
        save(WEIGHTS, {"hspy_ml": short.to_json()})[:8], "little"
    )
    card = ModelCard("a", "b", {"text": "x" * rest}, {})
    save_model(path, StoredModel(card, WEIGHTS))
    assert path.read_bytes()[:2] == b"\x80\x02"
    assert load_model(path).card == card


@pytest.mark.parametrize("length", [0, 1, 2**25, 2**40, 2**64 - 1])
def test_a_wrong_length_of_the_header_takes_no_memory(tmp_path, length):
    path = tmp_path / "model.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + GOOD[8:])
    tracemalloc.start()
    refused(path, "header claims to have")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def with_header(header: bytes, data: bytes = bytes(64)) -> bytes:
    return len(header).to_bytes(8, "little") + header + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8), metadata=None):
    ours = {"hspy_ml": CARD.to_json()}
    tensor = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
    return json.dumps({"__metadata__": metadata or ours, "w": tensor}).encode()


@pytest.mark.parametrize(
    ("header", "data", "message"),
    [
        (b"{" * 50, 64, "header is no JSON"),
        (b'{"a":' * 5000 + b"}" * 5000, 64, "header is no JSON"),
        (b'{"\xff": 1}', 64, "header is no JSON"),
        (b'{"w": 3}', 64, "where its arrays are"),
        (b'{"w": {"data_offsets": [0]}}', 64, "where its arrays are"),
        (b'{"w": {"data_offsets": [0, 1e999]}}', 64, "where its arrays are"),
        (b'{"__metadata__": 5}', 64, "metadata of its header"),
        (entry(metadata={"hspy_ml": 5}), 64, "metadata of its header"),
        (entry(offsets=(0, 2**62), shape=(2**60,)), 8, "is truncated"),
        (entry(), 8 + 1, "arrays cannot be read"),
        (entry(shape=(3,)), 8, "arrays cannot be read"),
        (entry(offsets=(-8, 0)), 8, "arrays cannot be read"),
        (entry(dtype="BF16", shape=(4,)), 8, "arrays cannot be read"),
        (entry(dtype="X9"), 8, "arrays cannot be read"),
        (entry(shape=(2**40, 2**40)), 8, "arrays cannot be read"),
        (entry(dtype="C64", shape=(1,)), 8, "real numbers"),
    ],
)
def test_headers_that_contradict_themselves(tmp_path, header, data, message):
    path = tmp_path / "model.safetensors"
    path.write_bytes(with_header(header, bytes(data)))
    with pytest.raises(ValueError, match=message):
        load_model(path)


@given(place=st.integers(0, len(GOOD) - 1), value=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_harmless(tmp_path_factory, place, value):
    path = tmp_path_factory.getbasetemp() / "changed.safetensors"
    changed = bytearray(GOOD)
    changed[place] = value
    path.write_bytes(changed)
    try:
        loaded = load_model(path)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert all(np.isfinite(w).all() for w in loaded.weights.values())
