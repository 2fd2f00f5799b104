"""A project folder with drafts, as a writer's editor opens it, and what onbrand says of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from onbrand.labels.store import LabelStore

ROOT = Path(__file__).parents[2]
INSTALLED = ROOT / ".editors/bin"
"""Where install.sh puts the editors that Debian does not have."""
BRAND = "quillpot"
LABELS = ".onbrand/labels.db"
EPIC = "Get ready to absolutely smash your most epic financial year ever!"
INTELLIGENCE = (
    "Quillpot harnesses real-time income intelligence to deliver unparalleled visibility."
)
TYPED = "Our best-in-class solution empowers professionals to leverage synergies."
"""Off-brand; tests type it."""
# Characters of one, two, three and four bytes, and of two UTF-16 units, stand before the findings.
DRAFT = f"""\
# January

Put the kettle on first. Then work down this list, and don't skip the biscuits.

Photograph every receipt 🧾🫖, even the crumpled ones. {EPIC} Tap the button when you're done.

𝓡eceipts from the café count too. {INTELLIGENCE} We'll do the sums.
"""
CLEAN = """\
# January

Put the kettle on first. Then work down this list, and don't skip the biscuits.

Photograph every receipt 🧾🫖, even the crumpled ones. Tap the button when you're done.
"""


def program(name: str) -> Path:
    """Return the path of an editor."""
    found = shutil.which(name, path=os.pathsep.join([str(INSTALLED), os.environ["PATH"]]))
    assert found, f"{name} is not installed; run tests/editors/install.sh"
    return Path(found)


@dataclass(frozen=True)
class Project:
    """A folder with configuration, drafts and a label store."""

    folder: Path
    home: Path

    @property
    def draft(self) -> Path:
        """A draft of the brand with two sentences that are not in its voice."""
        return self.folder / "draft.md"

    @property
    def clean(self) -> Path:
        """A draft with nothing to underline: the control of every test."""
        return self.folder / "clean.md"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of an editor: `onbrand` is on PATH, nobody's settings are read."""
        programs = [
            str(Path(sys.executable).parent),
            os.environ["PATH"],
        ]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "VIM", "TMUX"))}
        return kept | {
            "PATH": os.pathsep.join(programs),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color",
        }

    def flagged(self, draft: Path | None = None, *, brand: str = BRAND) -> list[str]:
        """Return the sentences that `onbrand check` underlines in a draft."""
        command = [sys.executable, "-m", "onbrand", "check", "--format", "json", "--brand", brand]
        done = subprocess.run(
            [*command, str(draft or self.draft)], capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 1), done.stderr
        (report,) = json.loads(done.stdout)["files"]
        return [sentence["text"] for sentence in report["sentences"] if sentence["flagged"]]

    def labels(self) -> dict[str, str]:
        """Return what the label store says of the brand's sentences."""
        with LabelStore.open(self.folder / LABELS, create=False) as store:
            return {label.text: label.label for label in store.current(BRAND) if label.label}


def make_project(folder: Path, voices: Path) -> Project:
    """Make a project of the example voices, with configuration and two drafts."""
    made = Project(folder / "project", folder / "home")
    (made.folder / LABELS).parent.mkdir(parents=True)
    made.home.mkdir()
    LabelStore.open(made.folder / LABELS).close()
    (made.folder / "onbrand.toml").write_text(
        f"root = true\nbrand = {json.dumps(BRAND)}\nvoices = [{json.dumps(str(voices))}]\n"
        f"labels_db = {json.dumps(LABELS)}\n",
        "utf-8",
    )
    made.draft.write_text(DRAFT, "utf-8")
    made.clean.write_text(CLEAN, "utf-8")
    return made
