# SPDX-License-Identifier: GPL-3.0-or-later
"""Replays of an acquisition on a full map, and what is made of the sparse data."""

import hyperspy.api as hs
import numpy as np
import pytest
from phase_images import ALLOYS, alloy_image, some_pixels

import hspy_ml

SHAPE = (40, 44)


@pytest.fixture(scope="module")
def _alloy():
    return alloy_image(150.0, SHAPE)


@pytest.fixture
def alloy(_alloy):
    s, labels = _alloy
    return s.deepcopy(), labels


@pytest.fixture(scope="module")
def model(_alloy):
    s, labels = _alloy
    return hspy_ml.train_classifier(s, labels=some_pixels(labels, 40))


@pytest.fixture(scope="module")
def result(_alloy, model):
    return _alloy[0].dynamic_sampling(model, fraction=0.3)


def test_the_map_comes_from_a_part_of_its_pixels(alloy, result):
    """Three phases in grains of nine pixels: 30 % leave far less wrong than a grid."""
    s, labels = alloy
    from hspy_ml.sampling import grid_pattern, reconstruct

    assert result.n_measured == round(0.3 * labels.size)
    assert result.names == tuple(ALLOYS)
    places = grid_pattern(SHAPE, result.n_measured)
    of_grid = reconstruct(SHAPE, places, labels[tuple(places.T)])
    assert result.distortion < 0.3 * np.mean(of_grid != labels)
    assert np.mean(result.reconstruction.data != labels) < 0.03


def test_what_was_measured_stays(result):
    mask = result.mask.data
    assert mask.sum() == result.n_measured
    np.testing.assert_array_equal(result.navigation_mask.data, ~mask)
    order = result.order.data
    assert sorted(order[mask]) == list(range(result.n_measured))
    assert (order[~mask] == -1).all()
    measured = result.arrays.measured_labels > 0
    places = tuple(result.arrays.positions[measured].T)
    found = result.arrays.measured_labels[measured]
    np.testing.assert_array_equal(result.reconstruction.data[places], found)


def test_the_dose_is_that_of_the_measured_pixels(alloy, result):
    s, _ = alloy
    counts = s.data[result.mask.data][:, 10:].sum() / s.data[..., 10:].sum()
    assert result.dose["pixels"] == pytest.approx(0.3, abs=1e-3)
    assert result.dose["counts"] == pytest.approx(counts, rel=0.02)
    assert result.dose["saved"] == pytest.approx(1 - result.dose["counts"])


def test_the_history_ends_with_the_outcome(result):
    history = result.arrays
    assert history.history_measured[-1] == result.n_measured
    compared = history.full_labels > 0
    wrong = (history.reconstruction != history.full_labels)[compared].mean()
    assert result.distortion == pytest.approx(wrong)
    assert history.history_distortion[0] > 5 * result.distortion
    low, high = history.history_estimate[-1, 1:]
    assert low <= result.estimated_distortion <= high


def test_it_stops_at_a_wanted_distortion(alloy, model):
    s, _ = alloy
    stopped = s.dynamic_sampling(model, fraction=0.9, target_distortion=0.05)
    assert stopped.fraction < 0.4
    assert 0.01 < stopped.distortion < 0.15
    short = s.dynamic_sampling(model, fraction=0.05, target_distortion=0.001)
    assert any("not reached" in note for note in short.notes)


def test_a_shorter_dwell(alloy, model):
    """A third of 150 counts: still no label in doubt."""
    s, labels = alloy
    short = s.dynamic_sampling(model, fraction=0.3, dwell_share=0.33)
    assert short.dose["counts"] == pytest.approx(0.1, abs=0.01)
    assert np.mean(short.reconstruction.data != labels) < 0.05


def test_it_repeats_exactly_and_the_seed_matters(alloy, model, result):
    s, _ = alloy
    again = s.dynamic_sampling(model, fraction=0.3)
    np.testing.assert_array_equal(again.arrays.positions, result.arrays.positions)
    other = s.dynamic_sampling(model, fraction=0.3, random_state=1)
    assert not np.array_equal(other.arrays.positions, result.arrays.positions)


def test_ill_spectra_are_missing_or_take_the_likeliest(alloy, model):
    s, labels = alloy
    ill = np.random.default_rng(0).random(SHAPE) < 0.05
    noise = np.random.default_rng(1).poisson(1.0, (ill.sum(), s.data.shape[-1]))
    s.data[ill] = noise
    missing = s.dynamic_sampling(model, fraction=0.3)
    found = missing.arrays.measured_labels
    at_ill = ill[tuple(missing.arrays.positions.T)]
    assert (found[at_ill] == 0).all() and (found[~at_ill] > 0).mean() > 0.98
    assert (missing.reconstruction.data > 0).all()
    assert np.mean(missing.reconstruction.data != labels) < 0.05
    likeliest = s.dynamic_sampling(model, fraction=0.3, unknown="likeliest")
    assert (likeliest.arrays.measured_labels > 0).all()


def test_masked_pixels_are_never_measured(alloy, model):
    s, _ = alloy
    mask = np.zeros(SHAPE, bool)
    mask[:10] = True
    result = s.dynamic_sampling(model, fraction=0.3, navigation_mask=mask.T)
    assert not result.mask.data[mask].any()
    assert (result.full_labels.data[mask] == -1).all()
    assert result.n_measured == round(0.3 * (~mask).sum())


def test_sparse_spectra_are_quantified_and_filled(alloy, result):
    s, labels = alloy
    copper = np.where(labels == 2, 33.3, 0.0)
    maps = s.ml_quantify(
        method="likelihood", navigation_mask=result.navigation_mask, random_state=None
    )
    assert np.isnan(maps["Cu"].data[~result.mask.data]).all()
    filled = result.inpaint(maps)
    found = filled[maps.elements.index("Cu")]
    assert found.metadata.General.title == maps["Cu"].metadata.General.title
    assert np.isfinite(found.data).all()
    inside = result.reconstruction.data == labels
    error = np.sqrt(np.mean((found.data - copper)[inside] ** 2))
    assert error < 8.0  # 150 counts give each pixel some 6 at.%
    one = result.inpaint(maps["Cu"])
    np.testing.assert_array_equal(one.data, found.data)


def test_lazy_data_give_the_same(alloy, model, result):
    s, _ = alloy
    lazy = s.as_lazy().dynamic_sampling(model, fraction=0.3)
    np.testing.assert_array_equal(lazy.arrays.positions, result.arrays.positions)


def test_a_line_is_sampled(alloy, model):
    s, labels = alloy
    line = s.inav[:, 7].dynamic_sampling(model, fraction=0.5)
    assert line.arrays.reconstruction.shape == (1, SHAPE[1])
    assert np.mean(line.reconstruction.data.ravel() != labels[7]) < 0.25


def test_it_saves_and_loads(result, tmp_path):
    path = tmp_path / "sampling.hspy"
    result.save(path)
    loaded = hspy_ml.load_result(path)
    assert loaded.table() == result.table() and loaded.settings == result.settings
    np.testing.assert_array_equal(loaded.order.data, result.order.data)
    assert hs.load(path).data.shape == SHAPE


def test_figures_and_animation(result):
    import matplotlib.pyplot as plt

    figure = result.plot(n_steps=2)
    assert len(figure.axes) == 6
    plt.close(figure)
    animation = result.animate(n_frames=3)
    animation._draw_frame(result.n_measured)
    plt.close("all")
    for call in (lambda: result.plot(n_steps=0), lambda: result.animate(n_frames=1)):
        with pytest.raises(ValueError, match="whole number"):
            call()


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("fraction", 0.0, ValueError),
        ("fraction", 1.2, ValueError),
        ("fraction", "all", TypeError),
        ("target_distortion", -0.1, ValueError),
        ("dwell_share", 2.0, ValueError),
        ("batch_size", 0, ValueError),
        ("unknown", "phase", ValueError),
    ],
)
def test_values_that_make_no_sense(alloy, model, name, value, error):
    with pytest.raises(error, match=f"`{name}`"):
        alloy[0].dynamic_sampling(model, **{name: value})


def test_shapes_that_make_no_sense(alloy, model, result):
    s, _ = alloy
    with pytest.raises(ValueError, match="too few"):
        s.inav[0, 0].dynamic_sampling(model)
    with pytest.raises(ValueError, match="3 navigation axes"):
        hs.stack([s, s]).dynamic_sampling(model)
    with pytest.raises(TypeError, match="`maps` is a ndarray"):
        result.inpaint(np.ones(SHAPE))
    with pytest.raises(ValueError, match="of the shape"):
        result.inpaint(hs.signals.BaseSignal(np.ones((3, 4))).T)
