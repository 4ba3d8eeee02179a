import io
import shutil
import sys
import threading
import time
import types
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pandas as pd
import pytest

from cxr_helpers import datasets, fetch, images, manifest, phantom
from tests import draw

NAMES = [
    "covid19-image-dataset",
    "darkcovidnet",
    "chest-xray-for-covid19-detection",
    "education454",
]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    draw.draw_set(folder, per_class=6, size=48)
    return folder


def archive_of(folder, wrapper=""):
    """Bytes of a zip of a folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(Path(folder).rglob("*.*")):
            archive.write(path, wrapper + path.relative_to(folder).as_posix())
    return buffer.getvalue()


def test_the_catalogue_is_one_table_with_what_a_reader_must_know():
    table = datasets.catalogue()
    assert list(table["name"]) == ["phantom", *NAMES]
    for column in (
        "title",
        "classes",
        "licence",
        "redistribution",
        "url",
        "layout",
        "known_faults",
    ):
        assert table[column].str.len().gt(5).all(), column
    assert table["redistribution"].str.startswith("never").tolist() == [
        False,
        True,
        True,
        True,
        True,
    ]
    for row in datasets.CATALOGUE[1:]:
        assert row.url.startswith("https://")
        assert {label for _, label in row.labels} <= set(manifest.LABELS)
        assert bool(row.kaggle) != bool(row.archive)
        assert row.kaggle is None or row.kaggle in row.url


def test_the_phantom_is_drawn_once_and_read_by_the_importer(tmp_path, monkeypatch):
    few = phantom.design("default", n=12)
    monkeypatch.setattr(phantom, "design", lambda *_: few)
    monkeypatch.setattr(datasets, "work_dir", lambda: tmp_path)
    table = datasets.load("phantom")
    assert len(table) == 12
    assert sorted(table["label"].astype(str)) == sorted(few["label"])
    assert table["patient"].notna().all()
    monkeypatch.setattr(phantom, "render", lambda *a, **k: pytest.fail("drawn again"))
    folder = datasets.download("phantom", progress=False)  # drawn, not downloaded
    assert (
        manifest.from_folder(folder, progress=False).table["sha256"].tolist()
        == table["sha256"].tolist()
    )
    assert datasets.load("phantom", tmp_path / "none", download=True)["sha256"].equals(
        table["sha256"]
    )
    assert datasets.load("phantom")["sha256"].tolist() == table["sha256"].tolist()


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(datasets.DatasetNotFound, match="education454"):
        datasets.load("covid")


@pytest.mark.parametrize("name", NAMES)
def test_an_absent_set_says_where_it_was_looked_for_and_how_to_get_it(tmp_path, name):
    with pytest.raises(datasets.DatasetNotFound) as caught:
        datasets.load(name, tmp_path)
    message = str(caught.value)
    assert str(tmp_path / name) in message
    # the folder that was asked for
    assert f"datasets.download('{name}', '{tmp_path.as_posix()}')" in message
    assert datasets.info(name).url in message
    assert "Licence" in message
    assert "{" not in message


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_leave_the_default_folder_out_and_name_any_other(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CXR_DATA_DIR", raising=False)
    for folder in (None, "data", tmp_path / "data"):
        assert f"datasets.download('{name}')" in datasets.how_to_get(name, folder)
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "{sets}"))
    assert f"datasets.download('{name}', '{tmp_path.as_posix()}/{{sets}}')" in datasets.how_to_get(
        name
    )


def test_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("CXR_DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    assert datasets.data_dir() == tmp_path / "data"
    project = tmp_path / "project"
    (project / "notebooks").mkdir(parents=True)
    (project / "pyproject.toml").write_text('[project]\nname = "cxr-helpers"\n')
    monkeypatch.chdir(project / "notebooks")
    assert datasets.data_dir() == project / "data"
    assert datasets.data_dir("../shared") == project / "../shared"
    monkeypatch.setenv("CXR_DATA_DIR", "sets")
    assert datasets.data_dir() == project / "sets"
    assert datasets.data_dir(tmp_path) == tmp_path


def test_a_drawn_set_loads_and_warns_of_its_truncated_file(drawn):
    with pytest.warns(UserWarning, match=r"1 files could not be read \(truncated\.jpeg\)"):
        table = datasets.load("covid19-image-dataset", drawn)
    pd.testing.assert_frame_equal(table, manifest.check(table))
    assert table.groupby(["split", "label"], observed=True).size().to_dict() == {
        **{("train", "normal"): 4, ("train", "covid"): 4, ("train", "viral"): 4},
        **{("test", "normal"): 2, ("test", "covid"): 4, ("test", "viral"): 2},
    }
    assert table["patient"].isna().all()
    assert table["source"].isna().all()


def test_the_drawn_set_holds_the_faults_that_it_promises(drawn):
    table = datasets.load_report("covid19-image-dataset", drawn, progress=False).table
    twins = table[table["sha256"].duplicated(keep=False)]
    assert set(twins["split"]) == {"train", "test"}
    assert len(twins) == 2
    assert set(table["format"]) == {"JPEG", "PNG"}
    assert set(table["mode"]) == {"L", "RGB"}


def test_drawing_is_deterministic_and_depends_on_seed_and_class():
    first = draw.radiograph("Covid", 48, 5)
    assert (first == draw.radiograph("Covid", 48, 5)).all()
    assert (first != draw.radiograph("Covid", 48, 6)).mean() > 0.5
    assert (first != draw.radiograph("Normal", 48, 5)).mean() > 0.5


class GitHub(BaseHTTPRequestHandler):
    def do_GET(self):
        content = self.server.files.get(self.path)
        self.send_response(200 if content else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def do_POST(self):  # Kaggle's interface
        self.server.asked.append(self.path.rpartition("/")[2])
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def serve():
    running = []

    def start(files, port=0):
        server = HTTPServer(("127.0.0.1", port), GitHub)
        server.files, server.asked = files, []
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def case_c(folder):
    for split in ("train", "test"):
        for kind in ("COVID19", "NORMAL"):
            path = folder / "Data" / split / kind / f"{split}.png"
            path.parent.mkdir(parents=True)
            pixels = draw.radiograph("Covid" if kind == "COVID19" else "Normal", 48, len(split))
            path.write_bytes(draw.encoded(draw.Image.fromarray(pixels)))
    (folder / "README.md").write_text("a set")
    return folder


def test_a_git_repository_is_downloaded_unpacked_and_loaded(tmp_path, serve):
    content = archive_of(case_c(tmp_path / "repository"), "datasets-master/")
    server = serve({"/education454/datasets/archive/refs/heads/master.zip": content})
    address = f"http://127.0.0.1:{server.server_port}"
    data = tmp_path / "data"
    assert (
        datasets.download("education454", data, github=address, progress=False)
        == data / "education454"
    )
    assert [path.name for path in data.iterdir()] == ["education454"]
    table = datasets.load("education454", data)
    assert list(table["label"]) == ["covid", "normal", "covid", "normal"]
    assert list(table["split"]) == ["test", "test", "train", "train"]


def test_two_that_ask_for_a_set_at_once_get_it_from_one_download(tmp_path, serve, monkeypatch):
    content = archive_of(case_c(tmp_path / "repository"), "datasets-master/")
    server = serve({"/education454/datasets/archive/refs/heads/master.zip": content})
    data, unpacked, extract = tmp_path / "data", [], fetch.extract

    def slowly(*arguments):
        unpacked.append(arguments)
        time.sleep(0.4)
        return extract(*arguments)

    monkeypatch.setattr(fetch, "extract", slowly)
    options = {"github": f"http://127.0.0.1:{server.server_port}", "progress": False}
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(datasets.download, "education454", data, **options) for _ in range(2)]
        assert {run.result() for run in runs} == {data / "education454"}
    assert len(unpacked) == 1
    assert [path.name for path in data.iterdir()] == ["education454"]
    with pytest.raises(fetch.FetchError, match="would overwrite"):
        datasets.download("education454", data, **options)


def test_an_empty_folder_is_no_set(tmp_path, monkeypatch):
    (tmp_path / "darkcovidnet").mkdir()
    asked = []

    def no_network(url, *arguments, **options):
        asked.append(url)
        raise fetch.FetchError(url, "is out of reach", "Wait")

    monkeypatch.setattr(fetch, "download", no_network)
    with pytest.raises(fetch.FetchError, match="out of reach"):
        datasets.load("darkcovidnet", tmp_path, download=True)
    assert asked == ["https://github.com/muhammedtalo/COVID-19/archive/refs/heads/master.zip"]


def test_a_data_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    for name in NAMES:
        with pytest.raises(fetch.FetchError, match=r"cannot be written to .*choose a folder"):
            datasets.download(name, tmp_path / "file")


def test_a_repository_that_has_gone(tmp_path, serve):
    address = f"http://127.0.0.1:{serve({}).server_port}"
    with pytest.raises(fetch.FetchError, match=r"education454/datasets/archive.*404"):
        datasets.download("education454", tmp_path, github=address, progress=False)
    assert not (tmp_path / "education454").exists()


def kaggle(tmp_path, monkeypatch):
    """Point the real kagglehub at its test address, with a cache and settings of our own."""
    pytest.importorskip("kagglehub")
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "settings"))
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KAGGLE_USERNAME", "reader")
    monkeypatch.setenv("KAGGLE_KEY", "none")


def test_a_kaggle_set_is_downloaded_by_kagglehub_and_loaded(tmp_path, monkeypatch, serve, drawn):
    kaggle(tmp_path, monkeypatch)
    service = "/api/v1/datasets.DatasetApiService/"
    content = archive_of(drawn / "covid19-image-dataset")
    files = {
        "/": b"kaggle",
        f"{service}GetDataset": b'{"currentVersionNumber": 1}',
        f"{service}DownloadDataset": content,
    }
    try:
        server = serve(files, port=7777)
    except OSError:
        pytest.skip("port 7777, the address that kagglehub has for tests, is in use")
    data = tmp_path / "data"
    with pytest.warns(UserWarning, match="truncated"):
        table = datasets.load("covid19-image-dataset", data, download=True)
    assert server.asked == ["GetDataset", "DownloadDataset"]
    assert len(table) == 20
    assert [path.name for path in data.iterdir()] == ["covid19-image-dataset"]
    with pytest.raises(fetch.FetchError, match="would overwrite"):
        datasets.download("covid19-image-dataset", data)


def test_kaggle_out_of_reach_says_what_else_to_do(tmp_path, monkeypatch):
    kaggle(tmp_path, monkeypatch)
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")  # where nothing answers
    with pytest.raises(
        fetch.FetchError, match=r"Kaggle did not give the set(.|\n)*from_archive"
    ) as caught:
        datasets.download("covid19-image-dataset", tmp_path / "data")
    assert (tmp_path / "data" / "covid19-image-dataset").as_posix() in str(caught.value)
    assert not (tmp_path / "data" / "covid19-image-dataset").exists()


def test_without_kagglehub(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(fetch.FetchError, match="pip install kagglehub"):
        datasets.download("covid19-image-dataset", tmp_path)


def test_an_archive_of_ones_own(tmp_path, drawn):
    (tmp_path / "mine.zip").write_bytes(archive_of(drawn / "covid19-image-dataset"))
    folder = datasets.from_archive(tmp_path / "mine.zip", tmp_path / "set")
    assert len(manifest.from_folder(folder, progress=False).table) == 20
    with pytest.raises(fetch.FetchError, match=r"more than the 3 allowed.*max_files="):
        datasets.from_archive(tmp_path / "mine.zip", tmp_path / "other", max_files=3)


FILE_ID = "1A2b3C4d5E6f7G8h9"


@pytest.mark.parametrize(
    "link",
    [
        FILE_ID,
        f"https://drive.google.com/file/d/{FILE_ID}/view?usp=sharing",
        f"https://drive.google.com/open?id={FILE_ID}",
    ],
)
def test_google_drive_takes_an_id_or_a_link(tmp_path, monkeypatch, drawn, link):
    gdown = pytest.importorskip("gdown")
    asked = []

    def download(*, id, output, quiet):
        asked.append(id)
        Path(output).write_bytes(archive_of(drawn / "covid19-image-dataset"))
        return output

    monkeypatch.setattr(gdown, "download", download)
    folder = datasets.from_google_drive(link, tmp_path / "data" / "mine", progress=False)
    assert asked == [FILE_ID]
    assert len(manifest.from_folder(folder, progress=False).table) == 20
    assert [path.name for path in folder.parent.iterdir()] == ["mine"]


def test_google_drive_that_does_not_give_the_file(tmp_path, monkeypatch):
    gdown = pytest.importorskip("gdown")

    def download(**options):
        raise gdown.exceptions.FileURLRetrievalError("no permission")

    monkeypatch.setattr(gdown, "download", download)
    with pytest.raises(fetch.FetchError, match=r"no permission.*anyone with the link"):
        datasets.from_google_drive(FILE_ID, tmp_path / "mine")
    with pytest.raises(fetch.FetchError, match="not the id"):
        datasets.from_google_drive("../x", tmp_path / "mine")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("link", "word"),
    [
        (
            "https://www.dropbox.com/s/d/1A2b3C4d5E6f7G8h9/set.zip",
            "is not an address of Google Drive",
        ),
        (
            "https://drive.google.com/drive/folders/1A2b3C4d5E6f7G8h9?usp=sharing",
            "is a folder on Google Drive",
        ),
        (
            "https://drive.google.com/file/d/1A2b3C4d5E6f7G8h9/view?resourcekey=0-abc",
            "needs its resource key",
        ),
        ("https://drive.google.com/drive/my-drive", "is not the id of a file"),
    ],
)
def test_no_part_of_a_link_is_dropped(tmp_path, monkeypatch, link, word):
    gdown = pytest.importorskip("gdown")
    monkeypatch.setattr(gdown, "download", lambda **_: pytest.fail("asked for something else"))
    with pytest.raises(fetch.FetchError, match=word):
        datasets.from_google_drive(link, tmp_path / "mine")


def test_google_drive_is_mounted_on_colab_only(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", None)
    with pytest.raises(fetch.FetchError, match="Google Colab only"):
        datasets.mount_google_drive()
    mounted = []
    colab = types.ModuleType("google.colab")
    colab.drive = types.SimpleNamespace(mount=mounted.append)
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    assert datasets.mount_google_drive() == Path("/content/drive/MyDrive")
    assert mounted == ["/content/drive"]


def test_darkcovidnet(real_data):
    table = datasets.load("darkcovidnet", real_data)
    assert table["label"].value_counts(sort=False).to_dict() == {
        "normal": 426,
        "covid": 95,
        "pneumonia": 404,
    }
    patients = table.groupby("label", observed=True)["patient"].nunique().to_dict()
    assert patients == {"normal": 280, "covid": 0, "pneumonia": 302}
    assert table["patient"].nunique() == 280 + 302 - 17
    assert pd.crosstab(table["label"], table["source"]).loc["covid"].to_dict() == {
        "NIH ChestX-ray14": 0,
        "ieee8023 covid-chestxray-dataset": 95,
    }
    assert table["split"].isna().all()


@pytest.mark.parametrize(
    ("name", "files", "word"),
    [
        (
            "covid19-image-dataset",
            ["Covid19-dataset/train/Covid/0.png"],
            "1 of the 317 published images",
        ),
        ("darkcovidnet", ["X-Ray Image DataSet/Covid-19/0.png"], "1 of the 1,125 published images"),
        (
            "education454",
            ["datasets-master/Data/test/NORMAL/NORMAL(10).jpg"],
            "1 of the 2,295 published images",
        ),
        (
            "chest-xray-for-covid19-detection",
            ["Dataset/Val/Covid/a.jpg", "Dataset/Prediction/b.jpg"],
            "1 of the 348",
        ),
    ],
)
def test_a_set_that_is_there_in_part_is_said_to_be(tmp_path, name, files, word):
    for number, file in enumerate(files):
        path = tmp_path / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw.encoded(draw.Image.fromarray(draw.radiograph("Normal", 48, number))))
    with pytest.warns(UserWarning, match=word):
        assert len(datasets.load(name, tmp_path)) == 1
    assert word in datasets.load_report(name, tmp_path, progress=False).understood


def test_more_images_than_were_published_are_said(tmp_path, monkeypatch):
    few = [replace(row, images=1) for row in datasets.CATALOGUE]
    monkeypatch.setattr(datasets, "CATALOGUE", few)
    case_c(tmp_path / "education454")
    with pytest.warns(UserWarning, match="4 images are here, but 1 were published"):
        datasets.load("education454", tmp_path)


def test_case_e(real_data):
    table = datasets.load("covid19-image-dataset", real_data)
    assert len(table) == datasets.info("covid19-image-dataset").images
    assert set(table["original_label"]) == {"Covid", "Normal", "Viral Pneumonia"}


@pytest.mark.parametrize(
    ("letter", "labels", "splits"),
    [
        ("a", {"covid", "non_covid"}, set()),
        ("b", {"covid", "normal"}, {"train", "val"}),
        ("c", {"covid", "normal"}, {"train", "test"}),
        ("d", {"covid", "non_covid"}, set()),
        ("E", {"covid", "normal", "viral"}, {"train", "test"}),
    ],
)
def test_a_case_on_phantoms_comes_through_the_importer_in_its_own_layout(
    tmp_path, monkeypatch, letter, labels, splits
):
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path))
    found = datasets.case(letter, n=30, seed=3, size=96)
    assert set(found.table["width"]) == {96}
    assert set(found.table["label"]) == labels
    assert set(found.table["split"].dropna()) == splits
    assert len(found.table) + len(found.unlabelled) == 30
    assert bool(found.unlabelled) == (letter == "b")
    assert found.table["patient"].notna().all() or letter == "E"  # copies bear other names


def test_case_c_has_the_folders_of_the_described_set(tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path))
    table = datasets.case("c", n=40, size=48).table
    folders = {tuple(Path(path).parts[-4:-1]) for path in table["path"]}
    assert folders == {
        ("Data", part, name) for part in ("train", "test") for name in ("COVID19", "NORMAL")
    }
    assert {Path(path).suffix for path in table["path"]} == {".jpg"}
    assert (table["label"] == "covid").sum() == 12  # 712 of 2,295
    assert (table["split"] == "test").sum() == 8  # 484 of 2,295


@pytest.mark.parametrize("progress", [True, False])
def test_loading_shows_its_progress_only_where_asked(drawn, monkeypatch, progress):
    read, asked = datasets.manifest.from_folder, []

    def keep(*args, **options):
        asked.append(options["progress"])
        return read(*args, **options)

    monkeypatch.setattr(datasets.manifest, "from_folder", keep)
    datasets.load("covid19-image-dataset", drawn, progress=progress)
    assert asked == [progress]


def test_another_set_takes_the_classes_of_a_case(drawn):
    name = "covid19-image-dataset"
    whole = datasets.load(name, drawn)
    for letter in "ad":
        found = datasets.case(letter, name, drawn)
        assert (found.table["label"] == "non_covid").sum() == (whole["label"] != "covid").sum()
        assert found.table["path"].tolist() == whole["path"].tolist()
    assert set(datasets.case("c", name, drawn).table["label"]) == {"covid", "normal"}
    found = datasets.case("b", name, drawn)
    kept = whole[whole["label"].isin(("covid", "normal"))]
    assert set(found.unlabelled) == set(kept.loc[kept["split"] == "test", "path"])
    assert set(found.table["path"]) == set(kept.loc[kept["split"] != "test", "path"])
    assert datasets.case("e", name, drawn).table.equals(whole)


@pytest.mark.parametrize(
    ("letter", "places"),
    [
        ("a", {"positive", "negative"}),
        (
            "b",
            {
                "Dataset/Train/Covid",
                "Dataset/Train/Normal",
                "Dataset/Val/Covid",
                "Dataset/Val/Normal",
            },
        ),
        ("c", {"Data/train/COVID19", "Data/train/NORMAL", "Data/test/COVID19", "Data/test/NORMAL"}),
        ("d", {"COVID-19", "non-COVID-19"}),
    ],
)
def test_another_set_is_put_into_the_folders_of_a_case(
    drawn, tmp_path, monkeypatch, letter, places
):
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path))
    name = "covid19-image-dataset"
    plain = datasets.case(letter, name, drawn)
    found = datasets.case(letter, name, drawn, folders=True)
    root = next((tmp_path / "folders").glob(f"case_{letter}-*[!k]"))
    assert {
        Path(path).parent.relative_to(root).as_posix() for path in found.table["path"]
    } == places
    assert found.table.drop(columns="path").equals(plain.table.drop(columns="path"))
    pairs = zip(
        [*found.table["path"], *found.unlabelled],
        [*plain.table["path"], *plain.unlabelled],
        strict=True,
    )
    assert all(Path(new).read_bytes() == Path(old).read_bytes() for new, old in pairs)
    assert {Path(path).parent for path in found.unlabelled} == (
        {root / "Dataset/Prediction"} if letter == "b" else set()
    )
    again = datasets.manifest.from_folder(root, progress=False)
    assert again.counts().sum(axis=1).to_dict() == found.counts().sum(axis=1).to_dict()
    assert datasets.case(letter, name, drawn, folders=True).table.equals(found.table)


@pytest.mark.parametrize(
    ("letter", "classes"), [("c", {"covid", "normal"}), ("e", {"covid", "normal", "viral"})]
)
def test_cases_c_and_e_set_a_test_part_aside_where_a_set_has_none(
    drawn, tmp_path, monkeypatch, letter, classes
):
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path / "work"))
    shutil.copytree(
        drawn / "covid19-image-dataset" / "Covid19-dataset" / "train", tmp_path / "darkcovidnet"
    )
    table = datasets.case(letter, "darkcovidnet", tmp_path, folders=True).table
    assert set(table["split"]) == {"train", "test"}
    assert set(table.loc[table["split"] == "test", "label"]) == classes
    for path, part in zip(table["path"], table["split"], strict=True):
        assert Path(path).parents[1].name == part


def test_two_files_of_one_name_and_a_disk_without_links(drawn, tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path / "work"))

    def no_links(*_):
        raise OSError("no links")

    monkeypatch.setattr(datasets.os, "link", no_links)
    name = "covid19-image-dataset"
    shutil.copytree(drawn / name, tmp_path / name)
    whole = datasets.load(name, drawn)
    first, second = (
        Path(whole.loc[whole["split"] == s, "path"].iloc[0]).relative_to(drawn)
        for s in ("train", "test")
    )
    (tmp_path / second).rename((tmp_path / second).with_name(first.name))
    found = datasets.case("a", name, tmp_path, folders=True)
    names = [Path(path).name for path in found.table["path"]]
    assert len(set(found.table["path"])) == len(whole)
    assert [name for name in names if name.endswith(f"-{first.name}")]
    assert all(Path(path).stat().st_nlink == 1 for path in found.table["path"])


def test_a_case_of_ones_own_and_of_no_name(tmp_path, drawn):
    with pytest.raises(ValueError, match="no case study is called 'f'"):
        datasets.case("f")
    with pytest.raises(
        datasets.DatasetNotFound, match=r"case_a does not exist: put the images of case A there"
    ):
        datasets.case("a", "own", tmp_path)
    shutil.copytree(drawn / "covid19-image-dataset", tmp_path / "case_e")
    assert len(datasets.case("e", "own", tmp_path).table) == 20


def test_folders_of_a_cases_own_set_hold_no_file_that_cannot_be_read(tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path / "work"))
    draw.draw_set(tmp_path / "data", size=96)
    own = datasets.case("e", "covid19-image-dataset", tmp_path / "data")
    assert len(own.rejects) == 1
    found = datasets.case("e", "covid19-image-dataset", tmp_path / "data", folders=True)
    folder = Path(found.table["path"].iloc[0]).parents[2]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == len(found.table) == len(own.table)
    assert folder != Path(own.table["path"].iloc[0]).parents[2]
    for file in files:
        images.read(file)
    assert (
        found.table.groupby(["split", "label"], observed=True)
        .size()
        .equals(own.table.groupby(["split", "label"], observed=True).size())
    )
