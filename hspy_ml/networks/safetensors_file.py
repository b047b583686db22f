# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading safetensors files that somebody else may have made.

The file is eight bytes (the length of the header, little-endian), a header in JSON
(names, types, shapes and places of the tensors, and free text under
``__metadata__``), and the numbers. Nothing in it can be executed; whatever is not of
this form is refused before any of it is interpreted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import numpy as np

# a header of a model takes kilobytes; a damaged length must not fill the memory
MAX_HEADER_BYTES = 16 * 2**20

_LOOKS = (
    (b"PK\x03\x04", "a zip archive, such as torch.save (.pt, .pth) or Keras write"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, such as HyperSpy or Keras write"),
    (b"\x93NUMPY", "a NumPy array (.npy)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"GGUF", "a GGUF file"),
    (b"version https://git-lfs", "a pointer of Git LFS in place of the file itself"),
    (b"<", "a web page or XML, perhaps of a download that failed"),
    *((bytes([0x80, n]), "a pickle, such as torch.save wrote") for n in range(1, 6)),
)


@dataclass(frozen=True, eq=False)
class TensorFile:
    """An open safetensors file whose header has been checked.

    Attributes
    ----------
    path : pathlib.Path
        Where it is.
    metadata : mapping of str to str
        The free text of its header.
    """

    path: Path
    metadata: Mapping[str, str]
    _file: BinaryIO

    def read_weights(self) -> dict[str, np.ndarray]:
        """Read the arrays.

        Returns
        -------
        dict of str to ndarray
            New arrays, by name.

        Raises
        ------
        ValueError
            If types, shapes and places of the arrays contradict one another.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        self._file.seek(0)
        try:
            arrays = load(self._file.read())
        except (SafetensorError, KeyError, ValueError) as error:
            raise damaged(self.path, f"its arrays cannot be read: {error}") from error
        return {name: np.array(array) for name, array in arrays.items()}


@contextmanager
def open_tensors(path: str | PathLike[str]) -> Iterator[TensorFile]:
    """Open a safetensors file and check its header.

    Parameters
    ----------
    path : path
        Of the file.

    Yields
    ------
    TensorFile
        Its metadata, and its arrays when they are asked for.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ValueError
        If it is something else, truncated or damaged.
    """
    path = Path(path)
    _check_is_file(path)
    with open(path, "rb") as file:
        yield TensorFile(path, _read_metadata(path, file), file)


def damaged(path: Path, reason: str) -> ValueError:
    """The error of a file that contradicts itself.

    Parameters
    ----------
    path : pathlib.Path
        Of the file.
    reason : str
        What is wrong with it.

    Returns
    -------
    ValueError
        To be raised.
    """
    return ValueError(f"{path} is damaged: {reason}. Copy or download it again.")


def _check_is_file(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the file of one model.")
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {path}; give the path of a saved model, or train one."
        )


def _read_metadata(path: Path, file: BinaryIO) -> dict[str, str]:
    size = os.fstat(file.fileno()).st_size
    length = _header_length(path, file.read(32), size)
    file.seek(8)
    header = _parsed(path, file.read(length))
    metadata = header.pop("__metadata__", {})
    if not _is_text(metadata):
        raise damaged(path, "the metadata of its header are not text")
    _check_size(path, size, 8 + length + _end_of_arrays(path, header))
    return metadata


def _header_length(path: Path, start: bytes, size: int) -> int:
    if start[8:9] != b"{":
        raise ValueError(
            f"{path} is not a safetensors file: {_looks_like(start)}. It was not "
            "opened, because such a file can hold code that runs when it is read. "
            "Give a model that `hspy_ml` saved."
        )
    length = int.from_bytes(start[:8], "little")
    if not 2 <= length <= MAX_HEADER_BYTES:
        raise damaged(path, f"its header claims to have {length} bytes")
    _check_size(path, size, 8 + length)
    return length


def _looks_like(start: bytes) -> str:
    if not start:
        return "it is empty"
    for magic, meaning in _LOOKS:
        if start.startswith(magic):
            return f"it looks like {meaning}"
    return f"it begins with {start[:8]!r}"


def _check_size(path: Path, size: int, expected: int) -> None:
    if size < expected:
        raise ValueError(
            f"{path} is truncated: it has {size} bytes of {expected} or more. Copy or "
            "download it again."
        )


def _parsed(path: Path, text: bytes) -> dict:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"its header is no JSON ({error})") from error
    if not isinstance(header, dict):
        raise damaged(path, "its header is no JSON object")
    return header


def _is_text(metadata: object) -> bool:
    return isinstance(metadata, dict) and all(
        isinstance(value, str) for value in metadata.values()
    )


def _end_of_arrays(path: Path, header: dict) -> int:
    try:
        return max(
            (int(entry["data_offsets"][1]) for entry in header.values()), default=0
        )
    except (TypeError, KeyError, IndexError, ValueError, OverflowError) as error:
        raise damaged(path, "its header does not say where its arrays are") from error
