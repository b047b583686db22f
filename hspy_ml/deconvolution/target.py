# SPDX-License-Identifier: GPL-3.0-or-later
"""The resolution that a response lets spectra be brought to."""

from __future__ import annotations

import numpy as np

from .response import Response

__all__ = ["DEFAULT_TARGET", "check_target", "target_widths"]

DEFAULT_TARGET = 4.0  # channels: a Gaussian that channels still sample well
_SHARPER_THAN = 0.98  # target widths that a response needs: its tails go, at least


def target_widths(response: Response, target_width: float | None) -> np.ndarray:
    """FWHM of the result of each spectrum.

    Parameters
    ----------
    response : Response
    target_width : float or None
        Wanted, in channels; four if None.

    Returns
    -------
    ndarray, shape (n or 1,)
        In channels: the one wanted, or the response's own where that is hardly
        wider. Then nothing is sharpened.

    Raises
    ------
    ValueError
        If the width is not above zero.
    """
    check_target(target_width)
    wanted = DEFAULT_TARGET if target_width is None else float(target_width)
    own = response.fwhm
    return np.where(own < _SHARPER_THAN * wanted, own, wanted)


def check_target(target_width: float | None) -> None:
    """Raise if a width is none.

    Parameters
    ----------
    target_width : float or None
        Channels.

    Raises
    ------
    ValueError
        If it is not above zero.
    """
    if target_width is None or (np.isfinite(target_width) and target_width > 0):
        return
    raise ValueError(
        f"`target_width` is {target_width}; give a width in channels above zero."
    )
