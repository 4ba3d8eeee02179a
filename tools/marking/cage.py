"""Start a notebook's kernel within limits: `python cage.py SETTINGS -f CONNECTION_FILE`.

Memory, computing time and file sizes are limited. Where the system allows it (Linux with user
namespaces), the kernel has no network, does not see the folders named in the settings, writes into
its own folder and nowhere else, and neither sees nor signals a process but those it has started,
which end with it. It starts in an empty folder, with a bare environment, and ends with the process
that started it. `python cage.py SETTINGS` alone prints what the system does not allow.

`enclose` does the same in a process that has the libraries already, as `warm_template` forks them.
"""

import ctypes
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress

# flags of unshare(2)
NEW_MOUNTS, NEW_USER, NEW_NETWORK = 0x00020000, 0x10000000, 0x40000000
NEW_PROCESSES, NEW_MEMORY = 0x20000000, 0x08000000
BIND, RECURSIVE, PRIVATE = 0x1000, 0x4000, 0x40000  # flags of mount(2)
SET_ATTRIBUTES, HERE, ALL_BELOW, READ_ONLY = 442, -100, 0x8000, 1  # mount_setattr(2)
DIE_WITH_PARENT, DUMPABLE, ADOPT, KILL = 1, 4, 36, 9  # prctl(2), signal(7)
# user number inside: not 0, so that no right to undo the isolation survives the start of the kernel
INSIDE = 1000
JUDGE = 100  # number of the open file that leads to the judge; cxr_helpers.checks.border.PLACE
KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "JPY_PARENT_PID",
    "NBGRADER_EXECUTION",
    "TF_CPP_MIN_LOG_LEVEL",
)
OPTIONS = ["--InteractiveShellApp.ignore_cwd=True"]  # of the kernel
PARTS = {
    "apart": "it has a network, sees the course's folder, writes wherever you can and may signal "
    "your processes",
    "read-only": "it writes wherever you can",
    "alone": "it sees, but cannot signal, your other processes",
}


def die_with_parent() -> None:
    """Ask the system to kill this process when the one that started it ends; Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, KILL)


def adopt_orphans() -> None:
    """Become the parent of whatever a child leaves behind, so that it can be ended; Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(ADOPT, 1)


def keep_memory() -> None:
    """Let no other process of the same user read the memory of this one; Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DUMPABLE, 0)


def limit(memory: int, seconds: int) -> None:
    """Limit memory (bytes), computing time (seconds) and file size (100 MB), where possible."""
    with suppress(ImportError):
        import resource

        wanted = {"DATA": memory, "CPU": seconds, "FSIZE": 100_000_000, "CORE": 0}
        for name, value in wanted.items():
            with suppress(ValueError, OSError):
                resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def isolate(hidden: list[str], own: str) -> set[str]:
    """Cut this process off from the rest, as far as the system allows; return which parts it did.

    Parameters: `hidden`, folders over which an empty one is laid; `own`, the one that can be
    written.
    """
    if sys.platform != "linux":
        return set()
    libc, user, group = ctypes.CDLL(None, use_errno=True), os.getuid(), os.getgid()
    apart = NEW_USER | NEW_NETWORK | NEW_MOUNTS | NEW_PROCESSES | NEW_MEMORY
    if libc.unshare(apart) != 0:
        return set()
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{INSIDE} {user} 1"),
        ("gid_map", f"{INSIDE} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    failed = libc.mount(b"none", b"/", None, RECURSIVE | PRIVATE, None)
    kept = os.open(own, os.O_DIRECTORY)  # reached also where a folder around it is hidden
    for folder in hidden:
        failed |= libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, b"size=1m")
    os.makedirs(own, exist_ok=True)
    failed |= libc.mount(f"/proc/self/fd/{kept}".encode(), os.fsencode(own), None, BIND, None)
    os.close(kept)
    if failed:
        return set()
    locked = _read_only(libc, "/", True, ALL_BELOW) and _read_only(libc, own, False)
    if locked and os.path.isdir("/dev/shm"):  # semaphores of several processes
        libc.mount(b"tmpfs", b"/dev/shm", b"tmpfs", 0, b"size=100m")
    return {"apart", "read-only"} if locked else {"apart"}


def _read_only(libc: ctypes.CDLL, folder: str, wanted: bool, below: int = 0) -> bool:
    """Let a folder (with ALL_BELOW: and what is mounted in it) be read only, or written."""
    values = (READ_ONLY, 0, 0, 0) if wanted else (0, READ_ONLY, 0, 0)
    attributes = (ctypes.c_uint64 * 4)(*values)
    where = os.fsencode(folder)
    return libc.syscall(SET_ATTRIBUTES, HERE, where, below, ctypes.byref(attributes), 32) == 0


def enter(line: socket.socket | None) -> bool:
    """Go on in a process that can signal its children only; tell whether it sees no other, too.

    This one waits for its end, or for that of whoever asked for it over a `line`. Called where
    `isolate` has worked.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the kernel, which gets it as well
    number = os.fork()
    if number:
        with suppress(OSError):
            os.close(JUDGE)
        if line is not None:
            select.select([os.pidfd_open(number), line], [], [])
            os._exit(0)
        _, status = os.waitpid(number, 0)
        os._exit(abs(os.waitstatus_to_exitcode(status)))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    die_with_parent()
    if line is not None:
        line.close()
    os.environ.pop("JPY_PARENT_PID", None)  # a number from outside
    return ctypes.CDLL(None).mount(b"proc", b"/proc", b"proc", 0, None) == 0


def reach(judge: str) -> None:
    """Connect to the judge, where there is one, as the open file `JUDGE`."""
    if judge:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(judge)
            os.dup2(connection.fileno(), JUDGE)


def bare(environment: Mapping[str, str], home: str) -> dict[str, str]:
    """Return what student code may know of an environment, with a home folder of its own."""
    kept = {name: environment[name] for name in KEPT if name in environment}
    return kept | dict.fromkeys(("HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR"), home)


def enclose(settings: dict, line: socket.socket | None = None) -> set[str]:
    """Set the limits and isolate this process; return which parts the system allows."""
    limit(settings["memory"], settings["seconds"])
    die_with_parent()
    reach(settings.get("judge", ""))
    parts = set()
    with suppress(OSError, AttributeError):
        parts = isolate(settings["hidden"], settings["scratch"])
    if parts and enter(line):
        parts.add("alone")
    return parts


def main() -> None:
    """Set the limits and become the kernel."""
    settings, connection = json.loads(sys.argv[1]), sys.argv[2:]
    parts = enclose(settings)
    if not connection:  # a trial: what cannot be done here?
        missing = [text for part, text in PARTS.items() if part not in parts]
        print(missing[0] if missing else "", flush=True)
        return
    home = os.path.join(settings["scratch"], "home")
    os.chdir(home)
    kernel = ["-P", "-m", "ipykernel_launcher", *OPTIONS, *connection]
    os.execve(sys.executable, [sys.executable, *kernel], bare(os.environ, home))


if __name__ == "__main__":
    main()
