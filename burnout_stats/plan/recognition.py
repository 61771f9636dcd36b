"""What names in a data file usually mean: subjects, visits, times, instruments, in English and the Nordic languages.
For drafts only, where a person reads what was recognized.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from ..instruments import instrument, names

__all__ = ["SUBJECT", "VISIT", "YEARS", "better_end", "instruments_of", "scores_of_items", "time_of", "words_of"]

SUBJECT = re.compile(
    r"(?:study|person|patient|pasient|subject|participant|respondent|deltaker|deltager|case|client|employee)?[ _.-]?"
    r"(?:id|nr|no|number|kode|code)|subjects?|subj|subjid|person|patient|pasient|participant|respondent|deltaker"
    r"|deltager|l[øo]pe_?n(?:umme)?r|pid|sid|case|pseudonym",
    re.IGNORECASE,
)
"""Names of columns that identify a subject."""

VISIT = re.compile(
    r"visits?|visit_?(?:no|nr|name|label)|waves?|time_?points?|times?|occasion|session|assessment|follow_?up|tids?"
    r"|tids_?punkt|m[åa]ling|m[åa]le_?tidspunkt|b[øo]lge|runde|oppf[øo]lging|period|phase|tp",
    re.IGNORECASE,
)
"""Names of columns that tell the visit."""

YEARS = re.compile(r"(?P<years>years?|[åa]r|time_?years?)|(?P<months>months?|mnd|m[åa]neder)", re.IGNORECASE)
"""Names of columns that tell the time since baseline."""

BASELINE = frozenset(
    "baseline base bl pre start before før for inntak innkomst oppstart intake entry inclusion".split()
)

UNITS = {
    r"y|yr|yrs|years?|å|år|aar|ar": 1.0,
    r"m|mo|mos|mth|mths|months?|mnd|mån|måned(?:er)?|maaned(?:er)?|kk": 1 / 12,
    r"w|wk|wks|weeks?|u|uker?|vecko?r?": 7 / 365.25,
    r"d|days?|dag(?:er|ar)?": 1 / 365.25,
}
"""Units of time by how they are written, in years."""

ROOTS: Mapping[str, str] = {
    "mbi_norwegian": "mbi maslach",
    "mbi_gs": "mbi mbigs maslach",
    "mbi_hss": "mbi mbihss maslach",
    "cooper_job_stress": "cooper",
    "job_satisfaction": "jss warr jobbtilfredshet jobsatisfaction",
    "single_item_burnout": "miniz",
    "bat12": "bat12 bat",
    "bat23": "bat23 bat",
    "cbi": "cbi copenhagen",
    "hads": "hads had",
    "scl5": "scl5",
    "scl10": "scl10",
    "scl25": "scl25 hscl25",
    "phq9": "phq9 phq",
    "gad7": "gad7 gad",
    "pss10": "pss10 pss",
    "olbi": "olbi oldenburg",
    "eri": "eri",
    "pfi": "pfi",
}
"""Words by which an instrument is known."""

SCALES: Mapping[str, str] = {
    "ee": "ee exhaustion exhaust utmattelse utmattet",
    "exhaustion": "ee ex exh exhaustion exhaust utmattelse",
    "depersonalization": "dp depersonalization depersonalisation depersonalisering",
    "accomplishment": "pa accomplishment",
    "reduced_empathy": "dp empathy depersonalization depersonalisering empati",
    "reduced_capacity": "pa capacity accomplishment kapasitet",
    "cynicism": "cy cynicism kynisme",
    "efficacy": "pe efficacy",
    "depression": "d dep depression depresjon depressive depressiv",
    "anxiety": "a anx anxiety angst ångest",
    "personal": "personal personlig",
    "work": "work arbeid jobb",
    "client": "client patient klient pasient",
    "disengagement": "disengagement dis",
    "effort": "effort innsats",
    "reward": "reward belønning",
    "overcommitment": "overcommitment oc",
}
"""Words by which a scale of an instrument is known, beside its own name."""

SHORT = frozenset({"ee", "dp"})
"""Short words that are known from one instrument alone."""

LOWER = frozenset(
    "burnout exhaustion exhaust utmattelse utbrenthet depression depresjon anxiety angst stress distress strain "
    "cynicism fatigue insomnia symptoms symptomer plager belastning depersonalization neuroticism".split()
)
HIGHER = frozenset(
    "satisfaction tilfredshet engagement engasjement wellbeing trivsel efficacy accomplishment resilience support "
    "støtte livskvalitet".split()
)


def words_of(*texts: str) -> frozenset[str]:
    """The words of names and labels, in lower case; letters and digits that touch are also words of their own.

    >>> sorted(words_of("HADS_D", "Depresjon (0-21)"))
    ['0', '21', 'd', 'depresjon', 'hads']
    """
    found: set[str] = set()
    for text in texts:
        plain = unicodedata.normalize("NFKC", re.sub(r"(?<=[a-zæøå])(?=[A-ZÆØÅ])", " ", text)).lower()
        found |= set(re.findall(r"[^\W_]+", plain))
        found |= set(re.findall(r"[^\W\d_]+|\d+", plain))
    return frozenset(found)


def time_of(label: str) -> tuple[float | None, bool]:
    """Years since baseline that a visit label tells, and whether it says so rather than only counts.

    >>> time_of("12 mnd"), time_of("Baseline"), time_of("T2"), time_of("post")
    ((1.0, True), (0.0, True), (2.0, False), (None, False))
    """
    text = " ".join(re.sub(r"[_.-]+", " ", label).lower().split())
    if text in BASELINE or text.split(" ")[0] in BASELINE - {"for"}:
        return 0.0, True
    number = r"(\d+(?:[.,]\d+)?)"
    for unit, years in UNITS.items():
        named = "|".join(part for part in unit.split("|") if len(part) > 2)
        match = re.search(rf"(?<![\w.,]){number} ?(?:{unit})(?!\w)", text) or re.search(
            rf"\b(?:{named}) {number}\b", text
        )
        if match:
            return float(match[1].replace(",", ".")) * years, True
    match = re.fullmatch(r"\D{0,12}?(\d{1,2})", text)
    return (float(match[1]), False) if match else (None, False)


def instruments_of(words: frozenset[str], low: float, high: float) -> tuple[tuple[str, ...], bool]:
    """The keys of scores that the words may mean and the values fit, and whether the instrument itself is named."""
    named: list[str] = []
    hinted: list[str] = []
    for root in names():
        known = instrument(root)
        for scale, about in known.subscales.items():
            limits = about.range(known.response)
            if limits is not None and not limits[0] <= low <= high <= limits[1]:
                continue
            single = len(known.subscales) == 1
            own = words_of(scale) | set(SCALES.get(scale, "").split())
            is_scale = single or bool(words & own) or scale == "total"
            root_words = set(ROOTS.get(root, "").split()) | {root.replace("_", "")}
            key = known.key_of(scale)
            if words & root_words and is_scale:
                named.append(key)
            elif not single and len(scale) > 1 and {word for word in words & own if len(word) > 2 or word in SHORT}:
                hinted.append(key)
    return (tuple(named), True) if named else (tuple(hinted), False)


def better_end(words: frozenset[str]) -> str:
    """Which end of a scale is better, where its words tell; else nothing."""
    lower, higher = (any(end in word for end in ends for word in words) for ends in (LOWER, HIGHER))
    return "" if lower == higher else "lower" if lower else "higher"


def scores_of_items(words: frozenset[str], n_items: int) -> Sequence[str]:
    """The keys of the scores of an instrument that is named and has so many items."""
    found: list[str] = []
    for root in names():
        root_words = set(ROOTS.get(root, "").split()) | {root.replace("_", "")}
        if not words & root_words:
            continue
        known = instrument(root)
        if len(known.numbers) == n_items:
            found += [known.key_of(scale) for scale in known.subscales]
    return found
