"""Build the course's web site in output/site/ from what is committed: `python -m tools.build.site`.

Nothing is run: the executed notebooks are shown as they are. They and the pages below docs/ are
copied to build/site/ in the layout of the repository, so that the links between them hold; the
reference is made from the package. Sphinx, whose settings stand in docs/site/, then makes the
pages; a warning is an error.
"""

import argparse
import importlib
import inspect
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path, PurePosixPath
from types import ModuleType

import nbformat

import cxr_helpers
from tools.build import functions, index, links, navigation, phone
from tools.common import (
    ROOT,
    STUDENT,
    ToolError,
    notebooks,
    read_notebook,
    relative,
    tags,
    write_atomic,
)

SETTINGS, BUILD, OUTPUT = "docs/site", "build/site", "output/site"
WRITTEN = (
    "docs/*.md",
    "data/README.md",
    "exercises/README.md",
    "exercises/instructors/*.md",
    "CONTRIBUTING.md",
)
PICTURES = ("docs/figures/*", "data/figures/*")
# Handed out as files. A student's copy is the notebook of a page, to work in.
FILES = (
    "LICENSE",
    "LICENSE-text",
    "LICENSE-phantoms",
    "CITATION.cff",
    f"notebooks/{STUDENT}/*.ipynb",
    f"notebooks/{STUDENT}/cases/*.ipynb",
)
LESSONS, CASES, EXERCISES, REFERENCE = (
    f"{folder}/index.md" for folder in ("notebooks", "notebooks/cases", "exercises", "reference")
)
# What a link to something that is no page leads to instead.
INSTEAD = {
    "README.md": "index.md",
    "notebooks": LESSONS,
    "notebooks/cases": CASES,
    "exercises": EXERCISES,
    f"notebooks/{STUDENT}/index.md": LESSONS,
}
GLOSSARY = "docs/glossary.md"
PACKAGE = ["docs/package.md", "docs/functions.md"]  # at the top of the reference
# Pages below a page; the front page's stand in docs/site/index.md.
BELOW = {
    "docs/results.md": ["docs/stability.md"],
    "exercises/instructors/README.md": [
        *(
            f"exercises/instructors/{name}.md"
            for name in (
                "before",
                "objectives",
                "schedule",
                "notes",
                "misconceptions",
                "concept-test",
                "concept-test-key",
            )
        ),
        "exercises/README.md",
        "exercises/instructors/written.md",
        "exercises/instructors/jupyterhub.md",
        "exercises/instructors/courses.md",
        "docs/publishing.md",
    ],
}
# Fenced code, a link or picture, and code in a line: whichever begins first, so that no link is
# seen in code.
PARTS = re.compile(
    r"^(?P<fence>```+|~~~+).*?^(?P=fence)\s*?$"
    r"|(?P<picture>!?)\[(?P<text>(?:`[^`]*`|\[[^\]]*\]|[^\[\]])*)\]\((?P<target>[^()\s]+)\)"
    r"|(?P<code>`+)(?!`).+?(?<!`)(?P=code)(?!`)",
    re.DOTALL | re.MULTILINE,
)
BADGE = re.compile(rf"\[!\[([^\]]+)\]\({re.escape(links.BADGE)}\)\]")
WAY = re.compile(r"^(?=\[.*\]\(\S*index\.md\))", re.MULTILINE)
EMPTY_HEAD = re.compile(r"<th\b([^>]*)>\s*(?:<p>\s*</p>)?\s*</th>")
# What in a page is no text of its own: code, formulas, links, and all tags.
NO_TEXT = re.compile(r"(<(pre|code|script|style|svg|math|a)\b.*?</\2>|<[^>]*>)", re.DOTALL)
DOI = re.compile(r"\b(doi\s+)(10\.\d{4,9}/[^\s<]*[^\s<.,;:)])")
LONG = re.compile(r'<span class="pre">(?=[^<]{25})')  # a word of code
RANGE = re.compile(r"(?<![\w.-])\(?\d(?:[\d.,]*\d)?(?:-\d(?:[\d.,]*\d)?)+\)?(?![\w-])")
# A row of the glossary: term, other names, meaning, lesson, source.
TERM = re.compile(
    r"^\| \*\*([^*|]+)\*\*(?: \(([^|]+)\))? \| ([^|]+?) "
    r"\| \[(\d\d)\](\([^)]+\)) \| ([^|]*?) ?\|$"
)
FOLDED = {"setup": "the check for the package", "imports": "the imports"}
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


# --- links ----------------------------------------------------------------------------------------


@cache
def pages(root: Path = ROOT) -> frozenset[str]:
    """Return the pages copied or made, by their place in the repository; not the reference's."""
    found = {p.relative_to(root).as_posix() for pattern in WRITTEN for p in root.glob(pattern)}
    found |= {p.relative_to(root).as_posix() for p in [*notebooks(root), *exercises(root)]}
    return frozenset(found) | {"index.md", LESSONS, CASES, EXERCISES, REFERENCE}


def exercises(root: Path = ROOT) -> list[Path]:
    """Return the exercises as students get them, which hold no solution."""
    return sorted((root / "exercises").glob("*_exercise.ipynb"))


def relinked(text: str, page: str, root: Path = ROOT) -> str:
    """Return Markdown whose links hold on the site, for a page given by its repository path.

    A link to another page stays. One to a student's copy, or to a licence, becomes a download; from
    an exercise, which is read here and not worked on, it leads to the executed copy. One to
    anything else in the repository leads to where the course is published; if that is nowhere, its
    text stays and the link goes. Raises ToolError where nothing is.
    """
    known = pages(root)
    return PARTS.sub(lambda found: _part(found, page, known, root), BADGE.sub(r"[\1]", text))


def _part(found: re.Match, page: str, known: frozenset[str], root: Path) -> str:
    target = found["target"]
    if found["code"] and (name := found[0].strip("`")) in known - {page}:
        target = os.path.relpath(name, PurePosixPath(page).parent)
        return f"[{found[0]}]({Path(target).as_posix()})"
    if target is None or ADDRESS.match(target) or target.startswith("#"):
        return found[0]
    name, _, anchor = target.partition("#")
    here = PurePosixPath(page).parent
    place = os.path.normpath(here / name)
    place = INSTEAD.get(place, place)
    if place.startswith(f"notebooks/{STUDENT}/") and page.startswith("exercises/"):
        place = place.replace(f"/{STUDENT}", "", 1)
    new = Path(os.path.relpath(place, here)).as_posix()
    if place in known:
        return f"[{found['text']}]({new}{'#' if anchor else ''}{anchor})"
    if not (root / place).exists():
        raise ToolError(f"{page} links to {target}, which does not exist: correct the link")
    if found["picture"]:
        return found[0]
    if any(PurePosixPath(place).match(pattern) for pattern in FILES):
        return f"{{download}}`{found['text'].replace('`', '')} <{new}>`"
    address = links.repository(root)
    kind = "tree" if (root / place).is_dir() else "blob"
    return (
        f"[{found['text']}]({address}/{kind}/{links.reference(root)}/{place})"
        if address
        else found["text"]
    )


def without_empty_heads(html: str) -> str:
    """Return HTML where empty headings, as pandas writes above an index, are plain cells."""
    return EMPTY_HEAD.sub(r"<td\1></td>", html)


def in_text(pattern: re.Pattern, new: str, html: str) -> str:
    """Return HTML with replacements in its text alone, not in tags, code, formulas or links."""
    parts = NO_TEXT.split(html)
    # What is split at comes with the name of its tag: text, tag, name, text, ...
    return "".join(
        pattern.sub(new, part) if place % 3 == 0 else part
        for place, part in enumerate(parts)
        if place % 3 < 2
    )


def set_in_lines(html: str) -> str:
    """Return HTML as lines need it: ranges such as 0.82-0.91 never break, long code may.

    Identifiers of sources become links.
    """
    html = LONG.sub('<span class="pre long">', html)
    html = in_text(DOI, r'\1<a class="reference external" href="https://doi.org/\2">\2</a>', html)
    return in_text(RANGE, r'<span class="nb">\g<0></span>', html)


def stretched(formula: str) -> str:
    """Return a formula in TeX whose brackets grow with what is in them.

    They were set large by hand (\\Big).
    """
    formula = re.sub(r"\\[bB]igg?l?\s*(?=[(\[])", r"\\left", formula)
    return re.sub(r"\\[bB]igg?r?\s*(?=[)\]])", r"\\right", formula)


def lessons_linked(line: str, root: Path = ROOT) -> str:
    """Return a docstring's line in which "lesson 04" links to the lesson, as reStructuredText."""
    there = {
        path.name[:2]: path.stem for path in notebooks(root) if path.parent.name == "notebooks"
    }

    def linked(found: re.Match) -> str:
        return (
            f":doc:`{found[0]} </notebooks/{there[found[1]]}>`" if found[1] in there else found[0]
        )

    return re.sub(r"\blesson (\d\d)\b", linked, line)


def as_code(lines: list[str]) -> list[str]:
    """Return a module's docstring, as lines, whose indented paragraphs are code.

    To reStructuredText they are quotations, whose quotation marks and line ends are not kept.
    """
    made: list[str] = []
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("    ") and not before.strip():
            last = next((said for said in reversed(made) if said), "")
            if not last.startswith("    ") and not last.endswith("::"):
                made += [".. code-block:: python", ""]
        made.append(line)
    return made


def values_kept(line: str) -> str:
    """Return a docstring's line in which values to choose from, {"PA", "AP"}, keep their quotes."""
    return re.sub(r'(?<!`)\{"[^"{}]*"(?:, "[^"{}]*")*\}(?!`)', r"``\g<0>``", line)


def first_called(name: str, root: Path = ROOT) -> list[str]:
    """Return the lines below a function's docstring that lead to the lesson that first calls it."""
    lesson = functions.lesson(name.removeprefix("cxr_helpers."), root)
    return ["", lessons_linked(f"First called in lesson {lesson}.", root), ""] if lesson else []


# --- copies ---------------------------------------------------------------------------------------


def copied(path: Path, root: Path = ROOT) -> nbformat.NotebookNode:
    """Return a notebook as the site shows it: its links hold, and its set-up is folded."""
    notebook, page = read_notebook(path), relative(path, root)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = WAY.sub("{.way}\n", relinked(cell.source, page, root))
        elif kind := FOLDED.keys() & set(tags(cell)):
            cell.metadata["tags"] = [*tags(cell), "hide-input", "no-search"]
            name = FOLDED[kind.pop()]
            cell.metadata["mystnb"] = {
                f"code_prompt_{verb}": f"{verb.title()} {name}" for verb in ("show", "hide")
            }
    if path.parent.name == "exercises":
        first = notebook.cells[0]
        own = (
            "*To work in this exercise, open it in JupyterLab (`make lab`), or "
            f"{{download}}`download the notebook <{path.name}>`.*"
        )
        head, _, rest = first.source.partition("\n\n")
        first.source = "\n\n".join([head, own, rest])
    return notebook


def front(root: Path = ROOT) -> str:
    """Return the front page, into which parts of the README come where it names them."""
    readme = (root / "README.md").read_text(encoding="utf-8")

    def part(found: re.Match) -> str:
        name = found[1]
        text = re.search(
            rf"^<!-- generated: {name} -->\n(.*?)^<!-- end of {name} -->",
            readme,
            re.DOTALL | re.MULTILINE,
        )
        if not text:
            raise ToolError(
                f"{SETTINGS}/index.md asks for the part {name}, which README.md does not have"
            )
        return text[1].strip()

    page = (root / SETTINGS / "index.md").read_text(encoding="utf-8")
    return relinked(
        re.sub(r"^<!-- README: (\w+) -->$", part, page, flags=re.MULTILINE), "index.md", root
    )


def glossary(text: str) -> str:
    """Return the glossary as a list that Sphinx knows: each term has an address, and is found."""
    head, rest = re.split(r"^\| term \|.*\n\|[-:| ]+\|\n", text, flags=re.MULTILINE)
    rows, _, foot = rest.partition("\n\n")
    lines = []
    for row in rows.splitlines():
        if not (found := TERM.match(row)):
            raise ToolError(f"{GLOSSARY}: {row[:60]!r} is no row of term, meaning, lesson, source")
        term, also, meaning, lesson, place, source = found.groups()
        names = [term, *(also.split(", ") if also else [])]
        where = " · ".join([f"[Lesson {lesson}]{place}", *([source] if source else [])])
        lines += [*names, f"  {meaning}", "", f"  {where}", ""]
    return "\n".join([f"{head}```{{glossary}}", *lines, "```", "", foot])


def alone(root: Path = ROOT) -> list[str]:
    """Return the pages with no pages below them, beside which no list of these can stand."""
    text = (root / SETTINGS / "index.md").read_text(encoding="utf-8")
    above = {LESSONS, CASES, EXERCISES, REFERENCE, *BELOW}
    tops = re.findall(r"^[^<>\n]+ <(\S+)>$", text, re.MULTILINE)
    return ["index", "search", *(name for name in tops if f"{name}.md" not in above)]


def toctree(names: list[str], page: str) -> str:
    """Return the directive that puts pages below a page, without showing them there."""
    here = PurePosixPath(page).parent
    places = [Path(os.path.relpath(name, here)).with_suffix("").as_posix() for name in names]
    return "\n".join(["", "```{toctree}", ":hidden:", "", *places, "```", ""])


# --- sections -------------------------------------------------------------------------------------


def sections(root: Path = ROOT) -> dict[str, str]:
    """Return the pages that list lessons, cases and exercises, from the notebooks' sources."""
    rows = index.entries(root)
    lessons, cases = (
        [row for row in rows if not row.stop.is_case],
        [row for row in rows if row.stop.is_case],
    )
    made = {
        LESSONS: lessons_page(lessons, root),
        CASES: cases_page(cases, root),
        EXERCISES: exercises_page(lessons, root),
    }
    return {page: relinked("\n".join(lines), page, root) for page, lines in made.items()}


def lessons_page(rows: list[index.Entry], root: Path) -> list[str]:
    """Return the lines of the list of lessons, by the question that they answer."""
    hours = round(sum(row.minutes for row in rows) / 30) / 2
    lines = [
        "# Lessons",
        "",
        f"{len(rows)} lessons, about {hours:g} hours, shown as they ran. To work in one, [install "
        "the course](../docs/settings.md) and type `make lab`, or download its notebook, without "
        "outputs.",
    ]
    for number, question in enumerate(index.QUESTIONS, 1):
        chapter = [card(row, LESSONS, root) for row in rows if row.question == question]
        lines += ["", f"## {number} · {question}", *grid(chapter)]
    return [*lines, toctree([executed(row, root) for row in rows], LESSONS)]


def cases_page(rows: list[index.Entry], root: Path) -> list[str]:
    """Return the lines of the list of case studies."""
    lines = [
        "# Case studies",
        "",
        "Student projects of five kinds, each rebuilt as it is described, then reviewed with the "
        "tools of the course: [feature by feature](../../docs/features.md).",
    ]
    below = [*(executed(row, root) for row in rows), "docs/features.md"]
    return [*lines, *grid([card(row, CASES, root) for row in rows]), toctree(below, CASES)]


def exercises_page(rows: list[index.Entry], root: Path) -> list[str]:
    """Return the lines of the list of exercises, each with its lesson."""
    rows, here = [row for row in rows if row.exercise], root / EXERCISES
    lines = [
        "# Exercises",
        "",
        "Each asks a few questions, with a check that answers at once and hints that go one step "
        "further each time, and one question to be answered in words.",
        "",
        "| exercise | minutes | after |",
        "|---|--:|---|",
    ]
    for row in rows:
        lesson = navigation.link(f"lesson {row.stop.name[:2]}", root / executed(row, root), here)
        lines += [
            f"| {navigation.link(row.stop.title, row.exercise, here)} | {row.exercise_minutes} | "
            f"{lesson} |"
        ]
    return [*lines, toctree([relative(row.exercise, root) for row in rows], EXERCISES)]


def executed(row: index.Entry, root: Path) -> str:
    """Return the place of a row's executed notebook in the repository."""
    return relative(row.stop.path(root / "notebooks"), root)


def card(row: index.Entry, page: str, root: Path) -> list[str]:
    """Return the lines of a card on a lesson or case: what one will do, how long, links.

    The links lead to exercise and notebook, and to Colab where the course is published.
    """
    here = root / page
    foot = [f"{row.minutes} min"]
    foot += (
        [navigation.link(f"Exercise {row.stop.name[:2]}", row.exercise, here)]
        if row.exercise
        else []
    )
    foot += [navigation.link("Notebook", row.stop.path(root / "notebooks" / STUDENT), here)]
    colab = links.colab(row.stop.path(root / "notebooks"), root)
    foot += [f"[Colab]({colab})"] if colab else []
    title = navigation.link(row.stop.title, root / executed(row, root), here)
    text = f"{row.summary[0].upper()}{row.summary[1:]}."
    return [f":::{{grid-item-card}} {title}", text, "", "{.foot}", " · ".join(foot), ":::"]


def grid(cards: list[list[str]]) -> list[str]:
    """Return the lines of a grid of cards, in one column on a phone."""
    return [
        "",
        "::::{grid} 1 1 2 2",
        ":gutter: 3",
        "",
        *(line for lines in cards for line in lines),
        "::::",
        "",
    ]


# --- reference ------------------------------------------------------------------------------------


def said(name: str, module: ModuleType) -> str:
    """Return the comment on a constant in a module's source: on its line, or right above it."""
    file = Path(module.__file__)
    sources = sorted(file.parent.glob("*.py")) if file.name == "__init__.py" else [file]
    for source in sources:
        text = source.read_text(encoding="utf-8")
        found = re.search(
            rf"((?:^# .*\n)*)^{name}(?:: [^=\n]+)? = [^#\n]*(?:# (.*))?$", text, re.MULTILINE
        )
        if found and (found[2] or found[1]):
            return found[2] or " ".join(line.removeprefix("# ") for line in found[1].splitlines())
    return ""


def foreign(value: object, full: str) -> bool:
    """Tell whether a name is defined in another module of the package and only passed on here."""
    return not f"{value.__module__}.".startswith(f"{full}.")


def module_page(name: str) -> str:
    """Return one module's page as reStructuredText, which Sphinx fills in from the docstrings."""
    module = importlib.import_module(f"cxr_helpers.{name}")
    full = module.__name__
    names = functions.public(module)
    documented = [
        n
        for n in names
        if inspect.isclass(getattr(module, n)) or inspect.isroutine(getattr(module, n))
    ]
    lines = [
        name,
        "=" * len(name),
        "",
        f".. automodule:: {full}",
        "",
        ".. autosummary::",
        "   :nosignatures:",
        "",
    ]
    lines += [f"   {n}" for n in documented]
    for n in documented:
        value = getattr(module, n)
        error = inspect.isclass(value) and issubclass(value, BaseException)
        kind = "exception" if error else "class" if inspect.isclass(value) else "function"
        lines += ["", f".. auto{kind}:: {full}.{n}"]
        lines += ["   :members:"] if kind == "class" else []
        # Fields of a named tuple stand in its signature; Python has nothing more to say of them.
        fields = ", ".join(getattr(value, "_fields", ()))
        lines += [f"   :exclude-members: {fields}"] if fields else []
        # A class of another room is found on that room's page: Sphinx refuses two of one name.
        lines += ["   :no-index:"] if kind != "function" and foreign(value, full) else []
    constants = [n for n in names if n not in documented]
    lines += ["", "Constants", "---------"] if constants else []
    for n in constants:
        shown = repr(getattr(module, n))
        lines += [
            "",
            f".. py:data:: {n}",
            *([f"   :value: {shown}"] if len(shown) < 80 and " object at " not in shown else []),
        ]
        lines += ["", f"   {said(n, module)}"]
    return "\n".join([*lines, ""])


def first_sentence(module: ModuleType) -> str:
    """Return what a module is for: the first sentence of its docstring, on one line."""
    return re.split(r"(?<=\.)\s", " ".join(inspect.getdoc(module).split("\n\n")[0].split()))[0]


def reference() -> dict[str, str]:
    """Return the reference's pages: the list of modules, in the order they build up, and each."""
    modules = [
        name for name in cxr_helpers.__all__ if isinstance(getattr(cxr_helpers, name), ModuleType)
    ]
    lines = [
        "# Reference",
        "",
        "The package `cxr_helpers` has a module for each part of the work, in the order in which "
        "they build on one another. [The package](../docs/package.md) says what holds them "
        "together, and what its commands are.",
        "",
        "| module | what it is for |",
        "|---|---|",
        *(
            f"| [`{name}`]({name}.rst) | {first_sentence(getattr(cxr_helpers, name))} |"
            for name in modules
        ),
    ]
    made = {f"reference/{name}.rst": module_page(name) for name in modules}
    return {REFERENCE: "\n".join([*lines, toctree([*PACKAGE, *made], REFERENCE)])} | made


# --- all of it ------------------------------------------------------------------------------------


def stage(folder: Path, root: Path = ROOT) -> list[str]:
    """Write what Sphinx reads into a fresh folder; return the pages in it."""
    shutil.rmtree(folder, ignore_errors=True)
    texts = {"index.md": front(root)} | sections(root) | reference()
    for path in (p for pattern in WRITTEN for p in sorted(root.glob(pattern))):
        page = relative(path, root)
        text = path.read_text(encoding="utf-8")
        texts[page] = relinked(glossary(text) if page == GLOSSARY else text, page, root)
        texts[page] += toctree(BELOW[page], page) if page in BELOW else ""
    for path in [*notebooks(root), *exercises(root)]:
        texts[relative(path, root)] = nbformat.writes(copied(path, root))
    for page, text in texts.items():
        write_atomic(folder / page, text)
    for path in (p for pattern in (*PICTURES, *FILES) for p in root.glob(pattern)):
        target = folder / relative(path, root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return list(texts)


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Build the site; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.build.site", description=__doc__.splitlines()[0]
    )
    parser.parse_args(arguments)
    place, output = root / BUILD, root / OUTPUT
    try:
        made = stage(place / "pages", root)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    command += [
        "--conf-dir",
        str(root / SETTINGS),
        "--doctree-dir",
        str(place / "doctrees"),
        "--fresh-env",
    ]
    if subprocess.run(
        [*command, str(place / "pages"), str(output)], cwd=root, check=False
    ).returncode:
        print("the site could not be built: Sphinx says why above", file=sys.stderr)
        return 1
    missing = [page for page in made if not (output / page).with_suffix(".html").is_file()]
    if missing:
        print(f"Sphinx left out {', '.join(missing)}: look at its messages above", file=sys.stderr)
        return 1
    try:
        phone.put(output, root)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{len(made)} pages: open {relative(output / 'index.html', root)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
