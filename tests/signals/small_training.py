# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks that are trained in a second or two: small banks, few steps."""

from functools import partial

import numpy as np
import pytest

from hspy_ml.networks.training import TrainingPlan
from hspy_ml.quantification import network_calibration
from hspy_ml.signals.quantification import network_plan
from hspy_ml.simulation import xray_bank

STEPS, STEPS_OF_THE_GOOD_ONE = 12, 600
ALLOYS = {"light": "Al0.8Ti0.2", "heavy": "Al0.3Ti0.7"}
QUIET = {"show_progressbar": False, "num_workers": 1}


def short_plan(random_state, n_steps=STEPS):
    """A training too short to be good."""
    return TrainingPlan(
        n_steps=n_steps,
        batch_size=128,
        validate_every=n_steps // 4,
        n_validation=512,
        random_state=random_state or 0,
    )


def make_training_short(patch):
    """Patch what makes a training of the package long."""
    patch.setattr(xray_bank, "N_POPULATIONS", 60)
    patch.setattr(xray_bank, "N_INSTRUMENTS", 10)
    patch.setattr(network_calibration, "N_DRAWS", 2)
    patch.setattr(network_plan, "default_plan", short_plan)


def train_a_good_one(folder):
    """Train a network for the alloys that can be judged; its file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HSPY_ML_MODELS", str(folder))
        make_training_short(patch)
        good_plan = partial(short_plan, n_steps=STEPS_OF_THE_GOOD_ONE)
        patch.setattr(network_plan, "default_plan", good_plan)
        patch.setattr(network_calibration, "N_DRAWS", 6)
        by_network(alloy_image())
    (path,) = folder.glob("*.safetensors")
    return path


def alloy_image(shape=(16, 17), counts_per_pixel=120.0, phases=ALLOYS, **options):
    """A film of two alloys of aluminium and titanium."""
    from hspy_ml import simulate

    common = {"beam_energy_keV": 20.0, "n_channels": 300, "channel_width_keV": 0.02}
    common |= {"largest_share": 1.0, "random_state": 1}
    return simulate(phases, shape, counts_per_pixel, **{**common, **options})


def by_network(s, **options):
    """`ml_quantify` by network, without a bar."""
    return s.ml_quantify(**{"method": "network", **QUIET, **options})


def values(result):
    """Percent, shape (*map, n_elements)."""
    return np.stack([signal.data for signal in result], axis=-1)


def errors(result):
    """Standard errors, shape (*map, n_elements)."""
    return np.stack([signal.data for signal in result.standard_errors], axis=-1)
