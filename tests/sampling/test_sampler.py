# SPDX-License-Identifier: GPL-3.0-or-later
"""The sampler that one steps: what it asks, takes, keeps and refuses."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.sampling.label_images import draw_label_image_of_density
from hspy_ml.sampling.patterns import PATTERNS
from hspy_ml.sampling.regressor import Regressor
from hspy_ml.sampling.sampler import DynamicSampler

SHAPE = (40, 50)
TRUTH = draw_label_image_of_density("lamellae", SHAPE, 3, 0.1, 11)


def step(sampler, truth, n_measured, batch=1):
    """Measure until so many are; return the positions in their order."""
    order = []
    while sampler.n_measured < n_measured:
        positions = sampler.next(min(batch, n_measured - sampler.n_measured))
        sampler.update(positions, truth[tuple(positions.T)])
        order.append(positions)
    return np.concatenate(order)


def distortion(sampler, truth):
    return np.mean(sampler.reconstruction != truth)


def test_it_beats_every_static_pattern_by_far():
    """A sixth of the best one's distortion or less at 20 %, the same reconstruction."""
    n = TRUTH.size // 5
    static = []
    for draw in PATTERNS.values():
        sampler, positions = DynamicSampler(SHAPE), draw(SHAPE, n, 0)
        sampler.update(positions, TRUTH[tuple(positions.T)])
        static.append(distortion(sampler, TRUTH))
    sampler = DynamicSampler(SHAPE, 3, random_state=0)
    step(sampler, TRUTH, n)
    assert distortion(sampler, TRUTH) < min(static) / 6


def test_each_pixel_is_asked_once_until_all_are_measured():
    sampler = DynamicSampler((9, 7), random_state=1)
    order = step(sampler, TRUTH, 63, batch=4)
    assert len(np.unique(order, axis=0)) == 63
    assert sampler.next(3).shape == (0, 2)
    np.testing.assert_array_equal(sampler.reconstruction, TRUTH[:9, :7])
    np.testing.assert_array_equal(sampler.labels, TRUTH[:9, :7])
    assert np.isnan(sampler.score).all()


@given(
    seed=st.integers(0, 99),
    batch=st.integers(1, 5),
    n_before=st.integers(1, 150),
    rule=st.booleans(),
)
@settings(max_examples=15, deadline=None)
def test_a_stop_in_the_middle_changes_nothing(seed, batch, n_before, rule):
    """Even with some positions asked for and not measured yet, and some ill."""
    truth = np.where(np.random.default_rng(seed).random(SHAPE) < 0.03, 0, TRUTH)
    regressor = Regressor.from_rule() if rule else None
    sampler = DynamicSampler(SHAPE, regressor=regressor, random_state=seed)
    step(sampler, truth, n_before, batch)
    sampler.next(2)
    file = io.BytesIO()
    np.savez(file, **sampler.state())
    file.seek(0)
    resumed = DynamicSampler.from_state(np.load(file, allow_pickle=False))
    assert resumed.n_measured == sampler.n_measured
    orders = [step(each, truth, n_before + 60, batch) for each in (sampler, resumed)]
    np.testing.assert_array_equal(*orders)
    np.testing.assert_array_equal(sampler.reconstruction, resumed.reconstruction)


def test_it_repeats_with_the_random_state_only():
    first, again, other = (
        step(DynamicSampler(SHAPE, random_state=s), TRUTH, 80) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_kept_up_to_date_is_as_computed_anew():
    """Reconstruction and scores after many steps, relabelled and removed pixels."""
    sampler = DynamicSampler(SHAPE, random_state=3)
    order = step(sampler, TRUTH, 150, batch=3)
    sampler.update(order[20:30], 4 - TRUTH[tuple(order[20:30].T)])
    sampler.update(order[40:45], np.zeros(5, int))
    anew = DynamicSampler.from_state(sampler.state() | {"near": _near(sampler)})
    np.testing.assert_array_equal(sampler.reconstruction, anew.reconstruction)
    np.testing.assert_array_equal(sampler.score, anew.score)
    np.testing.assert_array_equal(sampler.neighbour_distances, anew.neighbour_distances)


def _near(sampler):
    from hspy_ml.sampling.neighbours import nearest_measurements

    return nearest_measurements(sampler.labels > 0, sampler.regressor.n_neighbours)


def test_ill_pixels_are_missing_and_never_asked_again():
    sampler = DynamicSampler(SHAPE, random_state=0)
    truth = TRUTH.copy()
    truth[10:20, 10:30] = 0
    order = step(sampler, truth, 400)
    assert len(np.unique(order, axis=0)) == 400
    assert sampler.ill[tuple(order.T)].sum() == (truth[tuple(order.T)] == 0).sum()
    assert sampler.n_measured == sampler.measured.sum() == 400
    assert (sampler.reconstruction > 0).all()
    assert (sampler.labels[sampler.ill] == 0).all()


def test_all_ill_at_the_start():
    """Without any label it still asks for one pixel after another."""
    sampler = DynamicSampler((8, 9), random_state=0)
    asked = sampler.next(10)
    sampler.update(asked, np.zeros(len(asked), int))
    assert (sampler.reconstruction == 0).all()
    order = step(sampler, np.zeros((8, 9), int), 30)
    assert len(np.unique(np.vstack([asked, order]), axis=0)) == 30
    position = sampler.next()
    sampler.update(position, 1)
    assert (sampler.reconstruction == 1).all()
    assert len(sampler.next(5)) == 5


def test_the_only_label_is_taken_back():
    sampler = DynamicSampler((8, 9), random_state=0)
    sampler.update([3, 4], 1)
    sampler.next(10)
    sampler.update([3, 4], 0)
    assert (sampler.reconstruction == 0).all()
    assert len(sampler.next(100)) == 72 - 1 - 10


def test_skipped_positions_are_not_asked_again():
    sampler = DynamicSampler((12, 12), random_state=0)
    skipped = []
    for _ in range(30):
        first, second = sampler.next(2)
        sampler.skip(first)
        sampler.update(second, TRUTH[tuple(second)])
        skipped.append(tuple(first.tolist()))
    assert sampler.failed.sum() == len(set(skipped)) == 30
    assert sampler.n_measured == 30
    assert len(sampler.asked) == 0


def test_a_position_measured_twice_has_its_latest_label():
    sampler = DynamicSampler(SHAPE, random_state=0)
    step(sampler, TRUTH, 60)
    place = sampler.next()
    for label in (1, 3, 2):
        sampler.update(place, label)
    assert sampler.labels[tuple(place[0])] == sampler.reconstruction[tuple(place[0])]
    assert sampler.labels[tuple(place[0])] == 2
    assert sampler.n_measured == 61
    sampler.update(place, 0)
    assert sampler.ill[tuple(place[0])]
    sampler.skip(place)
    assert not sampler.failed.any()


def test_masked_pixels_are_not_measured():
    mask = np.zeros(SHAPE, bool)
    mask[:, :25] = True
    sampler = DynamicSampler(SHAPE, navigation_mask=mask, random_state=0)
    order = step(sampler, TRUTH, 300)
    assert (order[:, 1] >= 25).all()
    assert len(sampler.next(1000)) == 700


def test_a_line():
    truth = 1 + (np.arange(300) // 70) % 2
    sampler = DynamicSampler((300,), 2, random_state=0)
    order = step(sampler, truth, 45)
    assert order.shape == (45, 1)
    assert distortion(sampler, truth) <= 0.01  # a pixel at each of the four boundaries
    assert sampler.neighbour_distances.shape == (300, sampler.regressor.n_neighbours)


def test_one_phase_only():
    sampler = DynamicSampler((20, 20), random_state=0)
    order = step(sampler, np.ones((20, 20), int), 60)
    assert len(np.unique(order, axis=0)) == 60
    assert (sampler.reconstruction == 1).all()


def test_pixels_of_a_batch_do_not_crowd():
    """No two of them touch while there is room."""
    sampler = DynamicSampler(SHAPE, random_state=0)
    step(sampler, TRUTH, 40)
    batch = sampler.next(12)
    gaps = np.abs(batch[:, None] - batch[None]).max(axis=2)
    assert gaps[~np.eye(12, dtype=bool)].min() > 1


def test_neighbours_of_a_pixel():
    sampler = DynamicSampler((5, 6))
    sampler.update([[0, 0], [4, 5]], [2, 1])
    np.testing.assert_allclose(
        sampler.neighbour_distances[0, 3, :3], [3, np.sqrt(20), np.inf]
    )
    np.testing.assert_array_equal(sampler.neighbour_labels[0, 3, :3], [2, 1, 0])


@pytest.mark.parametrize(
    ("positions", "labels", "error", "named"),
    [
        ([[5, 5]], 4, ValueError, "`labels`"),
        ([[5, 5]], -1, ValueError, "`labels`"),
        ([[5, 5]], 1.0, TypeError, "`labels`"),
        ([[5, 5]], [1, 1], ValueError, "`labels`"),
        ([[40, 5]], 1, ValueError, "`positions`"),
        ([[5, -1]], 1, ValueError, "`positions`"),
        ([[5.0, 5.0]], 1, TypeError, "`positions`"),
        ([5], 1, ValueError, "`positions`"),
        ([[1, 1], [40, 5]], [1, 1], ValueError, "`positions`"),
    ],
)
def test_wrong_measurements_are_refused_whole(positions, labels, error, named):
    sampler = DynamicSampler(SHAPE, 3)
    with pytest.raises(error, match=named):
        sampler.update(positions, labels)
    assert sampler.n_measured == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"shape": (0, 4)}, "shape"),
        ({"shape": (4, 4, 4)}, "shape"),
        ({"shape": (4, 4), "initial": 2.0}, "initial"),
        (
            {"shape": (4, 4), "navigation_mask": np.ones((4, 5), bool)},
            "navigation_mask",
        ),
        ({"shape": (4, 4), "navigation_mask": np.ones((4, 4))}, "navigation_mask"),
        ({"shape": (4, 4), "n_phases": 0}, "n_phases"),
    ],
)
def test_wrong_settings_are_refused(arguments, named):
    with pytest.raises(ValueError, match=f"`{named}`"):
        DynamicSampler(**arguments)


def test_wrong_steps_and_states_are_refused():
    sampler = DynamicSampler((4, 4))
    with pytest.raises(ValueError, match="`n`"):
        sampler.next(0)
    with pytest.raises(ValueError, match="lacks 'status'"):
        state = sampler.state()
        del state["status"]
        DynamicSampler.from_state(state)
