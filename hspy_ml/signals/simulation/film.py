# SPDX-License-Identifier: GPL-3.0-or-later
"""X-rays of a thin film in a transmission microscope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...simulation.film import relative_thickness
from ...simulation.images import Scene, draw_counts
from ...simulation.phase_spectra import PhaseSpectra
from ...simulation.spectra import Phases, mean_mass_fractions, phase_weights
from ..simulated_signal import blank_eds, set_eds_conditions, zero_channel

if TYPE_CHECKING:
    from exspy.signals import EDSTEMSpectrum

    from ...physics.gmatrix import GMatrix

__all__ = ["LOWER_MANTLE", "FilmExperiment"]

#: Minerals of the lower mantle. They share elements, lack some of each other's, and
#: hold heavy ones at the percent level whose L lines overlap.
LOWER_MANTLE = {
    "bridgmanite": "Mg0.82Fe0.08Ca0.02Nd0.03Sm0.02Lu0.03Si0.88Al0.09Hf0.03O3",
    "ferropericlase": "Mg0.78Fe0.20Cu0.02O",
    "Ca-perovskite": "Ca0.88Nd0.07Sm0.05Si0.93Al0.05Hf0.02O3",
}


@dataclass(frozen=True)
class FilmExperiment:
    """EDS of a thin film; parameters as those of :func:`hspy_ml.simulate`."""

    mass_thickness: float = 0.0
    continuum_share: float = 0.3
    equal_brightness: bool = False
    pile_up: float = 0.0
    beam_energy_keV: float = 200.0
    take_off_angle: float = 22.0
    detector: str = "windowless"
    resolution_MnKa_eV: float = 130.0
    n_channels: int = 2048
    channel_width_keV: float = 0.01
    energy_offset_keV: float = 0.0

    phases: ClassVar = LOWER_MANTLE
    counts_per_pixel: ClassVar[float] = 74.0

    def scale(self, thickness: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray:
        """Mass thickness of the pixels in units of the mean."""
        return relative_thickness(thickness, shape)

    def blank(self, elements: Sequence[str]) -> EDSTEMSpectrum:
        """A spectrum without counts, with all conditions in its metadata."""
        from exspy.signals import EDSTEMSpectrum

        s = blank_eds(EDSTEMSpectrum, self)
        set_eds_conditions(s, self)
        s.set_elements(list(elements))
        return s

    def expected(
        self, s: Any, phases: Phases, maps: np.ndarray, scale: np.ndarray, rng: Any
    ) -> tuple[PhaseSpectra, Scene]:
        """What the phases and the scene give at some dose."""
        g_matrix = self._g_matrix(s, phases, maps, scale)
        weights = phase_weights(
            phases,
            g_matrix,
            continuum_share=self.continuum_share,
            equal_brightness=self.equal_brightness,
            random_state=rng,
        )
        spectra = (g_matrix.matrix @ weights).T
        rows = [g_matrix.column_indices(e)[0] for e in phases.elements]
        mass = weights[rows].sum(axis=0)
        of_phases = PhaseSpectra(g_matrix.names, weights, spectra, mass)
        return of_phases, Scene(maps, spectra, scale)

    def draw(self, s: Any, scene: Scene, rng: np.random.Generator) -> np.ndarray:
        """Count."""
        return draw_counts(
            scene, rng, pile_up=self.pile_up, zero_channel=zero_channel(s)
        )

    def _g_matrix(
        self, s: Any, phases: Phases, maps: np.ndarray, scale: np.ndarray
    ) -> GMatrix:
        from ..gmatrix import g_matrix

        shares = np.tensordot(scale, maps, axes=2)
        return g_matrix(
            s,
            phases.elements,
            composition=mean_mass_fractions(phases, shares),
            mass_thickness=self.mass_thickness,
            detector=self.detector,
        )
