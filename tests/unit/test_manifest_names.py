"""What names mean to an import: classes, splits, patients, no radiograph. Input -> expectation."""

import shutil
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxr_helpers import manifest


def put(root, *names):
    """A different small image for each name."""
    for number, name in enumerate(names):
        if sys.platform == "win32" and set(name) & set('<>:"|?*'):
            pytest.skip("Windows has no such names")
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (8, 10), np.uint8)
        Image.fromarray(pixels).save(path, "PNG" if path.suffix.lower() == ".png" else "JPEG")
    return root


def outcome(call):
    """{image_id: (label, split, patient)} and what was said, or None and the refusal."""
    try:
        found = call()
    except manifest.ManifestError as error:
        return None, str(error)
    table = found.table.astype(object).where(found.table.notna(), None)
    rows = {row.image_id: (row.label, row.split, row.patient) for row in table.itertuples()}
    return rows, " ".join([found.understood, *found.rejects["problem"].astype(str)])


def folder(root, **options):
    return outcome(lambda: manifest.from_folder(root, progress=False, **options))


def labels_of(rows):
    return rows and [label for label, _, _ in rows.values()]


# --- names of classes -----------------------------------------------------------------------------

ONE_NAME = [
    ("COVID-19", "covid 19"),
    ("Covid_19", "COVID19"),
    ("non-COVID", "Non Covid"),
    ("No_findings", "no findings"),
    ("Viral Pneumonia", "viral-pneumonia"),
    ("Pneumonie bactérienne", "pneumonie bacterienne"),
    ("Covid™", "covid"),
    ("1", 1),
    ("1.0", 1),
    (1.0, "01"),
    ("0.0", 0),
    ("-1.0", -1),
    ("COVID\N{EN DASH}19", "covid19"),
    ("COVID - 19", "covid19"),
    (" Covid ", "covid"),
    ("+1", "1"),
    (np.int64(3), "3.0"),
    ("PCR +", "pcr+"),
    ("PCR (+)", "PCR+"),
    ("\N{FULLWIDTH LATIN SMALL LETTER C}ovid", "covid"),
    ("STRASSE", "straße"),
]
TWO_NAMES = [
    ("PCR+", "PCR-"),
    ("COVID-", "COVID"),
    ("COVID+", "COVID"),
    (">5", "<5"),
    ("-1.0", "1.0"),
    ("covid?", "covid"),
    ("!Normal", "Normal"),
    ("1.0", "10"),
    ("0.5", "5"),
    ("COVID\N{MINUS SIGN}", "COVID"),
    ("≥5", "<5"),
    ("+", "-"),
    ("covid|normal", "covid normal"),
    ("~covid", "covid"),
    ("¬ill", "ill"),
    ("PCR- adults", "PCR adults"),
    ("✗ covid", "✓ covid"),
    ("COVID -", "COVID"),
    ("ill (-)", "ill"),
    ("20200319", "20200320"),
    ("50%", "50"),
]


@pytest.mark.parametrize(("one", "other"), ONE_NAME)
def test_one_name_in_two_spellings(tmp_path, one, other):
    (tmp_path / "t.csv").write_text(f'path,label\n"a.png","{one}"\n', "utf-8")
    put(tmp_path, "a.png")
    read = outcome(
        lambda: manifest.from_csv(tmp_path / "t.csv", labels={other: "viral"}, progress=False)
    )
    assert labels_of(read[0]) == ["viral"], read[1]


@pytest.mark.parametrize(("one", "other"), TWO_NAMES)
def test_two_names_that_differ_in_a_sign(tmp_path, one, other):
    (tmp_path / "t.csv").write_text(f'path,label\n"a.png","{one}"\n"b.png","{other}"\n', "utf-8")
    put(tmp_path, "a.png", "b.png")
    both = {one: "bacterial", other: "effusion"}
    read = outcome(lambda: manifest.from_csv(tmp_path / "t.csv", labels=both, progress=False))
    assert labels_of(read[0]) == ["bacterial", "effusion"], read[1]
    (tmp_path / "t.csv").write_text(f'path,label\n"a.png","{one}"\n', "utf-8")
    rows, said = outcome(
        lambda: manifest.from_csv(tmp_path / "t.csv", labels={other: "effusion"}, progress=False)
    )
    assert rows is None
    assert str(other) in said  # a mapping that names nothing


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("COVID+", "covid"),
        ("COVID-", "non_covid"),
        ("covid?", None),
        ("!Normal", None),
        ("Normal?", None),
        ("not covid", None),
        ("Covid & Normal", None),
        ("Covid/", "covid"),
        ("no finding", "normal"),
        ("~Normal", None),
    ],
)
def test_a_class_folder_is_known_or_asked_for(tmp_path, name, label):
    rows, said = folder(put(tmp_path, f"{name}/a.png", "Viral/b.png"))
    assert set(labels_of(rows) or []) == ({label, "viral"} if label else set())
    assert label or repr(name) in said


@pytest.mark.parametrize(
    ("labels", "word"),
    [
        ({"PNEUMONIAS": "viral"}, "PNEUMONIAS"),
        ({"NORMAL": "normal", "Covid19": "covid"}, "Covid19"),
        ({"": "covid"}, "no folder"),
        ({7: None}, "7"),
        ("covid", "labels= is 'covid'"),
        (["covid"], "folder name: label"),
        ({"NORMAL": "Normal"}, "a label is one of"),
        ({1: "covid", "1.0": "normal"}, "two spellings"),
    ],
)
def test_labels_that_name_nothing_or_are_none(tmp_path, labels, word):
    rows, said = folder(put(tmp_path, "PNEUMONIA/0.png", "NORMAL/1.png"), labels=labels)
    assert rows is None
    assert word in said


KERMANY = ["NORMAL/IM-0001-0001.jpeg", "NORMAL/NORMAL2-IM-0341-0001.jpeg"]
MISLEADING = [
    (
        [
            "PNEUMONIA/nejmoa2001191_f3-PA.jpeg",
            "PNEUMONIA/ryct.2020200034.fig5-day4.jpeg",
            *KERMANY,
        ],
        "named as covid",
    ),
    (["PNEUMONIA/COVID-19 (7).jpg", *KERMANY], "named as covid"),
    (["COVID/person1202_bacteria_3152.jpeg", *KERMANY], "named as bacterial"),
    (["NORMAL/COVID-1.png", "COVID/a.png"], "named as covid"),
    (["viral/IM-0115-0001.jpeg", "Covid/a.png"], "named as normal"),
    (
        [
            "PNEUMONIA/person1202_bacteria_3152.jpeg",
            "PNEUMONIA/person1202_virus_2045.jpeg",
            *KERMANY,
        ],
        None,
    ),
    (["non-COVID/NORMAL2-IM-0341-0001.jpeg", "COVID/auntminnie-a-2020.jpeg"], None),
    (["Normal/Normal-1.png", "COVID/COVID-1.png", "Viral Pneumonia/Viral Pneumonia-1.png"], None),
]


@pytest.mark.parametrize(("files", "word"), MISLEADING)
def test_a_class_whose_files_are_named_as_another_is_asked_for(tmp_path, files, word):
    rows, said = folder(put(tmp_path, *files))
    if word is None:
        assert len(rows) == len(files)
        assert "named as" not in said
        return
    assert rows is None
    assert word in said
    name = files[0].split("/")[0]
    rows, _ = folder(tmp_path, labels={name: "pneumonia"})  # the answer is taken
    assert len(rows) == len(files)
    assert "pneumonia" in labels_of(rows)


# --- what is no radiograph ------------------------------------------------------------------------

REASONS = {
    "mask": "lung masks,leftMask,Ground_Truth,MASKS,mask "
    "png,GT,segmentations,infection-mask,lungMasks,annotations,"
    "lungs_segmented,Maske,máscaras,seg_map",
    "heat map": "heatmaps,Heat Maps,grad-cam,GradCAM,saliency",
    "augmented copy": "augmented,Augmented Images,aug,flipped,rotated_90,synthetic",
    "small copy": "thumbnails,Thumbs,preview",
    "CT image": "CT,CT_scans,HRCT,axial,2CT,ct2,covid19ct",
    "lateral view": "lateral,Lateral views,profile,profil gauche",
    "other examination": "ultrasound,MRI",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reason", "name"), [(r, n) for r, names in REASONS.items() for n in names.split(",")]
)
@pytest.mark.parametrize("where", ["COVID/{}/a.png", "{}/COVID/a.png", "COVID/{}/P1/a.png"])
def test_a_folder_of_what_is_no_radiograph_is_left_out_and_said(tmp_path, reason, name, where):
    rows, said = folder(put(tmp_path, "COVID/images/b.png", "NORMAL/c.png", where.format(name)))
    assert list(rows) == ["COVID/images/b.png", "NORMAL/c.png"]
    assert f"1 {reason}" in said
    assert name in said


FILES = {
    "mask": "a_mask.png,mask_a.png,a-lungmask.png,a "
    "gt.png,a_seg.png,aMask.png,a_Ground-Truth.png,a_msk.png,b_lungseg.png",
    "heat map": "a_heatmap.png,a_gradcam.png,a.grad-cam.png",
    "augmented copy": "aug_0_123.png,a_flipped.png,a_rot90.png",
    "small copy": "a_thumb.png,thumbnail12.png",
    "CT image": "a_ct.png,CT-12.png",
    "lateral view": "view2_lateral.jpg,a-LAT.png",
}


@pytest.mark.parametrize(
    ("reason", "name"), [(r, n) for r, names in FILES.items() for n in names.split(",")]
)
def test_a_file_that_is_no_radiograph_is_left_out_and_said(tmp_path, reason, name):
    rows, said = folder(put(tmp_path, "COVID/b.png", "NORMAL/c.png", f"COVID/{name}"))
    assert list(rows) == ["COVID/b.png", "NORMAL/c.png"]
    assert f"1 {reason}" in said


RADIOGRAPHS = [
    "SARS-10.1148rg.242035193-g04mr34g0-Fig8a-day0.jpeg",
    "a9ct3.png",
    "lancet-case2b.jpg",
    "1-s2.0-S1-gr2_lrg-b.jpg",
    "P00012_1.png",
    "1312A392-67A3-4EBF-9319-810CF6DA5EF6.jpeg",
    "58cb9263f16e94305c730685358e4e_jumbo.jpeg",
    "view1_frontal.jpg",
    "jkms-35-e79-g001-l-b.jpg",
    "00000013_005.png",
    "MCUCXR_0001_0.png",
    "CXR1_1_IM-0001.png",
]


@pytest.mark.parametrize("code", ["933mr", "P-ct2sg", "9y4mr", "mr39k", "12ct4", "x_3lat7q"])
def test_a_short_word_inside_a_code_of_a_patient_says_nothing(tmp_path, code):
    rows, _ = folder(put(tmp_path, f"COVID/{code}/a.png", "NORMAL/P-1/b.png"))
    assert list(rows) == [f"COVID/{code}/a.png", "NORMAL/P-1/b.png"]


@pytest.mark.parametrize("name", RADIOGRAPHS)
def test_a_radiograph_stays(tmp_path, name):
    assert (
        len(folder(put(tmp_path, f"Ill/{name}", "NORMAL/c.png"), labels={"Ill": "viral"})[0]) == 2
    )


@pytest.mark.parametrize(
    "files",
    [
        ["masks/COVID/a.png", "masks/NORMAL/b.png"],
        ["COVID/lung masks/a.png", "COVID/lung masks/b.png"],
        ["CT_COVID/a.png", "CT_NonCOVID/b.png"],
        ["COVID/a_mask.png", "NORMAL/b_mask.png"],
    ],
)
def test_a_set_of_nothing_else_is_refused(tmp_path, files):
    rows, said = folder(put(tmp_path, *files))
    assert rows is None
    assert "left out" in said


def test_wrappers_may_speak_of_masks_and_what_the_caller_names_stays(tmp_path):
    files = [
        "Lung Segmentation Data/Train/COVID/images/a.png",
        "Lung Segmentation Data/Train/COVID/lung masks/a.png",
    ]
    files += ["chest-xray-masks-and-labels/COVID/a.png", "chest-xray-masks-and-labels/NORMAL/b.png"]
    assert len(folder(put(tmp_path / "1", *files[:2]))[0]) == 1
    assert len(folder(put(tmp_path / "2", *files[2:]))[0]) == 2
    rows, _ = folder(
        put(tmp_path / "3", "Mask wearers/a.png", "NORMAL/b.png"), labels={"Mask wearers": "viral"}
    )
    assert labels_of(rows) == ["viral", "normal"]
    assert "augmented" in folder(put(tmp_path / "augmented set", "COVID/a.png", "NORMAL/b.png"))[1]


BELOW = ["not covid", "rejected", "unsure", "Normal controls", "covid?", "other", "no covid"]
BELOW += ["maybe", "negatives", "PCR-", "PCR (-)", "recovered"]


@pytest.mark.parametrize("name", BELOW)
def test_a_folder_below_a_class_that_may_be_something_else_is_asked_for(tmp_path, name):
    put(tmp_path, f"COVID/{name}/a.png", "COVID/b.png", "NORMAL/c.png")
    rows, said = folder(tmp_path)
    assert rows is None
    assert repr(name) in said
    assert list(folder(tmp_path, labels={name: None})[0]) == ["COVID/b.png", "NORMAL/c.png"]


@pytest.mark.parametrize("name", ["P1", "follow up", "site A", "001"])
def test_a_folder_below_a_class_is_said(tmp_path, name):
    rows, said = folder(put(tmp_path, f"COVID/{name}/a.png", "NORMAL/c.png"))
    assert len(rows) == 2
    assert f"COVID/{name}" in said


@pytest.mark.parametrize(
    "name", ["Trash", "rejected films", "bad quality", "Excluded", "mislabelled"]
)
def test_a_folder_above_the_classes_of_what_somebody_threw_out_is_asked_for(tmp_path, name):
    put(tmp_path, f"{name}/COVID/a.png", "COVID/b.png", "NORMAL/c.png")
    rows, said = folder(tmp_path)
    assert rows is None
    assert repr(name) in said
    assert list(folder(tmp_path, labels={name: None})[0]) == ["COVID/b.png", "NORMAL/c.png"]


@pytest.mark.parametrize(
    "name", ["$RECYCLE.BIN", "@eaDir", "__MACOSX", "System Volume Information", ".Trash-1000"]
)
def test_what_a_machine_keeps_for_itself_is_passed_over_and_said(tmp_path, name):
    rows, said = folder(put(tmp_path, f"{name}/COVID/a.png", "COVID/b.png", "NORMAL/c.png"))
    assert list(rows) == ["COVID/b.png", "NORMAL/c.png"]
    assert f"1 other file or folder ignored ({name})" in said


TWICE = [
    (["COVID/0.png", "NORMAL/1.png"], ["backup/COVID/0.png", "backup/NORMAL/1.png"]),
    (
        ["s/train/COVID/0.png", "s/train/NORMAL/1.png"],
        ["s/s/train/COVID/0.png", "s/s/train/NORMAL/1.png"],
    ),
    (["v1/COVID/0.png", "v1/NORMAL/1.png"], ["v2 old/v1/COVID/0.png", "v2 old/v1/NORMAL/1.png"]),
    (["train/COVID/0.png", "test/NORMAL/1.png"], ["all/COVID/0.png", "all/NORMAL/1.png"]),
]


@pytest.mark.parametrize(("once", "again"), TWICE)
def test_a_tree_that_stands_twice_is_taken_once_and_said(tmp_path, once, again):
    put(tmp_path, *once)
    for name, copy in zip(once, again, strict=True):
        (tmp_path / copy).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / name, tmp_path / copy)
    rows, said = folder(tmp_path)
    assert sorted(rows) == sorted(once)
    assert "2 files taken once only" in said


@pytest.mark.parametrize(
    "copy",
    [
        "test/COVID/0.png",
        "train/COVID/other name.png",
        "train/NORMAL/0.png",
        "train/COVID/P2/0.png",
    ],
)
def test_a_copy_in_another_part_class_or_name_is_for_the_audit(tmp_path, copy):
    put(tmp_path, "train/COVID/0.png", "train/NORMAL/1.png")
    (tmp_path / copy).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(tmp_path / "train/COVID/0.png", tmp_path / copy)
    rows, said = folder(tmp_path)
    assert len(rows) == 3
    assert ("identical byte for byte under two classes" in said) == (copy == "train/NORMAL/0.png")


# --- what is there and unused ---------------------------------------------------------------------

SPLITS = {
    "train": (
        "TrainData,train_images,Training Data,TRAIN,stage_2_train_images,train "
        "set,training-set,Train1"
    ),
    "val": "ValData,Validation Data,valid,val_images,dev set",
    "test": "TestData,test_images,Testing,test-set,stage_2_test_images",
}


@pytest.mark.parametrize(
    ("split", "name"), [(s, n) for s, names in SPLITS.items() for n in names.split(",")]
)
@pytest.mark.parametrize("where", ["{}/COVID/a.png", "COVID/{}/a.png"])
def test_folders_of_a_split(tmp_path, split, name, where):
    rows, said = folder(put(tmp_path, where.format(name), "NORMAL/b.png"))
    assert rows[where.format(name)] == ("covid", split, None)
    assert f"{name} → {split}" in said


@pytest.mark.parametrize("name", ["holdout", "latest", "external test centre", "trainees", "fold1"])
def test_a_folder_that_is_no_split_is_said(tmp_path, name):
    rows, said = folder(put(tmp_path, f"{name}/COVID/a.png", "x/NORMAL/b.png"))
    assert all(split is None for _, split, _ in rows.values())
    assert name in said


PATIENTS = [
    ("nih", ["00000013_005.png", "b.png"], ["00000013", None], "fits 1 of 2"),
    (r"(P\d+)_", ["P1_0.png", "P2_0.png"], ["P1", "P2"], "2 patients known for 2 of 2"),
    (r"(P\d+)", ["P1/a.png", "P2/b.png"], ["P1", "P2"], "patient from the folders"),
    (
        r"(patient\d+)",
        ["patient1/study1/a.png", "patient2/study1/b.png"],
        ["patient1", "patient2"],
        "from the folders",
    ),
    (lambda path: int(path[-5]), ["0.png", "1.png"], ["0", "1"], "2 patients"),
    (lambda path: float("nan"), ["0.png", "1.png"], [None, None], "no patient known"),
    (lambda path: "unknown ", ["0.png", "1.png"], [None, None], "'unknown' taken as unknown"),
    (None, ["0.png", "1.png"], [None, None], "no patient known"),
    (
        r"(P ?\d+)_",
        ["P1_0.png", "P 1_1.png"],
        ["P 1", "P 1"],
        "spelled in several ways taken as one: 'P 1' = 'P1'",
    ),
    (r"^(.+?)_", ["p1_0.png", "P1_1.png"], ["P1", "P1"], "taken as one: 'P1' = 'p1'"),
    (r"^(\d+)_", ["007_0.png", "7_1.png"], ["007", "007"], "taken as one: '007' = '7'"),
    (
        r"^(.+)_",
        ["1.23457E+12_0.png", "2_1.png"],
        ["1.23457E+12", "2"],
        "that a spreadsheet has cut (1.23457E+12)",
    ),
    (
        lambda path: [path],
        ["0.png", "1.png"],
        None,
        "which is no name: give text, a number or None",
    ),
    ("nih", ["a.png", "b.png"], None, "fits none of the 2 file names"),
    (r"(\d{8})_", ["1.png", "2.png"], None, "fits none of the 2"),
    (7, ["1.png", "2.png"], None, "no regular expression"),
]


@pytest.mark.parametrize(("rule", "files", "patients", "word"), PATIENTS)
def test_rules_for_patients(tmp_path, rule, files, patients, word):
    put(tmp_path, f"COVID/{files[0]}", f"NORMAL/{files[1]}")
    rows, said = folder(tmp_path, patient=rule)
    assert (rows and [patient for _, _, patient in rows.values()]) == patients
    assert word in said


def table(root, text, files=("0.png", "1.png", "2.png", "3.png"), **options):
    put(root, *files)
    (root / "t.csv").write_text(text, "utf-8")
    return outcome(lambda: manifest.from_csv(root / "t.csv", progress=False, **options))


COLUMNS = [
    (
        "path,label,patient,split\n0.png,covid,1,train\n1.png,normal,2,test\n",
        [("covid", "train", "1"), ("normal", "test", "2")],
    ),
    (
        "path,label,Patient ID\n0.png,covid,1\n1.png,normal,2\n",
        [("covid", None, "1"), ("normal", None, "2")],
    ),
    (
        "path,label,subject_id\n0.png,covid,a\n1.png,normal,a \n",
        [("covid", None, "a"), ("normal", None, "a")],
    ),
    (
        "path , label\n0.png ,covid \n 1.png,normal\n",
        [("covid", None, None), ("normal", None, None)],
    ),
    (
        "path,label,patient\n0.png,covid,0\n1.png,normal,1\n",
        [("covid", None, "0"), ("normal", None, "1")],
    ),
    (
        "path,label,patient\n0.png,covid,7.0\n1.png,normal,7\n",
        [("covid", None, "7"), ("normal", None, "7")],
    ),
    (
        "path,label,split\n0.png,covid,Training Data\n1.png,normal,Validation\n",
        [("covid", "train", None), ("normal", "val", None)],
    ),
]


@pytest.mark.parametrize(("text", "expected"), COLUMNS)
def test_columns_of_usual_names_are_used(tmp_path, text, expected):
    rows, said = table(tmp_path, text)
    assert list(rows.values()) == expected
    assert ("patient from the column" in said) == any(patient for _, _, patient in expected)


@pytest.mark.parametrize(
    "rule", [r"(png)$", lambda path: path.split("/")[-2], lambda path: "site 1"]
)
def test_a_rule_that_gives_a_class_one_patient_is_asked_about(tmp_path, rule):
    put(
        tmp_path, *(f"{label}/{number}.png" for label in ("COVID", "NORMAL") for number in range(3))
    )
    assert "all 3 images of COVID are of one patient" in folder(tmp_path, patient=rule)[1]


def test_one_patient_who_has_most_of_the_images_is_asked_about(tmp_path):
    text = "path,label,patient\n" + "".join(
        f"{k}.png,{('covid', 'normal')[k % 2]},{max(999, 990 + k)}\n" for k in range(12)
    )
    _, said = table(tmp_path, text, [f"{k}.png" for k in range(12)])
    assert "patient '999' has 10 of 12 images: is that one person?" in said


NOBODY = [
    "NA",
    "unknown",
    "nan",
    "N/A",
    "None",
    "?",
    "-",
    "0",
    "<NA>",
    "Anonymous",
    "not available",
    "00000000",
    "-1",
]
NOBODY += ["anon", "not recorded", "TBD", "x", "#N/A", "patient"]


@pytest.mark.parametrize("word", NOBODY)
def test_a_placeholder_is_no_person(tmp_path, word):
    text = f"path,label,patient\n0.png,covid,{word}\n1.png,normal,{word}\n2.png,covid,5\n"
    rows, said = table(tmp_path, text)
    assert [patient for _, _, patient in rows.values()] == [None, None, "5"]
    assert repr(word) in said


def test_folders_of_a_split_in_the_paths_of_a_table_are_said(tmp_path):
    rows, said = table(
        tmp_path,
        "path,label\ntrain/0.png,covid\nvalid/1.png,normal\n",
        ("train/0.png", "valid/1.png"),
    )
    assert len(rows) == 2
    assert "folders of a split in the paths, not used: train, valid" in said


UNUSED = [
    ("path,label,age,source_site\n0.png,covid,50,x\n", "columns not used: age, source_site"),
    ("path,label,split\n0.png,covid,later\n", "columns not used: split"),
    ("path,label,Set\n0.png,covid,Train\n", "split from the column Set Train → train"),
    ("path,label,report\n0.png,covid," + "x" * 200_000 + "\n", "columns not used: report"),
    ("path,label,dataset\n0.png,covid,NIH\n", "columns not used: dataset"),
    ("path,label,patient,subject\n0.png,covid,1,2\n", "several columns for the patient"),
    ("path,label,label\n0.png,covid,normal\n", "two columns called label"),
    ("path,path ,label\n0.png,1.png,normal\n", "two columns called path"),
    ("path,label\n0.png,covid,extra\n", "has 3 fields in line 2, but 2 columns"),
    (
        "path;label\n0.png;covid\n",
        "It is one column, with ';' between the fields: save the table with commas",
    ),
    ("path\tlabel\n0.png\tcovid\n", "between the fields: save the table with commas"),
    ("path,label,patient,patient\n0.png,covid,1,2\n", "two columns called patient"),
    ("path,label,split,split\n0.png,covid,train,test\n", "two columns called split"),
    ("path,label,view\n0.png,covid,Oblique\n", "views of unknown name taken as frontal: Oblique"),
    ("0.png covid\n1.png normal\n", "It is one column"),
    ("<!DOCTYPE html><html>Sign in</html>", "is a web page"),
    ("PK\x03\x04", "a spreadsheet or an archive"),
]


@pytest.mark.parametrize(("text", "word"), UNUSED)
def test_what_a_table_holds_besides_is_said_or_refused(tmp_path, text, word):
    assert word in table(tmp_path, text)[1]


@pytest.mark.parametrize(
    ("column", "cell", "stays"),
    [
        ("view", "L", False),
        ("View Position", "LL", False),
        ("Frontal/Lateral", "Lateral", False),
        ("modality", "CT", False),
        ("view", "Axial", False),
        ("view", "AP Supine", True),
        ("modality", "X-ray", True),
        ("Frontal/Lateral", "Frontal", True),
        ("view", "PA", True),
        ("view", "RLD", False),
        ("modality", "US", False),
        ("modality", "MG", False),
        ("view", "AP erect portable", True),
    ],
)
def test_the_column_of_the_view_is_heeded(tmp_path, column, cell, stays):
    rows, said = table(tmp_path, f"path,label,{column}\n0.png,covid,PA\n1.png,normal,{cell}\n")
    assert len(rows) == 1 + stays
    assert (
        stays or "1 lateral view" in said or "1 CT image" in said or "1 other examination" in said
    )
    assert "unknown name" not in said


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("masks/1.png", "mask"),
        ("CT/1.png", "CT image"),
        ("1_mask.png", "mask"),
        ("lung masks/x/1.png", "mask"),
        ("Lung Segmentation Data/COVID/1.png", None),
        ("COVID-CT set/1.png", None),
        ("images/1.png", None),
    ],
)
def test_what_is_no_radiograph_is_left_out_of_a_table_too(tmp_path, file, reason):
    rows, said = table(tmp_path, f"path,label\n0.png,covid\n{file},normal\n", ("0.png", file))
    assert len(rows) == 1 + (reason is None)
    assert reason is None or f"1 {reason} left out" in said


FOUND = [
    ("0004cfab", ["train/0004cfab.png", "train/1.png"], "train/0004cfab.png"),
    ("a.png", ["images_001/images/a.png", "images_002/images/b.png"], "images_001/images/a.png"),
    ("{root}/train/a.png", ["train/a.png", "test/a.png"], "train/a.png"),
    ("/kaggle/input/x/train/a.png", ["train/a.png", "test/a.png"], "train/a.png"),
    ("train\\a.png", ["train/a.png"], "train/a.png"),
    ("a.JPG", ["x/a.jpg"], "x/a.jpg"),
    ("1.2.840.113", ["x/1.2.840.113.png"], "x/1.2.840.113.png"),
    ("a", ["images/a.png", "masks/a.png"], "images/a.png"),
    (" a.png ", ["a.png"], "a.png"),
    ("a.png", ["x/a.png", "y/a.png"], None),
    ("a" * 5000 + ".png", ["a.png"], None),
    ("a", ["a.png", "a.jpg"], None),
    ("a.jpg", ["a.png"], None),
    ("train/b.png", ["test/b.png"], None),
    ("patient2/study1/v.png", ["patient1/study1/v.png"], None),
    ("x/a.png", ["a.png"], None),
]


@pytest.mark.parametrize(("cell", "files", "expected"), FOUND)
def test_the_file_that_a_cell_names(tmp_path, cell, files, expected):
    root = tmp_path / "set"
    text = f"path,label\n{cell.format(root='set')},covid\n"
    rows, said = table(root, text, files)
    assert list(rows) == ([expected] if expected else [])
    assert expected or any(
        word in said for word in ("does not exist", "could be several files", "cannot be opened")
    )


def test_the_paragraph_says_everything(tmp_path):
    files = [
        "TrainData/COVID/P1_0.png",
        "TrainData/NORMAL/P2_0.png",
        "TestData/COVID/x.png",
        "Prediction/y.png",
    ]
    put(tmp_path / "Set", *files, "TrainData/COVID/masks/m.png", "site A/NORMAL/P3_0.png")
    (tmp_path / "Set/TrainData/NORMAL/bad.jpg").write_bytes(b"")
    (tmp_path / "Set/notes.txt").write_text("x")
    _, said = folder(tmp_path / "Set", patient=r"(P\d+)_")
    for part in (
        "Set: 4 images of 7 files (normal 2, covid 2)",
        "COVID → covid",
        "TrainData → train",
        "TestData → test",
        "3 patients known for 3 of 4 images",
        "fits 3 of 4 file names",
        "1 mask left out (in TrainData/COVID/masks)",
        "1 image without a class (in Prediction)",
        "1 file rejected",
        "1 other file or folder ignored",
        "neither as class nor as split",
    ):
        assert part in said, part


@pytest.mark.parametrize(
    ("files", "word"),
    [
        (["train/test/COVID/a.png", "x/NORMAL/b.png"], "the inner one counts: train/test"),
        (["COVID/Normal/a.png", "Viral/b.png"], "the inner one counts: COVID/Normal"),
        (["COVID/a.png", "val/COVID/b.png", "NORMAL/c.png"], "2 images in no part of the split"),
        (
            ["o/COVID/a.png", "resized/COVID/a.png", "o/NORMAL/b.png"],
            "names in two folders: o/COVID and resized/COVID",
        ),
        (
            ["COVID/images/a.png", "COVID/lungs/a.png", "NORMAL/b.png"],
            "two folders: COVID/images and COVID/lungs",
        ),
        (["COVID/P1/a.png", "NORMAL/b.png"], "if they name patients, pass patient="),
        (
            ["train/COVID/a.png", "train/NORMAL/b.png", "test/c.png"],
            "1 image without a class (in test)",
        ),
        (
            ["COVID/train_1.png", "NORMAL/test-1.png"],
            "parts of a split in the names of files, not used: test, train",
        ),
        (
            [f"COVID/{k}{end}.png" for k in "ab" for end in ("", "_soft")],
            "2 files named as another one and '_soft'",
        ),
        (
            [f"COVID/{k}{end}.png" for k in "ab" for end in ("", " (1)")],
            "2 files named as another one and ' (1)'",
        ),
        (
            [f"COVID/{k}{end}.png" for k in "ab" for end in ("", " - Copy")],
            "another one and ' - Copy'",
        ),
    ],
)
def test_what_is_assumed_is_said(tmp_path, files, word):
    assert word in folder(put(tmp_path, *files))[1]


@pytest.mark.parametrize(
    "names",
    [
        # a series
        ["IM-0246-0001.png", "IM-0246-0001-0002.png", "IM-0248-0001.png", "IM-0248-0001-0002.png"],
        ["COVID-1.png", "COVID-10.png", "COVID-100.png", "COVID.png"],
        ["COVID19(1).png", "COVID19(12).png", "COVID-19 (1).png"],
    ],
)
def test_names_of_a_series_are_no_copies(tmp_path, names):
    assert (
        "named as another one" not in folder(put(tmp_path, *(f"COVID/{name}" for name in names)))[1]
    )


def test_lists_that_lie_beside_a_table_are_said(tmp_path):
    for name in ("train_val_list.txt", "test_list.txt", "metadata.csv", "notes.txt"):
        (tmp_path / name).write_text("x")
    _, said = table(tmp_path, "path,label\n0.png,covid\n1.png,normal\n")
    assert (
        "other lists beside it, not read: metadata.csv, test_list.txt, train_val_list.txt" in said
    )


def test_two_imports_of_a_table_and_its_folder_agree(tmp_path):
    put(tmp_path, "train/COVID/0.png", "test/NORMAL/1.png")
    first = manifest.from_folder(tmp_path, progress=False).table
    first[["path", "label", "split"]].to_csv(tmp_path / "t.csv", index=False)
    again = manifest.from_csv(tmp_path / "t.csv", progress=False).table
    same = [c for c in first.columns if c != "original_label"]
    pd.testing.assert_frame_equal(first[same], again[same])
