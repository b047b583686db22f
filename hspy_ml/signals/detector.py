# SPDX-License-Identifier: GPL-3.0-or-later
"""Which X-ray detector a file names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

__all__ = ["DEFAULT_DETECTOR", "stated_window", "stated_elevation"]

#: What is taken where nothing is said: drift detectors of scanning microscopes have
#: polymer windows, those of transmission microscopes none.
DEFAULT_DETECTOR = {"EDS_SEM": "polymer", "EDS_TEM": "windowless"}

_DETECTOR_KEY = re.compile(
    r"window_?type|eds_?det|detector(_?type|_?name)?|window", re.IGNORECASE
)
_WINDOWS = (
    (r"no ?window|window ?less|\bS[A-Z]*WLS\b|super-?x", "windowless"),
    (r"si3n4|silicon ?nitride|\bSiN\b", "silicon nitride"),
    (r"\bSIBEW\b|si\(li\)", "Si(Li)"),
    (r"\b[A-Z]*BEW\b|beryllium|\bBe\b", "beryllium"),
    (r"ap ?[35]\.\d|polymer|moxtek|satw|\bS[A-Z]*UTW\b", "polymer"),
)
_ELEVATION_KEY = re.compile(r"elev|take_?off|takeang", re.IGNORECASE)


def stated_window(s: Any) -> str | None:
    """Return the kind of detector that the metadata name.

    Parameters
    ----------
    s : EDSTEMSpectrum or EDSSEMSpectrum

    Returns
    -------
    str or None
        A name of :func:`hspy_ml.physics.detector.make_detector`; None where nothing
        that is known is said.
    """
    for _, text in _entries(s, _DETECTOR_KEY):
        for pattern, name in _WINDOWS:
            if re.search(pattern, text, re.IGNORECASE):
                return name
    return None


def stated_elevation(s: Any) -> bool:
    """Whether the elevation of the detector was given, and not filled in.

    exspy writes its default into the metadata of every signal that has none. It is
    taken for that where elevation and resolution are both what exspy fills in, and
    the file says nothing of them.

    Parameters
    ----------
    s : EDSTEMSpectrum or EDSSEMSpectrum

    Returns
    -------
    bool
    """
    from exspy import preferences

    technique = s.metadata.Signal.signal_type.removeprefix("EDS_")
    node = f"Acquisition_instrument.{technique}.Detector.EDS"
    elevation = s.metadata.get_item(f"{node}.elevation_angle", None)
    resolution = s.metadata.get_item(f"{node}.energy_resolution_MnKa", None)
    filled_in = (
        elevation == preferences.EDS.eds_detector_elevation
        and resolution == preferences.EDS.eds_mn_ka
    )
    in_file = any(True for _ in _leaves(s.original_metadata, _ELEVATION_KEY))
    return in_file or not filled_in


def _entries(s: Any, key: re.Pattern) -> Iterator[tuple[str, str]]:
    for tree in (s.metadata, s.original_metadata):
        yield from _leaves(tree, key)


def _leaves(tree: Any, wanted: re.Pattern) -> Iterator[tuple[str, str]]:
    """Keys that match, with their values as text."""
    stack = [tree.as_dictionary()]
    while stack:
        for key, value in stack.pop().items():
            if isinstance(value, dict):
                stack.append(value)
            elif wanted.search(str(key)):
                yield str(key), str(value)
