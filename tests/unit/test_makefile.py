"""`make setup` with invented interpreters: which Python it takes, what it keeps, makes and says."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools import setup
from tools.setup import FILES

pytestmark = [
    pytest.mark.skipif(not shutil.which("make"), reason="needs make"),
    pytest.mark.skipif(sys.platform == "win32", reason="there `python -m tools.setup` does it"),
]

# A Python of any version: it makes "environments" that hold a copy of itself, and installs nothing.
PYTHON = """#!/bin/sh
fake="import sys; sys.version_info = ({numbers}, 0, 'final', 0); sys.executable = '$0'"
case "$1 $2" in
  "--version ") echo "Python {version}.0" ;;
  "-c "*) exec "{real}" -c "$fake; $2" ;;
  "-m tools.setup")
    shift 2
    run="import runpy; runpy.run_module('tools.setup', run_name='__main__', alter_sys=True)"
    exec "{real}" -c "$fake; $run" "$@" ;;
  "-m venv") rm -rf "$4"; mkdir -p "$4/bin" && cp "$0" "$4/bin/python"; ! test -e incomplete ;;
  "-m pip") echo "{version}" >>installed; echo "$@" >>asked; ! test -e offline ;;
  "-m tools.stamp") touch pyproject.toml ;;
esac
"""


class Machine:
    """A checkout in a folder with a space, on a machine with Pythons; `python3` is the first."""

    def __init__(self, folder: Path):
        self.root, self.programs = folder / "my course", folder / "bin"
        (self.root / "tools").mkdir(parents=True)
        self.programs.mkdir()
        names = ("Makefile", "pyproject.toml", "tools/setup.py", *FILES.values())
        for name in (*names, "tools/__init__.py"):
            shutil.copy(ROOT / name, self.root / name)

    def program(self, name: str, text: str) -> None:
        (self.programs / name).write_text(text, encoding="utf-8")
        (self.programs / name).chmod(0o755)

    def python(self, version: str, *names: str) -> None:
        values = {"version": version, "numbers": version.replace(".", ", "), "real": sys.executable}
        for name in names or ("python3", f"python{version}"):
            self.program(name, PYTHON.format(**values))

    def make(self, *arguments: str) -> subprocess.CompletedProcess:
        settings = {
            k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "PYTHON"))
        }
        settings["PATH"] = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            ["make", *arguments], cwd=self.root, env=settings, capture_output=True, text=True
        )

    def age(self, *names: str) -> None:
        """Make these files older than all that follow, the first named the oldest."""
        for number, name in enumerate(names):
            os.utime(self.root / name, (1_000_000 + number, 1_000_000 + number))

    @property
    def installed(self) -> list[str]:
        """Versions that something was installed into, in order."""
        path = self.root / "installed"
        return path.read_text(encoding="utf-8").split() if path.exists() else []


@pytest.fixture
def machine(tmp_path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_supported_python_is_taken_and_named(version, machine):
    machine.python(version)
    run = machine.make("setup")
    assert run.returncode == 0, run.stderr
    assert f"ready with Python {version}" in run.stdout
    assert machine.make("setup").returncode == 0
    assert machine.installed == [version], "installed once"


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.14"])
def test_other_python_is_refused_before_anything_is_made(version, machine):
    machine.python(version)
    run = machine.make("setup")
    assert run.returncode != 0
    assert (
        f"this is Python {version}: Python 3.11 to 3.13 is needed, such as make setup "
        "PYTHON=python3.12" in run.stderr
    )
    assert not (machine.root / ".venv").exists()
    machine.python("3.12", "python3.12")
    assert "ready with Python 3.12" in machine.make("setup", "PYTHON=python3.12").stdout


def test_missing_python_is_named(machine):
    run = machine.make("setup", "PYTHON=python3.99")
    assert run.returncode != 0
    assert "no python3.99" in run.stderr


@pytest.mark.parametrize("finished", [True, False])
def test_environment_of_an_unsupported_python_is_made_anew(finished, machine):
    machine.python("3.14")
    machine.python("3.12", "python3.12")
    subprocess.run(
        [machine.programs / "python3.14", "-m", "venv", "--clear", ".venv"],
        cwd=machine.root,
        check=True,
    )
    if finished:  # when its Python was still supported
        (machine.root / ".venv" / ".dev").touch()
        machine.age(".venv/.dev")
    run = machine.make("setup", "PYTHON=python3.12")
    assert "ready with Python 3.12" in run.stdout, run.stderr
    assert machine.installed == ["3.12"]


@pytest.mark.parametrize(("free", "warned"), [(0.3e9, True), (30e9, False)])
def test_full_disk_is_named_before_the_wait_and_after_it(
    tmp_path, monkeypatch, capsys, free, warned
):
    usage = shutil.disk_usage(tmp_path)._replace(free=int(free))
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    monkeypatch.setattr(setup, "prepare", lambda folder, root: "")
    monkeypatch.setattr(setup, "install", lambda folder, kind, root: False)
    assert setup.main(["--dev", "--venv", str(tmp_path / ".venv")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("careful: 0.3 GB are free on the disk of") == warned
    assert ("installed: 0.3 GB are free" in said) == warned
    assert ("pip says why above" in said) == (not warned)


def test_a_finished_environment_needs_no_room(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    assert setup.lack_of_room(tmp_path, "dev")
    (tmp_path / ".dev").touch()
    assert not setup.lack_of_room(tmp_path, "dev")


def test_interrupted_setup_goes_on_or_changes_to_the_python_that_is_named(machine):
    machine.python("3.11")
    machine.python("3.12", "python3.12")
    (machine.root / "offline").touch()
    run = machine.make("setup")
    assert run.returncode != 0
    assert "run the same command again" in run.stderr
    (machine.root / ".venv" / "downloaded").touch()
    assert machine.make("setup").returncode != 0
    assert (machine.root / ".venv" / "downloaded").exists()
    (machine.root / "offline").unlink()
    assert "ready with Python 3.12" in machine.make("setup", "PYTHON=python3.12").stdout
    assert not (machine.root / ".venv" / "downloaded").exists()


def test_python_without_its_venv_package_leaves_no_half_environment(machine):
    machine.python("3.12")
    # as on Debian: a folder is made, without pip, and venv says what is missing
    (machine.root / "incomplete").touch()
    run = machine.make("setup")
    assert run.returncode != 0
    assert "could not be made: Python says why above" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (machine.root / ".venv").exists()
    (machine.root / "incomplete").unlink()  # sudo apt install python3-venv
    assert "ready with Python 3.12" in machine.make("setup").stdout


def test_it_says_that_the_first_time_takes_a_while_before_it_does(machine):
    machine.python("3.12")
    said = machine.make("setup").stdout
    assert -1 < said.index("takes some minutes") < said.index("ready with")


def test_finished_environment_is_kept_whatever_python3_is(machine):
    machine.python("3.9")
    machine.python("3.12", "python3.12")
    assert machine.make("setup", "PYTHON=python3.12").returncode == 0
    machine.age(".venv/.dev", ".venv/.course", "requirements.txt")  # as after a pull
    run = machine.make("lab")
    assert run.returncode == 0, run.stderr
    assert machine.installed == ["3.12", "3.12"]


def test_finished_environment_says_its_version_when_another_is_named(machine):
    machine.python("3.12")
    assert machine.make("setup").returncode == 0
    machine.python("3.13", "python3.13")
    run = machine.make("setup", "PYTHON=python3.13")
    assert "ready with Python 3.12" in run.stdout


def test_students_are_given_less_than_authors(machine):
    machine.python("3.12")
    assert machine.make("lab").returncode == 0
    assert machine.make("check").returncode == 0
    assert machine.make("lab").returncode == 0
    asked = (machine.root / "asked").read_text(encoding="utf-8").splitlines()
    assert [line.rsplit(" ", 1)[1] for line in asked] == [
        "requirements.txt",
        "requirements-dev.txt",
    ]


def test_the_site_has_an_environment_of_its_own(machine):
    machine.python("3.12")
    run = machine.make("site")
    assert run.returncode == 0, run.stderr
    assert "then make site PYTHON=python3.12" in run.stdout
    assert machine.make("site").returncode == 0
    asked = (machine.root / "asked").read_text(encoding="utf-8").splitlines()
    assert [line.rsplit(" ", 1)[1] for line in asked] == ["requirements-site.txt"]
    assert not (machine.root / ".venv").exists()
    assert machine.make("setup").returncode == 0
    assert machine.make("site").returncode == 0
    assert machine.installed == ["3.12", "3.12"], "one does not replace the other"


def test_stamp_does_not_install_again(machine):
    machine.python("3.12")
    assert machine.make("setup").returncode == 0
    machine.age(
        "pyproject.toml", "requirements.txt", "requirements-dev.txt", ".venv/.course", ".venv/.dev"
    )
    run = machine.make("stamp", "REPO=https://github.com/ann/course")
    assert run.returncode == 0, run.stderr
    assert machine.make("setup").returncode == 0
    assert machine.installed == ["3.12"]


def test_the_range_of_pythons_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [c.rsplit(" ", 1)[1] for c in project["classifiers"] if "Python :: 3." in c]
    assert named == ["3.11", "3.12", "3.13"], (
        "those that test_supported_python_is_taken_and_named tries"
    )
    assert project["requires-python"] == ">=3.11,<3.14"
    assert "- python>=3.11,<3.14\n" in (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert re.search(r"Python 3\.11-3\.13\b", (ROOT / "README.md").read_text(encoding="utf-8"))
