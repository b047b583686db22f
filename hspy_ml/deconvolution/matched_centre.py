# SPDX-License-Identifier: GPL-3.0-or-later
"""The zero-loss peak told from a shoulder of it, once the response is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .response import Response

__all__ = ["matched_centres"]

AROUND = 2.0  # widths of the response that are compared, to either side of its top
SEARCHED = 2.5  # widths to either side of the start
FAR = 0.4  # widths: nearer than this, the start stays


def matched_centres(
    electrons: np.ndarray, response: Response, centre: np.ndarray
) -> np.ndarray:
    """Move centres that are not at the top of the response.

    A response with a shoulder has two peaks, and the first one of a spectrum need not
    be the zero loss. The square roots of the spectrum and of the response (their noise
    is alike in all channels) are correlated; where the highest correlation is far from
    the start, it is the centre.

    Parameters
    ----------
    electrons : ndarray, shape (n, n_channels)
    response : Response
        One row, or one for each spectrum.
    centre : ndarray, shape (n,)
        Channels to start from.

    Returns
    -------
    ndarray, shape (n,)
        Those of the start, or whole channels.
    """
    centres = np.array(centre, dtype=float)
    widths = np.broadcast_to(response.fwhm, len(centres))
    roots = np.sqrt(np.maximum(electrons, 0))
    for row, (root, width) in enumerate(zip(roots, widths, strict=True)):
        kernel = response.kernel[row if len(response) > 1 else 0]
        best = _best_match(root, np.sqrt(kernel), centres[row], width)
        if abs(best - centres[row]) > FAR * width:
            centres[row] = best
    return centres


def _best_match(
    root: np.ndarray, kernel: np.ndarray, centre: float, width: float
) -> float:
    middle = kernel.size // 2
    reach = min(int(np.ceil(AROUND * width)), middle)
    searched = int(np.ceil(SEARCHED * width))
    first = max(int(centre) - searched, 0)
    last = min(int(centre) + searched, root.size - 1)
    padded = np.pad(root, reach)[first : last + 2 * reach + 1]
    match = np.correlate(padded, kernel[middle - reach : middle + reach + 1], "valid")
    return float(first + match.argmax())
