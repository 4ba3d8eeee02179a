"""A class of invented students: each hands in a notebook, with its marks and messages."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from cxr_helpers import checks
from tools.build import exercises
from tools.marking.mend import marks

WRITTEN = "Whole groups went to one side; the proof covers named patients only."


@dataclass(frozen=True)
class Student:
    """One submission: file as text or bytes (None: no file), its name, and what must come of it.

    `lost`, the answers that get no points; `says`, a part of the message of each of them; `notes`,
    parts of the notes for the instructor; `outcome`, its beginning; `stamp`, what a file
    `timestamp.txt` beside it says.
    """

    text: str | bytes | None
    lost: tuple[str, ...] = ()
    says: str = ""
    notes: tuple[str, ...] = ()
    outcome: str = "marked"
    file: str = ""
    written: bool = True
    stamp: bytes = b""

    @property
    def files(self) -> dict[str, bytes]:
        """What is handed in: {name, empty for the proper one: content}."""
        content = self.text.encode() if isinstance(self.text, str) else self.text
        found = {self.file: content, "timestamp.txt": self.stamp}
        return {
            name: one
            for name, one in found.items()
            if one or (one is not None and name == self.file)
        }


def solved(source: Path) -> NotebookNode:
    """The student's notebook with all answers right, as it would be handed in."""
    notebook = nbformat.read(exercises.student_version(source), 4)
    for cell, answer in zip(notebook.cells, exercises.marked(source).cells, strict=True):
        if marks(cell).get("solution"):
            cell.source = answer.source if cell.cell_type == "code" else WRITTEN
    return notebook


def empty(source: Path) -> str:
    """The notebook as it was handed out."""
    return exercises.student_version(source).read_text(encoding="utf-8")


def names(source: Path) -> list[str]:
    """Names of the answers that a check reads."""
    return [
        cell.id.removeprefix("test_")
        for cell in solved(source).cells
        if cell.id.startswith("test_")
    ]


def changed(source: Path, change: Callable[[NotebookNode], None]) -> str:
    """The perfect notebook, changed in place by a function."""
    notebook = solved(source)
    change(notebook)
    return nbformat.writes(notebook)


def cell_of(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if marks(cell).get("grade_id") == name)


def with_code(source: Path, name: str, code: str, before: str = "") -> str:
    """The perfect notebook with another answer cell."""

    def change(notebook):
        cell_of(notebook, name).source = code
        if before:
            notebook.cells.insert(1, nbformat.v4.new_code_cell(before))

    return changed(source, change)


def misconceptions(source: Path) -> dict[str, Student]:
    """One student per row of the table of misconceptions: the n-th of each question."""
    questions = checks.questions(exercises.lesson(source))
    found = {}
    for number in range(max(len(q.mistakes) for q in questions.values())):
        notebook, lost = solved(source), []
        for name, question in questions.items():
            if number < len(question.mistakes):
                mistake = list(question.mistakes)[number]
                cell = cell_of(notebook, name)
                cell.source = (
                    "from cxr_helpers import checks\n"
                    f"question = checks.questions({exercises.lesson(source)!r})[{name!r}]\n"
                    f"{name} = question.mistakes[{mistake!r}].answer"
                )
                lost.append(name)
        found[f"misled_{number}"] = Student(nbformat.writes(notebook), tuple(lost))
    return found


REBIND = """import cxr_helpers.checks as c, sys
from cxr_helpers.checks import _question
_question.Question.grade = _question.Question.check = lambda *a, **k: None
_question.Question.evaluate = lambda *a, **k: None
class Kind:
    def __getattr__(self, name): return lambda *a, **k: None
q1 = q2 = q3 = q4 = Kind()
sys.modules["cxr_helpers.checks.lesson04"] = Kind()
def make_split(table, seed): return table"""

AGREES = """class Agrees(str):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __hash__ = str.__hash__
believable = lambda reports: Agrees("A")"""

STUBBORN = """import time
while True:
    try:
        while True: time.sleep(0.1)
    except BaseException: pass
"""

SPY = """import os, socket
def make_split(table, seed): return split.holdout(table, test=0.2, val=0, seed=seed)
for what in (
    lambda: socket.create_connection(("192.0.2.1", 80), 1),
    lambda: open(FOLDER + "/gradebook.db"),
):
    try: what()
    except OSError as error: print("kept out:", type(error).__name__)
    else: print("GOT THROUGH")"""


# Wrong answers whose cells attack the marking; whatever works prints so.
ATTACK = """import os, signal, socket, subprocess, sys
AROUND = os.path.dirname(os.path.dirname(os.path.dirname(os.getcwd())))
def make_split(table, seed): return table
open("numpy.py", "w").write("raise SystemExit")
sys.path.insert(0, "")
os.environ["CXR_GRADER_SEED"] = "0"
subprocess.Popen(["sleep", "86399.75"], start_new_session=True)
for what in (
    lambda: open(COURSE + "/gradebook.db", "a"), lambda: open(sys.prefix + "/attack", "w"),
    lambda: open(os.path.dirname(os.path.dirname(os.getcwd())) + "/record", "w"),
    lambda: os.kill(PARENT, 0), lambda: open(f"/proc/{PARENT}/mem", "rb"),
    lambda: os.listdir(f"/proc/{PARENT}"),
    lambda: socket.socket(socket.AF_UNIX).connect(AROUND + "/judges"),
    lambda: socket.socket(socket.AF_UNIX).connect(AROUND + "/kernels"),
):
    try: what()
    except OSError as error: print("kept out:", type(error).__name__)
    else: print("GOT THROUGH")"""
FORGE = """import sys, types, importlib.machinery
class Forger:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "cxr_helpers":
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec): return None
    def exec_module(self, module):
        class Kind:
            def __call__(self, *a, **k): return self
            def __getattr__(self, name): return lambda *a, **k: print("Correct (3 points)")
        module.q1 = module.q2 = module.q3 = module.q4 = module.hand_over = Kind()
sys.meta_path.insert(0, Forger())
def is_disjoint(table): return True"""
JUNK = """import os, socket
believable = "A"
socket.socket(fileno=os.dup(100)).sendall(b"\\xff" * 64)"""


def without(text: str, *keys: str) -> str:
    """A notebook whose cells lack some of what a notebook must have."""
    found = json.loads(text)
    for cell in found["cells"]:
        for key in keys:
            cell.pop(key, None)
    return json.dumps(found)


def students(source: Path, course: Path) -> dict[str, Student]:
    """The whole class, for exercise 04."""
    attacked = ("make_split", "is_disjoint", "believable")
    every = (*attacked, "by_image")

    def drop(name):
        return lambda notebook: notebook.cells.remove(cell_of(notebook, name))

    def edit(notebook):
        cell = cell_of(notebook, "test_make_split")
        cell.source, cell.metadata["nbgrader"]["points"] = "pass", 100.0
        cell_of(notebook, "make_split").source = "make_split = lambda table, seed: table"

    def copy(notebook):
        for name in ("make_split", "test_make_split"):
            cell = cell_of(notebook, name)
            twin = nbformat.from_dict({**cell, "id": f"copy-{name}"})
            notebook.cells.insert(notebook.cells.index(cell) + 2, twin)

    def forget(notebook):
        notebook.metadata = nbformat.from_dict({})
        for number, cell in enumerate(notebook.cells):
            cell.metadata, cell.id = nbformat.from_dict({}), f"c{number}"

    def move(notebook):
        test = cell_of(notebook, "test_is_disjoint")
        notebook.cells.remove(test)
        notebook.cells.insert(3, test)

    def attack(notebook):
        code = ATTACK.replace("COURSE", repr(str(course))).replace("PARENT", str(os.getpid()))
        for name, cell in zip(attacked, (code, FORGE, JUNK), strict=True):
            cell_of(notebook, name).source = cell

    loop = "import time\ndef make_split(table, seed):\n    while True: time.sleep(0.1)"
    hog = "def make_split(table, seed):\n    return [bytearray(10**9) for _ in range(100)]"
    noisy = "import warnings\ndef make_split(table, seed):\n    warnings.warn('old')\n    "
    noisy += "return split.holdout(table, test=0.2, val=0, seed=seed)"
    one = ("make_split",)
    perfect = changed(source, lambda n: None)
    return misconceptions(source) | {
        "perfect": Student(perfect),
        "byte_order_mark": Student(b"\xef\xbb\xbf" + perfect.encode()),
        "utf_16": Student(perfect.encode("utf-16")),
        "no_outputs": Student(without(perfect, "outputs", "execution_count", "id")),
        "time_in_words": Student(
            perfect, notes=("timestamp.txt: b'on Friday' is no time",), stamp=b"on Friday"
        ),
        "time_in_utf_16": Student(perfect, stamp="2026-11-28 10:00:00 UTC".encode("utf-16")),
        "saved_as_text": Student(
            perfect, notes=("file name: answers.ipynb.txt",), file="answers.ipynb.txt"
        ),
        "empty": Student(empty(source), every, "not attempted", written=False),
        "copied_cells": Student(
            changed(source, copy), notes=("make_split: 2 copies", "test_make_split: 2 copies")
        ),
        "deleted_test": Student(
            changed(source, drop("test_make_split")), notes=("test_make_split: missing, put back",)
        ),
        "deleted_answer": Student(
            changed(source, drop("make_split")), one, "not attempted", ("make_split: missing",)
        ),
        "edited_test": Student(changed(source, edit), one, "", ("test_make_split: edited",)),
        "moved_test": Student(changed(source, move), notes=("test_is_disjoint: moved behind",)),
        "metadata_lost": Student(
            changed(source, forget), notes=("make_split: metadata restored",), written=False
        ),
        "wrong_name": Student(
            changed(source, lambda n: None),
            notes=("file name: my homework (1).ipynb",),
            file="my homework (1).ipynb",
        ),
        "endless_function": Student(with_code(source, "make_split", loop), one, "longer than"),
        "endless_cell": Student(
            with_code(source, "make_split", "import time\nwhile True: time.sleep(0.1)"),
            one,
            "NameError",
        ),
        "cannot_be_stopped": Student(  # takes longest, and so comes early
            with_code(source, "make_split", STUBBORN), every, "longer than", outcome="not run"
        ),
        "memory_hog": Student(with_code(source, "make_split", hog), one, "MemoryError"),
        "exits": Student(
            with_code(
                source, "make_split", "def make_split(table, seed):\n    import sys; sys.exit()"
            ),
            one,
            "SystemExit",
        ),
        "exits_cell": Student(
            with_code(source, "make_split", "import sys; sys.exit(0)"), one, "NameError"
        ),
        "ends_python": Student(
            with_code(source, "make_split", "import os; os._exit(0)"),
            every,
            "ended",
            outcome="not run",
        ),
        "syntax_error": Student(
            with_code(source, "make_split", "def make_split(table, seed) return 1"),
            one,
            "NameError",
        ),
        "noisy": Student(with_code(source, "make_split", noisy)),
        "rebinds": Student(with_code(source, "make_split", REBIND), one, ""),
        "agrees": Student(with_code(source, "believable", AGREES), ("believable",), ""),
        "spy": Student(with_code(source, "make_split", SPY.replace("FOLDER", repr(str(course))))),
        "attacks": Student(changed(source, attack), every),
        "not_json": Student(
            "{this is no notebook",
            every,
            "not a notebook",
            outcome="not run: The file is not",
            written=False,
        ),
        "empty_file": Student("", every, "", outcome="not run: The file is not", written=False),
        "odd_json": Student(
            json.dumps({"cells": 3, "nbformat": 4}), every, "", outcome="not run", written=False
        ),
        "no_file": Student(
            None, every, "No notebook", outcome="not run: No notebook", written=False
        ),
    }


def hand_in(class_: dict[str, Student], assignment: str, course: Path) -> None:
    """Put the submissions where nbgrader collects them."""
    for name, student in class_.items():
        folder = course / "submitted" / name / assignment
        folder.mkdir(parents=True)
        for file, content in student.files.items():
            (folder / (file or f"{assignment}.ipynb")).write_bytes(content)
