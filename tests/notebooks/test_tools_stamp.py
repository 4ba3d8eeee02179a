"""Stamping: which remotes are an address, what follows from it, and that no more changes."""

import importlib.util
import subprocess
import sys
import tomllib
from types import ModuleType

import nbformat
import pytest

from tools import stamp
from tools.build import frame, lessons, links
from tools.common import ToolError
from tools.rules import lint

ADDRESS = "https://github.com/ann/cxr.course"
COLAB = (
    "https://colab.research.google.com/github/ann/cxr.course/blob/{}"
    "/notebooks/student/00_topic.ipynb"
)


def git(folder, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def stamped(course):
    (course / "CITATION.cff").write_text('title: "A course"\nversion: 0.1.0\n', encoding="utf-8")
    assert stamp.main([ADDRESS], course) == 0
    assert lessons.main([], course) == 0
    return course


@pytest.mark.parametrize(
    "form",
    [
        "https://github.com/ann/cxr.course",
        "https://github.com/ann/cxr.course.git",
        "https://github.com/ann/cxr.course/",
        "https://token@github.com/ann/cxr.course.git",
        "https://ann:secret@github.com/ann/cxr.course",
        "git@github.com:ann/cxr.course.git",
        "git@github.com:ann/cxr.course",
        "org-1@github.com:ann/cxr.course.git",
        "ssh://git@github.com/ann/cxr.course.git",
        "ssh://git@github.com:22/ann/cxr.course",
        "https://GitHub.com/ann/cxr.course",
        "https://github.com/ann/cxr.course\n",
    ],
)
def test_every_form_of_an_address_is_the_same_address(form):
    assert links.canonical(form) == ADDRESS


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("/srv/git/course.git", "not the address of a repository"),
        ("../course", "not the address of a repository"),
        ("file:///srv/git/course", "not the address of a repository"),
        ("C:/course", "not the address of a repository"),
        ("ann/course", "not the address of a repository"),
        ("https://github.com/ann", "not the address of a repository"),
        ("https://github.com/ann/course/tree/main", "not the address of a repository"),
        ("https://github.com/ann/..", "names no repository"),
        ("https://gitlab.com/ann/course.git", "lies on gitlab.com"),
        ("git@codeberg.org:ann/course.git", "lies on codeberg.org"),
        ("https://github.com.example.org/ann/course", "lies on github.com.example.org"),
        ("", "not the address of a repository"),
    ],
)
def test_a_folder_or_another_host_is_refused_in_words(course, form, says, capsys):
    before = (course / "pyproject.toml").read_bytes()
    with pytest.raises(ToolError, match=says):
        links.canonical(form)
    if form:
        assert stamp.main([form], course) == 2
        assert says in capsys.readouterr().err
    assert (course / "pyproject.toml").read_bytes() == before


def test_without_an_address_the_remote_is_asked(course, capsys):
    git(course, "init", "-q")
    assert stamp.main([], course) == 2
    assert "no git remote `origin`" in capsys.readouterr().err
    git(course, "remote", "add", "origin", "git@github.com:ann/cxr.course.git")
    assert stamp.main([], course) == 0
    assert links.repository(course) == ADDRESS
    assert stamp.main([], course) == 0
    assert "nothing to change" in capsys.readouterr().out


def test_unpublished_course_shows_no_button_and_installs_nothing(course, notebook):
    text = notebook.read_text(encoding="utf-8")
    assert links.repository(course) == ""
    assert "colab" not in text
    assert "pip" not in frame.setup_code(course)
    assert lint.main([], course) == 0


def test_stamped_lesson_has_its_own_button_and_an_archive_to_install_from(stamped):
    cells = nbformat.read(stamped / "notebooks" / "00_topic.ipynb", 4).cells
    assert COLAB.format("main") in cells[0].source
    (setup,) = (cell.source for cell in cells if "setup" in cell.metadata.get("tags", []))
    assert f'"{ADDRESS}/archive/refs/heads/main.zip"' in setup
    assert len(setup.splitlines()) <= 15
    assert lint.main([], stamped) == 0
    assert f'repository-code: "{ADDRESS}"\n' in (stamped / "CITATION.cff").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("google.colab", "turn on the internet"),
        ("kaggle", "turn on the internet"),
        ("none", "as README.md says"),
    ],
)
def test_an_install_that_fails_says_so_in_one_sentence(stamped, host, says, monkeypatch, capfd):
    asked, run = [], subprocess.run

    def failing(command, **options):
        asked.append(command[-1])
        return run([sys.executable, "-c", "print('much'); raise SystemExit('more')"], **options)

    monkeypatch.setattr(subprocess, "run", failing)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, host, ModuleType(host))
    if host == "kaggle":  # which is known by its environment
        monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    with pytest.raises(Exception, match=says) as caught:
        exec(frame.setup_code(stamped), {})
    assert asked == [f"cxr-helpers[hosted] @ {links.archive(stamped)}"] * (host != "none")
    assert caught.value._render_traceback_() == [str(caught.value)], (
        "a notebook shows the sentence alone"
    )
    assert capfd.readouterr() == ("", ""), "and nothing of pip"


def test_both_copies_have_the_button_and_the_students_says_how_predictions_are_kept(stamped):
    for name, said in (("00_topic.ipynb", False), ("student/00_topic.ipynb", True)):
        text = nbformat.read(stamped / "notebooks" / name, 4).cells[0].source
        assert COLAB.format("main") in text
        assert ("keep_on_drive" in text) is said


def test_links_may_lead_to_a_release(stamped):
    assert stamp.main([ADDRESS, "--release", "v1.2"], stamped) == 0
    lessons.main([], stamped)
    assert COLAB.format("v1.2") in (stamped / "notebooks" / "00_topic.ipynb").read_text(
        encoding="utf-8"
    )
    assert links.archive(stamped) == f"{ADDRESS}/archive/refs/tags/v1.2.zip"
    assert stamp.main([ADDRESS, "--release", "no tag"], stamped) == 2


def test_sources_do_not_change(course, source):
    before = source.read_bytes()
    stamp.stamp(ADDRESS, root=course)
    lessons.main([], course)
    assert source.read_bytes() == before


def test_stamped_again_with_another_address(stamped):
    stamp.stamp("https://github.com/bob/images", root=stamped)
    lessons.main([], stamped)
    assert "ann/" not in (stamped / "notebooks" / "00_topic.ipynb").read_text(encoding="utf-8")
    project = tomllib.loads((stamped / "pyproject.toml").read_text(encoding="utf-8"))
    course = {"repository": "https://github.com/bob/images", "release": ""}
    assert project["tool"] == {"other": {"key": 1}, "course": course}


@pytest.mark.parametrize("line", ['repository = "a/b"  # note\n', ""])
def test_remembered_in_an_existing_section(line):
    found = tomllib.loads(
        stamp.remember(f"[tool.course]\n{line}x = 1\n\n[z]\ny = 2\n", {"repository": "c/d"})
    )
    assert found == {"tool": {"course": {"repository": "c/d", "x": 1}}, "z": {"y": 2}}
