"""Draw docs/screenshots/ anew from out/: the report on a wide screen, on a telephone, on paper, and a figure.

Needs Chromium and, for paper, pdftoppm (Debian: apt install chromium poppler-utils); where they are missing it says so
and leaves the pictures as they are.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageChops

HERE = Path(__file__).resolve().parent
OUT = HERE.parents[1] / "out"
REPORT = OUT / "report.html"
FIGURE = OUT / "figures" / "trajectory_exhaustion.svg"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTHS = (1280, 400)
FIGURE_WIDTH = 720
OPENING = 1600  # what the README shows of a page
TALLEST = 16_000  # Chromium draws no surface of more than 16384 pixels
MARGIN = 24
PAPER_DPI = 72
PAPER_COLUMNS = 3


def main() -> int:
    """Draw all pictures that can be drawn here; 1 where there is no report to draw."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("No pictures drawn: there is no Chromium here (Debian: apt install chromium).")
        return 0
    if not REPORT.exists():
        print("No pictures drawn: there is no out/report.html (make report).", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for width in WIDTHS:
            whole = screen(browser, REPORT, width, work)
            save(whole, f"report-{width}-whole.png")
            save(whole.crop((0, 0, width, min(OPENING, whole.height))), f"report-{width}.png")
        save(screen(browser, FIGURE, FIGURE_WIDTH, work), "figure.png")
        if rasterizer := shutil.which("pdftoppm"):
            save(paper(browser, rasterizer, work), "report-print.png")
        else:
            print("Nothing drawn as printed: there is no pdftoppm here (Debian: apt install poppler-utils).")
    return 0


def screen(browser: str, source: Path, width: int, work: Path) -> Image.Image:
    """The whole page at a window width, without the empty rest of the window."""
    shot = work / f"{width}.png"
    browse(browser, source, work, f"--screenshot={shot}", f"--window-size={width},{TALLEST}", "--hide-scrollbars")
    picture = Image.open(shot).convert("RGB")
    blank = Image.new("RGB", picture.size, picture.getpixel((0, picture.height - 1)))
    box = ImageChops.difference(picture, blank).getbbox()
    bottom = picture.height if box is None else min(box[3] + MARGIN, picture.height)
    if bottom == picture.height:
        print(f"The page is taller than {TALLEST} pixels at a width of {width}: its end is cut off.")
    return picture.crop((0, 0, width, bottom))


def paper(browser: str, rasterizer: str, work: Path) -> Image.Image:
    """The printed pages beside each other."""
    browse(browser, REPORT, work, f"--print-to-pdf={work / 'report.pdf'}", "--no-pdf-header-footer")
    subprocess.run([rasterizer, "-png", "-r", str(PAPER_DPI), work / "report.pdf", work / "page"], check=True)
    pages = [Image.open(path).convert("RGB") for path in sorted(work.glob("page*.png"))]
    wide, high = (max(size) + MARGIN for size in zip(*(page.size for page in pages), strict=True))
    rows = -(-len(pages) // PAPER_COLUMNS)
    sheet = Image.new("RGB", (min(PAPER_COLUMNS, len(pages)) * wide + MARGIN, rows * high + MARGIN), "#999999")
    for number, page in enumerate(pages):
        row, column = divmod(number, PAPER_COLUMNS)
        sheet.paste(page, (MARGIN + column * wide, MARGIN + row * high))
    return sheet


def browse(browser: str, source: Path, work: Path, *options: str) -> None:
    """Open a file in a browser without a window, with a profile of its own."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [browser, "--headless=new", "--disable-gpu", f"--user-data-dir={work / 'profile'}", *sandbox, *options]
    subprocess.run([*command, source.as_uri()], check=True, capture_output=True, timeout=120)


def save(picture: Image.Image, name: str) -> None:
    """Write a picture with 256 colors, which a page of text and lines does not miss."""
    picture.quantize(256).save(HERE / name, optimize=True)
    print(f"docs/screenshots/{name}: {picture.width} x {picture.height}")


if __name__ == "__main__":
    sys.exit(main())
