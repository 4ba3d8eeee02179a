"""Results of benchmarks that lessons read: small tables with n, interval, date and command.

They lie in the package, so that a lesson finds them on Colab, too. `benchmarks/` holds the programs
that write them.
"""

from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Names of the tables that are there.

    Returns
    -------
    list of str
        Sorted.
    """
    return sorted(file.stem for file in FOLDER.glob("*.csv"))


def read(name: str) -> pd.DataFrame:
    """The table a benchmark wrote, one row per model or setting, with columns `date`, `command`.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    DataFrame
        As it was written.

    Raises
    ------
    FileNotFoundError
        For a name that is not there, with those that are.

    Examples
    --------
    >>> {"date", "command"} <= set(read(names()[0]).columns)
    True
    """
    file = path(name)
    if not file.is_file():
        raise FileNotFoundError(f"no measured table {name!r}; there are: {', '.join(names())}")
    return pd.read_csv(file)


def path(name: str) -> Path:
    """Where the table of that name is kept: what the benchmarks write to.

    Parameters
    ----------
    name : str
        Of a table that need not exist.

    Returns
    -------
    Path
        A CSV file.

    Examples
    --------
    >>> path("case_c").name
    'case_c.csv'
    """
    return FOLDER / f"{name}.csv"
