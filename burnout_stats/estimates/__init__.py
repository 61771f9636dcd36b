"""The waist of the house: what every question answers with, and what every text, table and figure is made from."""

from .answers import Answer, Answers, JointAnswer
from .disclosure import Policy, protect
from .estimates import About, Estimates
from .summaries import Summaries

__all__ = ["About", "Answer", "Answers", "Estimates", "JointAnswer", "Policy", "Summaries", "protect"]
