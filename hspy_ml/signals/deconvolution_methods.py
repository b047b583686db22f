# SPDX-License-Identifier: GPL-3.0-or-later
"""What the signals gain for deconvolution: arguments, docstring, and one call.

As in `methods`, nothing but the standard library is imported here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from os import PathLike

    import numpy as np
    from hyperspy.signal import BaseSignal

    from ..deconvolution.deconvolver_model import DeconvolverModel
    from ..physics.acquisition import Detector


def deconvolve_net(
    self: BaseSignal,
    model: DeconvolverModel | str | PathLike[str] | None = None,
    *,
    psf: BaseSignal | np.ndarray | Literal["data"] | None = None,
    method: Literal["auto", "network", "richardson-lucy"] = "auto",
    target_width_eV: float | None = None,
    align: bool = True,
    remove_plural_scattering: bool = False,
    gain: float | None = None,
    read_noise: float | None = None,
    detector: Detector | str = "auto",
    navigation_mask: np.ndarray | BaseSignal | float | None = None,
    random_state: int | None = None,
    show_progressbar: bool | None = None,
    num_workers: int | None = None,
) -> BaseSignal:
    """Remove the instrument's response and the noise from spectra.

    Of low-loss EELS spectra with their zero-loss peak, the point spread function (PSF)
    is known from a vacuum spectrum, or found with the spectra (blind). Of EDS spectra,
    it is the resolution of the detector. A dilated U-shaped network says what the
    spectrum was before; likelihood steps bring that into agreement with the counts;
    and Richardson-Lucy iterations, stopped in time, are the alternative. Which of them
    is best is decided by counts that are held out from all of them.

    Parameters
    ----------
    model : DeconvolverModel or path, optional
        What ``hspy_ml.train_deconvolver`` returned, or its file; by default the one
        that comes with the package.
    psf : BaseSignal, array or "data", optional
        EELS: the zero-loss peak without specimen, a spectrum or an image of such (of
        which the mean is taken, unless it has the shape of the map), in the channels of
        `self` if it is an array; or "data", if some pixels of the map are vacuum. By
        default it is estimated (blind).
    method : {"auto", "network", "richardson-lucy"}
        "auto" takes what predicts held-out counts best.
    target_width_eV : float, optional
        Full width at half maximum that a sharp line has in the result, by default four
        channels. With a PSF that is narrower nothing is sharpened. EDS: by default the
        detector's resolution divided by 2.5.
    align : bool, default True
        EELS: put the zero loss of every spectrum at 0 eV.
    remove_plural_scattering : bool, default False
        EELS: return the single-scattering distribution, with the zero-loss line.
    gain : float, optional
        What one electron (or photon) adds to the data; by default found from the noise.
    read_noise : float, optional
        Standard deviation of the read-out noise in the units of the data; by default
        found from the noise.
    detector : Detector or str, default "auto"
        EDS: as for ``s.ml_quantify``.
    navigation_mask : array of bool, BaseSignal or float, optional
        Pixels to leave out (True), in the navigation shape; NaN in the result.
    random_state : int, optional
        Of the counts that are held out; 0 by default. The result repeats exactly.
    show_progressbar : bool, optional
        By default as in HyperSpy's preferences.
    num_workers : int, optional
        Threads; all cores by default.

    Returns
    -------
    BaseSignal
        Of the class and shape of `self`, lazy if it is; non-negative, with the counts
        of `self` less the dark level of its detector. Its noise variance
        (``get_noise_variance()``) holds the squares of the standard errors, and
        ``metadata.Deconvolution`` the rest: ``hspy_ml.deconvolution_report(result)``
        has it with names and plots.

    Raises
    ------
    ValueError, TypeError
        If the signal, its metadata or a parameter does not allow it; the message
        says what to do.

    Warns
    -----
    UserWarning
        If spectra are outside of what the model was trained for (flagged), the PSF is
        too narrow to be sharpened, or the computation was interrupted.

    References
    ----------
    L. B. Lucy, Astron. J. 79 (1974) 745; S. S. Mousavi M. et al., Sci.
    Rep. 12 (2022) 17462 (EELSpecNet);
    R. F. Egerton, EELS in the Electron Microscope, 3rd ed. (2011), section 4.1.

    Examples
    --------
    >>> s = hs.load("low_loss.dm4")  # doctest: +SKIP
    >>> sharp = s.deconvolve_net()  # doctest: +SKIP
    >>> sharp = s.deconvolve_net(psf=hs.load("vacuum.dm4"))  # doctest: +SKIP
    >>> hspy_ml.deconvolution_report(sharp).plot(s)  # doctest: +SKIP
    """
    from .deconvolution.deconvolve import deconvolve_net as run

    return run(
        self,
        model,
        psf=psf,
        method=method,
        target_width_eV=target_width_eV,
        align=align,
        remove_plural_scattering=remove_plural_scattering,
        gain=gain,
        read_noise=read_noise,
        detector=detector,
        navigation_mask=navigation_mask,
        random_state=random_state,
        show_progressbar=show_progressbar,
        num_workers=num_workers,
    )
