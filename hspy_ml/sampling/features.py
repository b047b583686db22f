# SPDX-License-Identifier: GPL-3.0-or-later
r"""Features of a pixel that was not measured yet.

Its L nearest measurements at distances :math:`d_1 \le ... \le d_L` have the labels
:math:`X_i`. With the weights :math:`w_i = d_i^{-2} / \sum_j d_j^{-2}` the
reconstruction :math:`\hat X` is the label with the largest sum of weights. N is the
number of pixels of the image.

The features of SLADS for labels (Godaliyadda et al., IEEE Trans. Comput. Imaging 4, 1
(2018); Zhang et al., Ultramicroscopy 184, 90 (2018)):

- :math:`Z_0 = \sum_i w_i I(X_i \ne \hat X)`;
- :math:`Z_1`, the square root of the share of the L that disagree with
  :math:`\hat X`;
- :math:`Z_2 = d_1`;
- :math:`Z_3 = (1 + \pi r_c^2) / (1 + n_c)`, with :math:`n_c` the number of the L
  within :math:`r_c = \lceil \sqrt{0.0025 N / \pi} \rceil`;
- :math:`Z_4, Z_5`: whether the reconstruction changes across the pixel in x, in y.

They enter with their products: V = (1, Z0, ..., Z5, Z0 Z0, Z0 Z1, ..., Z5 Z5). What
is missing (an ill spectrum) is no measurement and has no part in them.

Further features, which only a network uses: logarithms of the distances to the
nearest measurement, to the nearest ones of this and of any other label, and to the
last of the L; the lead of the reconstruction over the second label, the entropy of
the weights of the labels, the number of labels; height and slope of a plane fitted
to I(X_i = X^) with these weights, which say where a straight boundary would run; the
distance to the mean place of the measurements, in d_1; and, among the pixels within
one and within two of this one, the numbers of those reconstructed otherwise, measured
with this label, and measured with another one.
"""

from __future__ import annotations

import numpy as np

__all__ = ["FEATURES", "N_PAPER", "N_PRODUCTS", "paper_reach", "products"]

FEATURES = (
    "disagreement",
    "root_of_disagreeing_share",
    "distance",
    "sparsity",
    "change_in_x",
    "change_in_y",
    "log_distance",
    "log_distance_same",
    "log_distance_other",
    "lead",
    "entropy",
    "n_labels",
    "log_distance_last",
    "plane_height",
    "plane_slope",
    "one_sidedness",
    "near_reconstructed_otherwise",
    "far_reconstructed_otherwise",
    "near_measured_same",
    "near_measured_otherwise",
    "far_measured_same",
    "far_measured_otherwise",
)
"""Names of the features in their order; the first six are Z0 to Z5."""

N_PAPER = 6
"""Features that enter with their products."""

N_PRODUCTS = 1 + N_PAPER + N_PAPER * (N_PAPER + 1) // 2
"""Length of V."""


def paper_reach(n_pixels: int) -> float:
    """The radius rc of Z3: a circle of a quarter of a percent of the image.

    Parameters
    ----------
    n_pixels : int
        Of the image.

    Returns
    -------
    float
        Pixels, a whole number.
    """
    return float(np.ceil(np.sqrt(0.0025 * n_pixels / np.pi)))


def products(features: np.ndarray) -> np.ndarray:
    """One, the features Z0 to Z5, and their products.

    Parameters
    ----------
    features : ndarray, shape (n, 6 or more)

    Returns
    -------
    ndarray of float64, shape (n, 28)
    """
    paper = np.asarray(features, float)[:, :N_PAPER]
    first, second = np.triu_indices(N_PAPER)
    one = np.ones((paper.shape[0], 1))
    return np.hstack([one, paper, paper[:, first] * paper[:, second]])
