"""Make one page of each kind that leaves the course: `python -m tests.browser.pages FOLDER`.

A lesson as `make run` exports it, slides of `make slides`, and feedback of `make feedback` for two
students: one whose answers are right, one with a misconception. `make test-site` then looks at them
in Chromium (test_exported.py).
"""

import shutil
import sys
from pathlib import Path

from tests.exercises import sample
from tools import run
from tools.build import exercises, slides
from tools.common import ROOT, read_notebook, write_atomic
from tools.marking import course
from tools.marking.submission import Limits

LESSON = "01_data_import"  # it has formulas
ASSIGNMENT = "04_splitting_exercise"
STUDENTS = ("perfect", "misled_0")


def main(folder: Path) -> None:
    """Write the pages into an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    notebook = ROOT / "notebooks" / f"{LESSON}.ipynb"
    write_atomic(folder / "lesson.html", run.page(read_notebook(notebook), notebook))
    assert slides.main([LESSON[:2], "--output", str(folder)]) == 0
    (folder / f"{LESSON}.html").rename(folder / "slides.html")
    place, overlay = folder / "course", course.Overlay()
    (source,) = exercises.sources(names=[ASSIGNMENT])
    course.release(place, ASSIGNMENT, overlay)
    every = sample.students(source, place)
    sample.hand_in({name: every[name] for name in STUDENTS}, ASSIGNMENT, place)
    for record in course.grade(place, ASSIGNMENT, overlay, Limits()):
        assert record.outcome == "marked", record
    for page in course.feedback(place, ASSIGNMENT):
        shutil.copy(page, folder / f"feedback_{page.parents[1].name}.html")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
