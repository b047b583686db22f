# SPDX-License-Identifier: GPL-3.0-or-later
"""What is simulated on which instrument, behind `hspy_ml.simulate`."""
