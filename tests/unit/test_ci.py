"""The continuous integration: the README's command on a bare machine, nothing installed by hand."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not shutil.which("make") or not shutil.which("bash"),
    reason="needs make, bash and the paths of POSIX",
)

PYTHON = """#!/bin/sh
case "$2" in
  *version_info*) echo {version} ;;
  *) echo "$0" ;;
esac
"""
MAKEFILE = """
test check:
	@env | sort >$@.env
	@ls -A "$$HOME" "$$TMPDIR" | grep -v : | grep . >$@.home || true
	@ls -d .venv >$@.venv 2>/dev/null || true
	@mkdir -p .venv
	@touch "$$HOME/left" "$$TMPDIR/left"
	@echo "$$TMPDIR" >$@.tmp
	@echo "$(PYTHON) $(VENV)" >$@.python
	@command -v uv >$@.uv || true
"""


class Machine:
    """A clone whose make only writes down what surrounds it, on a machine full of other things."""

    def __init__(self, folder: Path):
        self.root = folder / "clone"
        self.pythons = folder / "pythons"
        self.by_hand = folder / "by hand"
        for place in (self.root / ".ci", self.pythons, self.by_hand):
            place.mkdir(parents=True)
        shutil.copy(ROOT / ".ci" / "run", self.root / ".ci")
        (self.root / "Makefile").write_text(MAKEFILE, encoding="utf-8")
        for version in ("3.11", "3.13"):
            self.program(self.pythons / f"python{version}", PYTHON.format(version=version))
        self.program(self.by_hand / "uv", "#!/bin/sh\n")

    def program(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def run(self) -> subprocess.CompletedProcess:
        surrounding = {
            "PATH": os.pathsep.join([str(self.by_hand), str(self.pythons), "/usr/bin", "/bin"]),
            "HOME": str(self.by_hand),
            "PYTHONPATH": str(self.by_hand),
            "CXR_MODE": "full",
            "VIRTUAL_ENV": str(self.by_hand),
            "PIP_DEFAULT_TIMEOUT": "7",
            "SSL_CERT_FILE": "/etc/certificates",
        }
        return subprocess.run(
            ["bash", ".ci/run"], cwd=self.root, env=surrounding, capture_output=True, text=True
        )

    def seen(self, target: str) -> dict[str, str]:
        lines = (self.root / f"{target}.env").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)


@pytest.fixture
def machine(tmp_path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("target", ["test", "check"])
def test_nothing_installed_by_hand_is_in_reach(machine, target):
    run = machine.run()
    assert run.returncode == 0, run.stderr
    seen = machine.seen(target)
    assert seen["PATH"] == f"{machine.pythons}:/usr/bin:/bin"
    assert (machine.root / f"{target}.uv").read_text() == ""
    assert seen["HOME"] != str(machine.by_hand)
    assert (machine.root / f"{target}.home").read_text() == ""
    assert not {"PYTHONPATH", "CXR_MODE", "VIRTUAL_ENV"} & set(seen)
    assert seen["PIP_DEFAULT_TIMEOUT"] == "7"
    assert seen["SSL_CERT_FILE"] == "/etc/certificates"


def test_everything_on_the_oldest_python_and_the_checks_on_the_newest(machine):
    machine.run()
    assert (machine.root / "test.python").read_text().split() == [f"{machine.pythons}/python3.11"]
    newest = (machine.root / "check.python").read_text().split()
    assert newest == [f"{machine.pythons}/python3.13", "build/venv-3.13"]


@pytest.mark.parametrize("status", [0, 1])
def test_nothing_is_left_on_the_disk(machine, status):
    makefile = machine.root / "Makefile"
    makefile.write_text(makefile.read_text(encoding="utf-8") + f"\t@exit {status}\n")
    assert bool(machine.run().returncode) == bool(status)
    for target in ["test"] if status else ["test", "check"]:
        temporary = Path((machine.root / f"{target}.tmp").read_text().strip())
        assert temporary.is_absolute()
        assert not temporary.exists()
        assert not temporary.parent.exists()


def test_the_first_environment_makes_room_for_the_second_unless_it_was_there_before(machine):
    machine.run()
    assert (machine.root / "check.venv").read_text() == ""
    machine.run()
    assert (machine.root / "test.venv").read_text().split() == [".venv"]
    assert (machine.root / "check.venv").read_text().split() == [".venv"]


def test_uv_beside_the_interpreter_is_refused(machine):
    machine.program(machine.pythons / "uv", "#!/bin/sh\n")
    run = machine.run()
    assert run.returncode != 0
    assert "tested without it" in run.stderr
    assert not (machine.root / "test.env").exists()


def test_a_missing_python_is_named(machine):
    (machine.pythons / "python3.13").unlink()
    run = machine.run()
    assert run.returncode != 0
    assert "no Python 3.13 here" in run.stderr


def test_a_failing_target_fails_the_run(machine):
    (machine.root / "Makefile").write_text("test:\n\t@true\ncheck:\n\t@false\n", encoding="utf-8")
    assert machine.run().returncode != 0
