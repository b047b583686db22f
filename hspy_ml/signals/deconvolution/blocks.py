# SPDX-License-Identifier: GPL-3.0-or-later
"""A deconvolver applied to all spectra of a signal, block by block."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..progress import progress_bar

__all__ = ["DeconvolvedArrays", "deconvolved", "lazily_deconvolved", "sampled_spectra"]

BLOCK = 64  # spectra that are deconvolved together
SAMPLE = 256  # spectra on which it is decided how
_PER_SPECTRUM = 3  # values of each spectrum beside those of its channels

Apply = Callable[[np.ndarray, np.ndarray], Any]


@dataclass(frozen=True, eq=False)
class DeconvolvedArrays:
    """What is known of each spectrum; numpy or dask arrays.

    Parameters
    ----------
    spectra, variance : array of float32, shape (n_pixels, n_channels)
        NaN in pixels that were left out.
    deviance : array, shape (n_pixels,)
        Reduced deviance between the result, convolved again, and the data.
    flagged : array of bool, shape (n_pixels,)
    shift : array, shape (n_pixels,)
        Where the zero loss was, in channels from where it is put.
    """

    spectra: Any
    variance: Any
    deviance: Any
    flagged: Any
    shift: Any

    @classmethod
    def unpacked(cls, packed: Any) -> DeconvolvedArrays:
        """Take apart what `_packed` put into one array."""
        n_channels = (packed.shape[-1] - _PER_SPECTRUM) // 2
        return cls(
            packed[..., :n_channels],
            packed[..., n_channels : 2 * n_channels],
            packed[..., -3],
            packed[..., -2] > 0,
            packed[..., -1],
        )


def sampled_spectra(
    spectra: Any, excluded: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Spectra from all over the map, on which it is decided how to deconvolve.

    Parameters
    ----------
    spectra : array, shape (n_pixels, n_channels)
        Numpy or dask.
    excluded : ndarray of bool, shape (n_pixels,)

    Returns
    -------
    sample : ndarray, shape (n_sampled, n_channels)
        Those that are finite and hold something.
    pixels : ndarray of int, shape (n_sampled,)

    Raises
    ------
    ValueError
        If there are none.
    """
    pixels = np.flatnonzero(~excluded)
    n_sampled = min(SAMPLE, pixels.size)
    places = (np.arange(n_sampled) + 0.5) * pixels.size / n_sampled
    pixels = pixels[places.astype(int)]
    sample = np.asarray(spectra[pixels])
    usable = _usable(sample)
    if not usable.any():
        raise ValueError(
            f"None of the {n_sampled} spectra of `s` that were looked at is finite and "
            "holds counts; mask what is no data with `navigation_mask`, and replace "
            "NaN with `np.nan_to_num`."
        )
    return sample[usable], pixels[usable]


def deconvolved(
    apply: Apply,
    spectra: np.ndarray,
    excluded: np.ndarray,
    show_progressbar: bool | None,
    num_workers: int | None,
) -> DeconvolvedArrays:
    """Deconvolve spectra that are in memory, several blocks side by side.

    Parameters
    ----------
    apply : callable
        Takes spectra and the pixels that they are of; its result has `spectra`,
        `errors`, `deviance`, `flagged` and `shifts`.
    spectra : ndarray, shape (n_pixels, n_channels)
    excluded : ndarray of bool, shape (n_pixels,)
    show_progressbar : bool or None
    num_workers : int or None

    Returns
    -------
    DeconvolvedArrays
        If the user interrupts it, what is not done is NaN, and a warning says so.
    """
    from ...networks.threads import available_cores, one_torch_thread

    pixels = np.flatnonzero(~excluded)
    n_workers = num_workers or available_cores()
    size = min(BLOCK, -(-pixels.size // n_workers))
    blocks = [pixels[i : i + size] for i in range(0, pixels.size, size)]
    packed = np.full(
        (spectra.shape[0], 2 * spectra.shape[1] + _PER_SPECTRUM), np.nan, np.float32
    )

    def run(block: np.ndarray) -> int:
        packed[block] = _packed(apply, spectra[block], block)
        return block.size

    with (
        one_torch_thread(),
        progress_bar(
            show_progressbar, "deconvolve_net", "spectra", pixels.size
        ) as progress,
    ):
        n_done = _run_all(run, blocks, n_workers, progress)
    if n_done < pixels.size:
        warnings.warn(
            f"Interrupted: {n_done} of {pixels.size} spectra are done, the others are "
            "NaN.",
            stacklevel=2,
        )
    return DeconvolvedArrays.unpacked(packed)


def lazily_deconvolved(
    apply: Apply, spectra: Any, excluded: np.ndarray
) -> DeconvolvedArrays:
    """Deconvolve spectra when they are asked for.

    Parameters
    ----------
    apply : callable
        Takes spectra and the pixels that they are of; its result has `spectra`,
        `errors`, `deviance`, `flagged` and `shifts`.
    spectra : dask array, shape (n_pixels, n_channels)
    excluded : ndarray of bool, shape (n_pixels,)

    Returns
    -------
    DeconvolvedArrays
        Of dask arrays.
    """
    import dask.array as da

    spectra = spectra.rechunk({0: "auto", 1: -1}, block_size_limit=2**23)
    pixels = np.where(excluded, -1, np.arange(excluded.size))[:, None]
    n_values = 2 * spectra.shape[1] + _PER_SPECTRUM
    packed = da.map_blocks(
        _packed_chunk,
        spectra,
        da.from_array(pixels, chunks=(spectra.chunks[0], 1)),
        apply=apply,
        chunks=(spectra.chunks[0], (n_values,)),
        dtype=np.float32,
        meta=np.empty((0, 0), np.float32),
    )
    return DeconvolvedArrays.unpacked(packed)


def _run_all(
    run: Callable[[np.ndarray], int],
    blocks: list[np.ndarray],
    n_workers: int,
    progress: Callable[[int], None],
) -> int:
    """Run all blocks; how many spectra were done when it ended or was interrupted."""
    n_done = 0
    pool = ThreadPoolExecutor(n_workers)
    waiting: set[Future[int]] = {pool.submit(run, block) for block in blocks}
    try:
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                n_done += future.result()
                progress(future.result())
    except KeyboardInterrupt:
        pass
    finally:
        pool.shutdown(cancel_futures=True)
    return n_done


def _packed_chunk(spectra: np.ndarray, pixels: np.ndarray, apply: Apply) -> np.ndarray:
    """One chunk of a lazy signal."""
    from ...networks.threads import one_torch_thread

    packed = np.full(
        (spectra.shape[0], 2 * spectra.shape[1] + _PER_SPECTRUM), np.nan, np.float32
    )
    used = np.flatnonzero(pixels[:, 0] >= 0)
    with one_torch_thread():
        for start in range(0, used.size, BLOCK):
            block = used[start : start + BLOCK]
            packed[block] = _packed(apply, spectra[block], pixels[block, 0])
    return packed


def _packed(apply: Apply, spectra: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Deconvolve a block; spectra that hold nothing, or NaN, are flagged."""
    n_channels = spectra.shape[1]
    packed = np.zeros((spectra.shape[0], 2 * n_channels + _PER_SPECTRUM), np.float32)
    usable = _usable(spectra)
    packed[~usable, -2] = 1.0
    packed[~np.isfinite(spectra).all(axis=1)] = np.nan
    packed[~np.isfinite(spectra).all(axis=1), -2] = 1.0
    if usable.any():
        found = apply(spectra[usable], pixels[usable])
        packed[usable, :n_channels] = found.spectra
        packed[usable, n_channels : 2 * n_channels] = np.square(found.errors)
        packed[usable, -3] = found.deviance
        packed[usable, -2] = found.flagged
        packed[usable, -1] = found.shifts
    return packed


def _usable(spectra: np.ndarray) -> np.ndarray:
    return np.isfinite(spectra).all(axis=1) & spectra.any(axis=1)
