"""The workshop of the synthetic cohorts.

python -m burnout_stats.studies calibrate NAME [FOLDER]    solves a study's parameters and writes NAME.solved.toml
python -m burnout_stats.studies synthetic FOLDER [NAME]    writes the shipped examples (or one): CSV, study file,
dictionary, truth
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import StudyError


def main(arguments: Sequence[str]) -> int:
    """Run one of the two words; the paths written go to stdout."""
    match list(arguments):
        case ["calibrate", name, *folder]:
            written = [_calibrate(name.replace("-", "_"), Path(*folder) if folder else Path(__file__).parent)]
        case ["synthetic", folder, *name]:
            from ._synthetic import write_synthetic

            written = [path for key in name or ("villa_sana", "peer_support") for path in write_synthetic(folder, key)]
        case _:
            sys.stderr.write(__doc__ or "")
            return StudyError.exit_code
    sys.stdout.write("".join(f"{path}\n" for path in written))
    return 0


def _calibrate(name: str, folder: Path) -> Path:
    from ._calibrate import calibrate, first_typical_seed
    from ._design import design
    from ._solved import solved_text

    plan = design(name)
    solution = calibrate(plan)
    path = folder / f"{name}.solved.toml"
    path.write_text(
        solved_text(plan, solution, first_typical_seed(plan, solution.parameters(plan))), encoding="utf-8", newline=""
    )
    return path


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
