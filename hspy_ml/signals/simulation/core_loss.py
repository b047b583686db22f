# SPDX-License-Identifier: GPL-3.0-or-later
"""Core losses in a thin film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...simulation.core_loss_spectra import core_loss_spectra
from ...simulation.film import relative_thickness
from ...simulation.images import Scene, draw_dense_counts
from ...simulation.phase_spectra import PhaseSpectra
from ...simulation.plasmons import plasmon_low_loss
from ...simulation.spectra import Phases
from ..acquisition import acquisition_from_signal
from ..simulated_signal import blank_spectrum
from ..simulation_truth import SimulationTruth

if TYPE_CHECKING:
    from exspy.signals import EELSSpectrum

__all__ = ["OXIDES", "CoreLossExperiment", "low_loss_of"]

#: Oxides whose edges lie between 450 and 710 eV.
OXIDES = {"rutile": "TiO2", "manganosite": "MnO", "haematite": "Fe2O3"}


@dataclass(frozen=True)
class CoreLossExperiment:
    """Core-loss EELS; parameters as those of :func:`hspy_ml.simulate`."""

    background_exponent: float = 3.0
    jump_ratio: float = 1.5
    thickness_over_mean_free_path: float = 0.0
    equal_brightness: bool = False
    beam_energy_keV: float = 200.0
    convergence_angle_mrad: float = 25.0
    collection_angle_mrad: float = 40.0
    n_channels: int = 801
    channel_width_eV: float = 1.0
    energy_offset_eV: float = 200.0

    phases: ClassVar = OXIDES
    counts_per_pixel: ClassVar[float] = 1e5

    def scale(self, thickness: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray:
        """Mass thickness of the pixels in units of the mean."""
        return relative_thickness(thickness, shape)

    def blank(self, elements: Sequence[str]) -> EELSSpectrum:
        """A spectrum without counts, with all conditions in its metadata."""
        from exspy.signals import EELSSpectrum

        width, offset = self.channel_width_eV, self.energy_offset_eV
        if not 0 < width < np.inf:
            raise ValueError(f"`channel_width_eV` is {width}; it must be above zero.")
        if not 0 < offset < np.inf:
            raise ValueError(
                f"`energy_offset_eV` is {offset}; core losses begin above zero."
            )
        s = blank_spectrum(EELSSpectrum, self.n_channels)
        axis = s.axes_manager.signal_axes[0]
        axis.name, axis.units = "Energy loss", "eV"
        axis.scale, axis.offset = float(width), float(offset)
        s.set_microscope_parameters(
            beam_energy=float(self.beam_energy_keV),
            convergence_angle=float(self.convergence_angle_mrad),
            collection_angle=float(self.collection_angle_mrad),
        )
        s.add_elements(list(elements))
        return s

    def expected(
        self, s: Any, phases: Phases, maps: np.ndarray, scale: np.ndarray, rng: Any
    ) -> tuple[PhaseSpectra, Scene]:
        """What the phases and the scene give at some dose."""
        thickness = self.thickness_over_mean_free_path
        of_phases = core_loss_spectra(
            phases,
            acquisition_from_signal(s),
            background_exponent=self.background_exponent,
            jump_ratio=self.jump_ratio,
            low_loss=plasmon_low_loss(thickness) if thickness else None,
            random_state=rng,
        )
        if self.equal_brightness:
            of_phases = of_phases.equally_bright()
        return of_phases, Scene(maps, of_phases.spectra, scale)

    def draw(self, s: Any, scene: Scene, rng: np.random.Generator) -> np.ndarray:
        """Count."""
        return draw_dense_counts(scene, rng)


def low_loss_of(s: EELSSpectrum) -> EELSSpectrum:
    """The low-loss spectrum that belongs to simulated core losses.

    Parameters
    ----------
    s : EELSSpectrum
        From :func:`hspy_ml.simulate`, with any `thickness_over_mean_free_path`.

    Returns
    -------
    EELSSpectrum
        One spectrum of a million electrons without noise, from -20 to 400 eV: the
        `low_loss` of :func:`hspy_ml.g_matrix` and of ``s.ml_quantify``.

    Raises
    ------
    ValueError
        If the signal holds no simulated core losses.
    """
    from exspy.signals import EELSSpectrum

    settings = SimulationTruth.from_signal(s).settings
    if "thickness_over_mean_free_path" not in settings:
        raise ValueError("`s` holds no core losses, but X-rays; it has no low loss.")
    low_loss = plasmon_low_loss(settings["thickness_over_mean_free_path"])
    spectrum = EELSSpectrum(1e6 * low_loss.share)
    axis = spectrum.axes_manager.signal_axes[0]
    axis.name, axis.units = "Energy loss", "eV"
    axis.offset = low_loss.energy_eV[0]
    axis.scale = low_loss.energy_eV[1] - low_loss.energy_eV[0]
    node = "Acquisition_instrument"
    spectrum.metadata.set_item(node, s.metadata.get_item(node).as_dictionary())
    return spectrum
