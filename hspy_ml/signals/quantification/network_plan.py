# SPDX-License-Identifier: GPL-3.0-or-later
"""The network that a signal needs: found in the cache, or trained."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..progress import progress_bar

if TYPE_CHECKING:
    from ...networks.model_file import StoredModel
    from ...networks.training import TrainingPlan
    from ...physics.acquisition import Acquisition
    from ...quantification.network_conditions import NetworkConditions
    from ...quantification.quantifier_model import QuantifierModel
    from ...simulation.spectrum_bank import SpectrumBank
    from .specimen_reading import SpecimenReading

COUNTS = (2.0, 20_000.0)
WIDEST_BIN_KEV = 0.02
CONTAMINATION = ("C", "O")
LARGEST_SHIFT_KEV = 0.005  # of a peak from where the metadata have it
RESOLUTION = 0.05
SURE = 3.0  # standard errors of what was refined
LEAST_SEEN = 0.01  # of an element's counts, in the channels used
SEED = 0
_INTERRUPTED = (
    "The training was interrupted after {steps} of {planned} steps. What was reached "
    "is kept, and the next call goes on from there."
)


@dataclass(frozen=True, eq=False)
class NetworkNeed:
    """What a network for a signal has to be, and how its spectra are simulated.

    Parameters
    ----------
    conditions : NetworkConditions
    bank : callable
        Gives the `SpectrumBank` of a seed.
    templates : callable
        Gives the spectra of what else could be there.
    """

    conditions: NetworkConditions
    bank: Any
    templates: Any


def xray_need(read: SpecimenReading) -> NetworkNeed:
    """What a network for an EDS signal has to be.

    Parameters
    ----------
    read : SpecimenReading
        With the channels of a network.

    Returns
    -------
    NetworkNeed
    """
    from ...physics.fractions import reference_columns
    from ...quantification.network_conditions import (
        NetworkConditions,
        channel_runs,
        instrument_of,
    )
    from ...quantification.surprise import foreign_spectra
    from ...simulation.channel_bins import ChannelBins
    from ...simulation.xray_bank import xray_bank, xray_columns
    from ...simulation.xray_specimens import XraySpecimens

    model = read.task.model
    acquisition = _acquisition(read)
    used = ~read.task.excluded_channels
    bins = ChannelBins.narrower_than(used, acquisition.channel_width, WIDEST_BIN_KEV)
    specimens = XraySpecimens(
        model.elements,
        _atoms_of_all(read),
        model.measured,
        model.geometry,
        model.mass_thickness,
        _unnamed(read, used),
    )
    named = xray_columns(acquisition, specimens, model.continuum_degree)
    chosen = reference_columns(named)
    conditions = NetworkConditions(
        **instrument_of(acquisition),
        elements=model.elements,
        unnamed=specimens.unnamed,
        rule=_rule(read),
        geometry=model.geometry,
        mass_thickness=model.mass_thickness,
        used_channels=channel_runs(used),
        channels_per_bin=bins.channels_per_bin,
        counts=COUNTS,
        columns=(*named.names, *specimens.unnamed),
        measuring=tuple(chosen[e] for e in model.measured),
    )

    def bank(seed: int) -> SpectrumBank:
        return xray_bank(
            acquisition,
            specimens,
            counts=COUNTS,
            bins=bins,
            continuum_degree=model.continuum_degree,
            random_state=seed,
        )

    return NetworkNeed(
        conditions, bank, lambda: foreign_spectra(acquisition, model.elements, bins)
    )


def _acquisition(read: SpecimenReading) -> Acquisition:
    """As the metadata say, if the spectra agree within what a network bears."""
    from ...physics.fractions import reference_columns

    reference, scale = read.named.reference.g_matrix, read.named.reference.energy_scale
    stated, refined = read.task.acquisition, reference.acquisition
    if scale is None:
        return stated
    peaks = reference.matrix[:, list(reference_columns(reference).values())]
    energy = stated.energy[peaks.argmax(axis=0)].max()
    of_offset, of_gain, of_width = scale.standard_errors
    shift = scale.offset_keV + (scale.gain - 1) * energy
    width = stated.detector.resolution_MnKa_eV
    wider = scale.resolution_MnKa_eV - width
    off = _is_beyond(shift, LARGEST_SHIFT_KEV, np.hypot(of_offset, of_gain * energy))
    blurred = _is_beyond(wider, RESOLUTION * width, of_width)
    return refined if off or blurred else stated


def _is_beyond(difference: float, largest: float, error: float) -> bool:
    """Whether a difference is too large, and not by chance."""
    return abs(difference) > max(largest, SURE * error)


def fitting_model(
    need: NetworkNeed,
    random_state: int | None,
    plan: TrainingPlan | None,
    show_progressbar: bool | None,
) -> tuple[QuantifierModel, str]:
    """A model from the cache, or else one that is trained now and kept there.

    Parameters
    ----------
    need : NetworkNeed
    random_state : int or None
        Seed that it must have been trained with; None for any.
    plan : TrainingPlan, optional
    show_progressbar : bool or None

    Returns
    -------
    model : QuantifierModel
    origin : str
        A sentence on where it is from.

    Raises
    ------
    KeyboardInterrupt
        If the training is interrupted; what was reached is kept.
    """
    from ...networks.cache import trained_once
    from ...quantification.quantifier_model import QuantifierModel

    name = _name(need.conditions, random_state)
    trained: list[QuantifierModel] = []

    def make() -> StoredModel:
        trained.append(train_for(need, random_state, plan, show_progressbar, name))
        return trained[0].to_stored()

    found = trained_once(name, lambda: _find(need, random_state), make)
    if trained:
        seconds = trained[0].training["seconds"]
        return trained[
            0
        ], f"The network was trained for this signal in {seconds:.0f} s."
    return QuantifierModel.from_stored(found), "The network is from the cache."


def train_for(
    need: NetworkNeed,
    random_state: int | None,
    plan: TrainingPlan | None,
    show_progressbar: bool | None,
    name: str,
) -> QuantifierModel:
    """Train the model that a signal needs.

    Parameters
    ----------
    need : NetworkNeed
    random_state : int or None
    plan : TrainingPlan, optional
    show_progressbar : bool or None
    name : str
        Under which it is kept if the training is interrupted.

    Returns
    -------
    QuantifierModel

    Raises
    ------
    KeyboardInterrupt
        If it is interrupted.
    """
    from ...networks.cache import store_in_cache
    from ...quantification.network_training import train_model, trained_on

    plan = plan or default_plan(random_state)
    bank = need.bank(plan.random_state)
    with steps_bar(show_progressbar, plan.n_steps) as progress:
        begun = _begun(name)
        if begun is None:
            model = train_model(bank, need.templates(), need.conditions, plan, progress)
        else:
            model = trained_on(bank, bank, begun, plan, "simulated", progress)
    if model.training["interrupted"]:
        if model.training["steps"]:
            store_in_cache(model.to_stored(), name + BEGUN)
        raise KeyboardInterrupt(
            _INTERRUPTED.format(steps=model.training["steps"], planned=plan.n_steps)
        )
    with suppress(OSError):
        _begun_path(name).unlink(missing_ok=True)
    return model


BEGUN = "-begun"
N_STEPS = 3200


def default_plan(random_state: int | None) -> TrainingPlan:
    """The training of a network on two cores in less than two minutes.

    Parameters
    ----------
    random_state : int or None

    Returns
    -------
    TrainingPlan
    """
    from ...networks.training import TrainingPlan

    seed = SEED if random_state is None else int(random_state)
    return TrainingPlan(n_steps=N_STEPS, validate_every=N_STEPS // 5, random_state=seed)


def steps_bar(show_progressbar: bool | None, n_steps: int) -> Any:
    """HyperSpy's progress bar, which is told how many steps are done in all."""
    from contextlib import contextmanager

    @contextmanager
    def bar() -> Any:
        title = "training (kept for later)"
        with progress_bar(show_progressbar, title, "steps", n_steps) as update:
            yield lambda step: update(1)

    return bar()


def _find(need: NetworkNeed, random_state: int | None) -> StoredModel | None:
    from ...networks.cache import find_models
    from ...networks.model_file import load_model as load_stored
    from ...quantification.network_conditions import NetworkConditions
    from ...quantification.quantifier_model import TASK, QuantifierModel

    for path, card in find_models(TASK):
        if card.training.get("interrupted") or card.training.get("own_data"):
            continue
        if random_state not in (None, card.training.get("random_state")):
            continue
        try:
            conditions = NetworkConditions.from_dict(card.conditions)
            if not conditions.differences(need.conditions):
                stored = load_stored(path, TASK)
                QuantifierModel.from_stored(stored)
                return stored
        except (OSError, ValueError):
            continue
    return None


def _begun(name: str) -> QuantifierModel | None:
    """A training of the same name that was interrupted."""
    from ...quantification.quantifier_model import load_model

    try:
        return load_model(_begun_path(name))
    except (OSError, ValueError):
        return None


def _begun_path(name: str) -> Path:
    from ...networks.cache import models_folder

    return models_folder() / f"{name}{BEGUN}.safetensors"


def _name(conditions: NetworkConditions, random_state: int | None) -> str:
    """Elements, and a few letters for all else."""
    plain = conditions.to_dict()
    for key in ("energy_offset", "channel_width", "resolution_MnKa_eV"):
        plain[key] = float(f"{plain[key]:.3g}")
    text = json.dumps([plain, random_state], sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"quantifier-{'-'.join(conditions.elements)}"[:90] + f"-{digest}"


def _rule(read: SpecimenReading) -> dict[str, Any]:
    """How the unmeasured element is found."""
    unmeasured = read.unmeasured
    if unmeasured.element is None:
        return {}
    atoms = _atoms_of_all(read)[read.task.model.elements.index(unmeasured.element)]
    return {
        "element": unmeasured.element,
        "rule": unmeasured.rule,
        "atoms": {
            e: round(float(n), 6)
            for e, n in zip(read.task.model.measured, atoms, strict=True)
        },
    }


def _atoms_of_all(read: SpecimenReading) -> np.ndarray:
    """Atoms of all elements for one of each measured one."""
    from .plan import Scale, completion_of

    scale = Scale({}, None, None)
    elements = read.task.model.elements
    return completion_of(elements, read.unmeasured, "atomic", scale).transfer


def _unnamed(read: SpecimenReading, used: np.ndarray) -> tuple[str, ...]:
    """What could be there besides: contamination of a film, and anything else."""
    from ...simulation.unnamed_elements import ANYTHING_ELSE

    model = read.task.model
    acquisition = _acquisition(read)
    others = CONTAMINATION if model.geometry == "film" else ()
    seen = [
        e for e in others if e not in model.elements and _is_seen(e, acquisition, used)
    ]
    return (*seen, ANYTHING_ELSE)


def _is_seen(element: str, acquisition: Any, used: np.ndarray) -> bool:
    from ...physics.gmatrix import build_g_matrix
    from ...physics.specimen import Specimen

    try:
        g_matrix = build_g_matrix(
            acquisition, [element], Specimen({}), continuum_degree=None
        )
    except ValueError:
        return False
    spectrum = g_matrix.matrix.sum(axis=1)
    return spectrum[used].sum() > LEAST_SEEN * spectrum.sum()
