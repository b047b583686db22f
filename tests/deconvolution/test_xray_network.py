# SPDX-License-Identifier: GPL-3.0-or-later
"""The package's network for X-ray spectra, and who decides whether it is asked.

The spectra are of lines that are chosen here, on axes and continua that the training
does not have.
"""

from dataclasses import replace

import numpy as np
import pytest
from xray_peaks import acquisition, depth_between, measured

from hspy_ml.deconvolution.xray_deconvolve import prepare_xray_deconvolution
from hspy_ml.deconvolution.xray_model import (
    DEFAULT_FILE,
    XrayModel,
    default_xray_model,
    load_xray_model,
)
from hspy_ml.networks.model_card import ModelCard
from hspy_ml.networks.model_file import StoredModel, save_model

ACQ = acquisition(1100)
# Cr L and K, O K, Si K, Mo L and Pb M, Mn K
CENTRES = [0.573, 0.525, 1.74, 2.293, 2.345, 5.415, 5.947, 5.899, 6.49]
AREAS = np.array([0.1, 0.5, 1.0, 0.5, 0.5, 1.0, 0.13, 0.5, 0.065])


def deconvolved(counts, acq=ACQ, **options):
    return prepare_xray_deconvolution(counts, acq, **options).apply(counts)


def errors_of(found, truth):
    return ((found - truth) ** 2).sum(axis=1) / (truth**2).sum()


@pytest.mark.parametrize("dose", [3e2, 3e3, 3e4, 3e5])
def test_nearer_to_the_truth_than_richardson_lucy(dose):
    counts, truth = measured(ACQ, CENTRES, dose * AREAS, n=8, background=dose / 300)
    network = deconvolved(counts, method="network").spectra
    best = deconvolved(counts, method="richardson-lucy").spectra
    assert np.median(errors_of(network, truth)) < np.median(errors_of(best, truth))


def test_overlapping_lines_become_two_with_few_counts():
    """Mo La and Pb Ma with 3000 counts in each."""
    pair = 2.293, 2.345
    counts, _ = measured(ACQ, pair, [3e3, 3e3], n=8, background=20.0)
    found = deconvolved(counts, method="network").spectra
    depths = [depth_between(spectrum, ACQ, *pair) for spectrum in found]
    assert np.median(depths) > 0.03


@pytest.fixture(scope="module")
def some():
    counts, truth = measured(ACQ, CENTRES, 1e4 * AREAS, n=12, background=50.0)
    return counts, truth, deconvolved(counts)


def test_counts_and_areas_are_kept(some):
    counts, truth, found = some
    np.testing.assert_allclose(found.spectra.sum(axis=1), counts.sum(axis=1), rtol=1e-6)
    assert found.spectra.min() >= 0
    near = np.abs(ACQ.energy - 1.74) < 0.1
    area, wanted = found.spectra[:, near].sum(axis=1), truth[near].sum()
    assert np.abs(area / wanted - 1).max() < 5 / np.sqrt(wanted)


def test_errors_cover(some):
    _, truth, found = some
    off = np.abs(found.spectra - truth)
    assert 0.55 < (off < found.errors).mean() < 0.85
    assert 0.85 < (off < 1.96 * found.errors).mean() < 0.99


def test_refolded_explains_the_data(some):
    _, _, found = some
    assert 0.7 < found.deviance.mean() < 1.15
    assert not found.flagged.any()


def test_a_block_does_not_matter(some):
    counts, _, found = some
    alone = prepare_xray_deconvolution(counts, ACQ).apply(counts[3:4])
    np.testing.assert_allclose(alone.spectra[0], found.spectra[3], rtol=1e-3, atol=0.01)


def test_the_choice_is_told(some):
    _, _, found = some
    assert found.choice.method in found.choice.scores
    assert max(found.choice.scores.values()) == 0.0
    assert "counts set aside" in found.choice.why


def test_off_its_family_the_network_is_not_trusted():
    """Lines half as wide as said: steps or Richardson-Lucy, and the flag."""
    narrow = acquisition(1100, resolution_eV=70.0)
    counts, _ = measured(narrow, CENTRES, 3e4 * AREAS, n=4, background=50.0)
    found = deconvolved(counts)
    assert found.choice.method != "network"
    assert found.flagged.all()


def test_another_target_is_left_to_richardson_lucy(some):
    counts = some[0]
    wide = prepare_xray_deconvolution(counts, ACQ, target_width_eV=90.0)
    assert wide.choice.method == "richardson-lucy"
    assert "does not fit" in wide.notes[0]
    with pytest.raises(ValueError, match="use 'auto'"):
        prepare_xray_deconvolution(counts, ACQ, target_width_eV=90.0, method="network")


def test_a_map_without_counts():
    found = deconvolved(np.zeros((3, 1100), np.uint8))
    assert not found.spectra.any()
    assert np.isfinite(found.errors).all()


def test_saved_and_loaded(tmp_path, some):
    model = default_xray_model()
    model.save(tmp_path / "again.safetensors")
    again = load_xray_model(tmp_path / "again.safetensors")
    assert again.info() == model.info()
    counts, _, found = some
    same = deconvolved(counts, model=again)
    np.testing.assert_array_equal(same.spectra, found.spectra)
    assert DEFAULT_FILE.stat().st_size < 600_000


def test_other_models_are_refused(tmp_path, some):
    with pytest.raises(TypeError, match="`model` is a str"):
        deconvolved(some[0], model="xray.safetensors")
    path = tmp_path / "other.safetensors"
    card = ModelCard("deconvolution", "DeconvolutionNetwork", {"width": 8}, {})
    save_model(path, StoredModel(card, {"a": np.zeros(2, np.float32)}))
    with pytest.raises(ValueError, match="low-loss"):
        load_xray_model(path)
    wrong = replace(card, architecture="XrayNetwork")
    save_model(path, StoredModel(wrong, {"a": np.zeros(2, np.float32)}), overwrite=True)
    with pytest.raises(ValueError, match="cannot be used"):
        load_xray_model(path)
    assert isinstance(default_xray_model(), XrayModel)


@pytest.mark.slow
def test_training_repeats():
    from hspy_ml.deconvolution.xray_default import train_default

    one, two = (train_default(n_rounds=1, steps=3) for _ in range(2))
    assert one.scores == two.scores
    assert one.scores["nmse_at_100000_counts"] < 0.5
