# SPDX-License-Identifier: GPL-3.0-or-later
"""Classification of phases: accuracy, unknown spectra, calibration, speed.

Scenes of `phase_spectra`; training on 12 spots of a phase at 10 s, tests on others.

    python benchmarks/phases.py accuracy
    python benchmarks/phases.py accuracy --conditions "energy scale 5 eV off"
    python benchmarks/phases.py unknown
    python benchmarks/phases.py calibration
    python benchmarks/phases.py speed --workers 2
"""

from __future__ import annotations

from argparse import ArgumentParser

from phase_spectra import MISMATCHED
from phases_accuracy import accuracy, calibration, speed
from phases_unknown import unknown


def main() -> None:
    """Run what the command line asks for."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for task in (accuracy, unknown, calibration, speed):
        command = commands.add_parser(task.__name__, help=task.__doc__.splitlines()[0])
        command.set_defaults(task=task)
        command.add_argument("--seeds", type=int, default=5)
        command.add_argument("--spots", type=int, default=12, help="to train, a phase")
        command.add_argument("--repeats", type=int, default=40, help="of a test spot")
        command.add_argument("--scene", help="two-phase, four-phase or both by default")
        if task is accuracy:
            command.add_argument("--methods", help="separated by commas")
            command.add_argument(
                "--conditions", default="nominal", choices=["nominal", *MISMATCHED]
            )
        if task is unknown:
            command.add_argument("--no-elements", action="store_true")
        if task is speed:
            command.add_argument("--workers", type=int, default=2)
            command.add_argument("--spectra", type=int, default=50_000)
    options = parser.parse_args()
    options.task(options)


if __name__ == "__main__":
    main()
