"""What a name says: a class, a split, an image without a label, or something else."""

import itertools
import re
import unicodedata
from collections.abc import Mapping
from functools import cache

# Folder names as `key` writes them -> canonical label.
_LABEL_NAMES = {
    "covid": "covid covid19 covid19positive covidpositive positive sarscov2 coronavirus "
    "covid19pneumonia covid+ covid19+",
    "normal": "normal normals nofinding nofindings healthy",
    "viral": "viral viralpneumonia pneumoniaviral",
    "bacterial": "bacterial bacterialpneumonia pneumoniabacterial",
    "effusion": "effusion pleuraleffusion",
    "pneumonia": "pneumonia",
    "non_covid": (
        "negative noncovid noncovid19 covid19negative covidnegative lungopacity covid- covid19-"
    ),
}
DEFAULT_LABELS = {name: label for label, names in _LABEL_NAMES.items() for name in names.split()}
# made by machines
_SKIPPED = {"macosx", "pycache", "eadir", "recyclebin", "recycle", "systemvolumeinformation"}

# Words beside the one that counts: "train_images" is a split, "patient images" a usual sub-folder.
_NEUTRAL = (
    r"data|sets?|images?|imgs?|pictures?|pics?|files?|folder|dir|split|part|samples?"
    r"|chest|cxrs?|x-?rays?|radiographs?|films?|scans?|pngs?|jpe?gs?|dicoms?|dcms?"
    r"|stage|pa|ap|frontal|\d"
)
_SPLIT = re.compile(
    rf"(?:{_NEUTRAL})*"
    r"(?:(?P<train>train(?:ing)?|trn)|(?P<val>val(?:id)?(?:ation)?|dev)|(?P<test>test(?:ing)?|tst))"
    rf"(?:{_NEUTRAL})*"
)
_UNLABELLED = re.compile(
    rf"(?:{_NEUTRAL})*(?:predict(?:ions?)?|unlabell?ed|inference)(?:{_NEUTRAL})*"
)
_ALL_NEUTRAL = re.compile(rf"(?:{_NEUTRAL})*")

_BODY = {
    "lung",
    "lungs",
    "left",
    "right",
    "heart",
    "infection",
    "lesion",
    "lesions",
    "manual",
    "binary",
    "predicted",
    "map",
    "maps",
}
_NO_RADIOGRAPH = {
    "mask": "mask masks masque masques groundtruth gt contour contours roi rois bbox bboxes boxes "
    "annotation annotations annotated overlay overlays outline outlines seg segs "
    "segmentation segmentations segmented lungseg msk masken maske mascara mascaras "
    "trimap trimaps",
    "heat map": "heatmap heatmaps gradcam saliency cam cams activation activations attention",
    "augmented copy": "augmented augmentation augmentations augment aug augs flip flipped hflip "
    "vflip mirrored rotated rotation rotations rot zoomed sheared noisy blurred "
    "oversampled synthetic generated gan fake",
    "small copy": "thumbnail thumbnails thumb thumbs preview previews icon icons",
    "CT image": "ct cts hrct ctscan ctscans tomography slice slices axial coronal sagittal",
    "other examination": "mri mr ultrasound pocus sonography",
    "lateral view": "lateral laterals lat ll profile profil",
}
_REASONS = {word: reason for reason, words in _NO_RADIOGRAPH.items() for word in words.split()}
# "Lung Segmentation Data" holds images as well.
_SEGMENTATION = {"seg", "segs", "segmentation", "segmentations", "segmented"}
_PLURALS = {"small copy": "small copies", "augmented copy": "augmented copies"}
_SHORT, _LONG = (
    "|".join(word for word in _REASONS if (len(word) > 4) == is_long) for is_long in (False, True)
)
_SUSPECT = re.compile(
    rf"(?<![a-z])(?:{_SHORT})(?![a-z])|{_LONG}|mask|ground|heat|grad|[^\x00-\x7f]"
)
_DOUBT = {
    "not",
    "non",
    "no",
    "without",
    "exclude",
    "excluded",
    "reject",
    "rejected",
    "bad",
    "wrong",
    "false",
    "poor",
    "uncertain",
    "unsure",
    "doubtful",
    "questionable",
    "suspect",
    "suspected",
    "probable",
    "possible",
    "unclear",
    "other",
    "others",
    "mixed",
    "unknown",
    "unusable",
    "trash",
    "deleted",
    "removed",
    "mislabeled",
    "mislabelled",
    "control",
    "controls",
    "maybe",
    "negative",
    "negatives",
    "neg",
    "recovered",
    "?",
    "!",
}
_DISCARDED = {
    "exclude",
    "excluded",
    "reject",
    "rejected",
    "bad",
    "wrong",
    "poor",
    "unusable",
    "trash",
    "deleted",
    "removed",
    "mislabeled",
    "mislabelled",
    "discarded",
}

# How files of widely copied collections begin -> what they show.
_TELLING = (
    (
        "covid",
        r"covid(?!.*neg)|sars-cov|ncov|corona|auntminnie|nejm|ryct\.|radiol\.20|1-s2\.0-|lancet"
        r"|kjr-21-|jkms-35-|all14238|41591_2020",
    ),
    ("normal", r"(?:normal2-)?im-\d{4}|normal[-_ (]"),
    ("viral", r"person\d+_virus|viral pneumonia-|sars-\d"),
    ("bacterial", r"person\d+_bacteria"),
)

_MARKS = str.maketrans(
    dict.fromkeys("™®©") | dict.fromkeys("\N{HYPHEN}\N{NON-BREAKING HYPHEN}‒–—\N{MINUS SIGN}", "-")
)
_DROPPED = str.maketrans(dict.fromkeys("_.,;:'\"`´’‘“”„()[]{}/\\·•"))


@cache
def key(name: object) -> str:
    """A name without case, accents, blanks and punctuation: "COVID-19" and "covid 19" are one name.

    Signs are part of a name: + < > ? ! and a minus that does not join two words or numbers
    ("COVID-", "-1"). Numbers are compared as such: 1, "1" and "1.0" are one name, 1 and 10 or -1
    are not. A Mac writes an accented letter as two characters; without the accent it is the same
    however it is written.
    """
    plain = _plain(str(name).casefold()).strip().strip("_")
    if number := re.fullmatch(r"([+-]?)0*(\d+)(?:\.(\d*?)0*)?", plain):
        sign, whole, part = number.groups()
        minus = sign if sign == "-" and (whole != "0" or part) else ""
        return f"{minus}{whole}.{part}" if part else minus + whole
    plain = re.sub(r"(?<=[^\W_])-+(?=[^\W_])|(?<=[\s_])-+(?=[\s_])", " ", plain)
    return "".join(plain.translate(_DROPPED).split()).casefold()


def _plain(text: str) -> str:
    """Letters without accents, one kind of dash, no signs of a trade mark, nothing invisible."""
    letters = unicodedata.normalize("NFKD", text.translate(_MARKS))
    return "".join(c for c in letters if unicodedata.category(c) not in ("Mn", "Cf")).translate(
        _MARKS
    )


def words(name: str) -> list[str]:
    """Words of a name in small letters: "leftMask 2" gives left, mask, 2; doubts are words too."""
    return [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[?!]", _plain(name))]


@cache
def split_of(name: str) -> str | None:
    """The split that a folder or a cell names ("TrainData", "Validation set"), or None."""
    found = _SPLIT.fullmatch(key(name))
    return found.lastgroup if found else None


@cache
def is_unlabelled(folder: str) -> bool:
    """Whether a folder says that its images have no label yet ("Prediction")."""
    return bool(_UNLABELLED.fullmatch(key(folder)))


@cache
def is_neutral(folder: str) -> bool:
    """Whether a word or a sub-folder says only that it holds images ("images", "png", "part 2")."""
    return bool(_ALL_NEUTRAL.fullmatch(key(folder)))


@cache
def no_radiograph(name: str, *, whole: bool = False, last: bool = True) -> str | None:
    """Why a folder's or file's name says: no frontal radiograph ("mask", "heat map"), or None.

    ``whole``: only where the name says nothing else, as for a folder that all images share.
    ``last``: the folder holds the files themselves.
    """
    said = [
        word
        for part in re.split(r"[\W_]+", _plain(name))
        for word in words(part)
        if not _in_a_code(word, part)
    ]
    last = last or (not whole and all(word in _SEGMENTATION or word in _BODY for word in said))
    pairs = [a + b for a, b in itertools.pairwise(said)]  # heat map, ground truth, grad cam
    reasons = [reason for word in (*said, *pairs) if (reason := _reason(word, last))]
    if whole and any(
        not _reason(word, last) and word not in _BODY and not is_neutral(word) for word in said
    ):
        reasons = reasons if "".join(said) in pairs else []
    return reasons[0] if reasons else None


def _in_a_code(word: str, part: str) -> bool:
    """Whether a short word is part of a code and says nothing.

    The patient "933mr" is one; "ct2" and "1ct" are none.
    """
    if len(word) > 4 or re.fullmatch(r"\d?[^\W\d]+\d*", part) or not re.search(r"\d[^\W\d]", part):
        return False
    return not re.search(r"[^\W\d]{4}", part)


def _reason(word: str, last: bool) -> str | None:
    if word.endswith(("mask", "masks")):
        return "mask"
    return None if word in _SEGMENTATION and not last else _REASONS.get(word)


def file_is_no_radiograph(stem: str) -> str | None:
    """As `no_radiograph`, for a file: a short word counts alone ("a_ct.png", not "a9ct3.png")."""
    if not _SUSPECT.search(stem.lower()):  # most names, quickly
        return None
    alone = [re.sub(r"\d+$", "", part) for part in re.split(r"[\W_]+", _plain(stem).lower())]
    pairs = [a + b for a, b in itertools.pairwise(alone)]
    spelled = [word for word in words(stem) if len(word) > 4]  # also in "chestLateral"
    return next(filter(None, (_reason(word, True) for word in (*alone, *pairs, *spelled))), None)


def plural(reason: str, n: int) -> str:
    return f"{n:,} {reason if n == 1 else _PLURALS.get(reason, reason + 's')}"


def doubts(folder: str, label: str | None, labels: Mapping[str, str | None]) -> bool:
    """Whether a folder in a class folder may hold anything else: "not covid", "rejected"."""
    said = words(folder)
    if "no" in said[:1] and said[1:2] and said[1].isdigit():  # "No 12" is a number
        return False
    if labels.get("".join(word for word in said if not is_neutral(word))) == label:
        return False
    other = {word for word in said if labels.get(word, label) != label} - {"pneumonia"}
    return bool(other or _DOUBT.intersection(said) or key(folder).endswith("-"))


def discards(folder: str) -> bool:
    """Whether a folder above the class folders says that somebody did not want its images."""
    return not _DISCARDED.isdisjoint(words(folder))


def is_made_by_a_machine(folder: str) -> bool:
    """Whether a system or program keeps its own things in a folder ("@eaDir", "$RECYCLE.BIN")."""
    return folder.startswith(".") or re.sub(r"\W", "", key(folder)) in _SKIPPED


def told_by_file(name: str) -> str | None:
    """The label that a file's name tells, for names of widely copied collections, or None."""
    low = name.casefold()
    return next((label for label, start in _TELLING if re.match(start, low)), None)


def contradicts(told: str | None, label: str | None) -> bool:
    """Whether what a file's name tells does not fit the label of its folder."""
    if told is None or told == label:
        return False
    return not (label == "pneumonia" and told in ("viral", "bacterial")) and not (
        label == "non_covid" and told != "covid"
    )
