# SPDX-License-Identifier: GPL-3.0-or-later
r"""What an electron loses in the specimen, as lines on an energy axis.

A line is a row of a structured array (`LINE`): where it is, how wide, and how many
losses it causes per electron. Shapes:

- ``gaussian``, ``lorentzian``;
- ``oscillator``: a damped oscillator in thermal equilibrium. The loss function of a
  Drude or Lorentz oscillator, :math:`\gamma E / ((E_0^2 - E^2)^2 + \gamma^2 E^2)`, is
  odd; times :math:`1 / (1 - e^{-E/kT})` it has the gains of energy too, in detailed
  balance. Phonons at room temperature, plasmons as well;
- ``threshold``: direct transitions across a gap, :math:`\sqrt{E - E_0}` at the onset;
- ``step``: a core edge with a lifetime, falling as a power of the energy;
- ``fano``: a resonance in a broad continuum.

References
----------
R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd ed.
(2011), sections 3.3 (Drude, eq. 3.43) and 3.2 (plural scattering).
F. J. Garcia de Abajo, Rev. Mod. Phys. 82 (2010) 209 (thermal factor of losses and
gains).
U. Fano, Phys. Rev. 124 (1961) 1866, eq. 21 and 22.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["LINE", "SHAPES", "line_intensities", "line_table"]

#: scene: row of the scene that the line is in. area: losses per electron.
#: parameter: temperature in K (oscillator), q (fano), exponent (step).
LINE = np.dtype(
    [
        ("scene", np.int32),
        ("shape", np.int8),
        ("energy_eV", np.float64),
        ("fwhm_eV", np.float64),
        ("area", np.float64),
        ("parameter", np.float64),
    ]
)

BOLTZMANN_EV = 8.617333262e-5  # per kelvin, CODATA 2018
GAUSSIAN_SIGMA = 1 / np.sqrt(8 * np.log(2))  # of a FWHM of one
LARGEST_EXPONENT = 500.0
FANO_CONTINUUM = 12.0  # width of the continuum, in widths of the resonance
FANO_CORRELATION = 0.8  # rho squared: 1 lets the intensity fall to zero
LINES_AT_A_TIME = 128


def line_table(
    shape: str,
    scene: np.ndarray,
    energy_eV: np.ndarray,
    fwhm_eV: np.ndarray,
    area: np.ndarray,
    parameter: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Lines of one shape as a table.

    Parameters
    ----------
    shape : str
        One of `SHAPES`.
    scene, energy_eV, fwhm_eV, area : ndarray, shape (n_lines,)
    parameter : ndarray or float, default 0

    Returns
    -------
    ndarray of `LINE`, shape (n_lines,)
    """
    table = np.empty(len(scene), LINE)
    table["scene"], table["shape"] = scene, list(SHAPES).index(shape)
    table["energy_eV"], table["fwhm_eV"] = energy_eV, fwhm_eV
    table["area"], table["parameter"] = area, parameter
    return table


def line_intensities(
    lines: np.ndarray, energy_eV: np.ndarray, n_scenes: int
) -> np.ndarray:
    """Expected losses per electron in each channel, by single events.

    Parameters
    ----------
    lines : ndarray of `LINE`, shape (n_lines,)
    energy_eV : ndarray, shape (n_channels,)
        Uniform, increasing.
    n_scenes : int

    Returns
    -------
    ndarray, shape (n_scenes, n_channels)
    """
    width = energy_eV[1] - energy_eV[0]
    intensities = np.zeros((n_scenes, energy_eV.size))
    for number, profile in enumerate(SHAPES.values()):
        of_shape = lines[lines["shape"] == number]
        for first in range(0, of_shape.size, LINES_AT_A_TIME):
            some = of_shape[first : first + LINES_AT_A_TIME]
            rows = profile(energy_eV[None], *_columns(some)) * width
            for line, row in zip(some, rows, strict=True):
                intensities[line["scene"]] += line["area"] * row
    return intensities


def _columns(lines: np.ndarray) -> tuple[np.ndarray, ...]:
    names = ("energy_eV", "fwhm_eV", "parameter")
    return tuple(lines[name][:, None] for name in names)


def _gaussian(
    energy: np.ndarray, centre: np.ndarray, fwhm: np.ndarray, _: np.ndarray
) -> np.ndarray:
    sigma = fwhm * GAUSSIAN_SIGMA
    return np.exp(-0.5 * ((energy - centre) / sigma) ** 2) / (
        sigma * np.sqrt(2 * np.pi)
    )


def _lorentzian(
    energy: np.ndarray, centre: np.ndarray, fwhm: np.ndarray, _: np.ndarray
) -> np.ndarray:
    half = fwhm / 2
    return half / np.pi / ((energy - centre) ** 2 + half**2)


def _oscillator(
    energy: np.ndarray, centre: np.ndarray, fwhm: np.ndarray, temperature: np.ndarray
) -> np.ndarray:
    """Area one on the side of losses at absolute zero; underdamped only."""
    nonzero = np.where(energy == 0, 1e-9, energy)
    odd = fwhm * nonzero / ((centre**2 - energy**2) ** 2 + (fwhm * energy) ** 2)
    reduced = nonzero / (BOLTZMANN_EV * temperature)
    reduced = np.clip(reduced, -LARGEST_EXPONENT, LARGEST_EXPONENT)
    slope = fwhm**2 - 2 * centre**2
    root = fwhm * np.sqrt(4 * centre**2 - fwhm**2)
    total = fwhm / root * (np.pi / 2 - np.arctan(slope / root))
    return odd / -np.expm1(-reduced) / total


def _threshold(
    energy: np.ndarray, onset: np.ndarray, scale: np.ndarray, _: np.ndarray
) -> np.ndarray:
    above = np.maximum((energy - onset) / scale, 0.0)
    return np.sqrt(above) / (1 + above) ** 2 / (np.pi / 2 * scale)


def _step(
    energy: np.ndarray, onset: np.ndarray, fwhm: np.ndarray, exponent: np.ndarray
) -> np.ndarray:
    rise = 0.5 + np.arctan(2 * (energy - onset) / fwhm) / np.pi
    rise = np.where(energy > onset / 2, rise, 0.0)
    decay = np.maximum(energy / onset, 0.5) ** -exponent
    return np.where(energy < onset, rise, rise * decay) * (exponent - 1) / onset


def _fano(
    energy: np.ndarray, centre: np.ndarray, fwhm: np.ndarray, q: np.ndarray
) -> np.ndarray:
    """Area one of the continuum that the resonance is in."""
    reduced = 2 * (energy - centre) / fwhm
    resonance = (q + reduced) ** 2 / (1 + reduced**2) - 1
    continuum = _gaussian(energy, centre, FANO_CONTINUUM * fwhm, q)
    return continuum * (1 + FANO_CORRELATION * resonance)


Profile = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]

#: Density per eV of a line of area one, by the name of its shape.
SHAPES: dict[str, Profile] = {
    "gaussian": _gaussian,
    "lorentzian": _lorentzian,
    "oscillator": _oscillator,
    "threshold": _threshold,
    "step": _step,
    "fano": _fano,
}
