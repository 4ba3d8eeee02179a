"""The catalogue of `datasets` as one data table."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import manifest


@dataclass(frozen=True)
class DatasetInfo:
    """One row of the catalogue.

    ``labels``: folder names and their canonical labels; ``images``: as published (None: not known);
    ``patient`` and ``source``: rules of `manifest.from_folder`; ``kaggle``: handle on Kaggle;
    ``archive``: path on github.com.
    """

    name: str
    case: str
    title: str
    labels: tuple[tuple[str, str], ...]
    images: int | None
    layout: str
    licence: str
    redistribution: str
    url: str
    how_to_get: str
    known_faults: str
    kaggle: str | None = None
    archive: str | None = None
    patient: str | None = None
    source: Callable[[str], str | None] | None = field(default=None, repr=False)

    @property
    def classes(self) -> tuple[str, ...]:
        """Canonical labels that occur, in the manifest's order."""
        present = {label for _, label in self.labels}
        return tuple(label for label in manifest.LABELS if label in present)


def _darkcovidnet_source(path: str) -> str:
    """Collection by the file's name: those of NIH begin with the patient's number."""
    return (
        "NIH ChestX-ray14"
        if manifest.nih_patient(Path(path).name)
        else "ieee8023 covid-chestxray-dataset"
    )


_KAGGLE = """pip install kagglehub
python -c "from cxr_helpers import datasets; datasets.download('{name}'{{where}})"
Or download the zip at {url} in a browser, and then
python -c "from cxr_helpers import datasets; datasets.from_archive('archive.zip', '{{folder}}')\""""
_GITHUB = """python -c "from cxr_helpers import datasets; datasets.download('{name}'{{where}})"
Or git clone {url} "{{folder}}\""""
_NEVER = "never: download it yourself, commit no image of it"
_MIXED = "not stated for every image: it mixes images of several origins, some of no known licence"
_UNREAD = "not checked by this course: read the page of the set before use"

CATALOGUE = (
    DatasetInfo(
        name="phantom",
        case="",
        title="Procedural radiographs with known truth, drawn by cxr_helpers.phantom",
        labels=(("normal", "normal"), ("covid", "covid"), ("viral", "viral")),
        images=600,
        layout="one folder per class; masks and the truth table beside them",
        licence="CC0 1.0",
        redistribution="free, without condition",
        url="cxr_helpers.phantom",
        how_to_get="nothing to get: the set is drawn on first use, below the project's data folder",
        patient=r"(P\d+)_",
        known_faults=(
            "No patient and no evidence about one: COVID and viral phantoms differ "
            "because they are drawn so."
        ),
    ),
    DatasetInfo(
        name="covid19-image-dataset",
        case="E",
        title="Covid-19 Image Dataset (Kaggle)",
        labels=(("Normal", "normal"), ("Covid", "covid"), ("Viral Pneumonia", "viral")),
        images=317,
        layout="Covid19-dataset/{train,test}/{Covid,Normal,Viral Pneumonia}",
        licence=_MIXED,
        redistribution=_NEVER,
        url="https://www.kaggle.com/datasets/pranavraikokte/covid19-image-dataset",
        how_to_get=_KAGGLE,
        kaggle="pranavraikokte/covid19-image-dataset",
        known_faults="Measured on all 317 images. Ten byte-identical pairs, six of them across "
        "train and test; with copies of changed contrast, 9 of the 26 COVID test "
        "images (35 %) show a radiograph that train holds: 301 groups among 317 "
        "images. Six files (auntminnie a-d, 0106, 0108) are one patient; patients "
        "are not recorded. The outer frame of the image alone separates COVID from "
        "the rest (AUC 0.98). The extension gives the label away: not .jpeg means "
        "COVID (specificity 1.00, sensitivity 0.58). COVID images are of adults; the "
        "others look paediatric. Letters, arrows and dates are burnt in. The origin "
        "of single images is not documented.",
    ),
    DatasetInfo(
        name="darkcovidnet",
        case="lesson 14",
        title="DarkCovidNet (Ozturk et al. 2020, doi 10.1016/j.compbiomed.2020.103792)",
        labels=(("No_findings", "normal"), ("Covid-19", "covid"), ("Pneumonia", "pneumonia")),
        images=1125,
        layout=(
            "X-Ray Image DataSet/{Covid-19,No_findings,Pneumonia} (earlier: Dataset/...), no split"
        ),
        licence=_MIXED,
        redistribution=_NEVER,
        url="https://github.com/muhammedtalo/COVID-19",
        how_to_get=_GITHUB,
        archive="muhammedtalo/COVID-19/archive/refs/heads/master.zip",
        patient="nih",
        source=_darkcovidnet_source,
        known_faults="Every COVID image comes from one collection and every other image from "
        "another (NIH), so that the source alone gives the label. NIH file names "
        "begin with the patient: 500 no-finding images are of 332 patients, 500 "
        "pneumonia images of 371, 21 patients are in both. The patients of the COVID "
        "files are not in their names (125 films, 83 patients). A random split of "
        "images leaves 51 / 46 / 37 % of the test images (COVID / no finding / "
        "pneumonia) with their patient in train. The published figures come from a "
        "test set that was also the validation set.",
    ),
    DatasetInfo(
        name="chest-xray-for-covid19-detection",
        case="B",
        title="Chest X-Ray for COVID-19 Detection (Kaggle)",
        labels=(("Normal", "normal"), ("Covid", "covid")),
        images=348,
        layout="Dataset/{Train,Val}/{Covid,Normal} and Dataset/Prediction, flat and without labels",
        licence=_UNREAD,
        redistribution=_NEVER,
        url="https://www.kaggle.com/datasets/fusicfenta/chest-xray-for-covid19-detection",
        how_to_get=_KAGGLE,
        kaggle="fusicfenta/chest-xray-for-covid19-detection",
        known_faults="Not measured by this course. 288 images in Train and 60 in Val, as three "
        "public notebooks print; the number in Prediction is not known, and not "
        "counted above. It has no labelled test folder, but the names in Prediction "
        "tell the class (NORMAL2-IM-..., ryct...). COVID files are named as in the "
        "ieee8023 collection, of adults, normal ones as in a collection of children "
        "(Kermany): age goes with the class. Patients are not recorded; several "
        "files are a series of one patient (-a, -b).",
    ),
    DatasetInfo(
        name="education454",
        case="C",
        title="education454/datasets (Git repository)",
        labels=(("NORMAL", "normal"), ("COVID19", "covid")),
        images=2295,
        layout="Data/{train,test}/{COVID19,NORMAL}",
        licence=_UNREAD,
        redistribution=_NEVER,
        url="https://github.com/education454/datasets.git",
        how_to_get=_GITHUB,
        archive="education454/datasets/archive/refs/heads/master.zip",
        known_faults="Not measured by this course. 1,811 images in train and 484 in test, as a "
        "public notebook prints; 712 COVID-19 and 1,583 normal. The normal files "
        "bear the names of the set prashant268/chest-xray-covid19-pneumonia, which "
        "took them from a collection of children (Kermany), while COVID-19 images "
        "are mostly of adults: age goes with the class. It has no validation folder, "
        "no licence file, and patients are not recorded.",
    ),
)
