# SPDX-License-Identifier: GPL-3.0-or-later
"""The network that corrects a fitted zero-loss peak to the response.

On its left side the peak shows the response, but for gains of energy; on the right its
tail is under the losses. Where the response is of the shape that was fitted, nothing is
better than the fit. For other shapes a small network, which has seen many responses and
specimens, tells what is response and what is loss.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["LOG_SCALE", "N_SCALARS", "ResponseNetwork"]

LOG_SCALE = 8.0  # natural logarithms enter divided by it
N_SCALARS = 10
LOG_ERRORS = (-7.0, 2.0)  # the error of a logarithm is between their exponentials
_TRUST = 2.0  # in the own side of the peak over the mirrored one, at the start


class ResponseNetwork(nn.Module):
    """The logarithm of the response on a grid of widths, and its error.

    Parameters
    ----------
    n_nodes : int
        Of the grid (:class:`hspy_ml.deconvolution.profile_grid.ProfileGrid`).
    width : int, default 96
        Of the hidden layers.
    """

    def __init__(self, n_nodes: int, width: int = 96) -> None:
        super().__init__()
        self.hyperparameters = {"n_nodes": n_nodes, "width": width}
        self.first = nn.Linear(4 * n_nodes + N_SCALARS, width)
        self.second = nn.Linear(width, width)
        self.third = nn.Linear(width, width)
        self.correction = nn.Linear(width, n_nodes)
        self.gate = nn.Linear(width, n_nodes)
        self.log_error = nn.Linear(width, n_nodes)
        self.trust = nn.Parameter(torch.full((n_nodes,), _TRUST))
        for layer in (self.correction, self.gate, self.log_error):
            nn.init.zeros_(layer.weight)
        nn.init.constant_(self.log_error.bias, -1.0)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Estimate responses.

        Parameters
        ----------
        inputs : Tensor, shape (n, 4 n_nodes + N_SCALARS)
            See :func:`hspy_ml.deconvolution.response_inputs.network_inputs`.

        Returns
        -------
        log_response : Tensor, shape (n, n_nodes)
            Logarithm of the response over the height of the fitted peak.
        log_error : Tensor, shape (n, n_nodes)
            Logarithm of the scale (Laplace) of its error.
        """
        hidden = nn.functional.gelu(self.first(inputs))
        hidden = hidden + nn.functional.gelu(self.second(hidden))
        hidden = hidden + nn.functional.gelu(self.third(hidden))
        n_nodes = self.hyperparameters["n_nodes"]
        fitted, above = inputs[:, :n_nodes], inputs[:, n_nodes : 2 * n_nodes]
        seen = fitted + above
        own = torch.sigmoid(self.trust)
        free = own * seen + (1 - own) * seen.flip(1) + self.correction(hidden)
        gate = torch.sigmoid(self.gate(hidden))
        log_response = LOG_SCALE * (fitted + gate * (free - fitted))
        return log_response, self.log_error(hidden).clamp(*LOG_ERRORS)
