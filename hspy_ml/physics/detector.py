# SPDX-License-Identifier: GPL-3.0-or-later
"""Energy-dispersive detectors: efficiency, resolution, peaks on channels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf

from .absorption import mixture_mass_absorption_coefficient
from .acquisition import Detector, Layer
from .composition import formula_mass_fractions

__all__ = [
    "DETECTORS",
    "efficiency",
    "make_detector",
    "measured_detector",
    "peaks_on_channels",
    "resolution",
]

MN_KA_KEV = 5.8987
FWHM_SQUARED_PER_KEV = 2.45e-3  # keV2 per keV: 8 ln 2 times Fano times 3.86 eV
SMALLEST_FWHM_KEV = 0.030
FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))
PEAK_HALF_WIDTH_IN_SIGMA = 6.0

DENSITY = {"Al": 2.70, "Au": 19.3, "Be": 1.85, "Si": 2.33, "Si3N4": 3.17}
NM = 1e-7  # cm
UM = 1e-4  # cm


def efficiency(detector: Detector, energy_keV: ArrayLike) -> np.ndarray:
    r"""Fraction of the photons towards the detector that are counted.

    .. math:: \varepsilon(E) = \prod_\mathrm{layers}
              \left[f + (1 - f) e^{-\mu \rho t}\right]
              \left(1 - e^{-\mu \rho t}\right)_\mathrm{active}

    with `f` the fraction that a grid leaves open, 0 for a closed layer. A detector
    with an efficiency curve has what the curve says, on straight lines between its
    points; beyond its ends it stays what it is there.

    Parameters
    ----------
    detector : Detector
    energy_keV : float or array_like
        Photon energies above zero, keV.

    Returns
    -------
    ndarray
        Between 0 and 1, in the shape of `energy_keV`.
    """
    energy = np.asarray(energy_keV, dtype=float)
    if detector.efficiency_curve is not None:
        return np.interp(energy, *detector.efficiency_curve)
    passed = np.ones(energy.shape)
    for layer in detector.layers:
        closed = 1 - layer.open_fraction
        passed = passed * (layer.open_fraction + closed * _transmission(layer, energy))
    return passed * (1 - _transmission(detector.active_layer, energy))


def resolution(detector: Detector, energy_keV: ArrayLike) -> np.ndarray:
    r"""Full width at half maximum of a peak, keV.

    .. math:: \mathrm{FWHM}^2 = \mathrm{FWHM}_\mathrm{Mn}^2
              + 2.45\,\mathrm{eV}\,(E - 5898.7\,\mathrm{eV})

    The slope is that of the charge statistics of silicon. It stays above 30 eV, also
    for detectors that claim less than 120 eV at Mn Ka.

    Parameters
    ----------
    detector : Detector
    energy_keV : float or array_like

    Returns
    -------
    ndarray
        keV, in the shape of `energy_keV`.

    References
    ----------
    C. E. Fiori, D. E. Newbury, Scanning Electron Microscopy I (1978) 401.
    """
    at_mn = detector.resolution_MnKa_eV / 1e3
    above_mn = np.asarray(energy_keV, dtype=float) - MN_KA_KEV
    squared = at_mn**2 + FWHM_SQUARED_PER_KEV * above_mn
    return np.sqrt(np.maximum(squared, SMALLEST_FWHM_KEV**2))


def peaks_on_channels(
    energy: np.ndarray, centres: np.ndarray, areas: np.ndarray, fwhm: np.ndarray
) -> np.ndarray:
    """Sum of Gaussian peaks, each integrated over the channels.

    Parameters
    ----------
    energy : ndarray, shape (n_channels,)
        Centres of uniform channels, keV.
    centres, areas, fwhm : ndarray, shape (n_peaks,)
        Energy (keV), content and full width at half maximum (keV) of the peaks.

    Returns
    -------
    ndarray, shape (n_channels,)
        What falls into each channel; merging channels adds their contents. Peaks end
        six standard deviations from their centre.
    """
    width = (energy[-1] - energy[0]) / (energy.size - 1)
    edges = energy[0] + width * (np.arange(energy.size + 1) - 0.5)
    sigma = fwhm / FWHM_PER_SIGMA
    reach = PEAK_HALF_WIDTH_IN_SIGMA * sigma
    first = np.maximum(np.searchsorted(edges, centres - reach) - 1, 0)
    last = np.minimum(np.searchsorted(edges, centres + reach), energy.size)
    spectrum = np.zeros(energy.size)
    for centre, area, s, i, j in zip(centres, areas, sigma, first, last, strict=True):
        if i < j:
            cumulative = 0.5 * erf((edges[i : j + 1] - centre) / (np.sqrt(2) * s))
            spectrum[i:j] += area * np.diff(cumulative)
    return spectrum


def make_detector(name: str, resolution_MnKa_eV: float = 130.0) -> Detector:
    """A detector by the name of its window.

    Parameters
    ----------
    name : {"windowless", "polymer", "silicon nitride", "beryllium", "Si(Li)"}
        Silicon drift detectors without window, with a supported polymer window
        (AP3.3), silicon nitride or beryllium; or a lithium-drifted detector behind
        beryllium.
    resolution_MnKa_eV : float, default 130
        Full width at half maximum at 5898.7 eV.

    Returns
    -------
    Detector

    Raises
    ------
    ValueError
        If `name` is none of these, or the resolution is not between 30 and 500 eV.

    Notes
    -----
    The layers are typical ones; where the maker's are known, write your own `Detector`
    of `Layer`, or give its curve to :func:`measured_detector`. Those of the polymer
    window reproduce its published transmission within 8 % at 0.525 keV and 2 % above
    1 keV, but are too low by a third below the carbon edge.
    """
    if name not in DETECTORS:
        raise ValueError(
            f"`name` of a detector is {name!r}; known are "
            f"{', '.join(map(repr, DETECTORS))}. Others are built of `Layer`s."
        )
    layers, active = DETECTORS[name]()
    return Detector(name, _checked_resolution(resolution_MnKa_eV), layers, active)


def measured_detector(
    energy_keV: ArrayLike,
    efficiency: ArrayLike | Callable[[np.ndarray], ArrayLike],
    resolution_MnKa_eV: float = 130.0,
    *,
    name: str = "measured",
) -> Detector:
    """A detector by its efficiency curve, measured or given by its maker.

    Parameters
    ----------
    energy_keV : array_like, shape (n_points,)
        Energies in keV, increasing. Put points close together at absorption edges.
    efficiency : array_like, shape (n_points,), or callable
        Fraction of the photons towards the detector that are counted at each energy,
        window and active volume included; or a function of the energies in keV.
    resolution_MnKa_eV : float, default 130
        Full width at half maximum at 5898.7 eV.
    name : str, default "measured"
        What it is called in plots and messages.

    Returns
    -------
    Detector
        Of silicon, which decides on escape peaks.

    Raises
    ------
    ValueError
        If the energies do not increase, an efficiency is not between 0 and 1, or the
        resolution is not between 30 and 500 eV.

    Examples
    --------
    From a text file with two columns:

    >>> import numpy as np
    >>> from hspy_ml.physics.detector import measured_detector
    >>> curve = np.loadtxt("curve.csv", delimiter=",").T  # doctest: +SKIP
    >>> detector = measured_detector(*curve)  # doctest: +SKIP
    >>> g = hspy_ml.g_matrix(s, detector=detector)  # doctest: +SKIP
    """
    energy = np.asarray(energy_keV, dtype=float)
    curve = efficiency(energy) if callable(efficiency) else efficiency
    return Detector(
        name,
        _checked_resolution(resolution_MnKa_eV),
        efficiency_curve=(energy, np.asarray(curve, dtype=float)),
    )


def _checked_resolution(resolution_MnKa_eV: float) -> float:
    if not 30 <= resolution_MnKa_eV <= 500:
        raise ValueError(
            f"`resolution_MnKa_eV` is {resolution_MnKa_eV}; a full width at half "
            "maximum between 30 and 500 eV is expected, such as 130."
        )
    return float(resolution_MnKa_eV)


def _layer(formula: str, thickness_cm: float, open_fraction: float = 0.0) -> Layer:
    composition = tuple(formula_mass_fractions(formula).items())
    return Layer(composition, DENSITY[formula] * thickness_cm, open_fraction)


def _transmission(layer: Layer, energy: np.ndarray) -> np.ndarray:
    mu = mixture_mass_absorption_coefficient(dict(layer.composition), energy)
    return np.exp(-mu * layer.mass_thickness)


def _drift_detector() -> tuple[tuple[Layer, ...], Layer]:
    """Aluminium contact, dead layer and 450 um of silicon."""
    layers = (_layer("Al", 10 * NM), _layer("Si", 30 * NM))
    return layers, _layer("Si", 450 * UM)


def _windowless() -> tuple[tuple[Layer, ...], Layer]:
    layers = (_layer("Al", 30 * NM), _layer("Si", 50 * NM))
    return layers, _layer("Si", 450 * UM)


def _polymer() -> tuple[tuple[Layer, ...], Layer]:
    """AP3.3: layers as in NeXLSpectrum (N. W. M. Ritchie)."""
    film = Layer(tuple(formula_mass_fractions("C10H8O4N").items()), 1.39 * 300 * NM)
    window = (film, _layer("Al", 40 * NM), _layer("Si", 380 * UM, open_fraction=0.77))
    layers, active = _drift_detector()
    return window + layers, active


def _silicon_nitride() -> tuple[tuple[Layer, ...], Layer]:
    grid = _layer("Si", 15 * UM, open_fraction=0.80)
    window = (_layer("Si3N4", 40 * NM), _layer("Al", 30 * NM), grid)
    layers, active = _drift_detector()
    return window + layers, active


def _beryllium() -> tuple[tuple[Layer, ...], Layer]:
    layers, active = _drift_detector()
    return (_layer("Be", 8 * UM), *layers), active


def _lithium_drifted() -> tuple[tuple[Layer, ...], Layer]:
    layers = (_layer("Be", 8 * UM), _layer("Au", 20 * NM), _layer("Si", 100 * NM))
    return layers, _layer("Si", 3000 * UM)


#: Layers and active layer by the name of the detector.
DETECTORS: dict[str, Callable[[], tuple[tuple[Layer, ...], Layer]]] = {
    "windowless": _windowless,
    "polymer": _polymer,
    "silicon nitride": _silicon_nitride,
    "beryllium": _beryllium,
    "Si(Li)": _lithium_drifted,
}
