# SPDX-License-Identifier: GPL-3.0-or-later
"""What a network for an EDS signal has to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .network_plan import NetworkNeed

if TYPE_CHECKING:
    from ...physics.acquisition import Acquisition
    from ...simulation.spectrum_bank import SpectrumBank
    from .specimen_reading import SpecimenReading

COUNTS = (2.0, 20_000.0)
WIDEST_BIN_KEV = 0.02
CONTAMINATION = ("C", "O")
LARGEST_SHIFT_KEV = 0.0055  # of a peak from where the metadata have it
RESOLUTION = 0.055
SURE = 3.0  # standard errors of what was refined
LEAST_SEEN = 0.01  # of an element's counts, in the channels used


def xray_need(read: SpecimenReading) -> NetworkNeed:
    """What a network for an EDS signal has to be.

    Parameters
    ----------
    read : SpecimenReading
        With the channels of a network.

    Returns
    -------
    NetworkNeed
    """
    from ...physics.fractions import reference_columns
    from ...quantification.network_conditions import (
        NetworkConditions,
        channel_runs,
        instrument_of,
    )
    from ...quantification.surprise import foreign_spectra
    from ...simulation.channel_bins import ChannelBins
    from ...simulation.xray_bank import xray_bank, xray_columns
    from ...simulation.xray_specimens import XraySpecimens

    model = read.task.model
    acquisition = _acquisition(read)
    used = ~read.task.excluded_channels
    bins = ChannelBins.narrower_than(used, acquisition.channel_width, WIDEST_BIN_KEV)
    specimens = XraySpecimens(
        model.elements,
        _atoms_of_all(read),
        model.measured,
        model.geometry,
        model.mass_thickness,
        _unnamed(read, used),
    )
    named = xray_columns(acquisition, specimens, model.continuum_degree)
    chosen = reference_columns(named)
    conditions = NetworkConditions(
        **instrument_of(acquisition),
        elements=model.elements,
        unnamed=specimens.unnamed,
        rule=_rule(read),
        geometry=model.geometry,
        mass_thickness=model.mass_thickness,
        used_channels=channel_runs(used),
        channels_per_bin=bins.channels_per_bin,
        counts=COUNTS,
        columns=(*named.names, *specimens.unnamed),
        measuring=tuple(chosen[e] for e in model.measured),
    )

    def bank(seed: int) -> SpectrumBank:
        return xray_bank(
            acquisition,
            specimens,
            counts=COUNTS,
            bins=bins,
            continuum_degree=model.continuum_degree,
            random_state=seed,
        )

    return NetworkNeed(
        conditions, bank, lambda: foreign_spectra(acquisition, model.elements, bins)
    )


def _acquisition(read: SpecimenReading) -> Acquisition:
    """As the metadata say, if the spectra agree within what a network bears."""
    from ...physics.fractions import reference_columns

    reference, scale = read.named.reference.g_matrix, read.named.reference.energy_scale
    stated, refined = read.task.acquisition, reference.acquisition
    if scale is None:
        return stated
    peaks = reference.matrix[:, list(reference_columns(reference).values())]
    energy = stated.energy[peaks.argmax(axis=0)].max()
    of_offset, of_gain, of_width = scale.standard_errors
    shift = scale.offset_keV + (scale.gain - 1) * energy
    width = stated.detector.resolution_MnKa_eV
    wider = scale.resolution_MnKa_eV - width
    off = _is_beyond(shift, LARGEST_SHIFT_KEV, np.hypot(of_offset, of_gain * energy))
    blurred = _is_beyond(wider, RESOLUTION * width, of_width)
    return refined if off or blurred else stated


def _is_beyond(difference: float, largest: float, error: float) -> bool:
    """Whether a difference is too large, and not by chance."""
    return abs(difference) > max(largest, SURE * error)


def _rule(read: SpecimenReading) -> dict[str, Any]:
    """How the unmeasured element is found."""
    unmeasured = read.unmeasured
    if unmeasured.element is None:
        return {}
    atoms = _atoms_of_all(read)[read.task.model.elements.index(unmeasured.element)]
    return {
        "element": unmeasured.element,
        "rule": unmeasured.rule,
        "atoms": {
            e: round(float(n), 6)
            for e, n in zip(read.task.model.measured, atoms, strict=True)
        },
    }


def _atoms_of_all(read: SpecimenReading) -> np.ndarray:
    """Atoms of all elements for one of each measured one."""
    from .plan import Scale, completion_of

    scale = Scale({}, None, None)
    elements = read.task.model.elements
    return completion_of(elements, read.unmeasured, "atomic", scale).transfer


def _unnamed(read: SpecimenReading, used: np.ndarray) -> tuple[str, ...]:
    """What could be there besides: contamination of a film, and anything else."""
    from ...simulation.unnamed_elements import ANYTHING_ELSE

    model = read.task.model
    acquisition = _acquisition(read)
    others = CONTAMINATION if model.geometry == "film" else ()
    seen = [
        e for e in others if e not in model.elements and _is_seen(e, acquisition, used)
    ]
    return (*seen, ANYTHING_ELSE)


def _is_seen(element: str, acquisition: Any, used: np.ndarray) -> bool:
    from ...physics.gmatrix import build_g_matrix
    from ...physics.specimen import Specimen

    try:
        g_matrix = build_g_matrix(
            acquisition, [element], Specimen({}), continuum_degree=None
        )
    except ValueError:
        return False
    spectrum = g_matrix.matrix.sum(axis=1)
    return spectrum[used].sum() > LEAST_SEEN * spectrum.sum()
