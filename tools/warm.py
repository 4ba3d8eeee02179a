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
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from tools.marking.cage import die_with_parent

NAME = "warm"
# environment variable: the socket where kernels are asked for; workers inherit it
ADDRESS = "WARM_KERNELS"
TEMPLATE = Path(__file__).with_name("warm_template.py")


@contextlib.contextmanager
def template() -> Iterator[None]:
    """While the block runs, a process with the libraries forks kernels for all who called `use`."""
    with (
        tempfile.TemporaryDirectory(prefix="warm-") as folder,
        socket.socket(socket.AF_UNIX) as listener,
    ):
        os.environ[ADDRESS] = str(Path(folder, "socket"))
        listener.bind(os.environ[ADDRESS])
        listener.listen()
        number = listener.fileno()
        command = [sys.executable, "-P", TEMPLATE, str(number)]
        process = subprocess.Popen(
            command,
            pass_fds=[number],
            start_new_session=True,
            preexec_fn=die_with_parent,
            stdout=subprocess.DEVNULL,
        )
        listener.close()
        try:
            yield
        finally:
            del os.environ[ADDRESS]
            process.kill()
            process.wait()


def use() -> None:
    """Let all kernels that this process starts be forked."""
    factory = KernelProvisionerFactory.instance()
    factory.provisioners[NAME] = EntryPoint(NAME, f"{__name__}:WarmProvisioner", factory.GROUP_NAME)
    factory.default_provisioner_name = NAME


class WarmProvisioner(LocalProvisioner):
    """Starts kernels by asking for a fork of the process that holds the libraries."""

    async def launch_kernel(self, cmd: list[str], **kwargs) -> dict:
        """Start a kernel in place of `python -m ipykernel_launcher ARGUMENTS`."""
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        self.cwd = str(kwargs.get("cwd") or os.getcwd())
        self.process = Forked(arguments, kwargs["env"], self.cwd)
        self.pid = self.pgid = self.process.pid  # a kernel leads a group of its own
        return self.connection_info


class Forked:
    """A kernel's process, with what `LocalProvisioner` asks of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, arguments: list[str], environment: dict[str, str], folder: str):
        request = {"arguments": arguments, "environment": environment, "folder": folder}
        with socket.socket(socket.AF_UNIX) as template:
            template.connect(os.environ[ADDRESS])
            with template.makefile("rw", encoding="utf-8") as lines:
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
