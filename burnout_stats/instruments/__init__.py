"""What is measured: instruments with their scoring keys, and the norms that scores are compared with."""

from .norms import Norm, Stability

__all__ = ["Norm", "Stability"]
