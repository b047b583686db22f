# SPDX-License-Identifier: GPL-3.0-or-later
"""`ml_quantify` by likelihood, as users call it."""

import warnings

import hyperspy.api as hs
import numpy as np
import pytest

import hspy_ml
from hspy_ml.physics.composition import atomic_weight, mass_to_atomic_fractions

QUIET = {"method": "likelihood", "show_progressbar": False, "num_workers": 1}
GLASS = {"O": 0.43, "Mg": 0.12, "Si": 0.21, "Ca": 0.11, "Fe": 0.13}


def bulk_signal(
    composition, map_shape=(), counts=2e5, *, seed=0, lazy=False, units="keV"
):
    """A Poisson spectrum of a bulk, 15 keV, made from the G-matrix of the truth."""
    import exspy

    from hspy_ml.physics.specimen import Specimen
    from hspy_ml.signals.gmatrix import g_matrix

    rng = np.random.default_rng(seed)
    s = exspy.signals.EDSSEMSpectrum(np.zeros((*map_shape, 1500), "uint32"))
    axis = s.axes_manager[-1]
    axis.scale, axis.offset, axis.units, axis.name = 0.01, 0.0, "keV", "Energy"
    s.set_microscope_parameters(
        beam_energy=15.0, elevation_angle=40.0, azimuth_angle=0.0, tilt_stage=0.0
    )
    s.metadata.set_item("Acquisition_instrument.SEM.Detector.EDS.window_type", "AP3.3")
    s.set_elements(list(composition))
    total = sum(composition.values())
    fractions = {e: c / total for e, c in composition.items()}
    response = g_matrix(s, specimen=Specimen(fractions, "bulk"))
    weights = [fractions.get(c.element, 0.05) for c in response.columns]
    expected = response.matrix @ np.array(weights)
    expected *= counts / expected.sum()
    s.data = rng.poisson(expected, s.data.shape).astype("uint32")
    if units == "eV":
        axis.scale, axis.units = 10.0, "eV"
    return s.as_lazy() if lazy else s


def quantified(s, **options):
    return s.ml_quantify(**{**QUIET, "composition_units": "weight", **options})


def values(result):
    return {e: x.data for e, x in zip(result.elements, result, strict=True)}


@pytest.fixture(scope="module")
def glass():
    return bulk_signal(GLASS)


def test_a_spectrum_gives_its_composition_within_its_errors(glass):
    result = quantified(glass, by_stoichiometry=None)
    percent = values(result)
    for element, error in zip(result.elements, result.standard_errors, strict=True):
        difference = percent[element][0] - 100 * GLASS[element]
        assert abs(difference) < 4 * error.data[0]
        assert 0 < error.data[0] < 1
    assert sum(v[0] for v in percent.values()) == pytest.approx(100)


def test_it_is_a_list_of_signals_as_hyperspy_knows_it(glass):
    result = quantified(glass)
    assert isinstance(result, list) and len(result) == 5
    for element, signal in zip(result.elements, result, strict=True):
        assert isinstance(signal, hs.signals.BaseSignal)
        assert signal.metadata.Sample.elements == [element]
        assert signal.metadata.General.title == f"Weight percent of {element}"
        assert result[element] is signal
    assert result.elements == ("O", "Mg", "Si", "Ca", "Fe")  # by atomic number
    assert result.standard_errors["Fe"].data[0] > 0
    with pytest.raises(KeyError, match="'Au'"):
        result["Au"]


def test_atoms_and_weights_are_the_same_composition(glass):
    weight = values(quantified(glass))
    atoms = values(quantified(glass, composition_units="atomic"))
    expected = mass_to_atomic_fractions({e: v[0] / 100 for e, v in weight.items()})
    for element, value in atoms.items():
        assert value[0] == pytest.approx(100 * expected[element], rel=1e-6)


def test_the_input_is_left_as_it_was(glass):
    data, metadata = glass.data.copy(), glass.metadata.as_dictionary()
    quantified(glass)
    np.testing.assert_array_equal(glass.data, data)
    assert glass.metadata.as_dictionary() == metadata


def test_it_repeats_exactly_and_threads_change_nothing(glass):
    one = quantified(glass, num_workers=1)
    two = quantified(glass, num_workers=2)
    for first, second in zip(one, two, strict=True):
        np.testing.assert_array_equal(first.data, second.data)


@pytest.mark.parametrize("units", ["keV", "eV"])
def test_the_unit_of_the_axis_does_not_matter(units):
    expected = values(quantified(bulk_signal(GLASS)))
    found = values(quantified(bulk_signal(GLASS, units=units)))
    for element, value in expected.items():
        np.testing.assert_allclose(found[element], value, rtol=1e-6)


def test_a_lazy_map_is_as_good_as_one_in_memory():
    memory = quantified(bulk_signal(GLASS, (3, 4), 3000))
    lazy = quantified(bulk_signal(GLASS, (3, 4), 3000, lazy=True))
    for first, second in zip(memory, lazy, strict=True):
        assert first.data.shape == (3, 4)
        np.testing.assert_allclose(first.data, second.data, rtol=1e-9)


def test_integers_and_floats_are_the_same_counts(glass):
    floats = glass.deepcopy()
    floats.change_dtype("float64")
    for first, second in zip(quantified(glass), quantified(floats), strict=True):
        np.testing.assert_allclose(first.data, second.data, rtol=1e-9)


def test_oxygen_of_an_oxide_is_by_stoichiometry_and_that_is_said():
    quartz = bulk_signal({"Si": 0.4674, "O": 0.5326})
    result = quantified(quartz)
    ratio = values(result)["O"][0] / values(result)["Si"][0]
    assert ratio == pytest.approx(2 * atomic_weight("O") / atomic_weight("Si"))
    assert any("by stoichiometry" in note for note in result.notes)
    by_line = quantified(quartz, by_stoichiometry=None)
    assert not any("stoichiometry" in note for note in by_line.notes)


def test_an_alloy_with_a_little_oxygen_is_no_oxide():
    alloy = bulk_signal({"Fe": 0.9, "Cr": 0.08, "O": 0.02})
    with pytest.warns(UserWarning, match="Oxygen is measured by its line"):
        percent = values(quantified(alloy))
    assert percent["O"][0] == pytest.approx(2.0, abs=0.3)


def test_masks_leave_pixels_and_channels_out():
    s = bulk_signal(GLASS, (3, 4), 3000)
    pixels = np.zeros((4, 3), bool)
    pixels[1, 2] = True
    channels = s.axes_manager[-1].axis < 1.0
    s.data[2, 1] = 0  # the masked pixel
    result = quantified(
        s, navigation_mask=pixels, signal_mask=channels, by_stoichiometry="O"
    )
    iron = values(result)["Fe"]
    assert np.isnan(iron[2, 1]) and np.isfinite(iron).sum() == 11
    assert np.isnan(result.fitted_spectrum.data[channels]).all()


def test_an_empty_pixel_is_not_a_composition():
    s = bulk_signal(GLASS, (2, 3), 3000)
    s.data[1, 1] = 0
    result = quantified(s)
    assert np.isnan(values(result)["Si"][1, 1])
    assert result.total.data[1, 1] == 0
    assert np.isfinite(values(result)["Si"]).sum() == 5


def test_pixels_of_a_map_are_each_like_a_spectrum_of_their_own():
    """The matrix is that of the mean, corrected in each pixel: within 2 % relative."""
    other = {"O": 0.2, "Mg": 0.02, "Si": 0.3, "Ca": 0.02, "Fe": 0.46}
    one, two = bulk_signal(GLASS, (1,), 4e5), bulk_signal(other, (1,), 4e5)
    both = hs.stack([one.inav[0], two.inav[0]])
    both.set_elements(list(GLASS))
    found = values(quantified(both, by_stoichiometry=None))
    for index, truth in enumerate((GLASS, other)):
        for element in ("O", "Si", "Fe"):
            assert found[element][index] == pytest.approx(
                100 * truth[element], rel=0.05
            )


def test_a_good_fit_is_told_from_a_missing_element():
    s = bulk_signal(GLASS, (4, 5), 2000)
    whole = quantified(s)
    assert abs(np.median(whole.goodness_of_fit.data)) < 1.5
    with pytest.warns(UserWarning, match=r"do not explain.*6\.40 keV \(Fe"):
        without = quantified(s, elements=["O", "Mg", "Si", "Ca"])
    assert np.median(without.goodness_of_fit.data) > 4


def test_known_conditions_give_no_warning(glass):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        quantified(glass, by_stoichiometry="O")


def test_what_is_assumed_is_said_once(glass):
    s = glass.deepcopy()
    s.set_microscope_parameters(elevation_angle=35.0)
    del s.metadata.Acquisition_instrument.SEM.Detector.EDS.window_type
    with pytest.warns(UserWarning, match="assumed.*window.*take-off angle") as caught:
        quantified(s)
    assert sum("assumed" in str(w.message) for w in caught) == 1


def test_lines_that_the_beam_hardly_excites_are_named():
    """Zn K at 15 keV, edge 9.62 keV; the L lines of zinc are not quantitative."""
    brass = bulk_signal({"Cu": 0.6, "Zn": 0.4})
    with pytest.warns(UserWarning, match=r"Zn K is measured at 1\.56 times its edge"):
        quantified(brass)


def test_elements_that_coincide_share_large_errors():
    """S K and Mo L are 15 eV apart, and Pb M is between them."""
    s = bulk_signal({"Mo": 0.4, "S": 0.3, "Pb": 0.3}, counts=1e4)
    with pytest.warns(UserWarning, match="coincide within the resolution"):
        result = quantified(s)
    errors = dict(zip(result.elements, result.standard_errors, strict=True))
    assert errors["S"].data[0] + errors["Mo"].data[0] > 2


def test_a_film_has_a_mass_thickness():
    s = hspy_ml.simulate(
        {"iron oxide": {"Fe": 1, "O": 1}}, (8, 9), 3000, random_state=3
    )
    result = s.ml_quantify(**QUIET)
    assert result.mass_thickness.data.shape == (8, 9)
    assert result.mass_thickness.data.mean() == pytest.approx(1)
    iron = values(result)["Fe"]
    assert iron.mean() == pytest.approx(50, abs=1)
    absolute = s.ml_quantify(electrons=1e6, solid_angle_sr=0.9, **QUIET)
    assert absolute.summary.total_kind == "Mass thickness (g/cm2)"
    ratio = absolute.mass_thickness.data / result.mass_thickness.data
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-9)


def test_a_bulk_has_no_mass_thickness(glass):
    with pytest.raises(AttributeError, match="total of the elements"):
        _ = quantified(glass).mass_thickness


def test_a_g_matrix_of_ones_own_is_fitted_as_it_is(glass):
    response = hspy_ml.g_matrix(glass, composition=GLASS)
    result = quantified(glass, g_matrix=response)
    assert values(result)["Fe"][0] == pytest.approx(13, abs=0.5)
    with pytest.raises(ValueError, match="`geometry`.*`g_matrix`"):
        quantified(glass, g_matrix=response, geometry="film")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "magic"}, "`method` is 'magic'"),
        ({"composition_units": "percent"}, "`composition_units` is 'percent'"),
        ({"geometry": "sphere"}, "`geometry` is 'sphere'"),
        ({"by_stoichiometry": "O", "by_difference": "O"}, "both given"),
        ({"by_stoichiometry": "Xx"}, "'Xx'"),
        ({"by_stoichiometry": "Fe"}, "valence is 2"),
        ({"by_difference": "O"}, "needs to know what the elements sum to"),
        ({"detector": "glass"}, "'glass'"),
        ({"elements": ["Xx"]}, "'Xx'"),
        ({"mass_thickness": -1.0}, "`mass_thickness`"),
        ({"solid_angle_sr": 0.0}, "`solid_angle_sr`"),
        ({"electrons": -1.0}, "`electrons`"),
        ({"num_workers": 0}, "`num_workers`"),
    ],
)
def test_bad_options_are_named(glass, options, message):
    with pytest.raises(ValueError, match=message):
        quantified(glass, **options)


def test_negative_and_missing_counts_are_refused(glass):
    s = glass.deepcopy()
    s.change_dtype("float64")
    s.data[300] = -5
    with pytest.raises(ValueError, match="negative"):
        quantified(s)
    s.data[300] = np.nan
    with pytest.raises(ValueError, match="(?i)nan|finite"):
        quantified(s)


def test_iron_platinum_particles_on_a_copper_grid(shared_data):
    """exspy's spectrum names Fe and Pt alone; 14.5 to 17 at.% of iron, as fits find.

    Cliff-Lorimer with exspy's k-factors gives 15.4.
    """
    s = hs.load(shared_data / "vendor/hspy/EDS_TEM_FePt_nanoparticles.hspy")
    with pytest.warns(UserWarning, match=r"8\.0\d keV \(Cu"):
        alone = values(s.ml_quantify(**QUIET))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        named = values(s.ml_quantify(elements=["Fe", "Pt", "Cu", "Si"], **QUIET))
    for found in (alone, named):
        iron = 100 * found["Fe"][0] / (found["Fe"][0] + found["Pt"][0])
        assert 14.5 < iron < 17


def test_a_line_without_channels_is_named(glass):
    channels = glass.axes_manager[-1].axis > 6.0
    with pytest.raises(ValueError, match="none of Fe K"):
        quantified(glass, signal_mask=channels)


def test_a_spectrum_that_no_element_explains_has_no_composition(glass):
    with pytest.warns(UserWarning, match=r"None of the elements.*suggest_elements"):
        result = quantified(glass, elements=["U", "Pb"])
    assert np.isnan([signal.data[0] for signal in result]).all()
    assert result.goodness_of_fit.data[0] > 100
