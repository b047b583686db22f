# SPDX-License-Identifier: GPL-3.0-or-later
"""`hspy_ml.train_quantifier`: models of one's own, to keep and to share."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ..acquisition import technique_of
from ..options import check_amount, check_choice
from .eels_network import eels_need, read_core_losses
from .known_compositions import elements_of_maps, known_fractions
from .method import check_specimen_arguments
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
        held out, to calibrate error bars and to judge the model.
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
        need = _prepared(s, elements, by_stoichiometry, specimen).need
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


@dataclass(frozen=True, eq=False)
class _Prepared:
    """What a signal needs, and what of it is not used."""

    need: NetworkNeed
    excluded_pixels: np.ndarray
    excluded_channels: np.ndarray


def _prepared(
    s: Any, elements: Any, by_stoichiometry: str | None, specimen: dict[str, Any]
) -> _Prepared:
    if technique_of(s) == "EELS":
        return _prepared_core_losses(s, elements, by_stoichiometry, specimen)
    if specimen["low_loss"] is not None:
        raise ValueError("`low_loss` is for EELS; leave it out for an EDS signal.")
    read = read_specimen(
        s,
        network_channels,
        elements=elements,
        by_stoichiometry=by_stoichiometry,
        by_difference=None,
        standards=None,
        electrons=None,
        solid_angle_sr=None,
        navigation_mask=None,
        **{name: value for name, value in specimen.items() if name != "low_loss"},
    )
    task = read.task
    return _Prepared(xray_need(read), task.excluded_pixels, task.excluded_channels)


def _prepared_core_losses(
    s: Any, elements: Any, by_stoichiometry: str | None, specimen: dict[str, Any]
) -> _Prepared:
    check_specimen_arguments(specimen, "EELS")
    if by_stoichiometry not in (None, "auto") or specimen["valences"] is not None:
        raise ValueError(
            "`by_stoichiometry` and `valences` cannot be used here: all elements of "
            "core losses are measured by their edges. Leave them out."
        )
    read = read_core_losses(
        s, elements, specimen["low_loss"], signal_mask=specimen["signal_mask"]
    )
    image = read.image
    return _Prepared(eels_need(read), image.excluded_pixels, image.excluded_channels)


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
    prepared = [_prepared(s, symbols, rule, specimen) for s, _ in pairs]
    needs = [image.need for image in prepared]
    if start is None:
        start = _untrained(needs[0], default_plan(random_state).random_state)
    _check_alike(needs, start)
    images = [
        _known_image(pair, image, start, composition_units, index)
        for index, (pair, image) in enumerate(zip(pairs, prepared, strict=True))
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
    prepared: _Prepared,
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
    excluded = unknown | prepared.excluded_pixels
    counts = counts_from_array(
        signal_array(s),
        excluded_pixels=excluded,
        excluded_channels=prepared.excluded_channels,
    )
    if counts.n_pixels < FEWEST_KNOWN_PIXELS:
        raise ValueError(
            f"`pairs[{index}]` has {counts.n_pixels} pixels of known composition; "
            f"{FEWEST_KNOWN_PIXELS} or more are needed to train and to judge."
        )
    channels = np.flatnonzero(~prepared.excluded_channels)
    used = start.conditions.bins.bin_of_channel[channels]
    return KnownImage(counts, used, fractions[~excluded])


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
