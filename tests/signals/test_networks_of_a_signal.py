# SPDX-License-Identifier: GPL-3.0-or-later
"""Which network a signal is quantified by: found, trained, given or refused."""

import os
import pickle
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from small_training import STEPS, alloy_image, by_network, values

from hspy_ml.networks.cache import find_models
from hspy_ml.networks.model_card import ModelCard
from hspy_ml.networks.model_file import StoredModel, save_model
from hspy_ml.quantification.quantifier_model import load_model
from hspy_ml.signals.quantification import network_plan

pytestmark = pytest.mark.usefixtures("own_cache")

MALICE = "malice was here"


@pytest.fixture(scope="module")
def _image():
    return alloy_image()


@pytest.fixture
def image(_image):
    return _image.deepcopy()


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    folder = tmp_path / "empty"
    monkeypatch.setenv("HSPY_ML_MODELS", str(folder))
    return folder


@pytest.fixture
def no_training(monkeypatch):
    def train(*arguments):
        raise AssertionError("it trains")

    monkeypatch.setattr(network_plan, "train_for", train)


# --- found or trained --------------------------------------------------------------


def test_what_was_trained_is_found_by_the_next_call(image, empty_cache, monkeypatch):
    first = by_network(image)
    assert first.notes[0].startswith("The network was trained for this signal in")
    (path,) = empty_cache.glob("*.safetensors")
    assert path.name.startswith("quantifier-Al-Ti-")
    monkeypatch.setattr(network_plan, "train_for", None)
    second = by_network(image)
    assert second.notes[0] == "The network is from the cache."
    np.testing.assert_array_equal(values(second), values(first))
    assert second.settings["model"]["steps"] == STEPS


def test_a_seed_repeats_exactly_and_another_is_trained_anew(
    image, empty_cache, tmp_path, monkeypatch
):
    one = by_network(image, random_state=7)
    other = by_network(image, random_state=8)
    assert len(find_models()) == 2
    assert np.abs(values(one) - values(other)).max() > 0.1
    np.testing.assert_array_equal(
        values(by_network(image, random_state=7)), values(one)
    )
    monkeypatch.setenv("HSPY_ML_MODELS", str(tmp_path / "another"))
    again = by_network(image, random_state=7)
    assert "was trained" in again.notes[0]
    np.testing.assert_array_equal(values(again), values(one))


@pytest.mark.usefixtures("no_training")
def test_other_images_of_the_same_kind_take_the_same_network(image):
    for other in (alloy_image((5, 6), 60.0, random_state=9), image.inav[:8], image):
        assert by_network(other).notes[0] == "The network is from the cache."
    image.axes_manager[-1].offset += 0.001  # 1 eV
    by_network(image)
    image.set_elements(["Ti", "Al"])
    assert by_network(image, elements=["Ti", "Al"]).elements == ("Ti", "Al")


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.set_microscope_parameters(beam_energy=25.0),
        lambda s: s.set_microscope_parameters(elevation_angle=35.0),
        lambda s: s.set_elements(["Al", "Ti", "V"]),
        lambda s: setattr(s.axes_manager[-1], "offset", 0.05),
    ],
    ids=["beam energy", "take-off angle", "elements", "axis"],
)
def test_what_does_not_fit_is_not_taken(image, change):
    change(image)
    with pytest.raises(AssertionError, match="it trains"):
        by_network(image, refine_energy_scale=False)


def test_a_damaged_cache_is_no_obstacle(image, own_cache):
    (path,) = own_cache.glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-100])
    (own_cache / "mine.safetensors").write_text("nothing")
    assert "was trained" in by_network(image).notes[0]
    assert by_network(image).notes[0] == "The network is from the cache."


def test_a_cache_that_cannot_be_written_is_told_and_the_answer_given(
    image, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("HSPY_ML_MODELS", str(tmp_path / "file" / "models"))
    with pytest.warns(UserWarning, match="cannot be written.*HSPY_ML_MODELS"):
        result = by_network(image)
    assert np.isfinite(values(result)).all()


@contextmanager
def _interrupted(show_progressbar, n_steps):
    def update(step):
        if step == 5:
            raise KeyboardInterrupt

    yield update


def test_an_interrupted_training_goes_on_at_the_next_call(
    image, empty_cache, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(network_plan, "steps_bar", _interrupted)
        with pytest.raises(KeyboardInterrupt, match=f"after 5 of {STEPS} steps"):
            by_network(image)
    (begun,) = empty_cache.glob("*-begun.safetensors")
    assert load_model(begun).training["interrupted"]
    result = by_network(image)
    assert "was trained" in result.notes[0]
    assert result.settings["model"]["started_from"]["steps"] == 5
    assert by_network(image).notes[0] == "The network is from the cache."


TWO_AT_ONCE = """
import sys
from small_training import alloy_image, by_network, make_training_short
import pytest
make_training_short(pytest.MonkeyPatch())
s = alloy_image((5, 6))
print("ready", flush=True)
sys.stdin.readline()
result = by_network(s)
print(result.notes[0])
print(float(result["Al"].data.sum()))
"""


def test_of_two_processes_at_once_one_trains(empty_cache):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-W", "ignore", "-c", TWO_AT_ONCE]
    both = [
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    notes, sums = zip(
        *(process.communicate(timeout=60)[0].splitlines() for process in both),
        strict=True,
    )
    assert sum("was trained" in note for note in notes) == 1
    assert sum("from the cache" in note for note in notes) == 1
    assert float(sums[0]) == pytest.approx(float(sums[1]), abs=1e-6)
    assert len(list(empty_cache.glob("*.safetensors"))) == 1


# --- given -------------------------------------------------------------------------


@pytest.mark.usefixtures("no_training", "empty_cache")
def test_a_model_is_given_as_file_or_object(image, good_network):
    by_path = by_network(image, model=good_network)
    assert by_path.notes[0] == "The network was given."
    by_text = by_network(image, model=str(good_network))
    loaded = by_network(image, model=load_model(good_network))
    for other in (by_text, loaded):
        np.testing.assert_array_equal(values(other), values(by_path))


def change_axis(s):
    s.axes_manager[-1].scale = 0.0205


REFUSED = {
    "beam energy": (
        lambda s: s.set_microscope_parameters(beam_energy=25.0),
        "beam energy is 20 keV and the signal's 25 keV",
    ),
    "angle": (
        lambda s: s.set_microscope_parameters(elevation_angle=35.0),
        r"take-off angle is 22 degrees and the signal's 35",
    ),
    "elements": (
        lambda s: s.set_elements(["Al", "Ti", "V"]),
        "knows the elements Al, Ti and the signal has Al, Ti, V",
    ),
    "fewer elements": (
        lambda s: s.set_elements(["Ti"]),
        "knows the elements Al, Ti and the signal has Ti",
    ),
    "axis": (change_axis, r"energy axis \(.*is off by .* eV"),
    "resolution": (
        lambda s: s.set_microscope_parameters(energy_resolution_MnKa=150.0),
        "resolution is 130.0 eV and the signal's, as refined, 150.0",
    ),
}


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("case", REFUSED)
def test_a_model_for_something_else_is_refused(image, good_network, case):
    change, reason = REFUSED[case]
    change(image)
    with pytest.raises(
        ValueError, match=f"`model` does not fit.*{reason}.*train_quantifier"
    ):
        by_network(image, model=good_network, refine_energy_scale=False)


@pytest.mark.usefixtures("no_training")
def test_a_model_for_other_channels_or_specimens_is_refused(image, good_network):
    with pytest.raises(ValueError, match="300 channels and the signal 290"):
        by_network(image.isig[:290], model=good_network)
    with pytest.raises(ValueError, match="other channels of the axis are used"):
        by_network(
            image, model=good_network, signal_mask=image.axes_manager[-1].axis > 5.5
        )
    with pytest.raises(ValueError, match="for a film and the specimen is a bulk"):
        by_network(image, model=good_network, geometry="bulk")
    with pytest.raises(ValueError, match=r"films of 0 g/cm2.*0\.0001"):
        by_network(image, model=good_network, mass_thickness=1e-4)


class Malice:
    """Writes a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.write_text, (self.path, MALICE)


@pytest.mark.parametrize("name", ["model.pkl", "model.pt", "model.safetensors"])
def test_a_pickle_is_refused_and_not_executed(image, tmp_path, name):
    trace = tmp_path / "trace"
    path = tmp_path / name
    path.write_bytes(pickle.dumps(Malice(trace)))
    with pytest.raises(ValueError, match=re_of(name)):
        by_network(image, model=path)
    assert not trace.exists()
    pickle.loads(path.read_bytes())  # that it would have been one
    assert trace.read_text() == MALICE


def test_files_that_are_no_models_for_this_are_refused(image, tmp_path, good_network):
    path = tmp_path / "theirs.safetensors"
    save_file({"weight": np.ones(3, "float32")}, path)
    with pytest.raises(ValueError, match="of another project"):
        by_network(image, model=path)
    path.write_bytes(good_network.read_bytes()[:-7])
    with pytest.raises(ValueError, match="truncated"):
        by_network(image, model=path)
    card = ModelCard("denoising", "line", {"n": 3}, {"elements": ["Al"]})
    save_model(path, StoredModel(card, {"w": np.ones(3)}), overwrite=True)
    with pytest.raises(ValueError, match="for denoising, not for quantification"):
        by_network(image, model=path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        by_network(image, model=tmp_path / "nowhere.safetensors")
    with pytest.raises(TypeError, match="`model` is int"):
        by_network(image, model=3)


def re_of(name):
    return name.replace(".", r"\.")
