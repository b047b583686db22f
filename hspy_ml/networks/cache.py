# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache of models: what was trained once need not be trained again."""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .atomic_file import PART, SUFFIX
from .model_card import ModelCard
from .model_file import StoredModel, model_info, save_model

if TYPE_CHECKING:
    from filelock import BaseFileLock

VARIABLE = "HSPY_ML_MODELS"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
_LOOK_AGAIN_S = 0.2  # while another process holds the lock

_logger = logging.getLogger(__name__)


def models_folder() -> Path:
    """The folder of the cache; it is made when a model is first stored.

    Returns
    -------
    pathlib.Path
        What the environment variable ``HSPY_ML_MODELS`` says, or ``hspy_ml/models`` in
        the system's folder for caches.
    """
    chosen = os.environ.get(VARIABLE, "").strip()
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("hspy_ml", appauthor=False) / "models"


def find_models(task: str | None = None) -> list[tuple[Path, ModelCard]]:
    """The models in the cache, the newest first; their weights are not read.

    Parameters
    ----------
    task : str, optional
        Only those for this task.

    Returns
    -------
    list of (pathlib.Path, ModelCard)
        Files that cannot be read are left out, and logged.
    """
    dated = [
        (written, path, card)
        for written, path, card in _readable_models()
        if task is None or card.task == task
    ]
    dated.sort(key=lambda entry: (-entry[0], entry[1].name))
    return [(path, card) for _, path, card in dated]


def _readable_models() -> Iterator[tuple[int, Path, ModelCard]]:
    try:
        paths = sorted(models_folder().glob(f"[!.]*{SUFFIX}"))
    except OSError as error:
        _logger.info("The cache of models cannot be read: %s", error)
        return
    for path in paths:
        try:
            yield path.stat().st_mtime_ns, path, model_info(path)
        except (OSError, ValueError) as error:
            _logger.info("A file in the cache of models is left out: %s", error)


def store_in_cache(stored: StoredModel, name: str) -> Path | None:
    """Keep a model in the cache.

    Parameters
    ----------
    stored : StoredModel
        Replaces one of the same name.
    name : str
        Letters, digits, ".", "_" and "-"; the file is ``name.safetensors``.

    Returns
    -------
    pathlib.Path or None
        Where it is, or None, with a warning, if the cache cannot be written.

    Raises
    ------
    ValueError
        If the name has other characters.
    """
    path = models_folder() / f"{_checked_name(name)}{SUFFIX}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_model(path, stored, overwrite=True)
    except OSError as error:
        warnings.warn(
            f"The model is not kept for the next time: the cache {path.parent} cannot "
            f"be written ({error}). Set the environment variable {VARIABLE} to a "
            "folder that can, or save the model yourself.",
            stacklevel=2,
        )
        return None
    return path


def trained_once(
    name: str,
    find: Callable[[], StoredModel | None],
    make: Callable[[], StoredModel],
) -> StoredModel:
    """Find a model, or make it in one process while the others wait for it.

    Parameters
    ----------
    name : str
        Of the model in the cache; processes that give the same name wait for each
        other. Letters, digits, ".", "_" and "-".
    find : callable
        Gives the model if there is one, or None.
    make : callable
        Trains it. What it raises is raised here, nothing is stored, and a process that
        waits trains in its place.

    Returns
    -------
    StoredModel
        What was found or made. Where the cache cannot be written, it is made, and a
        warning says that it is not kept.

    Raises
    ------
    ValueError
        If the name has other characters.
    """
    _checked_name(name)
    found = find()
    if found is not None:
        return found
    with _locked(name):
        found = find()
        if found is not None:
            return found
        made = make()
        store_in_cache(made, name)
    return made


def clear_models() -> int:
    """Remove the models from the cache.

    Returns
    -------
    int
        How many were removed. Other files in the folder are left alone.

    Raises
    ------
    OSError
        If one cannot be removed.
    """
    paths = [path for _, path, _ in _readable_models()]
    for path in paths:
        path.unlink(missing_ok=True)
    for rest in models_folder().glob(f".*{SUFFIX}.*{PART}"):
        rest.unlink(missing_ok=True)
    return len(paths)


def _checked_name(name: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            f"`name` is {name!r}; give up to 120 letters, digits, '.', '_' and '-', "
            "the first a letter or a digit."
        )
    return name


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """Hold the lock of a name; none where the folder cannot hold one."""
    lock = _acquired(name)
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def _acquired(name: str) -> BaseFileLock | None:
    """The lock, once it is ours; the system frees that of a process that is killed."""
    from filelock import FileLock, Timeout

    folder = models_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            _logger.info("Another process trains the model %s: waiting for it.", name)
            lock.acquire(poll_interval=_LOOK_AGAIN_S)
    except (OSError, NotImplementedError) as error:
        _logger.info("The cache of models cannot be locked: %s", error)
        return None
    return lock
