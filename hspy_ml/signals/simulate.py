# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectrum images with known truth, as HyperSpy signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from ..simulation.images import scene_of_mean_counts
from ..simulation.phase_spectra import PhaseSpectra
from ..simulation.spectra import Composition, Phases, read_phases
from .plain import plain_values
from .simulated_signal import image_like
from .simulation.experiments import experiment_of
from .simulation.film import LOWER_MANTLE
from .simulation.scene_maps import SceneMaps, default_mixing
from .simulation_truth import SimulationTruth

if TYPE_CHECKING:
    from exspy.signals import EDSSEMSpectrum, EDSTEMSpectrum, EELSSpectrum

__all__ = ["LOWER_MANTLE", "simulate"]


def simulate(
    phases: Mapping[str, Composition] | Sequence[Composition] | None = None,
    shape: tuple[int, int] | None = None,
    counts_per_pixel: float | None = None,
    *,
    technique: str = "EDS_TEM",
    scene: str | None = None,
    scene_options: Mapping[str, Any] | None = None,
    abundances: np.ndarray | None = None,
    largest_share: float | None = None,
    thickness: np.ndarray | None = None,
    equal_brightness: bool = False,
    mass_thickness: float | None = None,
    mixed_pixels: str | None = None,
    electrons: str | None = None,
    continuum_share: float | None = None,
    pile_up: float | None = None,
    background_exponent: float | None = None,
    jump_ratio: float | None = None,
    thickness_over_mean_free_path: float | None = None,
    beam_energy_keV: float | None = None,
    take_off_angle: float | None = None,
    detector: str | None = None,
    resolution_MnKa_eV: float | None = None,
    convergence_angle_mrad: float | None = None,
    collection_angle_mrad: float | None = None,
    n_channels: int | None = None,
    channel_width_keV: float | None = None,
    energy_offset_keV: float | None = None,
    channel_width_eV: float | None = None,
    energy_offset_eV: float | None = None,
    pixel_size_nm: float = 2.0,
    random_state: int | np.random.Generator | None = None,
) -> EDSTEMSpectrum | EDSSEMSpectrum | EELSSpectrum:
    """Simulate a spectrum image of phases in a specimen, with its truth.

    Parameters
    ----------
    phases : mapping of str to composition, or sequence of compositions, optional
        Compositions by name: formulas such as "Mg0.9Fe0.1SiO3", or numbers of atoms
        by symbol, such as ``{"Fe": 1, "O": 1.5}``. The first is the matrix. By default
        three minerals of the lower mantle, of a gabbro ("EDS_SEM"), or three oxides
        ("EELS").
    shape : tuple of int, optional
        Rows and columns of the image; by default those of `abundances` or
        `thickness`, or else (128, 128).
    counts_per_pixel : float, optional
        Expected counts of a pixel, on average over the image; by default 74, 1000
        ("EDS_SEM") or 1e5 ("EELS").
    technique : {"EDS_TEM", "EDS_SEM", "EELS"}
        X-rays of a thin film; X-rays of a flat bulk; or core losses in a thin film.
    scene : str, optional
        "grains" (the default): small spheres in the matrix; "voronoi": a polycrystal;
        "core-shell": particles of the second phase, with shells of the third, in the
        first; "gradient": phases that change smoothly into each other;
        "precipitates": needles, plates or discs in the matrix; "lamellae" of all
        phases in turn.
    scene_options : mapping of str to value, optional
        Such as ``{"period": 12, "orientation": 45}`` of lamellae: keyword arguments of
        the scene's function, see :data:`hspy_ml.simulation.scene_kinds.SCENES`.
    abundances : array_like, shape (n_rows, n_columns, n_phases), optional
        Instead of a scene: shares of the mass of each pixel, which sum to one. In a
        bulk, of the mass that the electrons excite.
    largest_share : float, default 0.5
        Largest share of a pixel that grains, particles or precipitates fill, from
        above 0 to 1. Not used with `abundances`.
    thickness : array_like, shape (n_rows, n_columns), optional
        Films: mass thickness of each pixel in any unit, 0 in a hole; by default the
        same everywhere. See :mod:`hspy_ml.simulation.film`.
    equal_brightness : bool, default False
        Whether each phase gives the same counts; otherwise phases of equal mass
        thickness, or under equal numbers of electrons in a bulk, give what the
        physics says.
    mass_thickness : float, default 0
        EDS_TEM: mean density times thickness in g/cm2, by which the film absorbs its
        own X-rays (100 nm of iron are 7.9e-5); 0 for no absorption. The mean
        composition absorbs, everywhere alike.
    mixed_pixels : {"side by side", "solid solution"}, optional
        EDS_SEM: what a pixel of several phases is. Where the beam hits a boundary, each
        phase lies beside the other and responds as its own bulk: their spectra add,
        in proportion to the abundances (X-rays that cross the boundary on their way
        out are neglected). In a solid solution atoms are mixed, and the pixel has
        the response of its own composition: the default of the scene "gradient".
    electrons : {"phi-rho-z", "monte carlo"}, default "phi-rho-z"
        EDS_SEM: where the X-rays of a bulk arise, by an analytical depth distribution
        or by 10,000 trajectories for each composition (seconds each), which leave out
        fluorescence.
    continuum_share : float, default 0.3, or 0.5 for EDS_SEM
        EDS: share of the counts of each phase that is bremsstrahlung, from 0 to below
        1; its shape differs a little between phases.
    pile_up : float, default 0
        EDS: fraction of the counted events, from 0 to below 1, that are two photons
        counted as one of the sum of their energies.
    background_exponent : float, default 3
        EELS: r of the background, near ``E**-r``; it differs a little between phases.
    jump_ratio : float, default 1.5
        EELS: in an even mixture of the phases, counts in the 50 eV from the onset of
        the first edge over those of the background.
    thickness_over_mean_free_path : float, default 0
        EELS: of plural scattering, by which edges are convolved with plasmons
        (:func:`hspy_ml.simulation.plasmons.plasmon_low_loss`); the low-loss spectrum
        is :func:`hspy_ml.signals.simulation.core_loss.low_loss_of` of the image.
    beam_energy_keV : float, default 200, or 15 for EDS_SEM
    take_off_angle : float, default 22, or 35 for EDS_SEM
        EDS: degrees.
    detector : str, default "windowless", or "polymer" for EDS_SEM
        EDS: one of those of :func:`hspy_ml.physics.detector.make_detector`.
    resolution_MnKa_eV : float, default 130
        EDS: full width at half maximum at 5898.7 eV.
    convergence_angle_mrad, collection_angle_mrad : float, default 25 and 40
        EELS: semi-angles.
    n_channels : int, default 2048, or 801 for EELS
    channel_width_keV : float, default 0.01
        EDS.
    energy_offset_keV : float, default 0
        EDS: energy of the first channel's centre.
    channel_width_eV : float, default 1
        EELS.
    energy_offset_eV : float, default 200
        EELS: energy loss of the first channel's centre.
    pixel_size_nm : float, default 2
    random_state : int or numpy.random.Generator, optional
        Makes the image repeat exactly. The same number gives the same scene at any
        dose.

    Returns
    -------
    EDSTEMSpectrum, EDSSEMSpectrum or EELSSpectrum
        Counts in the smallest unsigned integers that hold them. Elements and
        conditions are in the metadata; the truth is in ``metadata.Simulation``, and
        :meth:`hspy_ml.signals.simulation_truth.SimulationTruth.from_signal` reads it.

    Raises
    ------
    ValueError, TypeError
        If a composition cannot be read, a parameter makes no sense, or the technique
        does not have it.

    Examples
    --------
    >>> s = hspy_ml.simulate({"iron": "Fe", "rust": "Fe2O3"}, (64, 64), 100)
    >>> s = hspy_ml.simulate(
    ...     ["Al2Cu", "Al"], technique="EDS_SEM", scene="lamellae",
    ...     scene_options={"period": 20}, pile_up=0.01,
    ... )
    """
    experiment = experiment_of(
        technique,
        {
            "mass_thickness": mass_thickness,
            "mixed_pixels": mixed_pixels or default_mixing(technique, scene),
            "electrons": electrons,
            "continuum_share": continuum_share,
            "pile_up": pile_up,
            "background_exponent": background_exponent,
            "jump_ratio": jump_ratio,
            "thickness_over_mean_free_path": thickness_over_mean_free_path,
            "equal_brightness": equal_brightness,
            "beam_energy_keV": beam_energy_keV,
            "take_off_angle": take_off_angle,
            "detector": detector,
            "resolution_MnKa_eV": resolution_MnKa_eV,
            "convergence_angle_mrad": convergence_angle_mrad,
            "collection_angle_mrad": collection_angle_mrad,
            "n_channels": n_channels,
            "channel_width_keV": channel_width_keV,
            "energy_offset_keV": energy_offset_keV,
            "channel_width_eV": channel_width_eV,
            "energy_offset_eV": energy_offset_eV,
        },
    )
    rng = np.random.default_rng(random_state)
    known = read_phases(experiment.phases if phases is None else phases)
    n_phases = len(known.names)
    maps = (
        SceneMaps.drawn(
            scene, scene_options, largest_share, shape, thickness, n_phases, rng
        )
        if abundances is None
        else SceneMaps.given(abundances, shape, n_phases, scene, scene_options)
    )
    scale = experiment.scale(thickness, maps.abundances.shape[:2])
    if counts_per_pixel is None:
        counts_per_pixel = experiment.counts_per_pixel
    s = experiment.blank(known.elements)
    of_phases, bare = experiment.expected(s, known, maps.abundances, scale, rng)
    measured = scene_of_mean_counts(bare, counts_per_pixel)
    image = image_like(s, experiment.draw(s, measured, rng), pixel_size_nm)
    of_phases = of_phases.times(measured.spectra.sum() / bare.spectra.sum())
    settings = {"technique": technique, "counts_per_pixel": counts_per_pixel}
    settings = plain_values(settings | maps.settings | asdict(experiment))
    _truth(known, maps.abundances, scale, of_phases, settings).write_to(image)
    return image


def _truth(
    phases: Phases,
    maps: np.ndarray,
    scale: np.ndarray,
    of_phases: PhaseSpectra,
    settings: dict[str, Any],
) -> SimulationTruth:
    return SimulationTruth(
        phases=list(phases.names),
        elements=list(phases.elements),
        atomic_percent=phases.atomic_percent,
        weight_percent=phases.weight_percent,
        abundances=maps,
        thickness=scale,
        phase_mass=of_phases.mass / of_phases.mass.mean(),
        spectra=of_phases.spectra,
        weights=of_phases.weights,
        columns=list(of_phases.columns),
        settings=settings,
    )
