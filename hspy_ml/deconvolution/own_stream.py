# SPDX-License-Identifier: GPL-3.0-or-later
"""Training spectra like those of a map, and simulated ones between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .deconvolver_model import DeconvolverModel
from .network_stream import Batch, LowLossStream
from .own_instrument import OwnInstrument
from .own_map import OwnMap
from .own_references import find_references
from .own_scenes import OwnScenes

__all__ = ["MixedStream", "OwnStream", "own_stream"]

N_SCENES, N_RESPONSES = 1200, 200


@dataclass(frozen=True, eq=False)
class OwnStream:
    """Draws spectra of a map's scenes, with the map's noise or less.

    Parameters
    ----------
    spectra : LowLossStream
        Of the map's scenes, responses and doses.
    instrument : OwnInstrument
        Of which the read-out noise is taken.
    """

    spectra: LowLossStream
    instrument: OwnInstrument

    def draw(self, n: int, random_state: np.random.Generator) -> Batch:
        """Draw a batch.

        Parameters
        ----------
        n : int
        random_state : numpy.random.Generator

        Returns
        -------
        Batch
        """
        batch = Batch(*self.spectra.draw(n, random_state))
        wanted = self.instrument.noise(n, random_state) ** 2
        more = np.maximum(wanted - batch.read_variance, 0).astype(np.float32)
        noise = random_state.standard_normal(batch.electrons.shape, np.float32)
        return batch._replace(
            electrons=batch.electrons + noise * np.sqrt(more)[:, None],
            read_variance=batch.read_variance + more,
        )


@dataclass(frozen=True, eq=False)
class MixedStream:
    """Draws every batch from one of two streams, at even odds.

    Parameters
    ----------
    own, other : SpectrumStream
    """

    own: OwnStream
    other: LowLossStream

    def draw(self, n: int, random_state: np.random.Generator) -> Batch:
        """Draw a batch.

        Parameters
        ----------
        n : int
        random_state : numpy.random.Generator

        Returns
        -------
        Batch
        """
        stream = self.own if random_state.random() < 0.5 else self.other
        return stream.draw(n, random_state)


def own_stream(
    measured: OwnMap, random_state: int = 0, model: DeconvolverModel | None = None
) -> OwnStream:
    """What is drawn for a map: its references, mixed, as its instrument shows them.

    Parameters
    ----------
    measured : OwnMap
    random_state : int, default 0
        Makes it repeat exactly.
    model : DeconvolverModel, optional
        That sharpens the references; that of the package if not given.

    Returns
    -------
    OwnStream
    """
    rng = np.random.default_rng(random_state)
    references = find_references(
        measured.electrons,
        measured.response,
        measured.noise,
        float(measured.zero_channel),
        random_state,
        model,
    )
    instrument = OwnInstrument.of_map(
        measured.electrons, measured.response, measured.noise, measured.widths
    )
    bank = OwnScenes(references).draw(N_SCENES, rng)
    responses = instrument.responses(N_RESPONSES, rng).astype(np.float32)
    return OwnStream(LowLossStream(bank, responses, instrument.electrons), instrument)
