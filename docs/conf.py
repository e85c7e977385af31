"""How the documentation is built: `make docs`, without a network, and with warnings as errors."""

import sys
from pathlib import Path

import mlpxp

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "mlpxp"
copyright = "the mlpxp authors"  # noqa: A001 - Sphinx's name
version = release = mlpxp.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "myst_parser", "public_names", "commands"]
exclude_patterns = ["_extensions", "_templates"]
templates_path = ["_templates"]
smartquotes = False  # a quoted default is code
nitpicky = True  # a name that leads nowhere is a warning, and so an error

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say the types, with shapes
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # the class template has them
myst_heading_anchors = 3

html_theme = "pydata_sphinx_theme"
html_title = f"mlpxp {release}"
html_static_path = ["_static"]
html_css_files = ["mlpxp.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "show_prev_next": False,
    "navigation_depth": 2,
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {name: [] for name in ("index", "getting_started", "house", "command_line", "contributing", "changelog")}
