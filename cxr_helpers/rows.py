"""Which rows of an array belong to which image, so that a table in another order is noticed.

A table and an array are paired by position. `remember` notes, by a hash of their content, what rows
were made from; `check_rows` compares a table with that. It goes by content, and the notes belong to
the process, because an array loses whatever else is attached to it: `np.array`, `np.stack`, an
index or a file make plain arrays of it, and those are what readers pair with a table. A row whose
content was changed is not known any more, and passes.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd

# Hash of a row → image_id and SHA-256 of every image that gave this content; some 300 bytes a row.
_MADE_FROM: dict[bytes, tuple[str, ...]] = {}


def digests(rows: np.ndarray, chosen: Iterable[int] | None = None) -> list[bytes]:
    """A hash of each row's content, type and shape.

    Parameters
    ----------
    rows : ndarray
        (n, ...).
    chosen : iterable of int, optional
        Numbers of the rows that are wanted, by default all.

    Returns
    -------
    list of bytes
        8 bytes for each row.
    """
    kind = f"{rows.dtype.str} {rows.shape[1:]}".encode()
    some = range(len(rows)) if chosen is None else chosen
    return [
        hashlib.blake2b(np.ascontiguousarray(rows[k]).data, digest_size=8, key=kind).digest()
        for k in some
    ]


def remember(table: pd.DataFrame, rows: np.ndarray) -> None:
    """Note that row i was made from the image in row i of the table.

    Parameters
    ----------
    table : DataFrame
        With `image_id` and `sha256`.
    rows : ndarray
        (n, ...), one for each row of the table.
    """
    own = table[["image_id", "sha256"]].astype(str).itertuples(index=False, name=None)
    _note(digests(rows), own)


def remember_as(rows: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Note that row i of an array was computed from image i, as far as that is known.

    A constant row, such as an empty heat map, says nothing of its image and is left out.

    Parameters
    ----------
    rows : ndarray
        (n, ...), what was computed.
    images : ndarray
        (n, height, width), what it was computed from.

    Returns
    -------
    ndarray
        `rows`, the same object.
    """
    flat = np.reshape(rows, (len(rows), -1))
    tells = np.ptp(flat, axis=1) > 0
    from_images = [_MADE_FROM.get(digest, ()) for digest in digests(images)]
    pairs = zip(digests(rows), from_images, tells, strict=True)
    for digest, names, told in pairs:
        if told and names:
            _note([digest], [names])
    return rows


def _note(hashes: Iterable[bytes], names: Iterable[Iterable[str]]) -> None:
    for digest, own in zip(hashes, names, strict=True):
        known = _MADE_FROM.get(digest, ())
        _MADE_FROM[digest] = known + tuple(name for name in own if name not in known)


def check_rows(
    table: pd.DataFrame, rows: np.ndarray, what: str = "images", chosen: np.ndarray | None = None
) -> None:
    """Refuse an array whose row i is not of the image in row i of the table.

    Judged by length, and by content where that is known.

    The same image has the same `image_id` (a changed twin keeps it) or the same `sha256` (under
    another name).

    Parameters
    ----------
    table : DataFrame
        With `image_id`, `sha256` or both; with neither, only the length is compared.
    rows : ndarray
        (n, ...).
    what : str
        What the rows are, for the message.
    chosen : ndarray, optional
        Numbers of the rows to compare, by default all.

    Raises
    ------
    ValueError
        Names the first row that differs.

    Examples
    --------
    >>> table = pd.DataFrame({"image_id": ["a", "b"], "sha256": ["1", "2"]})
    >>> rows = np.array([[[0, 1]], [[2, 3]]], np.uint8)
    >>> remember(table, rows)
    >>> check_rows(table, rows.copy())
    >>> check_rows(table[::-1], rows)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: images and table do not belong together: 2 of 2 rows differ, ...
    """
    if len(table) != len(rows):
        raise ValueError(
            f"the table has {len(table)} rows but there are {len(rows)} {what}; make them from "
            "this very table, as preprocess.cache(table) does"
        )
    chosen = np.arange(len(table)) if chosen is None else chosen
    columns = [
        table[name].astype(str).to_numpy()[chosen]
        for name in ("image_id", "sha256")
        if name in table
    ]
    if not columns:
        return
    own = list(zip(*columns, strict=True))
    found = [_MADE_FROM.get(digest) for digest in digests(np.asarray(rows), chosen)]
    pairs = enumerate(zip(found, own, strict=True))
    wrong = [(k, known) for k, (known, names) in pairs if known and set(known).isdisjoint(names)]
    if wrong:
        first, others = wrong[0]
        raise ValueError(
            f"{what} and table do not belong together: {len(wrong)} of {len(own)} rows differ, the "
            f"first is row {chosen[first]}, {own[first][0]} in the table and "
            f"{min(others, key=len)} among the {what}. The table was sorted, shuffled or cut after "
            f"the {what} were made: make them from this very table, as preprocess.cache(table) "
            "does, or put both in one order"
        )
