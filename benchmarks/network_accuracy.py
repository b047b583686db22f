# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of at.% of the alloy scenes, at many doses and on other instruments."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from alloy_scene import (
    ELEMENTS,
    AlloyScene,
    ExpectedSpectra,
    expected_spectra,
    instrument,
    measured,
    scenes,
)
from cramer_rao import (
    bayes_mean,
    bound_all_free,
    bound_all_known,
    bound_continuum_known,
)
from peers_quantify import PEERS, Estimate, ours, windows_after_pca

from hspy_ml.physics.gmatrix import GMatrix, build_g_matrix

OWN = {"network": {"random_state": 0}, "likelihood": {}}
BOUNDS = ("bound", "bound, continuum known", "bound, all known")
PCA = "windows, PCA"
BAYES = "Bayes"
BAYES_UP_TO = 300.0  # counts; beyond, draws of the prior are too far apart
OFFSETS_eV = (-5.0, -2.5, 2.5, 5.0)
RESOLUTIONS = (0.95, 1.05)


@dataclass
class Scores:
    """Mean squares of what was wrong, and shares of intervals that cover.

    Parameters
    ----------
    squares, covered : dict of (scene, method) to float
    notes : list of str
    """

    squares: dict[tuple[str, str], float] = field(default_factory=dict)
    covered: dict[tuple[str, str], float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, scene: AlloyScene, method: str, estimate: Estimate) -> None:
        """Compare an estimate with the truth."""
        deviation = estimate.percent - scene.pixels
        self.squares[scene.name, method] = np.mean(deviation**2)
        if estimate.errors is not None:
            covered = np.mean(np.abs(deviation) <= estimate.errors)
            self.covered[scene.name, method] = covered
        if estimate.note:
            self.notes.append(f"{scene.name}: {method}, {estimate.note}")

    def rms(self, method: str, scene: str | None = None) -> float:
        """Root mean square error of one scene or of all; NaN if it was left out."""
        return np.sqrt(self._mean(self.squares, method, scene))

    def coverage(self, method: str, scene: str | None = None) -> float:
        """Share of the intervals of one standard error that hold the truth."""
        return self._mean(self.covered, method, scene)

    def _mean(self, values: dict, method: str, scene: str | None) -> float:
        chosen = [
            v for (s, m), v in values.items() if m == method and scene in (None, s)
        ]
        return float(np.mean(chosen)) if chosen else np.nan


def accuracy(options: Namespace) -> None:
    """Print errors of all methods at every dose, beside the bounds."""
    acquisition = instrument(options.detector)
    g_matrix = build_g_matrix(acquisition, ELEMENTS)
    seen = [
        (scene, expected_spectra(scene, acquisition))
        for scene in scenes(options.side, options.seed, options.l_lines)
    ]
    bounds = {scene.name: _bounds(expected, g_matrix) for scene, expected in seen}
    results = {}
    for counts in options.counts:
        scores = results[counts] = Scores()
        for scene, expected in seen:
            for name, square in bounds[scene.name].items():
                scores.squares[scene.name, name] = square / counts
            s = measured(expected, counts, scene.continuum_share.shape, options.seed)
            for name, method in _methods(options, scene).items():
                scores.add(scene, name, method(s, g_matrix))
            if scene.name == "mixtures" and counts <= BAYES_UP_TO:
                _add_bayes(scores, scene, s, options)
    n = options.side**2
    print(f"{n} spectra of each scene, {options.detector}; RMS error, at.%\n")
    print(_table(results, None))
    for scene, _ in seen:
        print(f"\n{scene.name}\n\n{_table(results, scene.name)}")
    for counts, scores in results.items():
        print(f"\n{counts:g} counts: " + "; ".join(scores.notes))


def robustness(options: Namespace) -> None:
    """Print by how much errors grow on an instrument that differs from nominal."""
    g_matrix = build_g_matrix(instrument(options.detector), ELEMENTS)
    images = scenes(options.side, options.seed, options.l_lines)
    differing = [(offset, 1.0) for offset in OFFSETS_eV]
    differing += [(0.0, r) for r in RESOLUTIONS]
    differing += [(o, r) for o in (-5.0, 5.0) for r in RESOLUTIONS]
    methods = _own(options)
    print("Growth of the RMS error, %; metadata say the nominal instrument\n")
    print(_row(["counts", "offset, eV", "resolution", *methods]))
    print(_row(["---"] * (3 + len(methods))))
    for counts in options.robust_counts:
        measure = partial(_errors_on, images, g_matrix, methods, counts, options)
        nominal = measure(0.0, 1.0)
        cells = [f"{value:.2f} at.%" for value in nominal]
        print(_row([f"{counts:g}", "0", "1", *cells]))
        for offset, resolution in differing:
            growth = 100 * (measure(offset, resolution) / nominal - 1)
            cells = [f"{value:+.1f}" for value in growth]
            print(_row([f"{counts:g}", f"{offset:+g}", f"{resolution:g}", *cells]))


def _errors_on(
    images: Sequence[AlloyScene],
    g_matrix: GMatrix,
    methods: dict[str, Callable[[Any, GMatrix], Estimate]],
    counts: float,
    options: Namespace,
    offset_eV: float,
    resolution: float,
) -> np.ndarray:
    """RMS errors of each method on all scenes."""
    other = instrument(options.detector, offset_eV, resolution)
    scores = Scores()
    for scene in images:
        expected = expected_spectra(scene, other)
        s = measured(expected, counts, scene.continuum_share.shape, options.seed)
        for name, method in methods.items():
            scores.add(scene, name, method(s, g_matrix))
    return np.array([scores.rms(name) for name in methods])


def _own(options: Namespace) -> dict[str, Callable[[Any, GMatrix], Estimate]]:
    return {
        name: partial(ours, method=name, detector=options.detector, **more)
        for name, more in OWN.items()
        if name not in options.without
    }


def _methods(
    options: Namespace, scene: AlloyScene
) -> dict[str, Callable[[Any, GMatrix], Estimate]]:
    peers = {**PEERS, PCA: partial(windows_after_pca, truth=scene.pixels)}
    chosen = {n: f for n, f in peers.items() if n not in options.without}
    return {**_own(options), **chosen}


def _bounds(expected: ExpectedSpectra, g_matrix: GMatrix) -> dict[str, float]:
    """Mean squares for one count in each spectrum."""
    errors = (
        bound_all_free(expected, g_matrix),
        bound_continuum_known(expected, g_matrix),
        bound_all_known(expected, g_matrix.elements),
    )
    return {n: np.mean(e**2) for n, e in zip(BOUNDS, errors, strict=True)}


def _add_bayes(scores: Scores, scene: AlloyScene, s: Any, options: Namespace) -> None:
    """The least error of any method, where compositions are drawn as it believes."""
    if not options.bayes_draws:
        return
    image = s.data.reshape(-1, s.data.shape[-1])
    mean, effective = bayes_mean(
        image,
        scene,
        instrument(options.detector),
        options.bayes_draws,
        options.seed + 1,
    )
    note = f"effective draws {np.median(effective):.0f} (median)"
    scores.add(scene, BAYES, Estimate(mean, note=note))


def _table(results: dict[float, Scores], scene: str | None) -> str:
    """Rows of doses, columns of methods and bounds; then ratios and coverage."""
    names = [*OWN, *PEERS, PCA, *BOUNDS] + ([BAYES] if scene == "mixtures" else [])
    pairs = [("network", n) for n in ("likelihood", BOUNDS[0], "windows")]
    pairs += [("likelihood", BOUNDS[0])]
    heads = ["counts", *names, *(f"{a} / {b}" for a, b in pairs)]
    heads += [f"{name} covers, %" for name in OWN]
    rows = [_row(heads), _row(["---"] * len(heads))]
    for counts, scores in results.items():
        cells = [f"{scores.rms(name, scene):.2f}" for name in names]
        cells += [
            f"{scores.rms(a, scene) / scores.rms(b, scene):.3f}" for a, b in pairs
        ]
        cells += [f"{100 * scores.coverage(name, scene):.1f}" for name in OWN]
        rows.append(_row([f"{counts:g}", *cells]))
    return "\n".join(rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
