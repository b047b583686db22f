# SPDX-License-Identifier: GPL-3.0-or-later
"""How a network is to be trained, and how its training went."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral, Real

import numpy as np


@dataclass(frozen=True)
class TrainingPlan:
    """The settings of one training.

    Parameters
    ----------
    n_steps : int
        Steps of the optimiser, two or more; each sees one fresh batch.
    batch_size : int
        Spectra in a batch.
    learning_rate : float
        The highest of the one-cycle schedule.
    weight_decay : float
        Decoupled decay (AdamW) of weight matrices and convolution kernels; biases
        and scales of normalisations do not decay.
    warm_up : float
        Fraction of the steps in which the learning rate rises, above 0 and below 1.
    gradient_norm : float
        The gradient is shortened to this length where it is longer.
    validate_every : int
        Steps between two validations; the start and the last step are validated too.
    n_validation : int
        Spectra of the validation set (rounded up to whole batches).
    patience : int or None
        Validations in a row without improvement after which the training stops;
        None for never.
    random_state : int
        Seed of the batches, of the validation set and of the network's own
        randomness (dropout). Not of its initial weights, which are the caller's.

    Raises
    ------
    TypeError, ValueError
        If a setting is no number, or out of range.
    """

    n_steps: int = 2000
    batch_size: int = 512
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    warm_up: float = 0.1
    gradient_norm: float = 1.0
    validate_every: int = 200
    n_validation: int = 4096
    patience: int | None = None
    random_state: int = 0

    def __post_init__(self) -> None:
        counted = dict(n_steps=2, batch_size=1, validate_every=1, n_validation=1)
        for name, least in {**counted, "random_state": 0}.items():
            self._check(name, Integral, least, np.inf)
        if self.patience is not None:
            self._check("patience", Integral, 1, np.inf)
        tiny = np.finfo(float).tiny
        for name in ("learning_rate", "gradient_norm"):
            self._check(name, Real, tiny, np.finfo(float).max)
        self._check("weight_decay", Real, 0.0, np.finfo(float).max)
        self._check("warm_up", Real, tiny, np.nextafter(1.0, 0.0))

    def _check(self, name: str, kind: type, least: float, most: float) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, kind):
            noun = "a whole number" if kind is Integral else "a number"
            raise TypeError(f"`{name}` is {value!r}; give {noun}.")
        if not least <= value <= most:
            raise ValueError(f"`{name}` is {value!r}; {_ALLOWED[name]}.")


_ALLOWED = {
    "n_steps": "give 2 or more",
    "batch_size": "give 1 or more",
    "validate_every": "give 1 or more",
    "n_validation": "give 1 or more",
    "random_state": "give 0 or more",
    "patience": "give 1 or more, or None to train to the end",
    "learning_rate": "give a finite number above 0",
    "gradient_norm": "give a finite number above 0",
    "weight_decay": "give a finite number, 0 or more",
    "warm_up": "give a fraction of the steps, above 0 and below 1",
}


@dataclass(frozen=True, eq=False)
class TrainingHistory:
    """How a training went.

    Attributes
    ----------
    training_loss : ndarray, shape (n_steps_done,)
        Of each step, on its own batch, before the step was taken.
    validation_steps : ndarray of int, shape (n_validations,)
        Steps done when the network was validated; the first is 0, the start.
    validation_loss : ndarray, shape (n_validations,)
        Then, on the validation set.
    best_step : int
        Steps done in the state that the network was left in; 0 is the start.
    n_steps_done : int
        Steps taken.
    seconds : float
        Time from the call to the end.
    interrupted : bool
        True if the user stopped it (Ctrl-C, the notebook's stop button).
    stopped_early : bool
        True if the validation loss had stopped falling.
    """

    training_loss: np.ndarray = field(repr=False)
    validation_steps: np.ndarray = field(repr=False)
    validation_loss: np.ndarray = field(repr=False)
    best_step: int
    n_steps_done: int
    seconds: float
    interrupted: bool
    stopped_early: bool

    @property
    def best_loss(self) -> float:
        """Validation loss of the state the network was left in; NaN if never done."""
        where = np.flatnonzero(self.validation_steps == self.best_step)
        return float(self.validation_loss[where[0]]) if where.size else float("nan")
