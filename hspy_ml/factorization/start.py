# SPDX-License-Identifier: GPL-3.0-or-later
"""Where to start: the purest pixels, and what they would be if they were purer.

The likelihood of a factorisation has many local maxima. Two facts show the way.
Noise is white after weighting with the inverse square root of the mean spectrum,
so that in the space of G's columns the mixtures of k phases lie in a simplex of k
corners, blurred equally in all directions; pixels that span the largest simplex
are the purest (Winter 1999, Proc. SPIE 3753, 266, "N-FINDR"). They lie outside by
their noise, unlike the means of the clusters around them, which lie inside if
grains are mixed. And where no pixel of a phase is pure, its corner lies beyond, in
the direction away from the other phases, at most as far as some element runs out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from hspy_ml.counts import Counts, SparseCounts

_FLOOR = 1e-3
_SOLID = 0.3
_RELEVANT = 0.02
_TRIALS = 20
_SWEEPS = 20
_MOST_STEPS = 1000


@dataclass(frozen=True, eq=False)
class WhitenedPixels:
    """Pixels in the space of G's columns, with equal noise in all directions.

    Parameters
    ----------
    coordinates : ndarray, shape (n_pixels, n_columns)
        Spectra divided by their totals; the variance of a coordinate is one
        over the counts of the pixel.
    to_coordinates : ndarray, shape (n_columns, n_columns)
        Takes column shares to coordinates.
    mean_shares : ndarray, shape (n_columns,)
        Column shares of the mean spectrum.
    totals : ndarray, shape (n_pixels,)
        Counts of the pixels.
    """

    coordinates: np.ndarray
    to_coordinates: np.ndarray
    mean_shares: np.ndarray
    totals: np.ndarray


def fit_column_shares(
    spectrum: np.ndarray, response: np.ndarray, n_iterations: int = 300
) -> np.ndarray:
    """Maximum-likelihood shares of G's columns in one spectrum.

    Parameters
    ----------
    spectrum : ndarray, shape (n_channels,)
        Counts.
    response : ndarray, shape (n_channels, n_columns)
        G with columns that sum to one.
    n_iterations : int, default 300
        Multiplicative updates (Richardson 1972, Lucy 1974).

    Returns
    -------
    ndarray, shape (n_columns,)
        Shares that sum to one.
    """
    spectrum = spectrum / spectrum.sum()
    shares = np.full(response.shape[1], 1.0 / response.shape[1])
    for _ in range(n_iterations):
        model = response @ shares
        ratio = np.divide(spectrum, model, out=np.zeros_like(model), where=model > 0)
        shares *= response.T @ ratio
    return shares / shares.sum()


def project(counts: Counts, weights: np.ndarray) -> np.ndarray:
    """Multiply counts (pixels by channels) with channels by columns."""
    if not isinstance(counts, SparseCounts):
        return counts.values @ weights
    from scipy.sparse import csr_array

    shape = (counts.n_pixels, counts.n_channels)
    channels = counts.channels.astype(np.int32)
    return csr_array((counts.values, channels, counts.offsets), shape=shape) @ weights


def whiten(counts: Counts, response: np.ndarray) -> WhitenedPixels:
    """Bring pixels into the space of G's columns, with white noise.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data.
    response : ndarray, shape (n_channels, n_columns)
        G with columns that sum to one.

    Returns
    -------
    WhitenedPixels
        Weighted least squares, weights from the mean spectrum.
    """
    mean_shares = fit_column_shares(counts.channel_totals, response)
    mean = response @ mean_shares
    weight = np.zeros_like(mean)
    weight[mean > 0] = 1.0 / np.sqrt(mean[mean > 0])
    basis, to_coordinates = np.linalg.qr(response * weight[:, None])
    totals = counts.pixel_totals
    coordinates = project(counts, basis * weight[:, None])
    coordinates = coordinates / np.maximum(totals, 1.0)[:, None]
    return WhitenedPixels(coordinates, to_coordinates, mean_shares, totals)


def signal_plane(pixels: WhitenedPixels, n_phases: int) -> np.ndarray:
    """Project pixels on the plane in which the mixtures lie.

    Returns
    -------
    ndarray, shape (n_pixels, n_columns)
        Coordinates on the plane through the mean that is spanned by the
        ``n_phases - 1`` directions of largest variance.
    """
    weight = pixels.totals / pixels.totals.sum()
    centre = weight @ pixels.coordinates
    offsets = pixels.coordinates - centre
    covariance = (offsets * weight[:, None]).T @ offsets
    directions = np.linalg.eigh(covariance)[1][:, ::-1][:, : n_phases - 1]
    return centre + offsets @ directions @ directions.T


def largest_simplex(
    points: np.ndarray, n_corners: int, rng: np.random.Generator
) -> np.ndarray:
    """Find the points that span the largest simplex (Winter 1999, N-FINDR).

    Parameters
    ----------
    points : ndarray, shape (n_points, n_dimensions)
        Points near a plane of ``n_corners - 1`` dimensions.
    n_corners : int
        Number of corners.
    rng : numpy.random.Generator
        For the starts, of which the best is kept.

    Returns
    -------
    ndarray of int, shape (n_corners,)
        Indices of the points.
    """
    centred = points - points.mean(axis=0)
    directions = np.linalg.svd(centred, full_matrices=False)[2][: n_corners - 1]
    plane = np.column_stack([np.ones(len(points)), centred @ directions.T])
    best, best_volume = np.arange(n_corners), -1.0
    for _ in range(_TRIALS):
        corners = rng.choice(len(points), n_corners, replace=len(points) < n_corners)
        for _ in range(_SWEEPS):
            before = corners.copy()
            for j in range(n_corners):
                volumes = np.abs(plane @ _cofactors(plane[corners], j))
                if volumes.max() > volumes[corners[j]] * (1 + 1e-9):
                    corners[j] = volumes.argmax()
            if np.array_equal(before, corners):
                break
        volume = abs(np.linalg.det(plane[corners]))
        if volume > best_volume:
            best, best_volume = corners, volume
    return best


def _cofactors(matrix: np.ndarray, row: int) -> np.ndarray:
    rest = np.delete(matrix, row, axis=0)
    n = matrix.shape[0]
    return np.array(
        [
            (-1) ** (row + c) * np.linalg.det(np.delete(rest, c, axis=1))
            for c in range(n)
        ]
    )


def corner_shares(
    pixels: WhitenedPixels, n_phases: int, rng: np.random.Generator
) -> np.ndarray:
    """Column shares of the purest pixels.

    Parameters
    ----------
    pixels : WhitenedPixels
        The data.
    n_phases : int
        Number of phases.
    rng : numpy.random.Generator
        For the search.

    Returns
    -------
    ndarray, shape (n_columns, n_phases)
        Shares that sum to one, none below a thousandth of the mean's, since
        multiplicative updates cannot leave zero.
    """
    plane = signal_plane(pixels, n_phases)
    solid = pixels.totals >= _SOLID * pixels.totals.mean()
    if solid.sum() >= n_phases:
        plane = plane[solid]
    corners = plane[largest_simplex(plane, n_phases, rng)]
    shares = np.linalg.lstsq(pixels.to_coordinates, corners.T, rcond=None)[0]
    return _floored(shares, pixels.mean_shares)


def grain_shares(pixels: WhitenedPixels, corners: np.ndarray) -> np.ndarray:
    """Column shares of the phases if every pixel were of one phase only.

    Parameters
    ----------
    pixels : WhitenedPixels
        The data.
    corners : ndarray, shape (n_columns, n_phases)
        Column shares of the purest pixels.

    Returns
    -------
    ndarray, shape (n_columns, n_phases)
        Those of the means of the clusters into which the pixels fall (Lloyd 1982,
        IEEE Trans. Inf. Theory 28, 129), begun at the purest pixels. Purest pixels
        lie outside by their noise; the mean of a grain does not.
    """
    plane = signal_plane(pixels, corners.shape[1])
    means = (pixels.to_coordinates @ corners).T
    for _ in range(_SWEEPS):
        nearest = ((plane[:, None] - means) ** 2).sum(axis=-1).argmin(axis=1)
        weight = pixels.totals * (nearest == np.arange(len(means))[:, None])
        counts = weight.sum(axis=1, keepdims=True)
        means = np.where(counts > 0, weight @ plane / np.maximum(counts, 1.0), means)
    shares = np.linalg.lstsq(pixels.to_coordinates, means.T, rcond=None)[0]
    return _floored(shares, pixels.mean_shares)


def phase_shares(pixels: WhitenedPixels, shares: np.ndarray) -> np.ndarray:
    """Least-squares shares of known phases in every pixel.

    Parameters
    ----------
    pixels : WhitenedPixels
        The data.
    shares : ndarray, shape (n_columns, n_phases)
        Column shares of the phases.

    Returns
    -------
    ndarray, shape (n_pixels, n_phases)
        Non-negative shares of the counts; rows sum to one.
    """
    spectra = pixels.to_coordinates @ shares
    found = np.array(
        [nnls(spectra, point, maxiter=_MOST_STEPS)[0] for point in pixels.coordinates]
    )
    return (found + _FLOOR) / (found + _FLOOR).sum(axis=1, keepdims=True)


def _floored(shares: np.ndarray, mean_shares: np.ndarray) -> np.ndarray:
    floor = _FLOOR * (mean_shares + 1.0 / mean_shares.size)
    shares = np.maximum(shares, floor[:, None])
    return shares / shares.sum(axis=0)


def purified(
    shares: np.ndarray, mean_shares: np.ndarray, pairs: list[tuple[int, int]]
) -> np.ndarray:
    """Take as much of one phase out of another as its elements allow.

    Parameters
    ----------
    shares : ndarray, shape (n_columns, n_phases)
        Column shares.
    mean_shares : ndarray, shape (n_columns,)
        Those of the mean spectrum, which set the floor.
    pairs : list of (int, int)
        From which phase to take out which.

    Returns
    -------
    ndarray, shape (n_columns, n_phases)
        Column shares.
    """
    shares = shares.copy()
    for phase, other in pairs:
        part = shares[:, other]
        relevant = part > _RELEVANT * part.max()
        most = 0.95 * (shares[relevant, phase] / part[relevant]).min()
        rest = shares[:, [phase]] - most * part[:, None]
        shares[:, [phase]] = _floored(rest, mean_shares)
    return shares


def candidate_starts(shares: np.ndarray, mean_shares: np.ndarray) -> list[np.ndarray]:
    """Possible phases, given pixels or grains that are nearly pure.

    Returns
    -------
    list of ndarray, shape (n_columns, n_phases)
        Those given, as they are; each purified of all others; and, for
        each phase, the others purified of it, as for grains in a matrix.
    """
    phases = range(shares.shape[1])
    pairs = [(k, j) for k in phases for j in phases if j != k]
    choices = [[], pairs] + [[(k, j) for k, j in pairs if j == m] for m in phases]
    return [purified(shares, mean_shares, chosen) for chosen in choices]
