# SPDX-License-Identifier: GPL-3.0-or-later
"""The instrument's response and the noise removed from spectra."""
