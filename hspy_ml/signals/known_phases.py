# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user knows already: spectra or compositions of phases, or their maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .counted_image import ReadImage

_SUM_TOLERANCE = 1e-3


def column_shares_of(
    fixed_phases: Sequence[Any] | None, read: ReadImage, output_dimension: Any
) -> np.ndarray | None:
    """Turn known phases into shares of G's columns.

    Parameters
    ----------
    fixed_phases : sequence of known phases, or None
        Each a composition, as a mapping of symbols to atomic amounts, or a
        spectrum, as a signal or an array of all channels.
    read : ReadImage
        The data and the response.
    output_dimension : int or "auto"
        Number of phases.

    Returns
    -------
    ndarray, shape (n_columns, n_fixed), or None
        How the counts of each known phase divide among the columns; a
        composition takes the shares of the continuum and of the lines from the
        mean spectrum.

    Raises
    ------
    ValueError
        If there are too many, or one cannot be described by the columns.
    """
    if fixed_phases is None:
        return None
    fixed_phases = list(fixed_phases)
    if output_dimension == "auto" or len(fixed_phases) > output_dimension:
        raise ValueError(
            f"`fixed_phases` holds {len(fixed_phases)} phases and `output_dimension` "
            f"is {output_dimension!r}; it must be an integer of at least that."
        )
    return np.column_stack([_shares_of(phase, read) for phase in fixed_phases])


def _shares_of(phase: Any, read: ReadImage) -> np.ndarray:
    if isinstance(phase, Mapping):
        return _from_composition(phase, read)
    from ..factorization.start import fit_column_shares

    spectrum = np.asarray(getattr(phase, "data", phase), dtype=float)
    if spectrum.shape != read.excluded_channels.shape:
        raise ValueError(
            f"`fixed_phases` holds a spectrum of the shape {spectrum.shape}; it must "
            f"have the {read.excluded_channels.size} channels of the signal."
        )
    spectrum = spectrum[~read.excluded_channels]
    if not (np.isfinite(spectrum).all() and (spectrum >= 0).all() and spectrum.any()):
        raise ValueError(
            "`fixed_phases` holds a spectrum with negative, infinite or no counts."
        )
    return fit_column_shares(spectrum, _response(read))


def _response(read: ReadImage) -> np.ndarray:
    return read.g_matrix.matrix / read.g_matrix.matrix.sum(axis=0)


def _from_composition(phase: Mapping[str, float], read: ReadImage) -> np.ndarray:
    from ..factorization.composition import conversion_factors, reference_columns
    from ..factorization.start import fit_column_shares

    g = read.g_matrix
    unknown = set(phase) - set(g.elements)
    if unknown or not phase or min(phase.values()) < 0 or not sum(phase.values()) > 0:
        raise ValueError(
            f"`fixed_phases` holds the composition {dict(phase)}; give atomic amounts "
            f"of zero or more of {', '.join(g.elements)}."
        )
    mean = fit_column_shares(read.image.counts.channel_totals, _response(read))
    reference = reference_columns(g)
    per_amount = 1.0 / conversion_factors(g.elements, g.concentration, "atomic")
    amounts = mean / g.matrix.sum(axis=0)
    shares = np.zeros_like(mean)
    for i, column in enumerate(g.columns):
        if column.element is None:
            continue
        ratio = amounts[i] / max(amounts[reference[column.element]], 1e-300)
        ratio = 1.0 if i == reference[column.element] else ratio
        atoms = phase.get(column.element, 0.0)
        amount = atoms * per_amount[g.elements.index(column.element)] * ratio
        shares[i] = amount * g.matrix[:, i].sum()
    lines = np.array([column.element is not None for column in g.columns])
    shares *= mean[lines].sum() / shares.sum()
    return np.where(lines, shares, mean)


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
        Abundances.

    Raises
    ------
    ValueError
        If the shape or the sums are wrong.
    """
    if fixed_abundances is None:
        return None
    maps = np.asarray(getattr(fixed_abundances, "data", fixed_abundances), dtype=float)
    expected = (output_dimension, *read.image.map_shape)
    if maps.shape != expected:
        raise ValueError(
            f"`fixed_abundances` has the shape {maps.shape}; it must be {expected}: "
            "phases first, then the map."
        )
    abundances = maps.reshape(output_dimension, -1).T[read.image.pixels]
    if not (
        (abundances >= 0).all()
        and np.allclose(abundances.sum(axis=1), 1.0, atol=_SUM_TOLERANCE)
    ):
        raise ValueError(
            "`fixed_abundances` must be zero or more and sum to one in every pixel "
            "that is used; mask other pixels with `navigation_mask`."
        )
    return abundances / abundances.sum(axis=1, keepdims=True)
