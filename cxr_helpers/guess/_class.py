"""The predictions of a class, side by side, without names: from codes or from files."""

import html
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from .. import plots
from ..evaluate import wilson
from ..paths import data_dir
from . import _store
from ._code import FIND, unpack
from ._kinds import GuessError
from .asked import Asked, of_course

ENDINGS = (".txt", ".csv", ".jsonl")
COLUMNS = ("key", "kind", "what", "answer", "sure", "result", "hit")


def collect(place) -> pd.DataFrame:
    """The predictions of a class, one row each.

    Parameters
    ----------
    place : path-like
        A text file of codes, as `code` prints them, whatever stands between them (a chat, a form's
        answers); a reader's own file `guesses.jsonl`; or a folder of such files (.txt, .csv,
        .jsonl).

    Returns
    -------
    DataFrame
        Columns reader (a number), key, kind, what, answer, sure, result, hit. Of a reader who sent
        several codes the one with most predictions counts; the names of people and files are not
        kept.

    Raises
    ------
    FileNotFoundError
        Where the place does not exist.
    ValueError
        Where it holds no prediction.

    Warns
    -----
    UserWarning
        Of codes that cannot be read and are left out, with which.
    """
    place = Path(place)
    if not place.exists():
        raise FileNotFoundError(
            f"{place} does not exist: name a file of codes, or a folder of files"
        )
    files = (
        [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.suffix in ENDINGS)
    )
    readers: dict[str, list[_store.Entry]] = {}
    for file in files:
        for name, entries in _of_lines(file) if file.suffix == ".jsonl" else _of_codes(file):
            if len(entries) >= len(readers.get(name, ())):
                readers[name] = entries
    rows = [
        {"reader": number, **{column: getattr(entry, column) for column in COLUMNS}}
        for number, entries in enumerate(readers.values())
        for entry in entries
    ]
    if not rows:
        raise ValueError(
            f"{place} holds no predictions: codes begin with cxr1: and are printed by guess.code()"
        )
    return pd.DataFrame(rows, columns=["reader", *COLUMNS])


def _of_lines(file: Path) -> list[tuple[str, list[_store.Entry]]]:
    found = _store.read(file)
    named = next(
        (record["reader"] for record in found if isinstance(record.get("reader"), str)), str(file)
    )
    return [(named, [entry for entry in _store.entries(found).values() if entry.own])]


def _of_codes(file: Path) -> list[tuple[str, list[_store.Entry]]]:
    found = []
    # a code is plain ASCII, and in UTF-16, which Windows may write, has zeros between its letters
    text = file.read_bytes().replace(b"\0", b"").decode("utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        for code in FIND.findall(line):
            try:
                found.append(unpack(code))
            except GuessError as error:
                warnings.warn(f"{file.name}, line {number}: left out, {error}", stacklevel=3)
    return found


def class_page(table: pd.DataFrame, notebooks=None) -> str:
    """A page (HTML, offline) with a picture per prediction: answers, commonest belief, result.

    Parameters
    ----------
    table : DataFrame
        From `collect`.
    notebooks : path-like, optional
        The course's folder of that name, whose sources say what was asked and what an answer shows;
        by default that of this project. Without it the page has the answers alone.

    Returns
    -------
    str
        HTML.
    """
    known = of_course(Path(notebooks) if notebooks is not None else data_dir("notebooks"))
    parts = []
    for key, rows in table.groupby("key", sort=True):
        picture, words = _one(rows, known.get(key))
        head, foot = html.escape(key), html.escape(words)
        parts.append(f"<section><p class=key>{head}</p>{picture.html()}<p>{foot}</p></section>")
    readers = table["reader"].nunique()
    return PAGE.format(readers=f"{readers} reader{'s' * (readers != 1)}", parts="\n".join(parts))


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>What a class predicted</title>
<style>body {{ font: 18px/1.5 sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em; }}
section {{ margin: 2.5em 0; }}
img {{ max-width: 100%; }}
.key {{ color: #767676; margin: 0; }}</style></head>
<body><h1>What a class predicted</h1>
<p>{readers}; no names. First answers, given before the result was seen.</p>
{parts}
</body></html>
"""


def _one(rows: pd.DataFrame, asked: Asked | None) -> tuple[plots.Picture, str]:
    """Picture and words of one prediction."""
    kind, answers = rows["kind"].iloc[0], list(rows["answer"])
    rows = rows[rows["kind"] == kind]
    spec = _spec(asked, kind)
    what = spec.what if spec else rows["what"].iloc[0]
    title = what[:1].upper() + what[1:]
    truth = _truth(kind, [result for result in rows["result"] if result is not None])
    if kind in ("number", "interval"):
        middles = [np.mean(answer) for answer in answers]
        picture = plots.class_numbers(
            middles, truth, between=getattr(spec, "between", None), title=title
        )
    elif kind == "sketch":
        picture = plots.class_sketches(
            getattr(spec, "at", range(len(answers[0]))), answers, truth, title=title
        )
    else:
        shown = Counter(answer if kind == "choice" else " < ".join(answer) for answer in answers)
        right = truth if kind == "choice" or truth is None else " < ".join(truth)
        every = dict.fromkeys(getattr(spec, "options", ()), 0) | dict(shown.most_common())
        picture = plots.class_choices(every, right, title=title)
    return picture, " ".join([_hits(rows), _commonest(spec, asked, rows)]).strip()


def _spec(asked: Asked | None, kind: str):
    """What the course's own sources say of a prediction, if they still ask for it in this way."""
    try:
        return asked.spec() if asked is not None and asked.kind == kind else None
    except GuessError:
        return None


def _truth(kind: str, results: list):
    """What most readers' notebooks found: figures differ a little between machines."""
    if not results:
        return None
    if kind in ("number", "interval"):
        return float(np.median(results))
    if kind == "sketch":
        return np.median(results, axis=0).tolist()
    return max(results, key=results.count)


def _hits(rows: pd.DataFrame) -> str:
    met = rows.dropna(subset=["hit"])
    if met.empty:
        return "Nobody has met the result yet."
    hits = int(met["hit"].astype(bool).sum())
    low, high = wilson(hits, len(met))
    return f"{hits} of {len(met)} hit it (95 % interval {low:.2f}-{high:.2f})."


def _commonest(spec, asked: Asked | None, rows: pd.DataFrame) -> str:
    """The belief that most of those who missed it share, in the words of the course."""
    if spec is None or asked is None or not asked.beliefs:
        return ""
    try:
        beliefs = spec.beliefs(asked.beliefs)
        missed = [
            spec.read(answer)
            for answer, hit in zip(rows["answer"], rows["hit"], strict=True)
            if not hit
        ]
    except GuessError:  # answers of another version of the course
        return ""
    held = Counter(k for answer in missed if (k := spec.belief(answer, beliefs)) is not None)
    if not held:
        return ""
    number, readers = held.most_common(1)[0]
    return f"The commonest belief, {readers} of {len(rows)}: {beliefs[number][-1]}"
