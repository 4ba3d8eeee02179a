"""Check that each number in prose is set, printed, measured, published or worked out somewhere.

    python -m tools.rules.numbers [--list KIND] [--plant SEED]

Read are the Markdown of lessons and case studies, in the sources and in the executed notebooks, and
the pages written by hand. Dates, citations, references ("Step 3", "lesson 04"), code and links are
passed over. Each other number is

- *set*: it stands in the code of its step, or of a step that the passage names;
- *printed*: an output there shows it, with as many digits as the text or more;
- *measured*: it stands in a CSV file that the step reads or the section names;
- *published*, *worked out* or *given*: `tools/rules/known_numbers.py` has it, with its source, its
  computation or a reason.

Whole numbers below ten are checked where they are counts ("2 of 18"), percentages or have a unit.
Not read are numbers in words, exercises, and generated parts of pages, which
`tools.build.results --check` compares with their tables. `--plant` changes a digit of each number
in turn and counts the changes that are reported: one that turns a printed number into another
printed one is not.
"""

import argparse
import ast
import csv
import html
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

from nbformat import NotebookNode

from tools.common import ROOT, pairs, read_notebook, relative
from tools.rules import known_numbers

PAGES = ("README.md", "data/README.md", "docs/*.md", "docs/site/index.md")
ANY = re.compile(r"(?<![\w.,])-?(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(e-?\d+)?")
NUMBER = re.compile(
    r"(?<![\w.])(?<![A-Za-z]-)(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?![\w]|[.,]\d|-[a-z]{3})"
)
MEASURE = (
    r"%|per cent|s\b|seconds?\b|minutes?\b|hours?\b|ms\b|kB\b|MB\b|GB\b|points?\b|times\b|images/s"
)
COUNT = r"of\s+(?:(?:all|the|its|these|those)\s+)?\d"
UNIT = re.compile(rf"\s?(?:{MEASURE}|{COUNT})")
ROUGHLY = re.compile(r"\b(?:about|nearly|some|almost|roughly|over)\s$")
PERCENT = re.compile(r"(?:\s?[-–]\s?[\d.]+|,?\s(?:to|and|or)\s[\d.]+)?\s?(?:%|per cent)")
# What looks like a number and states nothing: code, address, citation, date, name, place.
NAMES = "CC BY|CC0|Apache|BSD|Keras|TensorFlow|Python|JupyterLab|NumPy|scikit-learn|ipywidgets"
NAMES += "|pandas|version|BMJ|Radiology|type"
PLACES = "[Ll]essons?|[Ee]xercises?|[Ss]teps?|[Cc]ells?|[Aa]nswers?|[Pp]arts?|[Ss]ections?"
PLACES += "|[Qq]uestions?|[Pp]hases?|[Hh]ospitals?|[Cc]lass|[Cc]hapter|[Pp]ages|[Vv]olume|[Bb]lock"
PLACES += "|[Ss]tages?|[Cc]ases?"
GENERATED, CODE = r"<!-- generated: .*?<!-- end of \w+ -->", r"```.*?```|`[^`\n]+`"
BESIDE = re.compile(rf"```.*?```|{GENERATED}", re.DOTALL)
PASSED = [
    r"```.*?```",
    GENERATED,
    r"<!--.*?-->",
    r"</?[a-z][^<>]*>",
    r"\]\([^)]*\)",
    r"`[^`]*`",
    r"\$\$.*?\$\$|\$[^$\n]+\$",
    r"https?://\S+",
    r"\b10\.\d{4,}/\S+|arXiv[: ]\s*\d+\.\d+|ISBN [\d-]+",
    r"\b\d{4}-\d\d-\d\d\b",
    r"\b(?:19|20)\d\d\b(?!,\d)(?!\.\d)(?!\s?%)",
    rf"(?:{PLACES}|{NAMES})\s+(?:\w\s)?\d[\d.]*(?:(?:,|,?\s+and|,?\s+or|,?\s+to|-)\s*(?:in\s+)?\d[\d.]*(?![\d.]*\s?%))*",
    r"(?<![\d.,])0\d(?![\d.])(?:(?:,|,?\s+and|-)\s*1\d\b)*",
    r"^\s*(?:>\s*)?\d\.\s",
    r"\b\d+\(\d+\)|\(\d\)|\(1[0-4]\)|\b1[0-4] ·|\[1[0-4]\](?=\()|^\| \d+ (?=\| \D)|x86-64",
    r"\*\*Prerequisites\.\*\*.*",
]
SKIPPED = re.compile("|".join(f"(?:{part})" for part in PASSED), re.DOTALL | re.MULTILINE)
UNREAD = ("Sources and licence", "Time and hardware")


@dataclass(frozen=True)
class Number:
    """A number in a text: its words, its value, how many decimals it shows, where it begins."""

    text: str
    value: float
    decimals: int
    start: int
    percent: bool


@dataclass
class Step:
    """What stands behind the numbers of a step or section."""

    text: str = ""
    code: str = ""
    values: dict[str, set[float]] = field(default_factory=lambda: {"set": set(), "printed": set()})


@dataclass(frozen=True)
class Passage:
    """A piece of prose: page, place and line where it begins, its step and those that it names."""

    page: str
    place: str
    line: int
    text: str
    steps: tuple[Step, ...]


def numbers(text: str) -> Iterator[Number]:
    """Yield the numbers of a text that state something."""
    blank = SKIPPED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    for match in NUMBER.finditer(blank):
        whole, fraction = match[1].replace(",", ""), match[2] or ""
        before, after = blank[: match.start()][-20:], blank[match.end() : match.end() + 24]
        counted = UNIT.match(after) or re.search(
            r"\d\s+of\s+(?:(?:all|the|its|these|those)\s+)?$", before
        )
        if not fraction and len(whole) < 2 and not counted:
            continue
        decimals = len(fraction) - 1 if fraction else 0
        if not fraction and ROUGHLY.search(before):
            decimals = len(whole.rstrip("0")) - len(whole)
        percent = bool(PERCENT.match(after))
        yield Number(match[0], float(whole + fraction), decimals, match.start(), percent)


def rounds_to(number: Number, values: Iterable[float]) -> bool:
    """Tell whether a value, or its hundredfold where percent are meant, rounds to the number.

    "About 400" is a number that was rounded to hundreds.
    """
    targets = [(number.value, number.decimals)]
    if number.percent:
        targets.append((number.value / 100, number.decimals + 2))
    return any(
        abs(abs(v) - target) <= 0.5001 * 10**-places for v in values for target, places in targets
    )


def equals(number: Number, values: Iterable[float]) -> bool:
    """Tell whether a value, or its hundredfold where percent are meant, is the number."""
    targets = [number.value, number.value / 100] if number.percent else [number.value]
    return any(abs(abs(v) - target) < 1e-9 for v in values for target in targets)


def backing(number: Number, passage: Passage) -> str:
    """Return what a number is backed by; an empty text if by nothing."""
    for words, expected in known_numbers.WORKED.get(passage.page, {}).items():
        if place := span(words, number, passage):
            there = [n.start for n in numbers(passage.text) if place[0] <= n.start < place[1]]
            right = len(there) == len(expected)
            right = right and rounds_to(number, [expected[there.index(number.start)]])
            return "worked out" if right else ""
    given = [*known_numbers.GIVEN["*"], *known_numbers.GIVEN.get(passage.page, {})]
    if any(span(words, number, passage) for words in given):
        return "given"
    if any(equals(number, step.values["set"]) for step in passage.steps):
        return "set"
    if any(rounds_to(number, step.values["printed"]) for step in passage.steps):
        return "printed"
    names = {name for step in passage.steps for name in tables_named(step)}
    if any(rounds_to(number, table(name)) for name in names):
        return "measured"
    studies = [
        s
        for s in known_numbers.STUDIES
        if any(re.search(s.named, step.text) for step in passage.steps)
    ]
    if any(equals(number, map(float, study.numbers.split())) for study in studies):
        return "published"
    return "given" if equals(number, said(passage)) else ""


@cache
def spelt(words: str) -> re.Pattern[str]:
    """Return the pattern of words that stand in a text, however its lines are broken."""
    pattern = r"\s+".join(map(re.escape, words.split()))
    return re.compile(rf"(?<![\d.]){pattern}(?!\d)" if words[0].isdigit() else rf"{pattern}(?!\d)")


def span(words: str, number: Number, passage: Passage) -> tuple[int, int] | None:
    """Return where in the passage the words stand that hold a number."""
    places = [match.span() for match in spelt(words).finditer(passage.text)]
    return next((place for place in places if place[0] <= number.start < place[1]), None)


def said(passage: Passage) -> set[float]:
    """Return the numbers of known words in the passage's own step: an answer repeats them."""
    words = [w for page, w in entries() if page == passage.page]
    return values("\n".join(w for w in words if spelt(w).search(passage.steps[0].text)))


@cache
def _tables(root: Path = ROOT) -> dict[str, Path]:
    found = [*root.glob("benchmarks/*.csv"), *root.glob("cxr_helpers/measured/*.csv")]
    return {path.stem: path for path in found}


def tables_named(step: Step) -> set[str]:
    """Return the committed tables that a step reads, or that its text names."""
    read = re.findall(r"""measured\.read\(["'](\w+)["']\)""", step.code)
    named = re.findall(r"\bbenchmarks[./](\w+)|\b(\w+)\.csv\b|<!-- generated: (\w+)", step.text)
    return {name for name in [*read, *(n for group in named for n in group)] if name in _tables()}


@cache
def table(name: str) -> frozenset[float]:
    """Return the numbers in a committed table."""
    with _tables()[name].open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    return frozenset(values("\n".join(cells)))


def values(text: str) -> set[float]:
    """Return every number in a text."""
    return {
        abs(float("".join(part.replace(",", "") for part in found))) for found in ANY.findall(text)
    }


def literals(code: str) -> set[float]:
    """Return the numbers in Python code and in its texts of one word."""
    plain = "\n".join(
        "" if line.lstrip().startswith(("%", "!")) else line for line in code.splitlines()
    )
    found: set[float] = set()
    for node in ast.walk(ast.parse(plain)):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, int | float)
            and not isinstance(node.value, bool)
        ):
            found.add(abs(float(node.value)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= values(node.value) if " " not in node.value else set()
    return found


def printed(cell: NotebookNode) -> set[float]:
    """Return the numbers in a cell's outputs and in the alt texts of its figures."""
    texts = []
    for output in cell.outputs:
        data, about = output.get("data", {}), output.get("metadata", {})
        texts += [output.get("text", ""), data.get("text/plain", "")]
        texts.append(
            re.sub(
                r"<style.*?</style>|<[^>]+>",
                " ",
                html.unescape(data.get("text/html", "")),
                flags=re.DOTALL,
            )
        )
        texts += [str(kind.get("alt", "")) for kind in about.values() if isinstance(kind, dict)]
    return values("\n".join(texts))


def steps_of(notebook: NotebookNode) -> dict[str, Step]:
    """Return the steps of a notebook by their headings; "" is what stands before the first."""
    steps, title = {"": Step()}, ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            title = heading(cell.source) or title
            steps.setdefault(title, Step()).text += f"\n\n{cell.source}"
        elif cell.cell_type == "code":
            step = steps[title]
            step.code += f"\n{cell.source}"
            step.values["set"] |= literals(cell.source)
            step.values["printed"] |= printed(cell)
    return steps


def heading(text: str) -> str:
    """Return the heading of second level in a cell, if there is one."""
    match = re.search(r"^## (.+)$", text, re.MULTILINE)
    return match[1] if match else ""


def named_steps(text: str, title: str, steps: dict[str, Step]) -> tuple[Step, ...]:
    """Return the step of a passage, and those that it names ("Step 3", "Steps 7 and 8")."""
    asked = re.findall(r"\bSteps?\s+([\d\s,andorto-]+)", text)
    wanted = {int(n) for group in asked for n in re.findall(r"\d+", group)}
    others = [
        step
        for name, step in steps.items()
        if (m := re.match(r"Step (\d+)\b", name)) and int(m[1]) in wanted
    ]
    return (steps.get(title, Step()), *others)


def source_cells(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of each Markdown cell of a source that reaches the notebook."""
    begin, lines = 0, []
    for number, line in enumerate([*path.read_text("utf-8").splitlines(), "# %%"], 1):
        if not line.startswith("# %%"):
            lines.append(re.sub(r"^# ?", "", line))
            continue
        if begin:
            yield begin, "\n".join(lines)
        noted = '"author"' in line or '"instructor"' in line
        wanted = line.startswith("# %% [markdown]") and not noted
        begin, lines = (number + 1 if wanted else 0), []


def of_notebook(source: Path, notebook: Path, root: Path = ROOT) -> Iterator[Passage]:
    """Yield the passages of a source, then those that its executed notebook alone has."""
    read = read_notebook(notebook)
    steps, page, seen = steps_of(read), source.stem, set()
    cells = [(relative(source, root), line, text) for line, text in source_cells(source)]
    shown = [c.source if c.cell_type == "markdown" else "" for c in read.cells]
    cells += [
        (f"{relative(notebook, root)}, cell {n}", 1, text)
        for n, text in enumerate(shown, 1)
        if text
    ]
    title = ""
    for place, line, text in cells:
        title = heading(text) or ("" if text.startswith("# ") else title)
        if title in UNREAD:
            continue
        for offset, part in paragraphs(text):
            words = " ".join(part.split())
            if words not in seen and not part.startswith("**Time and hardware"):
                yield Passage(page, place, line + offset, part, named_steps(part, title, steps))
            seen.add(words)


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of the parts between empty lines; a diagram's data is left out."""
    line = 0
    for part in re.split(
        r"(\n\s*\n)", re.sub(r"\]\((?:data:image|[./]*docs/diagrams)[^)]*\)", "]()", text)
    ):
        if part.strip():
            yield line, part
        line += part.count("\n")


def of_page(path: Path, root: Path = ROOT) -> Iterator[Passage]:
    """Yield the passages of a page, each with the code and the generated parts of its section."""
    text = path.read_text("utf-8")
    prose = BESIDE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    begins = [0, *(match.start() for match in re.finditer(r"(?m)^#{1,6} ", prose)), len(text)]
    for begin, end in pairwise(begins):
        section = text[begin:end]
        step = Step(section)
        step.values["printed"] = values("\n".join(re.findall(GENERATED, section, re.DOTALL)))
        step.values["set"] = values("\n".join(re.findall(CODE, section, re.DOTALL)))
        line = text[:begin].count("\n") + 1
        for offset, part in paragraphs(prose[begin:end]):
            yield Passage(relative(path, root), relative(path, root), line + offset, part, (step,))


def passages(root: Path = ROOT) -> Iterator[Passage]:
    """Yield every passage of prose."""
    for pair in pairs(root):
        yield from of_notebook(pair.source, pair.notebook, root)
    for pattern in PAGES:
        for path in sorted(root.glob(pattern)):
            yield from of_page(path, root)


def entries() -> list[tuple[str, str]]:
    """Return (page, words) of all known words but those of any page."""
    both = (known_numbers.WORKED, known_numbers.GIVEN)
    return [(page, words) for part in both for page in part if page != "*" for words in part[page]]


def standing(found: Iterable[Passage]) -> Counter[tuple[str, str]]:
    """Return in how many passages of their page the known words stand."""
    count: Counter[tuple[str, str]] = Counter(dict.fromkeys(entries(), 0))
    for passage in found:
        for page, words in entries():
            count[page, words] += page == passage.page and bool(spelt(words).search(passage.text))
    return count


def gone(page: str, words: str, read: Iterable[Passage]) -> str:
    """Return the line that reports known words that are gone or have other digits now."""
    other = re.compile(re.sub(r"\d", r"\\d", spelt(words).pattern))
    for passage in read:
        if page == passage.page and (match := other.search(passage.text)):
            line = passage.line + passage.text[: match.start()].count("\n")
            return (
                f"{passage.place}:{line}: “{match[0]}” is “{words}” in tools/rules/known_numbers.py"
            )
    return f"tools/rules/known_numbers.py: no longer in {page}: “{words}”"


def line_of(number: Number, passage: Passage) -> int:
    """Return the line on which a number stands."""
    return passage.line + passage.text[: number.start].count("\n")


def finding(number: Number, passage: Passage) -> str:
    """Return the line that reports a number backed by nothing."""
    around = " ".join(passage.text[max(0, number.start - 40) : number.start + 40].split())
    return (
        f"{passage.place}:{line_of(number, passage)}: {number.text} in “… {around} …” is neither "
        "set nor printed in its step, nor in a table that it names, nor in "
        "tools/rules/known_numbers.py"
    )


def planted(passage: Passage, number: Number, rng: random.Random) -> Passage:
    """Return the passage with one digit of a number changed."""
    places = [i for i, sign in enumerate(number.text) if sign.isdigit()]
    place = rng.choice(places)
    digits = [d for d in "0123456789" if d != number.text[place] and not (d == "0" and place == 0)]
    changed = number.text[:place] + rng.choice(digits) + number.text[place + 1 :]
    text = passage.text[: number.start] + changed + passage.text[number.start + len(number.text) :]
    return replace(passage, text=text)


def noticed(before: Passage, after: Passage, start: int, known: Counter[tuple[str, str]]) -> bool:
    """Tell whether a changed number is reported, or known words that no longer stand."""
    gone = known - standing([before]) + standing([after])
    if any(not gone[entry] for entry in known):
        return True
    return any(
        not backing(number, after) for number in numbers(after.text) if number.start == start
    )


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Check every number; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.rules.numbers", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--list", metavar="KIND", help="list the numbers backed in this way")
    parser.add_argument(
        "--plant",
        metavar="SEED",
        type=int,
        help="change a digit of each number and count what is seen",
    )
    options = parser.parse_args(arguments)
    count: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    rng = random.Random(options.plant)
    read = list(passages(root))
    known = standing(read)
    faults = [gone(page, words, read) for (page, words), n in known.items() if not n]
    for passage in read:
        for number in numbers(passage.text):
            kind = backing(number, passage)
            count[kind] += 1
            if not kind:
                faults.append(finding(number, passage))
            if options.list == kind:
                print(f"{passage.place}:{line_of(number, passage)}: {number.text}")
            if options.plant is not None:
                caught[kind] += noticed(passage, planted(passage, number, rng), number.start, known)
    for fault in faults:
        print(fault, file=sys.stderr)
    kinds = ", ".join(f"{n} {kind}" for kind, n in count.most_common() if kind)
    print(f"{count.total()} numbers in prose: {kinds}; {len(faults)} backed by nothing")
    if options.plant is not None:
        print(
            "changed digits reported: "
            + ", ".join(f"{caught[k]} of {n} {k}" for k, n in count.most_common())
        )
        print(f"together {caught.total()} of {count.total()}")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
