# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes ``toy_networks`` importable by the tests of this folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
