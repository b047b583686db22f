# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a situation in a process whose entry points and exspy are chosen."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
INSTALLED_EXSPY = Path(importlib.util.find_spec("exspy").origin).parent
ALREADY_PRIVATISED = (INSTALLED_EXSPY / "signals" / "_eds.py").exists()

GUI_YAML = """\
GUI:
  widgets:
    laboratory:
      exspy.microscope_parameters_EELS:
        module: laboratory_gui
        function: show
"""


def _load_builder() -> Callable[[Path, Path], None]:
    """The helper beside this file, which is no package to import from."""
    spec = importlib.util.spec_from_file_location("privatised", HERE / "privatised.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build_privatised_exspy


def write_metadata(site: Path, name: str, version: str, entry_points: str) -> Path:
    """Make a folder of ``sys.path`` in which a distribution seems installed."""
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    )
    (info / "entry_points.txt").write_text(entry_points)
    return site


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of ``sys.path``, by what they hold."""
    root = tmp_path_factory.mktemp("sites")
    exspy_points = "[hyperspy.extensions]\nexspy = exspy\n"
    ours = distribution("hspy_ml").read_text("entry_points.txt")
    version = distribution("exspy").version
    found = {
        "installed": write_metadata(root / "a", "exspy", version, exspy_points),
        "privatised": write_metadata(root / "b", "exspy", "0.4.0", exspy_points),
        "hspy_ml": write_metadata(root / "c", "hspy_ml", "0", ours),
        "without_hspy_ml": write_metadata(root / "d", "hspy_ml", "0", ""),
        "gui": _write_gui(root / "e"),
    }
    if not ALREADY_PRIVATISED:
        _load_builder()(INSTALLED_EXSPY, found["privatised"])
    return found


def _write_gui(site: Path) -> Path:
    points = "[hyperspy.extensions]\nlaboratory_gui = laboratory_gui\n"
    write_metadata(site, "laboratory_gui", "1", points)
    package = site / "laboratory_gui"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "hyperspy_extension.yaml").write_text(GUI_YAML)
    return site


@pytest.fixture(scope="session")
def situation_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small .hspy file of each signal type."""
    import hyperspy.api as hs

    folder = tmp_path_factory.mktemp("files")
    for signal_type in ("EDS_TEM", "EDS_SEM", "EELS"):
        signal = hs.signals.Signal1D(np.ones((3, 4, 50)))
        signal.set_signal_type(signal_type)
        signal.save(folder / f"{signal_type}.hspy")
    return folder


@pytest.fixture
def run(
    sites: dict[str, Path], situation_files: Path, tmp_path: Path
) -> Callable[[str, Sequence[str]], dict]:
    """``run(name, order)``: what a situation left behind.

    ``order`` names sites as they stand on ``sys.path``, before everything that is
    really installed.
    """

    def run_situation(name: str, order: Sequence[str]) -> dict:
        layout = "privatised" if "privatised" in order else "installed"
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(str(sites[site]) for site in order),
            "SITUATION_FILES": str(situation_files),
            "EXSPY_LAYOUT": "privatised" if ALREADY_PRIVATISED else layout,
        }
        done = subprocess.run(
            [sys.executable, HERE / "situations.py", name],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run_situation
