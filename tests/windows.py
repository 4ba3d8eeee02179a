"""What Windows lacks or refuses, on Linux: `python -m pytest -p tests.windows`.

For the course's own code alone, since libraries have code of their own for Windows: modules and
functions of Unix are gone, processes are spawned, a file that is open is neither removed nor moved,
and names with `?` are refused. It is no Windows: paths, rights and programs are Linux's.
"""

import builtins
import multiprocessing
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = str(Path(__file__).resolve().parents[1])
OWN = ("benchmarks", "cxr_helpers", "exercises", "tests", "tools")
MODULES = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}
NAMES = {
    "os": "chown fork forkpty geteuid getgid getpgid getuid killpg mkfifo nice pidfd_open "
    "posix_fallocate register_at_fork sched_getaffinity sched_setaffinity setpgid setsid statvfs "
    "uname wait4",
    "signal": "ITIMER_REAL SIGALRM SIGCHLD SIGHUP SIGKILL SIGUSR1 SIG_BLOCK SIG_UNBLOCK "
    "pidfd_send_signal pthread_sigmask setitimer",
    "socket": "AF_UNIX recv_fds send_fds",
}
REFUSED = set('<>:"|?*')
# A lock's file goes with its release there: filelock sees to it.
LET = (".lock",)
import_ = builtins.__import__
busy = threading.local()


class Lacking(ModuleType):
    """A module without some of its names; other names are got and set in the real one."""

    def __init__(self, real: ModuleType, names: str):
        super().__init__(real.__name__)
        inside = object.__getattribute__(self, "__dict__")
        inside.update(_real=real, _lacks=frozenset(names.split()), _given={})

    def __getattribute__(self, name: str) -> Any:
        inside = object.__getattribute__(self, "__dict__")
        if name in inside["_given"]:  # by a test
            return inside["_given"][name]
        if name in inside["_lacks"]:
            raise AttributeError(f"module {inside['_real'].__name__} has no {name} on Windows")
        return getattr(inside["_real"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        inside = object.__getattribute__(self, "__dict__")
        if name in inside["_lacks"]:
            inside["_given"][name] = value
        else:
            setattr(inside["_real"], name, value)

    def __delattr__(self, name: str) -> None:
        inside = object.__getattribute__(self, "__dict__")
        if name in inside["_given"]:
            del inside["_given"][name]
        else:
            delattr(inside["_real"], name)


LACKING = {each.__name__: Lacking(each, NAMES[each.__name__]) for each in (os, signal, socket)}


def importing(name, globals=None, locals=None, fromlist=(), level=0):
    """`import` as it is, but for what the course's own modules import of Unix."""
    who = str((globals or {}).get("__name__", "")).partition(".")[0]
    if level == 0 and (who in OWN or who.startswith(("test_", "conftest"))):
        if name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r} on Windows", name=name)
        if name in LACKING:
            return LACKING[name]
    return import_(name, globals, locals, fromlist, level)


def opened(path: str) -> bool:
    """Whether this process has the file, or one below the folder, open or mapped."""
    real = os.path.realpath(path)
    held = []
    for number in os.listdir("/proc/self/fd"):
        try:
            held.append(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:  # the one that listed them
            continue
    with open("/proc/self/maps", encoding="utf-8") as maps:
        held += [line.rstrip("\n").split(maxsplit=5)[-1] for line in maps]
    return any(each == real or each.startswith(f"{real}/") for each in held)


def ours() -> bool:
    """Whether code of the course, and no library alone, asks."""
    frame = sys._getframe(2)
    while frame:
        file = frame.f_code.co_filename
        if file.startswith(ROOT) and file != __file__ and "site-packages" not in file:
            return True
        frame = frame.f_back
    return False


def refuse(event: str, given: tuple) -> None:
    """Raise what Windows would, before a file is opened, made, moved or removed."""
    if getattr(busy, "on", False) or event not in ("open", "os.mkdir", "os.remove", "os.rename"):
        return
    busy.on = True
    try:
        path = os.fsdecode(given[0]) if isinstance(given[0], str | bytes | os.PathLike) else ""
        made = event == "os.mkdir" or (event == "open" and set(given[1] or "") & set("wxa"))
        if made and REFUSED & set(os.path.basename(path)) and ours():
            raise OSError(22, "Invalid argument", path)
        if event == "os.remove" and given[1] != -1:
            path = os.path.join(os.readlink(f"/proc/self/fd/{given[1]}"), path)
        if event in ("os.remove", "os.rename") and not path.endswith(LET):
            for each in (path, os.fsdecode(given[1]) if event == "os.rename" else path):
                if opened(each) and ours():
                    raise PermissionError(13, "The file is open in another program", each)
    finally:
        busy.on = False


builtins.__import__ = importing
sys.addaudithook(refuse)
multiprocessing.set_start_method("spawn", force=True)
