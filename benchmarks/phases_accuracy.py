# SPDX-License-Identifier: GPL-3.0-or-later
"""How often classifiers err, how well they know it, and how fast they are."""

from __future__ import annotations

from argparse import Namespace
from time import perf_counter

import numpy as np
from phase_spectra import MISMATCHED, NOMINAL, SCENES, DWELLS_s, measured
from phases_methods import METHODS, fitted_classifier

from hspy_ml.classification.scores import expected_calibration_error
from hspy_ml.counts.building import counts_from_array
from hspy_ml.counts.selection import select_pixels

TEST_SPOTS = 12
FIRST_TEST_SEED = 1000


def accuracy(options: Namespace) -> None:
    """Print the misclassified share of each method, and its calibration."""
    conditions = {"nominal": NOMINAL, **MISMATCHED}[options.conditions]
    methods = _chosen(options)
    for scene in _scenes(options):
        print(f"\n{scene.title}, {options.conditions}; misclassified, then ECE")
        _print_head("method", [f"{dwell:g} s" for dwell in DWELLS_s] * 2)
        for name, method in methods.items():
            errors, gaps = [], []
            for seed in range(options.seeds):
                predict = method(scene, *_training(scene, options.spots, seed), seed)
                expected, truth = scene.spots(
                    TEST_SPOTS, FIRST_TEST_SEED + seed, conditions
                )
                expected = np.repeat(expected, options.repeats, axis=0)
                truth = np.repeat(truth, options.repeats)
                rng = np.random.default_rng([seed, 5])
                told = [predict(measured(expected, d, rng)) for d in DWELLS_s]
                errors.append([np.mean(p.argmax(axis=1) + 1 != truth) for p in told])
                gaps.append([expected_calibration_error(p, truth) for p in told])
            cells = [_median_and_spread(e) for e in np.transpose(errors)]
            cells += [f"{g:.4f}" for g in np.median(gaps, axis=0)]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


def calibration(options: Namespace) -> None:
    """Print how often the likelihood is right where it is so sure, at each dwell."""
    edges = np.array([0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0 + 1e-9])
    for scene in _scenes(options):
        print(f"\n{scene.title}: probability said / found right (number)")
        _print_head("dwell", [f"to {e:.2f}" for e in edges[1:]] + ["ECE"])
        classifiers = [
            fitted_classifier(scene, *_training(scene, options.spots, seed), seed)
            for seed in range(options.seeds)
        ]
        for dwell in DWELLS_s:
            said, right, gaps = [], [], []
            for seed, classifier in enumerate(classifiers):
                expected, truth = scene.spots(TEST_SPOTS, FIRST_TEST_SEED + seed)
                truth = np.repeat(truth, options.repeats)
                x = measured(
                    np.repeat(expected, options.repeats, axis=0),
                    dwell,
                    np.random.default_rng([seed, 6]),
                )
                found = classifier.classify(counts_from_array(x), num_workers=1)
                said.append(found.confidence)
                right.append(found.best == truth)
                gaps.append(expected_calibration_error(found.probabilities, truth))
            said, right = np.concatenate(said), np.concatenate(right)
            place = np.digitize(said, edges) - 1
            cells = [_said_and_found(said, right, place == b) for b in range(8)]
            print(f"| {dwell:g} s | {' | '.join(cells)} | {np.median(gaps):.4f} |")


def speed(options: Namespace) -> None:
    """Print spectra a second of the likelihood with its test for unknown ones."""
    for scene in _scenes(options):
        print(f"\n{scene.title}: spectra per second with {options.workers} workers")
        _print_head("dwell", ["form", "phases alone", "and unknowns", "no others"])
        training = _training(scene, options.spots, 0)
        full = fitted_classifier(scene, *training, 0)
        plain = fitted_classifier(scene, *training, 0, other_elements=False)
        expected, _ = scene.spots(TEST_SPOTS, FIRST_TEST_SEED)
        for dwell in DWELLS_s:
            few = measured(
                np.repeat(expected, 20, axis=0), dwell, np.random.default_rng(7)
            )
            counts = counts_from_array(few)
            repeats = max(1, options.spectra // counts.n_pixels)
            counts = select_pixels(counts, np.tile(np.arange(len(few)), repeats))
            work = (full.probabilities, full.classify, plain.classify)
            rates = [_rate(do, counts, options.workers) for do in work]
            form = type(counts).__name__.removesuffix("Counts").lower()
            cells = " | ".join(f"{rate:,.0f}" for rate in rates)
            print(f"| {dwell:g} s | {form} | {cells} |", flush=True)


def _chosen(options: Namespace) -> dict:
    names = options.methods.split(",") if options.methods else METHODS
    return {name: METHODS[name] for name in names}


def _scenes(options: Namespace) -> list:
    return [SCENES[t] for t in (options.scene.split(",") if options.scene else SCENES)]


def _training(scene, n_spots: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    expected, labels = scene.spots(n_spots, seed)
    return measured(expected, DWELLS_s[0], np.random.default_rng([seed, 8])), labels


def _rate(work, counts, n_workers: int) -> float:
    seconds = []
    for _ in range(4):  # the first compiles
        begin = perf_counter()
        work(counts, num_workers=n_workers)
        seconds.append(perf_counter() - begin)
    return counts.n_pixels / float(np.median(seconds[1:]))


def _print_head(first: str, columns: list[str]) -> None:
    print(f"| {first} | {' | '.join(columns)} |")
    print("| --- " * (len(columns) + 1) + "|")


def _median_and_spread(values: np.ndarray) -> str:
    return f"{np.median(values):.4f} ({np.std(values):.4f})"


def _said_and_found(said: np.ndarray, right: np.ndarray, here: np.ndarray) -> str:
    if not here.any():
        return ""
    return f"{said[here].mean():.3f} / {right[here].mean():.3f} ({here.sum()})"
