# SPDX-License-Identifier: GPL-3.0-or-later
"""The situations in which the methods must be there, each a function.

``python situations.py NAME`` runs one of them in a process that has imported
neither HyperSpy, nor exspy, nor this project: nothing but the standard library is
imported above the functions. What holds in every situation is checked around them.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

HOMES = {
    "physics_nmf": "hspy_ml.signals.methods",
    "ml_quantify": "hspy_ml.signals.methods",
    "classify_phases": "hspy_ml.signals.phase_methods",
    "dynamic_sampling": "hspy_ml.signals.phase_methods",
    "deconvolve_net": "hspy_ml.signals.deconvolution_methods",
}
NAMES = tuple(HOMES)
PRIVATISED = os.environ.get("EXSPY_LAYOUT") == "privatised"
EDS_HOME = "exspy.signals._eds" if PRIVATISED else "exspy.signals.eds"
EELS_HOME = "exspy.signals._eels" if PRIVATISED else "exspy.signals.eels"


def methods_of(signal: object) -> list[str]:
    """Where each method comes from, once it is known to be there."""
    assert set(NAMES) <= set(dir(signal))
    return [getattr(signal, name).__module__ for name in NAMES]


def check(*signals: object) -> None:
    """The methods are on the signals or classes, and they are ours."""
    for signal in signals:
        assert methods_of(signal) == list(HOMES.values())


def spectrum_image(signal_type: str = "EDS_TEM"):
    import hyperspy.api as hs
    import numpy as np

    signal = hs.signals.Signal1D(np.ones((3, 4, 50)))
    signal.set_signal_type(signal_type)
    signal.metadata.set_item("Acquisition_instrument.TEM.beam_energy", 200.0)
    return signal


def _loads(signal_type: str, class_name: str) -> None:
    import hyperspy.api as hs

    signal = hs.load(Path(os.environ["SITUATION_FILES"]) / f"{signal_type}.hspy")
    assert type(signal).__name__ == class_name
    check(signal)


def loads_tem() -> None:
    _loads("EDS_TEM", "EDSTEMSpectrum")


def loads_sem() -> None:
    _loads("EDS_SEM", "EDSSEMSpectrum")


def loads_eels() -> None:
    _loads("EELS", "EELSSpectrum")


def loads_lazily_and_computes() -> None:
    import hyperspy.api as hs

    path = Path(os.environ["SITUATION_FILES"]) / "EDS_TEM.hspy"
    signal = hs.load(path, lazy=True)
    assert type(signal).__name__ == "LazyEDSTEMSpectrum"
    check(signal)
    signal.compute()
    assert type(signal).__name__ == "EDSTEMSpectrum"
    check(signal)


def as_lazy() -> None:
    for signal_type in ("EDS_TEM", "EDS_SEM", "EELS"):
        signal = spectrum_image(signal_type)
        check(signal, signal.as_lazy())


def type_is_exspys() -> None:
    signal = spectrum_image()
    import exspy

    assert type(signal) is exspy.signals.EDSTEMSpectrum
    assert isinstance(signal, exspy.signals.EDSSpectrum)
    assert type(signal).__module__.startswith("exspy.")
    assert "physics_nmf" in vars(exspy.signals.EDSSpectrum)


def deepcopies() -> None:
    signal = spectrum_image("EELS")
    check(signal.deepcopy())


def _unpickles_in_a_new_process(module: str) -> None:
    cls = type(spectrum_image())
    data = importlib.import_module(module).dumps(cls).hex()
    code = f"import pickle; print(pickle.loads(bytes.fromhex('{data}')).ml_quantify)"
    command = [sys.executable, "-W", "ignore", "-c", code]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("<function ml_quantify")


def class_pickles() -> None:
    _unpickles_in_a_new_process("pickle")


def class_cloudpickles() -> None:
    _unpickles_in_a_new_process("cloudpickle")


def sets_the_signal_type() -> None:
    signal = spectrum_image("")
    assert not hasattr(signal, "ml_quantify")
    for signal_type in ("EDS_TEM", "EDS_SEM", "EELS", "TEM EELS"):
        signal.set_signal_type(signal_type)
        check(signal)
    assert type(signal).__name__ == "EELSSpectrum"
    signal.set_signal_type("")
    assert not hasattr(signal, "ml_quantify")


def constructs_directly() -> None:
    import exspy
    import numpy as np

    for name in ("EDSTEMSpectrum", "EDSSEMSpectrum", "EELSSpectrum"):
        check(getattr(exspy.signals, name)(np.ones(50)))
        check(getattr(exspy.signals, f"Lazy{name}"))
    assert not hasattr(exspy.signals.DielectricFunction, "physics_nmf")


def exspy_first() -> None:
    import exspy

    check(exspy.signals.EDSTEMSpectrum, exspy.signals.EELSSpectrum)


def exspy_signals_first() -> None:
    import exspy.signals

    check(exspy.signals.EELSSpectrum, exspy.signals.LazyEDSSEMSpectrum)


def class_from_exspy_signals_first() -> None:
    from exspy.signals import EDSTEMSpectrum, EELSSpectrum

    check(EDSTEMSpectrum, EELSSpectrum)


class Witness:
    """Sees which modules are there when this project is first looked for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen: list[bool] = []

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname == "hspy_ml":
            self.seen.append(self.name in sys.modules)


def _home_module_first(home: str, class_name: str) -> None:
    witness = Witness(home)
    sys.meta_path.insert(0, witness)
    module = importlib.import_module(home)
    assert set(witness.seen) == {PRIVATISED}, (
        "the half-imported case is not the one meant"
    )
    check(getattr(module, class_name))
    assert type(module).__getattribute__ is type(sys).__getattribute__


def eds_home_module_first() -> None:
    _home_module_first(EDS_HOME, "EDSSpectrum")


def eels_home_module_first() -> None:
    _home_module_first(EELS_HOME, "EELSSpectrum")


def exspy_data_first() -> None:
    import exspy.data

    signal = exspy.data.EDS_SEM_TM002()
    assert type(signal).__name__ == "EDSSEMSpectrum"
    check(signal)


def exspy_models_first() -> None:
    import exspy.models

    check(spectrum_image())
    check(exspy.signals.EELSSpectrum)


def hspy_ml_first() -> None:
    import hspy_ml

    assert "hyperspy" not in sys.modules and "exspy" not in sys.modules
    check(spectrum_image(), spectrum_image("EELS"))
    finders = [type(finder).__module__ for finder in sys.meta_path]
    assert finders.count(hspy_ml.registration.__name__) == 1


def prints_known_signal_types() -> None:
    import hyperspy.api as hs

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        hs.print_known_signal_types()
    assert "EDSTEMSpectrum" in printed.getvalue()
    assert "hspy_ml" not in printed.getvalue()


def keeps_gui_widgets() -> None:
    from hyperspy.ui_registry import _EXTENSION_NAMES, UI_REGISTRY

    assert "exspy.microscope_parameters_EDS_TEM" in UI_REGISTRY
    assert "laboratory" in UI_REGISTRY["exspy.microscope_parameters_EELS"]
    assert "hspy_ml" in _EXTENSION_NAMES


def inspects() -> None:
    import inspect

    signal = spectrum_image()
    parameters = inspect.signature(signal.physics_nmf).parameters
    assert next(iter(parameters)) == "output_dimension"
    assert parameters["elements"].kind is inspect.Parameter.KEYWORD_ONLY
    for name in NAMES:
        function = getattr(type(signal), name)
        assert inspect.isfunction(function)
        assert inspect.getsource(function).startswith(f"def {name}(")
        assert "Parameters\n" in inspect.getdoc(function)


def reloads() -> None:
    check(spectrum_image(), spectrum_image("EELS"))
    import hspy_ml

    for name in (EDS_HOME, EELS_HOME, "hspy_ml.registration", "hspy_ml", EDS_HOME):
        importlib.reload(sys.modules[name])
    check(sys.modules[EDS_HOME].EDSSpectrum, sys.modules[EELS_HOME].EELSSpectrum)
    finders = [type(finder).__module__ for finder in sys.meta_path]
    assert finders.count(hspy_ml.registration.__name__) == 1


def slices_and_sums() -> None:
    signal = spectrum_image()
    check(signal.isig[5:20], signal.inav[0, 1], signal.sum())
    check(signal.rebin(scale=(2, 1, 5)), signal + signal)


def eight_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    import dask.array  # noqa: F401  first imported by threads, it fails without us
    import matplotlib.pyplot  # noqa: F401

    barrier = Barrier(8)

    def first_use(number: int) -> None:
        barrier.wait()
        if PRIVATISED and number % 2:  # in 0.3 two ways at once deadlock without us
            from exspy.signals import EDSTEMSpectrum, EELSSpectrum

            check(EDSTEMSpectrum, EELSSpectrum)
        else:
            check(spectrum_image("EELS"), spectrum_image("EDS_SEM"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(first_use, range(8)))


def methods_elsewhere(signal_type: str) -> list[str]:
    return methods_of(spectrum_image(signal_type))


def spawn_pool() -> None:
    from multiprocessing import get_context

    with get_context("spawn").Pool(2) as pool:
        found = pool.map(methods_elsewhere, ["EDS_TEM", "EELS"])
    assert found == [list(HOMES.values())] * 2


def eager_import() -> None:
    os.environ["EAGER_IMPORT"] = "1"
    import exspy

    check(exspy.signals.EDSSpectrum, exspy.signals.EELSSpectrum, spectrum_image())


def calls_each_method() -> None:
    import inspect
    import types

    eds = spectrum_image()
    for name, home, arguments in (
        ("physics_nmf", "physics_nmf", (2,)),
        ("ml_quantify", "ml_quantify", ()),
        ("classify_phases", "classification.classify", ("model",)),
        ("dynamic_sampling", "sampling.dynamic_sampling", ("model",)),
        ("deconvolve_net", "deconvolution.deconvolve", ("model",)),
    ):
        method = getattr(eds, name)
        stand_in = types.ModuleType(f"hspy_ml.signals.{home}")
        setattr(stand_in, name, lambda *given, **named: (given, named))
        sys.modules[stand_in.__name__] = stand_in
        given, named = method(*arguments, random_state=5, num_workers=7)
        sys.modules.pop(stand_in.__name__)
        assert given == (eds, *arguments)
        assert [named["random_state"], named["num_workers"]] == [5, 7]
        parameters = list(inspect.signature(method).parameters)
        assert list(named) == parameters[len(arguments) :]


def loads_without_hspy_ml() -> None:
    import hyperspy.api as hs

    path = Path(os.environ["SITUATION_FILES"]) / "EDS_TEM.hspy"
    assert not hasattr(hs.load(path), "ml_quantify")


def hspy_ml_after_exspy() -> None:
    signals = spectrum_image(), spectrum_image("EELS")
    assert not any(hasattr(signal, "ml_quantify") for signal in signals)
    import hspy_ml  # noqa: F401

    check(*signals)


SITUATIONS = {
    function.__name__: function
    for function in (
        loads_tem,
        loads_sem,
        loads_eels,
        loads_lazily_and_computes,
        as_lazy,
        type_is_exspys,
        deepcopies,
        class_pickles,
        class_cloudpickles,
        sets_the_signal_type,
        constructs_directly,
        exspy_first,
        exspy_signals_first,
        class_from_exspy_signals_first,
        eds_home_module_first,
        eels_home_module_first,
        exspy_data_first,
        exspy_models_first,
        hspy_ml_first,
        prints_known_signal_types,
        keeps_gui_widgets,
        inspects,
        reloads,
        slices_and_sums,
        eight_threads,
        spawn_pool,
        eager_import,
        calls_each_method,
    )
}


def main(name: str) -> None:
    """Run a situation and print what it left behind, as JSON."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        globals()[name]()
        import hyperspy.extensions
    said = [f"{w.category.__name__} {w.filename}: {w.message}" for w in caught]
    found = {
        "entry_points": [point.name for point in hyperspy.extensions._extensions],
        "warnings": sorted(set(said)),
        "modules": sorted(sys.modules),
        "exspy": sys.modules["exspy"].__file__ if "exspy" in sys.modules else None,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
