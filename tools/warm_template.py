"""The process that `tools.warm` forks kernels from: it imports large libraries, runs nothing.

`python -P warm_template.py SOCKET LIBRARY...`: SOCKET is the number of a listening socket. A line
of JSON asks for a kernel, by the `command` that would start it, `environment` and `folder`; the
answer is a line with the number of its process. A kernel in a cage ends with whoever asked for it.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import tempfile
import warnings
from collections.abc import Iterable

# What a kernel sets before its notebook can import matplotlib; and no lines of TensorFlow's about
# itself.
STARTED = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "TF_CPP_MIN_LOG_LEVEL": "3"}


def import_libraries(names: Iterable[str]) -> None:
    """Import what takes long and is there; the code under test is left to each notebook."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    shown = os.dup(2)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 2)
    for library in names:
        with contextlib.suppress(Exception):  # what fails here fails in the notebook, and says so
            importlib.import_module(library)
    # pandas took this process for a terminal, whose tables it fits to the width; a kernel's it cuts
    # at 20 columns.
    sys.modules["pandas"].set_option("display.max_columns", 20)
    os.dup2(shown, 2)


def prepare(
    line: socket.socket, command: list[str], environment: dict[str, str], folder: str
) -> list[str]:
    """Become what the command would start, but for its start; return the kernel's arguments."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    if "ipykernel_launcher" in command:
        arguments = command[command.index("ipykernel_launcher") + 1 :]
        # a kernel ends with the process named here
        environment = environment | {"JPY_PARENT_PID": str(os.getppid())}
        line.close()
    else:
        _, _, script, told, *arguments = command
        cage, settings = runpy.run_path(script), json.loads(told)
        if "apart" not in cage["enclose"](settings, line):
            sys.exit("This system does not cut student code off any more.")
        folder = os.path.join(settings["scratch"], "home")
        environment, arguments = cage["bare"](environment, folder), [*cage["OPTIONS"], *arguments]
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    tempfile.tempdir = None  # as for a process that has not asked yet
    sys.modules["numpy"].random.seed()  # each kernel draws numbers of its own
    return arguments


def main() -> None:
    """Fork a kernel for each request, until killed; return in the fork."""
    os.environ.update(STARTED)
    import_libraries(sys.argv[2:])
    gc.freeze()  # what was imported: forks would copy it to look through it
    listener = socket.socket(fileno=int(sys.argv[1]))
    # the system itself forgets a kernel that has ended
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        asked, _ = listener.accept()
        with asked.makefile("rw", encoding="utf-8") as lines:
            try:
                request = json.loads(lines.readline())
            except (OSError, ValueError):  # it was ended in the middle
                continue
            with warnings.catch_warnings():
                # OpenBLAS has threads, and ends them for a fork
                warnings.simplefilter("ignore", DeprecationWarning)
                number = os.fork()
            if not number:
                break
            with contextlib.suppress(OSError):
                print(number, file=lines, flush=True)
        asked.close()
    listener.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.argv[:] = ["ipykernel_launcher", *prepare(asked, **request)]


if __name__ == "__main__":
    main()
    # Here, where nothing of the request is left on the stack.
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()
