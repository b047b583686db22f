# SPDX-License-Identifier: GPL-3.0-or-later
"""A deconvolution network trained on the user's own spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..acquisition import technique_of
from ..axes import energy_axis
from ..data import signal_array
from ..masks import flat_navigation_mask
from ..options import check_amount, check_choice
from ..progress import of_all_done, progress_bar
from .blocks import sampled_spectra
from .given_response import given_response
from .loading import given_model

if TYPE_CHECKING:
    from os import PathLike

    from ...deconvolution.deconvolver_model import DeconvolverModel

__all__ = ["ARCHITECTURES", "train_deconvolver"]

ARCHITECTURES = ("dilated U-net", "EELSpecNet")


def train_deconvolver(
    s: Any,
    psf: Any = None,
    *,
    model: Any = None,
    architecture: str = "dilated U-net",
    n_steps: int | None = None,
    navigation_mask: Any = None,
    checkpoint: str | PathLike[str] | None = None,
    random_state: int = 0,
    show_progressbar: bool | None = None,
) -> DeconvolverModel:
    """Train a network on spectra as they are measured here.

    Reference spectra are made of the principal components of the map, deconvolved and
    smoothed to what the noise allows; they are convolved with the PSF and get the
    noise of the data; and the network learns to undo that. Half of what it is shown
    is simulated, so that it knows more than this specimen.

    Parameters
    ----------
    s : EELSSpectrum
        Low-loss spectra, a map of some tens of spectra or more.
    psf : BaseSignal, array or "data", optional
        As for ``s.deconvolve_net``; by default it is estimated from the spectra.
    model : DeconvolverModel or path, optional
        To go on from; by default the one that comes with the package.
    architecture : {"dilated U-net", "EELSpecNet"}
        The second is the network of Mousavi M. et al., trained from the start.
    n_steps : int, optional
        Of the training; by default as many as take some five minutes.
    navigation_mask : array of bool, BaseSignal or float, optional
        Pixels to leave out (True).
    checkpoint : path, optional
        File in which the best state is kept while it trains.
    random_state : int, default 0
    show_progressbar : bool, optional
        By default as in HyperSpy's preferences.

    Returns
    -------
    DeconvolverModel
        ``s.deconvolve_net(model)`` uses it; ``model.save(path)`` keeps it in a file
        that cannot run code. After Ctrl-C it is the best state that was reached.

    Raises
    ------
    TypeError, ValueError
        If `s` is no low-loss EELS signal, or a parameter does not allow it.

    Examples
    --------
    >>> model = hspy_ml.train_deconvolver(s, psf=vacuum)  # doctest: +SKIP
    >>> sharp = s.deconvolve_net(model, psf=vacuum)  # doctest: +SKIP
    """
    from ...deconvolution.own_training import default_steps, train_on_spectra

    _check_eels(s)
    check_choice("architecture", architecture, ARCHITECTURES)
    check_amount("random_state", random_state, zero=True)
    if n_steps is not None:
        check_amount("n_steps", n_steps)
    spectra = signal_array(s)
    excluded = flat_navigation_mask(s, navigation_mask)
    sample, pixels = sampled_spectra(spectra, excluded)
    response = None
    if psf is not None:
        given = given_response(s, psf, spectra, excluded)
        response = given.response.select(pixels)
    n_steps = n_steps or default_steps(architecture)
    with progress_bar(show_progressbar, "training", "steps", n_steps) as progress:
        return train_on_spectra(
            sample,
            energy_axis(s, "eV"),
            response=response,
            start=given_model(model),
            architecture=architecture,
            n_steps=n_steps,
            checkpoint=checkpoint,
            random_state=random_state,
            progress=of_all_done(progress),
        )


def _check_eels(s: Any) -> None:
    technique = technique_of(s)
    if technique != "EELS":
        raise ValueError(
            f"`s` is of the type {technique}; networks for it are made by `python -m "
            "hspy_ml.deconvolution.xray_default`, and one comes with the package. "
            "Give low-loss EELS spectra."
        )
