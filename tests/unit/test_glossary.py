"""docs/glossary.md: a row per term, in order, each in bold where its lesson introduces it."""

import re
from typing import NamedTuple
from urllib.parse import unquote

import pytest

from tools.common import ROOT, pairs

PAGE = ROOT / "docs" / "glossary.md"
ROW = re.compile(
    r"\| \*\*(?P<term>[^*|]+)\*\*(?: \((?P<also>[^|]+)\))? \| (?P<text>[^|]+) "
    r"\| \[(?P<lesson>\d\d)\]\((?P<notebook>[^)]+)\) \| (?P<source>[^|]*?) ?\|"
)
SOURCE = re.compile(r"(?:\[(?P<linked>[^]]+)\]\((?P<link>\S+)\)|(?P<plain>[^[]+))")
HOSTS = ("doi.org", "arxiv.org/abs", "jmlr.org/papers", "www.deeplearningbook.org")
LEAST, WORDS = 55, 30


class Entry(NamedTuple):
    """A row of the table."""

    term: str
    also: str | None
    text: str
    lesson: str
    notebook: str
    source: str


def table() -> list[str]:
    """The lines of the table, without its head."""
    return [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")][
        2:
    ]


ENTRIES = [Entry(**match.groupdict()) for line in table() if (match := ROW.fullmatch(line))]


def markdown(source: str) -> str:
    """The Markdown cells of a lesson's source."""
    cells = re.split(r"^# %%", source, flags=re.MULTILINE)
    return "\n".join(
        re.sub(r"^# ?", "", cell, flags=re.MULTILINE)
        for cell in cells
        if cell.startswith(" [markdown]")
    )


LESSONS = {
    pair.source.stem[:2]: markdown(pair.source.read_text(encoding="utf-8"))
    for pair in pairs()
    if pair.source.parent.name == "src"
}


def first_in_bold() -> dict[str, str]:
    """The first lesson that has a text in bold, by this text in small letters."""
    first = {}
    for lesson, text in sorted(LESSONS.items()):
        for bold in re.findall(r"\*\*([^*]+)\*\*", text):
            first.setdefault(" ".join(bold.lower().split()), lesson)
    return first


FIRST = first_in_bold()
# Every source in full: one paragraph or bullet each, of the lessons and of the page itself.
CITED = [
    " ".join(bullet.split())
    for text in (*LESSONS.values(), PAGE.read_text(encoding="utf-8"))
    for bullet in re.findall(r"^- .*(?:\n  .*)*", text.split("## Sources")[-1], flags=re.MULTILINE)
]


def test_every_line_of_the_table_is_an_entry_and_there_are_enough():
    assert [line for line in table() if not ROW.fullmatch(line)] == []
    assert len(ENTRIES) >= LEAST


def test_the_order_is_alphabetical_and_no_term_comes_twice():
    terms = [entry.term.casefold() for entry in ENTRIES]
    assert terms == sorted(terms)
    assert len(set(terms)) == len(terms)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.term)
def test_an_entry_is_one_short_sentence(entry):
    assert re.fullmatch(r"[A-Z](?:[^.!?]|\.\d)*\.", entry.text), (
        "one sentence, with a full stop at its end"
    )
    assert len(entry.text.split()) <= WORDS


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.term)
def test_the_lesson_is_the_one_that_introduces_the_term_in_bold(entry):
    notebook = (PAGE.parent / entry.notebook).resolve()
    assert notebook.is_file()
    assert notebook.parent == ROOT / "notebooks"
    assert notebook.name.startswith(f"{entry.lesson}_")
    lessons = [
        FIRST[form] for end in ("", "s", "es") if (form := entry.term.lower() + end) in FIRST
    ]
    assert lessons, "no lesson has it in bold"
    assert min(lessons) == entry.lesson, "another lesson has it in bold first"


@pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if entry.source], ids=lambda entry: entry.term
)
def test_a_source_stands_in_full_in_a_lesson_or_below_the_table(entry):
    found = SOURCE.fullmatch(entry.source)
    assert found, f"a source is [Name year](address): {entry.source}"
    name, year = (found["linked"] or found["plain"]).rsplit(" ", 1)
    full = [bullet for bullet in CITED if re.search(rf"\b{name}\b.*\b{year}\b", bullet)]
    assert full, f"neither a lesson nor the page cites {name} {year}"
    if found["link"]:
        address = re.fullmatch(rf"https://(?:{'|'.join(HOSTS)})/(\S*)", found["link"])
        assert address, f"link to one of {', '.join(HOSTS)}"
        numbered = [bullet for bullet in full if re.search(r"\bdoi\b|arXiv", bullet)]
        assert not numbered or any(unquote(address[1]) in bullet for bullet in numbered), (
            "another number than is cited"
        )
