"""The `cxr` command: a thin layer over the package. For education, never for diagnosis."""

import os
import shlex
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from . import files
from .console import plain_output

app = typer.Typer(
    help=(
        "Import, audit and draw folders of chest radiographs, score predictions. For education, "
        "never for diagnosis."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COLOURS = {"fault": "bold red", "look": "yellow", "ok": "green"}
Folder = Annotated[
    Path,
    typer.Argument(help="Folder of radiographs in class folders, with or without split folders."),
]
Patient = Annotated[
    str | None, typer.Option(help="'nih', or a regular expression whose group is the patient.")
]
Label = Annotated[
    list[str] | None,
    typer.Option(help="FOLDER=label, or FOLDER= to leave it out, for unknown names; repeatable."),
]
SIZES, MOST = (32, 2048), 100_000  # pixels a side, images in one cohort
# What an import of phantoms needs to be told: the patient stands in the file's name, and what a
# layout calls normal.
PATIENT, NORMAL = r"(P\d+)_", {"case_a": "negative=normal", "case_d": "non-COVID-19=normal"}


@app.callback()
def _start() -> None:
    """Before any command: names and arrows can be written on every terminal."""
    plain_output()


@app.command("datasets")
def list_datasets() -> None:
    """List the sets that the course knows, their licence and where they come from."""
    from . import datasets

    columns = ["name", "case", "images", "classes", "licence", "url"]
    _show(datasets.catalogue()[columns], "Sets in the catalogue")


@app.command("import")
def import_folder(
    folder: Folder,
    patient: Patient = None,
    label: Label = None,
    out: Annotated[Path | None, typer.Option(help="Write the manifest to this CSV file.")] = None,
) -> None:
    """Make the table of images of FOLDER and say what was understood."""
    from . import manifest

    _check_out(out)
    found = _import(folder, patient, label)
    typer.echo(found.understood)
    if len(found.rejects):
        _show(found.rejects, "Files left out")
    if out is not None:
        with _one_line_errors():
            manifest.write(found.table, out)
        typer.echo(f"wrote {len(found.table)} rows to {out}")


@app.command("audit")
def audit_folder(
    folder: Folder,
    patient: Patient = None,
    label: Label = None,
    out: Annotated[Path | None, typer.Option(help="Write the audit to this CSV file too.")] = None,
) -> None:
    """Say in one page what is wrong with the radiographs in FOLDER."""
    from . import audit

    _check_out(out)
    found = _import(folder, patient, label)
    typer.echo(found.understood + "\n")
    report = audit.report(found.table, found.rejects)
    _show_audit(report, f"Audit of {folder.resolve().name}")
    if out is not None:
        with _one_line_errors():
            _write(report, out)
        typer.echo(f"wrote {len(report)} rows to {out}")
    typer.echo("\nFor education, never for diagnosis.")


@app.command("phantom")
def draw_phantoms(
    out: Annotated[
        Path | None, typer.Argument(help="Folder to write: images/, masks/ and truth.csv.")
    ] = None,
    design: Annotated[str, typer.Option(help="Study design, one of --list.")] = "default",
    n: Annotated[
        int | None, typer.Option(help="Number of images; default: as many as the design has.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed draws the same images.")] = 0,
    layout: Annotated[
        str | None,
        typer.Option(
            help="classes, or case_a to case_e; default: the case of the design, else classes."
        ),
    ] = None,
    format: Annotated[
        str, typer.Option(help="png, jpeg, dicom, or mixed: PNG and JPEG at random.")
    ] = "mixed",
    size: Annotated[int, typer.Option(help="Pixels a side.")] = 224,
    masks: Annotated[
        bool, typer.Option("--masks/--no-masks", help="Write the masks of lung, heart, lesion ...")
    ] = True,
    listing: Annotated[
        bool, typer.Option("--list", help="List the study designs and stop.")
    ] = False,
) -> None:
    """Draw procedural radiographs (phantoms) with their ground truth into the folder OUT."""
    from . import phantom

    if listing:
        return _show(phantom.presets(), "Study designs of the phantom")
    with _one_line_errors(), _cleaned_up_when_terminated():
        layout = layout or (design if design in phantom.LAYOUTS else "classes")
        table = _cohort(design, n, seed, layout, size)
        folder = _folder_for_phantoms(out)
        phantom.write(table, folder, layout, format=format, masks=masks, size=size)
    counts = ", ".join(
        f"{label} {count}" for label, count in table["label"].value_counts(sort=False).items()
    )
    beside = "masks/ and truth.csv lie" if masks else "truth.csv lies"
    typer.echo(
        f"{out}: {len(table)} phantoms of {table['patient'].nunique()} patients ({counts}) in "
        f"images/; {beside}"
    )
    words = [
        "cxr",
        "import",
        str(out),
        "--patient",
        PATIENT,
        *(["--label", NORMAL[layout]] if layout in NORMAL else []),
    ]
    typer.echo(f"beside it. To read them: {shlex.join(words)}")


@app.command("class")
def show_class(
    codes: Annotated[
        Path, typer.Argument(help="Text file of codes (guess.code()), or a folder of files.")
    ],
    out: Annotated[Path, typer.Option(help="Write the page to this HTML file.")] = Path(
        "class.html"
    ),
) -> None:
    """Draw a class's predictions: for each, all answers, the commonest belief and the result."""
    import warnings

    from . import guess

    _check_out(out)
    with _one_line_errors(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = guess.collect(codes)
        page = guess.class_page(table)
    for warning in caught:
        typer.echo(f"cxr: {warning.message}", err=True)
    with _one_line_errors():
        _write_text(page, out)
    typer.echo(
        f"{out}: {table['key'].nunique()} predictions of {table['reader'].nunique()} readers, "
        "without names"
    )


@app.command("score")
def score_predictions(
    predictions: Annotated[
        Path, typer.Argument(help="CSV file: true class, and answer or probabilities, per image.")
    ],
    compare: Annotated[
        Path | None, typer.Option(help="Another model's CSV file, of the same images.")
    ] = None,
    positive: Annotated[
        str | None, typer.Option(help="The class that a single score is the probability of.")
    ] = None,
    png: Annotated[
        Path | None, typer.Option(help="Draw confusion matrix, ROC curve and reliability to it.")
    ] = None,
    width: Annotated[
        float, typer.Option(help="For an interval this wide: how many patients?")
    ] = 0.1,
) -> None:
    """Say what predictions are worth: figures with intervals, whatever program made them."""
    import warnings

    from . import evaluate, scorecard

    _check_out(png, "--png", code=1)
    with _one_line_errors(code=1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if png is not None and png.suffix.lower() != ".png":
            raise ValueError(f"--png {png}: the name must end in .png")
        table = evaluate.read_predictions(predictions, positive)
        score = scorecard.score(table, width)
        other = None if compare is None else evaluate.read_predictions(compare, positive)
        difference = (
            other
            if other is None
            else scorecard.compared(table, other, str(predictions), str(compare))
        )
        picture = None if png is None else scorecard.picture(table, positive)
    for message in dict.fromkeys(str(warning.message) for warning in caught):
        typer.echo(f"cxr: {message}", err=True)
    typer.echo(f"{score.sentence}\n\nRead from {predictions}: {table.attrs['understood']}.\n")
    typer.echo("Each class against the rest:")
    _show(score.per_class, lines=False)
    typer.echo("\n" + "\n".join(score.notes))
    typer.echo("\nConfusion matrix, images: a row for each true class, a column for each answer:")
    _show(score.confusion, lines=False)
    if difference is not None:
        typer.echo(difference)
    if picture is not None and png is not None:
        with _one_line_errors(code=1):
            _write_by(lambda place: place.write_bytes(picture), png)
        typer.echo(f"wrote {png}")
    typer.echo("\nFor education, never for diagnosis.")


def _cohort(design: str, n: int | None, seed: int, layout: str, size: int):
    """The design's table with the split of the layout's folders; ValueError if not drawable."""
    from . import phantom

    if not SIZES[0] <= size <= SIZES[1]:
        raise ValueError(f"--size is {size}; it lies between {SIZES[0]} and {SIZES[1]} pixels")
    if n is not None and not 1 <= n <= MOST:
        raise ValueError(f"--n is {n}; it lies between 1 and {MOST:,} images")
    if seed < 0:
        raise ValueError(f"--seed is {seed}; it is not negative")
    if layout not in phantom.LAYOUTS:
        raise ValueError(f"layout {layout!r} is not one of {', '.join(phantom.LAYOUTS)}")
    table = phantom.design(design, n, seed)
    # By image and at random, as the case studies' sets were split; layouts without split folders
    # have none.
    own = phantom.design(layout, len(table), seed)["split"] if layout != "classes" else None
    return table.assign(split=own)


def _folder_for_phantoms(out: Path | None) -> Path:
    """Absolute path of a folder that may be written.

    It is new or empty, or holds a cohort and no file of anybody else's.
    """
    import pandas as pd

    if out is None:
        raise ValueError("name the folder to write, or see the designs with --list")
    folder = Path(os.path.abspath(out.expanduser()))
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{out} is a file; name a new or empty folder")
    if not folder.exists() or not any(folder.iterdir()):
        return folder
    if not all((folder / name).is_file() for name in ("phantom.json", "truth.csv")):
        raise ValueError(
            f"{out} is not empty and holds no phantom cohort; name a new or empty folder"
        )
    names = [
        Path(name)
        for name in pd.read_csv(folder / "truth.csv", usecols=["image_id"], dtype=str)["image_id"]
    ]
    own = {
        folder / "phantom.json",
        folder / "truth.csv",
        *(folder / "images" / name for name in names),
    }
    own |= {folder / "masks" / name.with_suffix(".png") for name in names}
    strange = sorted(path for path in folder.rglob("*") if not path.is_dir() and path not in own)
    if strange:
        raise ValueError(
            f"{out} holds a file that is no phantom ({strange[0].name}); name a new or empty folder"
        )
    return folder


@contextmanager
def _one_line_errors(code: int = 2):
    """A fault of the user's becomes one line on standard error and an exit code."""
    try:
        yield
    except (ValueError, OSError, RuntimeError) as error:
        typer.echo(f"cxr: {error}", err=True)
        raise typer.Exit(code) from None


@contextmanager
def _cleaned_up_when_terminated():
    """Turn the signal to terminate into an exit, so that half-written folders are removed."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _import(folder: Path, patient: str | None, label: list[str] | None):
    """The import of a folder."""
    from . import manifest

    with _one_line_errors():
        pairs = [entry.rsplit("=", 1) for entry in label or []]
        if any(len(pair) != 2 for pair in pairs):
            raise ValueError("--label takes FOLDER=label, for instance --label Sick=covid")
        labels = {name: label or None for name, label in pairs}
        return manifest.from_folder(folder, patient=patient, labels=labels)


def _check_out(out: Path | None, option: str = "--out", code: int = 2) -> None:
    """Refuse, before the work is done, a path to which the result could not be written."""
    if out is None:
        return
    with _one_line_errors(code):
        if out.is_dir():
            raise ValueError(f"{option} {out} is a folder; name a file")
        place = (
            out
            if out.exists()
            else next(folder for folder in out.absolute().parents if folder.exists())
        )
        if not os.access(place, os.W_OK) or not (place == out or place.is_dir()):
            raise ValueError(
                f"{option} {out} cannot be written; choose a folder that you may write to"
            )


def _write(table, out: Path) -> None:
    """A table as a CSV file."""
    _write_by(lambda place: table.to_csv(place, index=False), out)


def _write_text(text: str, out: Path) -> None:
    """A text file."""
    _write_by(lambda place: place.write_text(text, encoding="utf-8"), out)


def _write_by(write, out: Path) -> None:
    """Write a file, whole or not at all, its folder made; /dev/stdout is written to as it is."""
    if out.is_symlink() or (
        out.exists() and not (out.is_file() and os.access(out.parent, os.W_OK))
    ):
        return write(out)
    with files.whole_file(out) as part:
        write(part)


def _show(table, title: str | None = None, lines: bool = True) -> None:
    """A table on the terminal, wrapped to its width, with lines or without."""
    look = (
        {"show_lines": True} if lines else {"box": None, "pad_edge": False, "padding": (0, 2, 0, 0)}
    )
    page = Table(title=title, title_justify="left", **look)
    for column in table.columns:
        page.add_column(escape(str(column)), overflow="fold")
    for row in table.astype("string").fillna("").itertuples(index=False):
        page.add_row(*map(escape, row))
    Console().print(page)


def _show_audit(report, title: str) -> None:
    """The audit as a page: verdict, check and finding, its examples below, one a line."""
    page = Table(
        title=title,
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        show_header=False,
    )
    page.add_column(no_wrap=True)
    page.add_column(no_wrap=True, style="bold")
    page.add_column(overflow="fold")
    for row in report.itertuples(index=False):
        page.add_row(f"[{COLOURS[row.verdict]}]{row.verdict}[/]", row.check, escape(row.finding))
        for example in filter(None, row.examples.split("; ")):
            page.add_row("", "", f"[dim]{escape(example)}[/]")
    Console().print(page)


if __name__ == "__main__":
    app()
