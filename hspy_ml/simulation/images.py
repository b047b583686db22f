# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectrum images: Poisson counts of a scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = [
    "Scene",
    "counts_dtype",
    "draw_counts",
    "draw_dense_counts",
    "scene_of_mean_counts",
]

PIXELS_AT_ONCE = 2**16


@dataclass(frozen=True, eq=False)
class Scene:
    """What is measured: ``Y_p ~ Poisson(scale_p spectra h_p)``.

    Parameters
    ----------
    abundances : ndarray, shape (n_rows, n_columns, n_phases)
        h: shares of the mass thickness of each pixel, which sum to one.
    spectra : ndarray, shape (n_phases, n_channels)
        Expected counts of a pixel of mean mass thickness that a phase fills.
    scale : ndarray, shape (n_rows, n_columns)
        Mass thickness in units of the mean; 0 in a hole.
    """

    abundances: np.ndarray
    spectra: np.ndarray
    scale: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, columns and channels."""
        return (*self.scale.shape, self.spectra.shape[1])

    @property
    def photons(self) -> np.ndarray:
        """Expected counts from each phase, shape (n_rows, n_columns, n_phases)."""
        return self.abundances * self.scale[..., None] * self.spectra.sum(axis=1)


def scene_of_mean_counts(scene: Scene, counts_per_pixel: float) -> Scene:
    """The same scene at another dose.

    Parameters
    ----------
    scene : Scene
    counts_per_pixel : float
        Expected counts of a pixel, on average over the image.

    Returns
    -------
    Scene

    Raises
    ------
    ValueError
        If the counts are not a positive number.
    """
    if not 0 < counts_per_pixel < np.inf:
        raise ValueError(
            f"`counts_per_pixel` is {counts_per_pixel}; a number above zero is "
            "expected."
        )
    dose = counts_per_pixel / scene.photons.sum(axis=2).mean()
    return Scene(scene.abundances, dose * scene.spectra, scene.scale)


def draw_counts(
    scene: Scene,
    random_state: int | np.random.Generator | None = None,
    *,
    pile_up: float = 0.0,
    zero_channel: float = 0.0,
) -> np.ndarray:
    """Measure a scene once.

    The photons of a phase in a pixel are Poisson, each with a channel drawn from the
    phase's spectrum: the same as Poisson counts in each channel, but the work grows
    with the photons, not with pixels times channels.

    Parameters
    ----------
    scene : Scene
    random_state : int or numpy.random.Generator, optional
        Makes the counts repeat exactly.
    pile_up : float, default 0
        Fraction of the counted events, from 0 to below 1, that are two photons of the
        same pixel, counted as one of the sum of their energies. Sums beyond the end
        of the axis are lost.
    zero_channel : float, default 0
        Where on the axis the energy 0 lies, in channels. For pile-up.

    Returns
    -------
    ndarray, shape (n_rows, n_columns, n_channels)
        Counts, in the smallest of uint8, uint16 and uint32 that holds them.

    Raises
    ------
    ValueError
        If the fraction is not allowed.
    """
    from .image_kernels import add_photons, add_pile_up

    _check_pile_up(pile_up)
    rng = np.random.default_rng(random_state)
    image = np.zeros(scene.shape, counts_dtype(scene))
    pixels = image.reshape(-1, image.shape[2])
    expected = scene.photons.reshape(pixels.shape[0], -1)
    cumulative = np.cumsum(scene.spectra, axis=1)
    for first in range(0, expected.shape[0], PIXELS_AT_ONCE):
        block = slice(first, first + PIXELS_AT_ONCE)
        single = rng.poisson((1 - pile_up) * expected[block])
        add_photons(rng, single, cumulative, pixels[block])
        if pile_up > 0:
            events = rng.poisson(pile_up * expected[block].sum(axis=1))
            add_pile_up(
                rng, events, expected[block], cumulative, zero_channel, pixels[block]
            )
    return image


def draw_dense_counts(
    scene: Scene, random_state: int | np.random.Generator | None = None
) -> np.ndarray:
    """Measure a scene once, channel by channel.

    For spectra with counts in most channels, such as those of energy losses: the work
    grows with pixels times channels.

    Parameters
    ----------
    scene : Scene
    random_state : int or numpy.random.Generator, optional
        Makes the counts repeat exactly.

    Returns
    -------
    ndarray, shape (n_rows, n_columns, n_channels)
        Counts, in the smallest of uint8, uint16 and uint32 that holds them.
    """
    rng = np.random.default_rng(random_state)
    image = np.empty(scene.shape, counts_dtype(scene))
    for row, (shares, scale) in enumerate(
        zip(scene.abundances, scene.scale, strict=True)
    ):
        image[row] = rng.poisson((shares @ scene.spectra) * scale[:, None])
    return image


def _check_pile_up(pile_up: float) -> None:
    if not 0 <= pile_up < 1:
        raise ValueError(
            f"`pile_up` is {pile_up}; a fraction from 0 to below 1 is expected."
        )


def counts_dtype(scene: Scene) -> np.dtype:
    r"""Smallest unsigned integers that hold the counts of a scene.

    A Poisson variable of mean m goes beyond :math:`m + 12 \sqrt{m} + 20` with a
    probability below 1e-20.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    numpy.dtype
    """
    mean = scene.scale.max() * scene.spectra.max()
    return np.min_scalar_type(int(np.ceil(mean + 12 * np.sqrt(mean) + 20)))
