# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives exspy's signals their methods, as soon as exspy defines them.

HyperSpy looks up the name of every entry point of ``hyperspy.extensions`` while it
is imported. One of ours is dotted, so that the look-up imports this package, and
``install`` runs before any signal exists. HyperSpy is half imported then, and exspy
may be too: nothing but the standard library is imported here.

exspy's base classes can be met in three states:

- not imported: a finder on ``sys.meta_path`` attaches the methods when the module
  that defines the class has run;
- half imported, when importing exspy is what started HyperSpy: the module takes a
  class whose first look-up after the class is defined attaches the methods;
- imported: the methods are attached at once.
"""

from __future__ import annotations

import sys
import threading
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from .signals.methods import METHODS

# Module -> the class it defines. exspy 0.4 privatises its modules and keeps the old
# names as aliases that warn, so a module is only ever read through its `vars`.
HOMES = {
    "exspy.signals.eds": "EDSSpectrum",
    "exspy.signals._eds": "EDSSpectrum",
    "exspy.signals.eels": "EELSSpectrum",
    "exspy.signals._eels": "EELSSpectrum",
}


def install() -> None:
    """Give exspy's classes their methods, now or when they are defined.

    Calling it again changes nothing.
    """
    others = [finder for finder in sys.meta_path if not _is_ours(finder)]
    sys.meta_path[:] = [_HomeFinder(), *others]
    for name in HOMES:
        module = sys.modules.get(name)
        if module is not None and not attach(module) and _is_half_imported(module):
            _attach_at_first_look_up(module)


def attach(module: ModuleType) -> bool:
    """Set the methods on the class that a module defines.

    Parameters
    ----------
    module : module
        One of ``HOMES``.

    Returns
    -------
    bool
        Whether the class was there. What it has already is left as it is.
    """
    cls = _home_class(module)
    if cls is None:
        return False
    for method in METHODS:
        if not hasattr(cls, method.__name__):
            setattr(cls, method.__name__, method)
    return True


def _home_class(module: ModuleType) -> type | None:
    namespace = object.__getattribute__(module, "__dict__")  # looks nothing else up
    cls = namespace.get(HOMES[namespace["__name__"]])
    return cls if isinstance(cls, type) else None


class _HomeFinder(MetaPathFinder):
    """Finds what the other finders find, and attaches once it has run."""

    def __init__(self) -> None:
        self._asking = threading.local()

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if fullname not in HOMES or getattr(self._asking, "others", False):
            return None
        self._asking.others = True
        try:
            spec = _spec_of_others(fullname, path, target)
        finally:
            self._asking.others = False
        if spec is not None and spec.loader is not None:
            spec.loader = _AttachingLoader(spec.loader)
        return spec


def _spec_of_others(fullname: str, path: Any, target: Any) -> ModuleSpec | None:
    for finder in [finder for finder in sys.meta_path if not _is_ours(finder)]:
        spec = finder.find_spec(fullname, path, target)
        if spec is not None:
            return spec
    return None


class _AttachingLoader(Loader):
    """Stands in for a loader until the module has run, then steps aside."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        attach(module)


def _is_half_imported(module: ModuleType) -> bool:
    return getattr(vars(module).get("__spec__"), "_initializing", False)


def _attach_at_first_look_up(module: ModuleType) -> None:
    ordinary = type(module)

    def __getattribute__(self: ModuleType, name: str) -> Any:
        if attach(self):
            self.__class__ = ordinary
        return ordinary.__getattribute__(self, name)

    module.__class__ = type(
        ordinary.__name__, (ordinary,), {"__getattribute__": __getattribute__}
    )


def _is_ours(finder: object) -> bool:
    """Whether a finder comes from this module, or from it before a reload."""
    kind = type(finder)
    return (kind.__module__, kind.__qualname__) == (__name__, _HomeFinder.__qualname__)
