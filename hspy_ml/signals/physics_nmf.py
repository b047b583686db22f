# SPDX-License-Identifier: GPL-3.0-or-later
"""`physics_nmf` on a signal: read, factorise, put the result into signals."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .counted_image import ReadImage, read_image
from .eels_phases import EdgeImage, edge_image
from .known_maps import abundances_of, fit_spectra
from .known_phases import column_shares_of
from .learning_results import fill_learning_results
from .options import (
    ALGORITHMS,
    check_amount,
    check_choice,
    check_number,
    check_output_dimension,
    check_penalties,
    generator,
)
from .progress import progress_bar
from .response import response_of
from .result import PhysicsNMFResult
from .unexplained import warn_of_unexplained_peaks

if TYPE_CHECKING:
    from ..factorization.factorization import Factorization


def physics_nmf(
    s: Any,
    output_dimension: Any,
    *,
    elements: Any = None,
    g_matrix: Any = None,
    algorithm: str = "variational",
    navigation_mask: Any = None,
    signal_mask: Any = None,
    mass_thickness: str = "auto",
    fixed_phases: Any = None,
    fixed_abundances: Any = None,
    concentration: float = 0.1,
    resemblance: float | None = None,
    smoothness: float = 0.0,
    sparsity: float = 0.0,
    max_iterations: int = 1000,
    tolerance: float = 2e-4,
    random_state: Any = None,
    show_progressbar: bool | None = None,
    num_workers: int | None = None,
) -> PhysicsNMFResult:
    """See :func:`hspy_ml.signals.methods.physics_nmf`, which users call."""
    from ..factorization.thickness import MASS_THICKNESS

    check_output_dimension(output_dimension)
    check_choice("algorithm", algorithm, ALGORITHMS)
    check_choice("mass_thickness", mass_thickness, MASS_THICKNESS)
    check_penalties(algorithm, smoothness=smoothness, sparsity=sparsity)
    check_number("concentration", concentration)
    check_number("tolerance", tolerance, zero=True)
    check_amount("max_iterations", max_iterations)
    if resemblance is not None:
        check_number("resemblance", resemblance, zero=True)
    if num_workers is not None:
        check_amount("num_workers", num_workers)
    rng = generator(random_state)
    response = response_of(s, elements, g_matrix)
    read = read_image(s, response, navigation_mask, signal_mask)
    _check_number_of_phases(output_dimension, read)
    if not (fixed_phases is None or fixed_abundances is None):
        raise ValueError(
            "`fixed_phases` and `fixed_abundances` were both given; give one of the "
            "two, and let the other be found."
        )
    measured = read
    edges = edge_image(s, read, num_workers)
    if edges is None:
        fixed_shares = column_shares_of(fixed_phases, read, output_dimension)
    else:
        fixed_shares = edges.shares_of(fixed_phases, output_dimension)
        read = edges.read
        _check_number_of_phases(output_dimension, read)
    known_maps = abundances_of(fixed_abundances, read, output_dimension)
    options = {"num_workers": num_workers}
    with progress_bar(show_progressbar) as progress:
        options["progress"] = progress
        if output_dimension == "auto":
            output_dimension = _number_of_phases(read, rng, options)
        if known_maps is not None:
            options["max_iterations"] = max_iterations
            found = fit_spectra(read, known_maps, mass_thickness, options)
            found = _on_the_map(read, found)
        else:
            found, _ = _factorize(
                read,
                output_dimension,
                mass_thickness=mass_thickness,
                concentration=concentration,
                resemblance=_resemblance(resemblance, read, output_dimension),
                fixed_shares=fixed_shares,
                max_iterations=max_iterations,
                tolerance=tolerance,
                random_state=rng,
                **options,
            )
            if algorithm == "likelihood" and not found.settings["interrupted"]:
                options["max_iterations"] = max_iterations
                found = _refined(read, found, smoothness, sparsity, options)
    if edges is not None:
        found = edges.with_background(found)
    result = _result(s, measured, found, edges)
    fill_learning_results(s, result)
    return result


def _check_number_of_phases(output_dimension: Any, read: ReadImage) -> None:
    largest = min(read.image.counts.n_pixels, read.g_matrix.matrix.shape[1])
    if output_dimension != "auto" and output_dimension > largest:
        raise ValueError(
            f"`output_dimension` is {output_dimension}, but {largest} is the most that "
            f"{read.image.counts.n_pixels} pixels and {read.g_matrix.matrix.shape[1]} "
            "columns of the G-matrix can tell apart."
        )


def _resemblance(
    resemblance: float | None, read: ReadImage, n_phases: int
) -> float | None:
    """Zero where nothing can be held out, or where there is nothing to smooth."""
    values = read.image.counts.values
    if resemblance is not None or min(n_phases, read.image.counts.n_pixels) == 1:
        return resemblance or 0.0
    if values.dtype.kind == "f" and (values != np.floor(values)).any():
        warnings.warn(
            "The data are no whole numbers, so that no counts can be held out to find "
            "how much to smooth the maps: they are not smoothed. Use the counts as "
            "measured, or give `resemblance`.",
            UserWarning,
            stacklevel=4,
        )
        return 0.0
    return None


def _number_of_phases(read: ReadImage, rng: np.random.Generator, options: dict) -> int:
    from ..factorization.rank import choose_number_of_phases

    return choose_number_of_phases(
        read.image, read.g_matrix, random_state=rng, **options
    ).chosen


def _factorize(read: ReadImage, n_phases: int, **options: Any) -> tuple:
    from ..factorization.factorize import factorize

    return factorize(read.image, read.g_matrix, int(n_phases), **options)


def _refined(
    read: ReadImage,
    found: Factorization,
    smoothness: float,
    sparsity: float,
    options: dict,
) -> Factorization:
    from ..factorization.likelihood import maximise_likelihood
    from ..factorization.penalties import PixelGraph

    pixels = read.image.pixels
    n_fixed = found.settings["n_fixed"]
    scale = found.pixel_scale[pixels, None]
    refined = maximise_likelihood(
        read.image.counts,
        read.g_matrix.matrix,
        found.weights,
        np.nan_to_num(found.abundances[pixels]) * scale,
        mass_thickness=found.settings["mass_thickness"],
        graph=PixelGraph.of_map(read.image.map_shape, pixels),
        smoothness=smoothness,
        sparsity=sparsity,
        fixed_phases=np.arange(found.n_phases) < n_fixed,
        **options,
    )
    refined = _on_the_map(read, refined)
    return replace(
        refined,
        settings={**found.settings, **refined.settings},
        weights_covariance=found.weights_covariance,
        abundance_covariance=found.abundance_covariance,
    )


def _on_the_map(read: ReadImage, found: Factorization) -> Factorization:
    return replace(
        found,
        abundances=read.image.spread(found.abundances),
        pixel_scale=read.image.spread(found.pixel_scale),
    )


def _result(
    s: Any, read: ReadImage, found: Factorization, edges: EdgeImage | None
) -> PhysicsNMFResult:
    from ..factorization.diagnostics import deviances

    pixels = read.image.pixels
    loadings = np.nan_to_num(found.abundances[pixels]) * found.pixel_scale[pixels, None]
    parts = read.g_matrix.matrix @ found.weights, loadings
    if edges is not None:
        parts = edges.spectra_and_loadings(found.weights, loadings)
    of_pixels, of_channels = deviances(read.image.counts, *parts)
    _warn_of_unexplained_peaks(read, found.weights @ loadings.sum(axis=0))
    channel_deviance = np.full(read.excluded_channels.size, np.nan)
    channel_deviance[~read.excluded_channels] = of_channels
    return PhysicsNMFResult.from_factorization(
        s,
        found,
        read.whole_g_matrix,
        navigation_mask=read.excluded_pixels,
        signal_mask=read.excluded_channels,
        pixel_deviance=read.image.spread(of_pixels),
        channel_deviance=channel_deviance,
        weights_covariance=found.weights_covariance,
        abundance_covariance=found.abundance_covariance,
    )


def _warn_of_unexplained_peaks(read: ReadImage, weights: np.ndarray) -> None:
    matrix = read.g_matrix.matrix
    of_elements = np.array(
        [column.element is not None for column in read.g_matrix.columns]
    )
    spectra = np.full((3, read.excluded_channels.size), np.nan)
    spectra[:, ~read.excluded_channels] = (
        read.image.counts.channel_totals,
        matrix @ weights,
        matrix @ (weights * of_elements),
    )
    acquisition = read.whole_g_matrix.acquisition
    warn_of_unexplained_peaks(*spectra, acquisition, stacklevel=6)
