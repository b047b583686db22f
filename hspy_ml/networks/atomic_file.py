# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path
from uuid import uuid4

SUFFIX = ".safetensors"
PART = ".part"


def checked_target(
    path: str | PathLike[str], name: str = "path", overwrite: bool = False
) -> Path:
    """A path that a safetensors file can be written to.

    Parameters
    ----------
    path : path
        As given by the user.
    name : str
        What the user calls it, for the messages.
    overwrite : bool
        Whether a file that is there may be replaced.

    Returns
    -------
    pathlib.Path
        The same path.

    Raises
    ------
    ValueError
        If it does not end in ``.safetensors``.
    FileNotFoundError, FileExistsError, IsADirectoryError
        If its folder is not there, or a file or a folder is.
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        raise ValueError(
            f"`{name}` is {str(path)!r}; give a name that ends in {SUFFIX!r}."
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"`{name}` is {str(path)!r}, and there is no folder {str(path.parent)!r}; "
            "make it first, or give another one."
        )
    if path.is_dir():
        raise IsADirectoryError(f"`{name}` is {str(path)!r}, a folder; name a file.")
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"`{name}` is {str(path)!r}, which exists; give `overwrite=True` or "
            "another name."
        )
    return path


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there when it is whole.

    Parameters
    ----------
    path : pathlib.Path
        Replaced if it exists.
    data : bytes
        The content.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left behind.
    """
    part = path.with_name(f".{path.name}.{uuid4().hex}{PART}")
    try:
        with open(part, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
