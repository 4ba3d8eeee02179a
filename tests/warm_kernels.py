"""Notebooks as tests, faster: `python -m pytest -p tests.warm_kernels --nbval-lax ...`.

A process imports the large libraries once, runs nothing, and forks a kernel for each notebook. A kernel has what a
fresh one has: the environment, the search path and the folder it was started with, and an empty namespace, so that a
name that a notebook forgot to import is missing here, too. Linux only: elsewhere kernels start as usual.

The notebooks that take longest begin first, so that all workers end at about the same time.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from tools.cage import die_with_parent
from tools.run import measured_seconds

NAME = "warm"
ADDRESS = "WARM_KERNELS"  # environment variable: the socket where kernels are asked for; workers inherit it
TEMPLATE = Path(__file__).with_name("warm_template.py")
OPEN = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Let all kernels of this process be forked; the process that starts the others begins to import."""
    if sys.platform != "linux":
        return
    factory = KernelProvisionerFactory.instance()
    factory.provisioners[NAME] = EntryPoint(NAME, f"{__name__}:WarmProvisioner", factory.GROUP_NAME)
    factory.default_provisioner_name = NAME
    if hasattr(config, "workerinput"):
        return
    folder = tempfile.TemporaryDirectory(prefix="warm-")
    os.environ[ADDRESS] = str(Path(folder.name, "socket"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.environ[ADDRESS])
        listener.listen()
        number = listener.fileno()
        command = [sys.executable, "-P", TEMPLATE, str(number)]
        template = subprocess.Popen(
            command, pass_fds=[number], start_new_session=True, preexec_fn=die_with_parent, stdout=subprocess.DEVNULL
        )
    config.stash[OPEN] = folder, template


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest notebooks begin; the cells of each stay in order."""
    seconds = measured_seconds()
    items.sort(key=lambda item: -seconds.get(item.path.stem, float("inf")))


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the process that holds the libraries."""
    if opened := config.stash.get(OPEN, None):
        folder, template = opened
        template.kill()
        template.wait()
        folder.cleanup()


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
        """Return None while the kernel runs, then 0: the exit code of somebody else's child is not known."""
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
