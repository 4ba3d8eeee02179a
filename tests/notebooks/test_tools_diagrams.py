"""Diagrams: drawn whole and alike, in the notebooks with a true alt text; faults are noticed."""

import re
import shutil
from base64 import b64decode
from io import BytesIO

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cxr_helpers.plots.look import GREY
from tools import common
from tools.build import diagrams
from tools.build.diagrams import __main__ as command
from tools.build.diagrams import canvas
from tools.rules import lint_content

DRAWINGS = diagrams.drawings()
SOURCES = [pair.source for pair in common.pairs()]
NUMBER = re.compile(r"(?<![\w.])\d{1,3}(?:,\d{3})*(?:\.\d+)?(?![\w])")
DATA = re.compile(r"!\[([^\]]*)\]\(data:image/png;base64,([^)]+)\)")


@pytest.fixture(scope="module")
def alts() -> dict[str, str]:
    return {name: alt for source in SOURCES for name, alt in diagrams.shown(source).items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWINGS)
def test_all_words_of_a_diagram_can_be_read(name):
    assert DRAWINGS[name]().misfits() == []


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWINGS)
def test_each_number_of_an_alt_text_stands_in_the_diagram(name, alts):
    words = " ".join(drawn.get_text() for drawn in DRAWINGS[name]().axes.texts)
    there = set(NUMBER.findall(re.sub(r"[−+×]", " ", words)))
    claimed = set(NUMBER.findall(re.sub(r"(?<=\d)×(?=\d)|[−+-](?=\d)", " ", alts[name])))
    assert claimed <= there, f"{sorted(claimed - there)} stand only in the alt text"


def test_words_that_are_cut_off_small_or_over_one_another_are_noticed():
    sheet = canvas.Sheet("A title")
    sheet.text(600, 100, "far too long for this place")
    sheet.text(300, 200, "below")
    sheet.text(304, 202, "above")
    sheet.text(100, 300, "tiny", size=8)
    said = " ".join(sheet.misfits())
    assert "place' is cut off" in said
    assert "'above' overlaps 'below'" in said
    assert "'tiny' has 8 points" in said


def test_the_same_diagram_is_the_same_file_and_small():
    first, second = (DRAWINGS["d02_two_ways"]().png({diagrams.NOTE: "x"}) for _ in range(2))
    assert first == second
    assert len(first) < diagrams.MAX_BYTES
    image = Image.open(BytesIO(first))
    assert image.width == canvas.WIDTH
    assert image.convert("RGB").getpixel((image.width - 1, image.height - 1)) == (255, 255, 255)


@pytest.mark.parametrize("colour", [canvas.ORANGE, canvas.BLUE, canvas.SLATE, GREY])
def test_words_in_colour_stand_out_from_white(colour):
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    assert 1.05 / (luminance + 0.05) >= 4.5


@pytest.mark.parametrize("student", [False, True])
@pytest.mark.parametrize("pair", common.pairs(), ids=lambda pair: pair.source.stem)
def test_both_copies_hold_the_pictures_of_their_source(pair, student):
    path = common.students_copy(pair.notebook) if student else pair.notebook
    prose = [
        cell.source for cell in common.read_notebook(path).cells if cell.cell_type == "markdown"
    ]
    found = [(alt, b64decode(data)) for text in prose for alt, data in DATA.findall(text)]
    wanted = diagrams.shown(pair.source)
    assert wanted
    assert found == [(alt, diagrams.picture(name).read_bytes()) for name, alt in wanted.items()]


def test_an_exported_page_shows_the_picture_with_its_alt_text():
    import nbformat
    from nbconvert import HTMLExporter

    pair = common.pairs()[3]
    cells = [cell for cell in common.read_notebook(pair.notebook).cells if DATA.search(cell.source)]
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    (tag,) = re.findall(r"<img[^>]+>", page)
    ((name, alt),) = diagrams.shown(pair.source).items()
    assert f'src="{diagrams.address(diagrams.picture(name))}"' in tag
    assert f'alt="{alt}"' in tag


def test_alt_text_over_several_lines_becomes_one_and_other_images_stay():
    text = (
        "![One\nsentence.](../docs/diagrams/d04_cut.png) and ![other](../data/figures/phantoms.png)"
    )
    shown = diagrams.embedded(text)
    assert shown.startswith("![One sentence.](data:image/png;base64,")
    assert shown.endswith("and ![other](../data/figures/phantoms.png)")
    with pytest.raises(common.ToolError, match=r"d99_none\.png is missing: draw it"):
        diagrams.embedded("![x](../docs/diagrams/d99_none.png)")


# --- the check ------------------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path):
    """The sources and pictures of the course, to break."""
    for folder in ("notebooks/src", diagrams.FOLDER):
        shutil.copytree(common.ROOT / folder, tmp_path / folder)
    return tmp_path


def rewritten(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_course_has_no_fault(course, capsys):
    assert diagrams.faults(course) == []
    assert command.main(["--check"]) == 0
    assert f"{len(DRAWINGS)} diagrams" in capsys.readouterr().out


def test_a_lesson_without_a_diagram_is_noticed(course):
    source = course / "notebooks" / "src" / "04_splitting.py"
    rewritten(source, "docs/diagrams/d04_cut.png", "docs/elsewhere/d04_cut.png")
    said = "\n".join(diagrams.faults(course))
    assert "04_splitting.py shows no diagram" in said
    assert "d04_cut in tools/build/diagrams is shown in no source" in said


def test_a_poor_alt_text_is_noticed(course):
    source = course / "notebooks" / "src" / "cases" / "a_grey_scale.py"
    text = re.sub(r"!\[Two radiographs[^\]]+\]", "![A clerk.]", source.read_text("utf-8"))
    source.write_text(text, encoding="utf-8")
    (fault,) = diagrams.faults(course)
    assert "say in the alt text of case_a_clerk" in fault


def test_a_drawing_that_changed_is_noticed_and_another_matplotlib_is_not(course, monkeypatch):
    path = diagrams.picture("d04_cut", course)
    with Image.open(path) as image:
        note, pixels = image.text[diagrams.NOTE], image.convert("L")
    assert note == diagrams.digest(DRAWINGS["d04_cut"])
    info = PngInfo()
    info.add_text(diagrams.NOTE, note)
    pixels.save(path, pnginfo=info)  # other pixels from the same source
    assert diagrams.faults(course) == []
    pixels.save(path)
    (fault,) = diagrams.faults(course)
    assert "d04_cut.png is not drawn from the present source" in fault
    before = diagrams.digest(DRAWINGS["d04_cut"])
    monkeypatch.setattr(canvas, "LOOK", "another palette")
    assert diagrams.digest(DRAWINGS["d04_cut"]) != before


def test_a_large_an_unknown_and_a_missing_picture_are_noticed(course, monkeypatch):
    monkeypatch.setattr(diagrams, "MAX_BYTES", 14_000)
    shutil.copy(diagrams.picture("d04_cut", course), diagrams.picture("d04_other", course))
    diagrams.picture("d05_neuron", course).unlink()
    said = "\n".join(diagrams.faults(course))
    assert "d04_cut.png has" in said
    assert "d04_other.png is drawn by nothing: delete it" in said
    assert "d05_neuron.png is not drawn from the present source" in said


def test_only_the_courses_own_diagrams_may_be_embedded():
    path = common.pairs()[3].notebook
    notebook = common.read_notebook(path)
    assert not list(lint_content.phantoms_only(notebook, path))
    cell = next(cell for cell in notebook.cells if DATA.search(cell.source))
    cell.source = cell.source.replace("base64,iVBOR", "base64,iVBOX")
    (finding,) = lint_content.phantoms_only(notebook, path)
    assert "in place of the embedded image" in finding.remedy
