# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of low-loss spectra on which ways of removing the response are compared.

Nothing is trained on them: training draws from generators seeded with whole numbers
below 2**31, the sets from seed sequences with a key of their own (`KEY`).

How many electrons the spectra have was fixed by what Richardson-Lucy deconvolution
reaches that knows everything and is stopped by count splitting
(`benchmarks/deconvolution.py`): error of the loss region (mean), F1 and false peaks per
spectrum, with peaks that rise by 2 % of the highest loss, are about .016, .97 and .05
at the high dose, .026, .8 and 1.5 at the medium one, .17, .3 and 14 at the low one, and
.0006, .9 and .6 for plasmons.
The error at the high dose is that of a few spectra with a phonon in the flank of a
wide zero-loss peak.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .low_loss_readout import LowLossSpectra, measure
from .low_loss_scenes import random_scenes
from .zero_loss_shapes import random_responses

__all__ = ["TEST_SETS", "TestSet", "test_set"]

KEY = 20261126
MISALIGNMENT = 3.0  # channels, either way
GAINS = (0.5, 20.0)  # counts per electron
READ_NOISE = 1.0  # electrons at most
OFFSETS = (0.0, 100.0)  # counts


@dataclass(frozen=True)
class TestSet:
    """What the spectra of a set have in common.

    Parameters
    ----------
    electrons : tuple of two floats
        Fewest and most per spectrum; log-uniform in between.
    kind, family : str
        See `random_scenes` and `random_responses`.
    n_channels : int
    channel_width_eV : float or None
    """

    __test__ = False

    electrons: tuple[float, float]
    kind: str = "vib"
    family: str = "family"
    n_channels: int = 2048
    channel_width_eV: float | None = None


# Electrons per spectrum, fewest and most.
HIGH, MEDIUM, LOW = (3e8, 1.2e9), (1e7, 4e7), (3.5e5, 1.4e6)
PLASMON = (8e5, 3.2e6)

TEST_SETS = {
    "vib high": TestSet(HIGH),
    "vib medium": TestSet(MEDIUM),
    "vib low": TestSet(LOW),
    "plasmon": TestSet(PLASMON, "plasmon"),
    "narrow": TestSet(MEDIUM, family="narrow"),
    "wide": TestSet(MEDIUM, family="wide"),
    "shoulder": TestSet(MEDIUM, family="shoulder"),
    "one-sided": TestSet(MEDIUM, family="one-sided"),
    "vacuum": TestSet(MEDIUM, "vacuum"),
    "doublets": TestSet(MEDIUM, "doublets"),
    "broad": TestSet(MEDIUM, "broad"),
    "fano": TestSet(MEDIUM, "fano"),
    "interband": TestSet(MEDIUM, "interband"),
    "1000 channels": TestSet(MEDIUM, n_channels=1000, channel_width_eV=2e-3),
    "3500 channels": TestSet(MEDIUM, n_channels=3500, channel_width_eV=5e-4),
}


def test_set(name: str, n_spectra: int = 100, random_state: int = 0) -> LowLossSpectra:
    """Draw a set.

    Parameters
    ----------
    name : str
        One of `TEST_SETS`.
    n_spectra : int, default 100
    random_state : int, default 0
        Another number is another draw of the same set.

    Returns
    -------
    LowLossSpectra

    Raises
    ------
    ValueError
        If there is no such set.
    """
    if name not in TEST_SETS:
        raise ValueError(f"`name` is {name!r}; choose one of {', '.join(TEST_SETS)}.")
    chosen = TEST_SETS[name]
    key = (KEY, list(TEST_SETS).index(name))
    rng = np.random.default_rng(np.random.SeedSequence(random_state, spawn_key=key))
    scenes = random_scenes(
        chosen.kind,
        n_spectra,
        chosen.n_channels,
        chosen.channel_width_eV,
        random_state=rng,
    )
    responses = random_responses(
        chosen.family, n_spectra, chosen.n_channels, random_state=rng
    )
    low, high = np.log(chosen.electrons)
    electrons = np.exp(rng.uniform(low, high, n_spectra))
    shifts = rng.uniform(-MISALIGNMENT, MISALIGNMENT, n_spectra)
    gain = np.exp(rng.uniform(*np.log(GAINS), n_spectra))
    read_noise = gain * rng.uniform(0.0, READ_NOISE, n_spectra)
    offset = rng.uniform(*OFFSETS, n_spectra)
    return measure(
        scenes, responses, electrons, shifts, gain, read_noise, offset, random_state=rng
    )


test_set.__test__ = False
