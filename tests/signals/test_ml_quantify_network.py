# SPDX-License-Identifier: GPL-3.0-or-later
"""`ml_quantify` by network: what it gives for good, sparse and bad spectra."""

import re
import warnings

import hyperspy.api as hs
import numpy as np
import pytest
from small_training import (
    alloy_image,
    by_network,
    errors,
    values,
)

import hspy_ml
from hspy_ml.physics.composition import atomic_weight
from hspy_ml.quantification.quantifier_model import load_model
from hspy_ml.signals.simulation_truth import SimulationTruth

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture(scope="module")
def _image():
    return alloy_image()


@pytest.fixture
def image(_image):
    return _image.deepcopy()


@pytest.fixture(scope="module")
def result(_image, good_network):
    return by_network(_image, model=good_network)


# --- what it gives -----------------------------------------------------------------


def test_it_is_a_list_of_maps_that_sum_to_100_with_errors(result):
    assert result.elements == ("Al", "Ti")
    assert values(result).shape == (16, 17, 2)
    np.testing.assert_allclose(values(result).sum(axis=-1), 100, rtol=1e-5)
    assert (errors(result) > 0).all() and (errors(result) < 40).all()
    assert result["Ti"].metadata.General.title == "Atomic percent of Ti"
    assert result["Ti"].metadata.Sample.elements == ["Ti"]
    assert result.mass_thickness.data.mean() == pytest.approx(1)
    assert result.counts.data.sum() > 0.9 * 120 * 16 * 17
    assert "Al" in result.table()


def test_the_maps_follow_the_truth_better_than_their_mean_does(result, _image):
    truth = SimulationTruth.from_signal(_image).atomic_percent_maps
    error = np.sqrt(np.mean((values(result) - truth) ** 2))
    assert error < 0.9 * truth.std(axis=(0, 1)).mean()
    assert np.abs(values(result).mean(axis=(0, 1)) - truth.mean(axis=(0, 1))).max() < 4


def test_the_fit_is_near_the_spectra(result):
    observed, fitted = result.arrays.observed, result.arrays.fitted
    seen = np.isfinite(observed)
    np.testing.assert_array_equal(seen, np.isfinite(fitted))
    assert fitted[seen].sum() == pytest.approx(observed[seen].sum(), rel=0.05)
    assert np.corrcoef(observed[seen], fitted[seen])[0, 1] > 0.95


def test_by_weight_it_is_the_same_composition(result, image):
    by_weight = by_network(image, composition_units="weight")
    masses = np.array([atomic_weight(e) for e in result.elements])
    expected = values(result) * masses
    expected *= 100 / expected.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(values(by_weight), expected, rtol=1e-5)
    two = errors(by_weight)  # of two elements that sum to 100 the errors are equal
    np.testing.assert_allclose(two[..., 0], two[..., 1], rtol=1e-3)


def test_files_bring_back_what_was_saved(result, tmp_path):
    result.save(tmp_path / "alloy.hspy")
    loaded = hspy_ml.load_result(tmp_path / "alloy.hspy")
    assert loaded.summary == result.summary
    assert loaded.settings["method"] == "network"
    np.testing.assert_array_equal(values(loaded), values(result))
    np.testing.assert_array_equal(errors(loaded), errors(result))
    np.testing.assert_array_equal(loaded.flagged.data, result.flagged.data)


def test_the_input_is_left_as_it_was(image):
    data, metadata = image.data.copy(), image.metadata.as_dictionary()
    by_network(image)
    np.testing.assert_array_equal(image.data, data)
    assert image.metadata.as_dictionary() == metadata


@pytest.mark.parametrize("method", ["network", "likelihood"])
def test_a_warning_points_at_the_line_that_called(image, method):
    image.metadata.Sample.elements = ["Al"]
    with pytest.warns(UserWarning) as caught:
        image.ml_quantify(method=method, show_progressbar=False, num_workers=1)
    assert {w.filename for w in caught if w.category is UserWarning} == {__file__}


# --- the same counts in other clothes ----------------------------------------------


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32", "float64"])
def test_the_type_of_the_counts_does_not_matter(result, image, dtype):
    image.change_dtype(dtype)
    np.testing.assert_allclose(values(by_network(image)), values(result), atol=1e-3)


def test_a_lazy_image_is_as_good_as_one_in_memory(result, image):
    lazy = by_network(image.as_lazy())
    np.testing.assert_allclose(values(lazy), values(result), atol=1e-3)
    np.testing.assert_allclose(errors(lazy), errors(result), atol=1e-3)


def test_the_unit_of_the_axis_does_not_matter(result, image):
    axis = image.axes_manager[-1]
    axis.scale, axis.offset, axis.units = 1e3 * axis.scale, 1e3 * axis.offset, "eV"
    np.testing.assert_allclose(values(by_network(image)), values(result), atol=1e-3)


def test_threads_change_nothing(result, image):
    np.testing.assert_array_equal(
        values(by_network(image, num_workers=2)), values(result)
    )


def test_one_spectrum_a_line_and_a_stack(image):
    bright = alloy_image((3, 4), 3000.0)
    one = by_network(bright.inav[1, 2])
    assert values(one).shape == (1, 2)
    assert values(one).sum() == pytest.approx(100, rel=1e-5)
    line = by_network(bright.inav[1])
    assert values(line).shape == (3, 2)
    stack = by_network(hs.stack([image.inav[:3, :4], image.inav[5:8, 2:6]]))
    assert values(stack).shape == (2, 4, 3, 2)
    assert np.isfinite(values(stack)).all()


# --- priors and few counts ---------------------------------------------------------


@pytest.mark.parametrize("prior", ["image", "neighbours"])
def test_what_is_known_of_the_image_narrows_the_errors(good_network, prior):
    """Much so at 20 counts a pixel, of which less than half are of lines."""
    sparse = alloy_image(counts_per_pixel=20.0)
    options = {"model": good_network, "refine_energy_scale": False}
    anything = by_network(sparse, prior="anything", **options)
    known = by_network(sparse, prior=prior, **options)
    assert np.nanmedian(errors(known)) < 0.97 * np.nanmedian(errors(anything))
    scatter = np.nanstd(values(known)[..., 0])
    assert scatter < 0.93 * np.nanstd(values(anything)[..., 0])
    assert known.settings["prior"] == prior


def test_pixels_of_few_counts_are_left_out_or_get_the_prior(image, good_network):
    """Which is as wide as the compositions that the network was trained on."""
    image.data[2, 3] = 0
    image.data[4, 5] = 0
    image.data[4, 5, [74, 225]] = 2  # Al Ka and Ti Ka, four counts
    empty, four = (2, 3), (4, 5)
    masked = by_network(image)
    for pixel in (empty, four):
        assert np.isnan(values(masked)[pixel]).all()
        assert np.isnan(errors(masked)[pixel]).all()
        assert not masked.converged.data[pixel]
    assert np.isfinite(values(masked)).all(axis=-1).sum() == 16 * 17 - 2
    whole = by_network(image, fewest_counts=0, prior="anything")
    assert np.isfinite(values(whole)).all()
    assert values(whole)[empty].sum() == pytest.approx(100, rel=1e-5)
    spread = 100 * float(load_model(good_network).network.anything[2])
    assert 0.6 * spread < errors(whole)[empty][0] < 1.5 * spread
    assert errors(whole)[empty][0] > errors(whole)[four][0]
    assert errors(whole)[four][0] > 2 * np.median(errors(whole))
    assert not whole.flagged.data[empty] and not whole.flagged.data[four]


def test_four_counts_can_be_asked_for(image):
    image.data[8:] = 0
    image.data[8:, :, [73, 74, 75, 225]] = 1
    four = by_network(image, fewest_counts=4)
    assert np.isfinite(values(four)).all()
    five = by_network(image, fewest_counts=5)
    assert np.isnan(values(five)[8:]).all()
    np.testing.assert_array_equal(values(five)[:8], values(four)[:8])


def test_an_image_of_too_few_or_too_many_counts_says_so(image, good_network):
    sparse = alloy_image((30, 31), 2.0)
    with pytest.warns(UserWarning, match=r"% .* have fewer than 5 counts .*rebin"):
        result = by_network(sparse, model=good_network)
    left_out = result.counts.data < 5
    assert left_out.mean() > 0.5
    np.testing.assert_array_equal(np.isnan(values(result)).all(axis=-1), left_out)
    image.change_dtype("uint32")
    image.data[2, 3] *= 1000
    with pytest.warns(UserWarning, match='1 % .* than the 20000 .*"likelihood"'):
        by_network(image, model=good_network)


def test_masks_leave_pixels_and_channels_out(result, image):
    pixels = np.zeros((17, 16), bool)
    pixels[5, 2] = True
    image.data[2, 5] = 30  # nonsense in the masked pixel
    masked = by_network(image, navigation_mask=pixels)
    assert np.isnan(values(masked)[2, 5]).all()
    assert np.isfinite(values(masked)).sum() == 2 * (16 * 17 - 1)
    channels = image.axes_manager[-1].axis > 10
    image.data[..., channels] = 7  # nonsense in the masked channels
    image.data[2, 5] = image.data[2, 6]
    clean = by_network(image, signal_mask=channels)
    assert np.isnan(clean.fitted_spectrum.data[channels]).all()
    assert clean.counts.data.max() < 300


# --- foreign elements --------------------------------------------------------------


def test_pixels_with_an_element_that_nobody_named_are_flagged():
    alloys = {"alloy": "Al0.5Ti0.5", "foreign": "Al0.35Ti0.35Fe0.3"}
    abundances = np.zeros((9, 13, 2))
    abundances[..., 0] = 1
    abundances[:2, :3] = [0, 1]
    s = alloy_image((9, 13), 1000.0, alloys, abundances=abundances, largest_share=None)
    s.metadata.Sample.elements = ["Al", "Ti"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        result = by_network(s)
    foreign = abundances[..., 1] == 1
    flagged = result.flagged.data
    assert flagged.dtype == bool and flagged[foreign].all()
    assert flagged[~foreign].mean() < 0.06
    assert result.unexplained.data[foreign].max() < 0.01
    assert np.median(result.unexplained.data[~foreign]) > 0.1
    aluminium = result["Al"].data  # iron does not belong to what is quantified
    np.testing.assert_allclose(values(result).sum(axis=-1), 100, rtol=1e-5)
    assert abs(aluminium[foreign].mean() - aluminium[~foreign].mean()) < 15


# --- bulk --------------------------------------------------------------------------


def test_one_element_is_all_there_is(image):
    image.metadata.Sample.elements = ["Al"]
    with pytest.warns(UserWarning, match=r"4\.5\d keV|do not explain"):
        result = by_network(image)
    np.testing.assert_allclose(values(result), 100)
    assert np.isfinite(errors(result)).all() and errors(result).max() < 1


def test_oxygen_of_a_bulk_is_balanced_by_valence():
    s = hspy_ml.simulate(
        {"quartz": "SiO2", "periclase": "MgO"},
        (7, 8),
        400.0,
        technique="EDS_SEM",
        n_channels=400,
        channel_width_keV=0.02,
        largest_share=1.0,
        random_state=2,
    )
    with pytest.warns(UserWarning, match="by_stoichiometry"):
        result = by_network(s)
    oxygen, magnesium, silicon = (result[e].data for e in ("O", "Mg", "Si"))
    np.testing.assert_allclose(oxygen, magnesium + 2 * silicon, rtol=1e-4)
    assert result.settings["rule"] == "stoichiometry"
    assert result.summary.total_kind.startswith("Total")
    assert np.isfinite(errors(result)).all() and (errors(result) > 0).all()


# --- bad input ---------------------------------------------------------------------


def test_negative_and_missing_counts_are_refused(image):
    image.change_dtype("float64")
    image.data[3, 4, 80] = -5
    with pytest.raises(ValueError, match="negative"):
        by_network(image)
    image.data[3, 4, 80] = np.nan
    with pytest.raises(ValueError, match="(?i)nan|finite"):
        by_network(image)


def test_an_image_without_counts_is_refused(image):
    image.data[...] = 0
    with pytest.raises(ValueError, match="(?i)no counts|zero|empty"):
        by_network(image)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prior": "mine"}, "`prior` is 'mine'"),
        ({"fewest_counts": -1}, "`fewest_counts`"),
        ({"random_state": -3}, "`random_state`"),
        ({"num_workers": 0}, "`num_workers`"),
        ({"elements": ["Al", "Xx"]}, "'Xx'"),
        ({"elements": []}, "`elements`"),
        ({"g_matrix": "mine"}, '`g_matrix`.*`method="network"`.*"likelihood"'),
        ({"electrons": 1e6, "solid_angle_sr": 0.9}, "`electrons`, `solid_angle_sr`"),
        ({"by_difference": "Al"}, "`by_difference` cannot be used"),
        ({"standards": {}}, "`standards` cannot be used"),
        ({"low_loss": 1}, "`low_loss` cannot be used"),
        ({"method": "likelihood", "model": 1}, '`model`.*`method="network"`'),
        ({"method": "likelihood", "prior": "image"}, "`prior`"),
        ({"method": "likelihood", "fewest_counts": 0}, "`fewest_counts`"),
        ({"method": "likelihood", "random_state": 0}, "`random_state`"),
        ({"method": "auto", "model": 1, "electrons": 1.0}, "`electrons` cannot"),
    ],
)
def test_arguments_that_cannot_be_are_named(image, options, message):
    with pytest.raises(ValueError, match=message):
        by_network(image, **options)


def test_an_image_needs_elements_and_beam_energy(image):
    without = image.deepcopy()
    del without.metadata.Acquisition_instrument.TEM.beam_energy
    with pytest.raises(ValueError, match=r"set_microscope_parameters\(beam_energy"):
        by_network(without)
    del image.metadata.Sample.elements
    with pytest.raises(ValueError, match=r"set_elements\("):
        by_network(image)


# --- which method ------------------------------------------------------------------


def test_auto_takes_the_network_for_many_pixels_of_few_counts(result, image):
    chosen = image.ml_quantify(show_progressbar=False)
    assert chosen.settings["method"] == "network"
    assert chosen.notes[0].startswith("By network, since pixels have few counts (1")
    np.testing.assert_array_equal(values(chosen), values(result))


@pytest.mark.parametrize(
    ("shape", "counts", "options", "reason"),
    [
        ((15, 17), 120.0, {}, "pixels are few"),
        ((16, 17), 1500.0, {}, r"many counts \(1[345]\d\d on average\)"),
        ((16, 17), 120.0, {"electrons": 1e6}, "`electrons` was given"),
    ],
)
def test_auto_takes_the_likelihood_otherwise(shape, counts, options, reason):
    s = alloy_image(shape, counts)
    found = s.ml_quantify(show_progressbar=False, num_workers=1, **options)
    assert found.settings["method"] == "likelihood"
    assert re.search(reason, found.notes[0])


def test_auto_takes_the_network_if_its_arguments_are_given(image):
    found = image.inav[:4, :5].ml_quantify(prior="image", show_progressbar=False)
    assert found.notes[0] == "By network, since `prior` was given."
