# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra with an element that nobody named: are they told from known mixtures?"""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import numpy as np
from alloy_scene import expected_spectra, instrument, measured, with_foreign_element

COUNTS = 1000.0
FOREIGN = (
    *("O", "Mg", "Si", "S", "Ca", "Cr", "Mn", "Co", "Ni", "Cu", "Zn"),
    *("Zr", "Nb", "Mo", "Ag", "Sn", "Ta", "W", "Au"),
)
LIMIT_OF_GOODNESS = 3.0  # standard deviations; what a reader would look at


def foreign(options: Namespace) -> None:
    """Print the area under the curve for each element, and false alarms."""
    share = tuple(options.foreign_share)
    elements = options.foreign.split(",") if options.foreign else FOREIGN
    methods = {n: f for n, f in SUSPICIONS.items() if n not in options.without}
    print(
        f"{COUNTS:g} counts; {options.known} known mixtures beside {options.unknown} "
        f"with {100 * share[0]:g} to {100 * share[1]:g} at.% of the element\n"
    )
    heads = [f"{n} {what}" for n in methods for what in ("AUC", "found", "false, %")]
    print(f"| element | {' | '.join(heads)} |\n{'| --- ' * (len(heads) + 1)}|")
    pooled: dict[str, list] = {name: [] for name in methods}
    for seed, element in enumerate(elements, start=options.seed):
        scene, unknown = with_foreign_element(
            element, options.known, options.unknown, share, seed
        )
        expected = expected_spectra(scene, instrument(options.detector))
        s = measured(expected, COUNTS, scene.continuum_share.shape, seed)
        cells = []
        for name, method in methods.items():
            told = (unknown, *method(s, options.detector))
            pooled[name].append(told)
            cells.append(_cells(*told))
        print(f"| {element} | {' | '.join(cells)} |", flush=True)
    columns = [zip(*told, strict=True) for told in pooled.values()]
    together = [_cells(*map(np.concatenate, parts)) for parts in columns]
    print(f"| all | {' | '.join(together)} |")


def _of_network(s: Any, detector: str) -> tuple[np.ndarray, np.ndarray]:
    """How strange each spectrum is, and whether it is flagged."""
    result = s.ml_quantify(
        method="network", detector=detector, random_state=0, show_progressbar=False
    )
    return -result.unexplained.data.ravel(), result.flagged.data.ravel().astype(bool)


def _of_likelihood(s: Any, detector: str) -> tuple[np.ndarray, np.ndarray]:
    result = s.ml_quantify(
        method="likelihood", detector=detector, show_progressbar=False
    )
    goodness = result.goodness_of_fit.data.ravel()
    return goodness, goodness > LIMIT_OF_GOODNESS


SUSPICIONS = {"network": _of_network, "likelihood": _of_likelihood}


def _cells(unknown: np.ndarray, suspicion: np.ndarray, flagged: np.ndarray) -> str:
    from sklearn.metrics import roc_auc_score

    area = roc_auc_score(unknown, np.nan_to_num(suspicion, nan=0.0))
    found, false = flagged[unknown].mean(), flagged[~unknown].mean()
    return f"{area:.3f} | {100 * found:.0f} % | {100 * false:.1f}"
