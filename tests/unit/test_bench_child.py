"""Benchmarks say why a process of theirs died."""

from __future__ import annotations

import os
import sys
from types import ModuleType

import pytest
from scripts import load_script

LAST_WORDS = "import sys; sys.stderr.write('first\\n' * 50 + 'no such model\\n'); sys.exit(3)"
REFUSAL = r"(?s)ended with exit status 3:\n(first\n){14}no such model$"


@pytest.fixture(scope="module")
def child() -> ModuleType:
    return load_script("bench/child.py")


def test_a_command_that_fails(child: ModuleType) -> None:
    with pytest.raises(child.ChildError, match=REFUSAL):
        child.run([sys.executable, "-c", LAST_WORDS])


def test_a_command_that_ends_well(child: ModuleType) -> None:
    assert child.run([sys.executable, "-c", "print(1)"]) == f"1{os.linesep}"


def test_a_worker_that_dies_before_its_answer(child: ModuleType) -> None:
    worker = child.Child([sys.executable, "-c", f"input(); {LAST_WORDS}"])
    worker.send(b"a question\n")
    with pytest.raises(child.ChildError, match=REFUSAL):
        worker.read_line()
    with pytest.raises(child.ChildError, match=REFUSAL):
        worker.close()


def test_a_worker_that_is_asked_after_its_death(child: ModuleType) -> None:
    worker = child.Child([sys.executable, "-c", LAST_WORDS])
    worker.process.wait(60)
    with pytest.raises(child.ChildError, match=REFUSAL):
        worker.send(b"a question\n")


def test_a_worker_that_is_killed(child: ModuleType) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    worker = child.Child([sys.executable, "-c", code])
    with pytest.raises(child.ChildError, match="exit status -9, silently"):
        worker.read_line()
    with pytest.raises(child.ChildError):
        worker.close()


def test_a_worker_that_talks_much_is_not_stopped_by_that(child: ModuleType) -> None:
    code = "import sys; sys.stderr.write('x' * 1_000_000); print(input())"
    worker = child.Child([sys.executable, "-c", code])
    worker.send(b"answer\n")
    assert worker.read_line().rstrip() == b"answer"
    worker.close()
