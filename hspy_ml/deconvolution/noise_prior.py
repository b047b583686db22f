# SPDX-License-Identifier: GPL-3.0-or-later
"""What the spectra of a map have in common in their noise, and what each has alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .dark_level import dark_level
from .noise import DetectorNoise, is_whole
from .noise_regression import VarianceFit, regress_variance

if TYPE_CHECKING:
    from .response import Response

__all__ = ["NoisePrior"]

_LEAST_GAIN = 1e-12
_UNLIKE_BEYOND = 3.0  # standard errors of the scatter, that it has to be larger
_POISSON_WITHIN = 4.0  # standard errors of the logarithm of the gain from zero
_POISSON_AT_LEAST = 0.1
_POISSON_READ = 0.25  # electrons^2
_POISSON_OFFSET = 0.5  # counts


@dataclass(frozen=True)
class NoisePrior:
    """Mean and spread over spectra of the gain and of the read-out noise.

    Parameters
    ----------
    log_gain, log_gain_spread : float
        Mean and standard deviation of the logarithm of the counts per electron.
    read, read_spread : float
        Of the variance of reading out, electrons^2.
    widening : float
        Factor of the variance over what differences of channels tell.

    Notes
    -----
    Where the spread is zero, all spectra have the mean; where it is large, each has its
    own estimate.
    """

    log_gain: float
    log_gain_spread: float = 0.0
    read: float = 0.0
    read_spread: float = 0.0
    widening: float = 1.0

    @classmethod
    def from_spectra(
        cls,
        spectra: np.ndarray,
        centre: np.ndarray,
        fwhm: np.ndarray,
        response: Response | None = None,
    ) -> NoisePrior:
        """Learn it from a sample.

        Parameters
        ----------
        spectra : ndarray, shape (n, n_channels)
            Counts; finite.
        centre, fwhm : ndarray, shape (n,)
            Of the zero-loss peaks, channels.
        response : Response, optional
            Tells the tails from the offset.

        Returns
        -------
        NoisePrior
        """
        offset = dark_level(spectra, centre, fwhm, response)
        fit = regress_variance(spectra, offset, centre, fwhm)
        log_gain, spread = _mean_and_spread(_log(fit.gain), fit.log_gain_error)
        read, read_spread = _mean_and_spread(
            fit.read_variance / fit.gain**2, fit.read_error / fit.gain**2
        )
        return cls(log_gain, spread, max(read, 0.0), read_spread)

    @classmethod
    def known(cls, gain: float, read_noise: float = 0.0) -> NoisePrior:
        """Of a detector whose noise is known.

        Parameters
        ----------
        gain : float
            Counts per electron.
        read_noise : float, default 0
            Standard deviation in counts.

        Returns
        -------
        NoisePrior
        """
        return cls(float(np.log(gain)), 0.0, (read_noise / gain) ** 2, 0.0)

    def widened(self, factor: float) -> NoisePrior:
        """Noise of another variance, at all counts.

        Parameters
        ----------
        factor : float
            Of the variance.

        Returns
        -------
        NoisePrior
        """
        log_gain = self.log_gain + float(np.log(factor))
        return replace(
            self,
            log_gain=log_gain,
            read=self.read / factor,
            read_spread=self.read_spread / factor,
            widening=self.widening * factor,
        )

    def noise_of(
        self,
        spectra: np.ndarray,
        centre: np.ndarray,
        fwhm: np.ndarray,
        response: Response | None = None,
    ) -> DetectorNoise:
        """The noise of spectra; each as if it were alone.

        Parameters
        ----------
        spectra, centre, fwhm, response
            As for :meth:`from_spectra`.

        Returns
        -------
        DetectorNoise
        """
        offset = dark_level(spectra, centre, fwhm, response)
        if self.log_gain_spread == 0 and self.read_spread == 0:
            n = len(spectra)
            log_gain, read = np.full(n, self.log_gain), np.full(n, self.read)
            error = np.zeros(n)
        else:
            fit = regress_variance(spectra, offset, centre, fwhm)
            log_gain, read, error = self._posterior(fit)
        gain = np.exp(log_gain)
        poisson = np.abs(log_gain) < np.maximum(
            _POISSON_WITHIN * error, _POISSON_AT_LEAST
        )
        poisson &= self.widening == 1
        poisson &= (read < _POISSON_READ) & (np.abs(offset) < _POISSON_OFFSET)
        poisson[poisson] = is_whole(spectra[poisson])
        return DetectorNoise(
            np.where(poisson, 1.0, gain),
            np.where(poisson, 0.0, read * gain**2),
            np.where(poisson, 0.0, offset),
        )

    def _posterior(self, fit: VarianceFit):
        log_gain = _drawn(
            _log(self.widening * fit.gain),
            fit.log_gain_error,
            self.log_gain,
            self.log_gain_spread,
        )
        squared = np.exp(2 * log_gain)
        read = _drawn(
            self.widening * fit.read_variance / squared,
            self.widening * fit.read_error / squared,
            self.read,
            self.read_spread,
        )
        return log_gain, np.maximum(read, 0), fit.log_gain_error


def _log(gain: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(gain, _LEAST_GAIN))


def _drawn(values, errors, mean, spread):
    """Each value drawn to the mean, by the share of its variance that is error."""
    errors = np.minimum(errors, 1e30)
    drawn = mean + spread**2 / (spread**2 + errors**2 + 1e-30) * (values - mean)
    return np.where(np.isfinite(drawn), drawn, mean)


def _mean_and_spread(values: np.ndarray, errors: np.ndarray) -> tuple[float, float]:
    """Mean, and the scatter that values have beyond their errors, if clearly so.

    R. DerSimonian & N. Laird, Controlled Clinical Trials 7 (1986) 177, eq. 8.
    """
    known = np.isfinite(errors) & (errors > 0) & np.isfinite(values)
    if not known.any():
        return float(np.nanmean(values)), 0.0
    values, weight = values[known], 1 / errors[known] ** 2
    total = weight.sum()
    mean = weight @ values / total
    free = values.size - 1
    excess = weight @ (values - mean) ** 2 - free
    own = total - weight @ weight / total
    unlike = excess > _UNLIKE_BEYOND * np.sqrt(2 * free) and own > 0
    between = excess / own if unlike else 0.0
    weight = 1 / (between + 1 / weight)
    return float(weight @ values / weight.sum()), float(np.sqrt(between))
