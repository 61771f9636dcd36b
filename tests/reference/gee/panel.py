"""The data of `gee.R`: 60 subjects, five visits of which some are missed, a sick leave, days away and a score.

Run once: python tests/reference/gee/panel.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def panel() -> pd.DataFrame:
    """Long rows, those of missed visits left out."""
    rng = np.random.default_rng(20260)
    n, V = 60, 5
    own = rng.normal(0, 0.9, n)
    drift = rng.normal(0, 0.5, (n, V)).cumsum(axis=1) * 0.6
    group = np.repeat([0, 1], n // 2)
    age = np.round(rng.normal(46, 9, n), 1)
    place = np.arange(V)
    eta = 0.2 - 0.25 * place + 0.4 * group[:, None] * (place > 1) + own[:, None] + drift
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(1, n + 1), V),
            "visit": np.tile([f"v{k}" for k in place], n),
            "wave": np.tile(place + 1, n),
            "group": np.repeat(np.where(group == 1, "late", "early"), V),
            "age": np.repeat(age, V),
            "copies": np.repeat(rng.integers(1, 4, n), V),
            "leave": rng.binomial(1, 1 / (1 + np.exp(-eta))).ravel(),
            "days": rng.poisson(np.exp(0.6 + 0.5 * eta - 0.01 * (age[:, None] - 46))).ravel(),
            "score": np.round(30 + 4 * eta + rng.normal(0, 3, (n, V)), 2).ravel(),
        }
    )
    seen = rng.random((n, V)) < np.array([1.0, 0.85, 0.8, 0.75, 0.8])
    return frame[seen.ravel()]


if __name__ == "__main__":
    panel().to_csv(Path(__file__).with_name("panel.csv"), index=False)
