# SPDX-License-Identifier: GPL-3.0-or-later
"""Energy scale and resolution of a spectrum, refined by maximum likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..physics.acquisition import Acquisition
from ..physics.gmatrix import GMatrix
from .weights import fit_spectrum

__all__ = ["EnergyScale", "refine_energy_scale"]

#: Standard deviations of what is known beforehand: a few eV, parts in a thousand, and
#: a tenth of the resolution. They decide where counts are too few to.
PRIOR = np.array([0.005, 0.002, 0.05])
LARGEST_STEP = np.array([0.010, 0.003, 0.06])
LARGEST_CHANGE = np.array([0.040, 0.015, 0.40])
LOWEST_ENERGY_KEV = 0.95
LEAST_SHARE_OF_HEIGHT = 0.1
LEAST_SHARE_OF_MODEL = 0.3
CONVERGED = 1e-3  # of a standard error
MOST_ITERATIONS = 25
MOST_ROUNDS = 5
FALL_THAT_MATTERS = 0.9  # of the dispersion, for another round
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
        Channels with trustworthy counts; all by default. Of these, the strong peaks of
        the elements count; those above 0.95 keV alone if there are any, since peaks
        below are displaced by incomplete charge collection and chemistry.
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
    Where the elements do not explain the peaks, it does too: the likelihood is
    divided by the dispersion of the counts about the fit (quasi-likelihood; P.
    McCullagh, J. A. Nelder, Generalized Linear Models, 2nd ed. (1989), ch. 9).
    """
    used = np.ones(spectrum.size, bool) if used_channels is None else used_channels
    scale = start or _unchanged(acquisition)
    before = np.inf
    for _ in range(MOST_ROUNDS):
        now = scale.applied_to(acquisition)
        peaks, dispersion = _peaks(spectrum, now, build, used)
        if not peaks.any():
            return _unchanged(acquisition)
        if dispersion > FALL_THAT_MATTERS * before:
            break
        evaluate = partial(
            _evaluate, spectrum, acquisition, build, used=peaks, dispersion=dispersion
        )
        scale, before = _maximum(scale, acquisition, evaluate), dispersion
    if np.any(np.abs(_parameters(scale, acquisition)) > LARGEST_CHANGE):
        return _unchanged(acquisition)
    return scale


def _maximum(
    scale: EnergyScale,
    acquisition: Acquisition,
    evaluate: Callable[[EnergyScale], tuple],
) -> EnergyScale:
    """The likeliest scale, for the dispersion that `evaluate` has."""
    first = evaluate(scale)
    parameters = _parameters(scale, acquisition)
    state = _State(_scale_of(parameters, first[2], acquisition), *first)
    for _ in range(MOST_ITERATIONS):
        improved = _improved(state, acquisition, evaluate)
        if improved is None:
            break
        done = improved.gain_in_likelihood < CONVERGED**2
        state = improved
        if done:
            break
    return state.scale


@dataclass(frozen=True, eq=False)
class _State:
    scale: EnergyScale
    objective: float
    step: np.ndarray
    errors: np.ndarray
    gain_in_likelihood: float = np.inf


def _improved(
    state: _State, acquisition: Acquisition, evaluate: Callable[[EnergyScale], tuple]
) -> _State | None:
    """The next state, with the step halved until the objective rises."""
    start = _parameters(state.scale, acquisition)
    for halving in range(6):
        parameters = start + state.step / 2**halving
        scale = _scale_of(parameters, state.errors, acquisition)
        result = evaluate(scale)
        if result[0] >= state.objective:
            return _State(scale, *result, result[0] - state.objective)
    return None


def _peaks(
    spectrum: np.ndarray,
    acquisition: Acquisition,
    build: Callable[[Acquisition], GMatrix],
    used: np.ndarray,
) -> tuple[np.ndarray, float]:
    """Channels of strong peaks of the elements, and the dispersion of counts there.

    Peaks that nobody named lie elsewhere. What is misfitted among the strong ones
    makes counts scatter more than Poisson's law says, by the dispersion.
    """
    g_matrix = build(acquisition)
    reached = used & (g_matrix.matrix.sum(axis=1) > 0)
    fit, present = fit_spectrum(spectrum, g_matrix.matrix, reached)
    parts = g_matrix.matrix[:, present] * fit.weights[0]
    model = parts.sum(axis=1)
    of_elements = _of_elements(g_matrix)[present]
    strong = (parts > LEAST_SHARE_OF_HEIGHT * parts.max(axis=0)) & (
        parts > LEAST_SHARE_OF_MODEL * model[:, None]
    )
    peaks = reached & strong[:, of_elements].any(axis=1)
    high = peaks & (acquisition.energy > LOWEST_ENERGY_KEV)
    peaks = high if high.any() else peaks
    expected = np.maximum(model[peaks], 1e-9)
    pearson = (spectrum[peaks] - expected) ** 2 / np.maximum(expected, 1.0)
    return peaks, max(1.0, float(np.mean(pearson))) if peaks.any() else 1.0


def _evaluate(
    spectrum: np.ndarray,
    acquisition: Acquisition,
    build: Callable[[Acquisition], GMatrix],
    scale: EnergyScale,
    used: np.ndarray,
    dispersion: float,
) -> tuple[float, np.ndarray, np.ndarray]:
    """Objective, next step and standard errors at a scale."""
    refined = scale.applied_to(acquisition)
    g_matrix = build(refined)
    inside = used & (g_matrix.matrix.sum(axis=1) > 0)
    fit, present = fit_spectrum(spectrum, g_matrix.matrix, inside)
    matrix, weights = g_matrix.matrix[:, present], fit.weights[0]
    of_elements = _of_elements(g_matrix)[present]
    changes = _changes(matrix[:, of_elements] @ weights[of_elements], refined)
    parameters = _parameters(scale, acquisition)
    everything = np.column_stack([matrix[:, weights > 0], changes])[inside]
    model = (matrix @ weights)[inside]
    step, errors = _scoring(spectrum[inside], model, everything, parameters, dispersion)
    penalty = 0.5 * np.sum((parameters / PRIOR) ** 2)
    return -0.5 * float(fit.deviance[0]) / dispersion - penalty, step, errors


def _of_elements(g_matrix: GMatrix) -> np.ndarray:
    return np.array([column.kind == "element" for column in g_matrix.columns])


def _changes(peaks: np.ndarray, acquisition: Acquisition) -> np.ndarray:
    """Derivatives of the model by offset, gain and relative resolution."""
    slope = np.gradient(peaks, acquisition.energy)
    curvature = np.gradient(slope, acquisition.energy)
    fwhm = acquisition.detector.resolution_MnKa_eV / 1e3
    broadening = fwhm**2 / FWHM_SQUARED_PER_VARIANCE * curvature
    return np.column_stack([slope, acquisition.energy * slope, broadening])


def _scoring(
    counts: np.ndarray,
    model: np.ndarray,
    columns: np.ndarray,
    parameters: np.ndarray,
    dispersion: float,
) -> tuple[np.ndarray, np.ndarray]:
    model = np.maximum(model, 1e-12 * model.max())
    model_variance = dispersion * model
    sizes = np.sqrt(np.einsum("ck,ck,c->k", columns, columns, 1 / model_variance))
    scaled, size = columns / sizes, sizes[-3:]
    # sums, not products of matrices: threads of BLAS cost more than they give here
    information = np.einsum("ck,cl,c->kl", scaled, scaled, 1 / model_variance)
    gradient = np.einsum("ck,c->k", scaled, (counts - model) / model_variance)
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
