# SPDX-License-Identifier: GPL-3.0-or-later
"""Label and features of a pixel from its nearest measurements, compiled.

See `features` for what the numbers mean. ``votes`` is room for one number per label
(0 included); it is zero before and after. ``near`` is as in `neighbour_kernels`, and
``labels`` holds what was measured, 0 where nothing was.
"""

from __future__ import annotations

import numba
import numpy as np

from .features import FEATURES
from .neighbour_kernels import NOWHERE

_OPTIONS = {"cache": True, "nogil": True}

N_FEATURES = len(FEATURES)


@numba.njit(**_OPTIONS)
def reconstruct_pixel(nearest, labels, row, column, votes):
    """The label with the largest sum of d^-2 over the nearest measurements.

    What was measured stays; 0 if there is no measurement at all. The smallest label
    wins if several have the same sum.
    """
    if labels[row, column] > 0:
        return labels[row, column]
    best = _vote(nearest, labels, row, column, votes)
    _clear(nearest, labels, row, column, votes)
    return best


@numba.njit(**_OPTIONS)
def _vote(nearest, labels, row, column, votes):
    for i in range(nearest.shape[0]):
        dy, dx = np.float64(nearest[i, 0]), np.float64(nearest[i, 1])
        if dy == NOWHERE:
            break
        label = labels[row + nearest[i, 0], column + nearest[i, 1]]
        votes[label] += 1.0 / (dy * dy + dx * dx)
    best, most = np.int16(0), 0.0
    for i in range(nearest.shape[0]):
        if nearest[i, 0] == NOWHERE:
            break
        label = labels[row + nearest[i, 0], column + nearest[i, 1]]
        if votes[label] > most or (votes[label] == most and label < best):
            best, most = label, votes[label]
    return best


@numba.njit(**_OPTIONS)
def _clear(nearest, labels, row, column, votes):
    for i in range(nearest.shape[0]):
        if nearest[i, 0] == NOWHERE:
            break
        votes[labels[row + nearest[i, 0], column + nearest[i, 1]]] = 0.0


@numba.njit(**_OPTIONS)
def describe_pixel(nearest, labels, image, row, column, reach, votes, features):
    """Write the features of a pixel that was not measured.

    ``image`` is the reconstruction, ``reach`` the radius rc of Z3.
    """
    best = image[row, column]
    _describe_votes(nearest, labels, row, column, best, votes, features)
    _describe_distances(nearest, labels, row, column, best, reach, features)
    _describe_plane(nearest, labels, row, column, best, features)
    _describe_surroundings(labels, image, row, column, best, features)


@numba.njit(**_OPTIONS)
def _describe_votes(nearest, labels, row, column, best, votes, features):
    """Z0, Z1; the entropy, and how far the second label is behind."""
    total, disagree, n, second = 0.0, 0, 0, 0.0
    for i in range(nearest.shape[0]):
        dy, dx = np.float64(nearest[i, 0]), np.float64(nearest[i, 1])
        if dy == NOWHERE:
            break
        label = labels[row + nearest[i, 0], column + nearest[i, 1]]
        weight = 1.0 / (dy * dy + dx * dx)
        votes[label] += weight
        total += weight
        n += 1
        disagree += label != best
        if label != best and votes[label] > second:
            second = votes[label]
    share = votes[best] / total
    features[0] = 1.0 - share
    features[1] = np.sqrt(disagree / n)
    features[9] = share - second / total
    entropy, n_labels = 0.0, 0
    for i in range(n):
        label = labels[row + nearest[i, 0], column + nearest[i, 1]]
        if votes[label] > 0:
            share = votes[label] / total
            entropy -= share * np.log(share)
            n_labels += 1
            votes[label] = 0.0
    features[10] = entropy
    features[11] = n_labels


@numba.njit(**_OPTIONS)
def _describe_distances(nearest, labels, row, column, best, reach, features):
    """Z2 and Z3; logarithms of distances to measurements of this and another label."""
    same, other, farthest, within = 0.0, 0.0, 1.0, 0
    for i in range(nearest.shape[0]):
        dy, dx = np.float64(nearest[i, 0]), np.float64(nearest[i, 1])
        if dy == NOWHERE:
            break
        square = dy * dy + dx * dx
        within += square <= reach * reach
        farthest = square
        if labels[row + nearest[i, 0], column + nearest[i, 1]] == best:
            same = same if same > 0 else square
        else:
            other = other if other > 0 else square
    dy, dx = np.float64(nearest[0, 0]), np.float64(nearest[0, 1])
    closest = dy * dy + dx * dx
    features[2] = np.sqrt(closest)
    features[3] = (1.0 + np.pi * reach * reach) / (1.0 + within)
    features[6] = 0.5 * np.log(closest)
    features[7] = 0.5 * np.log(same)
    features[8] = 0.5 * np.log(other if other > 0 else 4.0 * farthest)
    features[12] = 0.5 * np.log(farthest)


@numba.njit(**_OPTIONS)
def _describe_plane(nearest, labels, row, column, best, features):
    """A plane through the indicator of the label: its height here, its slope."""
    s, sy, sx, syy, sxy, sxx = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    f, fy, fx, unit_y, unit_x = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(nearest.shape[0]):
        dy, dx = np.float64(nearest[i, 0]), np.float64(nearest[i, 1])
        if dy == NOWHERE:
            break
        w = 1.0 / (dy * dy + dx * dx)
        root = np.sqrt(w)
        unit_y += w * root * dy
        unit_x += w * root * dx
        s += w
        sy += w * dy
        sx += w * dx
        syy += w * dy * dy
        sxy += w * dy * dx
        sxx += w * dx * dx
        if labels[row + nearest[i, 0], column + nearest[i, 1]] == best:
            f += w
            fy += w * dy
            fx += w * dx
    my, mx, mf = sy / s, sx / s, f / s
    cyy, cxx = syy / s - my * my + 0.05, sxx / s - mx * mx + 0.05
    cxy = sxy / s - my * mx
    gy, gx = fy / s - mf * my, fx / s - mf * mx
    determinant = cyy * cxx - cxy * cxy
    slope_y = (cxx * gy - cxy * gx) / determinant
    slope_x = (cyy * gx - cxy * gy) / determinant
    features[13] = mf - slope_y * my - slope_x * mx
    features[14] = np.sqrt(slope_y * slope_y + slope_x * slope_x)
    features[15] = np.sqrt(unit_y * unit_y + unit_x * unit_x) / s


@numba.njit(**_OPTIONS)
def _describe_surroundings(labels, image, row, column, best, features):
    """Z4, Z5; what the pixels around were measured or reconstructed to be."""
    n_rows, n_columns = image.shape
    near_other, far_other, near_same, near_different, far_same, far_different = (
        0,
        0,
        0,
        0,
        0,
        0,
    )
    for y in range(max(row - 2, 0), min(row + 3, n_rows)):
        for x in range(max(column - 2, 0), min(column + 3, n_columns)):
            other = image[y, x] != best
            is_near = max(abs(y - row), abs(x - column)) == 1
            same = labels[y, x] > 0 and not other
            different = labels[y, x] > 0 and other
            if is_near:
                near_other += other
                near_same += same
                near_different += different
            else:
                far_other += other
                far_same += same
                far_different += different
    features[16] = near_other
    features[17] = far_other
    features[18] = near_same
    features[19] = near_different
    features[20] = far_same
    features[21] = far_different
    up, down = image[max(row - 1, 0), column], image[min(row + 1, n_rows - 1), column]
    left = image[row, max(column - 1, 0)]
    right = image[row, min(column + 1, n_columns - 1)]
    features[4] = left != right
    features[5] = up != down
