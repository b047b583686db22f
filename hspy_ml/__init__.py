# SPDX-License-Identifier: GPL-3.0-or-later
"""Physics-based machine learning for electron-microscopy spectra.

Importing the package is light and gives exspy's signals their methods; each
public name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module

from . import registration

__version__ = "0.1.0"

# public name -> the module that defines it
_PUBLIC = {
    "ClassificationResult": "hspy_ml.signals.classification.result",
    "DeconvolutionReport": "hspy_ml.signals.deconvolution.report",
    "DeconvolverModel": "hspy_ml.deconvolution.deconvolver_model",
    "GMatrix": "hspy_ml.physics.gmatrix",
    "PhaseModel": "hspy_ml.classification.phase_model",
    "PhysicsNMFResult": "hspy_ml.signals.result",
    "QuantificationResult": "hspy_ml.signals.quantification.result",
    "QuantifierModel": "hspy_ml.quantification.quantifier_model",
    "deconvolution_report": "hspy_ml.signals.deconvolution.report",
    "g_matrix": "hspy_ml.signals.gmatrix",
    "SamplingResult": "hspy_ml.signals.sampling.result",
    "load_model": "hspy_ml.signals.model_loading",
    "load_result": "hspy_ml.signals.result_io",
    "model_info": "hspy_ml.networks.model_file",
    "suggest_elements": "hspy_ml.signals.suggest_elements",
    "simulate": "hspy_ml.signals.simulate",
    "simulate_low_loss": "hspy_ml.signals.deconvolution.simulate_low_loss",
    "train_classifier": "hspy_ml.signals.classification.train_classifier",
    "train_deconvolver": "hspy_ml.signals.deconvolution.train_deconvolver",
    "train_quantifier": "hspy_ml.signals.quantification.train_quantifier",
}

__all__ = ["__version__", *_PUBLIC]

registration.install()


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
