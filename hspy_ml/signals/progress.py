# SPDX-License-Identifier: GPL-3.0-or-later
"""HyperSpy's progress bar around passes or pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(
    show_progressbar: bool | None,
    description: str = "physics_nmf",
    unit: str = "passes",
    total: int | None = None,
) -> Iterator[Callable[[int], None]]:
    """Show how much is done.

    Parameters
    ----------
    show_progressbar : bool or None
        None follows HyperSpy's preferences.
    description : str
        What stands before the bar.
    unit : str
        What is counted.
    total : int, optional
        How many there are, where that is known.

    Yields
    ------
    callable
        To be called with the number just done.
    """
    from hyperspy.external.progressbar import progressbar

    if show_progressbar is None:
        from hyperspy.defaults_parser import preferences

        show_progressbar = preferences.General.show_progressbar
    with progressbar(
        desc=description,
        unit=f" {unit}",
        total=total,
        disable=not show_progressbar,
    ) as bar:
        yield bar.update


def of_all_done(update: Callable[[int], None]) -> Callable[[int], None]:
    """Turn a bar's update into one that is told how many are done in all.

    Parameters
    ----------
    update : callable
        What :func:`progress_bar` yields; it takes how many more are done.

    Returns
    -------
    callable
        Takes how many are done, as a training says.
    """
    done = 0

    def tell(n_done: int) -> None:
        nonlocal done
        update(n_done - done)
        done = n_done

    return tell
