"""Try all proofs at many seeds and print what was accepted.

An example: python -m tests.exercises.proofs --seeds 40 04 05.

A line for each question; below it, what must not be: a right answer refused, with the reason, a
wrong one accepted, or one that was not judged. An accusation is a right answer that was told it had
made a known mistake. The status is 1 where a question is judged worse than it may be: one trial of
forty, where its proof says that it rests on chance.
"""

import argparse
import sys
from collections import Counter

from cxr_helpers import checks

from . import Proof, proofs, tried


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.exercises.proofs", description=__doc__.splitlines()[0]
    )
    parser.add_argument("lessons", nargs="*", help="such as 04 05 (default: all)")
    parser.add_argument("--seeds", type=int, default=40, help="from 0 on (default: 40)")
    parser.add_argument(
        "--only", default="", help="questions and answers whose name has this in it"
    )
    parser.add_argument("--say", action="store_true", help="print what the wrong answers were told")
    asked = parser.parse_args(arguments)
    print(
        f"{'question':24}{'right of ' + str(asked.seeds):>20}{'wrong of ' + str(asked.seeds):>20}  "
        "accusations"
    )
    held = [
        _shown(name, question, proof, asked)
        for name, (question, proof) in proofs(asked.lessons).items()
        if asked.only in name or any(asked.only in what for what in (*proof.right, *proof.wrong))
    ]
    return 0 if all(held) else 1


def _shown(name: str, question: checks.Question, proof: Proof, asked: argparse.Namespace) -> bool:
    """Try a question's answers, print its lines, and tell whether it is judged as it must be."""
    accepted, notes, held, accused = {"right": [], "wrong": []}, [], True, 0
    for side, answers in (("right", proof.right), ("wrong", proof.wrong)):
        for what, answer in answers.items():
            if asked.only not in name and asked.only not in what:
                continue
            outcomes = [tried(question, answer, seed) for seed in range(asked.seeds)]
            correct = sum(outcome.state == checks.CORRECT for outcome in outcomes)
            astray = asked.seeds - correct if side == "right" else correct
            astray += sum(
                outcome.state not in (checks.CORRECT, checks.WRONG) for outcome in outcomes
            )
            accused += sum(side == "right" and outcome.mistake is not None for outcome in outcomes)
            held &= astray <= (asked.seeds / 40 if proof.chance else 0)
            accepted[side].append(correct)
            if astray or (asked.say and side == "wrong"):
                told = Counter(
                    (o.state, o.mistake or o.message) for o in outcomes if o.state != checks.CORRECT
                )
                seeds = [
                    seed
                    for seed, o in enumerate(outcomes)
                    if (o.state == checks.CORRECT) == (side == "wrong")
                ]
                notes.append(
                    f"    {side}, {what}: {correct} accepted"
                    + (f", seeds {seeds}" if astray else "")
                )
                notes += [
                    f"      {times} × {state}: {text}"
                    for (state, text), times in told.most_common(3)
                ]
    right, wrong = (" ".join(map(str, accepted[side])) for side in ("right", "wrong"))
    print(
        f"{name:24}{right:>20}{wrong:>20}{accused:>13}{'  rests on chance' if proof.chance else ''}"
    )
    print(*notes, sep="\n", end="\n" if notes else "", flush=True)
    return bool(held and not accused)


if __name__ == "__main__":
    sys.exit(main())
