import subprocess
import sys
import time

import pandas as pd
import pytest
from typer.testing import CliRunner

from cxr_helpers import manifest, phantom
from cxr_helpers.cli import app
from tests import draw

runner = CliRunner()


@pytest.fixture
def folder(tmp_path):
    return draw.draw_set(tmp_path, per_class=8)


def test_datasets_lists_the_catalogue():
    result = runner.invoke(app, ["datasets"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert "darkcovidnet" in result.output


def test_import_says_what_it_understood_and_writes_the_manifest(folder, tmp_path):
    result = runner.invoke(
        app, ["import", str(folder), "--out", str(tmp_path / "m.csv")], env={"COLUMNS": "200"}
    )
    assert result.exit_code == 0, result.output
    assert "Viral Pneumonia → viral" in result.output
    assert "Files left out" in result.output
    table = manifest.read(tmp_path / "m.csv")
    assert set(table["label"].cat.categories) == {"normal", "covid", "viral"}


def test_audit_prints_one_page_and_writes_it(folder, tmp_path):
    result = runner.invoke(
        app, ["audit", str(folder), "--out", str(tmp_path / "a.csv")], env={"COLUMNS": "120"}
    )
    assert result.exit_code == 0, result.output
    assert "never for diagnosis" in result.output
    assert result.output.count("\n") < 80
    assert "fault" in set(pd.read_csv(tmp_path / "a.csv")["verdict"])


def test_the_folder_of_the_audit_is_made_and_nothing_half_written_stays(
    folder, tmp_path, monkeypatch
):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "a.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "new" / "a.csv")
    small = pd.DataFrame(
        [["counts", "ok", "12", ""]], columns=["check", "verdict", "finding", "examples"]
    )
    monkeypatch.setattr("cxr_helpers.audit.report", lambda *_: small)
    places = ["new/a.csv", "deep/er/a.csv", "packed/a.csv.gz", "link.csv"]
    for place in places:
        result = runner.invoke(app, ["audit", str(folder), "--out", str(tmp_path / place)])
        assert result.exit_code == 0, result.output
        assert pd.read_csv(tmp_path / place)["check"].tolist() == ["counts"]
        assert len(list((tmp_path / place).parent.glob("*.csv*"))) == 1
    assert (tmp_path / "link.csv").is_symlink()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    failed = runner.invoke(app, ["audit", str(folder), "--out", str(tmp_path / "new" / "b.csv")])
    assert failed.exit_code == 2
    assert "cxr: no space left" in failed.output
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.csv"]


@pytest.mark.parametrize("command", ["import", "audit"])
@pytest.mark.parametrize(
    ("out", "word"),
    [("file/a.csv", "cannot be written"), ("file/b/a.csv", "cannot"), ("", "folder")],
)
def test_a_file_that_cannot_be_written_is_one_line_before_the_work(
    folder, tmp_path, monkeypatch, command, out, word
):
    (tmp_path / "file").write_text("x")
    monkeypatch.setattr(
        "cxr_helpers.manifest.from_folder", lambda *a, **k: pytest.fail("it has begun")
    )
    result = runner.invoke(app, [command, str(folder), "--out", str(tmp_path / out)])
    assert result.exit_code == 2, result.exception
    assert result.output.startswith("cxr: --out")
    assert word in result.output
    assert result.output.count("\n") == 1


def test_a_folder_that_is_not_there_is_one_line_and_exit_code_2(tmp_path):
    result = runner.invoke(app, ["audit", str(tmp_path / "nowhere")])
    assert result.exit_code == 2
    assert "nowhere" in result.output
    assert "Traceback" not in result.output


def test_unknown_class_folders_are_listed_and_can_be_named(tmp_path, folder):
    (tmp_path / "odd" / "Sick").mkdir(parents=True)
    (tmp_path / "odd" / "Well").mkdir()
    files = sorted(folder.rglob("*.png"))[:2]
    for name, file in zip(("Sick", "Well"), files, strict=True):
        (tmp_path / "odd" / name / file.name).write_bytes(file.read_bytes())
    refused = runner.invoke(app, ["import", str(tmp_path / "odd")])
    assert refused.exit_code == 2
    assert "Sick" in refused.output
    named = runner.invoke(
        app, ["import", str(tmp_path / "odd"), "--label", "Sick=covid", "--label", "Well=normal"]
    )
    assert named.exit_code == 0, named.output
    assert runner.invoke(app, ["import", str(tmp_path / "odd"), "--label", "Sick"]).exit_code == 2
    (tmp_path / "odd" / "Sick").rename(tmp_path / "odd" / "PCR=1")
    # a name may hold the sign; without a label it is left out
    for label, rows in (("PCR=1=covid", 2), ("PCR=1=", 1)):
        options = ["--label", label, "--label", "Well=normal", "--out", str(tmp_path / "m.csv")]
        named = runner.invoke(app, ["import", str(tmp_path / "odd"), *options])
        assert named.exit_code == 0, named.output
        assert len(manifest.read(tmp_path / "m.csv")) == rows


# --- phantoms -------------------------------------------------------------------------------------

NORMAL = {"case_a": "negative=normal", "case_d": "non-COVID-19=normal"}


def phantoms(folder, *options):
    return runner.invoke(
        app, ["phantom", str(folder), "--size", "48", *map(str, options)], env={"COLUMNS": "200"}
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["png", "jpeg", "dicom"])
@pytest.mark.parametrize("layout", ["case_a", "case_b", "case_c", "case_d", "case_e", "classes"])
def test_the_import_reads_from_the_phantoms_what_the_truth_table_says(tmp_path, layout, kind):
    design = layout if layout.startswith("case") else "five_classes"
    drawn = phantoms(
        tmp_path / "set", "--design", design, "--n", 10, "--layout", layout, "--format", kind
    )
    assert drawn.exit_code == 0, drawn.output
    labels = ["--label", NORMAL[layout]] if layout in NORMAL else []
    command = ["import", str(tmp_path / "set"), "--patient", r"(P\d+)_", *labels]
    assert " ".join(labels) in drawn.output
    read = runner.invoke(app, [*command, "--out", str(tmp_path / "m.csv")], env={"COLUMNS": "200"})
    assert read.exit_code == 0, read.output
    truth = pd.read_csv(tmp_path / "set" / "truth.csv", dtype={"split": "string"}).set_index(
        "image_id"
    )
    # Prediction
    truth = (
        truth[truth["split"].ne("test").fillna(True).astype(bool)] if layout == "case_b" else truth
    )
    table = manifest.read(tmp_path / "m.csv")
    table = table.set_index(table["image_id"].str.removeprefix("images/")).loc[truth.index]
    assert len(manifest.read(tmp_path / "m.csv")) == len(truth)
    assert table["label"].astype(str).tolist() == truth["label"].tolist()
    assert (
        table["split"].astype("string").fillna("none").tolist()
        == truth["split"].fillna("none").tolist()
    )
    assert table["patient"].astype(str).tolist() == truth["patient"].tolist()
    assert set(table["format"]) == {kind.upper()}
    assert set(table["width"]) == {48}


@pytest.mark.parametrize("layout", ["case_b", "case_c", "case_e"])
def test_any_design_takes_the_split_folders_of_a_layout(tmp_path, layout):
    drawn = phantoms(
        tmp_path / "set", "--design", "marker", "--n", 20, "--layout", layout, "--no-masks"
    )
    assert drawn.exit_code == 0, drawn.output
    found = manifest.from_folder(tmp_path / "set", progress=False)
    truth = pd.read_csv(tmp_path / "set" / "truth.csv").set_index("image_id")["split"]
    read = found.table.set_index(found.table["image_id"].str.removeprefix("images/"))[
        "split"
    ].astype(str)
    assert len(set(read)) == 2
    assert read.tolist() == truth.loc[read.index].tolist()
    assert not (tmp_path / "set" / "masks").exists()


def test_designs_are_listed_and_the_same_seed_draws_the_same_phantoms(tmp_path):
    listed = runner.invoke(app, ["phantom", "--list"], env={"COLUMNS": "200"})
    assert listed.exit_code == 0
    assert all(name in listed.output for name in phantom.presets()["name"])
    for name in ("a", "b"):
        assert phantoms(tmp_path / name, "--n", 3, "--seed", 5, "--format", "png").exit_code == 0
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert len([p for p in files if p.parts[0] == "masks"]) == 3
    assert all(
        (tmp_path / "a" / p).read_bytes() == (tmp_path / "b" / p).read_bytes() for p in files
    )


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--design", "plague"], "plague"),
        (["--layout", "case_z"], "case_z"),
        (["--design", "default", "--layout", "case_a"], "viral"),
        (["--format", "gif"], "gif"),
        (["--n", "0"], "--n is 0"),
        (["--n", "1000000000"], "100,000"),
        (["--size", "3"], "--size is 3"),
        (["--size", "100000"], "--size is 100000"),
        (["--seed", "-1"], "--seed is -1"),
    ],
)
def test_a_wrong_option_is_one_line_and_leaves_nothing(tmp_path, options, word):
    result = runner.invoke(app, ["phantom", str(tmp_path / "new" / "set"), *options])
    assert result.exit_code == 2
    assert word in result.output
    assert result.output.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_somebodys_files_are_never_overwritten(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("keep")
    for place in (mine, mine / "thesis.txt"):
        refused = phantoms(place, "--n", 2)
        assert refused.exit_code == 2
        assert refused.output.count("\n") == 1
    cohort = tmp_path / "set"
    assert phantoms(cohort, "--n", 2).exit_code == 0
    assert phantoms(cohort, "--n", 3).exit_code == 0  # a cohort may give way to another
    assert len(pd.read_csv(cohort / "truth.csv")) == 3
    (cohort / "images" / "notes.txt").write_text("keep")
    refused = phantoms(cohort, "--n", 4)
    assert refused.exit_code == 2
    assert "notes.txt" in refused.output
    assert len(pd.read_csv(cohort / "truth.csv")) == 3
    assert (
        (mine / "thesis.txt").read_text() == (cohort / "images" / "notes.txt").read_text() == "keep"
    )
    assert runner.invoke(app, ["phantom"]).exit_code == 2


def test_nothing_half_written_stays_when_drawing_fails(tmp_path, monkeypatch):
    calls = []

    def fails(*arguments, **options):
        calls.append(1)
        if len(calls) > 2:
            raise OSError("no space left on device")
        return phantom.render(*arguments, **options)

    monkeypatch.setattr("cxr_helpers.phantom.cohort.render", fails)
    result = phantoms(tmp_path / "set", "--n", 4)
    assert result.exit_code == 2
    assert "no space left" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_nothing_half_written_stays_when_it_is_terminated(tmp_path):
    command = [
        sys.executable,
        "-m",
        "cxr_helpers.cli",
        "phantom",
        str(tmp_path / "set"),
        "--n",
        "400",
    ]
    drawing = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".set-*/new/images/*/*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert list(tmp_path.iterdir()), "it never started"
    drawing.terminate()
    assert drawing.wait(30) == 143
    assert list(tmp_path.iterdir()) == []
