# SPDX-License-Identifier: GPL-3.0-or-later
"""What the signals gain about phases: arguments, docstrings, and one call each.

As in `methods`, nothing but the standard library is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from os import PathLike

    import numpy as np
    from hyperspy.signal import BaseSignal

    from ..classification.phase_model import PhaseModel
    from ..physics.acquisition import Detector
    from .classification.result import ClassificationResult
    from .result import PhysicsNMFResult
    from .sampling.result import SamplingResult


def classify_phases(
    self: BaseSignal,
    model: PhaseModel | str | PathLike[str] | None = None,
    *,
    references: Mapping[str, Any] | PhysicsNMFResult | None = None,
    labels: np.ndarray | BaseSignal | Mapping[str, Any] | None = None,
    names: Sequence[str] | None = None,
    method: Literal["auto", "likelihood", "network", "seed"] = "auto",
    detector: Detector | str = "auto",
    false_alarms: float | None = None,
    navigation_mask: np.ndarray | BaseSignal | float | None = None,
    signal_mask: np.ndarray | BaseSignal | None = None,
    random_state: int | None = None,
    show_progressbar: bool | None = None,
    num_workers: int | None = None,
) -> ClassificationResult:
    """Say of every pixel which phase it is, or that it is none of them.

    Two stages: is the spectrum of a phase that is known? Which one? What is known of
    the phases is a model, reference spectra or compositions, or pixels with labels:
    one of `model`, `references` and `labels` is needed.

    Parameters
    ----------
    model : PhaseModel or path, optional
        What ``hspy_ml.train_classifier`` returned, or its file.
    references : mapping or PhysicsNMFResult, optional
        By name: spectra (signals of one spectrum or many, or arrays of the channels
        of `self`); or compositions, as formulas such as "Mg1.8Fe0.2SiO4" or mappings of
        symbols to numbers of atoms, whose spectra are simulated for the instrument;
        or what ``s.physics_nmf`` returned.
    labels : array of int, BaseSignal or mapping, optional
        Pixels that are known: a map in the shape of the array (rows, columns), 0 where
        nothing is known and from 1 for the phases; or by name a mask of the map or a
        list of pixels, (x, y) as in ``s.inav[x, y]``.
    names : sequence of str, optional
        Of the phases of `labels` that are a map.
    method : {"auto", "likelihood", "network", "seed"}
        "likelihood": the probability of the counts under the mean spectra of the
        phases, and score tests of anything else. "network": a convolutional network
        that is trained to bear what instruments and specimens do to spectra. "seed":
        the two networks of Zhang et al. [1]_. "auto" takes what errs least for such
        references, and says why in ``result.notes``.
    detector : Detector or str, default "auto"
        For compositions: as for ``s.ml_quantify``.
    false_alarms : float, optional
        Share of the spectra of known phases that may be called unknown; by default
        that of the model, 0.001 for a new one.
    navigation_mask : array of bool, BaseSignal or float, optional
        Pixels to leave out (True), in the navigation shape; a float is the threshold
        of ``vacuum_mask``.
    signal_mask : array of bool or BaseSignal, optional
        Channels to leave out (True); by default, of X-rays, those below 0.2 keV and
        above the beam energy. Not together with `model`, which has its own.
    random_state : int, optional
        The seed of what is drawn to calibrate and train; 0 by default.
    show_progressbar : bool, optional
        By default as in HyperSpy's preferences.
    num_workers : int, optional
        Threads; all cores by default.

    Returns
    -------
    ClassificationResult
        ``labels`` (0 for no phase that is known), ``probabilities``, ``confidence``,
        ``area_fractions`` with intervals, ``mean_spectra``, ``confusion(truth)``,
        ``plot()`` and ``save(path)``.

    Raises
    ------
    ValueError, TypeError
        If the signal, its metadata or a parameter does not allow it; the message
        says what to do.

    References
    ----------
    .. [1] Y. Zhang et al., Ultramicroscopy 184 (2018) 90.

    Examples
    --------
    >>> result = s.classify_phases(  # doctest: +SKIP
    ...     references={"olivine": "Mg1.8Fe0.2SiO4", "spinel": "MgAl2O4"}
    ... )
    >>> result.plot()  # doctest: +SKIP
    """
    from .classification.classify import classify_phases as run

    return run(
        self,
        model,
        references=references,
        labels=labels,
        names=names,
        method=method,
        detector=detector,
        false_alarms=false_alarms,
        navigation_mask=navigation_mask,
        signal_mask=signal_mask,
        random_state=random_state,
        show_progressbar=show_progressbar,
        num_workers=num_workers,
    )


def dynamic_sampling(
    self: BaseSignal,
    model: PhaseModel | str | PathLike[str] | None = None,
    *,
    references: Mapping[str, Any] | PhysicsNMFResult | None = None,
    labels: np.ndarray | BaseSignal | Mapping[str, Any] | None = None,
    names: Sequence[str] | None = None,
    method: Literal["auto", "likelihood", "network", "seed"] = "auto",
    detector: Detector | str = "auto",
    fraction: float = 0.2,
    target_distortion: float | None = None,
    dwell_share: float = 1.0,
    unknown: Literal["missing", "likeliest"] = "missing",
    batch_size: int = 1,
    navigation_mask: np.ndarray | BaseSignal | float | None = None,
    signal_mask: np.ndarray | BaseSignal | None = None,
    random_state: int | None = None,
    show_progressbar: bool | None = None,
    num_workers: int | None = None,
) -> SamplingResult:
    """Replay the acquisition of a map that measures only the pixels that matter.

    Supervised learning approach for dynamic sampling (SLADS) [1]_, [2]_: after each
    spectrum its phase is found, the map of phases is reconstructed from all that are
    known, and the pixel is measured next that is expected to correct it most. The
    full map tells how good the outcome is. At a microscope,
    :class:`hspy_ml.sampling.DynamicSampler` chooses the pixels.

    Parameters
    ----------
    model, references, labels, names, method, detector, signal_mask
        What is known of the phases, as for ``s.classify_phases``.
    fraction : float, default 0.2
        Share of the pixels to measure, at most.
    target_distortion : float, optional
        Stop before, as soon as the share of wrong pixels is estimated to be this.
    dwell_share : float, default 1
        Share of its counts that a measured pixel gets (drawn by binomial thinning): the
        map of a shorter dwell.
    unknown : {"missing", "likeliest"}
        What a pixel is whose spectrum is of no phase that is known: a measurement that
        failed, or of the phase that is likeliest, as suits mixtures at boundaries.
    batch_size : int, default 1
        Pixels to choose at once.
    navigation_mask : array of bool, BaseSignal or float, optional
        Pixels never to measure (True), in the navigation shape.
    random_state : int, optional
        Makes the sampling repeat exactly; 0 by default.
    show_progressbar : bool, optional
        By default as in HyperSpy's preferences.
    num_workers : int, optional
        Threads; all cores by default.

    Returns
    -------
    SamplingResult
        ``mask`` of the measured pixels, ``reconstruction``, ``distortion`` against the
        full map beside its estimate, ``dose``, ``navigation_mask`` for
        ``s.physics_nmf`` and ``s.ml_quantify``, ``inpaint(maps)``, ``plot()`` and
        ``animate()``.

    Raises
    ------
    ValueError, TypeError
        If the signal, its metadata or a parameter does not allow it; the message
        says what to do.

    References
    ----------
    .. [1] G. M. D. Godaliyadda et al., IEEE Trans. Comput. Imaging 4 (2018) 1.
    .. [2] Y. Zhang et al., Ultramicroscopy 184 (2018) 90.

    Examples
    --------
    >>> result = s.dynamic_sampling(  # doctest: +SKIP
    ...     references={"olivine": "Mg1.8Fe0.2SiO4", "spinel": "MgAl2O4"}, fraction=0.1
    ... )
    >>> s.physics_nmf(2, navigation_mask=result.navigation_mask)  # doctest: +SKIP
    """
    from .sampling.dynamic_sampling import dynamic_sampling as run

    return run(
        self,
        model,
        references=references,
        labels=labels,
        names=names,
        method=method,
        detector=detector,
        fraction=fraction,
        target_distortion=target_distortion,
        dwell_share=dwell_share,
        unknown=unknown,
        batch_size=batch_size,
        navigation_mask=navigation_mask,
        signal_mask=signal_mask,
        random_state=random_state,
        show_progressbar=show_progressbar,
        num_workers=num_workers,
    )
