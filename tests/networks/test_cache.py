# SPDX-License-Identifier: GPL-3.0-or-later
import logging
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from hspy_ml.networks.cache import (
    clear_models,
    find_models,
    models_folder,
    store_in_cache,
    trained_once,
)
from hspy_ml.networks.model_card import ModelCard
from hspy_ml.networks.model_file import StoredModel, load_model, save_model


def model(task="quantification", value=1.0):
    return StoredModel(
        ModelCard(task, "line", {"n": 3}, {"elements": ["Al"]}),
        {"w": np.full(3, value)},
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "several" / "folders"
    monkeypatch.setenv("HSPY_ML_MODELS", str(folder))
    return folder


def never():
    raise AssertionError("this should not have been called")


def test_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HSPY_ML_MODELS", str(tmp_path))
    assert models_folder() == tmp_path
    monkeypatch.setenv("HSPY_ML_MODELS", os.path.join("~", "models"))
    assert models_folder() == Path.home() / "models"
    monkeypatch.setenv("HSPY_ML_MODELS", " ")
    assert models_folder().parts[-2:] == ("hspy_ml", "models")


def test_an_empty_cache_makes_no_folder(folder):
    assert find_models() == []
    assert clear_models() == 0
    assert not folder.parent.exists()


def test_stored_models_are_found_the_newest_first(folder):
    for age, (name, task) in enumerate([("b", "q"), ("a", "q"), ("c", "other")]):
        path = store_in_cache(model(task), name)
        assert path == folder / f"{name}.safetensors"
        os.utime(path, (1000 - age, 1000 - age))
    assert [path.stem for path, _ in find_models()] == ["b", "a", "c"]
    assert [path.stem for path, _ in find_models("q")] == ["b", "a"]
    assert find_models("other")[0][1] == model("other").card
    assert find_models("nothing") == []


def test_files_that_cannot_be_read_are_left_out_and_left_alone(folder, caplog):
    good = store_in_cache(model(), "good")
    (folder / "bad.safetensors").write_bytes(good.read_bytes()[:-1])
    (folder / "notes.txt").write_text("mine")
    (folder / "folder.safetensors").mkdir()
    (folder / f".good.safetensors.{'0' * 32}.part").write_bytes(b"of a killed process")
    with caplog.at_level(logging.INFO, logger="hspy_ml"):
        assert [path for path, _ in find_models()] == [good]
    assert "bad.safetensors is truncated" in caplog.text
    assert clear_models() == 1
    left = {entry.name for entry in folder.iterdir()}
    assert left == {"bad.safetensors", "notes.txt", "folder.safetensors"}


def test_storing_again_replaces(folder):
    store_in_cache(model(value=1), "m")
    path = store_in_cache(model(value=2), "m")
    assert load_model(path).weights["w"].tolist() == [2, 2, 2]
    assert len(find_models()) == 1


@pytest.mark.parametrize("name", ["", ".hidden", "../up", "a/b", "a b", "x" * 121, 3])
def test_names_that_are_no_file_names(folder, name):
    for call in (
        lambda: store_in_cache(model(), name),
        lambda: trained_once(name, never, never),
    ):
        with pytest.raises(ValueError, match="`name` is .*give"):
            call()
    assert not folder.exists()


def found_in(folder, name):
    path = folder / f"{name}.safetensors"
    return load_model(path) if path.exists() else None


def test_trained_once_and_then_found(folder):
    made = model(value=4)
    assert trained_once("m", lambda: found_in(folder, "m"), lambda: made) is made
    again = trained_once("m", lambda: found_in(folder, "m"), never)
    assert again.weights["w"].tolist() == [4, 4, 4]


def test_what_is_there_needs_no_lock(folder):
    there = model()
    assert trained_once("m", lambda: there, never) is there
    assert not folder.exists()


def test_a_training_that_fails_leaves_nothing_and_no_lock(folder):
    for error in (RuntimeError("nan"), KeyboardInterrupt()):

        def fails(error=error):
            raise error

        with pytest.raises(type(error)):
            trained_once("m", lambda: None, fails)
    assert find_models() == []
    assert trained_once("m", lambda: None, model).card == model().card


def blocked_by_a_file(folder, monkeypatch):
    folder.parent.mkdir()
    folder.write_text("a file in the place of the folder")


def below_a_file(folder, monkeypatch):
    folder.parent.write_text("a file in the place of the folder above")


def full_disk(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hspy_ml.networks.atomic_file.os.fsync", full)


def read_only(folder, monkeypatch):
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write everywhere")


@pytest.mark.parametrize(
    "spoil", [blocked_by_a_file, below_a_file, full_disk, read_only]
)
def test_a_cache_that_cannot_be_written(folder, monkeypatch, spoil):
    spoil(folder, monkeypatch)
    made = model()
    with pytest.warns(UserWarning, match="not kept.*HSPY_ML_MODELS") as caught:
        assert trained_once("m", lambda: None, lambda: made) is made
    assert len(caught) == 1
    assert find_models() == []


_PROCESS = """
    import sys, time
    from pathlib import Path
    from hspy_ml.networks.cache import models_folder, trained_once
    from hspy_ml.networks.model_file import load_model, StoredModel
    from hspy_ml.networks.model_card import ModelCard

    def find():
        path = models_folder() / "shared.safetensors"
        return load_model(path) if path.exists() else None

    def make():
        import numpy as np
        import torch
        from toy_networks import Line, line_network, squared_error
        from hspy_ml.networks.training import TrainingPlan, train
        from hspy_ml.networks.weights import network_weights

        (here / f"{name}.training").touch()
        while not (here / "go").exists():
            time.sleep(0.01)
        network = line_network(seed=int(name))
        train(network, Line(), squared_error, TrainingPlan(n_steps=20))
        card = ModelCard("toy", "line", {}, {}, training={"process": name})
        return StoredModel(card, network_weights(network))

    here, name = Path(sys.argv[1]), sys.argv[2]
    (here / f"{name}.ready").touch()
    print(trained_once("shared", find, make).card.training["process"])
"""


def process(tmp_path, name):
    tests, source = Path(__file__).parent, Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_PROCESS), str(tmp_path), name],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(tests), str(source)]),
            "OMP_NUM_THREADS": "1",
        },
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "the other process does not come"
        time.sleep(0.01)


def test_of_two_processes_one_trains_and_both_have_its_model(folder, tmp_path):
    processes = {name: process(tmp_path, name) for name in "12"}
    wait_for(lambda: len(list(tmp_path.glob("*.ready"))) == 2)
    wait_for(lambda: list(tmp_path.glob("*.training")))
    time.sleep(0.5)  # the other one comes to the lock
    (tmp_path / "go").touch()
    said = {name: p.communicate(timeout=60)[0].strip() for name, p in processes.items()}
    assert all(p.returncode == 0 for p in processes.values())
    (trained,) = tmp_path.glob("*.training")
    assert set(said.values()) == {trained.stem}


def test_a_killed_process_does_not_hold_the_others_up(folder, tmp_path):
    killed = process(tmp_path, "1")
    wait_for((tmp_path / "1.training").exists)
    killed.kill()
    killed.communicate(timeout=60)
    made = model()
    assert trained_once("shared", lambda: None, lambda: made) is made


def test_looking_for_models_is_light(folder):
    heavy = ["torch", "safetensors", "platformdirs", "filelock", "hyperspy", "numba"]
    code = (
        "import sys; from hspy_ml.networks import cache, model_file, plan;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_models_of_the_user_in_the_folder_are_found(folder):
    folder.mkdir(parents=True)
    save_model(folder / "from a colleague.safetensors", model())
    assert len(find_models("quantification")) == 1
