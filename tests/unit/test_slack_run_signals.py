from __future__ import annotations

import subprocess
import sys

MANY = """
import os, signal, threading
from onbrand_slack.run import _stopped_by_signals

def signal_often():
    for number in range(20):
        os.kill(os.getpid(), signal.SIGTERM if number % 2 else signal.SIGINT)

for _ in range(50):
    stopping = threading.Event()
    with _stopped_by_signals(stopping):
        sender = threading.Thread(target=signal_often)
        sender.start()
        assert stopping.wait(60)
        sender.join()
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
print("stopped")
"""


def test_signals_that_interrupt_one_another_stop_the_app_and_do_not_hang_it() -> None:
    done = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, timeout=120)
    assert done.stdout == "stopped\n", done.stderr
