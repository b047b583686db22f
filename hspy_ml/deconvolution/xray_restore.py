# SPDX-License-Identifier: GPL-3.0-or-later
"""The network's answer for counts of whole spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .xray_inputs import network_inputs
from .xray_response import XrayResponse
from .xray_richardson_lucy import with_sums_of

if TYPE_CHECKING:
    from .xray_network import XrayNetwork

__all__ = ["restore", "with_areas_of"]

ADDED_COUNTS = 10.0  # to those within the response, before they are compared

AT_ONCE = 16  # spectra that the network sees together


def restore(
    counts: np.ndarray, response: XrayResponse, network: XrayNetwork
) -> tuple[np.ndarray, np.ndarray]:
    """Spectra at the target resolution, and their standard errors.

    Parameters
    ----------
    counts : ndarray, shape (n_spectra, n_channels)
        Finite and not negative.
    response : XrayResponse
    network : XrayNetwork
        In evaluation mode.

    Returns
    -------
    spectra, errors : ndarray of float64, shape (n_spectra, n_channels)
        The spectra are not negative and have the sums of `counts`.
    """
    spectra, errors = np.zeros(counts.shape), np.zeros(counts.shape)
    for first in range(0, counts.shape[0], AT_ONCE):
        some = slice(first, first + AT_ONCE)
        spectra[some], errors[some] = _restored(counts[some], response, network)
    return spectra, errors


def _restored(
    counts: np.ndarray, response: XrayResponse, network: XrayNetwork
) -> tuple[np.ndarray, np.ndarray]:
    import torch

    from .xray_network import standard_errors

    inputs = network_inputs(counts, response)
    widening = network.widening(counts.sum(axis=1)).astype(np.float32)[:, None]
    with torch.no_grad():
        shown, start = map(torch.from_numpy, inputs)
        root, log_scale = network(shown, start)
        scale = log_scale.exp() * torch.from_numpy(widening)
        errors = standard_errors(root, scale)
    found = with_sums_of(counts, root.double().numpy() ** 2)
    return with_areas_of(counts, found, response), errors.double().numpy()


def with_areas_of(
    counts: np.ndarray, found: np.ndarray, response: XrayResponse
) -> np.ndarray:
    """Spectra with the counts of the data under every line, not in all alone.

    A network that is not sure of a line makes it too small. The counts within the
    response are compared with those that are expected, ten of each added, so that a
    continuum of few counts stays smooth.

    Parameters
    ----------
    counts, found : ndarray, shape (n_spectra, n_channels)
        The data, and spectra at the target resolution.
    response : XrayResponse

    Returns
    -------
    ndarray, shape (n_spectra, n_channels)
    """
    seen, expected = (
        response.backward(spectra) * response.channels_under
        for spectra in (counts, response.forward(found))
    )
    ratio = (seen + ADDED_COUNTS) / (expected + ADDED_COUNTS)
    return with_sums_of(counts, found * ratio)
