# SPDX-License-Identifier: GPL-3.0-or-later
"""The noise of a detector, estimated from its spectra, and spectra split in two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .response import Response

__all__ = ["DetectorNoise", "estimate_noise", "is_whole", "split"]

_LOCAL_SIGMA = 2.0  # channels, over which the variance for a split is averaged


@dataclass(frozen=True, eq=False)
class DetectorNoise:
    """``counts = gain * Poisson(electrons) + offset``, and the noise of reading out.

    Parameters
    ----------
    gain : ndarray, shape (n,)
        Counts per electron.
    read_variance : ndarray, shape (n,)
        Variance in counts^2 without electrons.
    offset : ndarray, shape (n,)
        Counts per channel without electrons.
    """

    gain: np.ndarray
    read_variance: np.ndarray
    offset: np.ndarray

    def __post_init__(self):
        arrays = np.broadcast_arrays(
            *(
                np.atleast_1d(np.asarray(values, dtype=float))
                for values in (self.gain, self.read_variance, self.offset)
            )
        )
        names = ("gain", "read_variance", "offset")
        for name, values in zip(names, arrays, strict=True):
            if not np.isfinite(values).all():
                raise ValueError(f"`{name}` of the noise holds NaN or infinite values.")
            object.__setattr__(self, name, values)
        if not (self.gain > 0).all():
            raise ValueError("`gain` of the noise has to be above zero.")
        if (self.read_variance < 0).any():
            raise ValueError("`read_variance` of the noise has to be zero or more.")

    @classmethod
    def of_electrons(cls, read_variance: np.ndarray) -> DetectorNoise:
        """Of counts that are electrons already.

        Parameters
        ----------
        read_variance : ndarray, shape (n,)
            Electrons^2.

        Returns
        -------
        DetectorNoise
            Of gain one, without an offset.
        """
        return cls(np.ones(1), read_variance, np.zeros(1))

    @property
    def read_electrons(self) -> np.ndarray:
        """Variance of reading out in electrons^2, shape (n,)."""
        return self.read_variance / self.gain**2

    def __len__(self) -> int:
        return self.gain.size

    def electrons(self, counts: np.ndarray) -> np.ndarray:
        """Counts in units of electrons.

        Parameters
        ----------
        counts : ndarray, shape (n, n_channels)

        Returns
        -------
        ndarray, shape (n, n_channels)
            May be negative.
        """
        return (counts - self.offset[:, None]) / self.gain[:, None]

    def variance(self, expected_electrons: np.ndarray) -> np.ndarray:
        """Variance of the counts in units of electrons.

        Parameters
        ----------
        expected_electrons : ndarray, shape (n, n_channels)

        Returns
        -------
        ndarray, shape (n, n_channels)
        """
        return np.maximum(expected_electrons, 0) + self.read_electrons[:, None]

    def select(self, rows: np.ndarray | slice) -> DetectorNoise:
        """The noise of some spectra.

        Parameters
        ----------
        rows : ndarray of int or bool, or slice

        Returns
        -------
        DetectorNoise
            Itself, where one noise serves all spectra.
        """
        if len(self) == 1:
            return self
        return DetectorNoise(
            self.gain[rows], self.read_variance[rows], self.offset[rows]
        )


def estimate_noise(
    spectra: np.ndarray,
    centre: np.ndarray,
    fwhm: np.ndarray,
    response: Response | None = None,
) -> DetectorNoise:
    """Estimate gain, read-out noise and offset from the spectra alone.

    Parameters
    ----------
    spectra : ndarray, shape (n, n_channels)
        Counts; finite.
    centre, fwhm : ndarray, shape (n,)
        Of the zero-loss peaks, in channels, see `find_zero_loss`.
    response : Response, optional
        Tells the tails of the zero-loss peak from the offset.

    Returns
    -------
    DetectorNoise
        One for each spectrum. Spectra of one detector share what they have in common:
        each estimate is drawn to the mean of all, by as much as its own error is
        larger than the spread of the others.

    Notes
    -----
    Differences of high order hold only noise where peaks are wide, and their squares
    rise with the local mean: by the gain, from the variance of reading out. Whole
    counts that fit a Poisson distribution (gain one, neither offset nor read-out
    noise) are taken for one.
    """
    from .noise_prior import NoisePrior

    spectra = np.asarray(spectra, dtype=float)
    prior = NoisePrior.from_spectra(spectra, centre, fwhm, response)
    return prior.noise_of(spectra, centre, fwhm, response)


def split(
    spectra: np.ndarray,
    noise: DetectorNoise,
    probability: float,
    random_state: int | np.random.Generator | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Split spectra in two with independent noise, as if measured one after the other.

    Parameters
    ----------
    spectra : ndarray, shape (n, n_channels)
        Counts.
    noise : DetectorNoise
    probability : float
        Share of the electrons that are kept, between 0 and 1.
    random_state : int or numpy.random.Generator, optional
        Makes the split repeat exactly.

    Returns
    -------
    kept, held : ndarray of float32, shape (n, n_channels)
        Electrons; their sum is ``noise.electrons(spectra)``. Their means and variances
        are as `probability` and one less it.

    Raises
    ------
    ValueError
        If the probability is not between 0 and 1.

    Notes
    -----
    Whole Poisson counts are thinned binomially. For others a random number of the
    variance ``p (1 - p)`` times the noise's is added to one part and taken from the
    other, which makes normal noise independent.

    References
    ----------
    A. Neufeld et al., J. Mach. Learn. Res. 25 (2024), paper 57 (data thinning).
    """
    if not 0 < probability < 1:
        raise ValueError(
            f"`probability` is {probability}; it has to be between 0 and 1."
        )
    rng = np.random.default_rng(random_state)
    electrons = noise.electrons(spectra)
    kept = np.empty_like(electrons)
    whole = is_whole(electrons) & np.broadcast_to(
        noise.read_variance == 0, len(electrons)
    )
    kept[whole] = rng.binomial(np.rint(electrons[whole]).astype(np.int64), probability)
    rest = ~whole
    if rest.any():
        variance = noise.select(rest).variance(_local_mean(electrons[rest]))
        spread = np.sqrt(probability * (1 - probability) * variance)
        random = rng.standard_normal(spread.shape)
        kept[rest] = probability * electrons[rest] + spread * random
    return kept.astype(np.float32), (electrons - kept).astype(np.float32)


def is_whole(values: np.ndarray) -> np.ndarray:
    """Which spectra hold nothing but whole numbers, none below zero.

    Parameters
    ----------
    values : ndarray, shape (n, n_channels)

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    return ((values >= 0) & (np.abs(values - np.rint(values)) < 1e-6)).all(axis=1)


def _local_mean(electrons: np.ndarray) -> np.ndarray:
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(electrons, _LOCAL_SIGMA, axis=1, mode="nearest")
