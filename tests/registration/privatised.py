# SPDX-License-Identifier: GPL-3.0-or-later
"""Lays the installed exspy out as exspy 0.4 will be.

Signal modules get a leading underscore, ``exspy`` and ``exspy.signals`` import
lazily, and the old module names stay as aliases that warn.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from string import Template

PRIVATISED = ("dielectric_function", "eds", "eds_sem", "eds_tem", "eels")

LAZY = Template(
    """
import importlib
import os

__version__ = "0.4.0"
_HOMES = $homes
__all__ = list(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_HOMES[name])
    return getattr(module, name, module)


if os.environ.get("EAGER_IMPORT"):
    for _name in _HOMES:
        __getattr__(_name)
"""
)

ALIAS = Template(
    """
import importlib
import warnings


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    warnings.warn(f"{__name__} is private from 0.4 on", DeprecationWarning, 2)
    return getattr(importlib.import_module("exspy.signals._$module"), name)
"""
)


def build_privatised_exspy(installed: Path, site: Path) -> None:
    """Write into ``site`` the ``installed`` exspy in the layout of 0.4."""
    package = site / "exspy"
    shutil.copytree(installed, package, ignore=shutil.ignore_patterns("*test*", "*pyc"))
    for path in package.rglob("*.py"):
        path.write_text(_privatise_imports(path.read_text("utf-8")), "utf-8")
    for module in PRIVATISED:
        old = package / "signals" / f"{module}.py"
        old.rename(old.with_name(f"_{module}.py"))
        old.write_text(ALIAS.substitute(module=module))
    _write_lazy_inits(package)
    yaml = package / "hyperspy_extension.yaml"
    yaml.write_text(re.sub(r"(module: exspy\.signals)\.\w+", r"\1", yaml.read_text()))


def _privatise_imports(code: str) -> str:
    modules = "|".join(PRIVATISED)
    return re.sub(rf"from (exspy\.signals)?\.({modules}) ", r"from \1._\2 ", code)


def _write_lazy_inits(package: Path) -> None:
    names = ("EDSSpectrum", "EDSTEMSpectrum", "EDSSEMSpectrum", "EELSSpectrum")
    homes = dict(zip(names, ("_eds", "_eds_tem", "_eds_sem", "_eels"), strict=True))
    homes["DielectricFunction"] = "_dielectric_function"
    signals = {
        prefix + name: f"exspy.signals.{module}"
        for name, module in homes.items()
        for prefix in ("", "Lazy")
    }
    (package / "signals" / "__init__.py").write_text(LAZY.substitute(homes=signals))
    folders = ("components", "data", "material", "models", "signals", "utils")
    top = {name: f"exspy.{name}" for name in folders}
    top["preferences"] = "exspy._defaults_parser"
    (package / "__init__.py").write_text(LAZY.substitute(homes=top))
