"""The waist of the house: what every question answers with, and what every text, table and figure is made from."""

from .answers import Answer, Answers, JointAnswer
from .disclosure import protect, protect_all
from .estimates import About, Estimates
from .margins import Margins, counted
from .policy import Policy
from .published import Sample, Share
from .summaries import Summaries

__all__ = [
    "About",
    "Answer",
    "Answers",
    "Estimates",
    "JointAnswer",
    "Margins",
    "Policy",
    "Sample",
    "Share",
    "Summaries",
    "counted",
    "protect",
    "protect_all",
]
