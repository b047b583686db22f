# SPDX-License-Identifier: GPL-3.0-or-later
"""Phases of the pixels of a signal, from all that a user may know of them."""

import warnings

import hyperspy.api as hs
import numpy as np
import pytest
from phase_images import ALLOYS, alloy_image, reference_spectra, some_pixels

import hspy_ml


@pytest.fixture(scope="module")
def _alloy():
    return alloy_image()


@pytest.fixture
def alloy(_alloy):
    s, labels = _alloy
    return s.deepcopy(), labels


@pytest.fixture(scope="module")
def model(_alloy):
    s, labels = _alloy
    return hspy_ml.train_classifier(s, labels=some_pixels(labels, 12))


def share_of_wrong(result, labels):
    return np.mean(result.label_array.reshape(labels.shape) != labels)


def test_labelled_pixels_give_the_labels_of_the_others(alloy):
    """300 counts of three alloys: by the exact likelihood no pixel is in doubt."""
    s, labels = alloy
    before = s.deepcopy()
    result = s.classify_phases(labels=some_pixels(labels, 12))
    assert result.names == tuple(ALLOYS)
    assert share_of_wrong(result, labels) < 0.01  # 0.1 % called unknown by chance
    np.testing.assert_array_equal(s.data, before.data)
    assert str(s.metadata) == str(before.metadata)


def test_a_map_of_integers_is_the_same_as_lists_of_pixels(alloy):
    s, labels = alloy
    pixels = some_pixels(labels, 12)
    known = np.zeros_like(labels)
    for label, name in enumerate(ALLOYS, start=1):
        for x, y in pixels[name]:
            known[y, x] = label
    of_lists = s.classify_phases(labels=pixels)
    of_map = s.classify_phases(labels=known, names=list(ALLOYS))
    of_signal = s.classify_phases(labels=hs.signals.BaseSignal(known).T)
    of_masks = s.classify_phases(
        labels={name: known == i for i, name in enumerate(ALLOYS, start=1)}
    )
    assert of_signal.names == ("phase 1", "phase 2", "phase 3")
    for other in (of_map, of_signal, of_masks):
        np.testing.assert_array_equal(
            other.arrays.probabilities, of_lists.arrays.probabilities
        )


def test_compositions_are_enough(alloy):
    s, labels = alloy
    result = s.classify_phases(references=ALLOYS)
    assert share_of_wrong(result, labels) < 0.02
    assert any("simulated" in note for note in result.notes)


def test_reference_spectra_of_another_session(alloy):
    s, labels = alloy
    other, other_labels = alloy_image(random_state=9)
    result = s.classify_phases(references=reference_spectra(other_labels, other))
    assert share_of_wrong(result, labels) < 0.02


def test_phases_of_a_factorisation(alloy):
    s, labels = alloy
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = s.physics_nmf(3, random_state=0, show_progressbar=False)
    result = s.classify_phases(references=found)
    labelled = result.label_array.reshape(labels.shape)
    pairs = {(a, b) for a, b in zip(labels.ravel(), labelled.ravel(), strict=True)}
    counts = {p: np.sum((labels == p[0]) & (labelled == p[1])) for p in pairs}
    matched = sorted(counts.values())[-3:]
    assert sum(matched) > 0.97 * labels.size


def test_eels_of_compositions():
    """Oxides by their edges: 1e5 counts in a spectrum tell them apart for sure."""
    s, labels = alloy_image(
        2e5,
        phases={"rutile": "TiO2", "manganosite": "MnO", "haematite": "Fe2O3"},
        technique="EELS",
        n_channels=601,
        channel_width_keV=None,
        channel_width_eV=1.0,
        energy_offset_eV=350.0,
        beam_energy_keV=200.0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = s.classify_phases(
            references={"rutile": "TiO2", "manganosite": "MnO", "haematite": "Fe2O3"}
        )
    best = result.arrays.probabilities.argmax(axis=1) + 1
    assert np.mean(best.reshape(labels.shape) != labels) < 0.01


def test_an_unknown_phase_is_called_so(alloy):
    s, labels = alloy
    known = some_pixels(labels, 12)
    del known["silicon"]
    result = s.classify_phases(labels=known)
    unknown = result.unknown.data
    assert unknown[labels == 3].mean() > 0.95
    assert (result.likeliest.data > 0).all()
    known_pixels = ~unknown
    assert (result.likeliest.data == result.labels.data)[known_pixels].all()
    assert unknown[labels != 3].mean() < 0.03


def test_false_alarms_are_asked_for(alloy, model):
    """Rare ones and frequent ones, among 460 known spectra."""
    s, _ = alloy
    few = s.classify_phases(model, false_alarms=0.001).unknown.data.mean()
    many = s.classify_phases(model, false_alarms=0.2).unknown.data.mean()
    assert few < 0.02 < 0.08 < many < 0.4


def test_probabilities_sum_to_one_and_say_how_sure(alloy, model):
    s, labels = alloy
    dim = s.deepcopy()
    dim.data = np.random.default_rng(0).binomial(s.data, 0.03).astype(s.data.dtype)
    bright, faint = s.classify_phases(model), dim.classify_phases(model)
    total = np.nansum(faint.arrays.probabilities, axis=1)
    assert np.allclose(total[faint.is_classified], 1, atol=1e-5)
    assert np.nanmean(faint.confidence.data) < np.nanmean(bright.confidence.data)
    wrong = faint.arrays.probabilities.argmax(axis=1) + 1 != labels.ravel()
    sure = faint.confidence.data.ravel()
    seen = faint.is_classified
    expected = (1 - sure[seen]).sum()
    assert abs(wrong[seen].sum() - expected) < 4 * np.sqrt(expected) + 2


def test_area_fractions_cover_the_truth(alloy, model):
    s, labels = alloy
    result = s.classify_phases(model)
    true = np.bincount(labels.ravel())[1:] / labels.size
    fractions = result.area_fractions
    assert np.allclose(fractions.estimate, true, atol=0.01)
    assert fractions.estimate.sum() == pytest.approx(1)
    low, high = np.asarray(fractions.interval_95).T
    assert (low <= fractions.estimate).all() and (fractions.estimate <= high).all()


def test_mean_spectra_are_means_of_the_pixels(alloy, model):
    s, _ = alloy
    result = s.classify_phases(model)
    here = result.label_array.reshape(s.data.shape[:2]) == 2
    mean = s.data[here].mean(axis=0)
    np.testing.assert_allclose(result.mean_spectra.inav[1].data, mean, rtol=1e-6)
    assert result.mean_spectra.metadata.Signal.signal_type == "EDS_SEM"
    assert result.mean_spectra.axes_manager[-1].scale == s.axes_manager[-1].scale


def test_confusion_with_the_truth(alloy, model):
    s, labels = alloy
    result = s.classify_phases(model)
    confusion = result.confusion(labels)
    assert confusion.table.sum() == labels.size
    assert confusion.error == pytest.approx(share_of_wrong(result, labels))
    assert "theta" in str(confusion)
    partly = np.where(labels == 1, -1, labels)
    assert result.confusion(partly).table[1].sum() == 0
    with pytest.raises(ValueError, match="`truth` has the shape"):
        result.confusion(labels[:-1])
    with pytest.raises(ValueError, match="`truth` goes up to 4"):
        result.confusion(labels + 1)


def test_lazy_data_give_the_same(alloy, model):
    s, _ = alloy
    lazy = s.as_lazy()
    found = lazy.classify_phases(model)
    expected = s.classify_phases(model)
    np.testing.assert_array_equal(found.label_array, expected.label_array)
    assert lazy._lazy


def test_masked_and_empty_pixels_are_no_unknown_phase(alloy, model):
    s, labels = alloy
    s.data[3, 4] = 0
    mask = np.zeros(labels.shape, bool)
    mask[:, :5] = True
    mask[3, 4] = False
    result = s.classify_phases(model, navigation_mask=mask.T)
    outside = mask.copy()
    outside[3, 4] = True
    assert (result.labels.data[outside] == 0).all()
    assert not result.unknown.data[outside].any()
    assert np.isnan(result.confidence.data[outside]).all()
    assert np.isfinite(result.confidence.data[~outside]).all()
    assert result.area_fractions.estimate.sum() == pytest.approx(1)


def test_one_spectrum_and_a_line(alloy, model):
    s, labels = alloy
    single = s.inav[4, 5].classify_phases(model)
    assert single.label_array.tolist() == [labels[5, 4]]
    assert "*" in single.table()
    line = s.inav[:, 5].classify_phases(model)
    assert np.mean(line.label_array != labels[5]) < 0.1
    for result in (single, line):
        assert result.plot() is not None


@pytest.mark.parametrize("suffix", ["hspy", "zspy"])
def test_results_save_and_load(alloy, model, tmp_path, suffix):
    if suffix == "zspy":
        zarr = pytest.importorskip("zarr")
        if not hasattr(zarr.storage, "NestedDirectoryStore"):
            pytest.skip("RosettaSciIO needs zarr 2 to write .zspy")
    s, _ = alloy
    result = s.classify_phases(model)
    path = tmp_path / f"phases.{suffix}"
    result.save(path)
    loaded = hspy_ml.load_result(path)
    assert loaded.names == result.names and loaded.notes == result.notes
    np.testing.assert_array_equal(loaded.label_array, result.label_array)
    np.testing.assert_array_equal(loaded.mean_spectra.data, result.mean_spectra.data)
    assert loaded.table() == result.table()


def test_maps_of_labels_are_signals(alloy, model, tmp_path):
    s, _ = alloy
    result = s.classify_phases(model)
    assert result.labels.axes_manager[0].name == s.axes_manager[0].name
    assert result.labels.metadata.Phases.names == list(ALLOYS)
    result.labels.save(tmp_path / "labels.hspy")
    assert hs.load(tmp_path / "labels.hspy").metadata.Phases.names == list(ALLOYS)


def test_figure_and_table(alloy, model):
    import matplotlib.pyplot as plt

    s, _ = alloy
    result = s.classify_phases(model)
    figure = result.plot(figsize=(9, 3))
    legends = [ax.get_legend() for ax in figure.axes if ax.get_legend()]
    named = {text.get_text() for text in legends[0].get_texts()}
    assert set(ALLOYS) <= named
    plt.close(figure)
    assert all(name in repr(result) for name in ALLOYS)


def test_a_phase_alone_is_quantified(alloy, model):
    """The mask of a phase is what HyperSpy's methods take."""
    s, labels = alloy
    mask = s.classify_phases(model).mask_of("theta")
    assert mask.axes_manager.navigation_shape == s.axes_manager.navigation_shape
    assert np.mean(mask.data == (labels != 2)) > 0.99
    with pytest.raises(ValueError, match="'ferrite'"):
        s.classify_phases(model).mask_of("ferrite")


def test_a_saved_model_says_the_same(alloy, model, tmp_path):
    s, _ = alloy
    path = tmp_path / "alloy.safetensors"
    model.save(path)
    loaded = hspy_ml.load_model(path)
    assert loaded.names == model.names and "matrix" in loaded.info()
    expected = s.classify_phases(model)
    for given in (loaded, path, str(path)):
        found = s.classify_phases(given)
        np.testing.assert_array_equal(found.label_array, expected.label_array)
        np.testing.assert_allclose(
            found.arrays.probabilities, expected.arrays.probabilities, atol=1e-5
        )


def test_it_repeats_exactly(alloy):
    s, labels = alloy
    known = some_pixels(labels, 5)
    first, second = (s.classify_phases(labels=known) for _ in range(2))
    np.testing.assert_array_equal(
        first.arrays.probabilities, second.arrays.probabilities
    )
    np.testing.assert_array_equal(first.arrays.threshold, second.arrays.threshold)


def test_three_spectra_of_a_phase_are_enough(alloy):
    s, labels = alloy
    result = s.classify_phases(labels=some_pixels(labels, 3))
    assert share_of_wrong(result, labels) < 0.03
