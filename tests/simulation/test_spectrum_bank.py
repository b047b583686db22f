# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra drawn from a bank made by hand: means, noise, doses, truth."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from hspy_ml.physics.gmatrix import Column
from hspy_ml.simulation.spectrum_bank import SpectrumBank

N_SPECIMENS, N_INSTRUMENTS, N_BINS = 6, 4, 37
COLUMNS = (
    Column("Fe K", "element", "Fe", "K"),
    Column("O K", "element", "O", "K"),
    Column("continuum 0", "continuum"),
)


def make_bank(counts=(20.0, 500.0), *, pile_up=0.0, **changes):
    rng = np.random.default_rng(0)
    atoms = rng.dirichlet([1.0, 1.0], N_SPECIMENS)
    bank = SpectrumBank(
        elements=("Fe", "O"),
        columns=COLUMNS,
        unnamed=(),
        measuring=(0, 1),
        transfer=np.eye(2),
        atomic_fractions=atoms,
        populations=np.hstack([atoms, np.full((N_SPECIMENS, 2), 0.1)]),
        intensities=rng.dirichlet([2.0, 2.0, 2.0], N_SPECIMENS),
        shapes=rng.dirichlet(np.ones(N_BINS), (N_INSTRUMENTS, 3)).astype(np.float32),
        gains=rng.uniform(0.5, 2.0, (N_INSTRUMENTS, 3)),
        instruments_of=np.tile(np.arange(N_INSTRUMENTS), (N_SPECIMENS, 1)),
        counts=counts,
        pile_up=pile_up,
    )
    return replace(bank, **changes)


def one_specimen(bank, instrument=0, specimen=0):
    """The bank of a single specimen and instrument."""
    return replace(
        bank,
        atomic_fractions=bank.atomic_fractions[[specimen]],
        populations=bank.populations[[specimen]],
        intensities=bank.intensities[[specimen]],
        instruments_of=np.array([[instrument]]),
    )


def expected_share(bank, instrument=0):
    photons = bank.intensities[0] * bank.gains[instrument]
    return photons / photons.sum()


def test_sizes_and_types():
    bank = make_bank()
    spectra, populations, atoms, shares = bank.draw(11, 0)
    assert bank.n_bins == N_BINS
    shapes = [a.shape for a in (spectra, populations, atoms, shares)]
    assert shapes == [(11, N_BINS), (11, 4), (11, 2), (11, 3)]
    for array in (spectra, populations, atoms, shares):
        assert array.dtype == np.float32
    np.testing.assert_array_equal(spectra, np.rint(spectra))
    assert spectra.min() >= 0


def test_truth_is_that_of_the_specimens():
    bank = make_bank()
    _, _, atoms, shares = bank.draw(200, 1)
    np.testing.assert_allclose(atoms.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    distance = np.abs(atoms[:, None] - bank.atomic_fractions).max(axis=2)
    assert distance.min(axis=1).max() < 1e-6
    assert np.unique(distance.argmin(axis=1)).size == N_SPECIMENS


def test_shares_are_intensities_times_what_the_instrument_counts():
    bank = one_specimen(make_bank(), instrument=2, specimen=3)
    shares = bank.draw(3, 0)[3]
    np.testing.assert_allclose(shares, [expected_share(bank, 2)] * 3, rtol=1e-6)


@pytest.mark.parametrize("counts", [9.0, 140.0, 3000.0])
def test_the_mean_of_many_spectra_is_the_expectation(counts):
    """Chi-square over the bins; 3000 counts are drawn by channel, the others not."""
    bank = one_specimen(make_bank((counts, counts)), instrument=1)
    spectra = bank.draw(1500, 2)[0].astype(float)
    expected = 1500 * counts * (expected_share(bank, 1) @ bank.shapes[1])
    statistic = ((spectra.sum(axis=0) - expected) ** 2 / expected).sum()
    assert 1e-4 < stats.chi2.sf(statistic, N_BINS) < 1 - 1e-4


@pytest.mark.parametrize("counts", [9.0, 140.0, 3000.0])
def test_counts_are_poisson(counts):
    """Variance over mean of every bin, and no correlation between bins."""
    bank = one_specimen(make_bank((counts, counts)))
    spectra = bank.draw(3000, 3)[0].astype(float)
    dispersion = spectra.var(axis=0, ddof=1) / spectra.mean(axis=0)
    assert dispersion.mean() == pytest.approx(1, abs=4.5 * np.sqrt(2 / 3000 / N_BINS))
    total = spectra.sum(axis=1)
    assert total.mean() == pytest.approx(counts, abs=4.5 * np.sqrt(counts / 3000))
    assert total.var() == pytest.approx(counts, rel=0.15)


def test_pixels_in_an_image_tell_its_moments_but_for_an_error():
    """The error is that of a few pixels: smaller the brighter, at most a twentieth."""
    dim, bright = (
        make_bank((counts, counts), variance_of_a_count=1.0).draw(3000, 4)
        for counts in (2.0, 3000.0)
    )
    errors = []
    for _, seen, atoms, _ in (dim, bright):
        inside = (atoms > 0.25).all(axis=1)
        errors.append((seen[:, :2] - atoms)[inside].std())
        assert seen[:, :2].min() >= 0
        assert seen[:, :2].max() <= 1
        assert np.median(seen[:, 2:]) == pytest.approx(0.1, rel=0.05)
        assert np.abs((seen[:, :2] - atoms)[inside].mean()) < 0.01
    assert errors[1] < 0.8 * errors[0]
    assert errors[0] < 0.055


def test_moments_of_anything_are_those_of_all_specimens():
    bank = make_bank()
    mean, scatter = np.split(bank.moments_of_anything, 2)
    np.testing.assert_allclose(mean, bank.atomic_fractions.mean(axis=0))
    np.testing.assert_allclose(scatter, bank.atomic_fractions.std(axis=0))


def test_doses_are_even_over_their_logarithm():
    bank = make_bank((200.0, 20_000.0))
    total = bank.draw(3000, 5)[0].sum(axis=1)
    found = np.histogram(np.log(total), np.log([150, 632, 2000, 6325, 21_000]))[0]
    np.testing.assert_allclose(found / 3000, 0.25, atol=0.04)


def test_only_instruments_of_a_specimen_measure_it():
    """Specimen i by instrument i: each counts in a bin of its own."""
    shapes = np.zeros((N_INSTRUMENTS, 3, N_BINS), np.float32)
    for m in range(N_INSTRUMENTS):
        shapes[m, :, 5 * m + 1] = 1
    atoms = np.linspace(0.1, 0.9, N_SPECIMENS)
    bank = make_bank(
        shapes=shapes,
        atomic_fractions=np.stack([atoms, 1 - atoms], axis=1),
        instruments_of=(np.arange(N_SPECIMENS) % N_INSTRUMENTS)[:, None],
    )
    spectra, _, found, _ = bank.draw(80, 6)
    specimen = np.abs(found[:, :1] - atoms).argmin(axis=1)
    place = 5 * (specimen % N_INSTRUMENTS) + 1
    np.testing.assert_array_equal(spectra[np.arange(80), place], spectra.sum(axis=1))


def test_pile_up_is_at_twice_the_energy_and_not_more_than_it_may_be():
    shapes = np.zeros((N_INSTRUMENTS, 3, N_BINS), np.float32)
    shapes[:, :, 12] = 1
    bank = make_bank((120.0, 120.0), pile_up=0.2, shapes=shapes, zero_channel=3)
    spectra = bank.draw(2000, 7)[0]
    share = spectra[:, 21] / spectra[:, 12]
    assert not np.delete(spectra, [12, 21], axis=1).any()
    assert share.mean() == pytest.approx(0.1, rel=0.05)
    assert np.quantile(share, 0.99) < 0.3


def test_a_column_that_does_not_reach_the_channels_is_harmless():
    bank = make_bank()
    shapes, gains = bank.shapes.copy(), bank.gains.copy()
    shapes[:, 1] = 0
    gains[:, 1] = 0
    bank = replace(bank, shapes=shapes, gains=gains)
    spectra, _, _, shares = bank.draw(60, 8)
    assert np.isfinite(spectra).all()
    assert not shares[:, 1].any()


def test_the_same_seed_gives_the_same_batch():
    bank = make_bank()
    again = make_bank()
    for one, other in zip(bank.draw(15, 3), again.draw(15, 3), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(bank.draw(15, 3)[0], bank.draw(15, 4)[0])
