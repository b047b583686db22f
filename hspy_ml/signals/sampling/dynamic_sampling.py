# SPDX-License-Identifier: GPL-3.0-or-later
"""`dynamic_sampling` on a signal: classify, replay the acquisition, judge it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from ...classification.classified import Classified
from ..classification.classify import ReadSpectra, classified, read_spectra
from ..data import map_shape
from ..frame import SignalFrame
from ..options import check_amount, check_choice
from ..plain import plain_values
from ..progress import progress_bar
from .replay import Plan, Replay, replay
from .result import SamplingArrays, SamplingResult

if TYPE_CHECKING:
    from ...counts import Counts

UNKNOWN = ("missing", "likeliest")
NO_SPECTRUM = -1


def dynamic_sampling(
    s: Any,
    model: Any = None,
    *,
    references: Any = None,
    labels: Any = None,
    names: Sequence[str] | None = None,
    method: str = "auto",
    detector: Any = "auto",
    fraction: float = 0.2,
    target_distortion: float | None = None,
    dwell_share: float = 1.0,
    unknown: str = "missing",
    batch_size: int = 1,
    navigation_mask: Any = None,
    signal_mask: Any = None,
    random_state: int | None = None,
    show_progressbar: bool | None = None,
    num_workers: int | None = None,
) -> SamplingResult:
    """See :func:`hspy_ml.signals.phase_methods.dynamic_sampling`, which users call."""
    check_choice("unknown", unknown, UNKNOWN)
    _check_share("fraction", fraction)
    _check_share("dwell_share", dwell_share)
    if target_distortion is not None:
        _check_share("target_distortion", target_distortion)
    for name, value in {"batch_size": batch_size, "num_workers": num_workers}.items():
        if value is not None:
            check_amount(name, value)
    shape = _plane(s)
    read = read_spectra(
        s,
        model,
        references=references,
        labels=labels,
        names=names,
        method=method,
        detector=detector,
        navigation_mask=navigation_mask,
        signal_mask=signal_mask,
        random_state=random_state,
        show_progressbar=show_progressbar,
    )
    seed = random_state or 0
    whole = classified(read, show_progressbar, num_workers)
    measured, counts = _as_measured(read, whole, dwell_share, seed, num_workers)
    kept = np.flatnonzero(~read.excluded)

    def on_the_map(values: np.ndarray, elsewhere: int) -> np.ndarray:
        spread = np.full(read.excluded.size, elsewhere, values.dtype)
        spread[kept] = values
        return spread.reshape(shape)

    plan = Plan(
        n_phases=len(whole.names),
        most=max(2, round(float(fraction) * kept.size)),
        batch_size=batch_size,
        target=target_distortion,
        random_state=seed,
    )
    found_labels = _labels(measured, unknown)
    full = _labels(whole, unknown)
    with progress_bar(
        show_progressbar, "dynamic_sampling", "pixels", plan.most
    ) as progress:
        found = replay(
            on_the_map(found_labels, 0),
            on_the_map(full, NO_SPECTRUM),
            read.excluded.reshape(shape),
            plan,
            progress,
        )
    of_pixels = on_the_map(read.counts.pixel_totals, 0)
    taken = on_the_map(counts.pixel_totals, 0)[tuple(found.positions.T)]
    settings = {
        "fraction": fraction,
        "target_distortion": target_distortion,
        "dwell_share": dwell_share,
        "unknown": unknown,
        "batch_size": batch_size,
        "random_state": seed,
        "architecture": read.model.architecture,
    }
    return SamplingResult(
        SignalFrame.from_signal(s),
        whole.names,
        _arrays(found, on_the_map(full, NO_SPECTRUM), of_pixels, taken),
        plain_values(settings),
        (*read.model.notes, *found.notes),
    )


def _plane(s: Any) -> tuple[int, int]:
    """The shape of the map as rows and columns; a line is one row."""
    sizes = map_shape(s)
    if len(sizes) > 2:
        raise ValueError(
            f"`s` has {len(sizes)} navigation axes; a map has two, x and y. Take one "
            "of its planes, such as `s.inav[..., 0]`."
        )
    if int(np.prod(sizes)) < 4:
        raise ValueError(
            f"`s` has {int(np.prod(sizes))} pixel(s), too few to leave any out."
        )
    return sizes if len(sizes) == 2 else (1, *sizes)


def _as_measured(
    read: ReadSpectra,
    whole: Classified,
    dwell_share: float,
    seed: int,
    num_workers: int | None,
) -> tuple[Classified, Counts]:
    """Phases and counts as they come at the dwell of the sparse acquisition."""
    if dwell_share == 1:
        return whole, read.counts
    from ...counts.thinning import thin

    kept, _ = thin(read.counts, float(dwell_share), seed)
    return classified(replace(read, counts=kept), False, num_workers), kept


def _labels(found: Classified, unknown: str) -> np.ndarray:
    if unknown == "missing":
        return found.labels
    return np.where(np.isfinite(found.oddness), found.best, 0).astype(np.int16)


def _arrays(
    found: Replay, full: np.ndarray, counts: np.ndarray, taken: np.ndarray
) -> SamplingArrays:
    return SamplingArrays(
        positions=found.positions,
        measured_labels=found.labels,
        reconstruction=found.reconstruction,
        wrong_probability=found.wrong_probability,
        full_labels=full,
        counts=counts,
        measured_counts=taken,
        history_measured=found.history_measured,
        history_distortion=found.history_distortion,
        history_estimate=found.history_estimate,
    )


def _check_share(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"`{name}` is {value!r}; give a number.")
    if not 0 < value <= 1:
        raise ValueError(f"`{name}` is {value}; give a share above 0 and up to 1.")
