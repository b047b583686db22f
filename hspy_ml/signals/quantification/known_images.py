# SPDX-License-Identifier: GPL-3.0-or-later
"""Training on images whose compositions a user knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .known_compositions import elements_of_maps, known_fractions
from .network_plan import N_STEPS, NetworkNeed, default_plan, steps_bar
from .network_reading import PreparedSignal, prepared, training_plan

if TYPE_CHECKING:
    from ...quantification.pair_stream import KnownImage
    from ...quantification.quantifier_model import QuantifierModel

HELD_OUT = 0.2
FEWEST_KNOWN_PIXELS = 20
FINE_TUNING_RATE = 1e-3
FINE_TUNING_STEPS = 800


def train_on_pairs(
    pairs: list[tuple[Any, Any]],
    start: QuantifierModel | None,
    elements: Any,
    composition_units: str,
    specimen: dict[str, Any],
    n_steps: int | None,
    random_state: int | None,
    show_progressbar: bool | None,
) -> QuantifierModel:
    """Train a model on images whose compositions are known.

    Parameters
    ----------
    pairs : list of (signal, maps)
    start : QuantifierModel or None
        Where to start; None for an untrained network.
    elements, composition_units, n_steps, random_state, show_progressbar
        As for :func:`hspy_ml.train_quantifier`.
    specimen : dict
        What describes specimen and instrument.

    Returns
    -------
    QuantifierModel

    Raises
    ------
    ValueError, TypeError
        If pairs, maps or model do not fit each other.
    """
    from ...quantification.network_training import trained_on
    from ...quantification.pair_stream import PairStream, split

    _check_pairs(pairs)
    symbols = tuple(elements or elements_of_maps(pairs[0][1], 0))
    rule = start.conditions.rule.get("element") if start else None
    read = [prepared(s, symbols, rule, specimen) for s, _ in pairs]
    needs = [signal.need for signal in read]
    if start is None:
        start = _untrained(needs[0], default_plan(random_state).random_state)
    _check_alike(needs, start)
    images = [
        _known_image(pair, image, start, composition_units, index)
        for index, (pair, image) in enumerate(zip(pairs, read, strict=True))
    ]
    is_new = not start.training
    rate = default_plan(random_state).learning_rate if is_new else FINE_TUNING_RATE
    steps = n_steps or (N_STEPS if is_new else FINE_TUNING_STEPS)
    plan = training_plan(steps, random_state, rate)
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
    signal: PreparedSignal,
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
    excluded = unknown | signal.excluded_pixels
    counts = counts_from_array(
        signal_array(s),
        excluded_pixels=excluded,
        excluded_channels=signal.excluded_channels,
    )
    if counts.n_pixels < FEWEST_KNOWN_PIXELS:
        raise ValueError(
            f"`pairs[{index}]` has {counts.n_pixels} pixels of known composition; "
            f"{FEWEST_KNOWN_PIXELS} or more are needed to train and to judge."
        )
    channels = np.flatnonzero(~signal.excluded_channels)
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
