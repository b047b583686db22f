# SPDX-License-Identifier: GPL-3.0-or-later
"""Random core-loss spectra: shares, edges, backgrounds, instruments and counts."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.eels_gmatrix import build_eels_g_matrix
from hspy_ml.physics.fractions import reference_columns
from hspy_ml.physics.gmatrix import GMatrix
from hspy_ml.simulation.channel_bins import ChannelBins
from hspy_ml.simulation.eels_bank import EelsTolerances, eels_bank
from hspy_ml.simulation.photon_kernels import draw_channels
from hspy_ml.simulation.random_core_losses import (
    background_mixes,
    core_loss_intensities,
    jump_window,
)

ELEMENTS = ("O", "Ti", "Fe")
EXACT = EelsTolerances(0.0, 0.0)


EXPONENTS = (2.5, 3.0, 3.5, 4.0)


def g_matrix(*, elements=ELEMENTS, low=300.0, white_lines=True):
    acquisition = Acquisition(
        energy=np.arange(low, 951.0),
        technique="EELS",
        beam_energy_keV=200.0,
        convergence_angle_mrad=10.0,
        collection_angle_mrad=20.0,
    )
    return build_eels_g_matrix(
        acquisition,
        elements,
        white_lines=white_lines,
        fit_window=(low, 950),
        exponents=EXPONENTS,
    )


def window_of(g, channels_per_bin=1):
    return ChannelBins((g.matrix > 0).any(axis=1), channels_per_bin)


def small_bank(g, *, counts=(1e3, 1e6), seed=0, channels_per_bin=1, **options):
    options = {"n_populations": 40, "n_instruments": 7, **options}
    bins = window_of(g, channels_per_bin)
    return eels_bank(g, counts=counts, bins=bins, random_state=seed, **options)


def of(g, kind):
    """Columns that measure, white lines, or background."""
    measuring = list(reference_columns(g).values())
    if kind == "measuring":
        return measuring
    if kind == "background":
        return [i for i, c in enumerate(g.columns) if c.element is None]
    return [i for i, c in enumerate(g.columns) if c.name.endswith(" eV")]


@pytest.fixture(scope="module")
def g():
    return g_matrix()


@pytest.fixture(scope="module")
def bank(g):
    return small_bank(g)


def test_columns_are_those_of_the_matrix(g, bank):
    assert bank.columns == g.columns
    assert bank.elements == ELEMENTS
    assert [bank.columns[i].name for i in bank.measuring] == ["O K", "Ti L", "Fe L"]
    assert bank.shapes.shape == (7, len(g.columns), window_of(g).n_bins)


def test_shares_and_shapes_sum_to_one(bank):
    np.testing.assert_allclose(bank.intensities.sum(axis=1), 1)
    np.testing.assert_allclose(bank.atomic_fractions.sum(axis=1), 1)
    np.testing.assert_allclose(bank.shapes.sum(axis=2), 1, rtol=1e-5)
    assert bank.intensities.min() >= 0


@pytest.mark.parametrize("channels_per_bin", [1, 3])
def test_the_instrument_as_described_has_the_matrix(g, channels_per_bin):
    bank = small_bank(g, channels_per_bin=channels_per_bin)
    counted = bank.shapes[0] * (bank.gains[0] * g.matrix.sum(axis=0))[:, None]
    wanted = window_of(g, channels_per_bin).summed(g.matrix.T)
    np.testing.assert_allclose(counted, wanted, rtol=1e-5, atol=1e-6 * wanted.max())


def test_edges_that_measure_count_in_proportion_to_atoms(g, bank):
    """Counts over column sums are atoms, whatever white lines and background are."""
    measuring = of(g, "measuring")
    atoms = bank.intensities[:, measuring] / g.matrix[:, measuring].sum(axis=0)
    found = atoms / atoms.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, bank.atomic_fractions, atol=1e-9)


def test_other_edges_of_an_element_are_uncertain_by_a_quarter():
    """La M at 832 eV measures, La N at 99 eV does not."""
    g = g_matrix(elements=("O", "La"), low=80.0, white_lines=False)
    other = g.names.index("La N")
    own = reference_columns(g)["La"]
    assert own == g.names.index("La M")
    shares = core_loss_intensities(g, np.full((4000, 2), 0.5), (2.0, 2.0), 0)
    sums = g.matrix.sum(axis=0)
    ratio = np.log(shares[:, other] / shares[:, own] / (sums[other] / sums[own]))
    assert ratio.mean() == pytest.approx(0, abs=0.02)
    assert ratio.std() == pytest.approx(0.25, rel=0.05)


def test_white_lines_say_nothing_of_the_concentration(g):
    """They differ by more than tenfold between specimens alike, and may be absent."""
    atoms = np.tile([0.5, 0.3, 0.2], (3000, 1))
    shares = core_loss_intensities(g, atoms, (2.0, 2.0), 0)
    for element in ELEMENTS:
        lines = [i for i in of(g, "white lines") if g.columns[i].element == element]
        edge = reference_columns(g)[element]
        ratio = shares[:, lines].sum(axis=1) / shares[:, edge]
        assert (ratio == 0).mean() == pytest.approx(0.25, abs=0.04)
        low, high = np.quantile(ratio[ratio > 0], [0.05, 0.95])
        assert high > 10 * low
        assert np.median(ratio[ratio > 0]) < 0.3


def test_jump_ratios_of_an_even_mixture_are_in_the_range():
    g = g_matrix(white_lines=False)
    atoms = np.full((2000, 3), 1 / 3)
    shares = core_loss_intensities(g, atoms, (1.2, 4.0), 3)
    parts = g.matrix[jump_window(g)].sum(axis=0) / g.matrix.sum(axis=0)
    background = of(g, "background")
    ratio = (shares * parts).sum(axis=1)
    ratio /= (shares * parts)[:, background].sum(axis=1)
    assert ratio.min() >= 1.2 * (1 - 1e-9)
    assert ratio.max() <= 4.0 * (1 + 1e-9)
    logarithm = np.log(ratio - 1)
    uniform = stats.uniform(np.log(0.2), np.log(3.0 / 0.2))
    assert stats.kstest(logarithm, uniform.cdf).pvalue > 1e-4


def test_the_window_of_the_jump_begins_at_the_first_edge():
    g = g_matrix(white_lines=False)
    energy = g.acquisition.energy[jump_window(g)]
    onset = g.acquisition.energy[g.matrix[:, of(g, "measuring")].any(axis=1)][0]
    assert 450 < onset < 462  # Ti L3, 456 eV
    assert energy[0] == pytest.approx(onset, abs=2)
    assert energy[-1] - energy[0] == pytest.approx(50)


def test_backgrounds_are_power_laws_between_those_of_the_columns():
    """Local exponents lie between 2.5 and 4, and single draws differ."""
    g = g_matrix(white_lines=False)
    background = of(g, "background")
    inside = g.matrix[:, background[0]] > 0
    columns = g.matrix[inside][:, background]
    columns = columns / columns.sum(axis=0)
    mixes = background_mixes(g, 500, 0)
    np.testing.assert_allclose(mixes.sum(axis=1), 1)
    spectra = mixes @ columns.T
    energy = g.acquisition.energy[inside]
    slopes = np.diff(np.log(spectra), axis=1) / np.diff(np.log(energy))
    assert slopes.min() >= -4.0 - 1e-6
    assert slopes.max() <= -2.5 + 1e-6
    assert slopes.mean(axis=1).std() > 0.2


def test_an_offset_moves_the_edges_and_not_the_background(g):
    bank = small_bank(g, tolerances=EelsTolerances(3.0, 0.0), n_instruments=30)
    moved = bank.shapes @ np.arange(bank.n_bins)
    bump = next(i for i in of(g, "white lines") if g.columns[i].name == "Fe L +0 eV")
    shifts = moved[:, bump] - moved[0, bump]
    assert np.abs(shifts).max() < 3.0 + 1e-3
    assert np.ptp(shifts) > 4.0
    edges = np.abs(np.diff(bank.shapes[:, bank.measuring[2]], axis=1)).argmax(axis=1)
    np.testing.assert_allclose(edges - edges[0], shifts, atol=1.01)
    background = of(g, "background")
    np.testing.assert_array_equal(
        bank.shapes[:, background], bank.shapes[:1, background].repeat(30, axis=0)
    )


def test_a_broadening_widens_a_white_line(g):
    bank = small_bank(g, tolerances=EelsTolerances(0.0, 2.0), n_instruments=30)
    bump = next(i for i in of(g, "white lines") if g.columns[i].name == "Fe L +0 eV")
    channel = np.arange(bank.n_bins)
    mean = bank.shapes[:, bump] @ channel
    variance = bank.shapes[:, bump] @ channel**2 - mean**2
    assert variance.min() >= variance[0] - 1e-2
    assert 2.0 < (variance - variance[0]).max() <= 4.05


@pytest.mark.parametrize("counts", [300.0, 4e4, 3e6])
def test_the_mean_of_many_draws_is_the_expectation(g, counts):
    """Chi-square over the channels, of photons drawn one by one and by channel."""
    one = small_bank(g, counts=(counts, counts), tolerances=EXACT, n_populations=1)
    one = replace(
        one,
        intensities=one.intensities[:1],
        atomic_fractions=one.atomic_fractions[:1],
        populations=one.populations[:1],
        instruments_of=one.instruments_of[:1],
    )
    spectra, _, _, shares = one.draw(600, 1)
    assert np.array_equal(spectra, np.rint(spectra))
    expected = counts * (shares[0].astype(float) @ one.shapes[0])
    total = spectra.sum(axis=0, dtype=float)
    statistic = ((total - 600 * expected) ** 2 / (600 * expected)).sum()
    assert 1e-4 < stats.chi2.sf(statistic, one.n_bins) < 1 - 1e-4
    scatter = spectra.var(axis=0, dtype=float).mean() / expected.mean()
    assert scatter == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("mean", [0.0, 0.5, 30.0, 999.0, 1001.0, 1e6])
def test_channels_are_poisson(mean):
    drawn = np.empty((1, 20_000), np.float32)
    draw_channels(np.random.default_rng(2), np.full(drawn.shape, mean), drawn)
    error = np.sqrt(mean / drawn.size)
    assert abs(drawn.mean(dtype=float) - mean) <= 4.5 * error
    assert drawn.var(dtype=float) == pytest.approx(mean, rel=0.06)
    assert np.array_equal(drawn, np.rint(drawn))
    if 0 < mean < 1e5:
        edges = stats.poisson(mean).ppf([0.1, 0.35, 0.65, 0.9])
        wanted = stats.poisson(mean).cdf(edges)
        found = (drawn <= edges[:, None]).mean(axis=1)
        np.testing.assert_allclose(found, wanted, atol=0.02)


def test_counts_are_within_the_range(bank):
    spectra, *_ = bank.draw(500, 0)
    total = spectra.sum(axis=1)
    assert 800 < total.min() < 2500
    assert 4e5 < total.max() < 1.01e6


def test_the_same_seed_gives_the_same_spectra(g, bank):
    again = small_bank(g)
    np.testing.assert_array_equal(bank.intensities, again.intensities)
    np.testing.assert_array_equal(bank.shapes, again.shapes)
    for one, other in zip(bank.draw(50, 4), again.draw(50, 4), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(bank.draw(50, 4)[0], bank.draw(50, 5)[0])
    assert not np.array_equal(bank.intensities, small_bank(g, seed=1).intensities)


def test_the_variance_of_a_count_rises_with_the_background():
    g = g_matrix(white_lines=False)
    strong = small_bank(g, jump_ratios=(4.0, 6.0)).variance_of_a_count
    weak = small_bank(g, jump_ratios=(1.05, 1.1)).variance_of_a_count
    assert 0.3 < strong < weak / 10


def test_a_matrix_of_something_else_is_refused(g):
    bins = window_of(g)
    with pytest.raises(ValueError, match="EELS"):
        eels_bank(replace(g, acquisition=None), counts=(1, 2), bins=bins)
    with pytest.raises(ValueError, match="atoms"):
        eels_bank(replace(g, concentration="mass"), counts=(1, 2), bins=bins)
    for ratios in ((1.0, 2.0), (3.0, 2.0), (2.0, np.inf)):
        with pytest.raises(ValueError, match="jump_ratios"):
            eels_bank(g, counts=(1, 2), bins=bins, jump_ratios=ratios)


def test_a_matrix_made_elsewhere_needs_no_background(g):
    """Every column of an element is an edge; without a background there is none."""
    of_elements = of(g, "measuring")
    other = GMatrix.from_array(
        g.matrix[:, of_elements],
        ["oxygen", "titanium", "iron"],
        ELEMENTS,
        concentration="atomic",
        acquisition=g.acquisition,
    )
    bank = small_bank(other)
    atoms = bank.intensities / other.matrix.sum(axis=0)
    found = atoms / atoms.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, bank.atomic_fractions, atol=1e-9)
