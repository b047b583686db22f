# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated microscope, its dose, its failures, and the closed loop."""

import numpy as np
import pytest

from hspy_ml.sampling.label_images import draw_label_image
from hspy_ml.sampling.microscope import (
    PositionFailed,
    SimulatedMicroscope,
    SpectrumMismatch,
)
from hspy_ml.sampling.microscope_loop import acquire_map
from hspy_ml.sampling.sampler import DynamicSampler

TRUTH = draw_label_image("lamellae", (20, 30), 2, 3, scale=14.0)
SPECTRA = np.eye(5)[TRUTH] * 50.0  # a peak in the channel of the label


def classify(spectra):
    return spectra.argmax(axis=1)


def test_the_dose_is_what_was_done():
    microscope = SimulatedMicroscope(SPECTRA, dwell=0.5)
    for position in [(0, 0), (3, 4), (3, 4)]:
        microscope.move(position)
        np.testing.assert_array_equal(microscope.acquire(), SPECTRA[position])
    dose = microscope.dose
    assert (dose.n_moves, dose.path, dose.n_spectra) == (3, 5.0, 3)
    assert (dose.live_time, dose.counts) == (1.5, 150.0)
    assert dose.share(TRUTH.size, 0.5) == pytest.approx(3 / 600)


def test_counts_follow_rate_and_dwell():
    """Mean and variance are both rate times dwell, 10; standard error 0.1 of 1000."""
    microscope = SimulatedMicroscope(
        lambda position: np.full(1000, 20.0), dwell=0.5, counting=True, random_state=0
    )
    microscope.move((0, 0))
    counts = microscope.acquire()
    assert counts.mean() == pytest.approx(10, abs=0.4)
    assert counts.var() == pytest.approx(10, abs=2)


def test_a_microscope_fails_where_it_was_told_to():
    microscope = SimulatedMicroscope(SPECTRA, failing=[(2, 2)])
    with pytest.raises(PositionFailed, match="nowhere"):
        microscope.acquire()
    with pytest.raises(PositionFailed, match=r"\(2, 2\)"):
        microscope.move((2, 2))
    assert microscope.position is None
    with pytest.raises(ValueError, match="`dwell`"):
        SimulatedMicroscope(SPECTRA, dwell=0)


@pytest.mark.parametrize("batch", [1, 7])
def test_the_loop_maps_the_phases(batch):
    sampler = DynamicSampler(TRUTH.shape, random_state=0)
    microscope = SimulatedMicroscope(SPECTRA)
    acquired = acquire_map(sampler, microscope, classify, n_measured=200, batch=batch)
    assert acquired.ended_by == "number"
    assert len(acquired.spectra) == sampler.n_measured == 200
    assert microscope.dose.n_spectra == 200
    assert acquired.labels == [TRUTH[place] for place in acquired.positions]
    assert np.mean(sampler.reconstruction != TRUTH) < 0.03  # random patterns: 0.07


def test_failing_positions_are_skipped_and_reported():
    failing = [
        tuple(place) for place in np.argwhere(np.ones(TRUTH.shape))[::3].tolist()
    ]
    sampler = DynamicSampler(TRUTH.shape, random_state=0)
    microscope = SimulatedMicroscope(SPECTRA, failing=failing)
    acquired = acquire_map(sampler, microscope, classify)
    assert acquired.ended_by == "complete"
    assert {place for place, _ in acquired.failures} == set(failing)
    assert sampler.n_measured == TRUTH.size - len(failing)


def test_it_stops_when_it_is_told_to():
    sampler = DynamicSampler(TRUTH.shape, random_state=0)
    seen = []
    acquired = acquire_map(
        sampler,
        SimulatedMicroscope(SPECTRA),
        classify,
        stop=lambda s: s.n_measured >= 37,
        progress=lambda s: seen.append(s.n_measured),
    )
    assert acquired.ended_by == "stop"
    assert seen == list(range(1, 38))


def test_after_an_interrupt_it_goes_on_as_if_there_had_been_none():
    class Interrupted(SimulatedMicroscope):
        def acquire(self):
            if self.dose.n_spectra == 50 and not self.interrupted:
                self.interrupted = True
                raise KeyboardInterrupt
            return super().acquire()

        interrupted = False

    sampler, other = (DynamicSampler(TRUTH.shape, random_state=0) for _ in range(2))
    microscope = Interrupted(SPECTRA)
    acquired = acquire_map(sampler, microscope, classify, n_measured=120)
    assert acquired.ended_by == "interrupt"
    assert sampler.n_measured == len(acquired.spectra) == 50
    acquire_map(sampler, microscope, classify, n_measured=120, acquired=acquired)
    whole = acquire_map(other, SimulatedMicroscope(SPECTRA), classify, n_measured=120)
    assert acquired.positions == whole.positions
    assert acquired.ended_by == "number"


def test_a_spectrum_of_another_length_ends_it_with_all_before_kept():
    def read(position):
        return np.ones(4) if len(places) == 30 else SPECTRA[position]

    places = []
    sampler = DynamicSampler(TRUTH.shape, random_state=0)
    microscope = SimulatedMicroscope(read)
    with pytest.raises(SpectrumMismatch, match=r"\(4,\).*\(5,\)"):
        acquire_map(sampler, microscope, classify, progress=lambda s: places.append(0))
    assert sampler.n_measured == 30
    assert len(sampler.asked) == 1
    places.append(0)
    acquired = acquire_map(sampler, microscope, classify, n_measured=60)
    assert len(acquired.labels) == 30


def test_ill_spectra_are_missing():
    sampler = DynamicSampler(TRUTH.shape, random_state=0)

    def classify_some(spectra):
        return np.where(np.arange(len(spectra)) % 4 == 0, 0, classify(spectra))

    acquire_map(
        sampler, SimulatedMicroscope(SPECTRA), classify_some, n_measured=80, batch=8
    )
    assert sampler.ill.sum() == 20
    assert (sampler.reconstruction > 0).all()
