# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of `physics_nmf`, checked before anything is read."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

ALGORITHMS = ("variational", "likelihood")


def check_output_dimension(output_dimension: Any) -> None:
    """Check that it can be a number of phases.

    Parameters
    ----------
    output_dimension : int or "auto"
        As `physics_nmf` takes it.

    Raises
    ------
    ValueError
        If it is neither an integer above 0 nor "auto".
    """
    if isinstance(output_dimension, str) and output_dimension == "auto":
        return
    if not _is_integer(output_dimension) or output_dimension < 1:
        raise ValueError(
            f"`output_dimension` is {output_dimension!r}; it must be an integer above "
            "0, the number of phases, or 'auto'."
        )


def check_choice(name: str, value: Any, choices: Sequence[str]) -> None:
    """Check that an option is one of a few words.

    Parameters
    ----------
    name : str
        Of the option.
    value : str
        What was given.
    choices : sequence of str
        What is allowed.

    Raises
    ------
    ValueError
        If it is something else.
    """
    if not (isinstance(value, str) and value in choices):
        raise ValueError(f"`{name}` is {value!r}; it must be in {tuple(choices)}.")


def check_number(name: str, value: Any, *, zero: bool = False) -> None:
    """Check that an option is a finite number above zero.

    Parameters
    ----------
    name : str
        Of the option.
    value : float
        What was given.
    zero : bool, default False
        Whether zero is allowed too.

    Raises
    ------
    TypeError
        If it is no real number.
    ValueError
        If it is not finite, or too small.
    """
    if not isinstance(value, Real):
        raise TypeError(f"`{name}` is {value!r}; it must be a real number.")
    if not (0 < value < np.inf or (zero and value == 0)):
        allowed = "zero or more" if zero else "above 0"
        raise ValueError(f"`{name}` is {value}; it must be finite and {allowed}.")


def check_amount(name: str, value: Any, *, zero: bool = False) -> None:
    """Check that an option is an integer above zero.

    Parameters
    ----------
    name : str
        Of the option.
    value : int
        What was given.
    zero : bool, default False
        Whether zero is allowed too.

    Raises
    ------
    ValueError
        If it is something else.
    """
    if not _is_integer(value) or value < (0 if zero else 1):
        least = "0 or above" if zero else "above 0"
        raise ValueError(f"`{name}` is {value!r}; it must be an integer {least}.")


def check_penalties(algorithm: str, **strengths: Any) -> None:
    """Check the weights of penalties.

    Parameters
    ----------
    algorithm : str
        One of :data:`ALGORITHMS`.
    **strengths : float
        Weights, by name.

    Raises
    ------
    TypeError
        If one is no real number.
    ValueError
        If one is negative, or the algorithm has no penalties.
    """
    for name, value in strengths.items():
        check_number(name, value, zero=True)
        if value > 0 and algorithm != "likelihood":
            raise ValueError(
                f"`{name}` weights a penalty of the likelihood; add "
                "`algorithm='likelihood'`, or use `resemblance` (smoothness) and "
                "`concentration` (sparsity) of the variational algorithm."
            )


def generator(random_state: Any) -> np.random.Generator:
    """Make the generator of random numbers.

    Parameters
    ----------
    random_state : int, numpy.random.Generator or None
        As `physics_nmf` takes it.

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    ValueError
        If it is something else.
    """
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError):
        raise ValueError(
            f"`random_state` is {random_state!r}; give an integer of zero or more, a "
            "`numpy.random.Generator`, or None."
        ) from None


def _is_integer(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
