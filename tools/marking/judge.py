"""The judges of marking: processes that hold the questions and never run a student's code.

One process imports what the questions need and runs nothing; for each submission it forks a judge,
who waits at a socket for the kernel of that submission and notes each outcome in a file that the
kernel does not see:

    with judge.bench(["04"], hidden):
        judge.sit(socket, record, {ticket: ["04", "is_disjoint", seed]}, folder)
"""

import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from cxr_helpers import checks
from cxr_helpers.checks import border
from tools.common import ROOT, write_atomic
from tools.marking import cage

ADDRESS = "CXR_JUDGES"  # environment variable: the socket where judges are asked for
MEMORY = 6_000_000_000
LIBRARIES, LARGE = ("sklearn.linear_model", "scipy.stats"), ("tensorflow", "keras")
SEVERAL = 3  # submissions, from which on a library is worth importing beforehand
WAIT = 300  # seconds for a kernel to come


@contextlib.contextmanager
def bench(lessons: Iterable[str], folder: Path, number: int = 1) -> Iterator[None]:
    """While the block runs, judges for the questions of some lessons can be asked for.

    Parameters: `folder`, for the socket at which they are, which student code must not see;
    `number`, of submissions to come: for several, more libraries are imported beforehand.
    """
    with socket.socket(socket.AF_UNIX) as listener:
        os.environ[ADDRESS] = str(folder / "judges")
        listener.bind(os.environ[ADDRESS])
        listener.listen()
        open_file, libraries = listener.fileno(), LIBRARIES if number >= SEVERAL else ()
        command = [
            sys.executable,
            "-m",
            "tools.marking.judge",
            str(open_file),
            *lessons,
            *libraries,
        ]
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[open_file], start_new_session=True)
        listener.close()
        try:
            yield
        finally:
            del os.environ[ADDRESS]
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def sit(place: Path, record: Path, tickets: dict[str, list], folder: Path) -> None:
    """Let a judge wait for a kernel at the socket `place`.

    Parameters: `record`, the file of outcomes; `tickets`, lesson, name of the answer and seed by
    ticket; `folder`, which the kernel sees too: for files that a question hands out.
    """
    asked = {"place": str(place), "record": str(record), "tickets": tickets, "folder": str(folder)}
    with socket.socket(socket.AF_UNIX) as judges:
        judges.connect(os.environ[ADDRESS])
        with judges.makefile("rw", encoding="utf-8") as lines:
            print(json.dumps(asked), file=lines, flush=True)
            if not lines.readline():
                raise RuntimeError("no judge came: what went wrong stands above")


def outcomes(record: Path) -> dict[str, dict]:
    """What a judge has noted: state, message, mistake and seed by the name of the answer."""
    return json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}


def attend(listener: socket.socket, record: str, tickets: dict[str, list], folder: str) -> None:
    """Be the judge of one submission, until its kernel has ended."""
    tempfile.tempdir = folder
    cage.limit(MEMORY, 3600)
    found: dict[str, dict] = {}
    asked = {
        ticket: checks.questions(lesson)[name] for ticket, (lesson, name, _) in tickets.items()
    }
    start = time.monotonic()

    def note(ticket: str, outcome: checks.Outcome) -> None:
        _, name, seed = tickets[ticket]
        seconds = round(time.monotonic() - start, 2)
        found[name] = asdict(outcome) | {"seed": seed, "after": seconds}
        write_atomic(Path(record), json.dumps(found))

    listener.settimeout(WAIT)
    with contextlib.suppress(TimeoutError):
        connection, _ = listener.accept()
        listener.close()  # nobody else
        connection.settimeout(None)
        border.attend(connection, {t: (asked[t], tickets[t][2]) for t in tickets}, note)


def import_questions(names: Iterable[str]) -> None:
    """Import lessons' questions and libraries; run nothing, for what has run may not be forked."""
    names = list(names)
    for lesson in [name for name in names if name not in LIBRARIES]:
        module = importlib.import_module(f"cxr_helpers.checks.lesson{lesson}")
        if "keras" in Path(str(module.__file__)).read_text("utf-8"):  # else in a student's time
            names += LARGE
    quiet, shown = os.open(os.devnull, os.O_RDWR), os.dup(2)
    os.dup2(quiet, 2)
    for library in [name for name in names if name in LIBRARIES + LARGE]:
        importlib.import_module(library)
    os.dup2(shown, 2)


def main() -> None:
    """Fork a judge for each request, until killed."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    cage.die_with_parent()
    cage.keep_memory()  # its judges' too
    import_questions(sys.argv[2:])
    listener = socket.socket(fileno=int(sys.argv[1]))
    # The system itself forgets a judge that has ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        asked, _ = listener.accept()
        with asked, asked.makefile("rw", encoding="utf-8") as lines:
            request = json.loads(lines.readline())
            own = socket.socket(socket.AF_UNIX)
            own.bind(request.pop("place"))
            own.listen(1)
            with warnings.catch_warnings():
                # OpenBLAS ends its threads for a fork.
                warnings.simplefilter("ignore", DeprecationWarning)
                number = os.fork()
            if not number:
                break
            own.close()
            print(number, file=lines)
    listener.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    cage.die_with_parent()
    attend(own, request["record"], request["tickets"], request["folder"])


if __name__ == "__main__":
    main()
