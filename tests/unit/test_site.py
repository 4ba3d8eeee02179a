"""The web site's own code: links among its pages, what is shown, the page of error messages."""

import ast
import re
from functools import cache
from types import SimpleNamespace

import pytest

from cxr_helpers import evaluate, phantom, split
from tests.conftest import ROOT
from tools.build import functions, site
from tools.common import ToolError, notebooks, read_notebook, tags

LESSON, EXERCISE = "notebooks/04_splitting.ipynb", "exercises/04_splitting_exercise.ipynb"
MESSAGES = re.findall(
    r"^### `(.+)`$", (ROOT / "docs" / "faq.md").read_text(encoding="utf-8"), re.MULTILINE
)
VARIES = re.compile(r"…(?:[ .,/]?…)*")


@pytest.fixture
def unpublished(monkeypatch):
    monkeypatch.setattr(site.links, "repository", lambda root=ROOT: "")


@pytest.fixture
def published(monkeypatch):
    monkeypatch.setattr(site.links, "repository", lambda root=ROOT: "https://github.com/ann/course")
    monkeypatch.setattr(site.links, "reference", lambda root=ROOT: "main")


# --- links ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "before", "after"),
    [
        (LESSON, "[on](05_first_network.ipynb)", "[on](05_first_network.ipynb)"),
        (LESSON, "[Exercise 04](../exercises/04_splitting_exercise.ipynb)", None),
        (LESSON, "[out](https://example.org/a.md)", None),
        (LESSON, "[here](#step-1)", None),
        (LESSON, "[r](../docs/results.md#without-a-lung)", None),
        (LESSON, "[x](student/04_splitting.ipynb)", "{download}`x <student/04_splitting.ipynb>`"),
        (
            EXERCISE,
            "[x](../notebooks/student/04_splitting.ipynb)",
            "[x](../notebooks/04_splitting.ipynb)",
        ),
        (EXERCISE, "[x](../notebooks/student/index.md)", "[x](../notebooks/index.md)"),
        (
            "docs/features.md",
            "[`cases`](../notebooks/cases)",
            "[`cases`](../notebooks/cases/index.md)",
        ),
        (
            "docs/publishing.md",
            "[l](../README.md#licence-and-citation)",
            "[l](../index.md#licence-and-citation)",
        ),
        ("index.md", "[`MIT`](LICENSE)", "{download}`MIT <LICENSE>`"),
        ("docs/results.md", "[`measured/`](../cxr_helpers/measured), and", "`measured/`, and"),
        ("docs/results.md", "```\n[x](nowhere.md)\n```\n`[x](nowhere.md)`", None),
        (LESSON, "in `data/README.md`", "in [`data/README.md`](../data/README.md)"),
        ("docs/results.md", "`docs/results.md`, `docs/gone.md`, `README.md`", None),
    ],
)
def test_a_link_leads_to_what_the_site_has(unpublished, page, before, after):
    assert site.relinked(before, page) == (before if after is None else after)


def test_what_is_no_page_lies_where_the_course_is_published(published):
    text = site.relinked("[a](../benchmarks) [b](../Makefile)", "docs/results.md")
    tree, blob = (
        "https://github.com/ann/course/tree/main/benchmarks",
        "https://github.com/ann/course/blob/main/Makefile",
    )
    assert text == f"[a]({tree}) [b]({blob})"


def test_no_badge_is_fetched_from_another_host(published):
    badge = site.links.badge(ROOT / LESSON)
    assert site.relinked(badge, LESSON) == f"[Open in Colab]({site.links.colab(ROOT / LESSON)})"


def test_a_dead_link_is_named_with_its_page():
    with pytest.raises(
        ToolError, match=r"docs/results\.md links to gone\.md, which does not exist"
    ):
        site.relinked("[x](gone.md)", "docs/results.md")


def test_a_picture_stays_a_picture():
    picture = "![What it shows](figures/coins.png)"
    assert site.relinked(picture, "docs/results.md") == picture


def test_a_docstring_leads_to_its_lesson_and_to_no_other():
    assert (
        site.lessons_linked("Introduced in lesson 04.")
        == "Introduced in :doc:`lesson 04 </notebooks/04_splitting>`."
    )
    assert site.lessons_linked("lesson 99, lessons 04") == "lesson 99, lessons 04"


def test_the_identifier_of_a_source_becomes_a_link_and_the_full_stop_does_not():
    page = site.set_in_lines("<p>Radiology 143(1), doi\n10.1148/radiology.143.1.7063747.</p>")
    address = "https://doi.org/10.1148/radiology.143.1.7063747"
    assert f'href="{address}">10.1148/radiology.143.1.7063747</a>.</p>' in page
    assert site.set_in_lines(page) == page, "a link stays as it is"


# --- what is shown --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0.52 (0.49-0.55)", '0.52 <span class="nb">(0.49-0.55)</span>'),
        ("<td>317 of 1,125-1,200.</td>", '<td>317 of <span class="nb">1,125-1,200</span>.</td>'),
        ("on 2026-11-29", 'on <span class="nb">2026-11-29</span>'),
        ("COVID-19, s42256-021-00307, 3-fold, v1-2", None),
        ('<img alt="0.1-0.2" src="data:,1-2"><pre>0.1-0.2</pre><code>1-2</code>', None),
    ],
)
def test_a_range_is_never_broken(before, after):
    assert site.set_in_lines(before) == (before if after is None else after)


def test_long_words_of_code_may_break_and_short_ones_stay_whole():
    short, long = (f'<code><span class="pre">{n * "x"}</span></code>' for n in (24, 25))
    assert site.set_in_lines(short) == short
    assert 'class="pre long"' in site.set_in_lines(long)


def test_the_glossary_is_a_list_of_terms_with_all_their_names():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    page = site.glossary(text)
    assert page.count("\n  [Lesson ") == text.count("\n| **") > 50
    assert "\nPPV\npositive predictive value\nprecision\n  The share of those called" in page
    assert page.startswith("# Glossary\n")
    assert page.endswith(text[text.index("## Sources") :])
    assert "| **" not in page


def test_a_row_that_is_no_term_is_named():
    with pytest.raises(ToolError, match=r"docs/glossary\.md: '\| fold \|"):
        site.glossary("# G\n\n| term | what |\n|---|---|\n| fold | A part. |\n\n## Sources\n")


def test_only_pages_without_others_below_stand_alone():
    names = site.alone()
    assert {"index", "search", "docs/glossary", "docs/faq", "data/README"} <= set(names)
    assert not {f"{name}.md" for name in names} & {*site.BELOW, site.LESSONS, site.REFERENCE}


@pytest.mark.parametrize(
    "head", ["<th></th>", "<th> </th>", "<th><p></p></th>", '<th class="head"><p> </p>\n</th>']
)
def test_a_heading_without_words_becomes_a_plain_cell(head):
    plain = site.without_empty_heads(f"<tr>{head}<th>n</th></tr>")
    assert re.fullmatch(r"<tr><td[^>]*></td><th>n</th></tr>", plain)
    assert plain.count("class") == head.count("class")


def test_large_brackets_grow():
    assert site.stretched(r"\exp\Big(-x\Big) \big[y\bigr]") == r"\exp\left(-x\right) \left[y\right]"
    assert site.stretched(r"\bigcup (a)") == r"\bigcup (a)"


def test_only_the_set_up_is_folded_and_outputs_stay():
    before, after = read_notebook(ROOT / LESSON), site.copied(ROOT / LESSON)
    folded = [cell for cell in after.cells if "hide-input" in tags(cell)]
    assert [tags(cell)[0] for cell in folded] == ["setup", "imports"]
    assert [cell.metadata["mystnb"]["code_prompt_show"] for cell in folded] == [
        "Show the check for the package",
        "Show the imports",
    ]
    code = [[cell for cell in n.cells if cell.cell_type == "code"] for n in (before, after)]
    assert [(c.source, c.outputs) for c in code[0]] == [(c.source, c.outputs) for c in code[1]]


def test_every_notebook_has_its_line_of_links_twice():
    for path in [*notebooks(), *site.exercises()]:
        text = "\n".join(cell.source for cell in site.copied(path).cells)
        assert len(re.findall(r"^\{\.way\}\n\[", text, re.MULTILINE)) == 2, path


def test_an_exercise_is_the_students_and_offers_its_notebook():
    for path in site.exercises():
        notebook = site.copied(path)
        assert f"{{download}}`download the notebook <{path.name}>`" in notebook.cells[0].source
        answers = [
            cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")
        ]
        assert answers
        assert not [
            cell for cell in notebook.cells if "SOLUTION" in cell.source or cell.get("outputs")
        ]


def test_the_lists_lead_to_every_notebook_and_back():
    pages = site.sections()
    for path in notebooks():
        page = site.CASES if path.parent.name == "cases" else site.LESSONS
        assert f"]({path.name})" in pages[page]
        assert f"/{path.name}>`" in pages[page], "and to the copy to work in"
    for path in site.exercises():
        lesson = path.name.replace("_exercise", "")
        assert f"]({path.name})" in pages[site.EXERCISES]
        assert f"](../notebooks/{lesson})" in pages[site.EXERCISES]
        assert f"](../exercises/{path.name})" in pages[site.LESSONS]


def test_cards_lead_to_colab_once_the_course_is_published(published):
    pages = site.sections()
    for path in notebooks():
        page = site.CASES if path.parent.name == "cases" else site.LESSONS
        assert f"[Colab]({site.links.colab(path)})" in pages[page]


def test_every_page_stands_in_one_table_of_contents(tmp_path):
    made = set(site.stage(tmp_path))
    listed = []
    for page in made:
        text = (tmp_path / page).read_text(encoding="utf-8")
        for block in re.findall(
            r"^```\{toctree\}\n:hidden:\n\n(.*?)^```", text, re.DOTALL | re.MULTILINE
        ):
            for line in block.splitlines():
                name = re.sub(r"^.*<(.*)>$", r"\1", line)
                found = [
                    p
                    for s in (".md", ".ipynb", ".rst")
                    if (p := (tmp_path / page).parent / f"{name}{s}").exists()
                ]
                assert len(found) == 1, f"{page}: {line}"
                listed.append(found[0].resolve().relative_to(tmp_path.resolve()).as_posix())
    assert sorted([*listed, "index.md"]) == sorted(made)
    assert made >= site.pages()
    assert not [name for name in made if "/src/" in name or "/student/" in name]


def test_a_part_that_the_readme_lacks_is_named(tmp_path):
    (tmp_path / "docs" / "site").mkdir(parents=True)
    (tmp_path / "docs" / "site" / "index.md").write_text(
        "<!-- README: gone -->\n", encoding="utf-8"
    )
    (tmp_path / "README.md").write_text("# x\n", encoding="utf-8")
    with pytest.raises(ToolError, match=r"asks for the part gone"):
        site.front(tmp_path)


@pytest.mark.parametrize(
    ("code", "leave_out", "exit_code", "said"),
    [
        (0, "", 0, "2 pages: open "),
        (1, "", 1, "could not be built"),
        (0, "04_splitting.html", 1, "Sphinx left out notebooks/04_splitting.ipynb"),
    ],
)
def test_what_sphinx_fails_at_or_leaves_out_is_said(
    monkeypatch, tmp_path, capsys, code, leave_out, exit_code, said
):
    pages = ["index.md", LESSON]

    def sphinx(*_, **__):
        for page in pages:
            target = (tmp_path / page).with_suffix(".html")
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.name != leave_out:
                target.touch()
        return SimpleNamespace(returncode=code)

    monkeypatch.setattr(site, "stage", lambda *_: pages)
    monkeypatch.setattr(site, "OUTPUT", str(tmp_path))
    monkeypatch.setattr(site.subprocess, "run", sphinx)
    assert site.main([]) == exit_code
    assert said in "".join(capsys.readouterr())


# --- the reference --------------------------------------------------------------------------------


def test_a_module_shows_its_public_names_and_no_other():
    assert functions.public(split) == ["LeakError", "folds", "holdout", "assert_disjoint"]
    assert functions.public(evaluate) == evaluate.__all__
    page = site.module_page("split")
    assert ".. autoexception:: cxr_helpers.split.LeakError" in page
    assert ".. autofunction:: cxr_helpers.split.holdout" in page
    assert "_assign" not in page


def test_a_named_tuple_says_nothing_of_its_fields_by_number():
    assert "   :exclude-members: given, right, note\n" in site.module_page("checks")


def test_an_indented_paragraph_of_a_module_is_code_and_nothing_else():
    example = ["What it is.", "", "    a = b(1)  # x", "", "    c = 2", "", "More."]
    made = site.as_code(example)
    assert made == [*example[:2], ".. code-block:: python", "", *example[2:]]
    written = ["What it is::", "", "    a = 1"]
    assert site.as_code(written) == written


def test_values_to_choose_from_keep_their_quotes():
    line = ':view : {"PA", "AP"} or "PA"'
    assert site.values_kept(line) == ':view : ``{"PA", "AP"}`` or "PA"'
    assert site.values_kept(site.values_kept(line)) == site.values_kept(line)


def test_constants_are_shown_with_their_value_and_their_comment(tmp_path):
    page = site.module_page("phantom")
    assert f".. py:data:: RENDERER_VERSION\n   :value: {phantom.RENDERER_VERSION!r}" in page
    file = tmp_path / "some.py"
    file.write_text(
        "# What is above,\n# in two lines.\nA = 1\nB: int = 2  # what stands behind\nC = 3\n",
        encoding="utf-8",
    )
    module = type(split)("some")
    module.__file__ = str(file)
    assert [site.said(name, module) for name in "ABC"] == [
        "What is above, in two lines.",
        "what stands behind",
        "",
    ]


# --- the page of error messages -------------------------------------------------------------------


@cache
def templates() -> tuple[str, ...]:
    """Every text in the code that a reader runs, with "…" for what is filled in; no docstring."""
    found = []
    package = [
        path for path in ROOT.glob("cxr_helpers/**/*.py") if not path.name.startswith("lesson")
    ]
    for path in [
        *package,
        *(ROOT / "tools" / f"{name}.py" for name in ("setup", "lab", "build/frame")),
    ]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                text = "".join(
                    part.value if isinstance(part, ast.Constant) else "…" for part in node.values
                )
            elif (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in said
            ):
                text = node.value
            else:
                continue
            found.append(VARIES.sub("…", re.sub(r"\{\w+\}", "…", text)))
    return tuple(found)


def known(message: str) -> bool:
    """Whether a message, with "…" for what differs, stands in the code."""
    return any(message.strip("… ") in text for text in templates())


def test_a_message_that_nothing_raises_is_seen():
    assert not known(
        "the table has images without a groop; call duplicates.add_groups(table) first"
    )
    assert not known("holds no images: … and …")


@pytest.mark.parametrize("message", MESSAGES)
def test_a_quoted_message_is_one_of_the_code(message):
    assert len(message.strip("… ")) > 12, "too short to be found by it"
    assert known(message), f"docs/faq.md quotes what the code no longer says: {message}"


def test_each_entry_says_why_and_what_to_do():
    page = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")
    entries = re.split(r"^### ", page, flags=re.MULTILINE)[1:]
    assert len(entries) == len(MESSAGES) == len(set(MESSAGES))
    assert len(entries) > 40
    for entry in entries:
        assert len(re.findall(r"^\*\*(Why|Do)\.\*\* \S", entry, re.MULTILINE)) == 2, entry


@pytest.mark.parametrize(
    ("raises", "quoted"),
    [
        (
            lambda table: split.folds(table.drop(columns="group")),
            "the table has images without a group",
        ),
        (lambda table: split.assert_disjoint(table), "nothing is split yet"),
        (lambda table: split.folds(table, k=90), "group(s) of images, too few for"),
    ],
)
def test_some_of_them_raised(raises, quoted):
    import pandas as pd

    table = pd.DataFrame({"group": list("abcd"), "label": ["covid", "normal"] * 2, "split": None})
    with pytest.raises(ValueError, match=re.escape(quoted)):
        raises(table)
    assert any(quoted in message for message in MESSAGES)
