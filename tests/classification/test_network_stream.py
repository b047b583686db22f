# SPDX-License-Identifier: GPL-3.0-or-later
"""Training spectra: the right shapes, Poisson noise, doses over many orders."""

import numpy as np
import pytest
from toy_spots import NAMES, conditions, drawn, shapes, spots

from hspy_ml.classification.network_axis import peak_axis
from hspy_ml.classification.network_spots import PhaseSpots
from hspy_ml.classification.network_stream import PhaseStream, SpectrumBank, draw_bank
from hspy_ml.classification.network_variations import EDS_VARIATIONS
from hspy_ml.counts import SparseCounts
from hspy_ml.counts.building import counts_from_array


def bank(known, severity=0.0, n=50, seed=0):
    severity = np.full(n, severity)
    axis = peak_axis(conditions(), known.shapes.mean(axis=0))
    rng = np.random.default_rng(seed)
    return axis, draw_bank(known, axis, EDS_VARIATIONS, severity, rng)


def test_variants_of_expected_spectra_without_severity_are_the_spectra():
    axis, found = bank(PhaseSpots.from_expected(NAMES, 7 * shapes()))
    starts = np.flatnonzero(np.diff(axis.group, prepend=-1))
    expected = np.add.reduceat(shapes(), starts, axis=1)
    # but for the share that could be anywhere, 0.1 % here and in the references
    np.testing.assert_allclose(found.spectra[:, 7], expected, rtol=0.01, atol=1e-4)
    np.testing.assert_allclose(found.spectra.sum(axis=2), 1, rtol=1e-5)


def test_three_spectra_of_few_counts_give_a_stream():
    measured, labels = drawn(shapes(), 3, 100)
    known = PhaseSpots.from_spectra(measured, labels, NAMES)
    _, found = bank(known, 1.0, 20)
    assert (found.spectra > 0).all()
    _, exact = bank(PhaseSpots.from_expected(NAMES, shapes()))
    distance = 0.5 * np.abs(found.spectra - exact.spectra[:, :20]).sum(axis=2)
    # 300 counts on about 12 peak widths: a sixth of the counts misplaced at most
    assert distance.mean() < 0.17


def test_the_scatter_of_spots_is_in_the_variants():
    rng = np.random.default_rng(2)
    factor = np.exp(0.3 * rng.standard_normal((30, 1)))
    half = np.arange(shapes().shape[1]) < 60
    spread = np.where(half, factor, 1) * shapes()[0]
    alike = np.tile(shapes()[1], (30, 1))
    measured, _ = drawn(np.vstack([spread, alike]), 1, 20000, 3)
    known = PhaseSpots.from_spectra(measured, np.repeat([1, 2], 30), ("x", "y"))
    _, found = bank(known, n=300)
    share = found.spectra[:, :, :20].sum(axis=2)
    deviation = share.std(axis=1) / share.mean(axis=1)
    assert deviation[0] > 5 * deviation[1]


def test_sparse_references_are_like_dense_ones():
    dense, labels = drawn(shapes(), 4, 40)
    sparse = counts_from_array(dense.values)
    assert isinstance(sparse, SparseCounts)
    first, second = (PhaseSpots.from_spectra(c, labels, NAMES) for c in (dense, sparse))
    for one, other in zip(first.scatter, second.scatter, strict=True):
        np.testing.assert_allclose(one, other)


def test_draws_are_poisson_of_the_phase_they_say():
    flat = np.full((2, 1, 40), 1 / 40, np.float32)
    flat[1, 0, :20] = 1 / 20
    flat[1, 0, 20:] = 1e-9
    spectra, phases = PhaseStream(SpectrumBank(flat), (400, 400)).draw(4000, 0)
    assert spectra.dtype == np.float32
    assert np.mean(phases) == pytest.approx(0.5, abs=0.03)
    assert spectra[phases == 1][:, 20:].sum() < 5
    own = spectra[phases == 0]
    # mean 10, variance 10 with 80,000 counts each
    assert own.mean() == pytest.approx(10, rel=0.01)
    assert own.var() == pytest.approx(10, rel=0.03)


def test_doses_are_even_in_their_logarithm():
    _, found = bank(spots(3))
    spectra, _ = PhaseStream(found, (20, 2e5)).draw(3000, 1)
    counts = spectra.sum(axis=1)
    share = np.histogram(np.log10(counts + 1), bins=[1.4, 2.4, 3.4, 4.4])[0] / 3000
    np.testing.assert_allclose(share, 0.25, atol=0.04)


def test_it_repeats_exactly():
    _, found = bank(spots(3))
    first, again = (PhaseStream(found).draw(20, 9) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])


def test_bins_are_half_a_peak_wide():
    axis = peak_axis(conditions(), shapes().mean(axis=0), resolution=0.13)
    width = np.bincount(axis.group)[:-1] * 0.02
    soft = axis.fwhm[np.searchsorted(np.cumsum(shapes().mean(axis=0)), 0.1)]
    assert np.abs(width - soft / 2).max() <= 0.01
    narrow = peak_axis(conditions(), shapes().mean(axis=0), resolution=0.04)
    assert narrow.group[-1] == narrow.energy.size - 1


def test_wrong_sizes_and_resolutions_are_refused():
    with pytest.raises(ValueError, match="select the channels that are used"):
        peak_axis(conditions(), np.ones(7))
    with pytest.raises(ValueError, match="`resolution` is -1"):
        peak_axis(conditions(), shapes()[0], resolution=-1)
