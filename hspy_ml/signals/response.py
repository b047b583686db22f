# SPDX-License-Identifier: GPL-3.0-or-later
"""The G-matrix that a user gives, or that belongs to a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..physics.gmatrix import GMatrix


def response_of(s: Any, elements: Any, g_matrix: Any) -> GMatrix:
    """Return the G-matrix to invert.

    Parameters
    ----------
    s : hyperspy.api.signals.Signal1D
        The signal.
    elements : sequence of str or None
        Symbols, if the matrix is to be made.
    g_matrix : GMatrix or None
        What the user gave.

    Returns
    -------
    GMatrix
        In all channels of the signal.

    Raises
    ------
    TypeError
        If ``g_matrix`` is something else.
    ValueError
        If it does not fit the signal, or ``elements`` were given too.
    """
    from .gmatrix import g_matrix as build

    if g_matrix is None:
        return build(s, elements)
    return checked_g_matrix(s, elements, g_matrix)


def checked_g_matrix(s: Any, elements: Any, g_matrix: Any) -> GMatrix:
    """Check a G-matrix that the user gave.

    Parameters
    ----------
    s, elements, g_matrix
        As for :func:`response_of`.

    Returns
    -------
    GMatrix

    Raises
    ------
    TypeError, ValueError
        As :func:`response_of`.
    """
    from ..physics.gmatrix import GMatrix

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
