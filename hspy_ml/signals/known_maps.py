# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user knows already: the maps of all phases, whose spectra are sought."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .data import real_numbers

if TYPE_CHECKING:
    from ..factorization.factorization import Factorization
    from .counted_image import ReadImage

_SUM_TOLERANCE = 1e-3
_MOST_TURNS = 30
_SMALLEST_CHANGE = 1e-3


def abundances_of(
    fixed_abundances: Any, read: ReadImage, output_dimension: Any
) -> np.ndarray | None:
    """Turn known maps into abundances of the pixels that are used.

    Parameters
    ----------
    fixed_abundances : signal or array, or None
        Maps of all phases, phases first: of the shape (n_phases, *map), such as
        ``result.abundances``; in every used pixel they sum to one.
    read : ReadImage
        The data.
    output_dimension : int or "auto"
        Number of phases.

    Returns
    -------
    ndarray, shape (n_pixels, n_phases), or None
        Abundances; zero in empty pixels in which they were NaN.

    Raises
    ------
    ValueError
        If the shape or the sums are wrong, or the number of phases is "auto".
    TypeError
        If they are no real numbers.
    """
    if fixed_abundances is None:
        return None
    if output_dimension == "auto":
        raise ValueError(
            "`fixed_abundances` says how many phases there are; give their number as "
            "`output_dimension` instead of 'auto'."
        )
    maps = real_numbers(fixed_abundances, "fixed_abundances")
    expected = (output_dimension, *read.image.map_shape)
    if maps.shape != expected:
        raise ValueError(
            f"`fixed_abundances` has the shape {maps.shape}; it must be {expected}: "
            "phases first, then the map."
        )
    abundances = maps.reshape(output_dimension, -1).T[read.image.pixels]
    known = ~(np.isnan(abundances).all(axis=1) & (read.image.counts.pixel_totals == 0))
    total = abundances[known].sum(axis=1, keepdims=True)
    if not (
        (abundances[known] >= 0).all() and np.allclose(total, 1.0, atol=_SUM_TOLERANCE)
    ):
        raise ValueError(
            "`fixed_abundances` must be zero or more and sum to one in every pixel "
            "that is used; mask other pixels with `navigation_mask`."
        )
    spread = np.zeros_like(abundances)
    spread[known] = abundances[known] / total
    return spread


def fit_spectra(
    read: ReadImage, abundances: np.ndarray, mass_thickness: str, options: dict
) -> Factorization:
    """Find the spectra of phases whose maps are known.

    Parameters
    ----------
    read : ReadImage
        The data and the response.
    abundances : ndarray, shape (n_pixels, n_phases)
        From :func:`abundances_of`.
    mass_thickness : {"auto", "constant", "free"}
        As for :func:`~hspy_ml.factorization.factorize.factorize`. If it is not
        constant, spectra and mass thickness are found in turn: the thickness of a
        pixel is its counts over those that G gives for its composition.
    options : dict
        For :func:`~hspy_ml.factorization.likelihood.maximise_likelihood`.

    Returns
    -------
    Factorization
        Of the pixels that are used; the mean mass thickness is one.
    """
    found = _most_likely_spectra(read, abundances, None, options)
    constant = mass_thickness == "constant" or (
        mass_thickness == "auto" and _is_constant(read, abundances, found)
    )
    if not constant:
        found = _with_thickness(read, abundances, found, options)
    kind = "constant" if constant else "free"
    return replace(
        found, settings={**found.settings, "mass_thickness": kind, "n_fixed": 0}
    )


def _is_constant(read: ReadImage, abundances: np.ndarray, found: Factorization) -> bool:
    from ..factorization.thickness import is_constant

    brightness = read.g_matrix.matrix.sum(axis=0) @ found.weights
    shares = abundances * brightness
    total = shares.sum(axis=1, keepdims=True)
    known = total[:, 0] > 0
    totals = read.image.counts.pixel_totals[known]
    return is_constant(shares[known] / total[known], totals, brightness)


def _with_thickness(
    read: ReadImage, abundances: np.ndarray, found: Factorization, options: dict
) -> Factorization:
    from ..factorization.thickness import brightness_from_physics

    counts = read.image.counts.pixel_totals
    totals = read.g_matrix.matrix.sum(axis=0)[:, None]
    scale = np.ones(len(abundances))
    for _ in range(_MOST_TURNS):
        previous = scale
        column_shares = totals * found.weights
        column_shares /= column_shares.sum(axis=0)
        brightness = brightness_from_physics(column_shares, read.g_matrix)
        full = abundances @ brightness
        scale = np.divide(counts, full, out=np.zeros_like(full), where=full > 0)
        brightness, scale = brightness * scale.mean(), scale / scale.mean()
        found = replace(found, weights=column_shares * brightness / totals)
        change = np.abs(scale - previous).max()
        if found.settings["interrupted"] or change < _SMALLEST_CHANGE:
            break
        found = _most_likely_spectra(read, abundances * scale[:, None], found, options)
    filled = np.where(scale[:, None] > 0, abundances, np.nan)
    return replace(found, abundances=filled, pixel_scale=scale)


def _most_likely_spectra(
    read: ReadImage,
    loadings: np.ndarray,
    start: Factorization | None,
    options: dict,
) -> Factorization:
    from ..factorization.likelihood import maximise_likelihood

    weights = _mean_weights(read, loadings) if start is None else start.weights
    return maximise_likelihood(
        read.image.counts,
        read.g_matrix.matrix,
        weights,
        loadings,
        fixed_abundances=True,
        **options,
    )


def _mean_weights(read: ReadImage, loadings: np.ndarray) -> np.ndarray:
    """Weights with which every phase has the mean spectrum."""
    from ..factorization.start import fit_column_shares

    counts = read.image.counts
    totals = read.g_matrix.matrix.sum(axis=0)
    mean = fit_column_shares(counts.channel_totals, read.g_matrix.matrix / totals)
    weights = mean / totals * counts.pixel_totals.mean()
    return np.repeat(weights[:, None], loadings.shape[1], axis=1)
