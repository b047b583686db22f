# SPDX-License-Identifier: GPL-3.0-or-later
"""Certified glasses measured by NIST, thinned to few counts: network and likelihood."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass
from typing import Any

import numpy as np
from certified_glass import CERTIFIED, SPECTRA, load

from hspy_ml.physics.fractions import conversion_factors, fractions

NAMES = ("K412, 20 keV", "K412, 15 keV", "K412, 15 keV, 2011", "K411, 15 keV, 2011")
OWN = {"network": {"random_state": 0}, "likelihood": {}}


@dataclass(frozen=True, eq=False)
class Thinned:
    """Compositions of all draws.

    Parameters
    ----------
    weight, atomic, errors : ndarray, shape (n_draws, n_elements)
        Percent by weight and of the atoms, and standard errors by weight.
    """

    weight: np.ndarray
    atomic: np.ndarray
    errors: np.ndarray


def minerals(options: Namespace) -> None:
    """Print biases of both methods, their difference, scatter and coverage."""
    folder = options.data / "vendor/nist"
    if not folder.is_dir():
        print(f"no {folder}: left out")
        return
    for name in NAMES:
        glass, pattern, _ = SPECTRA[name]
        whole = load(folder, pattern.format(0), glass)
        for counts in options.glass_counts:
            s = thinned(whole, counts, options.draws, options.seed)
            found = {
                method: _quantified(s, glass, method, more)
                for method, more in OWN.items()
                if method not in options.without
            }
            print(f"\n{name}, {counts:g} counts, {options.draws} draws\n")
            print(_table(found, glass), flush=True)


def thinned(s: Any, counts: float, draws: int, seed: int) -> Any:
    """As many draws of fewer counts from a spectrum, in a row of pixels."""
    rng, every = np.random.default_rng(seed), s.data.astype(int).ravel()
    data = rng.binomial(every, counts / every.sum(), (draws, every.size))
    axes = [
        {"name": "draw", "size": draws, "navigate": True},
        s.axes_manager.signal_axes[0].get_axis_dictionary(),
    ]
    return type(s)(
        data.astype(np.uint16),
        axes=axes,
        metadata=s.metadata.as_dictionary(),
        original_metadata=s.original_metadata.as_dictionary(),
    )


def _quantified(s: Any, glass: str, method: str, more: dict[str, Any]) -> Thinned:
    result = s.ml_quantify(
        method=method, composition_units="weight", show_progressbar=False, **more
    )
    elements, told = list(CERTIFIED[glass]), result.standard_errors
    weight = np.stack([result[e].data.ravel() for e in elements], axis=1)
    return Thinned(
        weight,
        100 * fractions(weight, conversion_factors(elements, "mass", "atomic")),
        np.stack([told[e].data.ravel() for e in elements], axis=1),
    )


def _table(found: dict[str, Thinned], glass: str) -> str:
    """Percent, absolute; the last column is over all elements."""
    elements = list(CERTIFIED[glass])
    weight = np.array(list(CERTIFIED[glass].values()))
    weight = 100 * weight / weight.sum()
    atomic = 100 * fractions(weight, conversion_factors(elements, "mass", "atomic"))
    lines = [_row("", elements, "all"), "| --- " * (len(elements) + 2) + "|"]
    bias = {}
    for method, draws in found.items():
        for unit, values, truth in (
            ("wt.%", draws.weight, weight),
            ("at.%", draws.atomic, atomic),
        ):
            mean = bias[method, unit] = np.nanmean(values, axis=0) - truth
            lines.append(_numbers(f"{method}: mean error, {unit}", mean, _rms(mean)))
        scatter, told = draws.weight.std(axis=0), _rms(draws.errors, axis=0)
        lines.append(_numbers(f"{method}: scatter, wt.%", scatter, _rms(scatter)))
        lines.append(_numbers(f"{method}: told error, wt.%", told, _rms(told)))
        covered = 100 * (np.abs(draws.weight - weight) <= draws.errors).mean(axis=0)
        lines.append(_numbers(f"{method}: covers, %", covered, covered.mean()))
    if len(found) == len(OWN):
        for unit in ("wt.%", "at.%"):
            more = bias["network", unit] - bias["likelihood", unit]
            largest = np.abs(more).max()
            label = f"network - likelihood, {unit} (largest)"
            lines.append(_numbers(label, more, largest))
    return "\n".join(lines)


def _rms(values: np.ndarray, axis: int | None = None) -> np.ndarray:
    return np.sqrt(np.nanmean(np.square(values), axis=axis))


def _numbers(label: str, values: np.ndarray, last: float) -> str:
    return _row(label, [f"{v:.2f}" for v in values], f"{last:.2f}")


def _row(label: str, cells: list[str], last: str) -> str:
    return f"| {label} | {' | '.join(cells)} | {last} |"
