# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes of zero-loss peaks: what a spectrometer makes of electrons of one energy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["FAMILIES", "random_responses"]

NARROWEST, WIDEST = 8.0, 30.0  # channels
ASYMMETRY = 0.25  # largest difference of the half widths, over their mean
FINE = np.linspace(-3.0, 3.0, 2401)  # FWHM, to find the top and the width of a shape


def random_responses(
    family: str,
    n_responses: int,
    n_channels: int = 2048,
    *,
    fwhm: tuple[float, float] | None = None,
    random_state: int | np.random.Generator | None = None,
) -> np.ndarray:
    """Draw responses of a spectrometer.

    Parameters
    ----------
    family : str
        "family" (asymmetric pseudo-Voigt shapes, 0.5 to 40 % Lorentzian, and Pearson
        VII shapes of exponents 1.15 to 2.2, 8 to 30 channels wide), "narrow" (the
        same, half as wide as the narrowest of them at most), "wide" (up to 1.5 times
        the widest), "shoulder" (a second peak on the side of the first) or
        "one-sided" (an exponential tail).
    n_responses : int
    n_channels : int, default 2048
        Of the spectra; the response reaches as far to either side.
    fwhm : tuple of two floats, optional
        Smallest and largest width in channels, instead of the family's; log-uniform
        in between.
    random_state : int or numpy.random.Generator, optional
        Makes the responses repeat exactly.

    Returns
    -------
    ndarray, shape (n_responses, 2 n_channels + 1)
        Rows sum to one; the highest point is at index `n_channels`.

    Raises
    ------
    ValueError
        If there is no such family.

    References
    ----------
    G. K. Wertheim et al., Rev. Sci. Instrum. 45 (1974) 1369 (pseudo-Voigt).
    M. M. Hall et al., J. Appl. Cryst. 10 (1977) 66 (Pearson VII).
    """
    if family not in FAMILIES:
        raise ValueError(
            f"`family` is {family!r}; choose one of {', '.join(FAMILIES)}."
        )
    rng = np.random.default_rng(random_state)
    shape, usual = FAMILIES[family]
    low, high = usual if fwhm is None else fwhm
    if not 0 < low <= high:
        raise ValueError(f"`fwhm` is {fwhm}; give two widths, 0 < smallest <= largest.")
    width = np.exp(rng.uniform(np.log(low), np.log(high), n_responses))
    place = np.arange(-n_channels, n_channels + 1) / width[:, None]
    kernels = shape(rng, n_responses)(place)
    return kernels / kernels.sum(axis=1, keepdims=True)


#: Draws shapes; a shape takes places (n, ...) in FWHM from its highest point.
Shapes = Callable[[np.random.Generator, int], Callable[[np.ndarray], np.ndarray]]


def _pseudo_voigt(x: np.ndarray, lorentzian: np.ndarray) -> np.ndarray:
    square = 4 * x**2
    return lorentzian / (1 + square) + (1 - lorentzian) * np.exp(-np.log(2) * square)


def _pearson(x: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    return (1 + 4 * x**2 * (2 ** (1 / exponent) - 1)) ** -exponent


def _skewed(x: np.ndarray, asymmetry: np.ndarray) -> np.ndarray:
    """Places in widths of their own side."""
    return x / np.where(x > 0, 1 + asymmetry, 1 - asymmetry)


def _two_sided(rng: np.random.Generator, n: int) -> Callable[[np.ndarray], np.ndarray]:
    is_voigt = rng.random(n) < 0.5
    asymmetry = rng.uniform(-ASYMMETRY, ASYMMETRY, (n, 1))
    lorentzian = np.exp(rng.uniform(np.log(0.005), np.log(0.4), (n, 1)))
    exponent = rng.uniform(1.15, 2.2, (n, 1))

    def shape(x: np.ndarray) -> np.ndarray:
        x = _skewed(x, asymmetry)
        values = np.empty_like(x)
        values[is_voigt] = _pseudo_voigt(x[is_voigt], lorentzian[is_voigt])
        values[~is_voigt] = _pearson(x[~is_voigt], exponent[~is_voigt])
        return values

    return shape


def _shoulder(rng: np.random.Generator, n: int) -> Callable[[np.ndarray], np.ndarray]:
    lorentzian = np.exp(rng.uniform(np.log(0.005), np.log(0.2), (n, 1)))
    height = rng.uniform(0.15, 0.5, (n, 1))
    distance = rng.uniform(0.7, 1.3, (n, 1)) * rng.choice([-1.0, 1.0], (n, 1))
    relative = rng.uniform(0.6, 1.2, (n, 1))

    def shape(x: np.ndarray) -> np.ndarray:
        second = _pseudo_voigt((x - distance) / relative, lorentzian)
        return _pseudo_voigt(x, lorentzian) + height * second

    return _scaled(shape, n)


def _one_sided(rng: np.random.Generator, n: int) -> Callable[[np.ndarray], np.ndarray]:
    """A Gaussian, part of it convolved with an exponential on one side."""
    from scipy.special import erfcx

    share = rng.uniform(0.2, 0.7, (n, 1))
    decay = rng.uniform(0.5, 2.0, (n, 1))
    side = rng.choice([-1.0, 1.0], (n, 1))
    sigma = 1 / np.sqrt(8 * np.log(2))

    def shape(x: np.ndarray) -> np.ndarray:
        x = side * x
        bell = np.exp(-0.5 * (x / sigma) ** 2)
        z = (sigma / decay - x / sigma) / np.sqrt(2)
        near = bell * erfcx(np.maximum(z, 0.0))
        far = 2 * np.exp(np.minimum(sigma**2 / (2 * decay**2) - x / decay, 50.0))
        far = far - bell * erfcx(np.maximum(-z, 0.0))
        tail = np.where(z > 0, near, far) / (2 * decay)
        return (1 - share) * bell / (sigma * np.sqrt(2 * np.pi)) + share * tail

    return _scaled(shape, n)


def _scaled(
    shape: Callable[[np.ndarray], np.ndarray], n: int
) -> Callable[[np.ndarray], np.ndarray]:
    """The same shapes with their tops at 0 and FWHM of one."""
    values = shape(np.broadcast_to(FINE, (n, FINE.size)))
    step = FINE[1] - FINE[0]
    top = values.argmax(axis=1)
    row = np.arange(n)
    left, middle, right = values[row, top - 1], values[row, top], values[row, top + 1]
    offset = 0.5 * (left - right) / (left - 2 * middle + right)
    mode = (FINE[top] + step * offset)[:, None]
    width = step * (values >= middle[:, None] / 2).sum(axis=1, keepdims=True)
    return lambda x: shape(x * width + mode)


FAMILIES: dict[str, tuple[Shapes, tuple[float, float]]] = {
    "family": (_two_sided, (NARROWEST, WIDEST)),
    "narrow": (_two_sided, (NARROWEST / 2, NARROWEST)),
    "wide": (_two_sided, (WIDEST, 1.5 * WIDEST)),
    "shoulder": (_shoulder, (NARROWEST, WIDEST)),
    "one-sided": (_one_sided, (NARROWEST, WIDEST)),
}
