"""Case A's three ways to a Google Drive, Colab and gdown replaced; gdown's real signatures."""

import inspect
import sys
import types
import zipfile
from pathlib import Path

import pytest

from tools.build import part_one
from tools.common import ROOT

SOURCE = ROOT / "notebooks" / "src" / "cases" / "a_grey_scale.py"


@pytest.fixture
def ways(tmp_path, monkeypatch) -> dict:
    """The functions of Step 1, in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    code = [
        cell
        for cell in part_one.cells(SOURCE, "Part two")
        if cell.startswith(("def own_", "def from_"))
    ]
    assert len(code) == 2
    space = {"Path": Path, "shutil": __import__("shutil")}
    for cell in code:
        exec(cell, space)
    return space


def test_a_drive_is_mounted_on_colab(ways, monkeypatch):
    mounted = []
    colab = types.ModuleType("google.colab")
    colab.drive = types.SimpleNamespace(mount=mounted.append)
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    assert ways["own_drive"]() == Path("/content/drive/MyDrive/case_a")
    assert mounted == ["/content/drive"]


@pytest.fixture
def asked(monkeypatch) -> list:
    """What gdown was asked for; an archive that it brings holds both folders."""
    import gdown

    calls = []
    real = {
        name: inspect.signature(getattr(gdown, name)) for name in ("download", "download_folder")
    }

    def download(**given):
        real["download"].bind(**given)
        calls.append(given)
        with zipfile.ZipFile(given["output"], "w") as archive:
            for name in ("positive/1.png", "negative/2.png"):
                archive.writestr(name, b"")

    def download_folder(**given):
        real["download_folder"].bind(**given)
        calls.append(given)

    monkeypatch.setattr(gdown, "download", download)
    monkeypatch.setattr(gdown, "download_folder", download_folder)
    return calls


def test_a_shared_folder_is_downloaded(ways, asked, tmp_path):
    link = "https://drive.google.com/drive/folders/1aB_c-D?usp=sharing"
    assert ways["from_link"](link) == tmp_path / "case_a"
    assert asked == [{"url": link, "output": "case_a"}]


def test_a_shared_archive_is_downloaded_and_unpacked(ways, asked, tmp_path):
    root = ways["from_link"]("https://drive.google.com/file/d/1aB_c-D/view?usp=sharing")
    assert asked == [{"id": "1aB_c-D", "output": "case_a.zip"}]
    assert root == tmp_path / "case_a"
    assert sorted(folder.name for folder in root.iterdir()) == ["negative", "positive"]
