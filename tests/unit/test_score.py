"""Anybody's results: arrays and CSV files as people have them, or refused in words.

Figures are compared with scikit-learn's.
"""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

from cxr_helpers import evaluate
from cxr_helpers.cli import app
from cxr_helpers.evaluate import PredictionsError

NAMES = ["covid", "normal", "viral"]
runner = CliRunner()


def drawn(n, seed=0, classes=3, digits=6):
    """True class numbers and probabilities (n, K) of a model that is often right."""
    rng = np.random.default_rng(seed)
    truth = np.r_[np.arange(classes), rng.integers(0, classes, n - classes)]
    logits = rng.normal(size=(n, classes)) + 1.5 * np.eye(classes)[truth]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return truth, np.round(p, digits)


def value(table, metric, name="all"):
    found = evaluate.metrics(table).set_index(["metric", "class"])
    return found.loc[(metric, name), "value"]


def check_classes(table, truth, said):
    """Figures of the table against scikit-learn's on the same classes."""
    truth, said = [str(name) for name in truth], [str(name) for name in said]
    assert table["label"].astype(str).tolist() == truth
    assert table["predicted"].astype(str).tolist() == said
    assert value(table, "accuracy") == pytest.approx(sk.accuracy_score(truth, said))
    assert value(table, "f1_macro") == pytest.approx(
        sk.f1_score(truth, said, average="macro", zero_division=0)
    )
    report = sk.classification_report(truth, said, output_dict=True, zero_division=np.nan)
    for name in set(truth):
        assert value(table, "sensitivity", name) == pytest.approx(report[name]["recall"])
        assert value(table, "ppv", name) == pytest.approx(report[name]["precision"], nan_ok=True)
    names = evaluate.classes(table)
    assert (
        evaluate.confusion(table).to_numpy() == sk.confusion_matrix(truth, said, labels=names)
    ).all()


def written(tmp_path, text, name="mine.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def scored(path, *options):
    return runner.invoke(app, ["score", str(path), *map(str, options)], env={"COLUMNS": "200"})


def refused(result, *words):
    """One line on standard error, exit code 1."""
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("cxr: ")
    assert result.stderr.count("\n") == 1, result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


# --- arrays ---------------------------------------------------------------------------------------


def test_scikit_learns_answers_are_scored_as_they_come():
    rng = np.random.default_rng(0)
    y = np.array(["viral", "covid", "normal"])[rng.integers(0, 3, 90)]
    x = rng.normal(size=(90, 4)) + (y == "covid")[:, None] - (y == "viral")[:, None]
    model = LogisticRegression().fit(x[:50], y[:50])
    p = model.predict_proba(x[50:])
    table = evaluate.from_arrays(y[50:], p, groups=np.arange(40) // 2)
    assert evaluate.classes(table) == model.classes_.tolist()
    check_classes(table, y[50:], model.predict(x[50:]))
    for k, name in enumerate(model.classes_):
        assert value(table, "roc_auc", name) == pytest.approx(
            sk.roc_auc_score(y[50:] == name, p[:, k])
        )
    assert evaluate.metric(table).groups == 20
    assert evaluate.has_probabilities(table)
    classes_only = evaluate.from_arrays(y[50:], model.predict(x[50:]))
    assert not evaluate.has_probabilities(classes_only)
    assert evaluate.metric(classes_only).groups == 40
    check_classes(classes_only, y[50:], model.predict(x[50:]))


def test_more_than_nine_classes_stand_in_the_order_of_numbers():
    truth, p = drawn(60, classes=12)
    table = evaluate.from_arrays(truth, p / p.sum(axis=1, keepdims=True))
    assert evaluate.classes(table) == [str(k) for k in range(12)]
    check_classes(table, truth, p.argmax(axis=1))


@pytest.mark.parametrize("kind", [int, float, bool, np.float32])
@pytest.mark.parametrize("column", [False, True])
def test_of_labels_0_and_1_a_score_is_the_probability_of_1(kind, column):
    truth, p = drawn(40, classes=2)
    score = p[:, 1]
    table = evaluate.from_arrays(truth.astype(kind), score[:, None] if column else score)
    positive = evaluate.classes(table)[1]
    assert positive in ("1", "True")
    assert value(table, "roc_auc", positive) == pytest.approx(sk.roc_auc_score(truth, score))
    assert value(table, "accuracy") == pytest.approx(sk.accuracy_score(truth, score >= 0.5))
    assert value(table, "sensitivity", positive) == pytest.approx(
        sk.recall_score(truth, score >= 0.5)
    )


def test_of_two_names_the_class_of_a_score_is_told_and_decides_the_direction(tmp_path):
    truth, p = drawn(40, classes=2)
    labels = np.array(["covid", "normal"])[truth]
    with pytest.raises(PredictionsError, match="of which class"):
        evaluate.from_arrays(labels, p[:, 0])
    for k, positive in enumerate(("covid", "normal")):
        table = evaluate.from_arrays(labels, p[:, k], positive=positive)
        assert value(table, "roc_auc", positive) == pytest.approx(
            sk.roc_auc_score(truth == k, p[:, k])
        )
        path = tmp_path / "numbers.csv"
        pd.DataFrame({"label": truth, "score": p[:, k]}).to_csv(path, index=False)
        of_number = evaluate.read_predictions(path, positive=k)
        assert value(of_number, "roc_auc", str(k)) == value(table, "roc_auc", positive)
    assert evaluate.from_arrays(["a", "b"], [0.5, 0.5], positive="a")["predicted"].tolist() == [
        "a",
        "a",
    ]


def test_a_frame_brings_the_order_of_its_columns_and_categories_that_may_be_misread_are_refused():
    truth, p = drawn(30)
    labels = np.array(NAMES)[truth]
    turned = pd.DataFrame(p, columns=NAMES)[["viral", "covid", "normal"]]
    table = evaluate.from_arrays(labels, turned)
    assert evaluate.classes(table) == ["viral", "covid", "normal"]
    check_classes(table, labels, np.array(NAMES)[p.argmax(axis=1)])
    own_order = pd.Series(pd.Categorical(labels, categories=["normal", "covid", "viral"]))
    with pytest.raises(ValueError, match=r"which column of answers is which class.*pass classes="):
        evaluate.from_arrays(own_order, p)
    check_classes(
        evaluate.from_arrays(own_order, p, classes=NAMES), labels, np.array(NAMES)[p.argmax(axis=1)]
    )


def test_a_class_that_is_absent_from_the_labels_is_named_by_the_caller():
    truth, p = drawn(30)
    labels = np.array(NAMES)[np.where(truth == 2, 0, truth)]
    with pytest.raises(ValueError, match=r"3 columns.*\['covid', 'normal'\].*pass classes="):
        evaluate.from_arrays(labels, p)
    table = evaluate.from_arrays(labels, p, classes=NAMES)
    check_classes(table, labels, np.array(NAMES)[p.argmax(axis=1)])
    assert np.isnan(value(table, "sensitivity", "viral"))


P3 = [[0.2, 0.3, 0.5], [0.6, 0.2, 0.2], [0.1, 0.8, 0.1]]


@pytest.mark.parametrize(
    ("labels", "answers", "more", "words"),
    [
        (["a", "b"], ["a"], {}, "2 labels and answers of shape (1,)"),
        (["a", "b", "c"], [[[0.1]]] * 3, {}, "shape (3, 1, 1)"),
        (np.eye(3), P3, {}, "argmax"),
        ([], [], {}, "labels is empty"),
        (["a", None, "b"], ["a", "a", "b"], {}, "labels has no value in 1 row(s), first 1"),
        (["a", "b", "a"], ["a", None, "b"], {}, "answers has no value in 1 row(s), first 1"),
        ([0, 1, 1], [0.2, np.nan, 0.4], {}, "no finite number in 1 place(s), first in row 1"),
        ([0, 1, 1], [0.2, np.inf, 0.4], {}, "no finite number"),
        ([0, 1, 1], [-2.3, 0.4, 3.1], {}, "logits"),
        (["a", "b", "c"], [[2.0, -1.5, 0.3]] * 3, {}, "logits"),
        (["a", "b", "c"], [[0.5, 0.5, 0.5]] * 3, {}, "do not sum to 1"),
        (["a", "b", "c"], [["x", "y", "z"]] * 3, {}, "answers are no numbers"),
        (
            ["a", "b", "a"],
            ["a", "b", "d"],
            {},
            "the answers hold ['d'], which is none of the classes ['a', 'b']",
        ),
        (["a", "b", "d"], ["a", "b", "a"], {"classes": ["a", "b"]}, "the labels hold ['d']"),
        ([0, 1, 2], [0, 1, 3], {}, "the answers hold [3.0], none of the classes"),
        ([0, 1, 2], [0.2, 0.3, 0.4], {}, "give a probability for each class"),
        (["a", "b"], [0.2, 0.3], {"positive": "c"}, "positive='c' is none of the classes"),
        (["a", "b"], ["a", "b"], {"positive": "a"}, "positive= goes with one number per image"),
        (["a", "a"], ["a", "a"], {}, "one class only"),
        (["a", "b"], ["a", "b"], {"groups": [1]}, "2 labels and 1 groups"),
        (
            pd.Series(["a", 1]),
            ["a", "a"],
            {"classes": ["a", "1"]},
            "text in some rows and a number in others",
        ),
        (["a", "b"], ["a", "b"], {"classes": ["a", "b", "a"]}, "names one twice"),
        (np.arange(300) / 7, np.arange(300) / 7, {}, "300 different classes"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_in_words(labels, answers, more, words):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        evaluate.from_arrays(labels, answers, **more)
    assert words in str(refusal.value)


# --- files as people have them --------------------------------------------------------------------


def test_semicolons_with_decimal_commas_and_latin_letters(tmp_path):
    truth, p = drawn(30)
    names = np.array(["Pneumonie", "Gesund", "Erguß"])
    frame = pd.DataFrame(
        {"Diagnosis": names[truth]} | {f"Prob {name}": p[:, k] for k, name in enumerate(names)}
    )
    text = frame.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n")
    for k, encoding in enumerate(("latin-1", "utf-8-sig", "utf-8")):
        table = evaluate.read_predictions(written(tmp_path, text, f"{k}.csv", encoding))
        check_classes(table, names[truth], names[p.argmax(axis=1)])
        for number, name in enumerate(names):
            assert value(table, "roc_auc", name) == pytest.approx(
                sk.roc_auc_score(truth == number, p[:, number])
            )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "header", ["y_true,y_pred", "Ground Truth,Prediction", "LABEL,Predicted", "target,y hat"]
)
def test_true_and_predicted_class_alone(tmp_path, separator, header):
    truth, p = drawn(30)
    frame = pd.DataFrame({"a": np.array(NAMES)[truth], "b": np.array(NAMES)[p.argmax(axis=1)]})
    frame.columns = header.split(",")
    path = written(tmp_path, frame.to_csv(index=False, sep=separator))
    table = evaluate.read_predictions(path)
    check_classes(table, frame.iloc[:, 0], frame.iloc[:, 1])
    assert table.attrs["understood"].startswith(
        f"{header.split(',')[0]}: the true class; {header.split(',')[1]}: the"
    )
    result = scored(path)
    assert result.exit_code == 0, result.output
    assert "Only classes are given" in result.output
    assert "roc_auc" not in result.output
    assert "counted as independent" in result.output
    assert result.output.rstrip().endswith("For education, never for diagnosis.")


@pytest.mark.parametrize("prefix", ["p_", "prob_", "Proba ", "probability_", ""])
def test_one_column_of_probabilities_a_class(tmp_path, prefix):
    truth, p = drawn(60)
    columns = {f"{prefix}{name.upper()}": p[:, k] for k, name in enumerate(NAMES)}
    frame = pd.DataFrame({"id": range(60), "class": np.array(NAMES)[truth]} | columns)
    path = written(tmp_path, frame.to_csv())  # with pandas' nameless column of row numbers
    table = evaluate.read_predictions(path)
    check_classes(table, np.array(NAMES)[truth], np.array(NAMES)[p.argmax(axis=1)])
    result = scored(path)
    for k, name in enumerate(NAMES):
        area = sk.roc_auc_score(truth == k, p[:, k])
        assert value(table, "roc_auc", name) == pytest.approx(area)
        assert f"roc_auc      {area:.3f}" in result.output


def test_0_and_1_with_one_score(tmp_path):
    truth, p = drawn(50, classes=2)
    frame = pd.DataFrame({"label": truth.astype(float), "y_score": p[:, 1]})
    table = evaluate.read_predictions(written(tmp_path, frame.to_csv(index=False)))
    check_classes(table, truth, (p[:, 1] >= 0.5).astype(int))
    assert value(table, "roc_auc", "1") == pytest.approx(sk.roc_auc_score(truth, p[:, 1]))
    assert "y_score: the probability of 1" in table.attrs["understood"]
    as_answer = evaluate.read_predictions(
        written(tmp_path, frame.set_axis(["y_true", "y_pred"], axis=1).to_csv())
    )
    assert value(as_answer, "roc_auc", "1") == pytest.approx(sk.roc_auc_score(truth, p[:, 1]))


def test_names_with_one_score_need_the_class(tmp_path):
    truth, p = drawn(50, classes=2)
    labels = np.array(["covid", "normal"])[truth]
    path = written(
        tmp_path, pd.DataFrame({"truth": labels, "probability": p[:, 0]}).to_csv(index=False)
    )
    refused(scored(path), "mine.csv", "of which class", "positive")
    refused(scored(path, "--positive", "viral"), "'viral' is none of the classes")
    result = scored(path, "--positive", "covid")
    assert f"{np.mean((p[:, 0] >= 0.5) == (truth == 0)):.3f}" in result.output
    assert f"{sk.roc_auc_score(truth == 0, p[:, 0]):.3f}" in result.output
    by_name = pd.DataFrame({"truth": labels, "p_covid": p[:, 0]})  # the column says of which class
    table = evaluate.read_predictions(written(tmp_path, by_name.to_csv(index=False)))
    assert value(table, "roc_auc", "covid") == pytest.approx(sk.roc_auc_score(truth == 0, p[:, 0]))


@pytest.mark.parametrize("column", ["patient", "Patient ID", "PatientID", "subject_id", "group"])
def test_a_column_for_the_patient_makes_the_units(tmp_path, column):
    truth, p = drawn(60)
    said = np.array(NAMES)[p.argmax(axis=1)]
    frame = pd.DataFrame(
        {"y_true": np.array(NAMES)[truth], "y_pred": said, column: np.arange(60) // 4}
    )
    path = written(tmp_path, frame.to_csv(index=False))
    expected = evaluate.metric(
        evaluate.from_arrays(frame["y_true"], said, np.arange(60) // 4), "accuracy"
    )
    found = evaluate.metric(evaluate.read_predictions(path), "accuracy")
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    assert (found.n, found.groups) == (60, 15)
    result = scored(path)
    sentence = result.output.splitlines()[0]
    assert "images of 15 patients are right" in sentence
    assert (
        f"accuracy {expected.value:.3f} (95 % interval {expected.low:.2f}-{expected.high:.2f})"
        in sentence
    )
    most = pd.Series(np.array(NAMES)[truth]).value_counts()
    assert f"always answering {most.idxmax()}" in sentence
    assert f"{most.max() / 60:.3f}" in sentence
    assert "hospital" in sentence
    assert "shortcut" in sentence
    assert "independent" not in result.output
    frame.loc[:1, column] = np.nan
    assert (
        evaluate.metric(
            evaluate.read_predictions(written(tmp_path, frame.to_csv())), "accuracy"
        ).groups
        == 17
    )


def test_the_courses_own_table_is_read_with_its_groups(tmp_path):
    truth, p = drawn(40)
    table = evaluate.from_arrays(
        np.array(NAMES)[truth], p, groups=[f"g{k // 8}" for k in range(40)]
    )
    table = table.assign(
        image_id=[f"{k}.png" for k in range(40)], patient=[f"P{k // 2}" for k in range(40)]
    )
    table = table.assign(split="test", fold=np.nan, model="mine", seed=0, source="here")
    again = evaluate.read_predictions(written(tmp_path, table.to_csv(index=False)))
    pd.testing.assert_frame_equal(evaluate.metrics(again), evaluate.metrics(table))
    apart = table.assign(patient="P0")
    with pytest.raises(
        PredictionsError, match=r"several columns may be the patient: group, patient"
    ):
        evaluate.read_predictions(written(tmp_path, apart.to_csv(index=False)))
    mixed = table.assign(split=["train", "test"] * 20)
    assert (
        "test, train are scored together"
        in scored(written(tmp_path, mixed.to_csv(index=False))).stderr
    )


def test_a_class_that_is_absent_from_the_truth_is_scored_and_said(tmp_path):
    truth, p = drawn(40)
    labels = np.array(NAMES)[np.where(truth == 2, 0, truth)]
    said = np.array(NAMES)[p.argmax(axis=1)]
    path = written(tmp_path, pd.DataFrame({"y_true": labels, "y_pred": said}).to_csv(index=False))
    check_classes(evaluate.read_predictions(path), labels, said)
    assert "No image is of the class viral" in scored(path).output
    one = pd.DataFrame({"y_true": "covid", "y_pred": said})
    assert value(
        evaluate.read_predictions(written(tmp_path, one.to_csv(index=False))), "accuracy"
    ) == np.mean(said == "covid")


def test_probabilities_that_do_not_sum_to_1_are_refused_unless_it_is_their_rounding(tmp_path):
    truth, p = drawn(60, digits=2)
    assert (np.abs(p.sum(axis=1) - 1) > 0.005).any()
    frame = pd.DataFrame(
        {"label": np.array(NAMES)[truth]} | {f"p_{name}": p[:, k] for k, name in enumerate(NAMES)}
    )
    table = evaluate.read_predictions(written(tmp_path, frame.to_csv(index=False)))
    assert "rounded to 2 digits" in table.attrs["understood"]
    check_classes(table, frame["label"], np.array(NAMES)[p.argmax(axis=1)])
    frame["p_viral"] = (frame["p_viral"] / 2).round(3)
    refused(
        scored(written(tmp_path, frame.to_csv(index=False))), "do not sum to 1 in line 2", "softmax"
    )


def cells(*columns, n=6, **changed):
    """The text of a table of two classes with 0.9 or 0.1 as a score."""
    data = {
        "y_true": [0, 1] * (n // 2),
        "y_pred": [0, 1] * (n // 2),
        "score": [0.1, 0.9] * (n // 2),
        "image": [f"i{k}.png" for k in range(n)],
        "name": ["covid", "normal"] * (n // 2),
    }
    frame = pd.DataFrame(data | changed)[list(columns)].astype(object)
    return frame.to_csv(index=False)


REFUSED = {
    "logits": (
        cells("y_true", "score", score=[-3.2, 2.1] * 3),
        ("score holds -3.2 in line 2, 3, 4 ...", "sigmoid"),
    ),
    "logits as answers": (
        cells("y_true", "y_pred", y_pred=[-3.2, 2.1] * 3),
        ("y_pred holds -3.2", "sigmoid"),
    ),
    "per cent": (
        cells("y_true", "score", score=[10, 90] * 3),
        ("score holds 10", "divide per cent"),
    ),
    "no number": (cells("y_true", "score", score=["low", "high"] * 3), ("score holds no numbers",)),
    "nan": (
        cells("y_true", "score", score=[np.nan, 0.9] * 3),
        ("score holds no number in line 2, 4, 6",),
    ),
    "written nan": ("y_true,score\n0,0.1\n1,nan\n", ("score holds no number in line 3",)),
    "no truth": ("y_true,y_pred\n0,0\n,1\n1,1\n", ("y_true is empty in line 3",)),
    "no answer": ("y_true,y_pred\n0,0\n1,\n1,1\n", ("y_pred is empty in line 3",)),
    "an image twice": (cells("image", "y_true", "y_pred", image="i.png"), ("same image twice",)),
    "unknown names": (
        "a,b\n0,1\n1,1\n",
        ("no column with the true class", "It has a, b", "y_true", "p_<class>"),
    ),
    "no answers": (cells("y_true", "image"), ("no column with an answer", "It has y_true, image")),
    "two truths": (
        "label,y_true,y_pred\n0,0,0\n1,1,1\n",
        ("several columns may be the true class: label, y_true",),
    ),
    "two answers": (
        "label,pred,y_pred\n0,0,0\n1,1,1\n",
        ("several columns may be the answer: pred, y_pred",),
    ),
    "one name twice": ("label,pred,pred\n0,0,0\n1,1,1\n", ("two columns are called pred",)),
    "no header": ("0,1\n1,1\n0,0\n", ("no column with the true class", "It has 0, 1")),
    "empty": ("", ("is empty",)),
    "blank": ("\n \n\n", ("is empty",)),
    "header only": ("y_true,y_pred\n", ("no line below",)),
    "ragged": ("y_true,y_pred\n0,0\n1,1,1\n", ("line 3 has 3 fields", "names 2")),
    "decimal commas": ("y_true,score\n0,0,1\n1,0,9\n", ("line 2 has 3 fields", "semicolon")),
    "numbers for names": (
        "y_true,y_pred\ncovid,0\nnormal,1\n",
        ("no answer names a class of the truth",),
    ),
    "two spellings": (
        "y_true,y_pred\ncovid,Covid\nnormal,normal\n",
        ("'Covid' and 'covid'", "alike"),
    ),
    "a class without column": (
        "y,label,p_a,p_b\n1,a,.5,.5\n1,c,.5,.5\n",
        ("no column of probabilities for c",),
    ),
    "truth again": ("label,a,b\na,1,0\nb,0,1\na,1,0\n", ("repeat the true class",)),
    "how sure": (
        "y_true,y_pred,prob\n0,0,.9\n1,1,.8\n0,0,.7\n1,1,.6\n",
        ("how sure each answer is", "the probability of 1"),
    ),
    "the other class": (
        "y_true,y_pred,prob\n0,0,.9\n1,1,.2\n0,0,.7\n1,1,.3\n",
        ("of which class",),
    ),
    "one class": ("y_true,y_pred\na,a\na,a\n", ("one class only",)),
    "several models": ("label,pred,model\na,a,m\nb,b,n\n", ("several models in one table",)),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", ("is no text",)),
    "a spreadsheet": (b"PK\x03\x04rest", ("spreadsheet",)),
    "utf-16": ("y_true,y_pred\n0,1\n".encode("utf-16"), ("is no text",)),
    "a huge cell": ('y_true,y_pred\n"' + "a" * 200_000 + '",b\n', ("cannot be read as CSV",)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_table_that_cannot_be_scored_is_refused_in_one_line(tmp_path, case):
    text, words = REFUSED[case]
    path = written(tmp_path, text)
    refused(scored(path, "--png", tmp_path / "new" / "mine.png"), str(path), *words)
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(PredictionsError, match=r"mine\.csv"):
        evaluate.read_predictions(path)


def test_a_path_that_is_no_file_and_options_that_cannot_be(tmp_path):
    refused(scored(tmp_path / "none.csv"), "none.csv", "No such file")
    refused(scored(tmp_path), "is not a file")
    path = written(tmp_path, cells("y_true", "y_pred"))
    refused(scored(path, "--width", 0), "--width is 0.0")
    refused(scored(path, "--png", tmp_path / "a.jpg"), "--png", "must end in .png")
    refused(scored(path, "--png", path / "a.png"), "--png", "cannot be written")
    refused(scored(path, "--positive", "2"), "'2' is none of the classes")
    refused(scored(path, "--compare", tmp_path / "none.csv"), "none.csv")


def test_numbers_keep_their_sign_and_fields_in_quotation_marks_their_line(tmp_path):
    text = 'y_true,y_pred,comment\n-1,-1,"two\nlines"\n1,-1,""\n1.0,1,\n\n1,,x\n'
    path = written(tmp_path, text)
    refused(scored(path), "y_pred is empty in line 7")
    table = evaluate.read_predictions(written(tmp_path, text.replace("1,,x", "1,1,x")))
    assert evaluate.classes(table) == ["-1", "1"]
    assert value(table, "accuracy") == 0.75
    assert "not used: comment" in table.attrs["understood"]


@pytest.mark.parametrize("column", ["prob", "p_covid", "p_value"])
def test_of_three_classes_one_number_beside_the_answers_is_left_out(tmp_path, column):
    truth, p = drawn(30)
    said = np.array(NAMES)[p.argmax(axis=1)]
    frame = pd.DataFrame({"y_true": np.array(NAMES)[truth], "y_pred": said, column: p.max(axis=1)})
    table = evaluate.read_predictions(written(tmp_path, frame.to_csv(index=False)))
    assert not evaluate.has_probabilities(table)
    assert f"not used: {column}" in table.attrs["understood"]


def test_a_threshold_that_was_applied_is_kept(tmp_path):
    truth, p = drawn(60, classes=2)
    said = (p[:, 1] >= 0.2).astype(int)
    frame = pd.DataFrame({"y_true": truth, "y_pred": said, "y_score": p[:, 1]})
    table = evaluate.read_predictions(written(tmp_path, frame.to_csv(index=False)))
    check_classes(table, truth, said)
    assert value(table, "roc_auc", "1") == pytest.approx(sk.roc_auc_score(truth, p[:, 1]))


# --- what is said ---------------------------------------------------------------------------------


def test_as_many_patients_as_are_told_give_about_the_width(tmp_path):
    truth, p = drawn(200)
    frame = pd.DataFrame(
        {"y_true": truth, "y_pred": p.argmax(axis=1), "patient": np.arange(200) // 2}
    )
    output = scored(written(tmp_path, frame.to_csv(index=False)), "--width", 0.05).output
    told = next(line for line in output.splitlines() if "0.05 wide" in line)
    needed = int(told.split("about ")[1].split()[0].replace(",", ""))
    times = round(needed / 100)
    more = pd.concat([frame.assign(patient=frame["patient"] + 1000 * k) for k in range(times)])
    found = evaluate.metric(
        evaluate.read_predictions(written(tmp_path, more.to_csv(index=False))), "accuracy"
    )
    assert found.high - found.low == pytest.approx(0.05, rel=0.1)


def test_two_patients_have_no_interval_and_it_is_said(tmp_path):
    frame = pd.DataFrame({"y_true": [0, 1, 1, 0], "y_pred": [0, 1, 0, 0], "patient": [1, 1, 2, 2]})
    output = scored(written(tmp_path, frame.to_csv(index=False))).output
    assert "accuracy 0.750 (no interval: 2 group(s)" in output
    assert "cannot be said" in output


def test_two_models_are_compared_on_the_same_images_in_any_order(tmp_path):
    truth, p = drawn(80)
    _, worse = drawn(80, seed=5)
    labels, images = np.array(NAMES)[truth], [f"i{k}.png" for k in range(80)]
    a = pd.DataFrame({"image": images, "y_true": labels, "y_pred": np.array(NAMES)[p.argmax(1)]})
    # never viral
    b = a.assign(y_pred=np.where(worse.argmax(1) == 2, "covid", np.array(NAMES)[worse.argmax(1)]))
    a["patient"] = np.arange(80) // 2
    groups = a["patient"]
    both = [evaluate.from_arrays(labels, each["y_pred"], groups, classes=NAMES) for each in (a, b)]
    path = written(tmp_path, a.to_csv(index=False))
    for other in (b, b.sample(frac=1, random_state=0), b.drop(columns="image")):
        result = scored(
            path, "--compare", written(tmp_path, other.to_csv(index=False), "other.csv")
        )
        assert result.exit_code == 0, result.output
        for metric in ("accuracy", "f1_macro"):
            assert f"difference {evaluate.compare(*both, metric)}: " in result.output
    other = written(
        tmp_path, b.assign(patient=groups + 1).iloc[:60].to_csv(index=False), "other.csv"
    )
    refused(scored(path, "--compare", other), "mine.csv", "other.csv", "20 only in the first")
    shuffled = b.drop(columns="image").sample(frac=1, random_state=0).to_csv(index=False)
    refused(
        scored(path, "--compare", written(tmp_path, shuffled, "other.csv")),
        "list other images",
        "one order",
    )
    short = b.drop(columns="image").iloc[:7].to_csv(index=False)
    refused(
        scored(path, "--compare", written(tmp_path, short, "other.csv")),
        "80 images and",
        "7, and no column",
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["classes", "two", "three", "many"])
def test_the_picture_is_one_png_only_where_asked_for(tmp_path, kind):
    truth, p = drawn(60, classes={"two": 2, "many": 9}.get(kind, 3))
    answers = (
        {"y_pred": p.argmax(axis=1)}
        if kind == "classes"
        else {f"p_{k}": p[:, k] for k in range(p.shape[1])}
    )
    path = written(tmp_path, pd.DataFrame({"label": truth} | answers).to_csv(index=False))
    assert scored(path).exit_code == 0
    assert list(tmp_path.iterdir()) == [path]
    result = scored(path, "--png", tmp_path / "new" / "mine.png")
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "new" / "mine.png") as image:
        image.load()
        assert (image.width > 1.8 * image.height) == (kind != "classes")
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["mine.png"]


# --- light and quick ------------------------------------------------------------------------------

ALONE = """
import sys, time
import pandas, scipy.special, typer, rich.table
start = time.process_time()
from cxr_helpers.cli import app
try:
    app(["score", sys.argv[1]])
except SystemExit as end:
    assert not end.code
heavy = "tensorflow", "keras", "torch", "sklearn", "matplotlib", "scipy.stats", "scipy.ndimage"
loaded = set(heavy) & set(sys.modules)
assert not loaded, loaded
print(start, time.process_time() - start, file=sys.stderr)
"""


@pytest.mark.parametrize(("n", "times"), [(30, 1.5), (100_000, 8)])
def test_a_score_loads_nothing_heavy_and_takes_no_longer_than_a_few_imports_of_pandas(
    tmp_path, n, times
):
    truth, p = drawn(n)
    columns = {f"p_{name}": p[:, k] for k, name in enumerate(NAMES)}
    frame = pd.DataFrame(
        {"image": [f"i{k}.png" for k in range(n)], "y_true": np.array(NAMES)[truth]} | columns
    )
    frame["patient"] = np.arange(n) // 2
    path = written(tmp_path, frame.to_csv(index=False))
    run = subprocess.run(
        [sys.executable, "-c", ALONE, str(path)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    right = (p.argmax(axis=1) == truth).sum()
    assert run.stdout.startswith(
        f"{right:,} of {n:,} images of {n // 2:,} patients are right, accuracy {right / n:.3f}"
    )
    imports, score = map(float, run.stderr.split())  # seconds of the processor
    assert score < times * imports
