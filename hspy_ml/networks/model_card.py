# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model is for, how it was made and how good it is."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

import numpy as np

from .. import __version__

FORMAT_VERSION = 1
_SHOWN = 12  # entries of a list that the card's text shows


@dataclass(frozen=True)
class ModelCard:
    """The description that every model file carries.

    The dictionaries hold plain values: text, whole and finite real numbers, True and
    False, None, lists and dictionaries of those. Arrays and tuples become lists.

    Parameters
    ----------
    task : str
        What the model does: "quantification", "classification", "deconvolution".
    architecture : str
        Name of the network's architecture.
    hyperparameters : dict
        What the network is built from.
    conditions : dict
        What it was trained for: elements or labels, energy axis, instrument, dose.
    training : dict
        How: spectra, steps, seconds, seed.
    scores : dict
        How good it was on spectra that it had not seen.
    package_version : str
        The version of hspy_ml that made it.
    format_version : int
        The version of the file format.

    Raises
    ------
    TypeError
        If a part is of another type, or a value is not plain.
    ValueError
        If a number is not finite, or a text that is needed is empty.
    """

    task: str
    architecture: str
    hyperparameters: dict
    conditions: dict
    training: dict = field(default_factory=dict)
    scores: dict = field(default_factory=dict)
    package_version: str = __version__
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        for name in ("task", "architecture", "package_version"):
            _check_text(name, getattr(self, name))
        for name in ("hyperparameters", "conditions", "training", "scores"):
            value = getattr(self, name)
            if not isinstance(value, Mapping):
                raise TypeError(f"`{name}` is {value!r}; give a dictionary.")
            object.__setattr__(self, name, _plain(value, name))
        version = self.format_version
        if isinstance(version, bool) or not isinstance(version, int):
            raise TypeError(f"`format_version` is {version!r}; give a whole number.")

    def to_json(self) -> str:
        """The card as JSON text, in ASCII."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Read a card.

        Parameters
        ----------
        text : str
            What :meth:`to_json` wrote.

        Returns
        -------
        ModelCard
            An equal card.

        Raises
        ------
        TypeError, ValueError
            If it is no JSON, lacks a part, or holds one of another type. A newer
            format is refused first.
        """
        content = _json_object(text)
        _check_version(content.get("format_version"))
        names = [part.name for part in fields(cls)]
        lacking = [name for name in names if name not in content]
        if lacking:
            raise ValueError(f"it lacks {', '.join(lacking)}")
        return cls(**{name: content[name] for name in names})

    def __str__(self) -> str:
        lines = [
            f"Model for {self.task}, made by hspy_ml {self.package_version}",
            f"architecture: {self.architecture}",
            *_lines(self.hyperparameters, 1),
        ]
        for title, part in (
            ("trained for", self.conditions),
            ("training", self.training),
            ("scores on spectra it had not seen", self.scores),
        ):
            lines += [f"{title}:", *(_lines(part, 1) or ["  (not given)"])]
        return "\n".join(lines)


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"`{name}` is {value!r}; give text.")
    if not value:
        raise ValueError(f"`{name}` is empty; name it.")


def _json_object(text: str) -> dict:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON ({error})") from error
    if not isinstance(content, dict):
        raise ValueError("it is no JSON object")
    return content


def _check_version(version: object) -> None:
    if isinstance(version, bool) or not isinstance(version, int):
        raise ValueError(f"its format_version is {version!r}, not a whole number")
    if version > FORMAT_VERSION:
        raise NewerFormat(version)


class NewerFormat(ValueError):
    """A card of a format that this version of the package does not know."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"its format is {version}, and this hspy_ml ({__version__}) reads up to "
            f"{FORMAT_VERSION}; update hspy_ml (pip install --upgrade hspy_ml)"
        )


def _plain(value: object, where: str) -> object:
    """The value in the types of JSON."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return _finite(value, where)
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {
            _key(key, where): _plain(item, f"{where}[{key!r}]")
            for key, item in value.items()
        }
    raise TypeError(
        f"`{where}` is {value!r}; give text, numbers, True, False, None, or lists and "
        "dictionaries of those."
    )


def _finite(value: float, where: str) -> float:
    if not math.isfinite(value):
        raise ValueError(f"`{where}` is {value}; give a finite number, or None.")
    return float(value)


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"`{where}` has the key {key!r}; give text.")
    return str(key)


def _lines(part: Mapping, depth: int) -> list[str]:
    """The entries of a dictionary, one to a line."""
    lines = []
    for key, value in part.items():
        start = f"{'  ' * depth}{key.replace('_', ' ')}:"
        if isinstance(value, Mapping) and value:
            lines += [start, *_lines(value, depth + 1)]
        else:
            lines.append(f"{start} {_text(value)}")
    return lines


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        shown = [_text(item) for item in value[:_SHOWN]]
        more = [f"... ({len(value)} in all)"] if len(value) > _SHOWN else []
        return ", ".join(shown + more)
    return str(value)
