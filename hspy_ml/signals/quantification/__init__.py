# SPDX-License-Identifier: GPL-3.0-or-later
"""`ml_quantify` on signals: what it reads, fits, returns and says."""
