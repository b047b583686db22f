# SPDX-License-Identifier: GPL-3.0-or-later
"""`deconvolve_net` on signals: what is read, what is asked, what comes back."""
