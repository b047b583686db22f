# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a deconvolved signal beside its spectra."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .result import FORMAT_VERSION, NODE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DeconvolutionReport", "deconvolution_report"]


@dataclass(frozen=True, eq=False)
class DeconvolutionReport:
    """What was done to a signal, why, and how far it can be trusted.

    Attributes
    ----------
    signal : EELSSpectrum, EDSTEMSpectrum or EDSSEMSpectrum
        The deconvolved spectra.
    flagged : BaseSignal
        Map of spectra outside of what the model was trained for, or that the result
        does not explain: do not trust them.
    deviance : BaseSignal
        Map of the reduced deviance between the result, convolved again, and the data;
        near 1 where the result explains what was measured.
    zero_loss_shift : BaseSignal
        Map of where the zero loss was, in channels from where it is now.
    response : BaseSignal or None
        The PSF, given or found; a mean if it differs over the map. None for EDS.
    settings : dict
        Method, target width, number of likelihood steps, gain, held-out scores.
    notes : tuple of str
        What was decided, and why.
    """

    signal: Any = field(repr=False)
    flagged: Any = field(repr=False)
    deviance: Any = field(repr=False)
    zero_loss_shift: Any = field(repr=False)
    response: Any = field(repr=False)
    settings: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def method(self) -> str:
        """What gave the spectra."""
        return self.settings["method"]

    @property
    def standard_errors(self) -> Any:
        """Standard error of each channel, a signal like the spectra."""
        variance = self.signal.get_noise_variance()
        errors = variance**0.5
        errors.metadata.General.title = (
            f"Standard errors of {self.signal.metadata.General.title}"
        )
        return errors

    def plot(
        self, measured: Any = None, index: tuple[int, ...] | None = None
    ) -> Figure:
        """Draw one spectrum with its error band, and the maps of what is known of it.

        Parameters
        ----------
        measured : signal, optional
            What was deconvolved, to be drawn beside it.
        index : tuple of int, optional
            Of the spectrum, as in ``s.inav[index]``; by default where the signal is.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from .plot import plot_report

        return plot_report(self, measured, index)

    def __repr__(self) -> str:
        title = self.signal.metadata.General.title
        shape = " x ".join(map(str, self.signal.axes_manager.navigation_shape))
        lines = [f"{title}: {shape or 'one'} {'spectra' if shape else 'spectrum'}"]
        lines += [f"  {note}" for note in self.notes]
        if not self.signal._lazy:
            lines += [f"  {line}" for line in self._measured_lines()]
        return "\n".join(lines)

    def _measured_lines(self) -> list[str]:
        deviance = np.asarray(self.deviance.data, float)
        flagged = np.asarray(self.flagged.data)
        known = deviance[np.isfinite(deviance)]
        lines = [f"{int(flagged.sum())} of {flagged.size} spectra flagged."]
        if known.size:
            low, middle, high = np.percentile(known, [5, 50, 95])
            lines.append(
                f"Reduced deviance {middle:.3g} (5 to 95 %: {low:.3g} to {high:.3g})."
            )
        return lines


def deconvolution_report(signal: Any) -> DeconvolutionReport:
    """Say what is known of a deconvolved signal.

    Parameters
    ----------
    signal : EELSSpectrum, EDSTEMSpectrum or EDSSEMSpectrum
        What ``s.deconvolve_net()`` returned, or such a signal loaded from a file.

    Returns
    -------
    DeconvolutionReport
        Print it, or ``plot()`` it.

    Raises
    ------
    TypeError
        If it is no HyperSpy signal.
    ValueError
        If it was not deconvolved by ``s.deconvolve_net()``, or by a newer version.
    """
    if not hasattr(signal, "metadata"):
        raise TypeError(
            f"`signal` is a {type(signal).__name__}; give what "
            "`s.deconvolve_net()` returned."
        )
    if not signal.metadata.has_item(NODE):
        raise ValueError(
            "`signal` was not deconvolved: its metadata have no node "
            f"{NODE!r}. Give what `s.deconvolve_net()` returned."
        )
    node = signal.metadata.get_item(NODE)
    if node.format_version > FORMAT_VERSION:
        raise ValueError(
            "`signal` was deconvolved by a newer version of hspy_ml; update it "
            "(pip install --upgrade hspy_ml)."
        )
    return DeconvolutionReport(
        signal=signal,
        flagged=node.flagged,
        deviance=node.deviance,
        zero_loss_shift=node.zero_loss_shift,
        response=node.get_item("response", None),
        settings=json.loads(node.settings),
        notes=tuple(json.loads(node.notes)),
    )
