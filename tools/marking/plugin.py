"""Let nbgrader's own `autograde` mark as `make grade` does, from a terminal and in formgrader.

The `nbgrader_config.py` that `make release` writes calls `use`. Then a submission is mended, runs
in a cage and is judged by a process of its own, whichever of the three starts it: all three run
`python -m tools.course grade`.
"""

import subprocess
import sys
from pathlib import Path

from nbgrader.apps import api, autogradeapp
from nbgrader.converters import Autograde, NbGraderException
from traitlets import Integer, List, Unicode

from tools.common import ROOT

inside = False  # whether this process marks a submission: then nbgrader's own class is meant


class Marking(Autograde):
    """nbgrader's step `autograde`, done by the course's tools in a process of their own."""

    overlay = Unicode(help="Folder of your own seed, hidden tests and sources").tag(config=True)
    jobs = Integer(1, help="Submissions at a time").tag(config=True)
    options = List(Unicode(), help='Further ones of "tools.course grade"').tag(config=True)

    def start(self) -> None:
        """Mark what nbgrader was asked to mark."""
        if inside:
            super().start()
            return
        course, asked = Path(self.coursedir.root).resolve(), self.coursedir
        command = [sys.executable, "-m", "tools.course", "grade", asked.assignment_id]
        command += [
            "--course",
            str(course),
            "--jobs",
            str(self.jobs),
            "--student",
            asked.student_id,
        ]
        command += ["--overlay", str(Path(course, self.overlay))] if self.overlay else []
        command += [*self.options, *(["--again"] if self.force else [])]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        for line in said.stdout.splitlines():
            self.log.info(line)
        if said.returncode:
            self.log.error(said.stderr.strip())
            raise NbGraderException(said.stderr.strip())


def use() -> None:
    """Put `Marking` in place of nbgrader's own class."""
    for module in (api, autogradeapp):
        module.Autograde = Marking
