"""How the command line ends before its time: Ctrl-C and SIGTERM, at any moment."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_runner import BRAND_NAMES, BRANDS, tree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
ONBRAND = [sys.executable, "-m", "onbrand"]
# A shell that runs the tests in the background makes its children deaf to Ctrl-C.
HEARING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, "-m", "onbrand", *sys.argv[1:]])
"""
ENDS = [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]


@pytest.mark.parametrize(("number", "code", "word"), ENDS)
def test_an_end_during_training_leaves_whole_voices(
    tmp_path: Path, example_voices: Path, number: int, code: int, word: str
) -> None:
    voices = tmp_path / "voices"
    shutil.copytree(example_voices / "varnholt-pumps", voices / "varnholt-pumps")
    old = tree(voices)
    command = ["train", BRANDS, "-o", voices]
    with subprocess.Popen(
        [sys.executable, "-c", HEARING, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        # Brands are trained in the order of their names: the last one is seconds away.
        while not (voices / "oatfolk").exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(number)
        process.send_signal(number)  # as `timeout` does: to the process, and to its group
        out, err = process.communicate()
    assert process.returncode == code, err
    assert (out, err) == ("", f"{word}; no file is half-written\n")
    now = tree(voices)
    assert {name: now.get(name) for name in old} == old
    assert [name for name in now if name.startswith(".")] == []
    brands = {path.name for path in voices.iterdir()}
    assert {"oatfolk", "varnholt-pumps"} <= brands < set(BRAND_NAMES)
    listing = [*ONBRAND, "voices", "list", "--voices", voices, "--format", "json"]
    done = subprocess.run(listing, capture_output=True, check=True)
    assert {voice["brand"] for voice in json.loads(done.stdout)["voices"]} == brands


def test_sigterm_clears_away_what_is_half_done(tmp_path: Path) -> None:
    """Also what is cleared at the end of a command, and however often the signal comes."""
    script = """
import os, signal, sys, tempfile
from onbrand_cli import app, main

def work(_arguments):
    with tempfile.TemporaryDirectory() as folder:
        print(folder, flush=True)
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
    return 0

app.run = work
main()
"""
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env)
    assert (done.returncode, done.stderr) == (143, "terminated; no file is half-written\n")
    assert done.stdout.startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", ["typer", "onbrand_cli.app", "onbrand_cli.voices"])
def test_ctrl_c_in_the_first_moments(module: str) -> None:
    """While the command line itself is still being loaded."""
    script = f"""
import runpy, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
sys.argv = ["onbrand", "--version"]
runpy.run_module("onbrand", run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "interrupted; no file is half-written\n"
