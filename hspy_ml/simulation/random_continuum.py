# SPDX-License-Identifier: GPL-3.0-or-later
"""Random shapes of the bremsstrahlung around the laws of Kramers and Small."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from ..physics.depth_response import depth_response
from ..physics.gmatrix import GMatrix
from ..physics.xray_columns import continuum_columns

__all__ = ["continuum_mixes"]

SPREAD = 0.3  # of the logarithm of each column's weight


def continuum_mixes(
    g_matrix: GMatrix, n: int, random_state: int | np.random.Generator | None = None
) -> np.ndarray:
    """Draw shares of the continuum's columns.

    Kramers' law, on a scanning microscope mixed with that of Small et al. in any
    share, as the specimen absorbs and the detector counts it; each column then differs
    by a log-normal factor of 30 %.

    Parameters
    ----------
    g_matrix : GMatrix
        Of an EDS acquisition, with its specimen.
    n : int
    random_state : int or numpy.random.Generator, optional
        Makes the draw repeat exactly.

    Returns
    -------
    ndarray, shape (n, n_continuum_columns)
        Rows sum to one.
    """
    rng = np.random.default_rng(random_state)
    basis = g_matrix.matrix[:, [c.kind == "continuum" for c in g_matrix.columns]]
    if basis.shape[1] == 0:
        return np.zeros((n, 0))
    basis = basis / basis.sum(axis=0)
    laws = np.stack(
        [nnls(basis, law, maxiter=100 * basis.shape[1])[0] for law in _laws(g_matrix).T]
    )
    mix = rng.dirichlet(np.ones(laws.shape[0]), size=n) @ laws
    mix *= np.exp(SPREAD * rng.standard_normal(mix.shape))
    return mix / mix.sum(axis=1, keepdims=True)


def _laws(g_matrix: GMatrix) -> np.ndarray:
    """The laws as counted, shape (n_channels, n_laws).

    1/E is the basis of degree 0, (E0 - E)/E the one of degree 1 that vanishes at the
    beam energy.
    """
    acquisition = g_matrix.acquisition
    response = depth_response(g_matrix.specimen, acquisition)
    ends_at_beam = acquisition.energy[-1] >= acquisition.beam_energy_keV
    degree = int(acquisition.technique == "EDS_SEM" or ends_at_beam)
    return continuum_columns(response, acquisition, degree)
