# SPDX-License-Identifier: GPL-3.0-or-later
"""The instrument's response and the noise removed from spectra.

Where to begin: `deconvolve` decides on a sample of a map, `deconvolver` is applied to
its blocks. What they are made of:

- the instrument: `response`, `transfer`, `zero_loss`, `alignment`, `noise*`,
  `dark_level`;
- likelihood: `richardson_lucy`, `shrinkage`, `stopping`, `explaining`, `plural`;
- the network: `restore`, `deconvolution_network`, `exposure`, `network_*`,
  `scene_bank`, and `default_model`, the script that made the one of the package;
- blind: `blind_response`, `peak_fit*`, `response_*`, and `response_training`, its
  script;
- the arbiter: `candidates`, `arbiter`, `replicate_errors`, `outlying*` (flags);
- a user's own spectra: `own_*`; EELSpecNet: `seed_*`; X-rays: `xray_*`;
- figures against the truth: `peaks`, `scores`, `network_scores`.
"""
