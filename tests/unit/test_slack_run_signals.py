from __future__ import annotations

import subprocess
import sys

MANY = """
import hashlib, os, signal, threading
from onbrand_slack.run import _stopped_by_signals

def signal_often():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        os.kill(os.getpid(), number)

def keep_busy():
    while True:
        hashlib.sha256(bytes(1_000_000))

for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: None)
for _ in range(3):
    threading.Thread(target=keep_busy, daemon=True).start()
for _ in range(100):
    stopping = threading.Event()
    with _stopped_by_signals(stopping):
        sender = threading.Timer(0.01, signal_often)
        sender.start()
        stopping.wait()
        sender.join()
print("stopped")
"""


def test_signals_that_come_together_stop_the_app_and_do_not_hang_it() -> None:
    done = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("stopped\n", "")
