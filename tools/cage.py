"""Start a notebook's kernel within limits: `python cage.py SETTINGS -f CONNECTION_FILE`.

Memory, computing time and file sizes are limited. Where the system allows it (Linux with user
namespaces), the kernel has no network and does not see the folders named in the settings. It starts
in an empty folder of its own, with a bare environment, and ends with the process that started it.
This is care, not a fortress: see exercises/README.md.
"""

import ctypes
import json
import os
import sys
from contextlib import suppress

NEW_MOUNTS, NEW_USER, NEW_NETWORK = 0x00020000, 0x10000000, 0x40000000  # flags of unshare(2)
RECURSIVE, PRIVATE = 0x4000, 0x40000  # flags of mount(2)
DIE_WITH_PARENT, KILL = 1, 9  # prctl(2), signal(7)
# user number inside: not 0, so that no right to undo the isolation survives the start of the kernel
INSIDE = 1000
KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "JPY_PARENT_PID",
    "NBGRADER_EXECUTION",
    "TF_CPP_MIN_LOG_LEVEL",
)


def die_with_parent() -> None:
    """Ask the system to kill this process when the one that started it ends; Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, KILL)


def limit(memory: int, seconds: int) -> None:
    """Limit memory (bytes), computing time (seconds) and file size (100 MB), where possible."""
    with suppress(ImportError):
        import resource

        wanted = {"DATA": memory, "CPU": seconds, "FSIZE": 100_000_000, "CORE": 0}
        for name, value in wanted.items():
            with suppress(ValueError, OSError):
                resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def isolate(hidden: list[str]) -> bool:
    """Leave the network and hide each of these folders under an empty one; tell whether allowed.

    The system may not allow it.
    """
    if sys.platform != "linux":
        return False
    libc, user, group = ctypes.CDLL(None, use_errno=True), os.getuid(), os.getgid()
    if libc.unshare(NEW_USER | NEW_NETWORK | NEW_MOUNTS) != 0:
        return False
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{INSIDE} {user} 1"),
        ("gid_map", f"{INSIDE} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    failed = libc.mount(b"none", b"/", None, RECURSIVE | PRIVATE, None)
    for folder in hidden:
        failed |= libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, b"size=1m")
    return not failed


def main() -> None:
    """Set the limits and become the kernel."""
    settings, connection = json.loads(sys.argv[1]), sys.argv[2:]
    limit(settings["memory"], settings["seconds"])
    isolated = False
    with suppress(OSError, AttributeError):
        isolated = isolate(settings["hidden"])
    if not connection:  # a trial: can it be done here?
        sys.exit(0 if isolated else 3)
    scratch = settings["scratch"]
    os.chdir(scratch)
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    own = dict.fromkeys(("HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR"), scratch)
    kernel = [
        "-P",
        "-m",
        "ipykernel_launcher",
        "--InteractiveShellApp.ignore_cwd=True",
        *connection,
    ]
    die_with_parent()
    os.execve(sys.executable, [sys.executable, *kernel], kept | own)


if __name__ == "__main__":
    main()
