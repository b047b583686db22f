# SPDX-License-Identifier: GPL-3.0-or-later
"""The notebooks: as they are committed, and executed from the first cell."""

import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_BYTES = 2e6
CELL_SECONDS = 900

# "/home/me", "C:\Users", but neither "../shared" nor "counts/pixel" nor a URL
ABSOLUTE_PATH = re.compile(r"(?<![\w./:)])(?:/[\w.-]+/[\w.-]+|[A-Za-z]:\\+\w)")

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def _code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _texts(output):
    """All that can be read of an output; images are left out."""
    yield output.get("text", "")
    yield "\n".join(output.get("traceback", []))
    for kind, data in output.get("data", {}).items():
        if not kind.startswith("image/"):
            yield data if isinstance(data, str) else repr(data)


def _assert_no_absolute_path(text, where):
    found = ABSOLUTE_PATH.search(text)
    assert found is None, f"{where} holds {found and found.group()!r}"


@pytest.mark.parametrize(
    "text", ["see /home/me/map.bcf", "'/srv/data'", r"C:\Users\me", "(/opt/x/y.py:3)"]
)
def test_absolute_paths_are_seen(text):
    assert ABSOLUTE_PATH.search(text)


@pytest.mark.parametrize(
    "text", ["../../shared/data/a.bcf", "counts/pixel", "https://host/page", "a / b"]
)
def test_other_strokes_are_no_absolute_paths(text):
    assert not ABSOLUTE_PATH.search(text)


@pytest.mark.skipif(not FOLDER.is_dir(), reason="a source distribution has none")
def test_there_are_notebooks():
    assert NOTEBOOKS


@each_notebook
def test_it_is_valid_and_small(path):
    nbformat.validate(nbformat.read(path, as_version=4))
    assert path.stat().st_size < MOST_BYTES


@each_notebook
def test_it_was_executed_from_top_to_bottom(path):
    cells = _code_cells(nbformat.read(path, as_version=4))
    assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)]
    outputs = [output for cell in cells for output in cell.outputs]
    assert "error" not in {output.output_type for output in outputs}
    images = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(images) >= 5


@each_notebook
def test_it_knows_nothing_of_the_machine(path):
    notebook = nbformat.read(path, as_version=4)
    for index, cell in enumerate(notebook.cells):
        _assert_no_absolute_path(cell.source, f"the source of cell {index}")
        for output in cell.get("outputs", []):
            for text in _texts(output):
                _assert_no_absolute_path(text, f"the output of cell {index}")
        assert "execution" not in cell.metadata, "the times of the execution are kept"


@pytest.mark.slow
@each_notebook
def test_it_runs(path):
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=CELL_SECONDS,
        resources={"metadata": {"path": str(FOLDER)}},
    ).execute()  # raises CellExecutionError, with cell and traceback
    counts = [cell.execution_count for cell in _code_cells(notebook)]
    assert counts == [*range(1, len(counts) + 1)]
