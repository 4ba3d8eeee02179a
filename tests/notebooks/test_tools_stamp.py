"""Stamping: every address, no other text, any number of times."""

import tomllib

import pytest

from tools import build, lint, stamp
from tools.common import ToolError


@pytest.fixture
def stamped(course):
    readme = "https://github.com/OWNER/REPOSITORY.git, see github.com/OWNER/REPOSITORY. Run stamp OWNER/REPOSITORY"
    (course / "README.md").write_text(readme, encoding="utf-8")
    cff = 'repository-code: "https://github.com/OWNER/REPOSITORY"\nurl: https://github.com/OWNER/REPOSITORY-2\n'
    (course / "CITATION.cff").write_text(cff, encoding="utf-8")
    assert stamp.main(["ann/cxr.course"], course) == 0
    return course


def test_addresses_change_and_other_text_does_not(stamped, source):
    text = source.read_text(encoding="utf-8")
    assert "colab.research.google.com/github/ann/cxr.course/blob/main" in text
    assert '"git+https://github.com/ann/cxr.course"' in text
    readme = (stamped / "README.md").read_text(encoding="utf-8")
    assert "github.com/ann/cxr.course.git, see github.com/ann/cxr.course. Run stamp OWNER/REPOSITORY" in readme
    assert (stamped / "CITATION.cff").read_text(encoding="utf-8").count("ann/cxr.course") == 1


def test_stamped_lesson_passes_the_lint(stamped):
    build.main([], stamped)
    assert lint.main([], stamped) == 0


def test_twice_is_once(stamped, capsys):
    capsys.readouterr()
    assert stamp.stamp("ann/cxr.course", stamped) == []
    assert stamp.main(["ann/cxr.course"], stamped) == 0
    assert "nothing to change" in capsys.readouterr().out


def test_stamped_again_with_another_name(stamped, source):
    stamp.stamp("bob/films", stamped)
    assert "ann/" not in source.read_text(encoding="utf-8")
    project = tomllib.loads((stamped / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"] == {"other": {"key": 1}, "course": {"repository": "bob/films"}}


def test_back_to_the_placeholder(course, source):
    before = source.read_text(encoding="utf-8")
    stamp.stamp("ann/films", course)
    stamp.stamp(stamp.PLACEHOLDER, course)
    assert source.read_text(encoding="utf-8") == before


@pytest.mark.parametrize("line", ['repository = "a/b"  # note\n', ""])
def test_remembered_in_an_existing_section(line):
    found = tomllib.loads(stamp.remember(f"[tool.course]\n{line}x = 1\n\n[z]\ny = 2\n", "c/d"))
    assert found == {"tool": {"course": {"repository": "c/d", "x": 1}}, "z": {"y": 2}}


@pytest.mark.parametrize("name", ["ann", "ann/", "a b/c", "https://github.com/ann/films", "ann/x.git", "a/b/c"])
def test_no_repository_name(course, name, capsys):
    with pytest.raises(ToolError, match="OWNER/REPOSITORY"):
        stamp.stamp(name, course)
    assert stamp.main([name], course) == 2
