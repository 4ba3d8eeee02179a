"""The table of images: building it from a folder or a CSV, its checks, writing and reading it.

For education, never for diagnosis.
"""

from ._importing import Imported, from_csv, from_folder
from ._names import DEFAULT_LABELS
from ._patients import nih_patient
from ._table import (
    COLUMNS,
    LABELS,
    SPLITS,
    ManifestError,
    check,
    concat,
    digest,
    read,
    scales,
    write,
)

__all__ = [
    "COLUMNS",
    "DEFAULT_LABELS",
    "LABELS",
    "SPLITS",
    "Imported",
    "ManifestError",
    "check",
    "concat",
    "digest",
    "from_csv",
    "from_folder",
    "nih_patient",
    "read",
    "scales",
    "write",
]
