# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps of labels from sparse measurements: what must stay, what must follow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from hspy_ml.sampling.label_images import draw_label_image
from hspy_ml.sampling.reconstruction import kriged_shares, labels_on_map, reconstruct

SHAPE = (48, 37)


@pytest.fixture(scope="module")
def truth():
    return draw_label_image("fields", SHAPE, 3, 5)


def random_positions(n, shape=SHAPE, seed=0):
    rng = np.random.default_rng(seed)
    places = rng.permutation(shape[0] * shape[1])[:n]
    return np.stack(np.divmod(places, shape[1]), axis=1)


def of(truth, positions):
    return truth[tuple(positions.T)]


def ordinary_kriging(offsets):
    """Weights by the textbook's system, with a multiplier for the unknown mean."""
    n = len(offsets)
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = np.linalg.norm(offsets[:, None] - offsets[None], axis=-1)
    system[n, n] = 0
    right = np.append(np.linalg.norm(offsets, axis=1), 1.0)
    return np.linalg.solve(system, right)[:n]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 10))
def test_shares_are_those_of_ordinary_kriging(seed, n):
    rng = np.random.default_rng(seed)
    shape = (9, 11)
    positions = random_positions(n, shape, seed)
    labels = 1 + np.arange(n) % 2
    place = rng.integers(0, shape, size=2)
    shares = kriged_shares(shape, positions, labels, 2, n_neighbours=n)
    if (positions == place).all(axis=1).any():
        return
    weights = ordinary_kriging((positions - place).astype(float))
    expected = np.clip([weights[labels == 1].sum(), weights[labels == 2].sum()], 0, 1)
    # the prior variance that stands for an unknown mean leaves 1e-4
    np.testing.assert_allclose(shares[tuple(place)], expected, atol=2e-3)


def test_measured_pixels_keep_their_labels(truth):
    positions = random_positions(150)
    labels = np.random.default_rng(1).integers(1, 5, size=150)
    assert (of(reconstruct(SHAPE, positions, labels), positions) == labels).all()


def test_everything_measured_is_the_truth(truth):
    positions = random_positions(truth.size)
    np.testing.assert_array_equal(
        reconstruct(SHAPE, positions, of(truth, positions)), truth
    )


def weighted_mode(shape, positions, labels):
    """The rule of the paper: d^-2 over the ten nearest."""
    places = np.indices(shape).reshape(2, -1).T
    distances, nearest = cKDTree(positions).query(places, k=10)
    weights = 1 / np.maximum(distances, 1e-3) ** 2
    votes = [(weights * (labels[nearest] == k)).sum(axis=1) for k in (1, 2)]
    return 1 + np.argmax(votes, axis=0).reshape(shape)


@pytest.mark.parametrize("kind", ["lamellae", "fields", "grains"])
def test_fewer_errors_than_the_weighted_mode(kind):
    shape, wrong, by_mode = (96, 96), 0, 0
    for seed in range(4):
        truth = draw_label_image(kind, shape, 2, 100 + seed)
        positions = random_positions(truth.size // 8, shape, seed)
        labels = of(truth, positions)
        wrong += (reconstruct(shape, positions, labels) != truth).sum()
        by_mode += (weighted_mode(shape, positions, labels) != truth).sum()
    assert wrong < 0.95 * by_mode


def test_the_boundary_between_two_labels_lies_halfway():
    positions = np.array([[4, 2], [4, 12]])
    image = reconstruct((9, 15), positions, np.array([1, 2]))
    x = np.arange(15)
    np.testing.assert_array_equal(image[4], np.where(x <= 7, 1, 2))
    np.testing.assert_array_equal(image, image[::-1])


def test_one_measurement_fills_the_map():
    assert (reconstruct((5, 7), np.array([[2, 3]]), np.array([4])) == 4).all()


def test_ill_spectra_say_nothing_and_are_filled(truth):
    positions = random_positions(200)
    labels = of(truth, positions)
    ill = np.concatenate([labels, [0, 0]])
    where = np.concatenate([positions, random_positions(202)[200:]])
    with_ill = reconstruct(SHAPE, where, ill)
    np.testing.assert_array_equal(with_ill, reconstruct(SHAPE, positions, labels))
    assert with_ill.min() > 0


def test_names_of_labels_and_axes_do_not_matter(truth):
    positions = random_positions(260)
    labels = of(truth, positions)
    image = reconstruct(SHAPE, positions, labels)
    renamed = np.array([0, 7, 3, 9])
    other = reconstruct(SHAPE, positions, renamed[labels])
    turned = reconstruct(SHAPE[::-1], positions[:, ::-1], labels)
    # ties alone may fall otherwise
    assert (other != renamed[image]).mean() < 0.01
    assert (turned.T != image).mean() < 0.01


def test_more_measurements_less_distortion(truth):
    wrong = []
    for n in (40, 160, 640):
        positions = random_positions(n)
        found = reconstruct(SHAPE, positions, of(truth, positions))
        wrong.append((found != truth).mean())
    assert wrong[0] > 1.5 * wrong[1] > 2 * wrong[2]


def test_shares_agree_with_the_map(truth):
    positions = random_positions(200)
    labels = of(truth, positions)
    shares = kriged_shares(SHAPE, positions, labels, 3)
    np.testing.assert_allclose(shares.sum(axis=2), 1, rtol=1e-5)
    assert shares.min() >= 0
    image = reconstruct(SHAPE, positions, labels)
    assert (1 + shares.argmax(axis=2) == image).mean() > 0.999


def test_the_last_label_of_a_position_counts():
    positions = np.array([[1, 1], [1, 1], [3, 3]])
    assert labels_on_map((5, 5), positions, np.array([1, 2, 1]))[1, 1] == 2


def test_inputs_stay(truth):
    positions = random_positions(50)
    labels = of(truth, positions)
    kept = positions.copy(), labels.copy()
    reconstruct(SHAPE, positions, labels)
    np.testing.assert_array_equal(positions, kept[0])
    np.testing.assert_array_equal(labels, kept[1])


@pytest.mark.parametrize(
    ("positions", "labels", "error", "words"),
    [
        ([[0.5, 1.0]], [1], TypeError, "`positions`"),
        ([[0, 1]], [1.0], TypeError, "`labels`"),
        ([[0, 1]], [1, 2], ValueError, "`labels` have the shape"),
        ([0, 1], [1, 2], ValueError, "`positions` have the shape"),
        ([[48, 0]], [1], ValueError, "outside"),
        ([[0, -1]], [1], ValueError, "outside"),
        ([[0, 1]], [-1], ValueError, "`labels` are from -1"),
        ([[0, 1]], [0], ValueError, "none above 0"),
    ],
)
def test_bad_input_is_named(positions, labels, error, words):
    with pytest.raises(error, match=words):
        reconstruct(SHAPE, np.array(positions), np.array(labels))


def test_bad_numbers_are_named():
    with pytest.raises(ValueError, match="`n_neighbours`"):
        reconstruct(SHAPE, np.array([[0, 0]]), np.array([1]), n_neighbours=0)
    with pytest.raises(ValueError, match="`n_phases`"):
        kriged_shares(SHAPE, np.array([[0, 0]]), np.array([3]), 2)
