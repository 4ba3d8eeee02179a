import pandas as pd
import pytest
from typer.testing import CliRunner

from cxr_helpers import manifest
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
    result = runner.invoke(app, ["import", str(folder), "--out", str(tmp_path / "m.csv")], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert "Viral Pneumonia → viral" in result.output
    assert "Files left out" in result.output
    table = manifest.read(tmp_path / "m.csv")
    assert set(table["label"].cat.categories) == {"normal", "covid", "viral"}


def test_audit_prints_one_page_and_writes_it(folder, tmp_path):
    result = runner.invoke(app, ["audit", str(folder), "--out", str(tmp_path / "a.csv")], env={"COLUMNS": "120"})
    assert result.exit_code == 0, result.output
    assert "never for diagnosis" in result.output
    assert result.output.count("\n") < 80
    assert "fault" in set(pd.read_csv(tmp_path / "a.csv")["verdict"])


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
    named = runner.invoke(app, ["import", str(tmp_path / "odd"), "--label", "Sick=covid", "--label", "Well=normal"])
    assert named.exit_code == 0, named.output
    assert runner.invoke(app, ["import", str(tmp_path / "odd"), "--label", "Sick"]).exit_code == 2
