# SPDX-License-Identifier: GPL-3.0-or-later
"""`ml_quantify` and `train_quantifier` by network on core losses."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from small_training import by_network, errors, make_training_short, short_plan, values

import hspy_ml
from hspy_ml.physics.composition import atomic_weight
from hspy_ml.signals.low_loss import incident_counts
from hspy_ml.signals.quantification import eels_network, network_plan
from hspy_ml.signals.simulation.core_loss import low_loss_of
from hspy_ml.signals.simulation_truth import SimulationTruth
from hspy_ml.simulation import eels_bank

STEPS = 250
OXIDES = {"manganosite": "MnO", "magnetite": "Fe3O4"}


def oxide_image(shape=(16, 17), counts_per_pixel=4000.0, phases=OXIDES, **options):
    """A film of two oxides, whose edges lie between 532 and 708 eV."""
    common = {"energy_offset_eV": 400.0, "n_channels": 250, "channel_width_eV": 2.0}
    common |= {
        "jump_ratio": 3.0,
        "scene": "gradient",
        "random_state": 1,
        "technique": "EELS",
    }
    return hspy_ml.simulate(phases, shape, counts_per_pixel, **{**common, **options})


@pytest.fixture(scope="module", autouse=True)
def trained(tmp_path_factory):
    """A cache with a network for the oxides that is good enough to be judged."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HSPY_ML_MODELS", str(tmp_path_factory.mktemp("core-losses")))
        make_training_short(patch)
        patch.setattr(eels_network, "COUNTS", (1e3, 1e5))
        patch.setattr(eels_bank, "N_POPULATIONS", 100)
        patch.setattr(eels_bank, "N_INSTRUMENTS", 8)
        with pytest.MonkeyPatch.context() as longer:
            longer.setattr(
                network_plan, "default_plan", lambda seed: short_plan(seed, STEPS)
            )
            by_network(oxide_image())
        yield


@pytest.fixture(scope="module")
def _image():
    return oxide_image()


@pytest.fixture
def image(_image):
    return _image.deepcopy()


@pytest.fixture(scope="module")
def result(_image, trained):
    return by_network(_image)


def truth_of(s, elements):
    maps = SimulationTruth.from_signal(s)
    places = [maps.elements.index(e) for e in elements]
    return maps.atomic_percent_maps[..., places]


# --- what it gives -----------------------------------------------------------------


def test_it_is_a_list_of_maps_that_sum_to_100_with_errors(result):
    assert result.elements == ("O", "Mn", "Fe")
    assert values(result).shape == (16, 17, 3)
    np.testing.assert_allclose(values(result).sum(axis=-1), 100, rtol=1e-5)
    assert (errors(result) > 0).all() and (errors(result) < 40).all()
    assert result["Mn"].metadata.General.title == "Atomic percent of Mn"
    assert result.summary.total_kind == "Atoms per area (relative)"
    assert result.arrays.total.mean() == pytest.approx(1)
    assert result.settings["method"] == "network"
    assert result.settings["low_loss"] is False
    assert "cache" in result.notes[0]
    assert result.flagged.data.mean() < 0.05


def test_the_maps_follow_the_truth(result, _image):
    truth = truth_of(_image, result.elements)
    error = np.sqrt(np.mean((values(result) - truth) ** 2))
    assert error < 0.5 * np.sqrt(np.mean(truth.var(axis=(0, 1))))
    assert np.abs(values(result).mean(axis=(0, 1)) - truth.mean(axis=(0, 1))).max() < 6


def test_the_fit_is_near_the_spectra_and_empty_outside_the_window(result, _image):
    observed, fitted = result.arrays.observed, result.arrays.fitted
    seen = np.isfinite(observed)
    np.testing.assert_array_equal(seen, np.isfinite(fitted))
    total = _image.data.sum(axis=(0, 1))
    np.testing.assert_array_equal(observed[seen], total[seen])
    assert not seen[:10].any()  # below 85 % of the first onset
    assert np.abs(fitted[seen] / observed[seen] - 1).mean() < 0.15


def test_by_weight_it_is_the_same_composition(result, image):
    weight = values(by_network(image, composition_units="weight"))
    expected = values(result) * [atomic_weight(e) for e in result.elements]
    expected *= 100 / expected.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(weight, expected, rtol=1e-5)


def test_the_order_of_the_elements_is_the_users(result, image):
    other = by_network(image, elements=["Fe", "O", "Mn"])
    assert other.elements == ("Fe", "O", "Mn")
    assert "cache" in other.notes[0]
    np.testing.assert_allclose(other["Mn"].data, result["Mn"].data, rtol=1e-4)


def test_a_second_image_of_another_dose_takes_the_same_network():
    other = by_network(oxide_image((9, 11), 9000.0, random_state=5))
    assert "cache" in other.notes[0]


def test_a_lazy_image_and_an_axis_in_keV_are_the_same(result, image):
    np.testing.assert_allclose(
        values(by_network(image.as_lazy())), values(result), atol=1e-3
    )
    axis = image.axes_manager[-1]
    axis.scale, axis.offset, axis.units = 1e-3 * axis.scale, 1e-3 * axis.offset, "keV"
    np.testing.assert_allclose(values(by_network(image)), values(result), atol=1e-2)


def test_masked_and_empty_pixels_are_left_out(result, image):
    mask = np.zeros((17, 16), bool)
    mask[5, 2] = True
    image.data[2, 5] = 3 * image.data[2, 6]  # in the masked pixel
    image.data[3, 4] = 0
    masked = by_network(image, navigation_mask=mask)
    assert np.isnan(values(masked)[2, 5]).all()
    assert np.isnan(values(masked)[3, 4]).all()
    assert np.isfinite(values(masked)).sum() == 3 * (16 * 17 - 2)
    np.testing.assert_allclose(values(masked)[9:], values(result)[9:], atol=3)


def test_files_bring_back_what_was_saved(result, tmp_path):
    result.save(tmp_path / "oxide.hspy")
    loaded = hspy_ml.load_result(tmp_path / "oxide.hspy")
    assert loaded.summary == result.summary
    np.testing.assert_array_equal(values(loaded), values(result))


# --- an edge that nobody named -----------------------------------------------------


def test_pixels_with_an_edge_that_nobody_named_are_flagged():
    phases = {"oxide": "MnFe2O4", "foreign": "Cr2O3"}
    abundances = np.zeros((9, 13, 2))
    abundances[..., 0] = 1
    abundances[:2, :3] = [0, 1]
    s = oxide_image((9, 13), 60_000.0, phases, scene=None, abundances=abundances)
    s.metadata.Sample.elements = ["O", "Mn", "Fe"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        result = by_network(s)
    foreign = abundances[..., 1] == 1
    assert result.flagged.data[foreign].all()
    assert result.flagged.data[~foreign].mean() < 0.15


# --- plural scattering -------------------------------------------------------------


def test_a_low_loss_makes_a_network_of_its_own_and_atoms_per_area():
    s = oxide_image((7, 9), 50_000.0, thickness_over_mean_free_path=0.8)
    low_loss = low_loss_of(s)
    with pytest.warns(UserWarning, match="exposures"):
        thick = by_network(s, low_loss=low_loss)
    assert "trained" in thick.notes[0]
    assert thick.summary.total_kind == "Atoms per area (1/nm2)"
    assert thick.settings["low_loss"] is True
    with pytest.warns(UserWarning, match="exposures"):
        exact = s.ml_quantify(
            method="likelihood", low_loss=low_loss, show_progressbar=False
        )
        electrons = incident_counts(low_loss, s)
    assert (electrons > 0).all()
    ratio = thick.arrays.total / exact.arrays.total
    assert 0.4 < np.median(ratio) < 2.5
    with (
        pytest.raises(ValueError, match="low loss"),
        pytest.warns(UserWarning, match="exposures"),
    ):
        by_network(oxide_image(), low_loss=low_loss, model=trained_for(oxide_image()))


def trained_for(s):
    return hspy_ml.train_quantifier(s, n_steps=4, show_progressbar=False)


# --- train_quantifier --------------------------------------------------------------


def test_a_model_of_ones_own_is_used_and_says_what_it_is_for(image, tmp_path):
    model = trained_for(image)
    assert model.elements == ("O", "Mn", "Fe")
    assert model.conditions.technique == "EELS"
    assert model.conditions.collection_angle_mrad == 40
    model.save(tmp_path / "oxides.safetensors")
    loaded = hspy_ml.load_model(tmp_path / "oxides.safetensors")
    assert loaded.conditions == model.conditions
    result = by_network(image, model=tmp_path / "oxides.safetensors")
    assert result.notes[0] == "The network was given."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"collection_angle_mrad": 20.0}, "collection angle is 40 mrad"),
        ({"energy_offset_eV": 401.0}, "energy axis"),
        ({"beam_energy_keV": 80.0}, "beam energy is 200 keV"),
        ({"background_exponent": 4.6}, r"background E\^-"),
    ],
)
def test_a_model_of_other_conditions_is_refused(image, change, message):
    model = trained_for(image)
    with pytest.raises(ValueError, match=message):
        by_network(oxide_image((5, 6), 20_000.0, **change), model=model)


@pytest.mark.parametrize(
    ("white_line", "fits"),
    [("Mn L +6 eV", True), ("Mn L +30 eV", False), ("Fe L +4 eV", False)],
)
def test_white_lines_that_are_near_those_of_a_model_fit(image, white_line, fits):
    """Which of the bumps an image needs is a matter of its noise."""
    known = read_conditions(image)
    model = replace(known, columns=(*known.columns, "Mn L +2 eV"))
    signal = replace(known, columns=(*known.columns, white_line))
    assert (model.differences(signal) == []) is fits


def read_conditions(s):
    return eels_network.eels_need(eels_network.read_core_losses(s)).conditions


def test_a_signal_that_shows_less_than_a_model_knows_fits(image):
    known = read_conditions(image)
    model = replace(known, columns=(*known.columns, "background E^-4.50"))
    assert model.differences(known) == []
    assert known.differences(model) != []


def test_conditions_of_a_thicker_film_differ(image):
    known = replace(read_conditions(image), low_loss=(0.6, 0.1, 0.2, 0.1, 0, 0, 0))
    thicker = replace(known, low_loss=(0.5, 0.1, 0.2, 0.2, 0, 0, 0))
    assert "low loss" in known.differences(thicker)[0]
    assert type(known).from_dict(known.to_dict()) == known


def test_templates_of_foreign_edges_are_not_what_the_named_ones_can_be(image):
    """Orthogonal to the columns of G at the reference; of foreign elements only."""
    reading = eels_network.read_core_losses(image)
    need = eels_network.eels_need(reading)
    templates = need.templates()
    bins = need.conditions.bins
    columns = bins.summed(reading.response.matrix.T)
    reference = eels_network._mean_spectrum(reading.response, bins)
    seen = reference > 0
    inner = (templates[:, seen] / reference[seen]) @ columns[:, seen].T
    size = (np.abs(templates[:, seen]) / reference[seen]) @ columns[:, seen].T
    assert templates.shape[0] > 3
    assert np.abs(inner).max() < 1e-6 * size.max()


def test_it_learns_from_images_with_their_maps(image):
    truth = truth_of(image, ("O", "Mn", "Fe"))
    maps = {e: truth[..., i] for i, e in enumerate(("O", "Mn", "Fe"))}
    model = hspy_ml.train_quantifier(
        pairs=[(image, maps)], n_steps=60, show_progressbar=False
    )
    assert model.training["own_data"] is True
    result = by_network(image, model=model)
    error = np.sqrt(np.mean((values(result) - truth) ** 2))
    assert error < np.sqrt(np.mean(truth.var(axis=(0, 1))))


# --- which method, and bad input ---------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "counts", "options", "method", "reason"),
    [
        ((16, 17), 4000.0, {}, "network", "few counts"),
        ((15, 17), 4000.0, {}, "likelihood", "pixels are few"),
        ((16, 17), 90_000.0, {}, "likelihood", "many counts"),
        ((16, 17), 4000.0, {"by_stoichiometry": "O"}, "likelihood", "by_stoichio"),
        ((5, 6), 4000.0, {"prior": "image"}, "network", "`prior` was given"),
    ],
)
def test_auto_chooses_by_pixels_and_counts(shape, counts, options, method, reason):
    s = oxide_image(shape, counts)
    found = s.ml_quantify(show_progressbar=False, num_workers=1, **options)
    assert found.settings["method"] == method
    assert reason in found.notes[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prior": "mine"}, "`prior` is 'mine'"),
        ({"geometry": "bulk"}, "`geometry` cannot be used here: they are for EDS"),
        ({"mass_thickness": 1e-4}, "`mass_thickness`.*EDS"),
        ({"g_matrix": "mine"}, "`g_matrix`.*likelihood"),
        ({"by_stoichiometry": "O"}, "`by_stoichiometry`.*likelihood"),
        ({"elements": ["O", "Au"]}, "'Au'"),
        ({"low_loss": 3}, "s"),
    ],
)
def test_arguments_that_cannot_be_are_named(image, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        by_network(image, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"geometry": "film"}, "`geometry`.*EDS"),
        ({"by_stoichiometry": "O"}, "`by_stoichiometry`"),
        ({"valences": {"Fe": 3}}, "`valences`"),
    ],
)
def test_a_model_is_not_trained_with_arguments_of_eds(image, options, message):
    with pytest.raises(ValueError, match=message):
        hspy_ml.train_quantifier(image, **options)
