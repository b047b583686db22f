# SPDX-License-Identifier: GPL-3.0-or-later
"""Many specimens' losses and many responses, for training to draw from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..simulation.low_loss_kinds import KINDS
from ..simulation.low_loss_scenes import PADDING, random_scenes
from ..simulation.zero_loss_shapes import random_responses
from .exposure import MARGIN

__all__ = ["SCENE_SHARES", "SceneBank", "random_bank", "random_bank_responses"]

SCENE_SHARES = {
    "vib": 0.4,
    "plasmon": 0.18,
    "interband": 0.1,
    "lines": 0.12,
    "doublets": 0.06,
    "broad": 0.05,
    "fano": 0.05,
    "vacuum": 0.04,
}
GROUP = 50  # scenes on one axis
USUAL_AXES = 0.5  # share of the groups on the usual axis of their kind
CHANNEL_WIDTHS = 0.4, 2.2  # times the usual one
ZERO_CHANNELS = 60.0, 700.0  # channels below 0 eV

RESPONSES = (  # family, share, FWHM in channels
    ("family", 0.48, (7.0, 32.0)),
    ("family", 0.14, (2.2, 8.0)),
    ("family", 0.14, (30.0, 50.0)),
    ("shoulder", 0.12, (6.0, 34.0)),
    ("one-sided", 0.12, (6.0, 34.0)),
)
RESPONSE_REACH = 1024  # channels to either side


@dataclass(frozen=True, eq=False)
class SceneBank:
    """Specimens' spectra without response and noise.

    Parameters
    ----------
    loss : ndarray of float32, shape (n_scenes, n_channels + 2 MARGIN)
        Share of the electrons by what they lost, with MARGIN more channels at both
        ends of the axis.
    zero_loss : ndarray, shape (n_scenes,)
        Share of the electrons that lost nothing.
    zero_channel : ndarray, shape (n_scenes,)
        Where 0 eV lies on the axis, channels.
    """

    loss: np.ndarray
    zero_loss: np.ndarray
    zero_channel: np.ndarray

    @property
    def n_channels(self) -> int:
        """Channels of a measured spectrum."""
        return self.loss.shape[1] - 2 * MARGIN

    def __len__(self) -> int:
        return len(self.loss)


def random_bank(
    n_scenes: int, n_channels: int = 2048, random_state: int = 0
) -> SceneBank:
    """Scenes of all kinds, on their usual axes and on others.

    Parameters
    ----------
    n_scenes : int
        About so many: whole groups of 50 on one axis.
    n_channels : int, default 2048
        1024 or more: scenes go on past the axis by an eighth of it.
    random_state : int, default 0

    Returns
    -------
    SceneBank

    Raises
    ------
    ValueError
        If the axis is too short.
    """
    if n_channels < PADDING * MARGIN:
        raise ValueError(
            f"`n_channels` is {n_channels}; give {PADDING * MARGIN} or more."
        )
    rng = np.random.default_rng(random_state)
    groups = [
        _group(kind, n_channels, rng)
        for kind, share in SCENE_SHARES.items()
        for _ in range(max(1, round(n_scenes * share / GROUP)))
    ]
    return SceneBank(*(np.concatenate(parts) for parts in zip(*groups, strict=True)))


def _group(
    kind: str, n_channels: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    usual = KINDS[kind]
    width, first = usual.channel_width_eV, usual.first_energy_eV
    if rng.random() >= USUAL_AXES:
        width *= np.exp(rng.uniform(*np.log(CHANNEL_WIDTHS)))
        first = -width * rng.uniform(*ZERO_CHANNELS)
    scenes = random_scenes(
        kind, GROUP, n_channels, width, first_energy_eV=first, random_state=rng
    )
    first = scenes.padding - MARGIN
    loss = scenes.loss[:, first : first + n_channels + 2 * MARGIN].astype(np.float32)
    return loss, scenes.zero_loss, np.full(GROUP, scenes.zero_channel)


def random_bank_responses(n_responses: int, random_state: int = 0) -> np.ndarray:
    """Responses of all families and widths.

    Parameters
    ----------
    n_responses : int
    random_state : int, default 0

    Returns
    -------
    ndarray of float32, shape (n_responses, 2 RESPONSE_REACH + 1)
    """
    rng = np.random.default_rng(random_state)
    rows = [
        random_responses(
            family,
            round(n_responses * share),
            RESPONSE_REACH,
            fwhm=widths,
            random_state=rng,
        )
        for family, share, widths in RESPONSES
    ]
    return np.concatenate(rows).astype(np.float32)
