# SPDX-License-Identifier: GPL-3.0-or-later
"""Compositions of the pixels of an image, and what the image tells."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy import sparse
from small_networks import ACQUISITION, BINS, METALS, one_specimen

from hspy_ml.counts import DenseCounts, SparseCounts, channel_sums
from hspy_ml.physics.composition import atomic_to_mass_fractions
from hspy_ml.physics.gmatrix import build_g_matrix
from hspy_ml.physics.specimen import Specimen
from hspy_ml.quantification.network_quantify import (
    NetworkQuantification,
    closed_covariance,
    flagged,
    quantify_by_network,
)

N_CHANNELS = ACQUISITION.energy.size
SHAPE = (9, 12)
N_PIXELS = 108


def image_counts(atoms, counts, n=N_PIXELS, seed=0):
    """Channels, drawn evenly within the bins, of pixels of one composition."""
    bank = one_specimen(atoms, counts)
    spectra = bank.draw(n, seed)[0]
    rng = np.random.default_rng(seed)
    place = BINS.bin_of_channel
    whole = np.zeros((n, N_CHANNELS), np.uint16)
    for b in range(BINS.n_bins):
        channels = np.flatnonzero(place == b)
        even = np.full(channels.size, 1 / channels.size)
        whole[:, channels] = rng.multinomial(spectra[:, b].astype(int), even)
    return whole, bank.atomic_fractions[0]


def as_sparse(array):
    rows = sparse.csr_array(array)
    return SparseCounts(
        rows.indptr.astype(np.int64),
        rows.indices.astype(np.uint16),
        rows.data,
        array.shape[1],
    )


def quantified(model, array, shape=SHAPE, there=None, make=DenseCounts, **options):
    there = np.ones(int(np.prod(shape)), bool) if there is None else there
    channels = np.arange(N_CHANNELS)
    return quantify_by_network(model, make(array), channels, shape, there, **options)


def error(found, truth):
    return np.sqrt(np.mean((found.atomic_fractions - truth) ** 2))


@pytest.fixture(scope="module")
def alloy():
    """108 pixels of one composition, 60 counts each."""
    return image_counts([0.2, 0.3, 0.5], 60.0)


@pytest.mark.parametrize("prior", ["neighbours", "image", "anything"])
def test_fractions_sum_to_one(model, alloy, prior):
    found = quantified(model, alloy[0], prior=prior)
    assert found.elements == METALS
    assert found.atomic_fractions.shape == found.deviations.shape == (N_PIXELS, 3)
    assert found.goodness.shape == (N_PIXELS,)
    np.testing.assert_allclose(found.atomic_fractions.sum(axis=1), 1, rtol=1e-5)
    assert (found.deviations > 0).all()


@pytest.mark.parametrize("prior", ["neighbours", "image", "anything"])
def test_sparse_and_dense_counts_give_the_same(model, alloy, prior):
    dense = quantified(model, alloy[0], prior=prior)
    other = quantified(model, alloy[0], make=as_sparse, prior=prior)
    np.testing.assert_array_equal(dense.atomic_fractions, other.atomic_fractions)
    np.testing.assert_array_equal(dense.deviations, other.deviations)
    np.testing.assert_array_equal(dense.goodness, other.goodness)


@pytest.mark.parametrize("size", [1, 25, 108])
def test_blocks_do_not_matter(model, alloy, size, monkeypatch):
    whole = quantified(model, alloy[0])
    monkeypatch.setattr(channel_sums, "PIXELS_PER_BLOCK", size)
    found = quantified(model, alloy[0])
    np.testing.assert_allclose(
        found.atomic_fractions, whole.atomic_fractions, atol=2e-4
    )
    np.testing.assert_allclose(found.deviations, whole.deviations, rtol=5e-3)


def test_threads_do_not_matter(model, alloy, monkeypatch):
    monkeypatch.setattr(channel_sums, "PIXELS_PER_BLOCK", 20)
    one, three = (quantified(model, alloy[0], num_workers=n) for n in (1, 3))
    np.testing.assert_array_equal(one.atomic_fractions, three.atomic_fractions)


@pytest.mark.parametrize("prior", ["image", "anything"])
def test_the_order_of_the_pixels_does_not_matter(model, alloy, prior):
    """Neighbours left out, a pixel's place says nothing."""
    order = np.random.default_rng(2).permutation(N_PIXELS)
    whole = quantified(model, alloy[0], prior=prior)
    mixed = quantified(model, alloy[0][order], prior=prior)
    wanted = whole.atomic_fractions[order]
    np.testing.assert_allclose(mixed.atomic_fractions, wanted, atol=2e-4)


def test_without_a_prior_other_pixels_do_not_matter(model, alloy):
    whole = quantified(model, alloy[0], prior="anything")
    few = quantified(model, alloy[0][:7], (7,), prior="anything")
    np.testing.assert_allclose(
        few.atomic_fractions, whole.atomic_fractions[:7], atol=2e-4
    )


def test_what_the_image_tells_makes_errors_smaller(model, alloy):
    """Of one composition: nothing known, the image, the neighbours."""
    array, truth = alloy
    alone = quantified(model, array, prior="anything")
    for prior in ("image", "neighbours"):
        found = quantified(model, array, prior=prior)
        assert error(found, truth) < 0.8 * error(alone, truth)
        assert found.deviations.mean() < alone.deviations.mean()


def test_two_halves_are_not_mixed(model):
    (left, first), (right, second) = (
        image_counts(atoms, 400.0, 54, seed)
        for seed, atoms in enumerate(([1.0, 0.0, 0.0], [0.0, 0.3, 0.7]))
    )
    array = np.concatenate([left.reshape(9, 6, -1), right.reshape(9, 6, -1)], axis=1)
    found = quantified(model, array.reshape(N_PIXELS, -1))
    atoms = found.atomic_fractions.reshape(9, 12, 3)
    assert np.abs(atoms[:, 0].mean(axis=0) - first).max() < 0.04
    assert np.abs(atoms[:, -1].mean(axis=0) - second).max() < 0.04


def test_an_image_of_a_few_pixels_tells_nothing(model, alloy):
    found = [
        quantified(model, alloy[0][:6], (2, 3), prior=prior).atomic_fractions
        for prior in ("neighbours", "image", "anything")
    ]
    np.testing.assert_array_equal(found[0], found[2])
    np.testing.assert_array_equal(found[1], found[2])


def test_channels_that_were_left_out_do_not_matter(model, alloy):
    """Counts of the channels that the model uses alone, with their numbers."""
    used = np.flatnonzero(BINS.used_channels)
    there = np.ones(N_PIXELS, bool)
    counts = DenseCounts(np.ascontiguousarray(alloy[0][:, used]))
    found = quantify_by_network(model, counts, used, SHAPE, there)
    wanted = quantified(model, alloy[0])
    np.testing.assert_array_equal(found.atomic_fractions, wanted.atomic_fractions)


def test_pixels_that_are_left_out(model, alloy):
    there = np.ones(N_PIXELS, bool)
    there[[4, 50, 51, 99]] = False
    found = quantified(model, alloy[0][there], there=there)
    assert found.atomic_fractions.shape == (104, 3)
    np.testing.assert_allclose(found.atomic_fractions.sum(axis=1), 1, rtol=1e-5)


def test_empty_pixels_have_the_prior_with_its_width(model, alloy):
    """Of anything, or of the image; and they tell the image nothing."""
    array = alloy[0].copy()
    array[10:20] = 0
    anything = quantified(model, array, prior="anything")
    mean, scatter = np.split(model.network.anything.numpy(), 2)
    np.testing.assert_allclose(anything.atomic_fractions[10:20], [mean] * 10, atol=0.06)
    assert (anything.deviations[10:20] > 0.5 * scatter).all()
    assert (anything.readings.counts[10:20] == 0).all()
    kept = np.delete(np.arange(N_PIXELS), np.s_[10:20])
    with_holes = quantified(model, array, prior="image").atomic_fractions[kept]
    alone = quantified(model, array[kept], (98,), prior="image").atomic_fractions
    np.testing.assert_allclose(with_holes, alone, atol=2e-4)


def test_foreign_elements_are_flagged_and_tell_the_image_nothing(model, alloy):
    """Silicon in 20 of the pixels, three times the counts of all else."""
    g = build_g_matrix(ACQUISITION, ["Si"], Specimen({}), continuum_degree=None)
    spectrum = g.matrix.sum(axis=1)
    rng = np.random.default_rng(0)
    array = alloy[0].astype(int)
    array[30:50] += rng.poisson(200 * spectrum / spectrum.sum(), (20, N_CHANNELS))
    found = quantified(model, array, prior="image")
    assert flagged(found.goodness)[30:50].mean() > 0.9
    others = np.delete(np.arange(N_PIXELS), np.s_[30:50])
    assert flagged(found.goodness)[others].mean() < 0.08
    plain = quantified(model, alloy[0][others], (88,), prior="image")
    np.testing.assert_allclose(
        found.atomic_fractions[others], plain.atomic_fractions, atol=2e-3
    )


def test_progress_is_told(model, alloy, monkeypatch):
    monkeypatch.setattr(channel_sums, "PIXELS_PER_BLOCK", 50)
    done = []
    quantified(model, alloy[0], progress=done.append)
    assert done == [50, 50, 8]


def test_flags_are_for_one_in_a_hundred():
    """2.326 standard deviations of a normal variable."""
    found = flagged(np.array([-3.0, 0.0, 2.32, 2.33, 9.0, np.nan]))
    np.testing.assert_array_equal(found, [False, False, False, True, True, False])


def test_weight_fractions_are_those_of_the_atoms():
    atoms = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    result = NetworkQuantification(METALS, atoms, np.full((2, 3), 0.05), None, None)
    found, errors = result.in_units("weight")
    wanted = atomic_to_mass_fractions(dict(zip(METALS, atoms[0], strict=True)))
    np.testing.assert_allclose(found[0], list(wanted.values()))
    np.testing.assert_allclose(found[1], [1, 0, 0])
    assert (errors[0] > 0.02).all() and (errors[0] < 0.1).all()
    same, deviations = result.in_units("atomic")
    assert same is atoms and deviations is result.deviations


def test_weight_errors_are_those_of_a_sample():
    """Two elements, whose errors are one and the same: by derivative and by draws."""
    atoms = np.array([[0.4, 0.6]])
    result = NetworkQuantification(
        ("Al", "Fe"), atoms, np.array([[0.03, 0.03]]), None, None
    )
    _, errors = result.in_units("weight")
    drawn = 0.4 + 0.03 * np.random.default_rng(0).standard_normal(40_000)
    mass = drawn * 26.982 / (drawn * 26.982 + (1 - drawn) * 55.845)
    np.testing.assert_allclose(errors[0], mass.std(), rtol=0.03)


deviations = npst.arrays(
    float,
    st.tuples(st.integers(1, 4), st.integers(2, 6)),
    elements=st.floats(1e-4, 0.4),
)


@given(deviations)
@settings(deadline=None, max_examples=80)
def test_errors_of_fractions_of_a_whole_cancel(deviations):
    """Rows sum to zero, the total variance is that asked for, no variance below 0."""
    covariance = closed_covariance(deviations)
    rounding = 1e-7 * (deviations**2).sum(axis=1).max()
    np.testing.assert_allclose(covariance.sum(axis=2), 0, atol=rounding)
    np.testing.assert_allclose(covariance, covariance.transpose(0, 2, 1))
    own = np.diagonal(covariance, axis1=1, axis2=2)
    np.testing.assert_allclose(own.sum(axis=1), (deviations**2).sum(axis=1))
    assert np.linalg.eigvalsh(covariance).min() > -rounding


def test_variances_that_fractions_can_have_are_reached():
    """Independent amounts closed to a whole; and five that are alike."""
    possible = np.array([[0.03, 0.04, 0.045, 0.02], [0.05, 0.05, 0.05, 0.05]])
    covariance = closed_covariance(possible)
    own = np.diagonal(covariance, axis1=1, axis2=2)
    np.testing.assert_allclose(np.sqrt(own), possible, rtol=0.02)


def test_two_fractions_have_opposite_errors():
    covariance = closed_covariance(np.array([[0.07, 0.07]]))
    wanted = 0.07**2 * np.array([[[1, -1], [-1, 1]]])
    np.testing.assert_allclose(covariance, wanted, rtol=1e-3)


def test_quantification_leaves_the_model_as_it_is(model, alloy):
    before = model.to_stored().weights
    quantified(model, alloy[0])
    for name, weight in model.to_stored().weights.items():
        np.testing.assert_array_equal(weight, before[name])


def test_a_model_with_other_bins(model, alloy):
    """The model's own bins are summed, not the caller's channels."""
    conditions = replace(model.conditions, n_channels=N_CHANNELS)
    same = quantified(replace(model, conditions=conditions), alloy[0])
    wanted = quantified(model, alloy[0])
    np.testing.assert_array_equal(same.atomic_fractions, wanted.atomic_fractions)
