# SPDX-License-Identifier: GPL-3.0-or-later
"""For all tests of deconvolution: what they share is found beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for `xray_peaks`
