"""The launcher: what it asks of JupyterLab, as Jupyter itself reads it; no browser.

A user's own settings stand beside it.
"""

import json
import os
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tools import lab
from tools.common import ROOT

SHOWN = {"README.md", "cxr_helpers", "data", "docs", "exercises", "notebooks"}


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """The home of a user with own settings, and a kernel `python3` that is another Python."""
    for name in [name for name in os.environ if name.startswith("JUPYTER")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")  # as outside a virtual environment
    folder = tmp_path / "home"
    settings = {
        "ServerApp": {
            "root_dir": "/elsewhere",
            "quit_button": False,
            "jpserver_extensions": {"nbgrader": True},
        },
        "LabApp": {"default_url": "/lab/tree/mine"},
    }
    for name in ("jupyter_server_config.json", "jupyter_lab_config.json"):
        write(folder / ".jupyter" / name, settings)
    mine = {"disabledExtensions": {"@somebody/else": True, "@jupyter/nbgrader": False}}
    write(folder / ".jupyter" / "labconfig" / "page_config.json", mine)
    other = {
        "argv": ["/other/python", "-f", "{connection_file}"],
        "display_name": "other",
        "language": "python",
    }
    write(folder / "data" / "kernels" / "python3" / "kernel.json", other)
    # Jupyter leaves this mark when it runs for the first time
    (folder / ".jupyter" / "migrated").touch()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(folder / ".jupyter"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(folder / "data"))
    return folder


def write(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.slow
def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_jupyterlab_is_asked_for_the_index_and_large_uploads_beside_the_users_own_settings(home):
    before = files(home / ".jupyter")
    # Jupyter prints the configuration it would start with.
    command = [
        sys.executable,
        "-m",
        "tools.lab",
        "--no-browser",
        "--port",
        "8890",
        "--show-config-json",
    ]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    config = json.loads(run.stdout[run.stdout.index("{") :])
    server = config["ServerApp"]
    assert config["LabApp"]["default_url"] == "/lab/tree/notebooks/student/index.md"
    assert server["root_dir"] == str(ROOT)
    assert server["tornado_settings"]["websocket_max_message_size"] == 100_000_000
    assert config["ContentsManager"]["hide_globs"] == lab.HIDDEN
    assert (server["port"], server["open_browser"]) == (8890, False), "further arguments arrive"
    assert server["quit_button"] is False, (
        "a setting of the user's own, which the course leaves alone"
    )
    assert files(home / ".jupyter") == before


def test_an_author_starts_as_jupyterlab_does_and_sees_every_file():
    server = lab.configuration(author=True)["jupyter_server_config.json"]
    assert server["LabApp"]["default_url"] == "/lab"
    assert "ContentsManager" not in server
    assert server["ServerApp"]["tornado_settings"]["websocket_max_message_size"] == 100_000_000


def test_author_is_an_argument_of_ours_and_the_rest_goes_on(monkeypatch):
    from jupyterlab.labapp import LabApp

    seen = []
    monkeypatch.setattr(
        LabApp, "launch_instance", lambda arguments: seen.append((arguments, dict(os.environ)))
    )
    monkeypatch.setenv("MPLBACKEND", "agg")
    assert lab.main(["--author", "--ip", "::1", "--LabApp.default_url=/lab/tree/data"]) == 0
    arguments, environment = seen[0]
    assert arguments == ["--ip", "::1", "--LabApp.default_url=/lab/tree/data"]
    assert environment["JUPYTERLAB_WORKSPACES_DIR"] == str(ROOT / "build" / "lab" / "author")
    assert "MPLBACKEND" not in environment
    assert os.environ["MPLBACKEND"] == "agg", "only JupyterLab's environment is changed"


def test_authors_panels_are_off_for_a_student_only(home, monkeypatch):
    from jupyter_core.paths import jupyter_path
    from jupyterlab_server.config import get_page_config

    disabled = {}
    for author in (False, True):
        with lab.environment(author=author) as variables, monkeypatch.context() as context:
            for name, value in variables.items():
                context.setenv(name, value)
            disabled[author] = get_page_config(jupyter_path("labextensions"))["disabledExtensions"]
    assert set(lab.AUTHORS_PANELS) <= set(disabled[False])
    assert not set(lab.AUTHORS_PANELS) & set(disabled[True])
    for found in disabled.values():
        assert {"@somebody/else", "@jupyterlab/apputils-extension:announcements"} <= set(found)


def test_authors_services_are_off_for_a_student_only():
    student, author = (
        lab.configuration(author=value)["jupyter_server_config.json"] for value in (False, True)
    )
    assert "jpserver_extensions" not in author["ServerApp"]
    off = student["ServerApp"]["jpserver_extensions"]
    assert not any(off.values())
    assert {"jupyterlab_jupytext", "nbgrader.server_extensions.formgrader"} <= set(off), (
        "installed with the tests"
    )


def test_services_that_are_not_installed_are_not_named(monkeypatch):
    monkeypatch.setattr(lab.importlib.util, "find_spec", lambda name: None)
    assert (
        lab.configuration()["jupyter_server_config.json"]["ServerApp"]["jpserver_extensions"] == {}
    )


@pytest.mark.parametrize("author", [False, True])
def test_no_news_no_update_check_and_rendered_markdown(author, home, monkeypatch):
    from jupyterlab.labapp import LabApp
    from jupyterlab_server.settings_utils import get_settings

    with lab.environment(author=author) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        folder = Path(LabApp().schemas_dir)

        def default(schema: str, key: str):
            found, _ = get_settings(str(home / "none"), str(folder), str(home / "none"), schema)
            return found["schema"]["properties"][key]["default"]

        assert default("@jupyterlab/apputils-extension:notification", "fetchNews") == "false"
        assert default("@jupyterlab/apputils-extension:notification", "checkForUpdates") is False
        viewers = default("@jupyterlab/docmanager-extension:plugin", "defaultViewers")
        assert viewers["markdown"] == "Markdown Preview"
        assert default("@jupyterlab/notebook-extension:tracker", "kernelShutdown") is not author


def test_the_kernel_is_this_python_and_the_folder_goes_away(home, monkeypatch):
    from jupyter_client.kernelspec import KernelSpecManager

    assert KernelSpecManager().get_kernel_spec("python3").argv[0] == "/other/python"
    with lab.environment() as variables:
        monkeypatch.setenv("JUPYTER_PATH", variables["JUPYTER_PATH"])
        assert KernelSpecManager().get_kernel_spec("python3").argv[0] == sys.executable
        folder = Path(variables["JUPYTER_PATH"].split(os.pathsep)[0])
        assert variables["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert not folder.exists()


def test_the_kernel_says_of_its_language_what_the_notebooks_say(home, monkeypatch):
    from jupyter_client.manager import start_new_kernel

    from tools.build.lessons import LANGUAGE

    with lab.environment() as variables:
        monkeypatch.setenv("JUPYTER_PATH", variables["JUPYTER_PATH"])
        manager, client = start_new_kernel(kernel_name="python3", cwd=str(home))
        try:
            reply = client.kernel_info(reply=True, timeout=30)["content"]
            printed = []
            code = "import sys; print(sys.executable, sys.argv[0])"
            client.execute_interactive(code, timeout=30, output_hook=printed.append)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    assert reply["language_info"] == LANGUAGE, "so that opening a notebook does not change it"
    text = "".join(
        message["content"]["text"] for message in printed if message["msg_type"] == "stream"
    )
    assert text.startswith(sys.executable)
    assert text.endswith("ipykernel_launcher.py\n"), "it runs as any other kernel"


def test_a_student_sees_of_the_repository_only_what_a_student_needs():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("no git checkout: what belongs to the repository is not known")
    paths = [Path(line) for line in listed.stdout.splitlines()]

    def hidden(name: str) -> bool:
        return name.startswith(".") or any(fnmatch(name, glob) for glob in lab.HIDDEN)

    seen = [path for path in paths if not any(hidden(part) for part in path.parts)]
    assert {path.parts[0] for path in seen} <= SHOWN, "show it in SHOWN, or hide it in tools/lab.py"
    assert {path.parts[0] for path in seen} >= SHOWN - {"docs"}
    assert {path.suffix for path in seen if path.parts[0] in ("notebooks", "exercises")} == {
        ".ipynb",
        ".md",
    }
    every = {path for path in paths if path.suffix == ".ipynb" and path.parts[0] != "tests"}
    assert every <= set(seen), "no notebook is hidden"


def test_without_jupyterlab_it_says_what_to_do_in_one_line():
    # -S leaves out what is installed, so that only the standard library is there.
    run = subprocess.run(
        [sys.executable, "-S", "-m", "tools.lab"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert "JupyterLab is not installed" in run.stderr
    assert "make lab" in run.stderr
