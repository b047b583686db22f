# SPDX-License-Identifier: GPL-3.0-or-later
"""Random X-ray spectra: the truth of the specimens is in the intensities."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.detector import make_detector
from hspy_ml.physics.fractions import reference_columns
from hspy_ml.physics.gmatrix import build_g_matrix
from hspy_ml.physics.specimen import Specimen
from hspy_ml.quantification.unmeasured import VALENCES, by_stoichiometry
from hspy_ml.simulation.channel_bins import ChannelBins
from hspy_ml.simulation.random_instruments import Tolerances
from hspy_ml.simulation.xray_bank import xray_bank, xray_columns
from hspy_ml.simulation.xray_specimens import XraySpecimens, population_moments

EXACT = Tolerances(0.0, 0.0, 0.0, 0.0, 0.0)
METALS = ("Al", "Ti", "Fe")
FILM = XraySpecimens(METALS, np.eye(3), METALS, "film")
BULK = replace(FILM, geometry="bulk")


def acquisition(technique="EDS_TEM"):
    return Acquisition(
        np.arange(0.1, 9.0, 0.02),
        technique,
        200.0 if technique == "EDS_TEM" else 15.0,
        30.0,
        make_detector("polymer"),
    )


def window(at, channels_per_bin=1):
    return ChannelBins(at.energy > 0.2, channels_per_bin)


def small_bank(specimens=FILM, *, technique="EDS_TEM", seed=0, bins=None, **options):
    at = acquisition(technique)
    options = {"n_populations": 12, "n_instruments": 5, **options}
    return xray_bank(
        at,
        specimens,
        counts=options.pop("counts", (50.0, 900.0)),
        bins=bins or window(at),
        random_state=seed,
        **options,
    )


def of_families(bank):
    return [i for i, c in enumerate(bank.columns) if c.family]


def relative(rows):
    return rows / rows.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def film():
    return small_bank()


@pytest.fixture(scope="module")
def bulk():
    return small_bank(BULK, technique="EDS_SEM", n_instruments=9)


def test_columns_are_those_of_the_matrix(film):
    g = xray_columns(acquisition(), FILM, 3)
    assert film.columns == g.columns
    assert film.measuring == tuple(reference_columns(g)[e] for e in METALS)
    assert film.shapes.shape == (5, len(g.columns), film.n_bins)


@pytest.mark.parametrize("bank", ["film", "bulk"])
def test_shares_and_shapes_sum_to_one(bank, request):
    bank = request.getfixturevalue(bank)
    assert bank.intensities.min() >= 0
    np.testing.assert_allclose(bank.intensities.sum(axis=1), 1)
    np.testing.assert_allclose(bank.atomic_fractions.sum(axis=1), 1)
    sums = bank.shapes.sum(axis=2)
    assert (np.isclose(sums, 1, atol=1e-5) | (sums == 0)).all()


@pytest.mark.parametrize("channels_per_bin", [1, 3])
def test_the_instrument_as_described_has_the_matrix(channels_per_bin):
    """What a share of its column counts, wherever the window cuts."""
    at = acquisition()
    bins = window(at, channels_per_bin)
    bank = small_bank(bins=bins)
    g = xray_columns(at, FILM, 3).matrix
    counted = bank.shapes[0] * (bank.gains[0] * g.sum(axis=0))[:, None]
    wanted = bins.summed(g.T)
    np.testing.assert_allclose(counted, wanted, rtol=1e-5, atol=1e-6 * wanted.max())


def assert_in_proportion_to_mass(bank):
    """Mass fractions times the column sums of G, for the columns that measure."""
    g = xray_columns(acquisition(), FILM, 3)
    measuring = list(bank.measuring)
    expected = FILM.mass_fractions(bank.atomic_fractions)
    expected = expected * g.matrix[:, measuring].sum(axis=0)
    found = bank.intensities[:, measuring]
    np.testing.assert_allclose(relative(found), relative(expected), atol=1e-9)


def test_in_a_film_lines_count_in_proportion_to_mass(film):
    assert_in_proportion_to_mass(film)


def test_in_an_absorbing_film_light_elements_lose():
    """The same compositions; Al at 1.5 keV is absorbed more than Fe at 6.4."""
    thick = small_bank(replace(FILM, mass_thickness=3e-4))
    thin = small_bank()
    np.testing.assert_array_equal(thick.atomic_fractions, thin.atomic_fractions)
    aluminium, _, iron = thin.measuring
    both = (thin.atomic_fractions[:, [0, 2]] > 0.01).all(axis=1)
    ratios = [
        bank.intensities[both, aluminium] / bank.intensities[both, iron]
        for bank in (thick, thin)
    ]
    assert (ratios[0] < ratios[1]).all()


@pytest.mark.parametrize("row", [0, 3, 7])
def test_in_a_bulk_intensities_are_those_of_a_matrix_of_that_composition(bulk, row):
    atoms = bulk.atomic_fractions[64 * row + 5]
    mass = BULK.mass_fractions(atoms)
    specimen = Specimen(dict(zip(METALS, mass.tolist(), strict=True)), "bulk")
    g = build_g_matrix(acquisition("EDS_SEM"), METALS, specimen)
    names = [bulk.columns[i].name for i in bulk.measuring]
    sums = g.matrix[:, [g.names.index(name) for name in names]].sum(axis=0)
    found = bulk.intensities[64 * row + 5, list(bulk.measuring)]
    wanted = mass * sums
    np.testing.assert_allclose(found / found.sum(), wanted / wanted.sum(), rtol=1e-6)


@pytest.mark.parametrize("bank", ["film", "bulk"])
def test_an_absent_element_has_no_counts(bank, request):
    bank = request.getfixturevalue(bank)
    for place, element in enumerate(METALS):
        absent = bank.atomic_fractions[:, place] == 0
        own = [i for i, c in enumerate(bank.columns) if c.element == element]
        assert absent.any()
        assert not bank.intensities[absent][:, own].any()
        assert (bank.intensities[~absent][:, own].sum(axis=1) > 0).all()


def test_families_of_uncertain_intensity_scatter_about_the_right_one(film):
    """Fe L beside Fe K: a log-normal factor about the ratio of the column sums."""
    g = xray_columns(acquisition(), FILM, 3)
    other, own = g.names.index("Fe L"), g.names.index("Fe K")
    there = film.atomic_fractions[:, 2] > 0
    ratio = film.intensities[there, other] / film.intensities[there, own]
    sums = g.matrix.sum(axis=0)
    factor = np.log(ratio / (sums[other] / sums[own]))
    assert abs(factor.mean()) < 4.5 * factor.std() / np.sqrt(factor.size)
    assert 0.1 < factor.std() < 0.5


def test_oxygen_balances_the_charges():
    elements = ("O", "Mg", "Si")
    transfer = by_stoichiometry(elements, "O", "atomic").transfer
    bank = small_bank(XraySpecimens(elements, transfer, ("Mg", "Si"), "film"))
    charges = np.array([-2.0, VALENCES["Mg"], VALENCES["Si"]])
    np.testing.assert_allclose(bank.atomic_fractions @ charges, 0, atol=1e-12)
    assert bank.atomic_fractions.min(axis=0)[0] > 0
    assert [bank.columns[i].element for i in bank.measuring] == ["Mg", "Si"]


def test_elements_that_nobody_named_may_be_there_and_do_not_count():
    specimens = replace(FILM, unnamed=("Cu", "C"))
    bank = small_bank(specimens)
    assert bank.unnamed == ("Cu", "C")
    assert [c.name.split()[0] for c in bank.columns[-2:]] == ["Cu", "C"]
    assert not any(c.quantitative for c in bank.columns[-2:])
    assert bank.atomic_fractions.shape[1] == 3
    there = bank.intensities[:, -2:] > 0
    assert ((there.mean(axis=0) > 0.2) & (there.mean(axis=0) < 0.8)).all()
    assert 0.1 < (~there).all(axis=1).mean() < 0.6
    np.testing.assert_allclose(bank.intensities.sum(axis=1), 1)
    assert_in_proportion_to_mass(bank)


def test_an_unnamed_element_has_all_its_lines():
    at = acquisition()
    bank = small_bank(replace(FILM, unnamed=("Cu",)))
    g = build_g_matrix(at, ["Cu"], Specimen({}), continuum_degree=None)
    wanted = window(at).summed(g.matrix.sum(axis=1))
    np.testing.assert_allclose(bank.shapes[0, -1], wanted / wanted.sum(), atol=1e-7)


def test_peaks_are_shifted_and_widened_within_the_tolerances():
    """Fe Ka of 40 instruments: at most 8 eV away; widths from -10 % to 10 %."""
    at = acquisition()
    limits = Tolerances(8.0, 0.0, 0.1, 0.0, 0.0)
    bank = small_bank(n_instruments=40, tolerances=limits)
    energy = at.energy[at.energy > 0.2]
    near = np.abs(energy - 6.40) < 0.25
    shape = relative(bank.shapes[:, bank.measuring[2], near].astype(float))
    centre = shape @ energy[near]
    width = np.sqrt(shape @ energy[near] ** 2 - centre**2)
    shift_eV = 1e3 * (centre - centre[0])
    assert 5 < np.abs(shift_eV).max() < 8.3
    assert 0.05 < np.abs(width / width[0] - 1).max() < 0.11


def test_exact_instruments_are_alike():
    bank = small_bank(tolerances=EXACT)
    np.testing.assert_allclose(bank.shapes, bank.shapes[:1].repeat(5, 0), atol=1e-6)
    np.testing.assert_allclose(bank.gains, bank.gains[:1].repeat(5, 0), rtol=1e-6)


def test_an_angle_changes_what_an_absorbed_line_counts():
    """Gains of Al K in a bulk rise with the take-off angle, those of Fe K hardly."""
    bank = small_bank(
        BULK,
        technique="EDS_SEM",
        n_instruments=25,
        tolerances=Tolerances(0.0, 0.0, 0.0, 4.0, 0.0),
    )
    aluminium, _, iron = bank.measuring
    assert np.ptp(bank.gains[:, aluminium]) > 3 * np.ptp(bank.gains[:, iron]) > 0


def test_bulk_specimens_are_measured_by_instruments_made_for_the_like():
    """Several of 40, all different; none for both aluminium and iron."""
    bank = small_bank(BULK, technique="EDS_SEM", n_instruments=40)
    chosen = bank.instruments_of
    assert 1 < chosen.shape[1] < 20
    assert (np.diff(np.sort(chosen, axis=1), axis=1) > 0).all()
    assert chosen.min() >= 0 and chosen.max() < 40
    light, _, heavy = (chosen[bank.atomic_fractions[:, k] > 0.95] for k in range(3))
    assert light.size and heavy.size
    assert not set(light.ravel()) & set(heavy.ravel())


def test_another_instrument_has_its_own_matrix(monkeypatch):
    """In a film that does not absorb: a windowless detector beside the one stated."""
    stated = acquisition()
    other = replace(stated, detector=make_detector("windowless", 125.0))
    monkeypatch.setattr(
        "hspy_ml.simulation.xray_bank.draw_acquisitions", lambda *_: [stated, other]
    )
    bank = small_bank(n_instruments=2)
    lines = of_families(bank)
    amounts = xray_columns(stated, FILM, 3).matrix.sum(axis=0)[lines]
    counted = bank.shapes[1, lines] * (bank.gains[1, lines] * amounts)[:, None]
    wanted = window(other).summed(xray_columns(other, FILM, 3).matrix.T[lines])
    np.testing.assert_allclose(counted, wanted, rtol=5e-3, atol=5e-3 * wanted.max())
    assert bank.gains[1, lines].max() > 1.1


def test_where_energy_is_zero():
    """Channel 0 is at 0.1 keV, the window begins at 0.22: zero is 11 bins before it."""
    bank = small_bank()
    at = acquisition()
    first = at.energy[at.energy > 0.2][0]
    assert bank.zero_channel == -round(first / 0.02)


def test_many_draws_of_a_specimen_have_the_expected_spectrum(film):
    """Chi-square over the channels, at 300 counts."""
    one = replace(
        film,
        intensities=film.intensities[:1],
        atomic_fractions=film.atomic_fractions[:1],
        populations=film.populations[:1],
        instruments_of=np.array([[2]]),
        counts=(300.0, 300.0),
        pile_up=0.0,
    )
    spectra, _, _, shares = one.draw(2000, 0)
    expected = 2000 * 300 * (shares[0].astype(float) @ one.shapes[2])
    total = spectra.sum(axis=0, dtype=float)
    enough = expected > 5
    observed = np.append(total[enough], total[~enough].sum())
    expected = np.append(expected[enough], expected[~enough].sum())
    statistic = ((observed - expected) ** 2 / np.maximum(expected, 1e-9)).sum()
    assert enough.sum() > 50
    assert 1e-4 < stats.chi2.sf(statistic, expected.size) < 1 - 1e-4


def test_moments_of_a_population_are_those_of_its_pixels():
    rng = np.random.default_rng(0)
    atoms = rng.dirichlet([1.0, 2.0, 3.0], (4, 7))
    moments = population_moments(atoms, np.array([False, True, False, True]))
    assert moments.shape == (4, 7, 6)
    np.testing.assert_array_equal(moments, moments[:, :1].repeat(7, axis=1))
    np.testing.assert_allclose(moments[0, 0, :3], atoms[0].mean(axis=0))
    np.testing.assert_allclose(moments[2, 0, 3:], atoms[2].std(axis=0))
    together = atoms[[1, 3]].reshape(14, 3)
    for population in (1, 3):
        np.testing.assert_allclose(moments[population, 0, :3], together.mean(axis=0))
        np.testing.assert_allclose(moments[population, 0, 3:], together.std(axis=0))


def test_the_same_seed_gives_the_same_bank(film):
    again = small_bank()
    np.testing.assert_array_equal(film.intensities, again.intensities)
    np.testing.assert_array_equal(film.shapes, again.shapes)
    np.testing.assert_array_equal(film.gains, again.gains)
    assert not np.array_equal(film.intensities, small_bank(seed=1).intensities)


def test_without_continuum_there_are_lines_only():
    bank = small_bank(continuum_degree=None)
    assert all(column.kind == "element" for column in bank.columns)
    np.testing.assert_allclose(bank.intensities.sum(axis=1), 1)


def test_a_window_that_cuts_an_element_off_keeps_the_others():
    """Above 2 keV no line of aluminium is seen; its column has no counts."""
    at = acquisition()
    bank = small_bank(bins=ChannelBins(at.energy > 2.5))
    spectra, _, _, shares = bank.draw(50, 0)
    assert shares[:, bank.measuring[0]].max() < 1e-6
    assert np.isfinite(spectra).all()
