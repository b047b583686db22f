# SPDX-License-Identifier: GPL-3.0-or-later
"""Photons drawn one by one: the tables, the draws, and photons that pile up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hspy_ml.simulation.photon_kernels import (
    add_piled_up,
    draw_channel,
    draw_column,
    draw_spectra,
    fill_alias_table,
    fill_alias_tables,
)

LEVEL = 1e-4  # of the statistical tests, whose seeds are fixed


def table_of(probability, fill=fill_alias_table):
    threshold = np.empty(probability.size)
    alias = np.empty(probability.size, np.int64)
    fill(probability, threshold, alias)
    return threshold, alias


def tables_of(shapes):
    threshold = np.empty(shapes.shape, np.float32)
    alias = np.empty(shapes.shape, np.uint16)
    fill_alias_tables(shapes, threshold, alias)
    return threshold, alias


def lines(n_columns, n_channels, *places):
    """One instrument whose columns are single channels."""
    shapes = np.zeros((1, n_columns, n_channels))
    shapes[0, np.arange(n_columns), list(places)] = 1
    return shapes


def drawn(shapes, photons, piled_up=None, zero=0, seed=0, instrument=None):
    n = photons.shape[0]
    spectra = np.zeros((n, shapes.shape[2]), np.float32)
    rng = np.random.default_rng(seed)
    instrument = np.zeros(n, int) if instrument is None else instrument
    tables = tables_of(shapes)
    draw_spectra(rng, photons, instrument, *tables, spectra)
    if piled_up is not None:
        add_piled_up(rng, piled_up, photons, instrument, zero, *tables, spectra)
    return spectra


@pytest.mark.parametrize("fill", [fill_alias_table, fill_alias_table.py_func])
@given(
    weights=st.lists(st.sampled_from([0.0, 1e-9, 0.3, 1.0, 7.0, 1e4]), min_size=1),
)
@settings(deadline=None, max_examples=60)
def test_a_table_holds_its_distribution_exactly(fill, weights):
    """Each place is one n-th: its threshold of its own, the rest of its alias."""
    weights = np.array(weights)
    if weights.sum() == 0:
        weights[0] = 1.0
    probability = weights / weights.sum()
    threshold, alias = table_of(probability, fill)
    assert threshold.min() >= -1e-9
    assert threshold.max() <= 1 + 1e-9
    held = threshold + np.bincount(alias, 1 - threshold, minlength=weights.size)
    np.testing.assert_allclose(held / weights.size, probability, atol=1e-12)


def test_draws_follow_the_distribution():
    """Chi-square over 57 channels, one of which is never drawn."""
    rng = np.random.default_rng(1)
    probability = rng.dirichlet(np.full(57, 0.7))
    probability[13] = 0
    probability /= probability.sum()
    threshold, alias = table_of(probability)
    found = np.array([draw_channel(rng, threshold, alias) for _ in range(20_000)])
    counts = np.bincount(found, minlength=57)
    assert counts[13] == 0
    enough = probability * found.size > 5
    observed = np.append(counts[enough], counts[~enough].sum())
    share = np.append(probability[enough], probability[~enough].sum())
    assert stats.chisquare(observed, share * found.size).pvalue > LEVEL


@pytest.mark.parametrize("draw", [draw_column, draw_column.py_func])
def test_columns_are_drawn_in_proportion_to_their_photons(draw):
    photons = np.array([5, 0, 1, 14])
    rng = np.random.default_rng(2)
    found = np.bincount([draw(rng, photons, 20) for _ in range(4000)], minlength=4)
    assert found[1] == 0
    there = photons > 0
    expected = photons[there] / 20 * 4000
    assert stats.chisquare(found[there], expected).pvalue > LEVEL


def test_every_photon_is_counted_once_in_its_column():
    shapes = lines(3, 11, 2, 7, 9)
    photons = np.array([[4, 0, 9], [1, 300, 2], [0, 0, 0], [70, 6, 5]])
    spectra = drawn(shapes, photons)
    np.testing.assert_array_equal(spectra[:, [2, 7, 9]], photons)
    np.testing.assert_array_equal(spectra.sum(axis=1), photons.sum(axis=1))


def test_each_spectrum_is_drawn_by_its_own_instrument():
    shapes = np.concatenate([lines(2, 9, 1, 5), lines(2, 9, 3, 8)])
    photons = np.array([[6, 2], [5, 4], [3, 1]])
    spectra = drawn(shapes, photons, instrument=np.array([1, 0, 1]))
    np.testing.assert_array_equal(spectra[[0, 2]][:, [3, 8]], photons[[0, 2]])
    np.testing.assert_array_equal(spectra[1, [1, 5]], photons[1])


@pytest.mark.parametrize("zero", [0, 2, -3])
def test_two_photons_pile_up_at_the_sum_of_their_energies(zero):
    """Channels 4 and 6, with 3 : 1 photons: sums 9 : 6 : 1, less the zero once."""
    photons = np.tile([30, 10], (500, 1))
    piled_up = np.full(500, 8)
    spectra = drawn(lines(2, 23, 4, 6), photons, piled_up, zero, seed=3)
    extra = spectra.sum(axis=0, dtype=int)
    extra[[4, 6]] -= photons.sum(axis=0)
    places = np.array([8, 10, 12]) - zero
    assert extra.sum() == 500 * 8
    assert extra[places].sum() == 500 * 8
    wanted = np.array([9, 6, 1]) / 16 * 4000
    assert stats.chisquare(extra[places], wanted).pvalue > LEVEL


def test_sums_beyond_the_axis_are_lost():
    photons = np.array([[5, 5]])
    spectra = drawn(lines(2, 9, 5, 6), photons, np.array([40]))
    assert spectra.sum() == 10


def test_an_empty_spectrum_does_not_pile_up():
    spectra = drawn(lines(2, 9, 1, 2), np.zeros((3, 2), int), np.full(3, 5))
    assert not spectra.any()


def test_the_same_seed_gives_the_same_photons():
    shapes = np.full((1, 2, 31), 1 / 31)
    photons = np.array([[40, 20]])
    np.testing.assert_array_equal(drawn(shapes, photons), drawn(shapes, photons))
    assert not np.array_equal(drawn(shapes, photons), drawn(shapes, photons, seed=1))
