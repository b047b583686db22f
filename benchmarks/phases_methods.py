# SPDX-License-Identifier: GPL-3.0-or-later
"""Classifiers side by side: ours, and what one would write in ten lines.

A method is a function that learns from counts of 10 s and gives another that tells the
probabilities of spectra. Those of scikit-learn see the square root of the spectrum over
its counts, of copies of the training spectra thinned to all dwell times: without those
they err more. One more entry of `METHODS` is one more row of all tables.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from phase_spectra import DWELLS_s, PhaseScene, acquisition

from hspy_ml.classification.likelihood_classifier import LikelihoodClassifier
from hspy_ml.counts.building import counts_from_array
from hspy_ml.physics.foreign_elements import foreign_element_spectra

COPIES = 10  # of a training spectrum at each dwell time
SHARPNESS = 50.0  # of the cosine to templates, read as a probability

Predictor = Callable[[np.ndarray], np.ndarray]
Method = Callable[[PhaseScene, np.ndarray, np.ndarray, int], Predictor]


def fitted_classifier(
    scene: PhaseScene,
    spectra: np.ndarray,
    labels: np.ndarray,
    seed: int,
    other_elements: bool = True,
) -> LikelihoodClassifier:
    """Our likelihood, told which elements the phases are made of or not."""
    known = sorted({e for atoms in scene.phases.values() for e in atoms})
    alternatives = (
        foreign_element_spectra(acquisition(), known) if other_elements else None
    )
    return LikelihoodClassifier.from_spectra(
        counts_from_array(spectra),
        labels,
        scene.names,
        alternatives=alternatives,
        random_state=seed,
    )


def _likelihood(
    scene: PhaseScene, spectra: np.ndarray, labels: np.ndarray, seed: int
) -> Predictor:
    classifier = fitted_classifier(scene, spectra, labels, seed, other_elements=False)

    def predict(x: np.ndarray) -> np.ndarray:
        return classifier.classify(counts_from_array(x), num_workers=1).probabilities

    return predict


def _plain_likelihood(
    scene: PhaseScene, spectra: np.ndarray, labels: np.ndarray, seed: int
) -> Predictor:
    """The bar: means smoothed by two channels, a floor, and nothing else."""
    from scipy.ndimage import gaussian_filter1d
    from scipy.special import softmax

    means = np.array([spectra[labels == k].mean(axis=0) for k in np.unique(labels)])
    templates = gaussian_filter1d(means, 2.0, axis=1) + 0.01
    logs = np.log(templates / templates.sum(axis=1, keepdims=True))
    return lambda x: softmax(x @ logs.T, axis=1)


def _cosine(
    scene: PhaseScene, spectra: np.ndarray, labels: np.ndarray, seed: int
) -> Predictor:
    means = np.array([spectra[labels == k].mean(axis=0) for k in np.unique(labels)])
    templates = _square_roots(means)

    def predict(x: np.ndarray) -> np.ndarray:
        odds = np.exp(SHARPNESS * _square_roots(x) @ templates.T)
        return odds / odds.sum(axis=1, keepdims=True)

    return predict


def _logistic(
    scene: PhaseScene, spectra: np.ndarray, labels: np.ndarray, seed: int
) -> Predictor:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=10.0, max_iter=300)
    return _of_scikit_learn(model.predict_proba, model, spectra, labels, seed)


def _support_vectors(
    scene: PhaseScene, spectra: np.ndarray, labels: np.ndarray, seed: int
) -> Predictor:
    from sklearn.svm import LinearSVC

    model = LinearSVC(C=1.0, random_state=seed)

    def odds(x: np.ndarray) -> np.ndarray:
        margin = model.decision_function(x)
        margin = margin if margin.ndim == 2 else np.column_stack([-margin, margin])
        parts = np.exp(margin - margin.max(axis=1, keepdims=True))
        return parts / parts.sum(axis=1, keepdims=True)

    return _of_scikit_learn(odds, model, spectra, labels, seed)


def _forest(
    scene: PhaseScene, spectra: np.ndarray, labels: np.ndarray, seed: int
) -> Predictor:
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(200, random_state=seed)
    return _of_scikit_learn(model.predict_proba, model, spectra, labels, seed)


def _of_scikit_learn(
    odds: Predictor, model: object, spectra: np.ndarray, labels: np.ndarray, seed: int
) -> Predictor:
    rng = np.random.default_rng([seed, 4])
    thinned = [
        rng.binomial(spectra, dwell / DWELLS_s[0])
        for dwell in DWELLS_s
        for _ in range(COPIES)
    ]
    model.fit(_square_roots(np.vstack(thinned)), np.tile(labels, len(thinned)))
    return lambda x: odds(_square_roots(x))


def _square_roots(x: np.ndarray) -> np.ndarray:
    """Square roots of the shares of the counts: vectors of length one."""
    return np.sqrt(x / np.maximum(x.sum(axis=1, keepdims=True), 1))


METHODS: dict[str, Method] = {
    "likelihood": _likelihood,
    "likelihood to plain means": _plain_likelihood,
    "cosine to templates": _cosine,
    "logistic regression": _logistic,
    "linear SVM": _support_vectors,
    "random forest": _forest,
}
