# SPDX-License-Identifier: GPL-3.0-or-later
"""The phases that a classifier knows: their spectra, and how their spots scatter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..counts import Counts
from ..counts.binning import bin_pixels
from ..counts.selection import plain_array
from .reference_scatter import Scatter, measured_scatter, prior_scatter
from .template_smoothing import smoothed_shape

__all__ = ["References", "references_from_expected", "references_from_spectra"]

FLAT_SHARE = 1e-3  # of a flat spectrum in given ones: no channel is impossible
EXPECTED_ERROR = 1e-6  # as of a reference of a million counts
SMOOTHING = 2.0  # variance of a smoothed reference with its bias, over counting's
SAME = 1e-9  # relative difference below which two references are one


@dataclass(frozen=True, eq=False)
class References:
    """Spectra of phases.

    Parameters
    ----------
    names : tuple of str
        The first has the label 1.
    shapes : ndarray, shape (n_phases, n_channels)
        Expected spectra, above zero, each with a sum of one.
    scatter : Scatter
        Of the spots of each phase.
    """

    names: tuple[str, ...]
    shapes: np.ndarray
    scatter: Scatter

    @property
    def n_channels(self) -> int:
        """Channels of a spectrum."""
        return self.shapes.shape[1]


def references_from_spectra(
    counts: Counts, labels: np.ndarray, names: Sequence[str]
) -> References:
    """References from spectra whose phases are known.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        n_spectra by n_channels. One spectrum of each phase is enough; from two on
        they tell how far spots scatter.
    labels : ndarray of int, shape (n_spectra,)
        From 1 in the order of `names`; 0 for spectra that are not used.
    names : sequence of str

    Returns
    -------
    References

    Raises
    ------
    TypeError
        If labels are no integers.
    ValueError
        If a label has no name, a name has no counts, names repeat, or two phases have
        the same spectrum.
    """
    names = _checked_names(names)
    labels = _checked_labels(labels, counts.n_pixels, len(names))
    which = labels - 1
    sums = plain_array(bin_pixels(counts, which, len(names))).astype(float)
    for name, spectrum in zip(names, sums, strict=True):
        if not spectrum.sum() > 0:
            raise ValueError(
                f"`labels` gives the phase {name!r} no spectrum with counts; label at "
                "least one, or leave its name out."
            )
    _check_differ(names, sums)
    shapes = np.array([smoothed_shape(spectrum) for spectrum in sums])
    errors = SMOOTHING / sums.sum(axis=1)
    return References(names, shapes, measured_scatter(counts, which, shapes, errors))


def references_from_expected(
    names: Sequence[str], spectra: np.ndarray, uncertainty: float = 1.0
) -> References:
    """References from spectra that are known without noise.

    Parameters
    ----------
    names : sequence of str
    spectra : array_like, shape (n_phases, n_channels)
        Simulated, or from a factorisation, in any unit.
    uncertainty : float, default 1
        How much further spectra may be from them than spots usually scatter.

    Returns
    -------
    References
        With the scatter that is usual between spots, times the uncertainty.

    Raises
    ------
    ValueError
        If sizes do not fit, a spectrum is empty, negative or not finite, names repeat,
        or two spectra have the same shape.
    """
    if not (np.isfinite(uncertainty) and uncertainty > 0):
        raise ValueError(
            f"`uncertainty` is {uncertainty}; give a factor above zero, 1 as usual."
        )
    names = _checked_names(names)
    spectra = _checked_spectra(spectra, names)
    shapes = spectra / spectra.sum(axis=1, keepdims=True)
    _check_differ(names, shapes)
    shapes = (1 - FLAT_SHARE) * shapes + FLAT_SHARE / shapes.shape[1]
    errors = np.full(len(names), EXPECTED_ERROR)
    return References(names, shapes, prior_scatter(shapes, errors, uncertainty))


def _checked_names(names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        raise TypeError(
            f"`names` is the text {names!r}; give a list such as [{names!r}]."
        )
    names = tuple(map(str, names))
    if not names:
        raise ValueError("`names` is empty; give one phase or more.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"`names` has {twice[0]!r} twice; give each phase its own name."
        )
    return names


def _checked_labels(labels: np.ndarray, n_spectra: int, n_phases: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"`labels` are of the type {labels.dtype}; give integers.")
    if labels.shape != (n_spectra,):
        raise ValueError(
            f"`labels` has the shape {labels.shape}; give one for each of the "
            f"{n_spectra} spectra."
        )
    if labels.size and not (0 <= labels.min() and labels.max() <= n_phases):
        raise ValueError(
            f"`labels` run from {labels.min()} to {labels.max()}; they are 1 to "
            f"{n_phases} for the phases in `names`, and 0 for none."
        )
    return labels.astype(np.int64)


def _checked_spectra(spectra: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    spectra = np.array(spectra, dtype=float)
    if spectra.ndim != 2 or spectra.shape[0] != len(names) or spectra.shape[1] < 2:
        raise ValueError(
            f"`spectra` has the shape {spectra.shape}; {len(names)} phases by channels "
            "are expected."
        )
    for name, spectrum in zip(names, spectra, strict=True):
        if not (np.isfinite(spectrum).all() and (spectrum >= 0).all()):
            raise ValueError(
                f"`spectra` of {name!r} has values that are negative or not finite; "
                "give expected counts."
            )
        if not spectrum.any():
            raise ValueError(f"`spectra` of {name!r} is zero in all channels.")
    return spectra


def _check_differ(names: tuple[str, ...], spectra: np.ndarray) -> None:
    shapes = spectra / spectra.sum(axis=1, keepdims=True)
    for i in range(len(names)):
        for j in range(i):
            if np.abs(shapes[i] - shapes[j]).sum() < SAME:
                raise ValueError(
                    f"the references of {names[j]!r} and {names[i]!r} have the same "
                    "spectrum; no measurement tells them apart. Give one of the two."
                )
