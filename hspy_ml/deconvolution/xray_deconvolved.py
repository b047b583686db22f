# SPDX-License-Identifier: GPL-3.0-or-later
"""What sharpening X-ray spectra gives, and whether it explains the counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .xray_arbiter import XrayChoice
from .xray_refold import explained, refold_deviance
from .xray_response import XrayResponse

__all__ = ["XrayDeconvolved", "judged"]


@dataclass(frozen=True, eq=False)
class XrayDeconvolved:
    """Spectra without the detector's broadening.

    Parameters
    ----------
    spectra : ndarray, shape (n_spectra, n_channels)
        Counts at the target resolution: not negative, with the sums of the data.
    errors : ndarray, shape (n_spectra, n_channels)
        Standard errors.
    refolded : ndarray, shape (n_spectra, n_channels)
        `spectra` as the detector would broaden them.
    deviance : ndarray, shape (n_spectra,)
        Reduced deviance of the data from `refolded`.
    flagged : ndarray of bool, shape (n_spectra,)
        Spectra that are not explained, with structure narrower than the detector
        allows; and those with values that are not finite, which are NaN.
    shifts : ndarray, shape (n_spectra,)
        Zero: the energy scale is taken as it is.
    choice : XrayChoice
    """

    spectra: np.ndarray
    errors: np.ndarray
    refolded: np.ndarray
    deviance: np.ndarray
    flagged: np.ndarray
    shifts: np.ndarray
    choice: XrayChoice

    def times(self, gain: float) -> XrayDeconvolved:
        """In units of the data.

        Parameters
        ----------
        gain : float
            Data over photons.

        Returns
        -------
        XrayDeconvolved
        """
        return replace(
            self,
            spectra=gain * self.spectra,
            errors=gain * self.errors,
            refolded=gain * self.refolded,
        )

    def with_gaps(self, finite: np.ndarray) -> XrayDeconvolved:
        """NaN, and flagged, where the data are not finite.

        Parameters
        ----------
        finite : ndarray of bool, shape (n_spectra,)

        Returns
        -------
        XrayDeconvolved
        """
        rows = finite[:, None]
        return replace(
            self,
            spectra=np.where(rows, self.spectra, np.nan),
            errors=np.where(rows, self.errors, np.nan),
            refolded=np.where(rows, self.refolded, np.nan),
            deviance=np.where(finite, self.deviance, np.nan),
            flagged=self.flagged | ~finite,
        )


def judged(
    counts: np.ndarray,
    found: np.ndarray,
    errors: np.ndarray,
    response: XrayResponse,
    choice: XrayChoice,
) -> XrayDeconvolved:
    """What was found, refolded and compared with the counts.

    Parameters
    ----------
    counts, found, errors : ndarray, shape (n_spectra, n_channels)
    response : XrayResponse
    choice : XrayChoice

    Returns
    -------
    XrayDeconvolved
    """
    refolded = response.forward(found)
    deviance, excess = refold_deviance(counts, refolded)
    flagged = ~explained(deviance, excess)
    shifts = np.zeros(counts.shape[0])
    return XrayDeconvolved(found, errors, refolded, deviance, flagged, shifts, choice)
