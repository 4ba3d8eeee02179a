"""The table in docs/features.md names notebooks and steps that exist.

It lists the features of the five projects.
"""

import re

import pytest

from tools.common import ROOT, headings, read_notebook

PAGE = ROOT / "docs" / "features.md"
START, END = "<!-- features of the five projects -->", "<!-- end of features -->"
LINK = re.compile(r"\[(\d\d|[A-E])(?: · (Step \d+ · [^\]]+))?\]\(([^)]+)\)")
FEATURES = [
    "import",
    "exploration",
    "grey scale",
    "augmentation",
    "splitting",
    "network",
    "transfer learning",
    "curves",
    "per-class metrics",
    "confusion matrix",
    "upload",
    "deployment",
    "future work",
]


def rows() -> dict[str, str]:
    """The lines of the table: {feature: the rest of the line}."""
    text = PAGE.read_text("utf-8")
    block = text[text.index(START) : text.index(END)]
    return dict(
        re.match(r"\| ([^|]+?) \| (.*)", line).groups()
        for line in block.splitlines()
        if line.startswith("| ")
    )


def test_every_feature_has_a_step_in_a_lesson_and_in_a_case():
    table = rows()
    assert [name for name in table if name in FEATURES] == FEATURES
    for feature in FEATURES:
        links = LINK.findall(table[feature])
        assert table[feature].count("](") == len(links), f"{feature}: a link that cannot be read"
        assert any(name.isdigit() for name, _, _ in links), f"{feature}: no lesson"
        assert any(name.isalpha() for name, _, _ in links), f"{feature}: no case study"


def test_the_five_projects_are_all_there():
    found = {
        name for line in rows().values() for name, _, _ in LINK.findall(line) if name.isalpha()
    }
    assert found == set("ABCDE")


@pytest.mark.parametrize("feature", FEATURES)
def test_notebooks_and_steps_exist(feature):
    for name, step, path in LINK.findall(rows()[feature]):
        file = (PAGE.parent / path.partition("#")[0]).resolve()
        assert file.is_file(), f"{feature}: {path} does not exist"
        start = f"{name}_" if name.isdigit() else f"cases/{name.lower()}_"
        assert path.startswith(f"../notebooks/{start}"), f"{feature}: {name} is not {path}"
        known = [text for _, _, text in headings(read_notebook(file))]
        assert step in known, f"{feature}: {path} has no {step!r}; it has {known}"
