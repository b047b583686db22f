# SPDX-License-Identifier: GPL-3.0-or-later
"""Phases and abundances from counts: the whole way, with its defaults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hspy_ml.counts import Counts
from hspy_ml.factorization.abundance_errors import abundance_covariance
from hspy_ml.factorization.factorization import Factorization
from hspy_ml.factorization.jackknife import without_bias
from hspy_ml.factorization.maps import Maps, Neighbourhood, fit_maps
from hspy_ml.factorization.multiscale import PhaseSpectra, find_phases
from hspy_ml.factorization.thickness import Brightness, Totals, find_brightness
from hspy_ml.factorization.uncertainty import weights_covariance
from hspy_ml.factorization.variational import CONCENTRATION
from hspy_ml.physics.gmatrix import GMatrix


@dataclass(frozen=True, eq=False)
class CountedImage:
    """The counts that are used, and where they come from.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        Counts of the pixels and channels that are used.
    map_shape : tuple of int
        Shape of the whole map.
    pixels : ndarray of int, shape (counts.n_pixels,)
        Where in the flattened map the pixels are.
    """

    counts: Counts
    map_shape: tuple[int, ...]
    pixels: np.ndarray

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Values of the used pixels on the flattened map, NaN elsewhere."""
        shape = (int(np.prod(self.map_shape, dtype=int)), *values.shape[1:])
        whole = np.full(shape, np.nan)
        whole[self.pixels] = values
        return whole


def factorize(
    image: CountedImage,
    g_matrix: GMatrix,
    n_phases: int,
    *,
    mass_thickness: str = "auto",
    concentration: float = CONCENTRATION,
    resemblance: float | None = None,
    fixed_shares: np.ndarray | None = None,
    max_iterations: int = 1000,
    tolerance: float = 2e-4,
    random_state: int | np.random.Generator | None = None,
    progress: Callable[[int], None] | None = None,
    num_workers: int | None = None,
) -> tuple[Factorization, PhaseSpectra]:
    """Find phases and abundances.

    Parameters
    ----------
    image : CountedImage
        The data; no pixel is empty.
    g_matrix : GMatrix
        G, of the channels that are used.
    n_phases : int
        Number of phases.
    mass_thickness : {"auto", "constant", "free"}
        See :mod:`~hspy_ml.factorization.thickness`.
    concentration : float, default 0.1
        Dirichlet concentration of the shares; smaller is purer.
    resemblance : float, optional
        How much a pixel resembles its neighbours, in counts; found from
        held-out counts by default.
    fixed_shares : ndarray, shape (n_columns, n_fixed), optional
        Column shares of known phases, which become the first.
    max_iterations, tolerance, random_state, progress, num_workers
        See :func:`~hspy_ml.factorization.multiscale.find_phases`.

    Returns
    -------
    factorization : Factorization
        Phases in the order of falling abundance, after those that are fixed.
    phases : PhaseSpectra
        The spectra and the image they were found on, in the same order.
    """
    rng = np.random.default_rng(random_state)
    totals = g_matrix.matrix.sum(axis=0)
    response = g_matrix.matrix / totals
    options = {"progress": progress, "num_workers": num_workers}
    phases = find_phases(
        image.counts,
        response,
        n_phases,
        map_shape=image.map_shape,
        pixels=image.pixels,
        concentration=concentration,
        fixed_shares=fixed_shares,
        max_iterations=max_iterations,
        tolerance=tolerance,
        random_state=rng,
        **options,
    )
    n_fixed = 0 if fixed_shares is None else fixed_shares.shape[1]
    if _can_be_split(image.counts) and not phases.fit.interrupted:
        phases = without_bias(
            phases, response, n_fixed=n_fixed, random_state=rng, **options
        )
    maps = fit_maps(
        image.counts,
        response,
        phases.column_shares,
        phases.fit.model.shares[phases.image.block_of_pixel],
        Neighbourhood(image.map_shape, image.pixels),
        concentration=concentration,
        resemblance=0.0 if phases.fit.interrupted else resemblance,
        random_state=rng,
        **options,
    )
    brightness = _brightness(image, maps, phases, g_matrix, mass_thickness)
    order = _order(maps.posterior, n_fixed)
    posterior = maps.posterior[:, order]
    phases = _reordered(phases, order)
    s = brightness.counts[order]
    abundances = posterior / s
    abundances /= abundances.sum(axis=1, keepdims=True)
    scale = np.ones(len(abundances))
    if not brightness.constant:
        scale = image.counts.pixel_totals / (abundances @ s)
        abundances[image.counts.pixel_totals == 0] = np.nan
    settings = {
        "mass_thickness": "constant" if brightness.constant else "free",
        "concentration": concentration,
        "resemblance": maps.resemblance,
        "n_fixed": n_fixed,
        "interrupted": phases.fit.interrupted or maps.interrupted,
    }
    bounds = np.array(phases.fit.bounds)
    weights = phases.column_shares * s / totals[:, None]
    scatter = abundance_covariance(
        image.counts, response @ phases.column_shares, posterior, s, num_workers
    )
    return (
        Factorization(
            weights=weights,
            abundances=image.spread(abundances),
            pixel_scale=image.spread(scale),
            loss=-bounds / image.counts.pixel_totals.sum(),
            converged=phases.fit.converged,
            n_iterations=phases.n_iterations,
            settings=settings,
            weights_covariance=weights_covariance(
                phases, weights, g_matrix, n_fixed=n_fixed, num_workers=num_workers
            ),
            abundance_covariance=image.spread(scatter),
        ),
        phases,
    )


def _brightness(
    image: CountedImage,
    maps: Maps,
    phases: PhaseSpectra,
    g_matrix: GMatrix,
    mass_thickness: str,
) -> Brightness:
    blocks = Totals(
        phases.fit.model.shares,
        phases.image.counts.pixel_totals,
        np.bincount(phases.image.block_of_pixel),
    )
    pixels = Totals(
        maps.posterior / maps.posterior.sum(axis=1, keepdims=True),
        image.counts.pixel_totals,
        np.ones(image.counts.n_pixels),
    )
    return find_brightness(
        blocks, pixels, phases.column_shares, g_matrix, mass_thickness
    )


def _can_be_split(counts: Counts) -> bool:
    return np.issubdtype(counts.values.dtype, np.integer)


def _order(posterior: np.ndarray, n_fixed: int) -> np.ndarray:
    amount = posterior.sum(axis=0)
    amount[:n_fixed] = np.inf
    return np.argsort(-amount, kind="stable")


def _reordered(phases: PhaseSpectra, order: np.ndarray) -> PhaseSpectra:
    model = phases.fit.model
    model = replace(
        model,
        column_shares=model.column_shares[:, order],
        posterior=model.posterior[:, order],
        concentration=model.concentration[order],
    )
    return replace(
        phases,
        column_shares=phases.column_shares[:, order],
        fit=replace(phases.fit, model=model),
    )
