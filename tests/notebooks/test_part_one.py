"""Running a source up to a heading: which cells, with which names kept, and what is refused."""

import pytest

from tools.build import part_one
from tools.common import ToolError

SOURCE = """# %% [markdown]
# # Case X

# %%
SIDE = 40

# %% tags=["author", "verdict"]
raise ValueError("a note to authors")

# %%
area = SIDE * SIDE
SIDE = SIDE + 1

# %%
after = SIDE

# %% [markdown]
# ## Part two · The review

# %%
raise ValueError("Part two")
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "x.py"
    path.write_text(SOURCE, "utf-8")
    return path


def test_cells_run_up_to_the_heading_without_those_of_authors(source):
    left = part_one.run(source)
    assert (left["area"], left["after"], left["__name__"]) == (1600, 41, "__main__")


def test_an_override_holds_whatever_a_cell_assigns(source):
    left = part_one.run(source, overrides={"SIDE": 7})
    assert (left["area"], left["after"]) == (49, 7)


@pytest.mark.parametrize(
    ("until", "overrides", "told"),
    [
        ("Part three", {}, "no heading that begins with 'Part three'"),
        ("Part two", {"SIZE": 1}, "assigns no SIZE"),
    ],
)
def test_what_cannot_be_meant_is_refused(source, until, overrides, told):
    text = source.read_text("utf-8").replace('raise ValueError("Part two")', "")
    source.write_text(text, "utf-8")
    with pytest.raises(ToolError, match=told):
        part_one.run(source, until, overrides)
