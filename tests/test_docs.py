"""The site builds without a warning; its links lead somewhere, its figures have a text."""

import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
GUIDES = sorted(path for path in (ROOT / "docs").glob("*.md") if path.name != "contents.md")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("myst_nb", reason="the site needs the extra docs")
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-c",
        "docs",
        ".",
        folder,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


@pytest.fixture(scope="module")
def pages(site):
    "Page -> its HTML."
    return {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}


def test_links_lead_somewhere(site, pages):
    broken, ids = set(), {}
    for path, html in pages.items():
        ids[path.resolve()] = {"", *re.findall(r'\bid="([^"]+)"', html)}
    for path, html in pages.items():
        for link in re.findall(r'<a [^>]*href="([^"]+)"', html):
            if re.match(r"[a-z]+:", link):
                continue
            place, _, anchor = unquote(unescape(link)).partition("#")
            target = (path.parent / place).resolve() if place else path.resolve()
            known = ids.get(target, {anchor})
            if not target.exists() or anchor not in known:
                broken.add((str(path.relative_to(site)), link))
    assert broken == set()


def test_every_lesson_and_guide_is_there(site):
    sources = [*ROOT.glob("nbs/*.ipynb"), *ROOT.glob("nbs/*/*.ipynb"), *GUIDES]
    pages = [path.relative_to(ROOT).with_suffix(".html") for path in sources]
    assert [str(page) for page in pages if not (site / page).exists()] == []
    assert (site / "index.html").read_text() == (site / "README.html").read_text()


def test_every_figure_has_a_text(pages):
    silent = set()
    for path, html in pages.items():
        for image in re.findall(r"<img [^>]*>", html):
            alt = re.search(r'alt="([^"]*)"', image)
            if not alt or len(alt[1]) < 8 or alt[1].startswith(("../", "_images")):
                silent.add((path.name, image[:120]))
    assert silent == set()


def test_python_of_the_guides_runs(tmp_path):
    "Blocks that begin with an import stand alone; the others need what the text names."
    blocks = []
    for guide in GUIDES:
        text = guide.read_text(encoding="utf-8")
        blocks += re.findall(r"```python\n(from .*?)```", text, re.S)
    blocks = [block for block in blocks if "models/mine" not in block]  # test_walk runs that one
    assert len(blocks) >= 3
    program = f"for block in {blocks!r}:\n    exec(block, dict(__name__='block'))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
