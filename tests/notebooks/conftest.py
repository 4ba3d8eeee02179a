"""A course of one lesson in a temporary folder: the template, built."""

import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # the tools are no part of the installed package
    sys.path.insert(0, str(ROOT))


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Root of a course with the source of one lesson, 00_topic, not yet built."""
    (tmp_path / "notebooks" / "src").mkdir(parents=True)
    shutil.copy(
        ROOT / "tools" / "build" / "lesson_template.py",
        tmp_path / "notebooks" / "src" / "00_topic.py",
    )
    (tmp_path / "exercises" / "src").mkdir(parents=True)
    (tmp_path / "exercises" / "src" / "00_topic_exercise.py").touch()
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "course"\n\n[tool.other]\nkey = 1\n', encoding="utf-8"
    )
    return tmp_path


@pytest.fixture
def source(course: Path) -> Path:
    """The lesson's source."""
    return course / "notebooks" / "src" / "00_topic.py"


@pytest.fixture
def notebook(course: Path) -> Path:
    """The lesson's notebook, built."""
    from tools.build import lessons

    assert lessons.main([], course) == 0
    return course / "notebooks" / "00_topic.ipynb"
