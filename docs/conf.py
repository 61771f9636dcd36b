"""The documentation site: `make docs` builds it into `out/docs/`, with warnings as errors and nothing fetched."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

from burnout_stats import __version__

project = "burnout_stats"
author = "the burnout_stats authors"
copyright = author  # noqa: A001 - the name is Sphinx's
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_nb",
    "mathml",
    "reference",
]
exclude_patterns = ["screenshots/*.py", "_extensions"]
html_math_renderer = "mathml"
html_theme = "alabaster"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_title = f"burnout_stats {release}"
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {
    "description": "Repeated-measures cohorts of burnout, from file to report.",
    "page_width": "1080px",
    "sidebar_width": "250px",
    "fixed_sidebar": False,
    "font_family": "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
    "head_font_family": "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
    "code_font_family": "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace",
    "show_powered_by": False,
}
html_sidebars = {"**": ["about.html", "searchfield.html", "navigation.html"]}
pygments_style = "friendly"

default_role = "code"
"""A word in single back-quotes is code, as in the docstrings of the package."""

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 90
autosummary_generate = False
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

nb_execution_mode = "off"
"""The notebooks hold their outputs, and the tests hold the outputs to what a fresh run gives."""
nb_mime_priority_overrides = [("html", "text/html", 5), ("html", "image/svg+xml", 4), ("html", "text/markdown", 30)]
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 4
suppress_warnings = [
    "myst.xref_missing",  # links of the README to files of the repository, which are no pages of the site
]
