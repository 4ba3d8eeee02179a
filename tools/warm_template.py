"""The process that `tools.warm` forks kernels from: it imports the large libraries, runs nothing.

`python -P warm_template.py SOCKET`: SOCKET is the number of a listening socket. A line of JSON asks
for a kernel, by `arguments`, `environment` and `folder`; the answer is a line with the number of
its process.
"""

import importlib
import json
import os
import signal
import socket
import sys
import warnings

LIBRARIES = (
    "ipykernel.kernelapp",
    "matplotlib.pyplot",
    "pandas",
    "seaborn",
    "sklearn",
    "tensorflow",
    "keras",
)
# What a kernel sets before its notebook can import matplotlib; and no lines of TensorFlow's about
# itself.
STARTED = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "TF_CPP_MIN_LOG_LEVEL": "3"}


def import_libraries() -> None:
    """Import what takes long; the code under test is left to each notebook."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    shown = os.dup(2)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 2)
    for library in LIBRARIES:
        importlib.import_module(library)
    # pandas took this process for a terminal, whose tables it fits to the width; a kernel's it cuts
    # at 20 columns.
    sys.modules["pandas"].set_option("display.max_columns", 20)
    os.dup2(shown, 2)


def become_kernel(arguments: list[str], environment: dict[str, str], folder: str) -> None:
    """Be what `python -m ipykernel_launcher ARGUMENTS` would be, in a process group of its own."""
    from ipykernel.kernelapp import launch_new_instance

    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.environ.clear()
    # a kernel ends with the process named here
    os.environ.update(environment, JPY_PARENT_PID=str(os.getppid()))
    os.chdir(folder)
    sys.argv[:] = ["ipykernel_launcher", *arguments]
    launch_new_instance()


def main() -> None:
    """Fork a kernel for each request, until killed."""
    os.environ.update(STARTED)
    import_libraries()
    listener = socket.socket(fileno=int(sys.argv[1]))
    # the system itself forgets a kernel that has ended
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        asked, _ = listener.accept()
        with asked, asked.makefile("rw", encoding="utf-8") as lines:
            request = json.loads(lines.readline())
            with warnings.catch_warnings():
                # OpenBLAS has threads, and ends them for a fork
                warnings.simplefilter("ignore", DeprecationWarning)
                number = os.fork()
            if number:
                print(number, file=lines)
        if not number:
            break
    listener.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    become_kernel(**request)


if __name__ == "__main__":
    main()
