"""A small report with a block of every kind, made by hand, for the writers of Word documents and PDF."""

from functools import cache

import pandas as pd

from burnout_stats.display import Column, Hidden, Interval, Missing, Row, Table
from burnout_stats.figures import Figure
from burnout_stats.notices import Notice
from burnout_stats.reporting.document import (
    Aside,
    AtAGlance,
    Code,
    Details,
    Document,
    Drawn,
    Heading,
    Listed,
    Notices,
    Paragraph,
    Section,
    Set,
)
from burnout_stats.reporting.drawing import Picture
from burnout_stats.reporting.facts import Fact
from burnout_stats.reporting.glance import ChangeRow, Glance, Group, Mark, axis_over

HOSTILE = (
    '#image("/etc/passwd") #eval("1+1") $x^2$ @nowhere <label> *b* _i_ // gone \\ #sys.inputs '
    '<w:br/><script>alert(1)</script>&amp; ]]> { SEQ Table } HYPERLINK "http://evil.example" '
    "\x00\x0b\x1b[31m\ud800\ufffe\uffff\u202eright to left\u2066\u2029next\n= Heading"
)


def change_table(label="Change", *, columns=2):
    """A table with groups, a spanner, an interval, a hidden and a missing cell."""
    more = tuple(Column(f"more_{k}", f"{label} {k}", "estimate") for k in range(columns - 2))
    rest = (1.0,) * len(more)
    return Table(
        title=f"Table 1. {label}",
        columns=(
            Column("contrast", "Contrast", "contrast"),
            Column("estimate", "Estimate", "estimate", spanner=label),
            Column("conf", "95% CI", "interval", spanner=label),
            Column("p_value", "p", "p", symbol=True),
            *more,
        ),
        rows=(
            Row(("1 year - baseline", -0.47, Interval(-0.6, -0.34), 0.0004, *rest), label),
            Row(("3 years - baseline", Hidden(), Missing("not estimable"), None, *rest), label),
        ),
        notes=(f"Note on {label}",),
    )


@cache
def figure():
    """A figure of two points."""
    return Figure(
        title="Two points",
        frame=pd.DataFrame({"x": [0, 1], "y": [3.0, 2.5]}),
        alt="A line falls from 3.0 to 2.5.",
        long_description="At 0: 3.0. At 1: 2.5.",
        draw=lambda axes: axes.plot([0, 1], [3.0, 2.5], marker="o"),
        size=(183.0, 96.0),
    )


def picture(label):
    """The figure with its words."""
    drawn = figure()
    svg = f'<?xml version="1.0" encoding="utf-8"?>\n{drawn.svg()}'.encode()
    return Picture(
        file="two.svg",
        figure=drawn,
        svg=svg,
        narrow=svg,
        alt=f"{drawn.alt} {label}",
        caption=f"Figure 1. {label} over time.",
        width=732,
        height=384,
    )


def front_table(label):
    """The front table of one outcome."""
    axis = axis_over([-0.6, -0.3])
    mark = Mark(at=axis.x(-0.45), low=axis.x(-0.6), high=axis.x(-0.3))
    rows = (
        ChangeRow(
            contrast="1 year - baseline",
            primary=True,
            change="-0.47",
            limits="-0.60 to -0.34",
            p="<0.001",
            standardized="-0.49",
            standardized_limits="-0.62 to -0.35",
            mark=mark,
        ),
        ChangeRow(
            contrast="3 years - baseline",
            primary=False,
            change="hidden",
            limits="hidden",
            p="hidden",
            standardized="hidden",
            standardized_limits="hidden",
            mark=None,
        ),
    )
    groups = (Group(label=label, better="lower is better", anchor="outcome", rows=rows),)
    return Glance(introduction="", level="95%", axis=axis, groups=groups, notes=("A note.",))


def document(label="Exhaustion", *, language="en", date="", wide=False):
    """A report in which the label stands wherever a label can stand."""
    table = change_table(label)
    front = Table(
        title="Changes in all outcomes",
        columns=(
            Column("contrast", "Contrast", "contrast"),
            Column("estimate", "Change", "estimate"),
            Column("conf", "95% CI", "interval"),
            Column("p_value", "p", "p", symbol=True),
            Column("standardized", "Estimate", "estimate", spanner="Standardized"),
            Column("standardized_conf", "95% CI", "interval", spanner="Standardized"),
        ),
        rows=(Row(("1 year - baseline", -0.47, Interval(-0.6, -0.34), 0.0004, -0.49, Interval(-0.62, -0.35)), label),),
    )
    checklist = Table(
        title=f"Checklist of {label}",
        columns=(Column("item", "Item"), Column("answer", "Answered")),
        rows=(Row((label, "Where it is told")),),
    )
    chapter = Section(
        anchor="outcome",
        title=label,
        kind="chapter",
        blocks=(
            Paragraph(f"Scale of {label}", "kicker"),
            Listed((f"{label} fell (p < 0.001).", "And `code`."), "findings"),
            Listed((label,)),
            Notices((Notice("N-DEMO", f"Seen: {label}.", "Try this."),), f"Notices about {label}"),
            Drawn(picture(label), name="Figure 1"),
            Heading("Change", anchor="change-of-it"),
            Set(table, label, name="Table 1"),
            Details(
                f"The model of {label}",
                (
                    Code(f"score ~ visit\n  {label}", language="R"),
                    Heading("Within"),
                    Set(checklist, label, kind="words", anchors=(("Where it is told", "change-of-it"),)),
                ),
            ),
        ),
    )
    last = (Set(change_table(label, columns=30), label, name="Table 2"),) if wide else ()
    return Document(
        title=f"The study of {label}",
        eyebrow="Report of a cohort",
        lede=f"All about {label}.",
        facts=(Fact(name="Subjects", value="227", more=label), Fact(name="Visits", value="3")),
        sections=(
            Section(
                anchor="glance",
                title="At a glance",
                blocks=(AtAGlance(front_table(label), front, label), Aside(label, "aside", (label, "More."))),
            ),
            chapter,
            Section(anchor="provenance", title="Provenance", blocks=(Paragraph("Again."), *last)),
        ),
        footer=f"Made of {label}.",
        language=language,
        version="0.1.0",
        date=date,
        authors=(f"A. {label}",),
    )
