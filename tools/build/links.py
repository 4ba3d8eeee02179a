"""Where the course is published, and the addresses that follow from it.

The address stands once, as `repository` under [tool.course] in pyproject.toml. While it is empty,
nothing in the course links to Colab and nothing is installed from the network. `release` names a
tag: links then lead to that state of the course and keep working when it moves on.
"""

import re
import tomllib
from pathlib import Path

from tools.common import ROOT, STUDENT, ToolError, relative

BRANCH = "main"
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
NAME = r"(?P<owner>[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)/(?P<name>[A-Za-z0-9._-]+?)"
FORMS = (
    rf"https://(?:[^@/]+@)?(?P<host>[^/:@]+)(?::\d+)?/{NAME}(?:\.git)?/?",
    rf"ssh://(?:[^@/]+@)?(?P<host>[^/:@]+)(?::\d+)?/{NAME}(?:\.git)?/?",
    rf"(?:[^@/:]+@)(?P<host>[^/:@]+):{NAME}(?:\.git)?/?",
)
# the one host whose notebooks Colab opens and whose archives have the address below
HOST = "github.com"


def canonical(address: str) -> str:
    """Return the https address of a repository that a remote's address names.

    `address`: an https or ssh address as `git remote get-url` prints it. Raises ToolError in words
    for anything else: a folder, another host, an address that names no repository.
    """
    found = next((match for form in FORMS if (match := re.fullmatch(form, address.strip()))), None)
    if found is None:
        raise ToolError(
            f"{address!r} is not the address of a repository on {HOST}: publish the course there, "
            f"or name the address, such as https://{HOST}/ann/cxr-course"
        )
    if found["host"].lower() != HOST:
        raise ToolError(
            f"{address!r} lies on {found['host']}: Colab opens notebooks from {HOST} only, so no "
            "links were changed"
        )
    if found["name"] in (".", ".."):
        raise ToolError(f"{address!r} names no repository")
    return f"https://{HOST}/{found['owner']}/{found['name']}"


def settings(root: Path = ROOT) -> dict[str, str]:
    """Return the table [tool.course] of pyproject.toml; an empty one where there is none."""
    path = root / "pyproject.toml"
    if not path.is_file():
        return {}
    return tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("course", {})


def repository(root: Path = ROOT) -> str:
    """Return the course's https address; empty if unpublished.

    An example: https://github.com/ann/cxr-course.
    """
    return settings(root).get("repository", "")


def reference(root: Path = ROOT) -> str:
    """Return the release that links lead to; the main branch if none is named."""
    return settings(root).get("release", "") or BRANCH


def colab(path: Path | str, root: Path = ROOT) -> str:
    """Return a notebook's Colab address, by its path or name below the root; empty if unpublished.

    Of a lesson or a case study it is that of the student's copy, whichever copy is given.
    """
    if not repository(root):
        return ""
    name = relative(path, root) if isinstance(path, Path) else path
    name = re.sub(rf"^notebooks/(?!{STUDENT}/)", f"notebooks/{STUDENT}/", name)
    place = repository(root).removeprefix(f"https://{HOST}/")
    return f"https://colab.research.google.com/github/{place}/blob/{reference(root)}/{name}"


def badge(path: Path | str, root: Path = ROOT) -> str:
    """Return Markdown of the button that opens a notebook on Colab; empty if unpublished."""
    address = colab(path, root)
    return f"[![Open in Colab]({BADGE})]({address})" if address else ""


def archive(root: Path = ROOT) -> str:
    """Return the address of the course as a zip file for pip; empty if unpublished."""
    release = settings(root).get("release", "")
    kind = f"tags/{release}" if release else f"heads/{BRANCH}"
    return f"{repository(root)}/archive/refs/{kind}.zip" if repository(root) else ""


def site(root: Path = ROOT) -> str:
    """Return the address of the course's web site on GitHub Pages; empty if unpublished."""
    if not repository(root):
        return ""
    owner, name = repository(root).removeprefix(f"https://{HOST}/").split("/")
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"
