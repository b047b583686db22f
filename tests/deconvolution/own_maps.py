# SPDX-License-Identifier: GPL-3.0-or-later
"""Small maps of mixtures of a few scenes, with truth."""

from functools import cache

import numpy as np

from hspy_ml.simulation.low_loss_readout import measure
from hspy_ml.simulation.low_loss_scenes import Scenes, random_scenes
from hspy_ml.simulation.zero_loss_shapes import random_responses

N_CHANNELS = 512


@cache
def vertices(n_scenes=3, seed=5):
    """Scenes of which the map is mixed, on channels of 4 meV."""
    return random_scenes("vib", n_scenes, N_CHANNELS, 4e-3, random_state=seed)


@cache
def mixed_map(n=120, electrons=1e6, n_scenes=3, seed=1):
    """Mixtures at even doses, aligned, in electrons, with a little read-out noise."""
    rng = np.random.default_rng(seed)
    ends = vertices(n_scenes)
    share = rng.dirichlet(np.full(n_scenes, 0.6), n)
    scenes = Scenes(
        ends.energy_eV,
        share @ ends.loss,
        share @ ends.zero_loss,
        ends.padding,
        ends.lines[:0],
    )
    width = (9.0, 9.0)
    response = random_responses("family", 1, N_CHANNELS, fwhm=width, random_state=rng)
    dose = electrons * np.exp(rng.uniform(-0.5, 0.5, n))
    return measure(scenes, response, dose, 0.0, 1.0, 0.5, 0.0, random_state=rng)
