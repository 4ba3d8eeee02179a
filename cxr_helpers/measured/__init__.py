"""Results of benchmarks that lessons read: small tables with n, interval, date and command.

They lie in the package, so that a lesson finds them on Colab, too. `benchmarks/` holds the programs
that write them.
"""

from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Names of the tables that are there."""
    return sorted(file.stem for file in FOLDER.glob("*.csv"))


def read(name: str) -> pd.DataFrame:
    """The table a benchmark wrote, one row per model or setting, with columns `date`, `command`.

    Raises FileNotFoundError for a name that is not there, with those that are.
    """
    file = path(name)
    if not file.is_file():
        raise FileNotFoundError(f"no measured table {name!r}; there are: {', '.join(names())}")
    return pd.read_csv(file)


def path(name: str) -> Path:
    """Where the table of that name is kept: what the benchmarks write to."""
    return FOLDER / f"{name}.csv"
