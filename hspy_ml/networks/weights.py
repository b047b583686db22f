# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights between a network and plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn


def network_weights(network: nn.Module) -> dict[str, np.ndarray]:
    """Copy the weights (and buffers) of a network into arrays.

    Parameters
    ----------
    network : torch.nn.Module
        Not changed.

    Returns
    -------
    dict of str to ndarray
        By the names of ``network.state_dict()``.
    """
    state = network.state_dict()
    return {name: tensor.cpu().numpy().copy() for name, tensor in state.items()}


def fill_network(network: nn.Module, weights: Mapping[str, np.ndarray]) -> None:
    """Put weights into a network of exactly the same architecture.

    Parameters
    ----------
    network : torch.nn.Module
        Filled in place, or not touched at all.
    weights : mapping of str to ndarray
        One of each name and shape of ``network.state_dict()``.

    Raises
    ------
    ValueError
        If a weight is missing, unknown or of another shape or kind.
    """
    state = network.state_dict()
    faults = [f"{name} is missing" for name in state if name not in weights]
    faults += [f"{name} is unknown" for name in weights if name not in state]
    for name in state.keys() & weights.keys():
        faults += _differences(name, state[name], weights[name])
    if faults:
        shown = sorted(faults)[:5] + ["..."] * (len(faults) > 5)
        raise ValueError(
            f"`weights` do not fit the network ({'; '.join(shown)}): they are of "
            "another architecture or of other hyperparameters. Build the network from "
            "the model's own card."
        )
    filled = {name: torch.from_numpy(np.array(weights[name])) for name in state}
    network.load_state_dict(filled)


def _differences(name: str, here: torch.Tensor, given: np.ndarray) -> list[str]:
    if tuple(given.shape) != tuple(here.shape):
        return [f"{name} has the shape {given.shape}, not {tuple(here.shape)}"]
    if here.is_floating_point() != (given.dtype.kind == "f"):
        return [f"{name} is of the type {given.dtype}, not {here.dtype}"]
    return []


def network_on_card(
    make: Callable[..., nn.Module],
    sizes: Mapping[str, Any],
    weights: Mapping[str, np.ndarray],
) -> nn.Module:
    """A network of a file, built once its weights are what its card says.

    Parameters
    ----------
    make : callable
        Class of the network.
    sizes : mapping of str to int
        What it is made from.
    weights : mapping of str to ndarray

    Returns
    -------
    torch.nn.Module
        In evaluation mode.

    Raises
    ------
    ValueError
        If they do not fit together.
    """
    if not all(type(size) is int and size >= 0 for size in sizes.values()):
        raise ValueError("the sizes in its card are wrong: they are no whole numbers")
    try:
        with torch.device("meta"):  # takes no memory
            wanted = make(**sizes).state_dict()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"the sizes in its card are wrong: {error}") from error
    for name, tensor in wanted.items():
        if name not in weights or weights[name].shape != tuple(tensor.shape):
            raise ValueError(
                f"{name} is missing, or of another size than its card says"
            )
    unknown = sorted(weights.keys() - wanted.keys())
    if unknown:
        raise ValueError(f"its card knows no weight {unknown[0]}")
    network = make(**sizes)
    fill_network(network, weights)
    return network.eval()
