# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals to test on, and where the shared data lie."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the scenes of this folder

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def make_eds(
    map_shape=(3, 5),
    n_channels=64,
    *,
    units="keV",
    scale=0.16,
    offset=-0.2,
    signal_type="EDS_TEM",
    elements=("Fe", "O"),
    dtype="uint16",
    beam_energy=200.0,
):
    """Return a signal of Poisson counts with metadata; `scale` is in keV."""
    import exspy

    rng = np.random.default_rng(11)
    data = rng.poisson(2.0, (*map_shape, n_channels)).astype(dtype)
    classes = {
        "EDS_TEM": exspy.signals.EDSTEMSpectrum,
        "EDS_SEM": exspy.signals.EDSSEMSpectrum,
    }
    s = classes[signal_type](data)
    axis = s.axes_manager[-1]
    factor = 1000 if units == "eV" else 1
    axis.scale, axis.offset, axis.units = scale * factor, offset * factor, units
    axis.name = "Energy"
    if beam_energy is not None:
        s.set_microscope_parameters(beam_energy=beam_energy)
    if elements:
        s.set_elements(list(elements))
    return s


@pytest.fixture(scope="session")
def eds():
    """A factory of EDS signals."""
    return make_eds


@pytest.fixture(scope="session")
def shared_data():
    """The folder of shared data files, or a skip where it is missing."""
    if not (SHARED / "index.csv").exists():
        pytest.skip("the shared data files are not here")
    return SHARED


def make_result(
    s, *, n_phases=2, covariances=True, masked=False, concentration="mass", seed=3
):
    """Return a result with random weights and abundances for a signal."""
    from hspy_ml.factorization.factorization import Factorization
    from hspy_ml.signals.gmatrix import g_matrix
    from hspy_ml.signals.result import PhysicsNMFResult

    rng = np.random.default_rng(seed)
    matrix = g_matrix(s, geometry="film", composition={"Fe": 2}, mass_thickness=1e-5)
    if concentration == "atomic":
        matrix = type(matrix)(matrix.matrix, matrix.columns, concentration="atomic")
    n_pixels = max(1, s.axes_manager.navigation_size)
    n_channels, n_columns = matrix.matrix.shape
    mask = np.arange(n_pixels) % 4 == 1 if masked else None
    abundances = rng.dirichlet(np.ones(n_phases), n_pixels)
    if masked:
        abundances[mask] = np.nan
    weights = (
        rng.uniform(0.1, 1.0, (n_columns, n_phases))
        / matrix.matrix.sum(axis=0)[:, None]
    )
    roots = 0.05 * rng.normal(size=(n_phases, n_columns, n_columns))
    roots *= weights.T[:, :, None]
    return PhysicsNMFResult.from_factorization(
        s,
        Factorization(
            weights=weights,
            abundances=abundances,
            pixel_scale=rng.uniform(0.5, 1.5, n_pixels),
            loss=np.array([3.0, 2.0, 1.5]),
            converged=True,
            n_iterations=17,
            settings={"output_dimension": n_phases, "smoothness": 0.5, "seed": None},
        ),
        matrix,
        navigation_mask=mask,
        signal_mask=np.arange(n_channels) < 5 if masked else None,
        weights_covariance=roots @ roots.transpose(0, 2, 1) if covariances else None,
        abundance_covariance=(
            np.tile(1e-4 * (np.eye(n_phases) - 1 / n_phases), (n_pixels, 1, 1))
            if covariances
            else None
        ),
        pixel_deviance=rng.uniform(size=n_pixels) if covariances else None,
        channel_deviance=rng.uniform(size=n_channels) if covariances else None,
    )


@pytest.fixture(scope="session")
def result_of():
    """A factory of results."""
    return make_result


@pytest.fixture(scope="session")
def _two_minerals():
    """Grains of an iron-bearing oxide in a silicate; 300 counts in each pixel."""
    from hspy_ml import simulate

    return simulate(
        {"silicate": "MgSiO3", "oxide": "Mg0.8Fe0.2O"},
        (9, 13),
        300.0,
        n_channels=400,
        channel_width_keV=0.02,
        largest_share=1.0,
        random_state=4,
    )


@pytest.fixture
def two_minerals(_two_minerals):
    """A small simulated spectrum image, of its own for each test."""
    return _two_minerals.deepcopy()


@pytest.fixture(scope="session")
def good_network(tmp_path_factory):
    """The file of a network for `small_training.alloy_image`."""
    from small_training import train_a_good_one

    return train_a_good_one(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def own_cache(good_network, tmp_path, monkeypatch):
    """A cache that holds this network, and short trainings."""
    from small_training import make_training_short

    folder = tmp_path / "models"
    folder.mkdir()
    shutil.copy(good_network, folder)
    monkeypatch.setenv("HSPY_ML_MODELS", str(folder))
    make_training_short(monkeypatch)
    return folder
