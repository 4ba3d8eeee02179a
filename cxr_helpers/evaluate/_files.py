"""Predictions from a CSV file as people have them: which column is what, in which notation."""

import csv
import io
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ..predictions import TOLERANCE, PredictionsError, as_text
from ._arrays import from_score, tabled, two_classes

SEPARATORS = (",", ";", "\t")
# What a column may be called, as `_key` writes it.
TRUTH = (
    "label",
    "labels",
    "truth",
    "ytrue",
    "true",
    "target",
    "actual",
    "class",
    "diagnosis",
    "groundtruth",
    "truelabel",
    "trueclass",
)
ANSWER = (
    "predicted",
    "prediction",
    "predictions",
    "pred",
    "ypred",
    "yhat",
    "answer",
    "predictedlabel",
    "predictedclass",
)
SCORE = ("score", "yscore", "probability", "prob", "yprob")
PATIENT = ("group", "patient", "patientid", "subject", "subjectid")
IMAGE = ("imageid", "image", "file", "filename", "path", "id")
KEPT = ("split", "fold", "seed", "model", "source")  # of the course's own tables
OF_CLASS = re.compile(r"(?:p|prob|proba|probability)[\s_]+(.+)", re.IGNORECASE)
MISSING = ("", "nan", "NaN", "NAN")
NEEDED = (
    "needed are the true class (a column label, y_true, truth, target ...) and the answer: "
    "predicted or y_pred, or one column p_<class> per class, or for two classes one score"
)


def read_predictions(path: str | os.PathLike[str], positive: str | None = None) -> pd.DataFrame:
    r"""The predictions in a CSV file, from any program.

    One line per image; the first line names the columns.

    Recognised, whatever the case, blanks and underscores: the true class (label, y_true, truth,
    target, actual, class, diagnosis ...), the answer (predicted, y_pred, prediction, y_hat, answer
    ...), probabilities (p_<class>, prob_<class>, proba_<class>, probability_<class>, or a column of
    numbers called as a class), one score (score, y_score, prob, probability, y_prob: of the class
    `positive`, which is 1 for classes 0 and 1), the patient (patient, patient_id, subject ..., or
    group) and the image (image_id, file, filename, path, id ...). Separated by commas, semicolons
    or tabs, decimal commas where no comma separates; UTF-8 or Latin-1. Without an answer the most
    probable class is predicted, or the positive one from a score of 0.5 on. Probabilities that sum
    to 1 but for their rounding are divided by their sum.

    Parameters
    ----------
    path : str or path
        The file.
    positive : str, optional
        The class that a single score is the probability of.

    Returns
    -------
    DataFrame
        A table of predictions, checked; `attrs["understood"]` says what was taken as what, and
        `attrs["columns"]` names each column by its use.

    Raises
    ------
    PredictionsError
        Names the file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "answers.csv")
    ...     _ = path.write_text("Y True;score\n1;0,8\n0;0,3\n", "utf-8")
    ...     found = read_predictions(path)
    >>> found[["label", "p_1", "predicted"]].to_numpy().tolist()
    [['1', 0.8, '1'], ['0', 0.3, '0']]
    >>> found.attrs["understood"]
    'Y True: the true class; score: the probability of 1; 1 is predicted from a score of 0.5 on'
    """
    try:
        return _read(Path(path), None if positive is None else as_text(pd.Series([positive]))[0])
    except ValueError as error:
        # a list of faults, on one line
        words = str(error).replace(":\n- ", ": ").replace("\n- ", "; ")
        raise PredictionsError(f"{path}: {words}") from None
    except OSError as error:
        raise PredictionsError(f"{path} cannot be read: {error.strerror or error}") from None


@dataclass
class _File:
    """The cells of a file by column, and which columns were taken as what."""

    cells: dict[str, np.ndarray]
    lines: np.ndarray  # number of each row's line in the file
    comma: bool  # whether 0,5 may be a number
    taken: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def one(self, known: tuple[str, ...], what: str) -> str | None:
        """The only column with one of the known names, taken; None if there is none."""
        found = self.called(known)
        if len(found) > 1:
            raise ValueError(
                f"several columns may be {what}: {', '.join(found)}; keep one, or rename the others"
            )
        return self.take(found[0], what) if found else None

    def called(self, known: tuple[str, ...]) -> list[str]:
        return [name for name in self.cells if _key(name) in known]

    def take(self, name: str, what: str) -> str:
        self.taken[name] = what
        return name

    def where(self, wrong: np.ndarray) -> str:
        found = self.lines[wrong]
        return f"line {', '.join(map(str, found[:3]))}{' ...' if len(found) > 3 else ''}"

    def texts(self, name: str) -> np.ndarray:
        """Classes as text; a whole number is written without its .0, as in `as_text`."""
        whole = {cell: re.sub(r"^([+-]?\d+)[.,]0*$", r"\1", cell) for cell in set(self.cells[name])}
        said: np.ndarray = pd.Series(self.filled(name), dtype=object).map(whole).to_numpy(object)
        return said

    def filled(self, name: str) -> np.ndarray:
        """The cells of a column that has to have one in each line."""
        empty = self.known(name).isna().to_numpy()
        if empty.any():
            raise ValueError(
                f"column {name} is empty in {self.where(empty)}: leave out images without it"
            )
        return self.cells[name]

    def known(self, name: str) -> pd.Series:
        """The cells of a column; an empty one is missing."""
        column = pd.Series(self.cells[name], dtype=object)
        return column.where(~column.isin(MISSING))

    def numbers(self, name: str) -> np.ndarray | None:
        """The column as numbers, or None if some cell is neither a number nor empty."""
        column = pd.Series(self.cells[name], dtype=object)
        found = pd.to_numeric(column, errors="coerce")
        if self.comma and found.isna().any():
            found = pd.to_numeric(column.str.replace(",", ".", regex=False), errors="coerce")
        known = found.notna() | column.isin(MISSING)
        return found.to_numpy(float) if known.all() and found.notna().any() else None

    def probabilities(self, name: str) -> np.ndarray:
        found = self.numbers(name)
        if found is None:
            raise ValueError(f"column {name} holds no numbers, such as {self.cells[name][0]!r}")
        missing = ~np.isfinite(found)
        if missing.any():
            raise ValueError(f"column {name} holds no number in {self.where(missing)}")
        outside = (found < -TOLERANCE) | (found > 1 + TOLERANCE)
        if outside.any():
            raise ValueError(
                f"column {name} holds {found[outside][0]:.4g} in {self.where(outside)}, and a "
                "probability lies between 0 and 1: apply the softmax (one output: the sigmoid) to "
                "logits, divide per cent by 100"
            )
        return found.clip(0, 1)


def _read(path: Path, positive: str | None) -> pd.DataFrame:
    file = _opened(path)
    truth_column = file.one(TRUTH, "the true class")
    answer_column = file.one(ANSWER, "the answer")
    if truth_column is None:
        raise ValueError(f"no column with the true class. It has {', '.join(file.cells)}; {NEEDED}")
    truth = file.texts(truth_column)
    ids, groups = _image(file), _patient(file)
    of_class = _class_columns(file, truth)
    if answer_column and len(of_class) == 1 and (len(set(truth)) > 2 or set(of_class) - set(truth)):
        # one of many probabilities, or a p-value: the answers are enough
        del file.taken[of_class.popitem()[1]]
    score_column = None
    if len(of_class) < 2:
        score_column = _score_column(file, truth, of_class, answer_column)
        answer_column = None if score_column == answer_column else answer_column
    answer = None if answer_column is None else file.texts(answer_column)
    if len(of_class) >= 2:
        names, p = list(of_class), _together(file, of_class)
    elif score_column is not None:
        names = _ordered(truth)
        names, positive = two_classes(names, next(iter(of_class), positive))
        file.take(score_column, f"the probability of {positive}")
        score = file.probabilities(score_column)
        p, by_score = from_score(score, names, positive)
        if answer is None:
            answer = by_score
            file.notes.append(f"{positive} is predicted from a score of 0.5 on")
        else:
            _refuse_other_score(score_column, score, answer == positive, positive)
    elif answer is None:
        raise ValueError(f"no column with an answer. It has {', '.join(file.cells)}; {NEEDED}")
    else:
        names, p = _ordered(truth, answer), None
        if not set(truth) & set(answer):
            raise ValueError(
                f"{truth_column} holds {_ordered(truth)[:5]} and {answer_column} "
                f"{_ordered(answer)[:5]}: no answer names a class of the truth; write both alike"
            )
    _refuse_spellings({*names, *truth, *(() if answer is None else answer)})
    if positive is not None and positive not in names:
        raise ValueError(f"positive={positive!r} is none of the classes {names}")
    kept = {_key(name): file.known(name) for name in file.called(KEPT)}
    table = tabled(ids, truth, names, p, answer, groups, kept)
    table.attrs["columns"] = {what: name for name, what in file.taken.items()}
    table.attrs["understood"] = _understood(file)
    return table


def _key(name: str) -> str:
    return re.sub(r"[\s_.-]+", "", name.casefold())


def _spelling(name: str) -> str:
    """A class without what people write now so, now so; a number as it is: -1 is not 1."""
    return _key(name) if any(map(str.isalpha, name)) else name


def _ordered(*columns: Iterable[str]) -> list[str]:
    """Distinct classes, numbers by size."""
    names: set[str] = set().union(*columns)
    whole = all(re.fullmatch(r"[+-]?\d+", name) for name in names)
    return sorted(names, key=int if whole else None)


# --- the file -------------------------------------------------------------------------------------


def _opened(path: Path) -> _File:
    if path.exists() and not path.is_file():
        raise ValueError("is not a file: give the path of a CSV table")
    text = _text(path.read_bytes())
    first = text.lstrip()[:100_000].splitlines()[:1]
    try:
        separator = max(
            SEPARATORS, key=lambda mark: sum(map(len, csv.reader(first, delimiter=mark)))
        )
        fields, lengths, lines = _fields(text, separator)
    except csv.Error as error:
        raise ValueError(f"cannot be read as CSV: {error}") from None
    if len(lines) < 2:
        raise ValueError(
            f"{'holds no line below the names of its columns' if len(lines) else 'is empty'}; "
            f"{NEEDED}"
        )
    header = [name.strip() for name in fields[: lengths[0]]]
    ragged = np.flatnonzero(lengths != len(header))
    if len(ragged):
        at = ragged[0]
        hint = (
            "; decimals with a comma need a semicolon between the columns"
            if separator == ","
            else ""
        )
        raise ValueError(
            f"line {lines[at]} has {lengths[at]} fields, and the first line names "
            f"{len(header)}{hint}"
        )
    named_twice = sorted({name for name in header if name and header.count(name) > 1})
    if named_twice:
        raise ValueError(f"two columns are called {', '.join(named_twice)}: rename or remove one")
    cells = {}
    for k, name in enumerate(header):
        if name:
            cells[name] = np.array(
                list(map(str.strip, fields[len(header) + k :: len(header)])), dtype=object
            )
    return _File(cells, lines[1:], comma=separator != ",")


def _fields(text: str, separator: str) -> tuple[list[str], np.ndarray, np.ndarray]:
    """All fields in sequence; per line, its fields that are not blank, and its (last) number."""
    fields, lengths, lines = [], [], []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    for row in reader:
        if any(row) and (len(row) > 1 or row[0].strip()):
            fields += row
            lengths.append(len(row))
            lines.append(reader.line_num)
    return fields, np.array(lengths, int), np.array(lines, int)


def _text(raw: bytes) -> str:
    """The text of a file, in UTF-8 or else Latin-1; what is no text is refused."""
    if raw.startswith(b"PK\x03\x04"):
        raise ValueError("is a spreadsheet or an archive: save the table as CSV")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    if re.search(r"[\x00-\x08\x0e-\x1f]", text):
        raise ValueError("is no text in UTF-8 or Latin-1: save the table as CSV")
    return text


# --- which column is what -------------------------------------------------------------------------


def _image(file: _File) -> np.ndarray:
    """Names of the images; without a column for them, the lines."""
    found = sorted(file.called(IMAGE), key=lambda name: IMAGE.index(_key(name)))
    unique = [name for name in found if len(set(file.cells[name])) == len(file.lines)]
    if not found:
        return np.array([f"line {line}" for line in file.lines], dtype=object)
    return file.filled(file.take((unique or found)[0], "the image"))


def _patient(file: _File) -> pd.Series | None:
    """What stays together: the course's own group, which holds whole patients, before a patient."""
    found = sorted(file.called(PATIENT), key=lambda name: PATIENT.index(_key(name)))
    if len(found) == 2 and _key(found[0]) == "group":
        group, patient = (file.cells[name] for name in found)
        if len(set(zip(group, patient, strict=True))) == len(set(patient)):
            found = found[:1]
    if not found:
        return None
    if len(found) > 1:
        raise ValueError(
            f"several columns may be the patient: {', '.join(found)}; keep one, or rename the "
            "others"
        )
    patients = file.known(file.take(found[0], "the patient"))
    if patients.isna().any():
        file.notes.append(
            f"{patients.isna().sum()} image(s) without a patient count as a patient each"
        )
    return patients


def _class_columns(file: _File, truth: np.ndarray) -> dict[str, str]:
    """{class: column of its probabilities}, in the file's order; classes as the truth has them."""
    written: dict[str, str] = {_spelling(name): name for name in sorted(set(truth))}
    free = [name for name in file.cells if name not in file.taken]
    found: dict[str, str] = {}
    for name in free:
        if match := OF_CLASS.fullmatch(name):
            of = written.get(_spelling(match[1]), str(match[1]))
            if of in found:
                raise ValueError(f"two columns are the probability of {of}: {found[of]} and {name}")
            found[of] = name
    if not found:
        alike = {_spelling(name): name for name in free if file.numbers(name) is not None}
        bare = {of: alike[spelled] for spelled, of in written.items() if spelled in alike}
        _refuse_truth_again(file, bare, truth)
        found = bare
    for of, name in found.items():
        file.take(name, f"the probability of {of}")
    if len(found) > 1 and (missing := sorted(set(truth) - set(found))):
        raise ValueError(
            f"no column of probabilities for {', '.join(missing)}; it has "
            f"{', '.join(found.values())}"
        )
    return found


def _refuse_truth_again(file: _File, bare: dict[str, str], truth: np.ndarray) -> None:
    """Columns called as the classes that are 1 for the true class and else 0 are no answers."""
    numbers = {of: file.numbers(name) for of, name in bare.items()}
    if bare and all(
        said is not None and np.array_equal(said, truth == of) for of, said in numbers.items()
    ):
        names = ", ".join(bare.values())
        raise ValueError(
            f"the columns {names} repeat the true class (1 and 0): rename them p_<class> if they "
            "are answers"
        )


def _score_column(
    file: _File, truth: np.ndarray, of_class: dict[str, str], answer_column: str | None
) -> str | None:
    """The column of one number per image: of one class, called so, or an answer from 0 to 1."""
    if of_class:
        return next(iter(of_class.values()))
    found = file.called(SCORE)
    # of many classes, one number says how sure an answer is, not which
    if found and len(set(truth)) > 2:
        return None
    if found:
        return file.one(SCORE, "the score")
    if answer_column is None:
        return None
    numbers = file.numbers(answer_column)
    if numbers is None or (numbers % 1 == 0).all() or set(file.texts(answer_column)) <= set(truth):
        return None
    return answer_column


def _together(file: _File, of_class: dict[str, str]) -> np.ndarray:
    """Probabilities (n, K); sums that are off by no more than the cells' rounding become 1."""
    p = np.column_stack([file.probabilities(name) for name in of_class.values()])
    sums = p.sum(axis=1)
    off = np.abs(sums - 1).max()
    if off > TOLERANCE:
        written = (cell for name in of_class.values() for cell in file.cells[name])
        digits = max(
            len(re.split("[.,]", cell)[-1]) if re.search("[.,]", cell) else 0 for cell in written
        )
        if digits < 2 or off > len(of_class) * 0.5 * 10.0**-digits + 1e-9:
            worst = np.abs(sums - 1) > TOLERANCE
            raise ValueError(
                f"probabilities do not sum to 1 in {file.where(worst)} (sums from {sums.min():.3f} "
                f"to {sums.max():.3f}): use the softmax, and one column for each class"
            )
        file.notes.append(f"probabilities rounded to {digits} digits are divided by their sum")
        p = p / sums[:, None]
    return p


def _refuse_other_score(name: str, score: np.ndarray, positive: np.ndarray, of: str) -> None:
    """Refuse a score that is high for another class: it is not the positive one's probability."""
    if positive.all() or not positive.any():
        return
    called, others = score[positive], score[~positive]
    if called.max() < others.min():
        raise ValueError(
            f"{name} is lower where {of} is answered than elsewhere: of which class is it? Say "
            "positive"
        )
    if min(called.min(), others.min()) >= 0.5 and others.max() > called.min():
        raise ValueError(
            f"{name} is 0.5 or more whatever is answered: it seems to be how sure each answer is; "
            f"needed is the probability of {of}"
        )


def _refuse_spellings(names: Iterable[str]) -> None:
    """COVID and covid would be two classes."""
    seen: dict[str, str] = {}
    for name in sorted(names):
        other = seen.setdefault(_spelling(name), name)
        if other != name:
            raise ValueError(
                f"a class is written {other!r} and {name!r}: write it alike everywhere"
            )


def _understood(file: _File) -> str:
    parts = [f"{name}: {what}" for name, what in file.taken.items()]
    unused = [name for name in file.cells if name not in file.taken and _key(name) not in KEPT]
    if unused:
        parts.append(f"not used: {', '.join(unused)}")
    return "; ".join([*parts, *file.notes])
