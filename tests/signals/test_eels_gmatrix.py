# SPDX-License-Identifier: GPL-3.0-or-later
"""The G-matrix of an EELS signal, and the electrons that came."""

import warnings

import numpy as np
import pytest
from eels_scenes import ELEMENTS, make_eels, phase_spectra, scene

import hspy_ml
from hspy_ml.physics.eels_gmatrix import build_eels_g_matrix
from hspy_ml.physics.fractions import reference_columns
from hspy_ml.signals.low_loss import incident_counts, low_loss_from_signal


@pytest.fixture(scope="module")
def spectrum():
    counts = 1e7 * phase_spectra()[0] / phase_spectra()[0].sum()
    return np.random.default_rng(0).poisson(counts)


def low_loss_signal(shape=(), counts=1e6, offset=-20.0, dwell_time=None):
    energy = offset + 0.5 * np.arange(200)
    data = np.exp(-0.5 * (energy / 0.7) ** 2)
    data += 0.05 * np.exp(-0.5 * ((energy - 20) / 4) ** 2)
    data = counts * np.broadcast_to(data / data.sum(), (*shape, 200))
    s = make_eels(data, low=offset, width=0.5)
    if dwell_time is not None:
        key = "Acquisition_instrument.TEM.Detector.EELS.dwell_time"
        s.metadata.set_item(key, dwell_time)
    return s


def test_it_is_for_the_channels_and_elements_of_the_signal(spectrum):
    s = make_eels(spectrum, elements=ELEMENTS)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        g_matrix = hspy_ml.g_matrix(s)
    assert g_matrix.matrix.shape[0] == 661
    assert g_matrix.elements == ("C", "N", "O", "Ti", "Fe")
    assert g_matrix.acquisition.collection_angle_mrad == 20
    assert g_matrix.to_signal().metadata.Signal.signal_type == "EELS"


def test_axes_in_ev_and_kev_are_the_same(spectrum):
    matrices = [
        hspy_ml.g_matrix(make_eels(spectrum, units=units), ["O", "Ti"]).matrix
        for units in ("eV", "keV")
    ]
    np.testing.assert_allclose(matrices[0], matrices[1], rtol=1e-6, atol=1e-20)


@pytest.mark.parametrize("lazy", [False, True])
def test_it_is_the_same_for_a_map_and_its_sum(lazy):
    s, _ = scene((4, 5))
    total = hspy_ml.g_matrix(s.sum(), ELEMENTS)
    g_matrix = hspy_ml.g_matrix(s.as_lazy() if lazy else s, ELEMENTS)
    assert g_matrix.names == total.names
    np.testing.assert_allclose(g_matrix.matrix, total.matrix)


def test_angles_that_are_missing_are_assumed_with_one_warning(spectrum):
    s = make_eels(spectrum, angles=False)
    with pytest.warns(UserWarning, match="convergence_angle=25, collection_angle=40"):
        g_matrix = hspy_ml.g_matrix(s, ["O"])
    assert g_matrix.acquisition.convergence_angle_mrad == 25


def test_a_parallel_beam_is_taken_as_such(spectrum):
    s = make_eels(spectrum)
    s.set_microscope_parameters(convergence_angle=0)
    assert hspy_ml.g_matrix(s, ["O"]).acquisition.convergence_angle_mrad == 0


def test_numbers_that_are_not_single_electrons_are_told(spectrum):
    with pytest.warns(UserWarning, match="too small. Divide the signal"):
        hspy_ml.g_matrix(make_eels(25.0 * spectrum), ["O", "Ti"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"elements": ["Sr"]}, r"'Sr'.* has no edge"),
        ({"elements": ["O"], "geometry": "film"}, "leave them out for EELS"),
        ({"elements": ["O"], "fit_window": (1, 2)}, "`fit_window`"),
        ({"elements": ["O"], "gos": "slater"}, "`gos`"),
    ],
)
def test_what_makes_no_sense_is_refused(spectrum, options, message):
    with pytest.raises(ValueError, match=message):
        hspy_ml.g_matrix(make_eels(spectrum), **options)


def test_a_beam_energy_is_needed(spectrum):
    s = make_eels(spectrum)
    del s.metadata.Acquisition_instrument.TEM.beam_energy
    with pytest.raises(ValueError, match="beam_energy=200"):
        hspy_ml.g_matrix(s, ["O"])


def test_options_of_eels_are_not_for_x_rays(eds):
    with pytest.raises(ValueError, match="are for EELS"):
        hspy_ml.g_matrix(eds(), fit_window=(1, 2))


def test_edges_are_convolved_with_the_low_loss(spectrum):
    s = make_eels(spectrum)
    bare, convolved = (
        hspy_ml.g_matrix(s, ["O"], low_loss=low_loss, white_lines=False).matrix[:, 0]
        for low_loss in (None, low_loss_signal((3, 2)))
    )
    energy = 240 + np.arange(661)
    onset = (energy > 533) & (energy < 545)
    assert convolved[onset].sum() < 0.97 * bare[onset].sum()
    after = (energy > 600) & (energy < 680)
    assert convolved[after].sum() == pytest.approx(bare[after].sum(), rel=0.06)


def test_a_low_loss_needs_a_zero_loss_peak(spectrum):
    with pytest.raises(ValueError, match="without a zero-loss peak"):
        hspy_ml.g_matrix(make_eels(spectrum), ["O"], low_loss=low_loss_signal(offset=5))
    with pytest.raises(TypeError, match="HyperSpy signal"):
        low_loss_from_signal(np.ones(9))


def test_incident_electrons_are_the_whole_low_loss():
    low_loss = low_loss_signal((3, 4), counts=5e5)
    assert incident_counts(low_loss) == pytest.approx(np.full(12, 5e5), rel=1e-3)
    lazy = low_loss.as_lazy()
    np.testing.assert_allclose(incident_counts(lazy), incident_counts(low_loss))


def test_they_are_scaled_to_the_exposure_of_the_core_loss(spectrum):
    s = make_eels(np.tile(spectrum, (3, 4, 1)))
    s.metadata.set_item("Acquisition_instrument.TEM.Detector.EELS.exposure", 0.5)
    low_loss = low_loss_signal((3, 4), counts=5e5, dwell_time=1e-3)
    found = incident_counts(low_loss, s)
    assert found == pytest.approx(np.full(12, 500 * 5e5), rel=1e-3)
    single = incident_counts(low_loss_signal(counts=5e5, dwell_time=1e-3), s)
    assert single == pytest.approx(found, rel=1e-3)


def test_exposures_that_are_not_known_are_told(spectrum):
    s = make_eels(spectrum)
    with pytest.warns(UserWarning, match="taken as the same"):
        assert incident_counts(low_loss_signal(), s) == pytest.approx([1e6], rel=1e-3)


def test_another_map_is_refused(spectrum):
    s = make_eels(np.tile(spectrum, (3, 4, 1)))
    with pytest.raises(ValueError, match="`low_loss` has a map of the shape"):
        incident_counts(low_loss_signal((4, 3)), s)


def test_pixels_without_electrons_are_refused():
    low_loss = low_loss_signal((2, 3))
    low_loss.data = low_loss.data.copy()
    low_loss.data[1, 2] = 0
    with pytest.raises(ValueError, match="1 pixels without counts"):
        incident_counts(low_loss)


def test_a_measured_line_scan_has_the_thickness_of_its_plasmons(shared_data):
    """SrTiO3 has 16.8 Ti atoms/nm3; t/lambda is 0.45, lambda about 100 nm."""
    import hyperspy.api as hs

    from hspy_ml.counts.building import counts_from_array
    from hspy_ml.quantification.weights import fit_weights

    folder = shared_data / "vendor" / "hspy"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        s = hs.load(folder / "LSMO_STO_linescan.hspy")
        low_loss = hs.load(folder / "LSMO_STO_linescan_low_loss.hspy")
        g_matrix = hspy_ml.g_matrix(s, ["La", "Mn", "Ti", "O"], low_loss=low_loss)
    columns = reference_columns(g_matrix)
    fit = fit_weights(counts_from_array(s.data), g_matrix.matrix, reported=[])
    areal = (
        fit.weights[:, list(columns.values())] / incident_counts(low_loss, s)[:, None]
    )
    thickness_nm = areal[:3, list(columns).index("Ti")] / 16.8
    assert ((thickness_nm > 35) & (thickness_nm < 60)).all()
    percent = 100 * areal / areal.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(percent[:3].mean(0), [0, 0, 25, 75], atol=5)
    np.testing.assert_allclose(percent[5:].mean(0), [14.9, 21.3, 0, 63.8], atol=3)


def test_white_lines_are_drawn_without_a_label_of_their_own(spectrum):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    s = make_eels(spectrum)
    g_matrix = hspy_ml.g_matrix(s, ["O", "Ti"])
    bare = build_eels_g_matrix(g_matrix.acquisition, ["O", "Ti"])
    labels = bare.plot().get_legend_handles_labels()[1]
    assert len(labels) < len(bare.names)
    assert [name for name in labels if name.endswith(" eV")] == []
    assert {"O K", "Ti L"} <= set(labels)


def test_as_a_signal_it_knows_its_angles(spectrum):
    signal = hspy_ml.g_matrix(make_eels(spectrum), ["O", "Ti"]).to_signal()
    microscope = signal.metadata.Acquisition_instrument.TEM
    assert microscope.Detector.EELS.collection_angle == 20
    assert microscope.convergence_angle == 10


def test_a_signal_without_counts_has_one_too():
    g_matrix = hspy_ml.g_matrix(make_eels(np.zeros((2, 3, 661))), ["O", "Ti"])
    assert "background E^-2.00" in g_matrix.names
