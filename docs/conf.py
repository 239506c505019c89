"""How Sphinx makes the site from the pages as they stand: `make docs`, then `_docs/index.html`."""

import json
import re
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from reference import Reference

project, author, copyright = "versatune", "The versatune authors", "2026, the versatune authors"
extensions = ["myst_nb", "sphinx_copybutton", "sphinx-mathjax-offline"]
root_doc, include_patterns = "README", ["README.md", "CHANGELOG.md", "docs/**", "nbs/**"]
exclude_patterns = ["docs/contents.md", "**/.ipynb_checkpoints"]

nb_execution_mode, nb_merge_streams = "off", True  # outputs are those that the notebooks keep
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 4
suppress_warnings = ["mystnb.unknown_mime_type"]  # a table is kept as text and as HTML

html_theme, html_title = "furo", "versatune"
html_static_path, html_css_files = ["_static"], ["site.css"]
html_show_sourcelink, highlight_language = False, "none"  # where a fence names no language
nb_code_prompt_show = "Imports"


def sentence(text):
    "The last sentence of some Markdown, without its marks; '' where there is none."
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    lines = [line for line in text.splitlines() if not re.match(r"[#>|`$-]|\s*$", line)]
    plain = re.sub(r"[`*$\\]", "", " ".join(lines)).strip()
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", plain)[-1].rstrip(":")


def shown(cell, heading, before):
    "A code cell as the site shows it: without directives; with a text in place of its picture."
    source = "".join(cell["source"])
    lines = [line for line in source.splitlines() if not line.startswith("#|")]
    cell["source"] = "\n".join(lines).strip("\n")
    only_imports = all(re.match(r"(from|import|\s|\)|#|$)", line) for line in lines)
    tags = ["remove-cell"] if not cell["source"] else ["hide-input"] if only_imports else []
    alt = f"Figure: {heading}. {before}".strip()
    for output in cell["outputs"]:  # tables of links lead to notebooks; on the site, to pages
        page = output.get("data", {}).get("text/html", [])
        html = re.sub(r'(href="[^":]+)\.ipynb', r"\1.html", "".join(page))
        output.get("data", {}).update({"text/html": html} if page else {})
    cell["metadata"] |= {"tags": tags, "mystnb": {"image": {"alt": alt.replace("\n", " ")}}}
    return cell


def prepare(app, docname, source):
    "Before a page is read: the contents below the first page, and notebooks made ready to read."
    if docname == root_doc:
        source[0] += (Path(__file__).parent / "contents.md").read_text(encoding="utf-8")
    if docname == "nbs/index":  # the site has pages where the repository has folders
        source[0] = source[0].replace("](studies)", "](../docs/studies.md)")
        source[0] = source[0].replace("](make)", "](../docs/studies.md)")
    if source[0].startswith("{"):
        notebook, heading, before = json.loads(source[0]), "", ""
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                text = "".join(cell["source"])
                headings = re.findall(r"^#+ (.*)", text, re.M)
                heading, before = (headings or [heading])[-1], sentence(text)
            elif cell["cell_type"] == "code":
                shown(cell, heading, before)
        source[0] = json.dumps(notebook)


def first_page(app, exception):
    "The first page under the name that a browser asks for."
    if not exception and app.builder.format == "html":
        shutil.copy(Path(app.outdir, "README.html"), Path(app.outdir, "index.html"))


def setup(app):
    app.add_directive("reference", Reference)
    app.connect("source-read", prepare)
    app.connect("build-finished", first_page)
