"""Write the repository's address into the course.

The command is `python -m tools.stamp [ADDRESS] [--release TAG]`.

Without ADDRESS it is that of the remote `origin`. It is kept once, as `repository` under
[tool.course] in pyproject.toml, and in CITATION.cff; badges, links and set-up cells are made from
it when notebooks and pages are built.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from tools.build import links
from tools.common import ROOT, ToolError, write_atomic

TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def origin(root: Path = ROOT) -> str:
    """Return the address of the remote `origin`; raise ToolError in words where there is none."""
    try:
        asked = subprocess.run(
            ["git", "remote", "get-url", "origin"], cwd=root, capture_output=True, text=True
        )
    except FileNotFoundError as error:
        raise ToolError(
            "git is not installed: name the address, as in `make stamp REPO=https://...`"
        ) from error
    if asked.returncode:
        raise ToolError(
            "this folder has no git remote `origin`: publish it first, or name its address "
            "(REPO=...)"
        )
    return asked.stdout.strip()


def remember(text: str, values: dict[str, str]) -> str:
    """Return pyproject.toml's text with these values under [tool.course], otherwise unchanged."""
    section = re.search(r"^\[tool\.course\]\n((?:(?!\[).*\n?)*)", text, re.MULTILINE)
    if section is None:
        lines = "".join(f'{key} = "{value}"\n' for key, value in values.items())
        return f"{text.rstrip()}\n\n[tool.course]\n{lines}"
    body = section[1]
    for key, value in values.items():
        line = f'{key} = "{value}"'
        if re.search(rf"^{key}\s*=", body, re.MULTILINE):
            body = re.sub(
                rf'^{key}\s*=\s*"[^"]*"', lambda _, line=line: line, body, flags=re.MULTILINE
            )
        else:
            body = f"{line}\n{body}"
    return text[: section.start(1)] + body + text[section.end(1) :]


def cite(text: str, address: str) -> str:
    """Return the text of CITATION.cff with the address in it."""
    text = re.sub(r"^repository-code:.*\n", "", text, flags=re.MULTILINE)
    return f'{text.rstrip()}\nrepository-code: "{address}"\n'


def stamp(address: str, release: str = "", root: Path = ROOT) -> list[Path]:
    """Write the address, and the release that links lead to; return the files changed."""
    if release and not TAG.fullmatch(release):
        raise ToolError(f"{release!r} is no name of a release: write its tag, such as v1.0")
    address = links.canonical(address)
    changes = {
        root / "pyproject.toml": lambda text: remember(
            text, {"repository": address, "release": release}
        ),
        root / "CITATION.cff": lambda text: cite(text, address),
    }
    changed = []
    for path, change in changes.items():
        if not path.is_file():
            continue
        before = path.read_text(encoding="utf-8")
        after = change(before)
        if after != before:
            write_atomic(path, after)
            changed.append(path)
    return changed


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Stamp; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.stamp", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "address", nargs="?", default="", help="https or ssh address; default: that of origin"
    )
    parser.add_argument(
        "--release", default="", help="tag that links lead to; default: the branch main"
    )
    options = parser.parse_args(arguments)
    try:
        changed = stamp(options.address or origin(root), options.release, root)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2
    for path in changed:
        print(f"{path.name}: {links.repository(root)}, links lead to {links.reference(root)}")
    if not changed:
        print(f"nothing to change: the address is {links.repository(root)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
