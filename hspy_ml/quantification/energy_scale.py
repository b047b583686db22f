# SPDX-License-Identifier: GPL-3.0-or-later
"""Energy scale and resolution of a spectrum, refined by maximum likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..counts.data import DenseCounts
from ..physics.acquisition import Acquisition
from ..physics.gmatrix import GMatrix
from .weights import fit_weights

__all__ = ["EnergyScale", "refine_energy_scale"]

#: Standard deviations of what is known beforehand: a few eV, parts in a thousand, and
#: a tenth of the resolution. They decide where counts are too few to.
PRIOR = np.array([0.005, 0.002, 0.05])
LARGEST_STEP = np.array([0.010, 0.003, 0.06])
LARGEST_CHANGE = np.array([0.040, 0.015, 0.40])
LOWEST_ENERGY_KEV = 0.95
LEAST_SHARE_ABOVE = 0.02
CONVERGED = 1e-3  # of a standard error
MOST_ITERATIONS = 25
FWHM_SQUARED_PER_VARIANCE = 8 * np.log(2)


@dataclass(frozen=True)
class EnergyScale:
    """How the energy axis and the resolution differ from what was given.

    Parameters
    ----------
    offset_keV : float
        Is added to the energies.
    gain : float
        Multiplies the energies first.
    resolution_MnKa_eV : float
        Full width at half maximum at 5898.7 eV.
    standard_errors : tuple of float
        Of the three, in their units.
    """

    offset_keV: float
    gain: float
    resolution_MnKa_eV: float
    standard_errors: tuple[float, float, float]

    def applied_to(self, acquisition: Acquisition) -> Acquisition:
        """The acquisition with the axis and the resolution refined.

        Parameters
        ----------
        acquisition : Acquisition
            As it was given.

        Returns
        -------
        Acquisition
        """
        detector = replace(
            acquisition.detector, resolution_MnKa_eV=self.resolution_MnKa_eV
        )
        energy = self.gain * acquisition.energy + self.offset_keV
        return replace(acquisition, energy=energy, detector=detector)


def refine_energy_scale(
    spectrum: np.ndarray,
    acquisition: Acquisition,
    build: Callable[[Acquisition], GMatrix],
    used_channels: np.ndarray | None = None,
    start: EnergyScale | None = None,
) -> EnergyScale:
    r"""Offset, gain and resolution under which a spectrum is likeliest.

    The weights of the columns and the three parameters are improved in turns, by
    scoring: with the fitted model :math:`\lambda`, a shift adds
    :math:`\lambda'`, a gain :math:`E \lambda'`, and a broadening
    :math:`\lambda''/2` per variance, which is the same for all lines.

    Parameters
    ----------
    spectrum : ndarray, shape (n_channels,)
        Counts.
    acquisition : Acquisition
        As the metadata have it.
    build : callable
        Gives the G-matrix of an acquisition.
    used_channels : ndarray of bool, shape (n_channels,), optional
        Channels with trustworthy counts; all by default. Of these, those above
        0.95 keV count if they hold peaks: peaks below are displaced by incomplete
        charge collection and chemistry.
    start : EnergyScale, optional
        Where to begin; by default at the axis as it was given.

    Returns
    -------
    EnergyScale
        The axis as it was given where the fit does not end within reason.

    Notes
    -----
    Where counts are few, it stays within what calibrated instruments are known for:
    5 eV, 0.2 % and 5 % of the resolution (standard deviations of a Gaussian prior).
    """
    used = np.ones(spectrum.size, bool) if used_channels is None else used_channels
    scale = start or _unchanged(acquisition)
    first = _evaluate(spectrum, acquisition, build, scale, used)
    parameters = _parameters(scale, acquisition)
    state = _State(_scale_of(parameters, first[2], acquisition), *first)
    for _ in range(MOST_ITERATIONS):
        improved = _improved(state, spectrum, acquisition, build, used)
        if improved is None:
            break
        done = improved.gain_in_likelihood < CONVERGED**2
        state = improved
        if done:
            break
    if np.any(np.abs(_parameters(state.scale, acquisition)) > LARGEST_CHANGE):
        return _unchanged(acquisition)
    return state.scale


@dataclass(frozen=True, eq=False)
class _State:
    scale: EnergyScale
    objective: float
    step: np.ndarray
    errors: np.ndarray
    gain_in_likelihood: float = np.inf


def _improved(state, spectrum, acquisition, build, used) -> _State | None:
    """The next state, with the step halved until the objective rises."""
    start = _parameters(state.scale, acquisition)
    for halving in range(6):
        parameters = start + state.step / 2**halving
        scale = _scale_of(parameters, state.errors, acquisition)
        result = _evaluate(spectrum, acquisition, build, scale, used)
        if result[0] >= state.objective:
            return _State(scale, *result, result[0] - state.objective)
    return None


def _evaluate(
    spectrum: np.ndarray,
    acquisition: Acquisition,
    build: Callable[[Acquisition], GMatrix],
    scale: EnergyScale,
    used: np.ndarray,
) -> tuple[float, np.ndarray, np.ndarray]:
    """Objective, next step and standard errors at a scale."""
    refined = scale.applied_to(acquisition)
    g_matrix = build(refined)
    of_elements = np.array([c.kind == "element" for c in g_matrix.columns])
    inside = _calibrating_channels(g_matrix, refined.energy, used, of_elements)
    columns = g_matrix.matrix[inside].sum(axis=0) > 0
    matrix = g_matrix.matrix[:, columns]
    counts = np.ascontiguousarray(spectrum[inside][None], dtype=np.float64)
    fit = fit_weights(DenseCounts(counts), matrix[inside], reported=[0], num_workers=1)
    weights = fit.weights[0]
    model = matrix @ weights
    peaks = matrix[:, of_elements[columns]] @ weights[of_elements[columns]]
    changes = _changes(peaks, refined)
    parameters = _parameters(scale, acquisition)
    everything = np.column_stack([matrix[:, weights > 0], changes])[inside]
    step, errors = _scoring(counts[0], model[inside], everything, parameters)
    penalty = 0.5 * np.sum((parameters / PRIOR) ** 2)
    return -0.5 * float(fit.deviance[0]) - penalty, step, errors


def _calibrating_channels(g_matrix, energy, used, of_elements) -> np.ndarray:
    """Those above 0.95 keV, if peaks are there that can be seen."""
    reached = used & (g_matrix.matrix.sum(axis=1) > 0)
    high = reached & (energy > LOWEST_ENERGY_KEV)
    peaks = g_matrix.matrix[:, of_elements]
    share = peaks[high].sum(axis=0) / peaks.sum(axis=0)
    return high if np.any(share > LEAST_SHARE_ABOVE) else reached


def _changes(peaks: np.ndarray, acquisition: Acquisition) -> np.ndarray:
    """Derivatives of the model by offset, gain and relative resolution."""
    slope = np.gradient(peaks, acquisition.energy)
    curvature = np.gradient(slope, acquisition.energy)
    fwhm = acquisition.detector.resolution_MnKa_eV / 1e3
    broadening = fwhm**2 / FWHM_SQUARED_PER_VARIANCE * curvature
    return np.column_stack([slope, acquisition.energy * slope, broadening])


def _scoring(
    counts: np.ndarray, model: np.ndarray, columns: np.ndarray, parameters: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    model = np.maximum(model, 1e-12 * model.max())
    sizes = np.sqrt(np.einsum("ck,ck,c->k", columns, columns, 1 / model))
    scaled, size = columns / sizes, sizes[-3:]
    # sums, not products of matrices: threads of BLAS cost more than they give here
    information = np.einsum("ck,cl,c->kl", scaled, scaled, 1 / model)
    gradient = np.einsum("ck,c->k", scaled, counts / model - 1)
    information[range(-3, 0), range(-3, 0)] += 1 / (PRIOR * size) ** 2
    gradient[-3:] -= parameters / (PRIOR**2 * size)
    information[np.diag_indices_from(information)] += 1e-12
    inverse = np.linalg.inv(information)
    step = (inverse @ gradient)[-3:] / size
    errors = np.sqrt(np.diag(inverse)[-3:]) / size
    return np.clip(step, -LARGEST_STEP, LARGEST_STEP), errors


def _parameters(scale: EnergyScale, acquisition: Acquisition) -> np.ndarray:
    resolution = acquisition.detector.resolution_MnKa_eV
    relative = scale.resolution_MnKa_eV / resolution
    return np.array([scale.offset_keV, scale.gain - 1, relative - 1])


def _scale_of(
    parameters: np.ndarray, errors: np.ndarray, acquisition: Acquisition
) -> EnergyScale:
    offset, gain, relative = parameters.tolist()
    resolution = acquisition.detector.resolution_MnKa_eV
    return EnergyScale(
        offset,
        1 + gain,
        resolution * (1 + relative),
        (float(errors[0]), float(errors[1]), float(errors[2] * resolution)),
    )


def _unchanged(acquisition: Acquisition) -> EnergyScale:
    resolution = acquisition.detector.resolution_MnKa_eV
    return EnergyScale(0.0, 1.0, resolution, (np.nan, np.nan, np.nan))
