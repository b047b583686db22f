# SPDX-License-Identifier: GPL-3.0-or-later
"""What every network needs: the training loop, the model file, the cache."""
