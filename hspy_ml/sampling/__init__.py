# SPDX-License-Identifier: GPL-3.0-or-later
"""Dynamic sparse sampling: a map of phases from a fraction of its pixels.

At a microscope, a `DynamicSampler` says where to measure next, `acquire_map` runs it
with a `Microscope`, a `DistortionEstimator` follows how wrong the map still is, and a
`StoppingRule` ends it. Nothing here knows HyperSpy. Names are imported when they are
first used.
"""

from __future__ import annotations

from importlib import import_module

# public name -> the module that defines it
_PUBLIC = {
    "AcquiredMap": "microscope_loop",
    "DistortionEstimator": "distortion",
    "DynamicSampler": "sampler",
    "Microscope": "microscope",
    "PositionFailed": "microscope",
    "Regressor": "regressor",
    "SimulatedMicroscope": "microscope",
    "SpectrumMismatch": "microscope",
    "StoppingRule": "stopping",
    "acquire_map": "microscope_loop",
    "boundary_density": "label_images",
    "draw_label_image": "label_images",
    "draw_label_image_of_density": "label_images",
    "grid_pattern": "patterns",
    "inpaint": "inpainting",
    "low_discrepancy_pattern": "patterns",
    "random_pattern": "patterns",
    "reconstruct": "reconstruction",
}

__all__ = [*_PUBLIC]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
