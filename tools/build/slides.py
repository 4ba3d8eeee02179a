"""Make slides of the lessons: notebooks/NN_topic.ipynb → output/slides/NN_topic.html, a file each.

A step's heading begins a slide; its **Predict.**, its result and its **Explain.** stand below it
(arrow down). Long text is cut to its first sentences and stands whole in the speaker notes (key S);
set-up cells and long code are left out; a checkpoint's answer is a slide of its own. Of a recorded
prediction the answer is shown, neither entry nor code. The instructors' notes of the lesson's
source (tools/build/notes.py) are speaker notes of their step. reveal.js is fetched once, verified,
and put into each file, so that the slides need no network. Without a network it is linked
instead, and the tool says so.
"""

import argparse
import re
import sys
import tarfile
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from cxr_helpers import fetch
from tools.build import notes
from tools.build.notes import Note
from tools.build.outputs import drawn, is_picture
from tools.common import ROOT, ToolError, chosen, read_notebook, relative, tags, write_atomic

REVEAL = "4.6.1"
ADDRESS = f"https://registry.npmjs.org/reveal.js/-/reveal.js-{REVEAL}.tgz"
SHA256 = "4f4121ef2b8e7e9398bdecd7b3b6ce5e0ee3a2f5af221708eb6c4ce03bcae6be"
LINK = f"https://unpkg.com/reveal.js@{REVEAL}"
PARTS = (
    "dist/reveal.css",
    "dist/theme/white.css",
    "dist/reveal.js",
    "plugin/notes/notes.js",
    "LICENSE",
)

WORDS = 60  # of prose on a slide; the rest goes to the notes
CODE_LINES = 8  # longer code is not shown
TEXT_LINES = 14  # nor is more printed output than this

LABEL = re.compile(r"^\*\*(Predict|Explain)\.\*\*", re.MULTILINE)
ANSWER = re.compile(r"<details>\s*<summary>.*?</summary>(.*?)</details>", re.DOTALL)
ENTRY = re.compile(r"\bguess\.(number|interval|choice|order|sketch|summary|code|take)\(")
SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z`*(])")

TEMPLATE = """{% extends "index.html.j2" %}
{% block jupyter_widgets %}{% endblock %}
{% block html_head_js %}{% endblock %}
{% block html_head_js_mathjax %}
<style>
.reveal { font-size: 26px; }
.reveal .slides { text-align: left; }
.reveal .slides section { max-height: 700px; overflow: hidden auto; }
:root { --r-heading-text-transform: none !important; }
.reveal .slides h1 { font-size: 2em; }
.reveal .slides h2 { font-size: 1.5em; }
.reveal .slides h3 { font-size: 1.2em; }
.reveal .slides blockquote { width: auto; margin: 0 0 1em; padding: 0 0.5em; box-shadow: none; }
.reveal .jp-RenderedHTMLCommon { font-size: 26px; line-height: 1.4; }
.reveal .jp-RenderedHTMLCommon table, .reveal .jp-RenderedHTMLCommon pre { font-size: 18px; }
.reveal .highlight pre { font-size: 18px; }
.reveal .jp-RenderedText pre { font-size: 18px; line-height: 1.3; }
.reveal .jp-InputPrompt, .reveal .jp-OutputPrompt, .reveal .jp-Collapser { display: none; }
.reveal .jp-OutputArea img { max-height: 400px; margin: 0; }
.reveal .celltag_alone .jp-OutputArea img {
  max-height: 570px; min-width: 60%; object-fit: contain;
}
.reveal .jp-MarkdownOutput img[src^="data:image/png"] {
  width: 860px; max-height: 590px; object-fit: contain;
}
.reveal img.formula { margin: 0; height: auto; vertical-align: middle; }
.reveal p.step { color: #6a6a6a; font-size: 18px; margin: 0; }
.reveal .highlight :is(.mi, .mf, .mb, .mh, .mo) { color: #006b00; }
.reveal .highlight .ow { color: #8618cc; }
.reveal .highlight :is(.c1, .cm) { color: #35707a; }
.reveal .jp-RenderedMarkdown a { text-decoration: underline; }
.reveal .slide-number { background-color: #333 !important; }
</style>
{% endblock %}
{% block footer_js %}
<script>{{ resources.slides.script }}</script>
<script>Reveal.initialize({hash: true, slideNumber: "c/t", width: 1200, height: 700, margin: 0.04,
  center: false, transition: "none", plugins: [RevealNotes]});</script>
{% endblock %}"""


def deck(notebook: NotebookNode, said: Iterable[Note] = ()) -> NotebookNode:
    """Return a lesson as cells with slide types: slide, subslide, -, notes or skip.

    They stand in `metadata.slideshow`. `said`: the instructors' notes, each for the speaker of the
    slide that begins its step.
    """
    spoken = {note.step: note.text for note in said}
    result, step = nbformat.v4.new_notebook(metadata={"title": _title(notebook)}), ""
    for cell in notebook.cells:
        if cell.source.startswith("## "):
            step = cell.source.split("\n", 1)[0].removeprefix("## ")
        if not result.cells:
            result.cells += opening(cell)
        elif (
            result.cells[-1].get("outputs")
            and cell.source.startswith("**Explain.**")
            and _small(result.cells[-1])
        ):
            result.cells += prose(cell, "fragment")
        elif any(c.source.startswith("## Step") for c in result.cells) or step.startswith("Step"):
            found = prose(cell) if cell.cell_type == "markdown" else code(cell)
            parts = [part for slide in found for part in _under(step, slide)]
            if step in spoken and parts:
                parts.insert(1, _text(spoken.pop(step), "notes"))
            result.cells += parts
    return result


def _small(cell: NotebookNode) -> bool:
    """Whether a cell's results leave room for their explanation."""
    return not any(is_picture(output) for output in cell.outputs)


def _under(step: str, cell: NotebookNode) -> Iterator[NotebookNode]:
    """A slide below a step, with the step's name above it."""
    if cell.metadata.slideshow.slide_type == "subslide":
        yield _text(f'<p class="step">{escape(step)}</p>', "subslide")
        cell = _typed(cell, "-")
    yield cell


def _title(notebook: NotebookNode) -> str:
    return notebook.cells[0].source.split("\n", 1)[0].lstrip("# ")


def _typed(cell: NotebookNode, slide_type: str) -> NotebookNode:
    cell.metadata["slideshow"] = {"slide_type": slide_type}
    return cell


def _text(source: str, slide_type: str) -> NotebookNode:
    return _typed(new_markdown_cell(drawn(source.strip(), size=20)), slide_type)


def opening(cell: NotebookNode) -> Iterator[NotebookNode]:
    """The title with its question and the banner; below it, what the reader will be able to do."""
    text = re.sub(r"^(\[!\[|\*You read the ).*\n", "", cell.source, flags=re.MULTILINE)
    before, _, after = text.partition("**You will be able to**")
    aims, _, rest = after.partition("**Time and hardware.**")
    yield _text(before, "slide")
    if aims:
        yield _text(f"## You will be able to\n{aims}", "subslide")
        yield _text(f"**Time and hardware.**{rest}", "notes")


def prose(cell: NotebookNode, below: str = "subslide") -> Iterator[NotebookNode]:
    """The slides of a Markdown cell: its heading with some text, a prediction, an answer.

    Also what is to be explained.

    `below` is the type of the first one, where it is no heading of a step.
    """
    source, answer = ANSWER.sub("", cell.source), ANSWER.search(cell.source)
    places = [match.start() for match in LABEL.finditer(source)]
    for start, end in zip([0, *places], [*places, len(source)], strict=True):
        part = source[start:end].strip()
        if part:
            yield from _slide(
                part, "slide" if part.startswith("## ") else "fragment" if start else below
            )
    if answer:
        yield from _slide(f"**Answer.** {answer[1].strip()}", "subslide")


def _slide(source: str, slide_type: str) -> Iterator[NotebookNode]:
    short = shorten(source)
    yield _text(short, slide_type)
    if short != source:
        yield _text(source, "notes")


def shorten(source: str, words: int = WORDS) -> str:
    """Return the first sentences of a text.

    Headings, lists, tables and formulas stay whole, and so does a sentence.
    """
    kept, left = [], words
    for block in re.split(r"\n\s*\n", source.strip()):
        if re.match(r"#|\||\$\$|>|```|!\[|[-*] |\d+\. ", block):
            kept.append(block)
            left -= 0 if block.startswith(("#", "![")) else len(block.split()) // 3
        elif left > 0:
            chosen_here = _first_sentences(block, left)
            kept.append(chosen_here)
            left -= len(chosen_here.split())
    return "\n\n".join(kept)


def _first_sentences(block: str, words: int) -> str:
    """As many sentences as the words allow, at least one; no cut in emphasis, code or brackets."""
    sentences, kept = SENTENCE.split(block), []
    for sentence in sentences:
        text = " ".join(kept)
        if kept and _closed(text) and len(f"{text} {sentence}".split()) > words:
            break
        kept.append(sentence)
    return " ".join(kept) if len(kept) < len(sentences) else block


def _closed(text: str) -> bool:
    return all(text.count(mark) % 2 == 0 for mark in ("`", "**")) and text.count("(") == text.count(
        ")"
    )


def code(cell: NotebookNode) -> Iterator[NotebookNode]:
    """A code cell with what it shows, if it is short; nothing else is a slide.

    Long code and long print-outs are left out.
    """
    cell = nbformat.from_dict(cell)
    cell.outputs = [output for output in cell.get("outputs", []) if _fits(output)]
    cell.source = re.sub(r"^(import|from) .*\n*", "", cell.source, flags=re.MULTILINE).strip()
    hidden = len(cell.source.splitlines()) > CODE_LINES or ".meets(" in cell.source
    entry = ENTRY.search(cell.source)  # in a lecture everybody predicts aloud
    if "parameters" in tags(cell) or not cell.source or entry or (hidden and not cell.outputs):
        return
    if hidden:
        cell.metadata["transient"] = {"remove_source": True}
        cell.metadata["tags"] = [*tags(cell), "alone"]
    yield _typed(cell, "subslide")


def _fits(output: NotebookNode) -> bool:
    if output.output_type == "stream":
        return output.name == "stdout" and output.text.count("\n") <= TEXT_LINES
    return output.output_type != "error"


def reveal(folder: Path) -> dict[str, str] | None:
    """Return reveal.js's texts by path in its package, fetched once; None if out of reach.

    They are fetched into a folder.
    """
    try:
        archive = fetch.download(
            ADDRESS, folder / f"reveal.js-{REVEAL}.tgz", SHA256, progress=False, attempts=2
        )
    except fetch.FetchError as error:
        print(f"note: {error}", file=sys.stderr)
        return None
    with tarfile.open(archive) as files:
        return {part: files.extractfile(f"package/{part}").read().decode() for part in PARTS}


def page(notebook: NotebookNode, parts: dict[str, str] | None, said: Iterable[Note] = ()) -> str:
    """Return a lesson's slides as HTML with the parts of reveal.js in it, or with links if None."""
    from jinja2 import DictLoader
    from nbconvert import SlidesExporter

    slides = deck(notebook, said)
    script = f"/* {parts['LICENSE']} */\n{parts[PARTS[2]]}\n{parts[PARTS[3]]}" if parts else ""
    exporter = SlidesExporter(
        template_file="deck.html.j2",
        extra_loaders=[DictLoader({"deck.html.j2": TEMPLATE})],
        embed_images=True,
    )
    exporter.reveal_url_prefix, exporter.reveal_theme = LINK, "white"
    resources = {"metadata": {"name": slides.metadata.title}, "slides": {"script": script}}
    html = exporter.from_notebook_node(slides, resources=resources)[0]
    if not parts:
        links = "".join(f'<script src="{LINK}/{part}"></script>' for part in PARTS[2:4])
        return html.replace("<script></script>", links)
    for part in PARTS[:2]:
        style = re.sub(r"@import url\([^)]*\);", "", parts[part])
        link = re.compile(rf'<link[^>]*href="{re.escape(LINK)}/{part}"[^>]*>')
        html = link.sub(lambda _, style=style: f"<style>{style}</style>", html)
    return html


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Write the slides; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.build.slides", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "names", nargs="*", help="paths, or starts of names such as 04; all if none"
    )
    parser.add_argument(
        "--output", type=Path, default=root / "output" / "slides", help="default: output/slides/"
    )
    options = parser.parse_args(arguments)
    try:
        paths = chosen(options.names, root)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2
    parts = reveal(root / "build")
    for path in paths:
        notebook, target = read_notebook(path), options.output / f"{path.stem}.html"
        write_atomic(target, page(notebook, parts, notes.of(path, root)))
        shown = any(cell.get("outputs") for cell in notebook.cells)
        print(
            f"{relative(target, root)}: "
            f"written{'' if shown else ', without results: make notebooks first'}"
        )
    if not parts:
        print(
            f"reveal.js could not be fetched: these slides load it from {LINK} when they are shown"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
