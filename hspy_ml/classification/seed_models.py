# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed's classifier: its detector of ill spectra and its CNN, as published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..counts import Counts
from ..counts.channel_sums import dense_blocks
from ..networks.model_card import ModelCard
from ..networks.model_file import StoredModel
from ..networks.plan import TrainingPlan
from .classified import Classified
from .network_blocks import check_channels, each_block
from .network_files import (
    TASK,
    checked_names,
    labels_on_card,
    prefixed,
    without_prefix,
)
from .seed_stream import SeedStream

if TYPE_CHECKING:
    from ..networks.seed_classifier import SeedCNN
    from ..networks.seed_detector import SeedDetector

__all__ = ["ARCHITECTURE", "SeedClassifier", "train_seed_classifier"]

ARCHITECTURE = "SeedNetworks"
_DETECTOR, _CNN = "detector.", "cnn."


@dataclass(frozen=True, eq=False)
class SeedClassifier:
    """Two stages: a detector of ill spectra, and a CNN for the others.

    Parameters
    ----------
    names : tuple of str
        The phases; the first has the label 1.
    detector : SeedDetector
    cnn : SeedCNN
    training : dict
        How they were trained, plain values.
    scores : dict
        How good they were on spectra that they had not seen.
    """

    names: tuple[str, ...]
    detector: SeedDetector
    cnn: SeedCNN
    training: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)

    @property
    def n_channels(self) -> int:
        """Channels of the spectra that it takes."""
        return self.cnn.hyperparameters["n_channels"]

    def classify(
        self,
        counts: Counts,
        *,
        num_workers: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Classified:
        """Classify spectra.

        Parameters
        ----------
        counts : SparseCounts or DenseCounts
            n_spectra by n_channels, of the dwell time of the training: the networks
            see counts as they are.
        num_workers : int, optional
            Threads; all cores by default.
        progress : callable, optional
            Called with the number of spectra just done.

        Returns
        -------
        Classified
            Its oddness is the variance of the detector's residual, its threshold 100.

        Raises
        ------
        ValueError
            If the spectra have another number of channels.
        """
        from ..networks.seed_detector import THRESHOLD

        check_channels(counts, self.n_channels)
        blocks = dense_blocks(counts, np.arange(self.n_channels), self.n_channels)
        found = each_block(self._judged, blocks, num_workers, progress)
        if not found:
            found = [(np.zeros((0, len(self.names)), np.float32), np.zeros(0))]
        probabilities, oddness = map(np.concatenate, zip(*found, strict=True))
        threshold = np.full(oddness.shape, THRESHOLD, np.float32)
        return Classified(self.names, probabilities, oddness, threshold)

    def _judged(self, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        import torch

        with torch.inference_mode():
            spectra = torch.from_numpy(block)
            probabilities = torch.softmax(self.cnn(spectra), dim=1).numpy()
            variance = self.detector.residual_variance(spectra).numpy()
        return probabilities, np.where(block.any(axis=1), variance, np.nan)

    @property
    def card(self) -> ModelCard:
        """What it is for, how it was trained and how good it is."""
        return ModelCard(
            TASK,
            ARCHITECTURE,
            self.cnn.hyperparameters,
            labels_on_card(self.names),
            self.training,
            self.scores,
        )

    def to_stored(self) -> StoredModel:
        """Card and weights as they are in a file."""
        from ..networks.weights import network_weights

        weights = prefixed(network_weights(self.detector), _DETECTOR)
        weights |= prefixed(network_weights(self.cnn), _CNN)
        return StoredModel(self.card, weights)

    @classmethod
    def from_stored(cls, stored: StoredModel) -> SeedClassifier:
        """The classifier of a file's card and weights.

        Parameters
        ----------
        stored : StoredModel

        Returns
        -------
        SeedClassifier

        Raises
        ------
        ValueError
            If card and weights do not make such a classifier.
        """
        from ..networks.seed_classifier import SeedCNN
        from ..networks.seed_detector import SeedDetector
        from ..networks.weights import network_on_card

        names = checked_names(stored, ARCHITECTURE)
        card, weights = stored.card, stored.weights
        sizes = dict(card.hyperparameters)
        cnn = network_on_card(SeedCNN, sizes, without_prefix(weights, _CNN))
        if sizes["n_phases"] != len(names):
            raise ValueError("its network is for another number of phases")
        sizes = {"n_channels": sizes["n_channels"]}
        own = without_prefix(weights, _DETECTOR)
        detector = network_on_card(SeedDetector, sizes, own)
        return cls(names, detector, cnn, card.training, card.scores)

    def __repr__(self) -> str:
        return f"SeedClassifier of {', '.join(self.names)}"


def train_seed_classifier(
    counts: Counts,
    labels: np.ndarray,
    names: Sequence[str],
    *,
    plan: TrainingPlan | None = None,
    random_state: int = 0,
    progress: Callable[[int], None] | None = None,
) -> SeedClassifier:
    """Train the two networks as their authors did.

    Twelve acquisitions of each phase were theirs, at the dwell time of the
    measurement, with Poisson noise of two counts added to each channel.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        n_spectra by n_channels.
    labels : ndarray of int, shape (n_spectra,)
        From 1 in the order of `names`; 0 for spectra that are not used.
    names : sequence of str
    plan : TrainingPlan, optional
        For each of the networks.
    random_state : int, default 0
        Makes the training repeat exactly, unless a plan says so.
    progress : callable, optional
        Is given the number of steps done, of both networks together.

    Returns
    -------
    SeedClassifier
        Also if the training was interrupted (KeyboardInterrupt); its `training` says
        so.

    Raises
    ------
    ValueError
        If a phase has no spectra.

    References
    ----------
    Y. Zhang et al., "Reduced electron exposure for energy-dispersive spectroscopy
    using dynamic sampling", Ultramicroscopy 184 (2018) 90.
    """
    from ..networks.seed_classifier import SeedCNN, phase_loss
    from ..networks.seed_detector import SeedDetector, line_loss
    from ..networks.threads import torch_threads, training_threads
    from ..networks.training import train

    stream = SeedStream.of(counts, labels, names)
    plan = plan or TrainingPlan(
        n_steps=300,
        batch_size=12 * len(stream.names),
        learning_rate=1e-3,
        validate_every=25,
        n_validation=12 * len(stream.names),
        random_state=random_state,
    )
    sizes = counts.n_channels, len(stream.names)
    cnn = _seeded(lambda: SeedCNN(*sizes), plan.random_state)
    detector = _seeded(lambda: SeedDetector(sizes[0]), plan.random_state)
    with torch_threads(training_threads()):
        first = train(detector, stream, line_loss, plan, progress=progress)
        later = None if progress is None else _Later(progress, first.n_steps_done)
        second = train(cnn, stream, phase_loss, plan, progress=later)
    training = {
        "spectra": int(stream.counts.shape[0]),
        "steps": [first.n_steps_done, second.n_steps_done],
        "seconds": round(first.seconds + second.seconds, 1),
        "random_state": plan.random_state,
        "interrupted": first.interrupted or second.interrupted,
    }
    return SeedClassifier(stream.names, detector, cnn, training)


class _Later:
    """Steps of a second training, counted on from the first."""

    def __init__(self, progress: Callable[[int], None], done: int) -> None:
        self._progress, self._done = progress, done

    def __call__(self, n_steps: int) -> None:
        self._progress(self._done + n_steps)


def _seeded(make: Callable[[], Any], seed: int) -> Any:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()
