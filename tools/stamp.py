"""Write the repository's name into the addresses of the course: `python -m tools.stamp ann/cxr-course`.

The current name is `repository` under [tool.course] in pyproject.toml, OWNER/REPOSITORY before the first stamp.
Only addresses change (github.com/..., Colab, Binder); a name that stands in running text does not.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

from tools.common import ROOT, ToolError, relative, write_atomic

PLACEHOLDER = "OWNER/REPOSITORY"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]*[A-Za-z0-9_-]")
HOSTS = r"(github\.com[/:]|colab\.research\.google\.com/github/|raw\.githubusercontent\.com/|mybinder\.org/v2/gh/)"
FILES = (
    "README.md",
    "CITATION.cff",
    "pyproject.toml",
    "environment.yml",
    "notebooks/src/**/*.py",
    "exercises/src/**/*.py",
    "exercises/README.md",
    "site/**/*.md",
    "site/*.py",
    "tools/lesson_template.py",
)


def current(root: Path = ROOT) -> str:
    """Return the name that the sources bear now."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text).get("tool", {}).get("course", {}).get("repository", PLACEHOLDER)


def remember(text: str, name: str) -> str:
    """Return the text of pyproject.toml with the name in it."""
    line = f'repository = "{name}"'
    section = re.search(r"^\[tool\.course\]\n((?:(?!\[).*\n?)*)", text, re.MULTILINE)
    if section is None:
        return f"{text.rstrip()}\n\n[tool.course]\n{line}  # set by `make stamp`\n"
    body = section[1]
    if re.search(r"^repository\s*=", body, re.MULTILINE):
        body = re.sub(r'^repository\s*=\s*"[^"]*"', line, body, flags=re.MULTILINE)
    else:
        body = f"{line}\n{body}"
    return text[: section.start(1)] + body + text[section.end(1) :]


def stamp(name: str, root: Path = ROOT) -> list[Path]:
    """Replace the current name by another in every address; return the files that changed."""
    if not NAME.fullmatch(name) or name.endswith(".git"):
        raise ToolError(f"{name!r} is no repository name: write OWNER/REPOSITORY, as in ann/cxr-course")
    # Not followed by what would make it a longer name; ".git" and the full stop of a sentence are no part of it.
    old = re.compile(HOSTS + re.escape(current(root)) + r"(?![\w-]|\.(?!git\b)\w)", re.IGNORECASE)
    changed = []
    for path in sorted({path for pattern in FILES for path in root.glob(pattern) if path.is_file()}):
        before = path.read_text(encoding="utf-8")
        after = old.sub(lambda match: match[1] + name, before)
        if path == root / "pyproject.toml":
            after = remember(after, name)
        if after != before:
            write_atomic(path, after)
            changed.append(path)
    return changed


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Stamp; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.stamp", description=__doc__.splitlines()[0])
    parser.add_argument("name", help="OWNER/REPOSITORY")
    options = parser.parse_args(arguments)
    try:
        changed = stamp(options.name, root)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2
    print(*(relative(path, root) for path in changed), sep="\n", end="\n" if changed else "")
    print(f"{len(changed)} files name {options.name} now; next: make notebooks" if changed else "nothing to change")
    return 0


if __name__ == "__main__":
    sys.exit(main())
