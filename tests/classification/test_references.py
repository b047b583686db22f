# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from toy_phases import N_CHANNELS, NAMES, SCATTER, counted, shapes, spots

from hspy_ml.classification.reference_scatter import prior_scatter
from hspy_ml.classification.references import (
    references_from_expected,
    references_from_spectra,
)
from hspy_ml.counts.building import counts_from_array


def measured(n_each=12, dose=5000, seed=0):
    rng = np.random.default_rng(seed)
    expected, labels = spots(n_each, rng)
    return counted(expected, dose, rng), labels


@pytest.mark.parametrize("n_each", [1, 3, 12])
def test_references_are_near_the_truth(n_each):
    references = references_from_spectra(*measured(n_each), NAMES)
    distance = ((references.shapes - shapes()) ** 2 / shapes()).sum(axis=1)
    # Never worse than counting, and what spots scatter: two peaks of 2 %.
    assert (distance < N_CHANNELS / (5000 * n_each) + 4 * SCATTER**2 / n_each).all()
    assert references.shapes.sum(axis=1) == pytest.approx(np.ones(3))


def test_labels_of_zero_are_not_used():
    counts, labels = measured(4)
    without = labels.copy()
    without[0] = 0
    kept = references_from_spectra(counts, without, NAMES).shapes
    array = np.delete(counts.values, 0, axis=0)
    alone = references_from_spectra(counts_from_array(array), labels[1:], NAMES).shapes
    np.testing.assert_allclose(kept, alone)


def test_sparse_and_dense_counts_give_the_same():
    counts, labels = measured(5, dose=60)
    array = np.zeros((15, N_CHANNELS))
    rows = np.repeat(np.arange(15), np.diff(counts.offsets))
    array[rows, counts.channels] = counts.values
    from hspy_ml.counts import DenseCounts

    sparse = references_from_spectra(counts, labels, NAMES)
    dense = references_from_spectra(DenseCounts(array), labels, NAMES)
    np.testing.assert_allclose(sparse.shapes, dense.shapes)
    np.testing.assert_allclose(sparse.scatter.variances, dense.scatter.variances)


def test_modes_are_orthonormal_changes_of_the_shape():
    scatter = references_from_spectra(*measured(), NAMES).scatter
    q = references_from_spectra(*measured(), NAMES).shapes
    for phase in range(3):
        modes = scatter.modes[phase]
        products = (modes / q[phase]) @ modes.T
        np.testing.assert_allclose(products, np.eye(len(modes)), atol=1e-8)
        np.testing.assert_allclose(modes.sum(axis=1), 0, atol=1e-12)
    assert (scatter.variances >= 0).all()


def test_prior_has_the_scatter_that_it_states():
    scatter = prior_scatter(shapes(), np.full(3, 1e-6))
    total = scatter.variances.sum(axis=1)
    assert (total > 0.025**2).all()  # slow variations, and shift and broadening
    assert (total < 0.1**2).all()


def test_many_spots_tell_how_far_they_scatter():
    """A peak that varies by 8 % is seen to, where the prior expects less."""
    rng = np.random.default_rng(0)
    q = shapes()[:1]
    peak = q * (np.arange(N_CHANNELS) < 60)
    change = (peak - peak.sum() * q)[0]

    def variance_along(height, n):
        expected = q + height * rng.standard_normal((n, 1)) * change
        counts = counted(expected, 20_000, rng)
        references = references_from_spectra(counts, np.ones(n, int), ["alpha"])
        modes, variances = references.scatter.modes[0], references.scatter.variances[0]
        return ((modes @ (change / q[0])) ** 2 * variances).sum()

    unit = (change**2 / q[0]).sum() ** 2
    found = variance_along(0.08, 60) / unit
    # Relative error of a variance of 60 spots is 0.18; the prior pulls a little.
    assert found == pytest.approx(0.08**2, rel=0.5)
    assert variance_along(0.0, 60) / unit < 0.02**2


def test_three_spots_move_the_prior_little():
    rng = np.random.default_rng(0)
    expected, labels = spots(3, rng)
    scatter = references_from_spectra(
        counted(expected, 5000, rng), labels, NAMES
    ).scatter
    total = scatter.variances.sum(axis=1)
    prior = prior_scatter(shapes(), np.full(3, 1e-6)).variances.sum(axis=1)
    assert (total > 0.3 * prior).all() and (total < 4 * prior).all()
    assert (scatter.freedom >= 4).all() and (scatter.freedom < 7).all()


def test_given_spectra_keep_their_shape():
    references = references_from_expected(NAMES, 7.5 * shapes())
    np.testing.assert_allclose(references.shapes, shapes(), rtol=0.05)
    assert references.n_channels == N_CHANNELS


def test_identical_references_are_named():
    same = np.vstack([shapes(), 3 * shapes()[1]])
    with pytest.raises(ValueError, match="'beta' and 'delta'"):
        references_from_expected([*NAMES, "delta"], same)


def test_near_identical_references_are_allowed():
    near = shapes()[:2] * 1.0
    near[1] = near[0] * (1 + 1e-5 * np.sin(np.arange(N_CHANNELS)))
    assert references_from_expected(["a", "b"], near).names == ("a", "b")


@pytest.mark.parametrize(
    "labels, message",
    [
        (np.repeat([1, 2, 4], 4), "run from 1 to 4"),
        (np.repeat([-1, 2, 3], 4), "run from -1 to 3"),
        (np.repeat([1, 2, 2], 4), "'gamma' no spectrum"),
        (np.ones(5, int), "shape"),
    ],
)
def test_labels_that_do_not_fit(labels, message):
    counts, _ = measured(4)
    with pytest.raises(ValueError, match=message):
        references_from_spectra(counts, labels, NAMES)


def test_labels_are_integers():
    counts, labels = measured(4)
    with pytest.raises(TypeError, match="`labels`"):
        references_from_spectra(counts, labels.astype(float), NAMES)


@pytest.mark.parametrize("value", [np.nan, -1.0, np.inf])
def test_spectra_that_are_none(value):
    bad = shapes()
    bad[1, 5] = value
    with pytest.raises(ValueError, match="'beta'"):
        references_from_expected(NAMES, bad)


def test_names_that_are_none():
    with pytest.raises(ValueError, match="'a' twice"):
        references_from_expected(["a", "a"], shapes()[:2])
    with pytest.raises(TypeError, match="`names`"):
        references_from_expected("a", shapes()[:1])
    with pytest.raises(ValueError, match="empty"):
        references_from_expected([], shapes())
    with pytest.raises(ValueError, match="zero in all"):
        references_from_expected(["a"], np.zeros((1, 9)))
    with pytest.raises(ValueError, match="shape"):
        references_from_expected(["a"], np.ones((2, 9)))


def test_inaccurate_references_scatter_more():
    usual = references_from_expected(NAMES, shapes()).scatter
    wide = references_from_expected(NAMES, shapes(), uncertainty=3.0).scatter
    np.testing.assert_allclose(wide.variances, 9 * usual.variances)
    with pytest.raises(ValueError, match="`uncertainty`"):
        references_from_expected(NAMES, shapes(), uncertainty=0.0)
