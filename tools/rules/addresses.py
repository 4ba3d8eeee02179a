"""Do the addresses from which the course fetches data and weights still answer?

The command is `python -m tools.rules.addresses`.

Asks for each one's head, and for its first byte where a server gives no heads; nothing is
downloaded. The exit code is 1 if one is dead. Needs the package alone: `pip install -e .`
"""

import argparse
import sys
import time

import requests

from cxr_helpers.catalogue import CATALOGUE
from cxr_helpers.models import weights

AGENT = {"User-Agent": "cxr-course address check"}
NO_HEADS = (403, 405, 501)
PASSING = (408, 425, 429, 500, 502, 503, 504)


def addresses() -> dict[str, str]:
    """Return what is fetched: {address: what it is of}."""
    found = {row.url: row.name for row in CATALOGUE if row.url.startswith("http")}
    return found | {weights.URL: f"weights of {weights.PACKAGE}"}


def fault(address: str, attempts: int = 3, wait: float = 5.0, timeout: float = 30.0) -> str:
    """Return why an address is dead; an empty text if it answers, after redirections too."""
    said = ""
    for attempt in range(attempts):
        if attempt:
            time.sleep(wait)
        try:
            answer = requests.head(address, headers=AGENT, allow_redirects=True, timeout=timeout)
            if answer.status_code in NO_HEADS:
                first = AGENT | {"Range": "bytes=0-0"}
                answer = requests.get(
                    address, headers=first, allow_redirects=True, timeout=timeout, stream=True
                )
                answer.close()
        except requests.RequestException as error:
            said = f"no answer ({type(error).__name__})"
            continue
        if answer.ok:
            return ""
        said = f"{answer.status_code} {answer.reason}"
        if answer.status_code not in PASSING:
            break
    return said


def main(arguments: list[str] | None = None) -> int:
    """Ask all addresses; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.rules.addresses", description=__doc__.splitlines()[0]
    )
    parser.add_argument("address", nargs="*", help="others than the course's own")
    parser.add_argument(
        "--wait",
        type=float,
        default=5.0,
        help="seconds before a server that stumbled is asked again",
    )
    options = parser.parse_args(arguments)
    asked = {address: "" for address in options.address} or addresses()
    dead = 0
    for address, what in asked.items():
        said = fault(address, wait=options.wait)
        dead += bool(said)
        print(f"{said or 'answers'}: {address}{f' ({what})' if what else ''}", flush=True)
    print(f"{len(asked)} addresses, {dead} dead")
    return int(bool(dead))


if __name__ == "__main__":
    sys.exit(main())
