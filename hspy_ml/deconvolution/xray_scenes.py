# SPDX-License-Identifier: GPL-3.0-or-later
"""Random X-ray spectra: elements, composition, continuum, instrument."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..physics.acquisition import Acquisition
from ..physics.detector import FWHM_PER_SIGMA, make_detector
from .xray_lines import COLUMNS_KEV, Microscope, microscopes
from .xray_response import XrayResponse

__all__ = ["Scene", "draw_response", "draw_scene", "expected_spectra"]

CHANNELS_EV = (4.0, 22.0)
RESOLUTIONS_EV = (118.0, 152.0)
USUAL_CHANNELS_EV = (5.0, 10.0, 20.0)
UNUSUAL = 0.3  # of the instruments have other channels
FIRST_KEV = (-0.5, -0.2, 0.0, 0.0, 0.0)
MOST_ELEMENTS = 9
OVERLAPPING = 0.5  # of the spectra have an element whose main line overlaps another's
FAMILY_SPREAD = 0.25  # of the logarithm of its intensity
CONTINUUM_SHARE = (0.03, 0.9)
CONTINUUM_SPREAD = 0.4
PILE_UP = 0.005
PILING_LINES = 4
OTHER_LINES = 0.3  # of the spectra have lines that no element has
MOST_OTHER_LINES = 4
ZERO_PEAK = 0.1  # of the spectra have a peak of noise at zero energy
WIDTH_ERROR = 0.015  # of the resolution, relative standard deviation
EXACT_WIDTH = 0.5  # of the spectra have the resolution that is assumed


class Scene(NamedTuple):
    """Lines and continuum of one spectrum, for one count in all.

    Attributes
    ----------
    energy_keV, counts : ndarray, shape (n_lines,)
    continuum : ndarray, shape (n_energies,)
        Counts per keV at `COLUMNS_KEV`.
    """

    energy_keV: np.ndarray
    counts: np.ndarray
    continuum: np.ndarray


def draw_response(rng: np.random.Generator) -> XrayResponse:
    """A random instrument's response on its whole axis.

    Parameters
    ----------
    rng : numpy.random.Generator

    Returns
    -------
    XrayResponse
        Of 1024, 2048 or 4096 channels.
    """
    width = rng.choice(USUAL_CHANNELS_EV)
    if rng.random() < UNUSUAL:
        width = np.exp(rng.uniform(*np.log(CHANNELS_EV)))
    n_channels = int(2 ** np.clip(np.rint(np.log2(20480 / width)), 10, 12))
    first = rng.choice(FIRST_KEV)
    energy = first + 1e-3 * width * np.arange(n_channels)
    detector = make_detector("windowless", rng.uniform(*RESOLUTIONS_EV))
    return XrayResponse.of_detector(Acquisition(energy, "EDS_TEM", 200.0), detector)


def draw_scene(rng: np.random.Generator) -> Scene:
    """The lines and the continuum of a random specimen.

    Parameters
    ----------
    rng : numpy.random.Generator

    Returns
    -------
    Scene
    """
    known = microscopes()
    microscope = known[rng.integers(len(known))]
    energy, counts = _element_lines(microscope, rng)
    share = rng.uniform(*CONTINUUM_SHARE) ** rng.choice([1.0, 2.0])
    energy, counts = _with_more(energy, counts / counts.sum(), rng)
    return Scene(energy, (1 - share) * counts, share * _continuum(microscope, rng))


def _element_lines(
    microscope: Microscope, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    members = _chosen(microscope, rng)
    amounts = np.exp(1.3 * rng.standard_normal(len(members)))
    energies, counts = [], []
    for member, amount in zip(members, amounts, strict=True):
        lines = microscope.elements[member]
        families = np.exp(FAMILY_SPREAD * rng.standard_normal(3))
        energies.append(lines.energy_keV)
        counts.append(amount * lines.counts * families[lines.family])
    return np.concatenate(energies), np.concatenate(counts)


def _chosen(microscope: Microscope, rng: np.random.Generator) -> list[int]:
    """Elements; in half of the spectra two whose main lines are close."""
    n = min(int(rng.integers(1, MOST_ELEMENTS + 1)), len(microscope.elements))
    chosen = rng.choice(len(microscope.elements), n, replace=False).tolist()
    if rng.random() < OVERLAPPING:
        apart = np.abs(microscope.strongest_keV - microscope.strongest_keV[chosen[0]])
        apart[chosen] = np.inf
        near = np.argsort(apart)[:3]
        chosen.append(int(rng.choice(near)))
    return chosen


def _with_more(
    energy: np.ndarray, counts: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Peaks of two photons at once, lines of no element, noise at zero."""
    more = [_piled_up(energy, counts, rng)]
    if rng.random() < OTHER_LINES:
        n = rng.integers(1, MOST_OTHER_LINES + 1)
        more.append((rng.uniform(0.1, 12.0, n), np.exp(rng.uniform(-7, -1, n))))
    if rng.random() < ZERO_PEAK:
        more.append((np.zeros(1), np.exp(rng.uniform(-5, -1, 1))))
    energies, amounts = zip((energy, counts), *more, strict=True)
    return np.concatenate(energies), np.concatenate(amounts)


def _piled_up(
    energy: np.ndarray, counts: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    strongest = np.argsort(counts)[-PILING_LINES:]
    sums = energy[strongest][:, None] + energy[strongest]
    products = counts[strongest][:, None] * counts[strongest]
    return sums.ravel(), rng.uniform(0, PILE_UP) * products.ravel()


def _continuum(microscope: Microscope, rng: np.random.Generator) -> np.ndarray:
    """A random mixture of the columns; the first, steepest ones are strongest."""
    columns = microscope.continuum
    usual = 1.0 / np.arange(1, columns.shape[0] + 1)
    mixture = usual * np.exp(CONTINUUM_SPREAD * rng.standard_normal(usual.size))
    continuum = mixture @ columns
    return continuum / (continuum.sum() * (COLUMNS_KEV[1] - COLUMNS_KEV[0]))


def expected_spectra(
    scene: Scene, response: XrayResponse, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A scene as the detector counts it, and at the target resolution.

    Parameters
    ----------
    scene : Scene
    response : XrayResponse
        May be of a part of the axis.
    rng : numpy.random.Generator
        The detector's true resolution differs a little, in half of the spectra.

    Returns
    -------
    expected, truth : ndarray, shape (n_channels,)
    """
    from .xray_stream_kernels import add_peaks

    energy = response.energy_keV
    width = (energy[-1] - energy[0]) / (energy.size - 1)
    smooth = width * np.interp(energy, COLUMNS_KEV, scene.continuum)
    smooth[energy < COLUMNS_KEV[0]] = 0.0
    truth, expected = smooth.copy(), response.forward(smooth[None])[0]
    wider = 1.0
    if rng.random() > EXACT_WIDTH:
        wider = 1 + WIDTH_ERROR * np.clip(rng.standard_normal(), -2, 2)
    centres = (scene.energy_keV - energy[0]) / width
    channels = np.arange(energy.size)
    for fwhm, factor, spectrum in (
        (response.fwhm, wider, expected),
        (response.target_fwhm, 1.0, truth),
    ):
        sigmas = factor * np.interp(centres, channels, fwhm) / FWHM_PER_SIGMA
        add_peaks(centres, sigmas, scene.counts, spectrum)
    return np.maximum(expected, 0.0), np.maximum(truth, 0.0)
