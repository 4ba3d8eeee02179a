"""The README as a front door, and the pages of docs/: short, generated if possible, links alive."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from benchmarks import coins
from cxr_helpers import phantom
from tools.build import front, results
from tools.common import ROOT, ToolError, pairs

LIMIT = 7_000  # bytes of the README: about four screens
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "data/README.md",
    "exercises/README.md",
]
PAGES += sorted(
    p.relative_to(ROOT).as_posix()
    for f in ("docs", "exercises/instructors")
    for p in (ROOT / f).glob("*.md")
)
PLACEHOLDER = re.compile(r"OWNER|REPOSITORY\b|\bYOUR[-_]\w|\bTODO\b|\bexample\.(com|org)\b")
LINK = re.compile(r"\]\(([^()\s]+)\)")


def prose(page: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE)


def anchors(page: str) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    heads = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def text(file: Path) -> str:
    """A page's Markdown; of a notebook that of its cells, which are pages of the site."""
    content = file.read_text(encoding="utf-8")
    if file.suffix != ".ipynb":
        return content
    cells = [cell for cell in json.loads(content)["cells"] if cell["cell_type"] == "markdown"]
    return "\n\n".join("".join(cell["source"]) for cell in cells)


def stamped(monkeypatch, address: str) -> None:
    """As if the repository's address were known."""
    name = address.removeprefix("https://github.com/")
    badge = f"https://colab.research.google.com/github/{name}/blob/main/"
    monkeypatch.setattr(front.links, "repository", lambda root=ROOT: address)
    monkeypatch.setattr(
        front.links, "colab", lambda path, root=ROOT: badge + path if address else ""
    )


# --- the README -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["", "https://github.com/a-department-of-informatics/chest-radiograph-course"]
)
def test_it_is_short_with_and_without_an_address(monkeypatch, address):
    stamped(monkeypatch, address)
    page = results.filled(README, results.readme(README))
    assert len(page.encode()) <= LIMIT
    assert ("git clone" + f" {address}" * bool(address)) in page
    assert not PLACEHOLDER.search(page)


def test_it_begins_with_what_it_is_what_it_is_not_and_a_picture():
    where = [
        README.index(text)
        for text in ("# ", "For education, never for diagnosis", "![", "Try it in Colab")
    ]
    where += [
        README.index(text)
        for text in ("**On your machine**", "**Teach with it**", "make lab  ", "| 01 |")
    ]
    where += [README.index(f"\n## {head}\n") for head in ("What a number is worth", "The package")]
    assert where == sorted(where)
    assert where[0] == 0


def test_the_picture_is_there_small_and_says_what_it_shows():
    alt, path = re.search(r"!\[([^\]]+)\]\(([^)]+)\)", README).groups()
    file = ROOT / path
    assert file.stat().st_size <= coins.LIMIT
    with Image.open(file) as image:
        assert image.width >= 1200, "sharp on a page of 948 pixels"
        assert image.text["Description"] == alt, (
            "drawn from other figures: python -m benchmarks.coins"
        )
    rows = pd.read_csv(coins.TABLE).to_dict("records")
    assert [row["split"] for row in rows] == ["images", "patients"]
    assert all(coins.figure_of(row) in alt for row in rows)
    caption = README[README.index("*Nothing to learn") : README.index("<!-- end of picture -->")]
    assert f"{rows[0]['n']} drawn images of {rows[0]['patients']} patients" in caption


def test_the_doors_and_the_clone_follow_the_address(monkeypatch):
    stamped(monkeypatch, "")
    assert "(docs/publishing.md)" in front.colab()
    assert "http" not in front.colab() + front.commands()
    stamped(monkeypatch, "https://github.com/ann/course")
    badge = "https://colab.research.google.com/github/ann/course/blob/main"
    assert f"({badge}/notebooks/01_data_import.ipynb)" in front.colab()
    assert "```\ngit clone https://github.com/ann/course\ncd course\nmake lab " in front.commands()


def test_the_table_of_lessons_is_that_of_the_sources():
    rows = re.findall(
        r"^\| (\d\d) \| \[([^\]]+)\]\(([^)]+)\) \| (\d+) \| ([^|]{15,75}) \|$", README, re.MULTILINE
    )
    lessons = [pair for pair in pairs() if pair.source.parent.name == "src"]
    assert len(rows) == len(lessons)
    for (number, title, path, time, _), pair in zip(rows, lessons, strict=True):
        text = pair.source.read_text(encoding="utf-8")
        assert f"# # {number} · {title}\n" in text
        assert f"**Time and hardware.** {time} minutes" in text
        assert ROOT / path == pair.notebook


def test_results_that_stand_side_by_side_can_be_compared():
    table = pd.read_csv(ROOT / "cxr_helpers" / "measured" / "shortcuts.csv")
    for name in front.SETS:
        rows = table[(table["set"] == name) & table["seen"].isin(front.SEEN)]
        assert len(rows) == len(front.SEEN)
        assert (rows[["n", "groups", "repeats", "command", "date"]].nunique() == 1).all()
    assert front.results().count("| ") > len(front.SEEN)


def test_the_lines_of_the_package_run_as_they_stand(tmp_path, monkeypatch, capsys):
    few = phantom.design("default", n=30)
    monkeypatch.setattr(phantom, "design", lambda *_: few)
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path))
    (code,) = re.findall(r"^```python\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
    assert len(code.splitlines()) <= 10
    exec(code, {})
    assert re.search(r"0\.\d+ \(.*n = 30", capsys.readouterr().out)


# --- every page -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    page = (ROOT / name).read_text(encoding="utf-8")
    for target in LINK.findall(prose(page)):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        assert file.exists(), f"{name}: {target}"
        if anchor:
            assert anchor in anchors(text(file)), f"{name}: no heading for {target}"


@pytest.mark.parametrize("name", [page for page in PAGES if page.startswith(("docs", "README"))])
def test_no_placeholder_and_alt_text_for_every_picture(name):
    page = (ROOT / name).read_text(encoding="utf-8")
    assert not PLACEHOLDER.search(page)
    assert all(len(alt) > 40 for alt in re.findall(r"!\[([^\]]*)\]", page))


def test_generated_parts_are_up_to_date(capsys):
    assert results.main(["--check"]) == 0, capsys.readouterr().err


def test_a_page_that_is_out_of_date_is_named_and_mended(tmp_path, monkeypatch, capsys):
    page = tmp_path / "page.md"
    page.write_text(
        "Before.\n\n<!-- generated: part -->\nold\n<!-- end of part -->\n\nAfter.\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(results, "PAGES", {"page.md": lambda page, root: {"part": "new"}})
    assert results.main(["--check"], tmp_path) == 1
    assert "page.md" in capsys.readouterr().err
    assert results.main([], tmp_path) == 0
    assert results.main(["--check"], tmp_path) == 0
    assert page.read_text(encoding="utf-8") == (
        "Before.\n\n<!-- generated: part -->\n\nnew\n\n<!-- end of part -->\n\nAfter.\n"
    )


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("no place", "there are part"),
        ("<!-- generated: part -->\n", "does not end"),
        ("<!-- generated: other -->\n<!-- end of other -->\n", "places for other"),
    ],
)
def test_a_part_without_its_place_is_refused(page, message):
    with pytest.raises(ToolError, match=message):
        results.filled(page, {"part": "new"})


# --- the picture's experiment ---------------------------------------------------------------------


def test_the_mean_has_the_interval_of_its_repeats():
    runs = pd.DataFrame({"images": [0.8, 0.9, 1.0], "patients": [0.4, 0.5, 0.6]})
    table = pd.DataFrame({"patient": ["a", "a", "b"]})
    rows = coins.summary(runs, table).set_index("split")
    # Student's t with 2 degrees of freedom is 4.303; the standard error 0.1 / sqrt(3)
    assert rows.loc["images", ["auc", "auc_low", "auc_high"]].tolist() == pytest.approx(
        [0.9, 0.6516, 1.1484], abs=1e-3
    )
    assert rows.loc["patients", ["repeats", "n", "patients"]].tolist() == [3, 3, 2]


@pytest.mark.slow
def test_its_phantoms_are_the_first_and_have_no_disease():
    design = phantom.design("patient_leak", n=320, seed=coins.SEED, per_patient=8)
    shown = coins.examples(design)
    assert len(shown) == coins.SHOWN
    assert {row["disease"] for row in shown} == {"normal"}
    assert [row["patient"] for row in shown[::2]] == [row["patient"] for row in shown[1::2]]


def test_coins_are_predicted_from_images_and_not_from_patients(tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path))
    _, table, images = coins.cohort(n=200)
    runs = coins.repeated(table, images, 4)
    assert runs["images"].mean() > 0.7
    assert runs["images"].mean() > runs["patients"].mean() + 0.15
