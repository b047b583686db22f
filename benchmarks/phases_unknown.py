# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra of no phase that is known: how many are found, and what is possible."""

from __future__ import annotations

from argparse import Namespace
from functools import cache

import numpy as np
from phase_spectra import DARK_PER_S, DWELLS_s, PhaseScene, measured
from phases_accuracy import FIRST_TEST_SEED, _print_head, _scenes, _training
from phases_methods import fitted_classifier

from hspy_ml.classification.classified import Classified
from hspy_ml.classification.likelihood_classifier import LikelihoodClassifier
from hspy_ml.classification.scores import roc_area
from hspy_ml.counts.building import counts_from_array

TEST_SPOTS = 60  # of a phase and of an unknown kind
REPEATS = 4  # of a spot
#: The phase that a foreign material is most easily taken for.
NEAREST = {
    "Bi": "Pb",
    "Sn-3.5Ag": "Sn",
    "Ag3Sn": "Sn",
    "CeO2": "La2O3",
    "Er2O3": "Dy2O3",
    "Al2O3": "SiO2",
}


def unknown(options: Namespace) -> None:
    """Print what is found at the threshold, areas under the curve, false alarms.

    The last column of a foreign material is the area for the likelihood ratio of its
    own spectrum to that of the nearest phase, which no test exceeds by much (Neyman
    and Pearson).
    """
    for scene in _scenes(options):
        others = "without" if options.no_elements else "with"
        print(f"\n{scene.title}, {others} spectra of other elements")
        _print_head("dwell", ["kind", "found", "AUC", "AUC to the nearest", "bound"])
        for dwell in DWELLS_s:
            rows = [_one_seed(scene, dwell, s, options) for s in range(options.seeds)]
            for kind in rows[0]:
                values = np.array([row[kind] for row in rows])
                middle = np.median(values, axis=0)
                if kind == "false alarms":
                    middle = values.mean(axis=0)
                cells = ["" if np.isnan(v) else f"{v:.4f}" for v in middle]
                print(f"| {dwell:g} s | {kind} | {' | '.join(cells)} |", flush=True)


def _one_seed(
    scene: PhaseScene, dwell: float, seed: int, options: Namespace
) -> dict[str, tuple[float, ...]]:
    classifier = _classifier(scene, seed, options)
    rng = np.random.default_rng([seed, 9])
    expected, truth = _known_spots(scene, seed)
    x = measured(expected, dwell, rng)
    known = _classified(classifier, x)
    alarms = np.mean(~known.is_known)
    found = {"false alarms": (alarms, np.nan, np.nan, np.nan)}
    for kind in scene.unknown_kinds:
        y = measured(_unknown_spots(scene, kind, seed), dwell, rng)
        odd = _classified(classifier, y)
        areas = (roc_area(known.oddness, odd.oddness), np.nan, np.nan)
        if kind in NEAREST:
            near = truth == scene.names.index(NEAREST[kind]) + 1
            to_nearest = roc_area(known.oddness[near], odd.oddness)
            areas = (areas[0], to_nearest, _bound(scene, kind, x[near], y))
        found[kind] = (np.mean(~odd.is_known), *areas)
    return found


@cache
def _known_spots(scene: PhaseScene, seed: int) -> tuple[np.ndarray, np.ndarray]:
    expected, truth = scene.spots(TEST_SPOTS, FIRST_TEST_SEED + seed)
    return np.repeat(expected, REPEATS, axis=0), np.repeat(truth, REPEATS)


@cache
def _unknown_spots(scene: PhaseScene, kind: str, seed: int) -> np.ndarray:
    spots = scene.unknown_spots(kind, TEST_SPOTS, FIRST_TEST_SEED + seed)
    return np.repeat(spots, REPEATS, axis=0)


_FITTED: dict[tuple, LikelihoodClassifier] = {}


def _classifier(
    scene: PhaseScene, seed: int, options: Namespace
) -> LikelihoodClassifier:
    key = (scene.title, seed)
    if key not in _FITTED:
        training = _training(scene, options.spots, seed)
        _FITTED[key] = fitted_classifier(
            scene, *training, seed, other_elements=not options.no_elements
        )
    return _FITTED[key]


def _classified(classifier: LikelihoodClassifier, x: np.ndarray) -> Classified:
    return classifier.classify(counts_from_array(x), num_workers=1)


def _bound(scene: PhaseScene, kind: str, x: np.ndarray, y: np.ndarray) -> float:
    """Area for a test that knows the unknown spectrum and the nearest phase's."""
    f, q = (scene.ideal(name) + DARK_PER_S for name in (kind, NEAREST[kind]))
    weights = np.log(f / f.sum()) - np.log(q / q.sum())
    return roc_area(x @ weights, y @ weights)
