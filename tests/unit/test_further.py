"""The command that scores images which the benchmarks have not seen, on a small made folder."""

import hashlib
import sys

import numpy as np
import pytest
from PIL import Image

from benchmarks import darkcovidnet, further
from cxr_helpers import measured

FOLDERS = {"Covid-19": "covid", "No_findings": "normal", "Pneumonia": "pneumonia"}


@pytest.fixture
def full(tmp_path):
    """Twelve images a class; those of the first eight patients of each are known."""
    rng, known = np.random.default_rng(0), []
    for number, (folder, label) in enumerate(FOLDERS.items()):
        for patient in range(12):
            stem = f"{1000 * (number + 1) + patient:08d}_000"
            pixels = rng.integers(0, 256, (24, 24)).repeat(8, 0).repeat(8, 1) / 2 + 40 * number
            path = tmp_path / "set" / folder / f"{stem}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(path)
            if patient < 8:
                known.append(hashlib.sha256(f"{label}/{stem}".encode()).hexdigest()[:16])
    (tmp_path / "known.txt").write_text("\n".join(known), "utf-8")
    return tmp_path


def run(monkeypatch, full, *arguments):
    monkeypatch.setattr(further, "KNOWN", full / "known.txt")
    monkeypatch.setattr(further, "ROWS", ("pixels + logistic regression",))
    command = ["further", *arguments, "--store", str(full / "store")]
    monkeypatch.setattr(sys, "argv", command)
    further.main()


def test_the_others_are_scored_and_stand_beside_what_is_quoted(monkeypatch, full, capsys):
    run(monkeypatch, full, "--full-set", str(full / "set"))
    shown = capsys.readouterr().out
    assert "computed" in shown
    assert shown.count("quoted") == 2
    (line,) = (line for line in shown.splitlines() if "computed" in line)
    assert " 12 " in line  # four patients in each of three classes
    assert (full / "store" / "further.csv").is_file()


def test_known_images_that_are_missing_are_counted(monkeypatch, full, capsys):
    (full / "set" / "Pneumonia" / "00003000_000.png").unlink()
    with pytest.raises(SystemExit):
        run(monkeypatch, full, "--full-set", str(full / "set"))
    assert "1 of the 24 known images are not in the folder" in capsys.readouterr().err


def test_a_patient_on_both_sides_is_refused(full):
    Image.new("L", (64, 64), 90).save(full / "set" / "Pneumonia" / "00003000_001.png")
    table = further.read(full / "set")
    with pytest.raises(ValueError, match="1 patients have images among the known and among"):
        further.parts(table, set((full / "known.txt").read_text().split()))


def test_the_list_of_the_known_can_be_written(monkeypatch, full):
    before = set((full / "known.txt").read_text().split())
    run(monkeypatch, full, "--known", str(full / "set"))
    assert before < set((full / "known.txt").read_text().split())


def test_the_committed_list_and_the_quoted_rows():
    assert len(set(further.KNOWN.read_text("utf-8").split())) == 925
    quoted = measured.read("darkcovidnet_further")
    assert list(quoted["model"]) == list(further.ROWS)
    assert set(further.ROWS) <= {row.name for row in darkcovidnet.rows()}
    assert set(quoted["n"]) == {199}


def test_the_committed_list_is_that_of_the_images_at_hand(real_data):
    table = further.read(real_data / "darkcovidnet")
    assert set(further.names(table)) == set(further.KNOWN.read_text("utf-8").split())
