# SPDX-License-Identifier: GPL-3.0-or-later
"""Y ~ Poisson(G W H): phases and abundances from counts."""
