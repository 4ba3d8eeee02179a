"""Around the course: workflows, issue forms, citation, versions; offline linters find nothing."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from cxr_helpers.phantom import cohort
from tests.conftest import ROOT
from tools.rules import check

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = [
    path
    for path in sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    if path.stem != "config"
]
SCHEMAS = {
    "github-workflows": WORKFLOWS,
    "github-issue-forms": FORMS,
    "github-issue-config": [ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml"],
    "dependabot": [ROOT / ".github" / "dependabot.yml"],
    "citation-file-format": [ROOT / "CITATION.cff"],
}
COMMAND = re.compile(r"python -m ((?:tools|benchmarks|tests)(?:\.\w+)+)")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def linter(name: str) -> str:
    """The path of a linter of this environment."""
    path = shutil.which(name, path=os.fspath(Path(sys.executable).parent))
    return path or pytest.skip(f"{name} is not in this environment: make setup")


def run(*command) -> subprocess.CompletedProcess:
    command = [*map(str, command)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_fit_the_schemas_of_those_who_read_them(schema, tmp_path):
    from check_jsonschema.cli import main  # as the command does, which imports for seconds
    from click.testing import CliRunner

    def check(*files: Path):
        command = ["--builtin-schema", f"vendor.{schema}", *map(str, files)]
        return CliRunner().invoke(main, command)

    assert SCHEMAS[schema]
    found = check(*SCHEMAS[schema])
    assert found.exit_code == 0, found.output
    planted = tmp_path / "planted.yml"
    planted.write_text(
        SCHEMAS[schema][0].read_text(encoding="utf-8") + "\nno-such-key: 1\nversion: {}\n", "utf-8"
    )
    assert check(planted).exit_code == 1


def test_workflows_have_no_weakness_that_zizmor_knows(tmp_path):
    command = [linter("zizmor"), "--offline", "--no-progress", "--no-config"]
    command += ["--persona", "pedantic"]
    found = run(*command, ROOT / ".github")
    assert found.returncode == 0, found.stdout
    planted = tmp_path / ".github" / "workflows" / "planted.yml"
    planted.parent.mkdir(parents=True)
    text = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    planted.write_text(re.sub(r"checkout@\w{40}", "checkout@v4", text), encoding="utf-8")
    assert "unpinned-uses" in run(*command, planted).stdout


def test_an_action_has_one_commit_everywhere():
    used = {}
    for path in WORKFLOWS:
        for line in re.findall(r"uses: (.+)", path.read_text(encoding="utf-8")):
            action, commit = re.fullmatch(r"([\w/-]+)@([0-9a-f]{40} # v[\d.]+)", line).groups()
            assert used.setdefault(action, commit) == commit, path.name
    assert len(used) >= 7


def test_what_workflows_run_is_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    asked = {"setup"}
    for path in WORKFLOWS:
        text = path.read_text(encoding="utf-8")
        found = re.findall(r"\bmake ([a-z-]+)$|- target: ([a-z-]+)$", text, re.MULTILINE)
        asked |= {run or listed for run, listed in found}
    assert {"stamp", "test-newest", "test-lowest"} <= asked
    assert asked <= targets


def test_each_module_that_a_page_or_a_workflow_runs_is_there():
    pages = [*WORKFLOWS, *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "Makefile"]
    pages += [*ROOT.glob("exercises/**/*.md"), ROOT / "data" / "README.md"]
    found = 0
    for page in pages:
        for name in re.findall(COMMAND, page.read_text(encoding="utf-8")):
            place = ROOT / name.replace(".", "/")
            there = place.with_suffix(".py").is_file() or (place / "__main__.py").is_file()
            assert there, f"{page.relative_to(ROOT)}: python -m {name}"
            found += 1
    assert found > 30


def test_hooks_before_a_commit_are_checks_of_make_check():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][
        0
    ]["hooks"]
    for hook in hooks:
        assert hook["name"] in check.CHECKS
        assert hook["entry"] == f".venv/bin/python -m {hook['name']}"


@pytest.mark.slow
def test_the_package_uses_nothing_that_windows_lacks(tmp_path):
    command = [sys.executable, "-m", "mypy", "--platform", "win32"]
    found = run(*command, "--cache-dir", tmp_path, "--config-file", ROOT / "pyproject.toml")
    assert found.returncode == 0, found.stdout


def test_the_form_for_a_class_asks_for_what_the_list_of_courses_shows():
    form = yaml.safe_load((FORMS[0].parent / "taught.yml").read_text(encoding="utf-8"))
    asked = [item["id"] for item in form["body"] if "id" in item]
    assert {"class", "minutes", "confused", "asked", "broke"} <= set(asked)
    page = (ROOT / "exercises/instructors/courses.md").read_text(encoding="utf-8")
    assert f"*{form['name']}*" in page
    rows = [line for line in page.splitlines() if line.startswith("|")][2:]
    assert ("No class has been reported yet" in page) == (not rows)


def test_nothing_that_git_should_ignore_is_committed():
    if not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    command = ["git", "-C", ROOT, "ls-files", "--cached", "--ignored", "--exclude-standard"]
    assert run(*command).stdout == ""


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]
    heads = re.findall(
        r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    released = [head.split()[0] for head in heads if head != "Unreleased"]
    assert released[0] == PROJECT["version"]


def test_each_licence_is_there_in_full():
    code, text, phantoms = (
        (ROOT / name).read_text(encoding="utf-8") for name in PROJECT["license-files"]
    )
    assert PROJECT["license"] == "MIT AND CC-BY-4.0 AND CC0-1.0"
    assert "Permission is hereby granted, free of charge" in code
    assert 'THE SOFTWARE IS PROVIDED "AS IS"' in code
    for section in range(1, 9):
        assert re.search(rf"^Section {section} – ", text, re.MULTILINE), section
    for section in ("1. Copyright and Related", "2. Waiver", "3. Public License", "4. Limitations"):
        assert re.search(rf"^{section}", phantoms, re.MULTILINE), section
    assert cohort.LICENCE == "CC0-1.0"


def test_images_hold_a_python_that_the_course_supports():
    versions = {c.rsplit(" ", 1)[1] for c in PROJECT["classifiers"] if "Python :: 3." in c}
    container = json.loads(
        (ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
    )
    for image in (
        container["image"],
        re.search(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text("utf-8"), re.M)[1],
    ):
        assert re.search(r"python:(3\.\d+)-", image)[1] in versions
