"""`Figure`: what is drawn, its words, and how to draw it; rendering comes last and gives the same bytes everywhere.

The text of a figure is drawn as outlines of the font that comes with matplotlib, so a figure looks the same on every
machine and its file does not depend on the fonts that are installed.
"""

from __future__ import annotations

import hashlib
import io
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..display.escape import clean, for_html, for_markdown, for_terminal
from ..display.escape_latex import for_latex
from ..display.showing import in_notebook
from ..errors import StudyError, one_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

__all__ = ["SIZES", "Figure", "figure_size", "room"]

SIZES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"single": (89.0, 72.0), "double": (183.0, 96.0), "slide": (320.0, 180.0)}
)
"""Width and height in mm of a figure across one or two columns of a journal, or on a slide of 16 to 9."""

LARGER: Mapping[tuple[float, float], float] = MappingProxyType({SIZES["slide"]: 2.5})
"""Sizes at which everything, letters and lines too, is drawn so many times larger than on paper."""

START = (0.18, 0.2, 0.62, 0.7)
"""Where the axes stand until their margins are known, in parts of the figure."""

CLOSER = 0.9
"""Rows stand this much closer before a size by name is made higher."""
LEAST = 0.1
"""The axes keep this part of the figure, however long their labels are."""

MM_PER_INCH = 25.4
_DECIMALS = re.compile(r"-?\d+\.\d+")
SALT = "burnout_stats"

LOOK: Mapping[str, Any] = MappingProxyType(
    {
        "font.family": "DejaVu Sans",
        "font.size": 7.0,
        "axes.labelsize": 7.0,
        "axes.titlesize": 7.5,
        "xtick.labelsize": 7.0,
        "ytick.labelsize": 7.0,
        "legend.fontsize": 6.5,
        "axes.linewidth": 0.6,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.minor.width": 0.6,
        "xtick.major.size": 3.0,
        "ytick.major.size": 3.0,
        "xtick.minor.size": 2.2,
        "axes.edgecolor": "#333333",
        "axes.labelcolor": "#1a1a1a",
        "text.color": "#1a1a1a",
        "xtick.color": "#333333",
        "ytick.color": "#333333",
        "xtick.labelcolor": "#1a1a1a",
        "ytick.labelcolor": "#1a1a1a",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.parse_math": False,
        "axes.unicode_minus": True,
        "svg.fonttype": "path",
        "svg.hashsalt": SALT,
        "pdf.fonttype": 42,  # TrueType: many journals refuse Type 3
        "path.simplify": False,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Figure:
    """A figure with its words.

    Attributes
    ----------
    title : what the figure shows; a caption for the text around it, not drawn
    frame : the numbers that are drawn, after the gate for privacy
    alt : one sentence for who cannot see it
    long_description : the numbers as text
    draw : draws the figure on matplotlib axes
    size : width and height in mm
    larger : how many times larger than on paper letters and lines are drawn; where 0, as the size asks (2.5 on a slide)
    """

    title: str
    frame: pd.DataFrame
    alt: str
    long_description: str
    draw: Callable[[Axes], None] = field(repr=False)
    size: tuple[float, float] = SIZES["single"]
    larger: float = 0.0

    def __post_init__(self) -> None:
        if not self.alt.strip() or not self.long_description.strip():
            raise ValueError("a figure needs an alt text and a long description")
        if not self.larger:
            object.__setattr__(self, "larger", LARGER.get(self.size, 1.0))

    def __repr__(self) -> str:
        width, height = self.size
        return for_terminal(f"<Figure: {self.title}; {width:g} × {height:g} mm>")

    def draw_on(self, ax: Axes) -> None:
        """Draw on axes of the user's own figure; `$` in labels stays a dollar sign there too."""
        self.draw(ax)
        _without_mathematics(ax)

    def svg(self, *, prefix: str = "", fluid: bool = False) -> str:
        """The figure as an `<svg>` element with its title and description.

        A fluid one is as wide as what it stands in; otherwise it has the size that was asked for.

        `prefix` goes before every id, so that several figures can stand in one page; where empty, it is made from the
        drawing.
        """
        body = _shortened(_without_software(self._bytes("svg").decode("utf-8")))
        mark = prefix or f"bs-{hashlib.sha256(body.encode()).hexdigest()[:10]}-"
        body = re.sub(r'\bid="([^"]+)"', rf'id="{mark}\1"', body.replace('id="matplotlib.', 'id="'))
        body = re.sub(r'(xlink:href="#|url\(#)', rf"\1{mark}", body)
        words = (
            f'<title id="{mark}title">{for_html(self.title)}</title>\n<desc id="{mark}desc">{for_html(self.alt)}</desc>'
        )
        head, rest = body.split(">", 1)
        if fluid:
            head = re.sub(r' (?:width|height)="[^"]*"', "", head) + ' width="100%"'
        elif self.larger != 1:
            head = re.sub(
                r'(?<= )(width|height)="([^"]*)pt"', lambda own: f'{own[1]}="{self.larger * float(own[2]):g}pt"', head
            )
        return f'{head} role="img" aria-labelledby="{mark}title {mark}desc">\n{words}{rest}'

    def png(self, *, dpi: float = 300) -> bytes:
        """The figure as a PNG file."""
        return self._bytes("png", dpi=dpi)

    def pdf(self) -> bytes:
        """The figure as a PDF file of one page, with its font embedded."""
        return self._bytes("pdf")

    def save(self, path: str | Path, *, dpi: float = 300) -> Path:
        """Write the figure to a file: .svg for the screen and for print, .pdf for journals, .png for pixels.

        In a .pdf of the slide size the drawing is 128 mm wide; it has no pixels and is enlarged where it is used.

        Raises
        ------
        StudyError
            `E-STUDY-VALUE` for another suffix.
        """
        target = Path(path)
        if target.suffix == ".svg":
            target.write_bytes(f'<?xml version="1.0" encoding="utf-8"?>\n{self.svg()}'.encode())
        elif target.suffix == ".png":
            target.write_bytes(self.png(dpi=dpi))
        elif target.suffix == ".pdf":
            target.write_bytes(self.pdf())
        else:
            raise StudyError(
                "E-STUDY-VALUE",
                f"A figure cannot be saved as `{target.suffix or 'a file without suffix'}`.",
                "The suffix is .svg, .pdf or .png.",
                "Choose .pdf or .svg where the journal takes it.",
            )
        return target

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        width = 1.5 * self.size[0] / self.larger  # a screen is read from farther than paper
        return f'<figure style="margin:0;max-width:{width:.0f}mm">{self.svg(fluid=True)}</figure>'

    def _repr_markdown_(self) -> str:
        return f"**{for_markdown(self.title)}**\n\n{for_markdown(self.alt)}"

    def _repr_latex_(self) -> str:
        return f"\\textbf{{{for_latex(self.title)}}}\n\n{for_latex(self.alt)}"

    def show(self) -> None:
        """Show the figure: in a notebook as it is, else as the words that describe it."""
        if in_notebook():
            from IPython.display import display

            display(self)  # type: ignore[no-untyped-call]  # IPython has not annotated it
        else:
            sys.stdout.write(f"{for_terminal(self.title)}\n{for_terminal(self.long_description)}\n")

    def _bytes(self, form: str, dpi: float = 300) -> bytes:
        from matplotlib.figure import Figure as Canvas

        stream = io.BytesIO()
        with own_look():
            width, height = (side / MM_PER_INCH / self.larger for side in self.size)
            pixels = (
                dpi * self.larger
            )  # an inch of the drawing; letters are fitted to pixels, so it is measured in them
            canvas = Canvas(figsize=(width, height), dpi=pixels)
            place = START
            for passes in (1, 2):  # what is drawn by the room that there is finds it in the second pass
                canvas.clear()
                axes = canvas.add_axes(place)
                self.draw(axes)
                _only_words(axes)
                place = _fit_margins(canvas, axes, passes)
            _without_mathematics(canvas)
            _own_font(canvas)
            if form == "svg":
                nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
                canvas.savefig(stream, format="svg", metadata=nothing, dpi=72)
            elif form == "pdf":
                nothing = dict.fromkeys(("CreationDate", "Creator", "Producer"))
                canvas.savefig(stream, format="pdf", metadata={"Title": self.title, **nothing})
            else:
                canvas.savefig(stream, format="png", metadata={"Software": None}, dpi=pixels)
        return stream.getvalue()


def figure_size(size: str | tuple[float, float]) -> tuple[float, float]:
    """Width and height in mm, from the name of a preset or said outright.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown name.
    """
    if not isinstance(size, str):
        return (float(size[0]), float(size[1]))
    return SIZES[one_of("size", size, list(SIZES))]


def room(
    size: str | tuple[float, float] | None, *, height: float, width: float = 0.0
) -> tuple[tuple[float, float], float]:
    """The size of a figure that needs so many mm on paper, and how many times larger it is drawn.

    A size by name is as high as it must be, and what needs more width than it has is drawn smaller; on a slide all is
    as large as fits. Where no size is given it is two columns wide and as high as it must be.

    >>> room("single", height=100.0), room("slide", height=100.0)
    (((89.0, 90.0), 1.0), ((320.0, 180.0), 1.8))
    """
    if size is None:
        return (SIZES["double"][0], height), 1.0
    found = figure_size(size)
    if not isinstance(size, str):
        return found, LARGER.get(found, 1.0)
    if size == "slide":
        return found, min(LARGER[found], found[1] / height, found[0] / (width or 1.0))
    larger = min(1.0, found[0] / (width or 1.0))
    return (found[0], max(found[1], CLOSER * height * larger)), larger


@contextmanager
def own_look() -> Iterator[None]:
    """Matplotlib's defaults with our look, whatever the user's style sheets say; afterwards everything is as it was."""
    import matplotlib as mpl

    kept = ("backend", "interactive", "toolbar", "tk.", "webagg.", "date.epoch", "savefig.directory")
    defaults: Any = {name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith(kept)}
    look: Any = dict(LOOK)
    with mpl.rc_context(defaults), mpl.rc_context(look):
        yield


def _without_mathematics(part: Axes | Canvas) -> None:
    """No text of a part is read as mathematics: labels come from files."""
    from matplotlib.text import Text

    for text in part.findobj(Text):
        assert isinstance(text, Text)
        text.set_parse_math(False)


def _own_font(canvas: Canvas) -> None:
    """Draw every text with the font file of matplotlib itself: another of that name may be installed."""
    import matplotlib as mpl
    from matplotlib.text import Text

    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for text in canvas.findobj(Text):
        assert isinstance(text, Text)
        bold = text.get_fontweight() in {"bold", 700}
        text.get_fontproperties().set_file(folder / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"))


def _only_words(axes: Axes) -> None:
    """Take out of every text what is no letter: control characters, and marks that turn the writing."""
    from matplotlib.text import Text
    from matplotlib.ticker import FixedFormatter

    def words(text: str) -> str:
        return text if text.isprintable() else "\n".join(map(clean, text.split("\n")))

    for text in axes.findobj(Text):
        assert isinstance(text, Text)
        text.set_text(words(text.get_text()))
    for part in (axes, *axes.child_axes):
        for axis in (part.xaxis, part.yaxis):
            for ticker in (axis.get_major_formatter(), axis.get_minor_formatter()):
                if isinstance(ticker, FixedFormatter):
                    ticker.seq = [words(label) for label in ticker.seq]


def _fit_margins(canvas: Canvas, axes: Axes, passes: int) -> tuple[float, float, float, float]:
    """Place the axes so that all that belongs to them lies within the figure, with a narrow margin; where they stand
    now.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(canvas)
    width, height = canvas.get_size_inches()
    margin = 1.2 / MM_PER_INCH
    renderer = canvas.canvas.get_renderer()  # type: ignore[attr-defined]
    for _ in range(passes):  # labels that follow the size of the axes settle in the second pass
        outer = axes.get_tightbbox(renderer)
        inner = axes.get_window_extent(renderer)
        assert outer is not None
        left, right = (inner.x0 - outer.x0) / canvas.dpi + margin, (outer.x1 - inner.x1) / canvas.dpi + margin
        low, high = (inner.y0 - outer.y0) / canvas.dpi + margin, (outer.y1 - inner.y1) / canvas.dpi + margin
        place = (
            left / width,
            low / height,
            max(1 - (left + right) / width, LEAST),
            max(1 - (low + high) / height, LEAST),
        )
        axes.set_position(place)
    return place


def _shortened(svg: str) -> str:
    """The drawing with coordinates to a hundredth of a point and only the names that are used: a third of the bytes."""

    def near(number: re.Match[str]) -> str:
        return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")

    def rounded(match: re.Match[str]) -> str:
        return f'{match[1]}"{" ".join(_DECIMALS.sub(near, match[2]).split())}"'

    svg = re.sub(r'( d=| x=| y=)"([^"]*)"', rounded, svg)
    svg = re.sub(r"translate\([^)]*\)", lambda place: _DECIMALS.sub(near, place[0]), svg)
    svg = re.sub(r'(<use [^>]*?) transform="translate\((-?[\d.]+) 0\)"/>', r'\1 x="\2"/>', svg)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda name: name[0] if name[1] in used else "", svg)
    svg = re.sub(r'((?: id="|href="#))DejaVuSans-', r"\1d-", svg)
    svg = re.sub(r"<g>\s*(<use [^>]*/>)\s*</g>", r"\1", svg)
    return re.sub(r"\n\s+", "\n", svg)


def _without_software(svg: str) -> str:
    """The `<svg>` element alone: no declaration, no comment that names the software, sizes in mm kept as they are."""
    element = svg[svg.index("<svg") :]
    return re.sub(r"\s*<!--.*?-->", "", element, flags=re.DOTALL)
