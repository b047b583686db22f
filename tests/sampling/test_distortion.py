# SPDX-License-Identifier: GPL-3.0-or-later
"""The estimate of how wrong a sparse map is, against how wrong it is."""

import numpy as np
import pytest

from hspy_ml.sampling.distortion import DistortionEstimator
from hspy_ml.sampling.distortion_course import COURSE_FEATURES, Course, State
from hspy_ml.sampling.distortion_model import DoubtModel, default_doubt_model
from hspy_ml.sampling.label_images import draw_label_image_of_density
from hspy_ml.sampling.patterns import low_discrepancy_pattern, random_pattern
from hspy_ml.sampling.reconstruction import reconstruct

SHAPE = (72, 90)


@pytest.fixture(scope="module")
def truth():
    return draw_label_image_of_density("fields", SHAPE, 3, 0.09, 31)


def sampled(truth, n, seed=0, **options):
    estimator = DistortionEstimator(truth.shape, **options)
    positions = random_pattern(truth.shape, n, seed)
    estimator.update(positions, truth[tuple(positions.T)])
    return estimator, positions


@pytest.mark.parametrize("kind", ["lamellae", "powder", "grains", "precipitates"])
def test_estimate_is_near_the_truth_at_random_positions(kind):
    # many wrong pixels (about 250 of an image), so that their scatter is small; what
    # is left is how kinds of images differ, about 25 % (one standard deviation)
    ratios = []
    for seed in range(3):
        truth = draw_label_image_of_density(kind, (80, 80), 2, 0.085, 400 + seed)
        estimator, _ = sampled(truth, 760, seed)
        wrong = (estimator.reconstruction != truth).mean()
        ratios.append(estimator.distortion / wrong)
    assert 0.7 < np.median(ratios) < 1.4


def test_estimate_falls_with_the_truth(truth):
    estimator = DistortionEstimator(SHAPE)
    positions = low_discrepancy_pattern(SHAPE, 3000, 1)
    estimates, wrong = [], []
    for part in np.array_split(positions, 12):
        estimator.update(part, truth[tuple(part.T)])
        estimates.append(estimator.distortion)
        wrong.append((estimator.reconstruction != truth).mean())
    assert np.corrcoef(np.log(estimates), np.log(wrong))[0, 1] > 0.92
    assert estimates[-1] < 0.5 * estimates[0]


def test_map_is_that_of_reconstruct(truth):
    estimator, positions = sampled(truth, 700)
    expected = reconstruct(SHAPE, positions, truth[tuple(positions.T)])
    np.testing.assert_array_equal(estimator.reconstruction, expected)


def test_step_by_step_is_all_at_once(truth):
    at_once, positions = sampled(truth, 500)
    stepwise = DistortionEstimator(SHAPE)
    for position in positions:
        stepwise.update(position, truth[tuple(position)])
    assert stepwise.distortion == pytest.approx(at_once.distortion, rel=1e-6)
    assert stepwise.correction == at_once.correction


def test_looking_in_between_changes_little(truth):
    at_once, positions = sampled(truth, 600)
    looking = DistortionEstimator(SHAPE)
    for part in np.array_split(positions, 30):
        looking.update(part, truth[tuple(part.T)])
        looking.distortion  # noqa: B018
    # features of the whole map are renewed when they have changed by 10 %
    assert looking.distortion == pytest.approx(at_once.distortion, rel=0.1)


def test_chances_are_where_the_errors_are(truth):
    estimator, positions = sampled(truth, 800)
    chance = estimator.error_probability
    wrong = estimator.reconstruction != truth
    assert (chance[tuple(positions.T)] == 0).all()
    assert chance[wrong].mean() > 5 * chance[~wrong].mean()
    assert ((chance >= 0) & (chance <= 1)).all()


def test_all_measured_is_certain(truth):
    estimator, _ = sampled(truth, truth.size)
    assert estimator.distortion == 0
    low, high = estimator.interval()
    assert low == high == 0


def test_nothing_measured_is_unknown():
    estimator = DistortionEstimator((6, 8))
    assert estimator.distortion == 1
    assert (estimator.error_probability == 1).all()
    assert (estimator.reconstruction == 0).all()


def test_surprises_raise_the_correction(truth):
    # the same map and expectations; labels that come otherwise than expected
    state = sampled(truth, 700)[0]._state()
    law, found = default_doubt_model().law, []
    for surprises in (np.zeros(200, bool), np.arange(200) % 4 == 0):
        happened = Course()
        happened.note(state._replace(n=500))
        happened.add(np.full(200, 0.03), surprises)
        found.append(law.correction(happened.features(state)))
    assert found[1] > 1.2 * found[0]


def test_change_since_then_is_remembered():
    image = np.ones((40, 40), np.int16)
    then = State(100, image, 1600, 20.0, 10.0, 5.0, np.log([0.06, 0.02, 10.0]))
    changed = image.copy()
    changed[0, :25] = 2
    course = Course()
    course.note(then)
    features = dict(
        zip(
            COURSE_FEATURES,
            course.features(then._replace(n=105, image=changed, expected=4.0)),
            strict=True,
        )
    )
    # 25 pixels changed and 4 are expected to; 20 had been (3 more each)
    assert features["log_change_1"] == pytest.approx(np.log(28 / 7))
    assert np.isnan(features["hindsight_2"])
    assert features["log_expected"] == pytest.approx(np.log(7 / 1600))


def test_interval_holds_the_estimate_and_widens_with_its_level(truth):
    estimator, _ = sampled(truth, 700)
    low, high = estimator.interval(0.5)
    lower, higher = estimator.interval(0.95)
    assert lower < low < estimator.distortion < high < higher
    with pytest.raises(ValueError, match="`level`"):
        estimator.interval(95)


def test_masked_pixels_do_not_count(truth):
    mask = np.zeros(SHAPE, bool)
    mask[:, 45:] = True
    estimator, _ = sampled(truth, 700, navigation_mask=mask)
    chance = estimator.error_probability[:, :45].mean()
    assert estimator.n_pixels == 72 * 45
    assert estimator.distortion == pytest.approx(chance * estimator.correction)


def test_ill_spectra_are_not_measured(truth):
    estimator, positions = sampled(truth, 300)
    before = estimator.distortion
    estimator.update(np.array([[0, 0], [71, 89]]), 2 * [0])
    assert estimator.n_measured == 300
    assert estimator.distortion == before
    estimator.update(positions[0], 0)  # taken back
    assert estimator.n_measured == 299


def test_a_line_of_pixels():
    estimator = DistortionEstimator((200,))
    estimator.update(np.arange(0, 200, 5)[:, None], np.repeat([1, 2], 20))
    assert estimator.reconstruction.shape == (200,)
    assert 0 < estimator.distortion < 0.2


def test_bad_input_is_named():
    estimator = DistortionEstimator((6, 8))
    with pytest.raises(ValueError, match="outside"):
        estimator.update(np.array([[6, 0]]), 1)
    with pytest.raises(ValueError, match="`labels`"):
        estimator.update(np.array([[5, 0]]), -1)
    with pytest.raises(ValueError, match="`navigation_mask`"):
        DistortionEstimator((6, 8), navigation_mask=np.zeros((8, 6), bool))


def test_model_survives_its_file(tmp_path):
    model = default_doubt_model()
    model.save(tmp_path / "model.safetensors")
    loaded = DoubtModel.load(tmp_path / "model.safetensors")
    assert loaded.spread == model.spread
    parts = zip(
        (*model.network, *model.law), (*loaded.network, *loaded.law), strict=True
    )
    for ours, theirs in parts:
        np.testing.assert_array_equal(ours, theirs)


def test_a_part_of_a_large_map_stands_for_all():
    truth = draw_label_image_of_density("fields", (300, 310), 2, 0.05, 8)
    estimator, _ = sampled(truth, 950)
    everywhere = estimator.error_probability.mean()
    # half of the pixels; chances next to one another are alike
    assert estimator.distortion == pytest.approx(
        estimator.correction * everywhere, rel=0.02
    )
