"""Open the course in JupyterLab for a student: the index of lessons first, no files of authors.

`--author` shows everything: sources, tools, and the panels of nbgrader and jupytext. All other
arguments go on to JupyterLab, as in `python -m tools.lab --no-browser --port 8890`.

The settings hold for this server only. They are written into a temporary folder into which Jupyter
looks first; the user's own settings are read after it, count where nothing is set here, and stay as
they are.
"""

import argparse
import importlib.util
import json
import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

# Only the standard library: where JupyterLab is missing, this module says so.
ROOT = Path(__file__).resolve().parents[1]
INDEX = "notebooks/student/index.md"
MISSING = (
    "JupyterLab is not installed in this Python. Run `make lab`, or, in an environment of your "
    "own, "
    '`python -m pip install -e ".[course]"` and then `python -m tools.lab`.'
)

# What a student's file browser leaves out: names, wherever they stand (Jupyter compares no paths).
# A hidden file can still be opened by a link.
HIDDEN = [
    # Jupyter's own list, which a setting replaces
    "__pycache__",
    "*.pyc",
    "*.pyo",
    ".DS_Store",
    "*~",
    "src",
    "instructors",
    "site",
    "tools",
    "tests",
    "benchmarks",
    "build",
    "output",
    "*.egg-info",
    "Makefile",
    "*.toml",
    "environment.yml",
    "requirements*.txt",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "LICENSE*",
    "Dockerfile",
]
# Installed for authors, in the same environment: parts of the page, and what answers them on the
# server.
AUTHORS_PANELS = ["@jupyter/nbgrader", "jupyterlab-jupytext", "@jupyter-notebook/lab-extension"]
AUTHORS_SERVICES = [
    "jupyterlab_jupytext",
    "nbgrader.server_extensions.assignment_list",
    "nbgrader.server_extensions.course_list",
    "nbgrader.server_extensions.formgrader",
    "nbgrader.server_extensions.validate_assignment",
    "notebook",
]
# Parts of JupyterLab itself that a course has no use for: packages to install, a list of a
# notebook's properties.
SPARE_PANELS = [
    "@jupyterlab/extensionmanager-extension",
    "@jupyterlab/application-extension:property-inspector",
]

# What the kernel says of its language: what stands in the committed notebooks
# (`tools.build.lessons.LANGUAGE`). By default it adds its version; JupyterLab then enters that into
# each notebook that is opened, and asks whether to save it.
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "pygments_lexer": "ipython3",
}
KERNEL = f"""
import sys
# The notebook's folder: a file in it may be called as one of Python's modules.
if sys.path[0] == "":
    del sys.path[0]
import runpy
from ipykernel.ipkernel import IPythonKernel
IPythonKernel.language_info = {LANGUAGE}
runpy.run_module("ipykernel_launcher", run_name="__main__", alter_sys=True)
"""


def configuration(root: Path = ROOT, *, author: bool = False) -> dict[str, dict]:
    """Return the content of each of Jupyter's settings files for one run.

    Its key is the path in the folder of settings.
    """
    server = {
        "ServerApp": {
            "root_dir": str(root),
            # In a container the only user is often root, whom Jupyter refuses unless told
            # otherwise.
            "allow_root": hasattr(os, "geteuid") and os.geteuid() == 0,
            # In bytes. The default of 10 MB drops larger uploads without a word.
            "tornado_settings": {"websocket_max_message_size": 100_000_000},
        },
        "LabApp": {
            "default_url": "/lab" if author else f"/lab/tree/{INDEX}",
            "news_url": None,
            "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        },
    }
    page = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    defaults = {
        "@jupyterlab/apputils-extension:notification": {
            "fetchNews": "false",
            "checkForUpdates": False,
        },
        "@jupyterlab/docmanager-extension:plugin": {
            "defaultViewers": {"markdown": "Markdown Preview"}
        },
    }
    if not author:
        # Only what is there: Jupyter warns of a service that is switched off and not installed.
        services = [
            name for name in AUTHORS_SERVICES if importlib.util.find_spec(name.partition(".")[0])
        ]
        server["ServerApp"]["jpserver_extensions"] = dict.fromkeys(services, False)
        # The terminal shows the address, and errors; not that a notebook made elsewhere "is not
        # trusted".
        server["ServerApp"]["log_level"] = server["LabApp"]["log_level"] = "ERROR"
        server["ContentsManager"] = {"hide_globs": HIDDEN}
        server["ServerApp"]["contents_manager_class"] = "tools.lab_contents.Contents"
        page["disabledExtensions"] |= dict.fromkeys(AUTHORS_PANELS + SPARE_PANELS, True)
        # Whoever clicks through the course would otherwise hold a process, and its TensorFlow, for
        # every lesson.
        defaults["@jupyterlab/notebook-extension:tracker"] = {"kernelShutdown": True}
        defaults["@jupyterlab/filebrowser-extension:browser"] = {"showLastModifiedColumn": False}
        defaults["@jupyterlab/markdownviewer-extension:plugin"] = {"lineWidth": 100}
    return {
        "jupyter_server_config.json": server,
        "labconfig/page_config.json": page,
        "labconfig/default_setting_overrides.json": defaults,
    }


@contextmanager
def environment(root: Path = ROOT, *, author: bool = False) -> Iterator[dict[str, str]]:
    """Yield the variables by which Jupyter finds the settings, and this Python as `python3`.

    The folder they name lives as long as the block.
    """
    from ipykernel.kernelspec import write_kernel_spec

    with tempfile.TemporaryDirectory(prefix="lab-") as name:
        folder = Path(name)
        for path, content in configuration(root, author=author).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(json.dumps(content, indent=1), encoding="utf-8")
        argv = [sys.executable, "-c", KERNEL, "--log-level=ERROR", "-f", "{connection_file}"]
        write_kernel_spec(folder / "kernels" / "python3", overrides={"argv": argv})

        def first(place: str, variable: str) -> str:
            return os.pathsep.join(filter(None, [place, os.environ.get(variable)]))

        yield {
            "JUPYTER_CONFIG_PATH": first(name, "JUPYTER_CONFIG_PATH"),
            "JUPYTER_PATH": first(name, "JUPYTER_PATH"),
            # Which notebooks are open is the course's own: not the tabs of another project.
            "JUPYTERLAB_WORKSPACES_DIR": str(
                root / "build" / "lab" / ("author" if author else "student")
            ),
            # A cell's `!cxr` and `!pip` are those of this Python.
            "PATH": first(sysconfig.get_path("scripts"), "PATH"),
            "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3"),
        }


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run JupyterLab until it is stopped; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.lab",
        description=__doc__.splitlines()[0],
        epilog="All other arguments go on to JupyterLab: jupyter lab --help",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--author", action="store_true", help="show the authors' files and panels too"
    )
    options, others = parser.parse_known_args(arguments)
    if not importlib.util.find_spec("jupyterlab"):
        print(MISSING, file=sys.stderr)
        return 1
    with environment(root, author=options.author) as variables, patch.dict(os.environ, variables):
        # a kernel shows figures in the page, but only where nothing is set
        os.environ.pop("MPLBACKEND", None)
        from jupyterlab.labapp import LabApp  # reads the environment when it is imported

        print("JupyterLab opens in the browser; if it does not, copy the address below into one.")
        print("To stop it: File > Shut Down, or Ctrl+C here.", flush=True)
        LabApp.launch_instance(others)
    return 0


if __name__ == "__main__":
    sys.exit(main())
