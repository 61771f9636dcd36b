"""`python -m burnout_stats` is the command `burnout-stats`."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
