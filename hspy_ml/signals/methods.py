# SPDX-License-Identifier: GPL-3.0-or-later
"""What the signals gain: arguments, docstrings, and one call each.

The functions here are set on exspy's classes as they stand, while HyperSpy is
only half imported: this module, `phase_methods` and `deconvolution_methods` need
nothing but the standard library, and what does the work is imported when a method is
called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .deconvolution_methods import deconvolve_net
from .phase_methods import classify_phases, dynamic_sampling

if TYPE_CHECKING:
    from os import PathLike

    import numpy as np
    from hyperspy.signal import BaseSignal

    from ..physics.acquisition import Detector
    from ..physics.gmatrix import GMatrix
    from ..quantification.quantifier_model import QuantifierModel
    from .quantification.result import QuantificationResult
    from .result import PhysicsNMFResult


def physics_nmf(
    self: BaseSignal,
    output_dimension: int | Literal["auto"],
    *,
    elements: Sequence[str] | None = None,
    g_matrix: GMatrix | None = None,
    algorithm: Literal["variational", "likelihood"] = "variational",
    navigation_mask: np.ndarray | BaseSignal | float | None = None,
    signal_mask: np.ndarray | BaseSignal | None = None,
    mass_thickness: Literal["auto", "constant", "free"] = "auto",
    fixed_phases: Sequence[Any] | None = None,
    fixed_abundances: np.ndarray | BaseSignal | None = None,
    concentration: float = 0.1,
    resemblance: float | None = None,
    smoothness: float = 0.0,
    sparsity: float = 0.0,
    max_iterations: int = 1000,
    tolerance: float = 2e-4,
    random_state: int | np.random.Generator | None = None,
    show_progressbar: bool | None = None,
    num_workers: int | None = None,
) -> PhysicsNMFResult:
    """Find the phases of a spectrum image, their spectra and compositions.

    The counts are taken as Poisson with the mean ``G W H``: G holds what the
    instrument counts for each element and for the continuum, W how much of them
    a phase holds, and H how much of each phase a pixel holds. Of core-loss EELS, in
    which the background would drown the phases, each pixel is fitted by itself first,
    and H and W are found in the counts of its edges.

    Parameters
    ----------
    output_dimension : int or "auto"
        Number of phases; "auto" takes the number that predicts held-out counts
        best.
    elements : sequence of str, optional
        Symbols of the elements; by default those of ``metadata.Sample.elements``.
    g_matrix : GMatrix, optional
        The instrument's response; by default ``hspy_ml.g_matrix(self, elements)``.
    algorithm : {"variational", "likelihood"}
        "variational" finds the spectra coarse to fine, with a prior under which
        pure pixels are likely, and the maps with a prior from their neighbours.
        "likelihood" goes on from there by multiplicative updates to the nearest
        maximum of the (penalised) likelihood.
    navigation_mask : array of bool, BaseSignal or float, optional
        Pixels to leave out (True). A plain array has HyperSpy's navigation shape
        (x, y), the transpose of the data; a signal has the axes of the map; a
        float is the threshold of ``vacuum_mask``.
    signal_mask : array of bool or BaseSignal, optional
        Channels to leave out (True); by default those below 0.2 keV, unless an
        element has no line above.
    mass_thickness : {"auto", "constant", "free"}
        Whether dose and mass thickness are the same in all pixels; "auto" asks
        whether the totals scatter more than Poisson counts do. If "constant",
        abundances are fractions of a pixel's counts per brightness of the phase,
        if "free" of its mass.
    fixed_phases : sequence, optional
        Phases that are known, each as a composition (a mapping of symbols to
        atomic amounts) or as a spectrum (a signal or an array); they become the
        first phases.
    fixed_abundances : array or BaseSignal, optional
        Maps of all phases, phases first, if they are known; only the spectra are
        fitted then, without standard errors. Not together with ``fixed_phases``.
    concentration : float, default 0.1
        Dirichlet concentration of a phase in a pixel; the smaller, the purer.
    resemblance : float, optional
        How many counts of its own a pixel needs to outweigh its neighbours; by
        default what predicts held-out counts best. 0 leaves the maps unsmoothed.
    smoothness, sparsity : float, default 0
        With ``algorithm="likelihood"``: weights of the maps' roughness (graph
        Laplacian) and of mixing (logarithm), in nats.
    max_iterations : int, default 1000
        Passes over the data at each resolution, and in the likelihood.
    tolerance : float, default 2e-4
        Gain per pass, pixel and phase, in nats, below which the variational
        algorithm has converged.
    random_state : int or numpy.random.Generator, optional
        Makes the result repeat exactly.
    show_progressbar : bool, optional
        By default as in HyperSpy's preferences.
    num_workers : int, optional
        Threads; all cores by default.

    Returns
    -------
    PhysicsNMFResult
        Abundances, phase spectra, concentrations with standard errors and
        elemental maps as HyperSpy signals. ``learning_results`` of the signal
        is filled too, so that HyperSpy's own decomposition plots work. Ctrl-C
        gives the last good state.

    Raises
    ------
    ValueError, TypeError
        If the signal, its metadata or a parameter does not allow it; the message
        says what to do.

    Examples
    --------
    >>> s = hs.load("map.bcf", select_type="spectrum_image")  # doctest: +SKIP
    >>> s.set_elements(["O", "Mg", "Si", "Fe"])  # doctest: +SKIP
    >>> result = s.physics_nmf(3)  # doctest: +SKIP
    >>> result.plot()  # doctest: +SKIP
    """
    from .physics_nmf import physics_nmf as run

    return run(
        self,
        output_dimension,
        elements=elements,
        g_matrix=g_matrix,
        algorithm=algorithm,
        navigation_mask=navigation_mask,
        signal_mask=signal_mask,
        mass_thickness=mass_thickness,
        fixed_phases=fixed_phases,
        fixed_abundances=fixed_abundances,
        concentration=concentration,
        resemblance=resemblance,
        smoothness=smoothness,
        sparsity=sparsity,
        max_iterations=max_iterations,
        tolerance=tolerance,
        random_state=random_state,
        show_progressbar=show_progressbar,
        num_workers=num_workers,
    )


def ml_quantify(
    self: BaseSignal,
    *,
    method: Literal["auto", "likelihood", "network"] = "auto",
    elements: Sequence[str] | None = None,
    g_matrix: GMatrix | None = None,
    geometry: Literal["film", "bulk"] | None = None,
    mass_thickness: float = 0.0,
    detector: Detector | str = "auto",
    by_stoichiometry: str | None = "auto",
    by_difference: str | None = None,
    valences: Mapping[str, float] | None = None,
    standards: Mapping[str, tuple[BaseSignal, Any]] | None = None,
    electrons: float | None = None,
    solid_angle_sr: float | None = None,
    low_loss: BaseSignal | None = None,
    refine_energy_scale: bool = True,
    continuum_degree: int | None = 3,
    navigation_mask: np.ndarray | BaseSignal | float | None = None,
    signal_mask: np.ndarray | BaseSignal | None = None,
    composition_units: Literal["atomic", "weight"] = "atomic",
    model: QuantifierModel | str | PathLike[str] | None = None,
    prior: Literal["neighbours", "image", "anything"] = "neighbours",
    fewest_counts: int | None = None,
    random_state: int | None = None,
    show_progressbar: bool | None = None,
    num_workers: int | None = None,
) -> QuantificationResult:
    """Find the composition of every pixel, with its error.

    Two methods invert the same forward model. By likelihood: the counts are Poisson
    with the mean ``G w``; G holds what the instrument counts for each element and for
    the continuum, and the weights w of each pixel are those of maximum likelihood,
    never below zero. The bulk of a scanning microscope decides itself how electrons
    slow down and X-rays are absorbed and fluoresce, so that fit and composition are
    repeated until they agree to 1e-5, in every pixel.

    By network: trained once on spectra simulated for these elements, this energy axis
    and this instrument (in less than two minutes, or found in the cache), it gives the
    posterior mean and standard deviation of every pixel, weighed against what its
    neighbours are made of. That is better where counts are few; where they are many,
    the two agree.

    Parameters
    ----------
    method : {"auto", "likelihood", "network"}
        What inverts the forward model. "auto" takes the network for maps of 256
        pixels or more with up to 1000 counts in each on average (EELS: 50,000, most of
        which are background), if no argument asks for the other, and says why in
        ``result.notes``.
    elements : sequence of str, optional
        Symbols of the elements; by default those of ``metadata.Sample.elements``.
    g_matrix : GMatrix, optional
        A response that does not depend on the composition, instead of the one that is
        computed from the metadata.
    geometry : {"film", "bulk"}, optional
        By default a flat bulk for EDS_SEM and a thin film for EDS_TEM.
    mass_thickness : float, default 0
        Density times thickness of a film, g/cm2, on the average over the map; X-rays
        are absorbed in it. 0 means no absorption.
    detector : Detector or str, default "auto"
        A name is one of :func:`hspy_ml.physics.detector.make_detector`; "auto" takes
        what the file names, or else a polymer window (EDS_SEM) or none (EDS_TEM). For
        your own efficiency curve see
        :func:`hspy_ml.physics.detector.measured_detector`.
    by_stoichiometry : str or None, default "auto"
        The element that no line measures but the valences of the others, such as
        "O". "auto" does so for oxygen in a bulk that shows about as much of it as an
        oxide has, and says so; None measures every element by its line.
    by_difference : str, optional
        The element that makes up what the others leave of 100 %. For a bulk, with
        ``standards`` or ``solid_angle_sr``, and a known dose.
    valences : mapping of str to float, optional
        Where they differ from :data:`hspy_ml.quantification.unmeasured.VALENCES`
        (iron is 2 there).
    standards : mapping of str to (signal, composition), optional
        For each element a spectrum of a specimen that is known, such as
        ``{"Si": (s_sio2, "SiO2"), "Fe": (s_fe, "Fe")}``, with its dose (beam current
        and live time) in the metadata. Elements without get the mean sensitivity of
        the others. Standards of a film come from one signal.
    electrons : float, optional
        That fell on each pixel while the detector was live; by default beam current
        times live time for a single spectrum. Needed for absolute totals only.
    solid_angle_sr : float, optional
        Of the detector, for absolute totals without standards.
    low_loss : EELSSpectrum, optional
        EELS: edges are convolved with it, and it gives atoms per nm2.
    refine_energy_scale : bool, default True
        Whether offset, gain and resolution are first refined, by maximum likelihood
        on the sum over all pixels.
    continuum_degree : int or None, default 3
        Degree of the polynomials that describe the bremsstrahlung; None for spectra
        without it.
    navigation_mask : array of bool, BaseSignal or float, optional
        Pixels to leave out (True), in the navigation shape; a float is the threshold
        of ``vacuum_mask``.
    signal_mask : array of bool or BaseSignal, optional
        Channels to leave out (True); by default those far below the lowest line that
        measures, and those above 95 % of the beam energy.
    composition_units : {"atomic", "weight"}
        Atomic or weight percent.
    model : QuantifierModel or path, optional
        Network: one that ``hspy_ml.train_quantifier`` trained, or its file. By default
        the cache is searched for one that fits, and else one is trained and kept there
        (in the folder that the environment variable ``HSPY_ML_MODELS`` names).
    prior : {"neighbours", "image", "anything"}
        Network: what is known of a pixel beside its counts. The compositions around
        it (within some three pixels), by which alike pixels help each other and fine
        detail at very few counts is smoothed; those of the whole image; or nothing.
    fewest_counts : int, optional
        Network: pixels with fewer are left out (NaN); 5 by default. With 0 they get
        what is known beside the counts, with an error bar as wide as that.
    random_state : int, optional
        Network: the seed that it is, or was, trained with; by default any.
    show_progressbar : bool, optional
        By default as in HyperSpy's preferences.
    num_workers : int, optional
        Threads; all cores by default.

    Returns
    -------
    QuantificationResult
        A list of signals, one for each element, in percent that sum to 100, with
        ``standard_errors``, ``total`` (mass thickness, analytical total or atoms per
        area), ``goodness_of_fit``, ``unexplained`` and ``flagged`` (pixels in which
        something else is), ``fitted_spectrum``, ``table()``, ``plot()`` and
        ``save(path)``.

    Raises
    ------
    ValueError, TypeError
        If the signal, its metadata or a parameter does not allow it; the message
        says what to do.
    KeyboardInterrupt
        If training is interrupted; what was reached is kept, and the next call goes on
        from there.

    Warns
    -----
    UserWarning
        Of what the metadata do not say and is assumed, of lines that the beam hardly
        excites, of lines that coincide, and of peaks that no element explains.

    Examples
    --------
    >>> s = hs.load("glass.msa", signal_type="EDS_SEM")  # doctest: +SKIP
    >>> s.set_elements(["O", "Mg", "Al", "Si", "Ca", "Fe"])  # doctest: +SKIP
    >>> s.ml_quantify(composition_units="weight")  # doctest: +SKIP
    """
    from .ml_quantify import ml_quantify as run

    return run(
        self,
        method=method,
        elements=elements,
        g_matrix=g_matrix,
        geometry=geometry,
        mass_thickness=mass_thickness,
        detector=detector,
        by_stoichiometry=by_stoichiometry,
        by_difference=by_difference,
        valences=valences,
        standards=standards,
        electrons=electrons,
        solid_angle_sr=solid_angle_sr,
        low_loss=low_loss,
        refine_energy_scale=refine_energy_scale,
        continuum_degree=continuum_degree,
        navigation_mask=navigation_mask,
        signal_mask=signal_mask,
        composition_units=composition_units,
        model=model,
        prior=prior,
        fewest_counts=fewest_counts,
        random_state=random_state,
        show_progressbar=show_progressbar,
        num_workers=num_workers,
    )


METHODS: tuple[Callable[..., Any], ...] = (
    physics_nmf,
    ml_quantify,
    classify_phases,
    dynamic_sampling,
    deconvolve_net,
)
