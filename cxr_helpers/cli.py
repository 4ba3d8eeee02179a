"""The `cxr` command: a thin layer over the package. For education, never for diagnosis."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

app = typer.Typer(
    help="Import and audit folders of chest radiographs. For education, never for diagnosis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COLOURS = {"fault": "bold red", "look": "yellow", "ok": "green"}
Folder = Annotated[Path, typer.Argument(help="Folder of radiographs in class folders, with or without split folders.")]
Patient = Annotated[str | None, typer.Option(help="'nih', or a regular expression whose group is the patient.")]
Label = Annotated[list[str] | None, typer.Option(help="FOLDER=label, for folder names that are not known; repeatable.")]


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

    found = _import(folder, patient, label)
    typer.echo(found.understood)
    if len(found.rejects):
        _show(found.rejects, "Files left out")
    if out is not None:
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

    found = _import(folder, patient, label)
    typer.echo(found.understood + "\n")
    report = audit.report(found.table, found.rejects)
    _show_audit(report, f"Audit of {folder.resolve().name}")
    if out is not None:
        report.to_csv(out, index=False)
        typer.echo(f"wrote {len(report)} rows to {out}")
    typer.echo("\nFor education, never for diagnosis.")


def _import(folder: Path, patient: str | None, label: list[str] | None):
    """The import of a folder; a fault of the user's becomes one line on standard error and exit code 2."""
    from . import manifest

    try:
        pairs = [entry.split("=", 1) for entry in label or []]
        if any(len(pair) != 2 for pair in pairs):
            raise ValueError("--label takes FOLDER=label, for instance --label Sick=covid")
        return manifest.from_folder(folder, patient=patient, labels=dict(pairs) or None)
    except (ValueError, OSError) as error:
        typer.echo(f"cxr: {error}", err=True)
        raise typer.Exit(2) from None


def _show(table, title: str) -> None:
    """A table on the terminal, wrapped to its width."""
    page = Table(title=title, title_justify="left", show_lines=True)
    for column in table.columns:
        page.add_column(str(column), overflow="fold")
    for row in table.astype("string").fillna("").itertuples(index=False):
        page.add_row(*map(escape, row))
    Console().print(page)


def _show_audit(report, title: str) -> None:
    """The audit as a page: verdict, check and finding, its examples below, one a line."""
    page = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
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
