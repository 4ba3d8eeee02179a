"""The judges of marking: processes that hold the questions and never run a student's code.

One process imports what the questions need and runs nothing; for each submission it forks a judge,
who waits at a socket for the kernel of that submission and notes each outcome in a file that the
kernel does not see:

    with judge.bench(["04"], hidden):
        with judge.sit(socket, record, {ticket: ["04", "is_disjoint", seed]}, folder):
            ...  # a kernel may connect to the socket at once
"""

import contextlib
import gc
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
from unittest.mock import patch

from cxr_helpers import checks
from cxr_helpers.checks import border
from tools.common import ROOT, write_atomic
from tools.marking import cage

ADDRESS = "CXR_JUDGES"  # environment variable: the socket where judges are asked for
MEMORY = 6_000_000_000
LIBRARIES, LARGE = ("sklearn.linear_model", "scipy.stats"), ("tensorflow", "keras")
WAIT = 300  # seconds for a kernel to come


@contextlib.contextmanager
def bench(lessons: Iterable[str], folder: Path) -> Iterator[None]:
    """While the block runs, judges for the questions of some lessons can be asked for.

    `folder`, for the socket at which they are, is one that student code must not see.
    """
    place = str(folder / "judges")
    with socket.socket(socket.AF_UNIX) as listener, patch.dict(os.environ, {ADDRESS: place}):
        listener.bind(place)
        listener.listen()
        open_file = listener.fileno()
        command = [sys.executable, "-m", "tools.marking.judge", str(open_file), *lessons]
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[open_file], start_new_session=True)
        listener.close()
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def sit(place: Path, record: Path, tickets: dict[str, list], folder: Path) -> Iterator[None]:
    """Let a judge wait for a kernel at the socket `place`, where it may come at once.

    Parameters: `record`, the file of outcomes; `tickets`, lesson, name of the answer and seed by
    ticket; `folder`, which the kernel sees too: for files that a question hands out. Raises
    RuntimeError at the end of the block if no judge came.
    """
    asked = {"record": str(record), "tickets": tickets, "folder": str(folder)}
    with socket.socket(socket.AF_UNIX) as judges, judges.makefile("rw", encoding="utf-8") as lines:
        judges.connect(os.environ[ADDRESS])
        with socket.socket(socket.AF_UNIX) as own:
            own.bind(str(place))
            own.listen(1)
            socket.send_fds(judges, [b"\0"], [own.fileno()])
        print(json.dumps(asked), file=lines, flush=True)
        yield
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


def import_questions(lessons: Iterable[str]) -> None:
    """Import lessons' questions and libraries; run nothing, for what has run may not be forked."""
    libraries = LIBRARIES
    for lesson in lessons:
        module = importlib.import_module(f"cxr_helpers.checks.lesson{lesson}")
        if "keras" in Path(str(module.__file__)).read_text("utf-8"):  # else in a student's time
            libraries += LARGE
    quiet, shown = os.open(os.devnull, os.O_RDWR), os.dup(2)
    os.dup2(quiet, 2)
    for library in libraries:
        importlib.import_module(library)
    os.dup2(shown, 2)


def main() -> None:
    """Fork a judge for each request, until killed."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    cage.die_with_parent()
    cage.keep_memory()  # its judges' too
    import_questions(sys.argv[2:])
    gc.freeze()  # what was imported: forks would copy it to look through it
    listener = socket.socket(fileno=int(sys.argv[1]))
    # The system itself forgets a judge that has ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        asked, _ = listener.accept()
        with asked, asked.makefile("rw", encoding="utf-8") as lines:
            try:
                _, (own, *_), *_ = socket.recv_fds(asked, 1, 1)
                request = json.loads(lines.readline())
            except (OSError, ValueError):  # whoever asked was ended in the middle
                continue
            with warnings.catch_warnings():
                # OpenBLAS ends its threads for a fork.
                warnings.simplefilter("ignore", DeprecationWarning)
                number = os.fork()
            if not number:
                break
            os.close(own)
            with contextlib.suppress(OSError):
                print(number, file=lines, flush=True)
    listener.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    cage.die_with_parent()
    attend(socket.socket(fileno=own), **request)
    os._exit(0)  # tidying up would copy the memory that it shares


if __name__ == "__main__":
    main()
