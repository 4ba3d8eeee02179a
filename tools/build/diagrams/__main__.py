"""Draw the diagrams whose source changed: `python -m tools.build.diagrams [--check]`."""

import argparse
import sys

from tools.build.diagrams import NOTE, digest, drawings, drawn_from, faults, picture
from tools.common import relative


def main(arguments: list[str] | None = None) -> int:
    """Draw or check; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.build.diagrams", description=__doc__.splitlines()[0]
    )
    parser.add_argument("names", nargs="*", help="starts of names, such as d04; all if none")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where a diagram is old or missing"
    )
    parser.add_argument("--force", action="store_true", help="draw also what did not change")
    options = parser.parse_args(arguments)
    if options.check:
        found = faults()
        print(*found, sep="\n", end="\n" if found else "")
        print(
            "to repair: see above"
            if found
            else f"{len(drawings())} diagrams are drawn from their sources"
        )
        return int(bool(found))
    for name, function in drawings().items():
        path, wanted = picture(name), digest(function)
        if options.names and not name.startswith(tuple(options.names)):
            continue
        if options.force or drawn_from(path) != wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(function().png({NOTE: wanted}))
            print(f"{relative(path)}: {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
