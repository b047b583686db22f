# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user knows already: spectra or compositions of phases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .data import real_numbers

if TYPE_CHECKING:
    from .counted_image import ReadImage

_SMALLEST_SHARE = 1e-12

_LARGEST_RATIO = 10.0
"""By how much families of lines of one element are off in G at most. What the mean
spectrum says is noise beyond: there is hardly any of the element."""


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
        If there are none or too many, or one cannot be described by the columns.
    TypeError
        If it is no sequence of compositions and spectra.
    """
    if fixed_phases is None:
        return None
    phases = _listed(fixed_phases)
    if output_dimension == "auto" or len(phases) > output_dimension:
        raise ValueError(
            f"`fixed_phases` holds {len(phases)} phases and `output_dimension` "
            f"is {output_dimension!r}; it must be an integer of at least that."
        )
    shares = np.column_stack([_shares_of(phase, read) for phase in phases])
    shares = np.maximum(shares, _SMALLEST_SHARE)
    return shares / shares.sum(axis=0)


def _listed(fixed_phases: Sequence[Any]) -> list[Any]:
    """The known phases one by one; a phase that stands alone is an error."""
    alone = isinstance(fixed_phases, (str, Mapping))
    alone = alone or hasattr(fixed_phases, "axes_manager")
    if alone or not isinstance(fixed_phases, Iterable):
        raise TypeError(
            f"`fixed_phases` is a {type(fixed_phases).__name__}; give a list of "
            "compositions and spectra, such as `fixed_phases=[{'Mg': 1, 'O': 1}]`."
        )
    phases = list(fixed_phases)
    if not phases:
        raise ValueError("`fixed_phases` is empty; give None if no phase is known.")
    return phases


def _shares_of(phase: Any, read: ReadImage) -> np.ndarray:
    if isinstance(phase, Mapping):
        return _from_composition(phase, read)
    from ..factorization.start import fit_column_shares

    spectrum = real_numbers(phase, "fixed_phases").squeeze()
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
    from ..factorization.start import fit_column_shares
    from ..physics.fractions import conversion_factors, reference_columns

    g = read.g_matrix
    atoms = real_numbers([phase.get(e, 0.0) for e in g.elements], "fixed_phases")
    total = atoms.sum()
    if set(phase) - set(g.elements) or atoms.min() < 0 or not 0 < total < np.inf:
        raise ValueError(
            f"`fixed_phases` holds the composition {dict(phase)}; give atomic amounts "
            f"of zero or more of {', '.join(g.elements)}."
        )
    mean = fit_column_shares(read.image.counts.channel_totals, _response(read))
    reference = reference_columns(g)
    atoms = atoms / conversion_factors(g.elements, g.concentration, "atomic")
    amounts = mean / g.matrix.sum(axis=0)
    shares = np.zeros_like(mean)
    for i, column in enumerate(g.columns):
        if column.element is None:
            continue
        ratio = amounts[i] / max(amounts[reference[column.element]], 1e-300)
        ratio = min(max(ratio, 1 / _LARGEST_RATIO), _LARGEST_RATIO)
        amount = atoms[g.elements.index(column.element)] * ratio
        shares[i] = amount * g.matrix[:, i].sum()
    lines = np.array([column.element is not None for column in g.columns])
    shares *= mean[lines].sum() / shares.sum()
    return np.where(lines, shares, mean)
