# SPDX-License-Identifier: GPL-3.0-or-later
"""The network that a signal needs: found in the cache, or trained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..progress import progress_bar

if TYPE_CHECKING:
    from ...networks.model_file import StoredModel
    from ...networks.training import TrainingPlan
    from ...quantification.network_conditions import NetworkConditions
    from ...quantification.quantifier_model import QuantifierModel

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


def fitting_model(
    need: NetworkNeed,
    random_state: int | None,
    show_progressbar: bool | None,
) -> tuple[QuantifierModel, str]:
    """A model from the cache, or else one that is trained now and kept there.

    Parameters
    ----------
    need : NetworkNeed
    random_state : int or None
        Seed that it must have been trained with; None for any.
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
        trained.append(train_for(need, random_state, show_progressbar, name))
        return trained[0].to_stored()

    found = trained_once(name, lambda: _find(need, random_state), make)
    if trained:
        seconds = trained[0].training["seconds"]
        origin = f"The network was trained for this signal in {seconds:.0f} s."
        return trained[0], origin
    return QuantifierModel.from_stored(found), "The network is from the cache."


def train_for(
    need: NetworkNeed,
    random_state: int | None,
    show_progressbar: bool | None,
    name: str,
) -> QuantifierModel:
    """Train the model that a signal needs.

    Parameters
    ----------
    need : NetworkNeed
    random_state : int or None
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

    plan = default_plan(random_state)
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


@contextmanager
def steps_bar(
    show_progressbar: bool | None, n_steps: int
) -> Iterator[Callable[[int], None]]:
    """HyperSpy's progress bar of a training.

    Parameters
    ----------
    show_progressbar : bool or None
    n_steps : int

    Yields
    ------
    callable
        To be called after each step.
    """
    title = "training (kept for later)"
    with progress_bar(show_progressbar, title, "steps", n_steps) as update:
        yield lambda step: update(1)


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
