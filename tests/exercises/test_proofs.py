"""Other people's answers at two seeds each: right ones pass, wrong ones do not; see `proofs`."""

import pytest

from cxr_helpers import checks

from .proofs import proofs, tried

SEEDS = (0, 1)
PROOFS = proofs()
ANSWERS = {
    f"{name}-{side}-{what}": (question, answer, state)
    for name, (question, proof) in PROOFS.items()
    for side, answers, state in (
        ("right", proof.right, checks.CORRECT),
        ("wrong", proof.wrong, checks.WRONG),
    )
    for what, answer in answers.items()
}


@pytest.mark.slow
@pytest.mark.parametrize(("question", "answer", "state"), ANSWERS.values(), ids=ANSWERS)
def test_answers_of_other_people(question, answer, state):
    for seed in SEEDS[:1] if question.trains else SEEDS:
        outcome = tried(question, answer, seed)
        assert outcome.state == state, f"seed {seed}: {outcome}"


@pytest.mark.parametrize("lesson", sorted({name[:2] for name in PROOFS}))
def test_each_question_has_three_of_either_kind(lesson):
    given = {name[3:]: proof for name, (_, proof) in PROOFS.items() if name[:2] == lesson}
    assert set(given) == set(checks.questions(lesson))
    for name, proof in given.items():
        assert min(len(proof.right), len(proof.wrong)) >= 3, name
