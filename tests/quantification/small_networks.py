# SPDX-License-Identifier: GPL-3.0-or-later
"""A network trained in seconds: three metals in a thin film, 2 to 2000 counts."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from hspy_ml.networks.threads import torch_threads
from hspy_ml.networks.training import TrainingPlan
from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.detector import make_detector
from hspy_ml.quantification.network_conditions import (
    NetworkConditions,
    channel_runs,
    instrument_of,
)
from hspy_ml.quantification.network_training import train_model
from hspy_ml.quantification.surprise import foreign_spectra
from hspy_ml.simulation.channel_bins import ChannelBins
from hspy_ml.simulation.random_instruments import Tolerances
from hspy_ml.simulation.xray_bank import xray_bank
from hspy_ml.simulation.xray_specimens import XraySpecimens

METALS = ("Al", "Ti", "Fe")
SPECIMENS = XraySpecimens(METALS, np.eye(3), METALS, "film", 0.0, ("Cu",))
ACQUISITION = Acquisition(
    np.arange(0.1, 7.9, 0.01), "EDS_TEM", 200.0, 22.0, make_detector("polymer")
)
BINS = ChannelBins(ACQUISITION.energy > 0.2, 3)
COUNTS = (2.0, 2000.0)
PLAN = TrainingPlan(n_steps=300, batch_size=256, validate_every=150, n_validation=512)


def make_bank(specimens=SPECIMENS, *, seed=0, counts=COUNTS, **options):
    options = {"n_populations": 300, "n_instruments": 8, **options}
    return xray_bank(
        ACQUISITION, specimens, counts=counts, bins=BINS, random_state=seed, **options
    )


def one_specimen(atoms, counts, *, specimens=SPECIMENS, unnamed=False):
    """The bank of one composition, by the instrument as stated and without pile-up."""
    exact = Tolerances(0.0, 0.0, 0.0, 0.0, 0.0)
    bank = make_bank(specimens, counts=(counts, counts), tolerances=exact)
    nearest = np.abs(bank.atomic_fractions - np.asarray(atoms)).max(axis=1).argmin()
    shares = bank.intensities[nearest].copy()
    if not unnamed and bank.unnamed:
        shares[-len(bank.unnamed) :] = 0
    return replace(
        bank,
        atomic_fractions=bank.atomic_fractions[[nearest]],
        populations=bank.populations[[nearest]],
        intensities=shares[None] / shares.sum(),
        instruments_of=np.array([[0]]),
        pile_up=0.0,
    )


@cache
def the_bank():
    return make_bank()


@cache
def the_templates():
    return foreign_spectra(ACQUISITION, METALS, BINS)


def conditions_of(bank, bins=BINS, **changes):
    conditions = NetworkConditions(
        **instrument_of(ACQUISITION),
        elements=bank.elements,
        unnamed=bank.unnamed,
        rule={},
        geometry="film",
        mass_thickness=0.0,
        used_channels=channel_runs(bins.used_channels),
        channels_per_bin=bins.channels_per_bin,
        counts=bank.counts,
        columns=tuple(column.name for column in bank.columns),
        measuring=bank.measuring,
    )
    return replace(conditions, **changes)


@cache
def the_model():
    with torch_threads(1):
        bank = the_bank()
        return train_model(bank, the_templates(), conditions_of(bank), PLAN)
