"""How far a long task has come, and how long it will still take."""

import sys
from collections.abc import Iterable


def bar(items: Iterable | None = None, *, show: bool = True, **options):
    """A progress bar on standard error that appears once a task has lasted two seconds.

    `options` are those of `tqdm.tqdm`: total, desc, unit. With `show` false nothing appears; TQDM_DISABLE=1 in the
    environment hides all bars, as headless runs do, whose outputs are kept.
    """
    from tqdm import tqdm

    hidden = {} if show else {"disable": True}  # an explicit False would overrule the environment
    return tqdm(items, **{"delay": 2, "leave": False, "file": sys.stderr, **options, **hidden})
