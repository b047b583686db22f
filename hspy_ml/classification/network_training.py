# SPDX-License-Identifier: GPL-3.0-or-later
"""From a few references of each phase to a trained and calibrated network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..networks.plan import TrainingHistory, TrainingPlan
from .conditions import SpectrumConditions
from .network_axis import PeakAxis, peak_axis
from .network_calibration import calibrate_sharpness, scores_of
from .network_classifier import NetworkClassifier
from .network_oddness import fit_oddness_test
from .network_spots import PhaseSpots
from .network_stream import PhaseStream, SpectrumBank, draw_bank
from .network_variations import Variations, mixed_severities, variations_for

if TYPE_CHECKING:
    from ..networks.phase_network import PhaseNetwork

__all__ = ["network_plan", "train_network_classifier"]

N_VARIANTS = 1024  # of each phase; with many phases fewer
MOST_VARIANTS = 16384  # of all phases
START_VARIANTS = 16  # of each phase, that the network starts from
USUAL = 0.7  # severity of what is not odd

# streams of random numbers
_START, _TRAINING, _ODDNESS, _CALIBRATION, _SCORES = range(5)
_SHARPNESS, _CHANCE, _SCORING = range(5, 8)


def network_plan(n_phases: int, random_state: int = 0) -> TrainingPlan:
    """How long a network is trained.

    Parameters
    ----------
    n_phases : int
    random_state : int, default 0

    Returns
    -------
    TrainingPlan
        About half a minute on two cores for four phases.
    """
    return TrainingPlan(
        n_steps=1000 if n_phases <= 8 else 2000,
        batch_size=512,
        validate_every=100,
        random_state=random_state,
    )


def train_network_classifier(
    spots: PhaseSpots,
    conditions: SpectrumConditions,
    *,
    alternatives: np.ndarray | None = None,
    resolution: float | None = None,
    variations: Variations | None = None,
    plan: TrainingPlan | None = None,
    random_state: int = 0,
    progress: Callable[[int], None] | None = None,
) -> NetworkClassifier:
    """Train a network to tell phases apart at all doses.

    It is trained on spectra as another session could measure them: another energy
    scale, resolution, thickness, continuum and composition, a little of each, and
    Poisson noise of 10 to a million counts.

    Parameters
    ----------
    spots : PhaseSpots
        What is known of the phases, in the channels that are used.
    conditions : SpectrumConditions
        Of the spectra.
    alternatives : array_like, shape (n_alternatives, n_channels), optional
        Spectra of what else could be there, such as those of other elements
        (:func:`hspy_ml.physics.foreign_elements.foreign_element_spectra`): they
        are found at fewer counts.
    resolution : float, optional
        Full width at half maximum: in EDS that of Mn Ka in keV, in EELS in eV. By
        default 0.130 keV and 1 eV.
    variations : Variations, optional
        What may differ between references and measurement; by default what usually
        does.
    plan : TrainingPlan, optional
        By default that of :func:`network_plan`.
    random_state : int, default 0
        Makes the training repeat exactly, unless a plan says so.
    progress : callable, optional
        Is given the number of steps done.

    Returns
    -------
    NetworkClassifier
        Also if the training was interrupted (KeyboardInterrupt): in its best state;
        its `training` says so.

    Raises
    ------
    ValueError
        If the channels of `spots`, `conditions` and `alternatives` differ, or there is
        one phase only.
    """
    _check(spots)
    axis = peak_axis(conditions, spots.shapes.mean(axis=0), resolution)
    variations = variations or variations_for(conditions.technique)
    plan = plan or network_plan(len(spots.names), random_state)
    banks = _Banks(spots, axis, variations, plan.random_state)
    network = _start(banks.start(), plan.random_state)
    history = _trained(network, banks.mixed(_TRAINING), plan, progress)
    usual = [banks.usual(purpose) for purpose in (_ODDNESS, _CALIBRATION, _SCORES)]
    calibrate_sharpness(network, usual[1], banks.rng(_SHARPNESS))
    others = _in_bins(alternatives, axis)
    test = fit_oddness_test(usual[0], usual[1], others, banks.rng(_CHANCE))
    scores = scores_of(network, usual[2], banks.rng(_SCORING))
    training = account_of(history, plan)
    return NetworkClassifier(
        spots.names, network, test, axis.group.astype(np.int32), training, scores
    )


def account_of(history: TrainingHistory, plan: TrainingPlan) -> dict[str, Any]:
    """How a training went, for the card of a model.

    Parameters
    ----------
    history : TrainingHistory
    plan : TrainingPlan

    Returns
    -------
    dict
    """
    return {
        "spectra": history.n_steps_done * plan.batch_size,
        "steps": history.n_steps_done,
        "steps_planned": plan.n_steps,
        "seconds": round(history.seconds, 1),
        "random_state": plan.random_state,
        "interrupted": history.interrupted,
        "loss": float(np.nan_to_num(history.best_loss)),
    }


class _Banks:
    """Variants of the phases for each purpose, independent of each other."""

    def __init__(
        self, spots: PhaseSpots, axis: PeakAxis, variations: Variations, seed: int
    ) -> None:
        self._known = spots, axis, variations
        self._seed = seed
        self._n = max(64, min(N_VARIANTS, MOST_VARIANTS // len(spots.names)))

    def rng(self, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, 100 + purpose])

    def start(self) -> SpectrumBank:
        severity = np.linspace(0.0, 1.5, START_VARIANTS)
        return draw_bank(*self._known, severity, self.rng(_START))

    def mixed(self, purpose: int) -> SpectrumBank:
        rng = self.rng(purpose)
        return draw_bank(*self._known, mixed_severities(self._n, rng), rng)

    def usual(self, purpose: int) -> SpectrumBank:
        severity = np.full(self._n, USUAL)
        return draw_bank(*self._known, severity, self.rng(purpose))


def _in_bins(alternatives: np.ndarray | None, axis: PeakAxis) -> np.ndarray:
    n_bins = int(axis.group[-1]) + 1
    if alternatives is None:
        return np.zeros((0, n_bins))
    spectra = np.asarray(alternatives, dtype=float)
    if spectra.ndim != 2 or spectra.shape[1] != axis.energy.size:
        raise ValueError(
            f"`alternatives` has the shape {spectra.shape}; give spectra by the "
            f"{axis.energy.size} channels that are used."
        )
    if not np.isfinite(spectra).all() or (spectra < 0).any():
        raise ValueError("`alternatives` are negative or not finite; give spectra.")
    starts = np.flatnonzero(np.diff(axis.group, prepend=-1))
    binned = np.add.reduceat(spectra, starts, axis=1)
    binned = binned[binned.sum(axis=1) > 0]
    return binned / binned.sum(axis=1, keepdims=True)


def _start(bank: SpectrumBank, seed: int) -> PhaseNetwork:
    import torch

    from ..networks.phase_network import PhaseNetwork

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PhaseNetwork(bank.n_bins, bank.n_phases, START_VARIANTS)
    network.start_from(torch.from_numpy(bank.spectra))
    return network


def _trained(
    network: PhaseNetwork,
    bank: SpectrumBank,
    plan: TrainingPlan,
    progress: Callable[[int], None] | None,
) -> TrainingHistory:
    from ..networks.seed_classifier import phase_loss
    from ..networks.threads import torch_threads, training_threads
    from ..networks.training import train

    with torch_threads(training_threads()):
        return train(network, PhaseStream(bank), phase_loss, plan, progress=progress)


def _check(spots: PhaseSpots) -> None:
    if len(spots.names) < 2:
        raise ValueError(
            f"`spots` has the phase {spots.names[0]!r} only; a network is trained to "
            "tell two or more apart."
        )
