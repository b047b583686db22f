# SPDX-License-Identifier: GPL-3.0-or-later
"""The best pixel is the best of all, however the scores came about."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.sampling.choice import NEVER, TOUCHING, Chooser
from hspy_ml.sampling.label_images import draw_label_image
from hspy_ml.sampling.patterns import random_pattern
from hspy_ml.sampling.regressor import Regressor, default_regressor
from hspy_ml.sampling.training import begin

TRUTH = draw_label_image("grains", (70, 45), 3, 5, scale=12.0)


def begun(regressor=None, n=30, truth=TRUTH):
    pattern = random_pattern(truth.shape, n, 0)
    return begin(truth, pattern, regressor or default_regressor())


def test_the_chosen_pixel_has_the_best_score_of_all():
    chooser = begun()
    for _ in range(100):
        score = chooser.maps.score.copy()
        (place,) = chooser.choose(1)
        assert score[place] == score.max()
        chooser.add(*place, TRUTH[place])


@given(seed=st.integers(0, 99), rule=st.booleans())
@settings(max_examples=15, deadline=None)
def test_scores_after_any_steps_are_those_computed_anew(seed, rule):
    """Labels put in, changed and taken out, in any order."""
    rng = np.random.default_rng(seed)
    regressor = Regressor.from_rule() if rule else default_regressor()
    chooser = begun(regressor)
    for _ in range(60):
        row, column = rng.integers(70), rng.integers(45)
        if rng.random() < 0.8:
            chooser.add(row, column, rng.integers(1, 6))
        elif (chooser.maps.labels > 0).sum() > 1 and chooser.maps.labels[row, column]:
            chooser.remove(row, column)
    maps = chooser.maps
    anew = Chooser(maps.labels, maps.is_open, regressor).maps
    for name in ("near", "image", "score", "tile_score", "tile_place"):
        np.testing.assert_array_equal(getattr(maps, name), getattr(anew, name), name)
    assert not maps.has_changed.any()
    assert not maps.is_stale.any()
    assert not maps.votes.any()


def test_several_pixels_keep_apart_and_leave_no_trace():
    chooser = begun()
    score = chooser.maps.score.copy()
    first = chooser.choose(10)
    second = chooser.choose(10, first)
    places = np.array(first + second)
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2)
    assert gaps[~np.eye(20, dtype=bool)].min() > TOUCHING
    score[tuple(places.T)] = NEVER
    np.testing.assert_array_equal(chooser.maps.score, score)
    assert (chooser.maps.withheld == NEVER).all()


def test_all_pixels_are_chosen_if_so_many_are_wanted():
    chooser = begun(n=10, truth=TRUTH[:9, :8])
    places = chooser.choose(1000)
    assert len(set(places)) == len(places) == 62
    assert chooser.choose(1) == []


def test_a_replay_is_a_choice_of_one_after_the_other():
    truth = TRUTH.copy()
    truth[20:25, 5:30] = 0
    chooser, other = begun(truth=truth), begun(truth=truth)
    places = []
    for _ in range(80):
        (place,) = other.choose(1)
        places.append(place)
        if truth[place] > 0:
            other.add(*place, truth[place])
    replayed = chooser.replay(truth, 80)
    np.testing.assert_array_equal(
        replayed, np.ravel_multi_index(np.array(places).T, truth.shape)
    )
    np.testing.assert_array_equal(chooser.maps.score, other.maps.score)
