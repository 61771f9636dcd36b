"""`Figure`: what is drawn, its words, and how to draw it; rendering comes last and gives the same bytes everywhere.

The text of a figure is drawn as outlines of the font that comes with matplotlib, so a figure looks the same on every
machine and its file does not depend on the fonts that are installed.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..display.escape import for_html
from ..errors import StudyError, one_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

__all__ = ["SIZES", "Figure", "figure_size"]

SIZES: Mapping[str, tuple[float, float]] = MappingProxyType({"single": (89.0, 72.0), "double": (183.0, 96.0)})
"""Width and height in mm of a figure across one or two columns of a journal."""

START = (0.18, 0.2, 0.62, 0.7)
"""Where the axes stand until their margins are known, in parts of the figure."""

MM_PER_INCH = 25.4
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
    """

    title: str
    frame: pd.DataFrame
    alt: str
    long_description: str
    draw: Callable[[Axes], None] = field(repr=False)
    size: tuple[float, float] = SIZES["single"]

    def __post_init__(self) -> None:
        if not self.alt.strip() or not self.long_description.strip():
            raise ValueError("a figure needs an alt text and a long description")

    def __repr__(self) -> str:
        width, height = self.size
        return f"<Figure: {self.title}; {width:g} × {height:g} mm>"

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
        return f'{head} role="img" aria-labelledby="{mark}title {mark}desc">\n{words}{rest}'

    def png(self, *, dpi: float = 300) -> bytes:
        """The figure as a PNG file."""
        return self._bytes("png", dpi=dpi)

    def save(self, path: str | Path, *, dpi: float = 300) -> Path:
        """Write the figure to a file: .svg for the screen and for print, .png where pixels are asked for.

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
        else:
            raise StudyError(
                "E-STUDY-VALUE",
                f"A figure cannot be saved as `{target.suffix or 'a file without suffix'}`.",
                "The suffix is .svg or .png.",
                "Choose .svg where the journal takes it.",
            )
        return target

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        width = 1.5 * self.size[0]  # a screen is read from farther than paper
        return f'<figure style="margin:0;max-width:{width:.0f}mm">{self.svg(fluid=True)}</figure>'

    def _bytes(self, form: str, dpi: float = 300) -> bytes:
        from matplotlib.figure import Figure as Canvas

        stream = io.BytesIO()
        with own_look():
            width, height = self.size
            canvas = Canvas(figsize=(width / MM_PER_INCH, height / MM_PER_INCH))
            axes = canvas.add_axes(START)
            self.draw(axes)
            _fit_margins(canvas, axes)
            _own_font(canvas)
            if form == "svg":
                nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
                canvas.savefig(stream, format="svg", metadata=nothing, dpi=72)
            else:
                canvas.savefig(stream, format="png", metadata={"Software": None}, dpi=dpi)
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


@contextmanager
def own_look() -> Iterator[None]:
    """Matplotlib's defaults with our look, whatever the user's style sheets say; afterwards everything is as it was."""
    import matplotlib as mpl

    kept = ("backend", "interactive", "toolbar", "tk.", "webagg.", "date.epoch", "savefig.directory")
    defaults: Any = {name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith(kept)}
    look: Any = dict(LOOK)
    with mpl.rc_context(defaults), mpl.rc_context(look):
        yield


def _own_font(canvas: Canvas) -> None:
    """Draw every text with the font file of matplotlib itself: another of that name may be installed."""
    import matplotlib as mpl
    from matplotlib.text import Text

    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for text in canvas.findobj(Text):
        assert isinstance(text, Text)
        bold = text.get_fontweight() in {"bold", 700}
        text.get_fontproperties().set_file(folder / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"))


def _fit_margins(canvas: Canvas, axes: Axes) -> None:
    """Place the axes so that all that belongs to them lies within the figure, with a narrow margin."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(canvas)
    width, height = canvas.get_size_inches()
    margin = 1.2 / MM_PER_INCH
    axes.set_position(START)
    for _ in range(2):  # labels that follow the size of the axes settle in the second pass
        renderer = canvas.canvas.get_renderer()  # type: ignore[attr-defined]
        canvas.draw_without_rendering()
        outer = axes.get_tightbbox(renderer)
        inner = axes.get_window_extent(renderer)
        assert outer is not None
        left, right = (inner.x0 - outer.x0) / canvas.dpi + margin, (outer.x1 - inner.x1) / canvas.dpi + margin
        low, high = (inner.y0 - outer.y0) / canvas.dpi + margin, (outer.y1 - inner.y1) / canvas.dpi + margin
        axes.set_position((left / width, low / height, 1 - (left + right) / width, 1 - (low + high) / height))


def _shortened(svg: str) -> str:
    """The drawing with coordinates to a hundredth of a point, one line for each outline: half the bytes."""

    def outline(match: re.Match[str]) -> str:
        rounded = re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), match[1])
        return f' d="{" ".join(rounded.split())}"'

    return re.sub(r' d="([^"]*)"', outline, svg)


def _without_software(svg: str) -> str:
    """The `<svg>` element alone: no declaration, no comment that names the software, sizes in mm kept as they are."""
    element = svg[svg.index("<svg") :]
    return re.sub(r"\s*<!--.*?-->", "", element, flags=re.DOTALL)
