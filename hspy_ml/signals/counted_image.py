# SPDX-License-Identifier: GPL-3.0-or-later
"""The counts of a signal that a method uses, and the response in their channels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .data import map_shape, signal_array
from .masks import flat_navigation_mask, flat_signal_mask

if TYPE_CHECKING:
    from ..counts import Counts
    from ..factorization.factorize import CountedImage
    from ..physics.gmatrix import GMatrix

LOWEST_ENERGY_KEV = 0.2
"""Channels below are left out unless an element has no line above: there lie the
zero-energy peak of the electronics and a continuum that no model describes."""

_LEAST_SHARE = 0.02
_LARGEST_COUNT = 2.0**53


@dataclass(frozen=True, eq=False)
class ReadImage:
    """What was read from a signal.

    Parameters
    ----------
    image : CountedImage
        Counts of the pixels and channels that are used.
    g_matrix : GMatrix
        The response in the channels that are used.
    whole_g_matrix : GMatrix
        The response in all channels.
    excluded_pixels : ndarray of bool, shape (n_pixels,)
        Pixels that are not used.
    excluded_channels : ndarray of bool, shape (n_channels,)
        Channels that are not used.
    """

    image: CountedImage
    g_matrix: GMatrix
    whole_g_matrix: GMatrix
    excluded_pixels: np.ndarray
    excluded_channels: np.ndarray


def read_image(
    s: Any, g_matrix: GMatrix, navigation_mask: Any = None, signal_mask: Any = None
) -> ReadImage:
    """Read the counts of a signal, without those that cannot be used.

    Parameters
    ----------
    s : hyperspy.api.signals.Signal1D
        The signal.
    g_matrix : GMatrix
        The response in all channels of the signal.
    navigation_mask, signal_mask
        As HyperSpy's methods take them; True is excluded.

    Returns
    -------
    ReadImage
        Channels to which no column contributes are left out too and, without a
        ``signal_mask``, those below :data:`LOWEST_ENERGY_KEV`.

    Raises
    ------
    ValueError
        If masks do not fit, if the data are no counts, if they are all zero or
        scaled to less than one, or if an element has no line in the channels that
        are left.
    """
    from ..counts.building import counts_from_array
    from ..factorization.factorize import CountedImage

    pixels = flat_navigation_mask(s, navigation_mask)
    channels = flat_signal_mask(s, signal_mask) | (g_matrix.matrix.sum(axis=1) <= 0)
    if signal_mask is None:
        channels = channels | _low_channels(g_matrix, channels)
    counts = counts_from_array(
        signal_array(s), excluded_pixels=pixels, excluded_channels=channels
    )
    check_scale(counts)
    used = replace(g_matrix, matrix=g_matrix.matrix[~channels], acquisition=None)
    _check_columns(used, g_matrix)
    image = CountedImage(counts, map_shape(s), np.flatnonzero(~pixels))
    return ReadImage(image, used, g_matrix, pixels, channels)


def check_scale(counts: Counts) -> None:
    """Refuse numbers that nobody counted: what is likely depends on their scale.

    Parameters
    ----------
    counts : Counts

    Raises
    ------
    ValueError
        If they sum to less than one, or one of them is beyond what is exact.
    """
    total, largest = counts.pixel_totals.sum(), float(counts.values.max())
    if total < 1 or largest > _LARGEST_COUNT:
        raise ValueError(
            f"The data of `s` are no counts: they sum to {total:.3g}, and the largest "
            f"is {largest:.3g}. Use them as measured, or undo the scaling."
        )


def _low_channels(g_matrix: GMatrix, excluded: np.ndarray) -> np.ndarray:
    acquisition = g_matrix.acquisition
    if acquisition is None or acquisition.technique == "EELS":
        return np.zeros_like(excluded)
    low = acquisition.energy < LOWEST_ENERGY_KEV
    left = g_matrix.matrix[~(excluded | low)].sum(axis=0)
    lost = left < _LEAST_SHARE * g_matrix.matrix[~excluded].sum(axis=0)
    return np.zeros_like(excluded) if lost.any() else low


def _check_columns(used: GMatrix, whole: GMatrix) -> None:
    left = used.matrix.sum(axis=0)
    gone = left <= 1e-6 * whole.matrix.sum(axis=0)
    if gone.any():
        names = ", ".join(np.array(whole.names)[gone])
        raise ValueError(
            f"`signal_mask` excludes every channel to which {names} contributes; "
            "leave some of them in, or leave the element out of `elements`."
        )
