# SPDX-License-Identifier: GPL-3.0-or-later
"""X-rays of a polished bulk in a scanning microscope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...simulation.bulk_spectra import (
    BulkMatrix,
    bulk_matrix,
    bulk_phase_spectra,
    solid_solution_spectra,
)
from ...simulation.images import Scene, draw_counts
from ...simulation.phase_spectra import PhaseSpectra
from ...simulation.solid_solutions import between_compositions
from ...simulation.spectra import Phases
from ..acquisition import acquisition_from_signal
from ..options import check_choice
from ..simulated_signal import blank_eds, set_eds_conditions, zero_channel

if TYPE_CHECKING:
    from exspy.signals import EDSSEMSpectrum

__all__ = ["GABBRO", "BulkExperiment"]

#: Minerals of a basic rock.
GABBRO = {
    "plagioclase": "Ca0.7Na0.3Al1.7Si2.3O8",
    "pyroxene": "CaMg0.8Fe0.2Si2O6",
    "olivine": "Mg1.6Fe0.4SiO4",
}
SIDE_BY_SIDE, SOLID_SOLUTION = "side by side", "solid solution"
DEPTH_DISTRIBUTIONS, MONTE_CARLO = "phi-rho-z", "monte carlo"


@dataclass(frozen=True)
class BulkExperiment:
    """EDS of a bulk; parameters as those of :func:`hspy_ml.simulate`."""

    mixed_pixels: str = SIDE_BY_SIDE
    electrons: str = DEPTH_DISTRIBUTIONS
    continuum_share: float = 0.5
    equal_brightness: bool = False
    pile_up: float = 0.0
    beam_energy_keV: float = 15.0
    take_off_angle: float = 35.0
    detector: str = "polymer"
    resolution_MnKa_eV: float = 130.0
    n_channels: int = 2048
    channel_width_keV: float = 0.01
    energy_offset_keV: float = 0.0

    phases: ClassVar = GABBRO
    counts_per_pixel: ClassVar[float] = 1000.0

    def __post_init__(self) -> None:
        check_choice("mixed_pixels", self.mixed_pixels, (SIDE_BY_SIDE, SOLID_SOLUTION))
        check_choice("electrons", self.electrons, (DEPTH_DISTRIBUTIONS, MONTE_CARLO))

    def scale(self, thickness: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray:
        """The same for all pixels."""
        if thickness is not None:
            raise ValueError(
                '`thickness` is that of a film; leave it out for technique="EDS_SEM".'
            )
        return np.ones(shape)

    def blank(self, elements: Sequence[str]) -> EDSSEMSpectrum:
        """A spectrum without counts, with all conditions in its metadata."""
        from exspy.signals import EDSSEMSpectrum

        s = blank_eds(EDSSEMSpectrum, self)
        set_eds_conditions(s, self)
        s.set_elements(list(elements))
        return s

    def expected(
        self, s: Any, phases: Phases, maps: np.ndarray, scale: np.ndarray, rng: Any
    ) -> tuple[PhaseSpectra, Scene]:
        """What the phases and the scene give at some dose."""
        acquisition = acquisition_from_signal(s, self.detector)
        matrix_of = self._matrix_of(rng)
        of_phases = bulk_phase_spectra(
            phases,
            acquisition,
            continuum_share=self.continuum_share,
            matrix_of=matrix_of,
            random_state=rng,
        )
        if self.equal_brightness:
            of_phases = of_phases.equally_bright()
        if self.mixed_pixels == SIDE_BY_SIDE:
            return of_phases, Scene(maps, of_phases.spectra, scale)
        points, shares = between_compositions(maps)
        spectra = solid_solution_spectra(
            phases, of_phases, points, acquisition, matrix_of=matrix_of
        )
        return of_phases, Scene(shares, spectra, scale)

    def draw(self, s: Any, scene: Scene, rng: np.random.Generator) -> np.ndarray:
        """Count."""
        return draw_counts(
            scene, rng, pile_up=self.pile_up, zero_channel=zero_channel(s)
        )

    def _matrix_of(self, rng: np.random.Generator) -> BulkMatrix:
        """The seed of all trajectories is one, so that compositions compare."""
        if self.electrons == DEPTH_DISTRIBUTIONS:
            return bulk_matrix
        from ...simulation.monte_carlo_spectra import monte_carlo_matrix

        return partial(monte_carlo_matrix, random_state=int(rng.integers(2**31)))
