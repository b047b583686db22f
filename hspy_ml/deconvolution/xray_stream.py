# SPDX-License-Identifier: GPL-3.0-or-later
"""An endless stream of random X-ray spectra, and what they should become."""

from __future__ import annotations

import numpy as np

from .xray_inputs import network_inputs
from .xray_response import XrayResponse
from .xray_scenes import Scene, draw_response, draw_scene, expected_spectra

__all__ = ["XrayStream"]

COUNTS = (30.0, 3e6)
N_CHANNELS = 512
N_INSTRUMENTS = 128
AT_AN_END = 40  # channels that are not looked at where the axis was cut
OF_AN_INSTRUMENT = 4  # spectra of a batch
NEAR_A_LINE = 0.85  # of the parts of the axis


class XrayStream:
    """Draws parts of spectra of random specimens on random instruments.

    Parameters
    ----------
    counts : tuple of float, default (30, 3e6)
        Fewest and most counts of a whole spectrum; drawn evenly over the logarithm.
    n_channels : int, default 512
        Of the part of the axis that is drawn.
    n_instruments : int, default 128
        Axes and resolutions.
    random_state : int, default 0
        Of the instruments.
    """

    def __init__(
        self,
        counts: tuple[float, float] = COUNTS,
        n_channels: int = N_CHANNELS,
        n_instruments: int = N_INSTRUMENTS,
        random_state: int = 0,
    ) -> None:
        self.counts = counts
        self.n_channels = n_channels
        rng = np.random.default_rng(random_state)
        self._responses = [draw_response(rng) for _ in range(n_instruments)]

    def draw(
        self, n: int, random_state: int | np.random.Generator | None = None
    ) -> tuple[np.ndarray, ...]:
        """Draw spectra.

        Parameters
        ----------
        n : int
        random_state : int or numpy.random.Generator, optional
            Makes the draw repeat exactly.

        Returns
        -------
        shown : ndarray of float32, shape (n, N_INPUTS, n_channels)
        start, truth, weight : ndarray of float32, shape (n, n_channels)
            Richardson-Lucy, the truth, and one where it is compared, zero near cuts.
        counts : ndarray of float32, shape (n,)
            Expected, of the whole spectrum.
        """
        rng = np.random.default_rng(random_state)
        sizes = [OF_AN_INSTRUMENT] * (n // OF_AN_INSTRUMENT)
        if n % OF_AN_INSTRUMENT:
            sizes.append(n % OF_AN_INSTRUMENT)
        parts = [self._of_one_instrument(size, rng) for size in sizes]
        return tuple(map(np.concatenate, zip(*parts, strict=True)))

    def _of_one_instrument(
        self, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, ...]:
        scenes = [draw_scene(rng) for _ in range(n)]
        whole = self._responses[rng.integers(len(self._responses))]
        response, weight = self._part(whole, scenes[0], rng)
        pairs = [expected_spectra(scene, response, rng) for scene in scenes]
        expected, truth = map(np.stack, zip(*pairs, strict=True))
        dose = np.exp(rng.uniform(*np.log(self.counts), size=(n, 1)))
        counts = rng.poisson(dose * expected)
        shown, start = network_inputs(counts, response, dose[:, 0])
        weights = np.tile(weight, (n, 1))
        one = np.float32
        return shown, start, (dose * truth).astype(one), weights, dose[:, 0].astype(one)

    def _part(
        self, whole: XrayResponse, scene: Scene, rng: np.random.Generator
    ) -> tuple[XrayResponse, np.ndarray]:
        """A part of the axis, most often about a line."""
        last = whole.n_channels - self.n_channels
        first = int(rng.integers(last + 1))
        if rng.random() < NEAR_A_LINE:
            line = scene.energy_keV[_one_of(scene.counts, rng)]
            place = np.searchsorted(whole.energy_keV, line)
            first = int(np.clip(place - rng.integers(self.n_channels), 0, last))
        weight = np.ones(self.n_channels, np.float32)
        if first > 0:
            weight[:AT_AN_END] = 0
        if first < last:
            weight[-AT_AN_END:] = 0
        return whole.part(first, self.n_channels), weight


def _one_of(counts: np.ndarray, rng: np.random.Generator) -> int:
    """A line; the stronger, the more often, but less than in proportion."""
    share = np.sqrt(counts)
    return int(rng.choice(counts.size, p=share / share.sum()))
