# SPDX-License-Identifier: GPL-3.0-or-later
"""The package as it is built, installed and imported."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

import hspy_ml

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "hspy_ml"


def _readme_commands() -> list[str]:
    blocks = re.findall(
        r"^```bash\n(.*?)^```$", (ROOT / "README.md").read_text(), re.S | re.M
    )
    return [block.strip() for block in blocks]


def _name(requirement: str) -> str:
    return re.match(r"[\w.-]+", requirement).group().lower().replace("-", "_")


def test_readme_has_two_commands_of_one_line() -> None:
    commands = _readme_commands()
    assert len(commands) == 2
    assert not any("\n" in command for command in commands)
    assert commands[0].endswith("-m hspy_ml")
    assert "-m pytest" in commands[1]


def test_continuous_integration_runs_the_readmes_test_command() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert _readme_commands()[1] in lines
    assert sum("pytest" in line for line in lines) == 1
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_every_direct_dependency_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(
        re.match(r"[\w.-]+==[\w.]+(; python_version [<>=]+ \"[\d.]+\")?$", p)
        for p in pins
    )
    assert "torch==2.13.0" in pins
    needed = {_name(requirement) for requirement in metadata.requires("hspy_ml")}
    assert needed <= {_name(pin) for pin in pins}


def test_hyperspy_reads_a_mapping_that_overrides_no_signal() -> None:
    contents = (PACKAGE / "hyperspy_extension.yaml").read_text()
    assert yaml.safe_load(contents) == {"signals": {}}
    assert (ROOT / "hyperspy_extension.yaml").read_text() == contents


def test_two_entry_points_and_one_of_them_is_dotted() -> None:
    points = metadata.distribution("hspy_ml").entry_points
    ours = {p.name: p.value for p in points if p.group == "hyperspy.extensions"}
    assert ours == {
        "hspy_ml": "hspy_ml",
        "hspy_ml.registration": "hspy_ml.registration",
    }


def test_version_stands_in_one_place() -> None:
    assert metadata.version("hspy_ml") == hspy_ml.__version__


@pytest.mark.parametrize("name", hspy_ml.__all__)
def test_public_names_are_found(name: str) -> None:
    assert name in dir(hspy_ml)
    assert getattr(hspy_ml, name) is not None


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'g_matrices'"):
        hspy_ml.g_matrices  # noqa: B018


def test_import_needs_the_standard_library_alone() -> None:
    code = (
        "import sys; old = {*sys.modules}; import hspy_ml; print(*{*sys.modules} - old)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "hspy_ml" in loaded
    assert loaded - {"hspy_ml"} <= sys.stdlib_module_names


def test_only_a_network_needs_torch() -> None:
    code = (
        "import sys, hspy_ml.signals.ml_quantify, hspy_ml.signals.methods; "
        "print(*{'torch', 'safetensors', 'filelock', 'numba'} & {*sys.modules})"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_every_file_says_its_licence() -> None:
    assert "GNU GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text()
    sources = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    first = "# SPDX-License-Identifier: GPL-3.0-or-later\n"
    assert [s for s in sources if not s.read_text().startswith(first)] == []


def _sources() -> set[str]:
    """Files of the package that must be in a wheel, relative to its root."""
    kinds = {".py", ".yaml", ".csv", ".safetensors"}
    files = (file for file in PACKAGE.rglob("*") if file.suffix in kinds)
    return {file.relative_to(ROOT).as_posix() for file in files}


@pytest.mark.slow
def test_wheel_from_the_sdist_holds_the_yaml_and_the_tables(tmp_path: Path) -> None:
    copy = tmp_path / "source"
    leave = shutil.ignore_patterns(
        ".git", ".venv*", "*.egg-info", "__pycache__", ".*cache"
    )
    shutil.copytree(ROOT, copy, symlinks=True, ignore=leave)
    command = [sys.executable, "-m", "build", "--outdir", str(tmp_path), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    with ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if name.startswith("hspy_ml/")}
        extension = wheel.read("hspy_ml/hyperspy_extension.yaml").decode()
    assert _sources() <= held
    assert any(
        name.startswith("hspy_ml/tables/") and name.endswith(".csv") for name in held
    )
    assert yaml.safe_load(extension) == {"signals": {}}
