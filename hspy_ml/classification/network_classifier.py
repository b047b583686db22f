# SPDX-License-Identifier: GPL-3.0-or-later
"""The network that tells phases apart, and the test of whether it is one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..counts.channel_sums import dense_blocks
from ..networks.model_card import ModelCard
from ..networks.model_file import StoredModel
from .classified import Classified
from .network_blocks import check_channels, each_block
from .network_files import (
    TASK,
    checked_names,
    labels_on_card,
    prefixed,
    without_prefix,
)
from .network_oddness import FALSE_ALARMS, OddnessTest

if TYPE_CHECKING:
    from ..counts import Counts
    from ..networks.phase_network import PhaseNetwork

__all__ = ["ARCHITECTURE", "NetworkClassifier"]

ARCHITECTURE = "PhaseNetwork"
THRESHOLD = -np.log10(FALSE_ALARMS)
_BINS = "channel_bins"
_PREFIX = "network."


@dataclass(frozen=True, eq=False)
class NetworkClassifier:
    """A trained and calibrated network for certain phases.

    Parameters
    ----------
    names : tuple of str
        The phases; the first has the label 1.
    network : PhaseNetwork
    test : OddnessTest
        Of whether a spectrum is of a phase at all.
    group : ndarray of int, shape (n_channels,)
        Bin of each channel, increasing from 0.
    training : dict
        How it was trained, plain values.
    scores : dict
        How good it was on spectra that it had not seen.
    """

    names: tuple[str, ...]
    network: PhaseNetwork
    test: OddnessTest
    group: np.ndarray
    training: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)

    @property
    def n_channels(self) -> int:
        """Channels of the spectra that it takes."""
        return self.group.size

    @property
    def n_bins(self) -> int:
        """Bins that the network sees."""
        return int(self.group[-1]) + 1

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
            n_spectra by n_channels.
        num_workers : int, optional
            Threads; all cores by default.
        progress : callable, optional
            Called with the number of spectra just done.

        Returns
        -------
        Classified
            Its oddness is minus the decimal logarithm of the probability that a
            spectrum of the phase looks odder by chance.

        Raises
        ------
        ValueError
            If the spectra have another number of channels.
        """
        check_channels(counts, self.n_channels)
        blocks = dense_blocks(counts, self.group, self.n_bins)
        found = each_block(self._judged, blocks, num_workers, progress)
        if not found:
            nothing = np.zeros(0, np.float32)
            empty = np.zeros((0, len(self.names)), np.float32)
            return Classified(self.names, empty, nothing, nothing)
        probabilities, oddness = map(np.concatenate, zip(*found, strict=True))
        threshold = np.full(oddness.shape, THRESHOLD, np.float32)
        return Classified(self.names, probabilities, oddness, threshold)

    def _judged(self, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        import torch

        with torch.inference_mode():
            probabilities = self.network.probabilities(torch.from_numpy(block)).numpy()
        return probabilities, self.test.oddness(block, probabilities.argmax(axis=1))

    @property
    def card(self) -> ModelCard:
        """What it is for, how it was trained and how good it is."""
        conditions = labels_on_card(self.names)
        return ModelCard(
            TASK,
            ARCHITECTURE,
            self.network.hyperparameters,
            conditions,
            self.training,
            self.scores,
        )

    def to_stored(self) -> StoredModel:
        """Card and weights as they are in a file."""
        from ..networks.weights import network_weights

        weights = prefixed(network_weights(self.network), _PREFIX)
        weights |= self.test.to_weights()
        weights[_BINS] = self.group.astype(np.int32)
        return StoredModel(self.card, weights)

    @classmethod
    def from_stored(cls, stored: StoredModel) -> NetworkClassifier:
        """The classifier of a file's card and weights.

        Parameters
        ----------
        stored : StoredModel

        Returns
        -------
        NetworkClassifier

        Raises
        ------
        ValueError
            If card and weights do not make such a classifier.
        """
        from ..networks.phase_network import PhaseNetwork
        from ..networks.weights import network_on_card

        names = checked_names(stored, ARCHITECTURE)
        sizes = dict(stored.card.hyperparameters)
        weights = without_prefix(stored.weights, _PREFIX)
        network = network_on_card(PhaseNetwork, sizes, weights)
        test = OddnessTest.from_weights(stored.weights)
        group = _checked_bins(stored.weights.get(_BINS))
        wanted = (len(names), int(group[-1]) + 1)
        if wanted != (sizes["n_phases"], sizes["n_bins"]):
            raise ValueError("its phases or bins are not those of its network")
        if wanted != (test.n_phases, test.n_bins):
            raise ValueError("its test is for other phases or bins than its network")
        card = stored.card
        return cls(names, network, test, group, card.training, card.scores)

    def __repr__(self) -> str:
        return f"NetworkClassifier of {', '.join(self.names)}"


def _checked_bins(group: np.ndarray | None) -> np.ndarray:
    if group is None or group.ndim != 1 or not group.size or group.dtype.kind != "i":
        raise ValueError(f"the file lacks {_BINS}")
    if group[0] != 0 or not np.isin(np.diff(group), (0, 1)).all():
        raise ValueError(f"{_BINS} does not number bins of channels")
    return group
