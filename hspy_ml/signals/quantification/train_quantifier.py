# SPDX-License-Identifier: GPL-3.0-or-later
"""`hspy_ml.train_quantifier`: models of one's own, to keep and to share."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from ..options import check_amount, check_choice
from .known_images import train_on_pairs
from .network import given_model
from .network_plan import N_STEPS, NetworkNeed, default_plan, steps_bar
from .network_reading import prepared, training_plan

if TYPE_CHECKING:
    from ...quantification.quantifier_model import QuantifierModel

_INTERRUPTED = (
    "The training was interrupted after {steps} of {planned} steps; `model.scores` "
    "says how good the model is."
)


def train_quantifier(
    s: Any = None,
    pairs: Sequence[tuple[Any, Any]] | None = None,
    *,
    model: QuantifierModel | str | PathLike[str] | None = None,
    elements: Sequence[str] | None = None,
    composition_units: str = "atomic",
    geometry: str | None = None,
    mass_thickness: float = 0.0,
    detector: Any = "auto",
    by_stoichiometry: str | None = "auto",
    valences: Any = None,
    refine_energy_scale: bool = True,
    continuum_degree: int | None = 3,
    low_loss: Any = None,
    signal_mask: Any = None,
    n_steps: int | None = None,
    random_state: int | None = None,
    show_progressbar: bool | None = None,
) -> QuantifierModel:
    """Train a network for ``s.ml_quantify(model=...)``.

    From first principles, for a signal: ``train_quantifier(s)``. From one's own images
    and their compositions, that is by experimental calibration:
    ``train_quantifier(pairs=[(s, maps), ...])``. Or from a model on, with one's own
    images: ``train_quantifier(pairs=[...], model=model)``.

    Parameters
    ----------
    s : EDSTEMSpectrum, EDSSEMSpectrum or EELSSpectrum, optional
        The signal whose elements, energy axis and instrument the model is for.
    pairs : sequence of (signal, maps), optional
        Spectrum images and what their pixels are made of: for each element a map in
        percent, as a mapping of symbols to arrays or signals, as the list of signals
        that ``s.quantification`` returns, or as a result of ``ml_quantify``. They sum
        to 100 in each pixel; pixels with NaN are left out. A fifth of the pixels is
        held out, to calibrate error bars and to judge the model. A few images teach
        their peculiarities too; starting from a simulated `model` needs far fewer.
    model : QuantifierModel or path, optional
        Where to start; by default from the physics, untrained. Only with `pairs`.
    elements : sequence of str, optional
        By default those of ``metadata.Sample.elements``, or of the maps.
    composition_units : {"atomic", "weight"}
        What the maps are.
    geometry, mass_thickness, detector, by_stoichiometry, valences, \
refine_energy_scale, continuum_degree, low_loss, signal_mask
        As for ``s.ml_quantify``. With `pairs`, all elements are learned from the maps.
    n_steps : int, optional
        Steps of the training, of 512 spectra each; by default 3200, and 800 from a
        model on.
    random_state : int, optional
        Seed; 0 by default. The same seed gives the same model on the same machine.
    show_progressbar : bool, optional
        By default as in HyperSpy's preferences.

    Returns
    -------
    QuantifierModel
        ``model.info()`` says what it is for and how good it is, ``model.save(path)``
        keeps it. If the training is interrupted, the model as it was, with a warning.

    Raises
    ------
    ValueError, TypeError
        If both or none of `s` and `pairs` are given, or something does not fit; the
        message says what.

    Examples
    --------
    >>> model = hspy_ml.train_quantifier(s)  # doctest: +SKIP
    >>> model.save("al-ti-v-fe.safetensors")  # doctest: +SKIP
    >>> model = hspy_ml.train_quantifier(pairs=[(s, maps)])  # doctest: +SKIP
    """
    check_choice("composition_units", composition_units, ("atomic", "weight"))
    for name, value in (("n_steps", n_steps), ("random_state", random_state)):
        if value is not None:
            check_amount(name, value, zero=name == "random_state")
    specimen = {
        "geometry": geometry,
        "mass_thickness": mass_thickness,
        "detector": detector,
        "valences": valences,
        "refine_energy_scale": refine_energy_scale,
        "continuum_degree": continuum_degree,
        "low_loss": low_loss,
        "signal_mask": signal_mask,
    }
    if (s is None) == (pairs is None):
        raise ValueError(
            "Give either `s`, a signal to simulate spectra for, or `pairs`, images "
            "with their compositions."
        )
    if pairs is None:
        if model is not None:
            raise ValueError("`model` is for `pairs`, from which it is trained on.")
        need = prepared(s, elements, by_stoichiometry, specimen).need
        trained = _from_physics(need, n_steps, random_state, show_progressbar)
    else:
        trained = train_on_pairs(
            list(pairs),
            None if model is None else given_model(model),
            elements,
            composition_units,
            specimen,
            n_steps,
            random_state,
            show_progressbar,
        )
    if trained.training["interrupted"]:
        account = trained.training
        warnings.warn(
            _INTERRUPTED.format(
                steps=account["steps"], planned=account["steps_planned"]
            ),
            stacklevel=2,
        )
    return trained


def _from_physics(
    need: NetworkNeed,
    n_steps: int | None,
    random_state: int | None,
    show_progressbar: bool | None,
) -> QuantifierModel:
    from ...quantification.network_training import train_model

    default = default_plan(random_state)
    plan = training_plan(n_steps or N_STEPS, random_state, default.learning_rate)
    bank = need.bank(plan.random_state)
    with steps_bar(show_progressbar, plan.n_steps) as progress:
        return train_model(bank, need.templates(), need.conditions, plan, progress)
