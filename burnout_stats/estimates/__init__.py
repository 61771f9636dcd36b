"""The waist of the house: what every question answers with, and what every text, table and figure is made from."""

from .answers import Answer, Answers, JointAnswer
from .disclosure import Policy, protect
from .estimates import About, Estimates
from .margins import Margins
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
    "protect",
]
