# SPDX-License-Identifier: GPL-3.0-or-later
"""Core losses by a network: what it reads of a signal, and which network it needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..counted_image import ReadImage, read_image
from ..eels_gmatrix import eels_g_matrix
from ..low_loss import incident_counts, low_loss_from_signal
from .build import TotalScale
from .cautions import warn_of
from .network import check_prior, quantified
from .network_plan import NetworkNeed
from .network_result import NetworkInput
from .result import QuantificationResult

if TYPE_CHECKING:
    from ...physics.gmatrix import GMatrix
    from ...physics.low_loss import LowLoss
    from ...simulation.channel_bins import ChannelBins
    from ...simulation.spectrum_bank import SpectrumBank

COUNTS = (10.0, 1e6)
WIDEST_BIN_EV = 1.0
EXPONENT_STEP = 0.25
EXPONENT_BORDER = 0.5  # exponents of a model are between multiples of it
N_REFERENCE_POPULATIONS = 20


@dataclass(frozen=True, eq=False)
class CoreLossReading:
    """A core-loss signal read for a network.

    Parameters
    ----------
    image : ReadImage
        Its G-matrix has a background of a wider range of exponents than the signal
        needs, so that one network serves many signals.
    low_loss : LowLoss or None
        What edges are convolved with.
    """

    image: ReadImage
    low_loss: LowLoss | None

    @property
    def response(self) -> GMatrix:
        """The G-matrix in all channels."""
        return self.image.whole_g_matrix


def quantify_core_losses(
    s: Any,
    *,
    elements: Any,
    low_loss: Any,
    navigation_mask: Any,
    signal_mask: Any,
    prior: str,
    **options: Any,
) -> QuantificationResult:
    """See :func:`hspy_ml.signals.methods.ml_quantify`, for EELS; arguments as there.

    `options` are those of :func:`hspy_ml.signals.quantification.network.quantified`.
    """
    check_prior(prior)
    read = read_core_losses(s, elements, low_loss, navigation_mask, signal_mask)
    result = quantified(
        s, eels_need(read), _input(s, read, low_loss), prior=prior, **options
    )
    warn_of(result.notes[1:], stacklevel=6)
    return result


def read_core_losses(
    s: Any,
    elements: Any = None,
    low_loss: Any = None,
    navigation_mask: Any = None,
    signal_mask: Any = None,
) -> CoreLossReading:
    """Read a signal.

    Parameters
    ----------
    s : EELSSpectrum
    elements, low_loss, navigation_mask, signal_mask
        As for :func:`hspy_ml.signals.methods.ml_quantify`.

    Returns
    -------
    CoreLossReading

    Raises
    ------
    ValueError, TypeError
        If the signal, its metadata or an argument do not allow it.
    """
    response = _with_wider_background(eels_g_matrix(s, elements, low_loss=low_loss))
    spread = None if low_loss is None else low_loss_from_signal(low_loss)
    image = read_image(s, response, navigation_mask, signal_mask)
    return CoreLossReading(image, spread)


def eels_need(read: CoreLossReading) -> NetworkNeed:
    """What a network for a core-loss signal has to be.

    Parameters
    ----------
    read : CoreLossReading

    Returns
    -------
    NetworkNeed
    """
    from ...physics.fractions import reference_columns
    from ...quantification.foreign_edges import foreign_edges
    from ...quantification.network_conditions import (
        NetworkConditions,
        channel_runs,
        instrument_of,
        low_loss_shares,
    )
    from ...simulation.channel_bins import ChannelBins
    from ...simulation.eels_bank import eels_bank

    response = read.response
    used = ~read.image.excluded_channels
    width = response.acquisition.channel_width
    bins = ChannelBins.narrower_than(used, width, WIDEST_BIN_EV)
    chosen = reference_columns(response)
    conditions = NetworkConditions(
        **instrument_of(response.acquisition),
        elements=response.elements,
        unnamed=(),
        rule={},
        geometry="",
        mass_thickness=0.0,
        used_channels=channel_runs(used),
        channels_per_bin=bins.channels_per_bin,
        counts=COUNTS,
        columns=tuple(response.names),
        measuring=tuple(chosen[e] for e in response.elements),
        low_loss=low_loss_shares(read.low_loss),
    )

    def bank(seed: int) -> SpectrumBank:
        return eels_bank(response, counts=COUNTS, bins=bins, random_state=seed)

    def templates() -> np.ndarray:
        reference = _mean_spectrum(response, bins)
        return foreign_edges(response, reference, bins, read.low_loss)

    return NetworkNeed(conditions, bank, templates)


def _with_wider_background(g_matrix: GMatrix) -> GMatrix:
    """Power laws between multiples of 0.5 around those that a spectrum needs."""
    from ...physics.eels_background import power_law_columns
    from ...physics.gmatrix import Column

    energy = g_matrix.acquisition.energy
    of_elements = [i for i, c in enumerate(g_matrix.columns) if c.element]
    others = [i for i, c in enumerate(g_matrix.columns) if not c.element]
    background = g_matrix.matrix[:, others]
    inside = background[:, 0] > 0
    logarithm = np.log(energy[inside])
    powers = -np.polyfit(logarithm, np.log(background[inside]), 1)[0]
    low = np.floor(powers.min() / EXPONENT_BORDER + 1e-3) * EXPONENT_BORDER
    high = np.ceil(powers.max() / EXPONENT_BORDER - 1e-3) * EXPONENT_BORDER
    exponents = np.arange(low, high + EXPONENT_STEP / 2, EXPONENT_STEP)
    wider = np.zeros((energy.size, exponents.size))
    wider[inside] = power_law_columns(energy[inside], exponents)
    wider *= background.sum(axis=0).mean()
    names = [Column(f"background E^-{r:.2f}", "continuum") for r in exponents]
    return replace(
        g_matrix,
        matrix=np.hstack([g_matrix.matrix[:, of_elements], wider]),
        columns=(*(g_matrix.columns[i] for i in of_elements), *names),
    )


def _mean_spectrum(response: GMatrix, bins: ChannelBins) -> np.ndarray:
    """What specimens of all kinds give on the average, shape (n_bins,)."""
    from ...simulation.eels_bank import eels_bank

    bank = eels_bank(
        response,
        counts=COUNTS,
        bins=bins,
        n_populations=N_REFERENCE_POPULATIONS,
        n_instruments=1,
        random_state=0,
    )
    return bank.intensities.mean(axis=0) @ bank.shapes[0].astype(np.float64)


def _input(s: Any, read: CoreLossReading, low_loss: Any) -> NetworkInput:
    image = read.image
    spectrum = np.zeros(image.excluded_channels.size)
    spectrum[~image.excluded_channels] = image.image.counts.channel_totals
    total = TotalScale("Atoms per area (relative)")
    if low_loss is not None:
        total = TotalScale("Atoms per area (1/nm2)", incident_counts(low_loss, s))
    return NetworkInput(
        image.image.counts,
        image.excluded_pixels,
        image.excluded_channels,
        spectrum,
        read.response.elements,
        read.response,
        total,
        {"low_loss": low_loss is not None},
    )
