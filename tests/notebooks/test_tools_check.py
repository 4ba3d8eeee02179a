"""All checks run, and one that fails is enough."""

import pytest

from tools.rules import check


@pytest.mark.parametrize("codes", [(0, 0), (1, 0), (0, 2)])
def test_all_checks_run_and_any_fault_is_told(codes, capsys):
    ran = []
    checks = {
        f"check {n}": lambda n=n, code=code: ran.append(n) or code for n, code in enumerate(codes)
    }
    assert check.main(checks) == int(any(codes))
    assert ran == [0, 1]
    told = capsys.readouterr().err
    for n, code in enumerate(codes):
        assert (f"check {n}" in told) == bool(code)


def test_a_command_is_run_as_a_module():
    assert check.command("this_module_is_not_there")() == 1
