# SPDX-License-Identifier: GPL-3.0-or-later
"""The number of phases: the true one, for the right reason, or a clear error."""

import numpy as np
import pytest

from hspy_ml.counts.building import counts_from_array
from hspy_ml.factorization.factorize import CountedImage
from hspy_ml.factorization.rank import choose_number_of_phases
from hspy_ml.physics.gmatrix import GMatrix

MAP_SHAPE = (24, 27)
ELEMENTS = ["O", "Mg", "Al", "Si", "Ca", "Fe"]
# Column shares of three phases that have most elements in common, in percent.
SHARES = np.array(
    [[40, 35, 30], [25, 5, 20], [5, 5, 25], [20, 25, 10], [5, 20, 5], [5, 10, 10]]
)


def g_matrix():
    """50 channels, a peak for each of the six elements."""
    channel = np.arange(50)[:, None]
    centres = np.linspace(5, 44, len(ELEMENTS))
    peaks = np.exp(-0.5 * ((channel - centres) / 2.5) ** 2) + 0.01
    return GMatrix.from_array(
        peaks * np.arange(1, 7), ELEMENTS, ELEMENTS, concentration="atomic"
    )


def grains(n_phases, thickness=1.0):
    """Amounts of each phase: discs of the others in the first."""
    rng = np.random.default_rng(3)
    y, x = np.indices(MAP_SHAPE)
    phase = np.zeros(MAP_SHAPE, int)
    for i in range(12):
        centre_y, centre_x = rng.uniform(0, MAP_SHAPE[0]), rng.uniform(0, MAP_SHAPE[1])
        disc = (y - centre_y) ** 2 + (x - centre_x) ** 2 < 4.5**2
        phase[disc] = i % n_phases
    return np.eye(n_phases)[phase] * np.broadcast_to(thickness, MAP_SHAPE)[..., None]


def image(amounts, counts_per_pixel=120.0, seed=7):
    """Counts of phases of which there is so much in each pixel."""
    amounts = amounts.reshape(-1, amounts.shape[-1])
    g = g_matrix().matrix
    spectra = g / g.sum(axis=0) @ SHARES[:, : amounts.shape[1]] / 100
    mean = counts_per_pixel * amounts @ spectra.T
    counts = counts_from_array(np.random.default_rng(seed).poisson(mean))
    return CountedImage(counts, MAP_SHAPE, np.arange(counts.n_pixels))


@pytest.mark.parametrize("n_phases", [1, 2, 3])
def test_true_number_is_found(n_phases):
    choice = choose_number_of_phases(
        image(grains(n_phases)), g_matrix(), random_state=1
    )
    assert choice.chosen == n_phases
    assert choice.numbers[-1] > n_phases  # one too many was tried, and was worse


@pytest.mark.parametrize("n_phases", [1, 2])
def test_varying_thickness_is_no_phase(n_phases):
    wedge = np.linspace(0.2, 1.8, MAP_SHAPE[1])
    counted = image(grains(n_phases, wedge))
    choice = choose_number_of_phases(counted, g_matrix(), random_state=1)
    assert choice.chosen == n_phases


def test_left_out_pixels_change_nothing():
    counted = image(grains(2))
    pixels = np.flatnonzero(np.indices(MAP_SHAPE)[1].ravel() < 22)
    values = np.zeros((counted.counts.n_pixels, counted.counts.n_channels), int)
    values[:] = dense(counted.counts)
    counts = counts_from_array(values[pixels])
    part = CountedImage(counts, MAP_SHAPE, pixels)
    assert choose_number_of_phases(part, g_matrix(), random_state=1).chosen == 2


def dense(counts):
    """Counts as an array, pixels by channels."""
    if not hasattr(counts, "offsets"):
        return counts.values
    values = np.zeros((counts.n_pixels, counts.n_channels), counts.values.dtype)
    pixels = np.repeat(np.arange(counts.n_pixels), np.diff(counts.offsets))
    values[pixels, counts.channels] = counts.values
    return values


def test_likelihood_of_one_phase_is_that_of_its_spectrum():
    """At best minus the entropy, as many nats as a count of the spectrum says."""
    counted = image(grains(1))
    choice = choose_number_of_phases(counted, g_matrix(), random_state=1)
    g = g_matrix().matrix
    spectrum = g / g.sum(axis=0) @ SHARES[:, 0] / 100
    frequencies = counted.counts.channel_totals / counted.counts.pixel_totals.sum()
    expected = frequencies @ np.log(spectrum)
    # Five free shares cost five halves of a nat in each half, and scatter as much.
    tolerance = 20 / counted.counts.pixel_totals.sum()
    assert choice.log_likelihood[0] == pytest.approx(expected, abs=tolerance)


def test_sparse_and_dense_counts_agree():
    sparse, full = image(grains(2), 6.0), image(grains(2), 120.0)
    assert type(sparse.counts) is not type(full.counts)
    for counted in (sparse, full):
        choice = choose_number_of_phases(counted, g_matrix(), random_state=1)
        assert choice.chosen == 2


def test_same_seed_same_choice():
    counted = image(grains(2))
    first, second = (
        choose_number_of_phases(counted, g_matrix(), random_state=5) for _ in range(2)
    )
    np.testing.assert_array_equal(first.log_likelihood, second.log_likelihood)
    np.testing.assert_array_equal(first.standard_error, second.standard_error)
    other = choose_number_of_phases(counted, g_matrix(), random_state=6)
    assert other.log_likelihood[0] != first.log_likelihood[0]


def test_choice_is_the_smallest_within_a_standard_error():
    choice = choose_number_of_phases(image(grains(3)), g_matrix(), random_state=1)
    below = choice.log_likelihood.max() - choice.log_likelihood
    good = choice.numbers[below <= choice.standard_error]
    assert choice.chosen == good[0]
    assert choice.standard_error[choice.log_likelihood.argmax()] == 0
    assert (choice.standard_error >= 0).all()


def test_table_marks_the_choice():
    text = repr(choose_number_of_phases(image(grains(2)), g_matrix(), random_state=1))
    marked = [line for line in text.splitlines() if line.startswith("->")]
    assert len(marked) == 1
    assert " 2 phases" in marked[0]


def test_never_more_phases_than_pixels_or_columns_or_largest():
    counts = counts_from_array(dense(image(grains(3)).counts)[:2] * 50)
    two_pixels = CountedImage(counts, (2,), np.arange(2))
    choice = choose_number_of_phases(two_pixels, g_matrix(), random_state=1)
    assert choice.numbers[-1] <= 2
    narrow = GMatrix.from_array(
        g_matrix().matrix[:, :2], ["O", "Mg"], ["O", "Mg"], concentration="atomic"
    )
    assert choose_number_of_phases(image(grains(3)), narrow).numbers[-1] <= 2
    capped = choose_number_of_phases(image(grains(3)), g_matrix(), largest=2)
    assert capped.numbers.tolist() == [1, 2]
    with pytest.raises(ValueError, match="`largest` is 0"):
        choose_number_of_phases(image(grains(3)), g_matrix(), largest=0)


def test_one_spectrum_is_one_phase():
    counts = counts_from_array(dense(image(grains(1)).counts).sum(0, keepdims=True))
    spectrum = CountedImage(counts, (1,), np.arange(1))
    assert choose_number_of_phases(spectrum, g_matrix(), random_state=1).chosen == 1


def test_fractions_of_counts_cannot_be_held_out():
    counts = counts_from_array(dense(image(grains(2)).counts) * 0.37)
    fractional = CountedImage(counts, MAP_SHAPE, np.arange(counts.n_pixels))
    message = "(?s)`output_dimension` is 'auto'.*whole numbers.*number of phases"
    with pytest.raises(ValueError, match=message):
        choose_number_of_phases(fractional, g_matrix())


def test_a_single_count_cannot_be_split():
    values = np.zeros((3, 50), int)
    values[1, 20] = 1
    one_count = CountedImage(counts_from_array(values), (3,), np.arange(3))
    message = "(?s)`output_dimension` is 'auto'.*only 1.*number of phases"
    with pytest.raises(ValueError, match=message):
        choose_number_of_phases(one_count, g_matrix())


def test_progress_is_told():
    passes = []
    choose_number_of_phases(
        image(grains(1)), g_matrix(), largest=2, progress=passes.append
    )
    assert sum(passes) > 10


def test_interrupted_before_anything_was_tried():
    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        choose_number_of_phases(image(grains(2)), g_matrix(), progress=interrupt)


def test_interrupted_later_chooses_among_what_was_tried():
    counted = image(grains(3))
    alone = []
    choose_number_of_phases(
        counted, g_matrix(), largest=2, random_state=1, progress=alone.append
    )
    left = [len(alone) + 3]

    def interrupt(_):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    choice = choose_number_of_phases(
        counted, g_matrix(), random_state=1, progress=interrupt
    )
    assert choice.numbers.tolist() == [1, 2]
    assert choice.chosen == 2
