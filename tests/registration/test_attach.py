# SPDX-License-Identifier: GPL-3.0-or-later
"""What `attach` does to a class, on modules that only look like exspy's."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType

import pytest

from hspy_ml import registration
from hspy_ml.signals.methods import METHODS

NAMES = [method.__name__ for method in METHODS]
HOME = "exspy.signals._eds"


class Base:
    def deconvolve_net(self) -> str:
        return "inherited"


def _define(module: ModuleType) -> type:
    cls = type("EDSSpectrum", (Base,), {"ml_quantify": "theirs"})
    module.EDSSpectrum = cls
    return cls


def test_methods_are_set_as_they_are() -> None:
    module = ModuleType(HOME)
    cls = _define(module)
    assert registration.attach(module)
    assert vars(cls)["physics_nmf"] is METHODS[NAMES.index("physics_nmf")]


def test_what_the_class_has_or_inherits_stays() -> None:
    module = ModuleType(HOME)
    cls = _define(module)
    registration.attach(module)
    assert cls.ml_quantify == "theirs"
    assert cls.deconvolve_net is Base.deconvolve_net
    assert "physics_nmf" not in vars(Base)


def test_a_module_without_its_class_is_left_alone() -> None:
    module = ModuleType(HOME)
    module.EELSSpectrum = type("EELSSpectrum", (), {})
    assert not registration.attach(module)
    assert not hasattr(module.EELSSpectrum, "physics_nmf")


def test_an_alias_is_never_asked_for_its_class() -> None:
    alias = ModuleType("exspy.signals.eds")
    alias.__getattr__ = lambda name: pytest.fail(f"`{name}` was looked up")
    assert not registration.attach(alias)


def test_half_imported_module_attaches_at_the_first_look_up_after_its_class() -> None:
    module = ModuleType(HOME)
    registration._attach_at_first_look_up(module)
    assert module.__name__ == HOME  # a look-up before the class is there
    assert type(module) is not ModuleType
    cls = _define(module)
    assert "physics_nmf" not in vars(cls)
    assert set(NAMES) <= set(dir(module.EDSSpectrum))
    assert type(module) is ModuleType


def test_half_imported_module_keeps_its_own_getattr() -> None:
    module = ModuleType(HOME)
    module.__getattr__ = lambda name: f"made {name}"
    registration._attach_at_first_look_up(module)
    assert module.anything == "made anything"


def test_home_finder_answers_for_nothing_else() -> None:
    finder = registration._HomeFinder()
    assert finder.find_spec("exspy.signals", None) is None
    assert finder.find_spec("json", None) is None


class AsksTheOthers:
    """A finder of the same kind as ours, from another project."""

    def find_spec(self, name: str, path: object, target: object = None) -> object:
        others = (finder for finder in sys.meta_path if finder is not self)
        return next(filter(None, (f.find_spec(name, path, target) for f in others)))


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleSpec:
    """What the finder says of a home module in ``tmp_path``."""
    (tmp_path / "_eds.py").write_text("class EDSSpectrum:\n    ml_quantify = 1\n")
    finder = registration._HomeFinder()
    monkeypatch.setattr(sys, "meta_path", [finder, AsksTheOthers(), PathFinder])
    return finder.find_spec(HOME, [str(tmp_path)])


def test_the_loader_does_what_the_one_it_stands_in_for_does(spec: ModuleSpec) -> None:
    assert spec.loader.get_filename(HOME) == spec.origin
    assert spec.loader.get_source(HOME).startswith("class EDSSpectrum")


def test_the_loader_steps_aside_once_the_module_has_run(spec: ModuleSpec) -> None:
    module = module_from_spec(spec)
    module.__spec__.loader.exec_module(module)
    assert set(NAMES) <= set(dir(module.EDSSpectrum))
    assert module.EDSSpectrum.ml_quantify == 1
    assert type(module.__loader__) is SourceFileLoader
    assert module.__spec__.loader is module.__loader__
