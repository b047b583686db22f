# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps of labels from sparse measurements, by kriging of the labels' indicators."""

from __future__ import annotations

import numpy as np

from .neighbours import N_NEIGHBOURS, nearest_measurements

__all__ = ["kriged_shares", "labels_on_map", "reconstruct"]


def reconstruct(
    shape: tuple[int, int],
    positions: np.ndarray,
    labels: np.ndarray,
    *,
    n_neighbours: int = N_NEIGHBOURS,
) -> np.ndarray:
    r"""The map of labels from those of some pixels.

    An unmeasured pixel gets the label of the largest share

    .. math:: v_k(s) = \sum_{i=1}^{L} w_i \, [\ell_i = k]

    of its L nearest measurements, where :math:`w` are the weights of ordinary kriging
    with the variogram :math:`\gamma(r) = r`. That is how the indicator of a phase
    varies at distances below those between boundaries: the chance that a boundary lies
    between two pixels is proportional to the distance of these. Where the L nearest
    agree no weights are needed.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the map.
    positions : ndarray of int, shape (n_measured, 2)
        Row and column of each measurement.
    labels : ndarray of int, shape (n_measured,)
        What was measured there, from 1; 0 for an ill spectrum, which says nothing. Of
        several at one position the last counts.
    n_neighbours : int, default 10
        L.

    Returns
    -------
    ndarray of int16, shape `shape`
        Measured pixels keep their labels, those with ill spectra are filled too.

    Raises
    ------
    TypeError
        If positions or labels are not whole numbers.
    ValueError
        If a position lies outside the map, a label is negative, the lengths differ,
        or no label is above zero.

    See Also
    --------
    kriged_shares : the shares themselves.

    Notes
    -----
    The paper's rule (weights :math:`d^{-2}`, normalised) takes measurements that lie
    behind others for as good as those in front; kriging screens them. Measured in
    ``benchmarks/sampling_reconstruction.py``.

    References
    ----------
    A. G. Journel, Math. Geol. 15 (1983) 445 (kriging of indicators).
    G. M. Godaliyadda et al., IEEE Trans. Comput. Imaging 4 (2018) 1 (the weights
    :math:`d^{-2}`).
    """
    from .reconstruction_kernels import krige_image, room_for

    known = labels_on_map(shape, positions, labels)
    near = nearest_measurements(known > 0, _checked_number(n_neighbours))
    image, against = np.empty_like(known), np.empty(known.shape, np.float32)
    shares = np.zeros(int(known.max()) + 1)
    krige_image(
        near, known, n_neighbours, room_for(n_neighbours), shares, image, against
    )
    return image


def kriged_shares(
    shape: tuple[int, int],
    positions: np.ndarray,
    labels: np.ndarray,
    n_phases: int,
    *,
    n_neighbours: int = N_NEIGHBOURS,
) -> np.ndarray:
    """What the measurements around say for each phase.

    Parameters
    ----------
    shape, positions, labels, n_neighbours
        See :func:`reconstruct`.
    n_phases : int
        Labels are from 1 to this.

    Returns
    -------
    ndarray of float32, shape (*shape, n_phases)
        From 0 to 1, and 1 in sum. They tell which label is the best and which the
        next, but are no calibrated probabilities: see
        :class:`hspy_ml.sampling.distortion.DistortionEstimator` for those.

    Raises
    ------
    TypeError, ValueError
        As :func:`reconstruct`; also if a label is above `n_phases`.
    """
    from .reconstruction_kernels import krige_shares, room_for

    known = labels_on_map(shape, positions, labels)
    if known.max() > n_phases:
        raise ValueError(
            f"`labels` go up to {known.max()}, and `n_phases` is {n_phases}; give the "
            "number of phases that the labels number."
        )
    near = nearest_measurements(known > 0, _checked_number(n_neighbours))
    shares = np.zeros((*known.shape, n_phases), np.float32)
    krige_shares(near, known, n_neighbours, room_for(n_neighbours), shares)
    np.clip(shares, 0, 1, out=shares)
    return shares / shares.sum(axis=2, keepdims=True)


def labels_on_map(
    shape: tuple[int, int], positions: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Measured labels where they were measured, 0 elsewhere.

    Parameters
    ----------
    shape, positions, labels
        See :func:`reconstruct`.

    Returns
    -------
    ndarray of int16, shape `shape`

    Raises
    ------
    TypeError, ValueError
        As :func:`reconstruct`.
    """
    positions, labels = _whole("positions", positions), _whole("labels", labels)
    if positions.ndim != 2 or positions.shape[1] != 2:
        raise ValueError(
            f"`positions` have the shape {positions.shape}; a row and a column for "
            "each measurement are expected, (n_measured, 2)."
        )
    if labels.shape != positions.shape[:1]:
        raise ValueError(
            f"`labels` have the shape {labels.shape} for {len(positions)} positions; "
            "one label for each is expected."
        )
    outside = ((positions < 0) | (positions >= np.array(shape))).any(axis=1)
    if outside.any():
        raise ValueError(
            f"`positions` has {positions[outside][0].tolist()}, outside the "
            f"{shape[0]} x {shape[1]} pixels of the map; rows come first."
        )
    _check_labels(labels)
    known = np.zeros(shape, np.int16)
    known[tuple(positions.T)] = labels
    if not known.any():
        raise ValueError("`labels` has none above 0; a map needs one at least.")
    return known


def _whole(name: str, values: np.ndarray) -> np.ndarray:
    values = np.asarray(values)
    if values.dtype.kind not in "iu" and values.size:
        raise TypeError(f"`{name}` are {values.dtype}; give whole numbers.")
    return values.astype(np.int64)


def _check_labels(labels: np.ndarray) -> None:
    if labels.size and not 0 <= labels.min() <= labels.max() < 2**15:
        raise ValueError(
            f"`labels` are from {labels.min()} to {labels.max()}; 1 to {2**15 - 1} for "
            "phases and 0 for ill spectra are expected."
        )


def _checked_number(n_neighbours: int) -> int:
    if not 1 <= n_neighbours <= 100:
        raise ValueError(f"`n_neighbours` is {n_neighbours}; 1 to 100 are expected.")
    return int(n_neighbours)
