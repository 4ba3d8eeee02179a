"""Settings of Sphinx for the course's web site; `make site` builds it (tools/build/site.py)."""

import sys
from pathlib import Path

import matplotlib
from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools.build import links, site  # noqa: E402  (found by the line above)

project = "Chest radiographs, and what the number is worth"
author = "the authors of the course"
project_copyright = "text and figures: CC BY 4.0; code: MIT"
html_title = "Chest radiographs"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.githubpages",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
]
# Handed out as files, no pages.
exclude_patterns = ["notebooks/student/*", "notebooks/student/cases/*"]

nb_execution_mode = "off"
nb_merge_streams = True
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
nb_render_markdown_format = "gfm"
myst_enable_extensions = ["amsmath", "attrs_block", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4

default_role = "py:obj"  # a docstring's `name` leads to it where there is such a name
autosummary_generate = False
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
add_module_names = False
toc_object_entries_show_parents = "hide"

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_static_path = [
    "site.css",
    "site.js",
    "favicon.svg",
    f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSerif.ttf",
    f"{matplotlib.get_data_path()}/fonts/ttf/LICENSE_DEJAVU",
]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_favicon = "favicon.svg"
html_copy_source = False
html_use_index = False
html_domain_indices = False
html_show_sourcelink = False
html_sidebars = {page: [] for page in site.alone()}
html_search_scorer = str(ROOT / site.SETTINGS / "scorer.js")
copybutton_selector = "div.cell_input div.highlight pre, div:not(.cell_output) > div.highlight pre"
copybutton_exclude = ".linenos, .gp, .go"
html_theme_options = {
    "logo": {"text": "Chest radiographs"},
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher", "navbar-icon-links"],
    "navbar_persistent": ["search-button"],
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "show_toc_level": 1,
    "show_nav_level": 1,
    "footer_start": ["education"],
    "footer_end": ["licence"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
templates_path = ["templates"]
if links.repository():
    html_theme_options["icon_links"] = [
        {"name": "Repository", "url": links.repository(), "icon": "fa-brands fa-github"}
    ]

LOG = logging.getLogger(__name__)


def formula(self, node):
    """Write a formula as MathML, which browsers show without a script and screen readers read."""
    try:
        self.body.append(
            tex2mathml(site.stretched(node.astext()), as_block=isinstance(node, nodes.math_block))
        )
    except MathError as error:
        LOG.warning(
            "the formula %s cannot be written as MathML: %s", node.astext(), error, location=node
        )
    raise nodes.SkipNode


def complete_docstring(app, what, name, obj, options, lines):
    text = site.as_code(lines) if what == "module" else lines
    text = [site.values_kept(site.lessons_linked(line)) for line in text]
    lines[:] = [*text, *site.first_called(name)]


def leave_out_of_search(app, doctree):
    """Words of the set-up, which is the same everywhere, find no page."""
    for node in doctree.findall(nodes.container):
        if "tag_no-search" in node["classes"]:
            node["classes"].append("no-search")


def tidy(app, pagename, templatename, context, doctree):
    if "body" in context:
        body = site.without_empty_heads(context["body"])
        context["body"] = site.set_in_lines(body)


def setup(app):
    app.add_html_math_renderer("mathml", (formula, None), (formula, None))
    app.connect("autodoc-process-docstring", complete_docstring)
    app.connect("doctree-read", leave_out_of_search)
    app.connect("html-page-context", tidy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
