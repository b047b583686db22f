# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectrum images with known truth, as HyperSpy signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..simulation.film import relative_thickness
from ..simulation.images import Scene, draw_counts, scene_of_mean_counts
from ..simulation.scenes import check_abundances, check_shape, grain_abundances
from ..simulation.spectra import (
    Composition,
    Phases,
    mean_mass_fractions,
    phase_weights,
    read_phases,
)
from .simulated_signal import blank_spectrum, image_like, set_conditions
from .simulation_truth import SimulationTruth

if TYPE_CHECKING:
    from exspy.signals import EDSTEMSpectrum

    from ..physics.gmatrix import GMatrix

#: Minerals of the lower mantle. They share elements, lack some of each other's, and
#: hold heavy ones at the percent level whose L lines overlap.
LOWER_MANTLE = {
    "bridgmanite": "Mg0.82Fe0.08Ca0.02Nd0.03Sm0.02Lu0.03Si0.88Al0.09Hf0.03O3",
    "ferropericlase": "Mg0.78Fe0.20Cu0.02O",
    "Ca-perovskite": "Ca0.88Nd0.07Sm0.05Si0.93Al0.05Hf0.02O3",
}
DEFAULT_SHAPE = (128, 128)


def simulate(
    phases: Mapping[str, Composition] | Sequence[Composition] | None = None,
    shape: tuple[int, int] | None = None,
    counts_per_pixel: float = 74.0,
    *,
    abundances: np.ndarray | None = None,
    largest_share: float = 0.5,
    thickness: np.ndarray | None = None,
    mass_thickness: float = 0.0,
    continuum_share: float = 0.3,
    equal_brightness: bool = False,
    beam_energy_keV: float = 200.0,
    take_off_angle: float = 22.0,
    detector: str = "windowless",
    resolution_MnKa_eV: float = 130.0,
    n_channels: int = 2048,
    channel_width_keV: float = 0.01,
    energy_offset_keV: float = 0.0,
    pixel_size_nm: float = 2.0,
    random_state: int | np.random.Generator | None = None,
) -> EDSTEMSpectrum:
    """Simulate an EDS spectrum image of a thin film, with its truth.

    Parameters
    ----------
    phases : mapping of str to composition, or sequence of compositions, optional
        Compositions by name: formulas such as "Mg0.9Fe0.1SiO3", or numbers of atoms
        by symbol, such as ``{"Fe": 1, "O": 1.5}``. The first is the matrix. By default
        three minerals of the lower mantle.
    shape : tuple of int, optional
        Rows and columns of the image; by default those of `abundances` or
        `thickness`, or else (128, 128).
    counts_per_pixel : float, default 74
        Expected counts of a pixel, on average over the image.
    abundances : array_like, shape (n_rows, n_columns, n_phases), optional
        Shares of the mass thickness of each pixel, which sum to one. By default small
        spherical grains of the other phases in the matrix.
    largest_share : float, default 0.5
        Largest share of a pixel that grains fill, from above 0 to 1. Not used with
        `abundances`.
    thickness : array_like, shape (n_rows, n_columns), optional
        Mass thickness of each pixel in any unit, 0 in a hole; by default the same
        everywhere. See :mod:`hspy_ml.simulation.film`.
    mass_thickness : float, default 0
        Mean density times thickness in g/cm2, by which the film absorbs its own
        X-rays (100 nm of iron are 7.9e-5); 0 for no absorption. The mean composition
        absorbs, everywhere alike.
    continuum_share : float, default 0.3
        Share of the counts of each phase that is bremsstrahlung, from 0 to below 1.
    equal_brightness : bool, default False
        Whether each phase gives the same counts; otherwise phases of equal mass
        thickness give what the physics says.
    beam_energy_keV : float, default 200
    take_off_angle : float, default 22
        Degrees.
    detector : str, default "windowless"
        One of those of :func:`hspy_ml.physics.detector.make_detector`.
    resolution_MnKa_eV : float, default 130
        Full width at half maximum at 5898.7 eV.
    n_channels : int, default 2048
    channel_width_keV : float, default 0.01
    energy_offset_keV : float, default 0
        Energy of the first channel's centre.
    pixel_size_nm : float, default 2
    random_state : int or numpy.random.Generator, optional
        Makes the image repeat exactly. The same number gives the same scene at any
        dose.

    Returns
    -------
    EDSTEMSpectrum
        Counts in the smallest unsigned integers that hold them. Elements and
        conditions are in the metadata; the truth is in ``metadata.Simulation``, and
        :meth:`hspy_ml.signals.simulation_truth.SimulationTruth.from_signal` reads it.

    Raises
    ------
    ValueError, TypeError
        If a composition cannot be read or a parameter makes no sense.

    Examples
    --------
    >>> s = hspy_ml.simulate({"iron": "Fe", "rust": "Fe2O3"}, (64, 64), 100)
    """
    rng = np.random.default_rng(random_state)
    known = read_phases(LOWER_MANTLE if phases is None else phases)
    maps = _abundances(
        abundances, _shape(shape, abundances, thickness), known, largest_share, rng
    )
    scale = relative_thickness(thickness, maps.shape[:2])
    s = blank_spectrum(n_channels, channel_width_keV, energy_offset_keV)
    set_conditions(s, beam_energy_keV, take_off_angle, resolution_MnKa_eV)
    s.set_elements(list(known.elements))
    g_matrix = _g_matrix(s, known, maps, scale, mass_thickness, detector)
    weights = phase_weights(
        known,
        g_matrix,
        continuum_share=continuum_share,
        equal_brightness=equal_brightness,
        random_state=rng,
    )
    bare = Scene(maps, (g_matrix.matrix @ weights).T, scale)
    scene = scene_of_mean_counts(bare, counts_per_pixel)
    weights = weights * (scene.spectra.sum() / bare.spectra.sum())
    image = image_like(s, draw_counts(scene, rng), pixel_size_nm)
    settings = {
        "counts_per_pixel": float(counts_per_pixel),
        "mass_thickness": float(mass_thickness),
        "continuum_share": float(continuum_share),
        "equal_brightness": bool(equal_brightness),
        "detector": detector,
    }
    _truth(known, scene, weights, g_matrix, settings).write_to(image)
    return image


def _shape(
    shape: tuple[int, int] | None,
    abundances: np.ndarray | None,
    thickness: np.ndarray | None,
) -> tuple[int, ...]:
    if shape is not None:
        check_shape(shape)
        return tuple(shape)
    for given in (abundances, thickness):
        if given is not None:
            return np.shape(given)[:2]
    return DEFAULT_SHAPE


def _abundances(
    abundances: np.ndarray | None,
    shape: tuple[int, ...],
    phases: Phases,
    largest_share: float,
    rng: np.random.Generator,
) -> np.ndarray:
    n_phases = len(phases.names)
    if abundances is None:
        return grain_abundances(shape, n_phases, rng, largest_share=largest_share)
    maps = check_abundances(abundances, n_phases)
    if maps.shape[:2] != shape:
        raise ValueError(
            f"`shape` is {shape}, `abundances` has {maps.shape[:2]} pixels; leave "
            "`shape` out, or give the same."
        )
    return maps


def _g_matrix(
    s: EDSTEMSpectrum,
    phases: Phases,
    abundances: np.ndarray,
    scale: np.ndarray,
    mass_thickness: float,
    detector: str,
) -> GMatrix:
    from .gmatrix import g_matrix

    shares = np.tensordot(scale, abundances, axes=2)
    return g_matrix(
        s,
        phases.elements,
        composition=mean_mass_fractions(phases, shares),
        mass_thickness=mass_thickness,
        detector=detector,
    )


def _truth(
    phases: Phases,
    scene: Scene,
    weights: np.ndarray,
    g_matrix: GMatrix,
    settings: dict[str, Any],
) -> SimulationTruth:
    return SimulationTruth(
        phases=list(phases.names),
        elements=list(phases.elements),
        atomic_percent=phases.atomic_percent,
        weight_percent=phases.weight_percent,
        abundances=scene.abundances,
        thickness=scene.scale,
        spectra=scene.spectra,
        weights=weights,
        columns=list(g_matrix.names),
        settings=settings,
    )
