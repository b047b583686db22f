# SPDX-License-Identifier: GPL-3.0-or-later
"""`hspy_ml.train_quantifier`: models of one's own, to keep and to share."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ..acquisition import technique_of
from ..options import check_amount, check_choice
from .known_compositions import elements_of_maps, known_fractions
from .network_plan import (
    N_STEPS,
    NetworkNeed,
    default_plan,
    steps_bar,
    xray_need,
)
from .specimen_reading import read_specimen
from .task import network_channels

if TYPE_CHECKING:
    from ...networks.training import TrainingPlan
    from ...quantification.pair_stream import KnownImage
    from ...quantification.quantifier_model import QuantifierModel

HELD_OUT = 0.2
FEWEST_KNOWN_PIXELS = 20
FINE_TUNING_RATE = 1e-3
_FINE_TUNING_STEPS = 800
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
    s : EDSTEMSpectrum or EDSSEMSpectrum, optional
        The signal whose elements, energy axis and instrument the model is for.
    pairs : sequence of (signal, maps), optional
        Spectrum images and what their pixels are made of: for each element a map in
        percent, as a mapping of symbols to arrays or signals, as the list of signals
        that ``s.quantification`` returns, or as a result of ``ml_quantify``. They sum
        to 100 in each pixel; pixels with NaN are left out. A fifth of the pixels is
        held out, to calibrate error bars and to judge the model.
    model : QuantifierModel or path, optional
        Where to start; by default from the physics, untrained. Only with `pairs`.
    elements : sequence of str, optional
        By default those of ``metadata.Sample.elements``, or of the maps.
    composition_units : {"atomic", "weight"}
        What the maps are.
    geometry, mass_thickness, detector, by_stoichiometry, valences, \
refine_energy_scale, continuum_degree, signal_mask
        As for ``s.ml_quantify``. With `pairs`, all elements are learned from the maps.
    n_steps : int, optional
        Steps of the training, of 512 spectra each; by default 2500, and 800 from a
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
        need = _need(s, elements, by_stoichiometry, specimen)
        trained = _from_physics(need, n_steps, random_state, show_progressbar)
    else:
        trained = _from_pairs(
            list(pairs),
            _loaded(model),
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


def _need(
    s: Any, elements: Any, by_stoichiometry: str | None, specimen: dict[str, Any]
) -> NetworkNeed:
    if technique_of(s) == "EELS":
        raise NotImplementedError("The network for EELS is coming.")
    return xray_need(_reading(s, elements, by_stoichiometry, specimen))


def _reading(
    s: Any, elements: Any, by_stoichiometry: str | None, specimen: dict[str, Any]
) -> Any:
    return read_specimen(
        s,
        network_channels,
        elements=elements,
        by_stoichiometry=by_stoichiometry,
        by_difference=None,
        standards=None,
        electrons=None,
        solid_angle_sr=None,
        navigation_mask=None,
        **specimen,
    )


def _plan(n_steps: int, random_state: int | None, learning_rate: float) -> TrainingPlan:
    from dataclasses import replace

    return replace(
        default_plan(random_state),
        n_steps=max(2, n_steps),
        validate_every=max(1, n_steps // 5),
        learning_rate=learning_rate,
    )


def _from_physics(
    need: NetworkNeed,
    n_steps: int | None,
    random_state: int | None,
    show_progressbar: bool | None,
) -> QuantifierModel:
    from ...quantification.network_training import train_model

    default = default_plan(random_state)
    plan = _plan(n_steps or N_STEPS, random_state, default.learning_rate)
    bank = need.bank(plan.random_state)
    with steps_bar(show_progressbar, plan.n_steps) as progress:
        return train_model(bank, need.templates(), need.conditions, plan, progress)


def _from_pairs(
    pairs: list[tuple[Any, Any]],
    start: QuantifierModel | None,
    elements: Any,
    composition_units: str,
    specimen: dict[str, Any],
    n_steps: int | None,
    random_state: int | None,
    show_progressbar: bool | None,
) -> QuantifierModel:
    from ...quantification.network_training import trained_on
    from ...quantification.pair_stream import PairStream, split

    _check_pairs(pairs)
    symbols = tuple(elements or elements_of_maps(pairs[0][1], 0))
    rule = start.conditions.rule.get("element") if start else None
    readings = [_reading(s, symbols, rule, specimen) for s, _ in pairs]
    needs = [xray_need(reading) for reading in readings]
    if start is None:
        start = _untrained(needs[0], default_plan(random_state).random_state)
    _check_alike(needs, start)
    images = [
        _known_image(pair, reading, start, composition_units, index)
        for index, (pair, reading) in enumerate(zip(pairs, readings, strict=True))
    ]
    is_new = not start.training
    rate = default_plan(random_state).learning_rate if is_new else FINE_TUNING_RATE
    steps = n_steps or (N_STEPS if is_new else _FINE_TUNING_STEPS)
    plan = _plan(steps, random_state, rate)
    rng = np.random.default_rng([plan.random_state, len(images)])
    parts = [split(i.counts.n_pixels, HELD_OUT, rng) for i in images]
    sizes = start.conditions.bins.n_bins, len(start.conditions.columns)
    stream, held_out = (
        PairStream(images, [part[which] for part in parts], *sizes) for which in (0, 1)
    )
    _adapt(start, stream)
    with steps_bar(show_progressbar, plan.n_steps) as progress:
        trained = trained_on(stream, held_out, start, plan, "measured", progress)
    trained.training["own_data"] = True
    return trained


def _adapt(start: QuantifierModel, stream: Any) -> None:
    """Tell an untrained network which compositions there are."""
    import torch

    if start.training:
        return
    moments = torch.from_numpy(stream.moments_of_anything.astype(np.float32))
    with torch.no_grad():
        start.network.anything.copy_(moments)


def _untrained(need: NetworkNeed, seed: int) -> QuantifierModel:
    from ...quantification.network_start import network_for_bank
    from ...quantification.quantifier_model import QuantifierModel

    network = network_for_bank(need.bank(seed), need.templates(), seed)
    return QuantifierModel(network, need.conditions)


def _known_image(
    pair: tuple[Any, Any],
    reading: Any,
    start: QuantifierModel,
    composition_units: str,
    index: int,
) -> KnownImage:
    from ...counts.building import counts_from_array
    from ...quantification.pair_stream import KnownImage
    from ..data import signal_array

    s, maps = pair
    fractions = known_fractions(maps, start.elements, s, composition_units, index)
    unknown = ~np.isfinite(fractions).all(axis=1)
    task = reading.task
    counts = counts_from_array(
        signal_array(s),
        excluded_pixels=unknown | task.excluded_pixels,
        excluded_channels=task.excluded_channels,
    )
    if counts.n_pixels < FEWEST_KNOWN_PIXELS:
        raise ValueError(
            f"`pairs[{index}]` has {counts.n_pixels} pixels of known composition; "
            f"{FEWEST_KNOWN_PIXELS} or more are needed to train and to judge."
        )
    channels = np.flatnonzero(~task.excluded_channels)
    used = start.conditions.bins.bin_of_channel[channels]
    return KnownImage(counts, used, fractions[~(unknown | task.excluded_pixels)])


def _check_pairs(pairs: list[tuple[Any, Any]]) -> None:
    if not pairs or not all(isinstance(p, tuple | list) and len(p) == 2 for p in pairs):
        raise TypeError(
            "`pairs` is no list of pairs; give one or more of (image, maps), such as "
            '[(s, {"Fe": fe_percent, "O": o_percent})].'
        )


def _check_alike(needs: list[NetworkNeed], start: QuantifierModel) -> None:
    for index, need in enumerate(needs):
        differences = start.conditions.differences(need.conditions)
        if differences:
            raise ValueError(
                f"`pairs[{index}]` does not fit what the model is for: "
                f"{'; '.join(differences)}."
            )


def _loaded(model: Any) -> QuantifierModel | None:
    from ...quantification.quantifier_model import QuantifierModel, load_model

    if isinstance(model, str | PathLike):
        return load_model(model)
    if model is not None and not isinstance(model, QuantifierModel):
        raise TypeError(
            f"`model` is {type(model).__name__}; give a model or a model file."
        )
    return model
