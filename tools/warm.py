"""Kernels that start at once: one process imports the large libraries and forks them, a run each.

It runs nothing itself.

A kernel has what a fresh one has: the environment, the search path and the folder it was started
with, and an empty namespace, so that a name that a notebook forgot to import is missing here, too.
Linux only. The tests use it; the kernels of a reader start as usual.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from unittest.mock import patch

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from tools.marking.cage import die_with_parent

NAME = "warm"
LIBRARIES = (
    "ipykernel.kernelapp",
    "matplotlib.pyplot",
    "pandas",
    "seaborn",
    "sklearn",
    "tensorflow",
    "keras",
)
# environment variable: the socket where kernels are asked for; workers inherit it
ADDRESS = "WARM_KERNELS"
TEMPLATE = Path(__file__).with_name("warm_template.py")


@contextlib.contextmanager
def template(
    libraries: Iterable[str] = LIBRARIES,
    environment: dict[str, str] | None = None,
    around: Path | None = None,
) -> Iterator[None]:
    """While the block runs, a process with the libraries forks kernels for all who called `use`.

    Parameters: `environment`, with which it imports them, this process's if None; `around`, a
    folder that student code does not see, for the socket.
    """
    with (
        tempfile.TemporaryDirectory(prefix="warm-") as folder,
        socket.socket(socket.AF_UNIX) as listener,
        patch.dict(os.environ, {ADDRESS: str(Path(around or folder, "kernels"))}),
    ):
        listener.bind(os.environ[ADDRESS])
        listener.listen()
        number = listener.fileno()
        command = [sys.executable, "-P", TEMPLATE, str(number), *libraries]
        process = subprocess.Popen(
            command,
            env=environment,
            pass_fds=[number],
            start_new_session=True,
            preexec_fn=die_with_parent,
            stdout=subprocess.DEVNULL,
        )
        listener.close()
        try:
            yield
        finally:
            process.kill()
            process.wait()


def use(kept: Collection[str] | None = None) -> None:
    """Let all kernels that this process starts be forked.

    `kept` are the names of variables that they get of their environment: all, if None.
    """
    WarmProvisioner.kept = kept
    factory = KernelProvisionerFactory.instance()
    factory.provisioners[NAME] = EntryPoint(NAME, f"{__name__}:WarmProvisioner", factory.GROUP_NAME)
    factory.default_provisioner_name = NAME


class WarmProvisioner(LocalProvisioner):
    """Starts kernels by asking for a fork of the process that holds the libraries."""

    kept: Collection[str] | None = None

    async def launch_kernel(self, cmd: list[str], **kwargs) -> dict:
        """Start what `python -m ipykernel_launcher ARGUMENTS`, or a cage, would start."""
        self.cwd = str(kwargs.get("cwd") or os.getcwd())
        kept = kwargs["env"] if self.kept is None else self.kept
        environment = {name: value for name, value in kwargs["env"].items() if name in kept}
        self.process = Forked(cmd, environment, self.cwd)
        self.pid = self.pgid = self.process.pid  # a kernel leads a group of its own
        return self.connection_info


class Forked:
    """A kernel's process, with what `LocalProvisioner` asks of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, command: list[str], environment: dict[str, str], folder: str):
        request = {"command": command, "environment": environment, "folder": folder}
        self._line = socket.socket(socket.AF_UNIX)  # a kernel in a cage ends when it closes
        self._line.connect(os.environ[ADDRESS])
        with self._line.makefile("rw", encoding="utf-8") as lines:
            print(json.dumps(request), file=lines, flush=True)
            answer = lines.readline()
        if not answer:
            raise RuntimeError(f"no kernel: {TEMPLATE.name} has ended, see what it wrote above")
        self.pid = int(answer)
        self._end = os.pidfd_open(self.pid)  # readable when the process has ended

    def poll(self) -> int | None:
        """Return None while the kernel runs, then 0: another's child has no known exit code."""
        ended, _, _ = select.select([self._end], [], [], 0)
        return 0 if ended else None

    def wait(self) -> int:
        """Wait for the end."""
        select.select([self._end], [], [])
        return 0

    def send_signal(self, number: int) -> None:
        """Send the kernel a signal."""
        signal.pidfd_send_signal(self._end, number)

    def kill(self) -> None:
        """End the kernel at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)
