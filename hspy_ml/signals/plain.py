# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as any file format can hold them."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import numpy as np


def plain_tree(value: Any) -> Any:
    """Copy a tree of metadata, with sets as sorted lists.

    Parameters
    ----------
    value : object
        A dictionary of HyperSpy's metadata, or a part of it.

    Returns
    -------
    object
        The same without sets and without blanks around the keys.
    """
    if isinstance(value, dict):
        return {str(key).strip(): plain_tree(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return deepcopy(value)


def plain_json(value: Any) -> Any:
    """Turn what JSON does not know into what it does, for ``json.dumps``.

    Parameters
    ----------
    value : object
        Numpy numbers and arrays become numbers and lists; anything else text.

    Returns
    -------
    object
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return str(value)


def plain_values(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings with numbers, text and lists of Python in place of numpy's and tuples.

    Parameters
    ----------
    settings : dict of str to value

    Returns
    -------
    dict of str to value
    """
    return json.loads(json.dumps(settings, default=plain_json))
