# SPDX-License-Identifier: GPL-3.0-or-later
"""`physics_nmf` on a signal: read, factorise, put the result into signals."""

from __future__ import annotations

import warnings
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from .counted_image import ReadImage, read_image
from .known_phases import abundances_of, column_shares_of
from .learning_results import fill_learning_results
from .progress import progress_bar
from .result import PhysicsNMFResult

if TYPE_CHECKING:
    from ..factorization.factorization import Factorization
    from ..physics.gmatrix import GMatrix

ALGORITHMS = ("variational", "likelihood")

_MOST_PEAKS = 3


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
    _check_options(
        output_dimension, algorithm, mass_thickness, smoothness, sparsity, concentration
    )
    read = read_image(s, _response(s, elements, g_matrix), navigation_mask, signal_mask)
    _check_number(output_dimension, read)
    rng = np.random.default_rng(random_state)
    fixed_shares = column_shares_of(fixed_phases, read, output_dimension)
    known_maps = abundances_of(fixed_abundances, read, output_dimension)
    options = {"num_workers": num_workers}
    with progress_bar(show_progressbar) as progress:
        options["progress"] = progress
        if output_dimension == "auto":
            output_dimension = _number_of_phases(read, rng, options)
        if known_maps is None:
            found, _ = _factorize(
                read,
                output_dimension,
                mass_thickness=mass_thickness,
                concentration=concentration,
                resemblance=resemblance,
                fixed_shares=fixed_shares,
                max_iterations=max_iterations,
                tolerance=tolerance,
                random_state=rng,
                **options,
            )
        else:
            found = _with_known_maps(read, known_maps, options)
        if algorithm == "likelihood" and known_maps is None:
            found = _refined(read, found, smoothness, sparsity, options)
    result = _result(s, read, found)
    fill_learning_results(s, result)
    return result


def _check_options(
    output_dimension: Any,
    algorithm: str,
    mass_thickness: str,
    smoothness: float,
    sparsity: float,
    concentration: float,
) -> None:
    from ..factorization.thickness import MASS_THICKNESS

    whole = isinstance(output_dimension, Integral)
    if output_dimension != "auto" and (
        not whole or isinstance(output_dimension, bool) or output_dimension < 1
    ):
        raise ValueError(
            f"`output_dimension` is {output_dimension!r}; it must be an integer above "
            "0, the number of phases, or 'auto'."
        )
    if algorithm not in ALGORITHMS:
        raise ValueError(f"`algorithm` is {algorithm!r}; it must be in {ALGORITHMS}.")
    if mass_thickness not in MASS_THICKNESS:
        raise ValueError(
            f"`mass_thickness` is {mass_thickness!r}; it must be in {MASS_THICKNESS}."
        )
    for name, value in (("smoothness", smoothness), ("sparsity", sparsity)):
        if not value >= 0:
            raise ValueError(f"`{name}` is {value}; it must be zero or more.")
        if value > 0 and algorithm != "likelihood":
            raise ValueError(
                f"`{name}` weights a penalty of the likelihood; add "
                "`algorithm='likelihood'`, or use `resemblance` (smoothness) and "
                "`concentration` (sparsity) of the variational algorithm."
            )
    if not 0 < concentration < np.inf:
        raise ValueError(f"`concentration` is {concentration}; it must be above 0.")


def _response(s: Any, elements: Any, g_matrix: Any) -> GMatrix:
    from ..physics.gmatrix import GMatrix
    from .gmatrix import g_matrix as build

    if g_matrix is None:
        return build(s, elements)
    if not isinstance(g_matrix, GMatrix):
        raise TypeError(
            f"`g_matrix` is of the type {type(g_matrix).__name__}; make one with "
            "`hspy_ml.g_matrix(s)`, or `hspy_ml.GMatrix.from_array` of your own array."
        )
    if elements is not None:
        raise ValueError(
            "`elements` and `g_matrix` were both given; the columns of `g_matrix` "
            "already say which elements there are. Give one of the two."
        )
    n_channels = s.axes_manager.signal_size
    if g_matrix.matrix.shape[0] != n_channels:
        raise ValueError(
            f"`g_matrix` has {g_matrix.matrix.shape[0]} channels, but the signal has "
            f"{n_channels}; make it from this signal with `hspy_ml.g_matrix(s)`."
        )
    return g_matrix


def _check_number(output_dimension: Any, read: ReadImage) -> None:
    largest = min(read.image.counts.n_pixels, read.g_matrix.matrix.shape[1])
    if output_dimension != "auto" and output_dimension > largest:
        raise ValueError(
            f"`output_dimension` is {output_dimension}, but {largest} is the most that "
            f"{read.image.counts.n_pixels} pixels and {read.g_matrix.matrix.shape[1]} "
            "columns of the G-matrix can tell apart."
        )


def _number_of_phases(read: ReadImage, rng: np.random.Generator, options: dict) -> int:
    from ..factorization.rank import choose_number_of_phases

    return choose_number_of_phases(
        read.image, read.g_matrix, random_state=rng, **options
    ).chosen


def _factorize(read: ReadImage, n_phases: int, **options: Any) -> tuple:
    from ..factorization.factorize import factorize

    return factorize(read.image, read.g_matrix, int(n_phases), **options)


def _with_known_maps(
    read: ReadImage, abundances: np.ndarray, options: dict
) -> Factorization:
    from ..factorization.likelihood import maximise_likelihood
    from ..factorization.start import fit_column_shares

    totals = read.g_matrix.matrix.sum(axis=0)
    mean = fit_column_shares(
        read.image.counts.channel_totals, read.g_matrix.matrix / totals
    )
    start = mean / totals * read.image.counts.pixel_totals.mean()
    found = maximise_likelihood(
        read.image.counts,
        read.g_matrix.matrix,
        np.repeat(start[:, None], abundances.shape[1], axis=1),
        abundances,
        fixed_abundances=True,
        **options,
    )
    return _on_the_map(read, found)


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
    return replace(refined, settings={**found.settings, **refined.settings})


def _on_the_map(read: ReadImage, found: Factorization) -> Factorization:
    return replace(
        found,
        abundances=read.image.spread(found.abundances),
        pixel_scale=read.image.spread(found.pixel_scale),
    )


def _result(s: Any, read: ReadImage, found: Factorization) -> PhysicsNMFResult:
    from ..factorization.diagnostics import deviances

    pixels = read.image.pixels
    loadings = np.nan_to_num(found.abundances[pixels]) * found.pixel_scale[pixels, None]
    spectra = read.g_matrix.matrix @ found.weights
    of_pixels, of_channels = deviances(read.image.counts, spectra, loadings)
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
    )


def _warn_of_unexplained_peaks(read: ReadImage, weights: np.ndarray) -> None:
    from ..physics.unexplained import unexplained_peaks

    acquisition = read.whole_g_matrix.acquisition
    if acquisition is None:
        return
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
    peaks = unexplained_peaks(*spectra, acquisition)[:_MOST_PEAKS]
    if peaks:
        places = "; ".join(
            f"{peak.counts:.3g} counts at {peak.energy_keV:.2f} keV"
            + (f" ({', '.join(peak.candidates)}?)" if peak.candidates else "")
            for peak in peaks
        )
        warnings.warn(
            f"The elements given do not explain {places}. Add what is missing with "
            "`s.add_elements([...])` or `elements=`, or leave the channels out with "
            "`signal_mask`: the continuum and weak elements are wrong otherwise.",
            UserWarning,
            stacklevel=5,
        )
