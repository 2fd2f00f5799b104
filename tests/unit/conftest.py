"""What the unit tests of several modules share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from slack_inbound import Inbound

    from onbrand import Encoder
    from onbrand_slack.scoring import Scoring


@pytest.fixture(scope="module")
def scoring(
    encoder: Encoder, example_voices: Path, tmp_path_factory: pytest.TempPathFactory
) -> Scoring:
    """Judges by the example voices, for the handlers of Slack's requests."""
    from slack_world import scoring_of

    return scoring_of(encoder, example_voices, tmp_path_factory.mktemp("voices"))


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Inbound]:
    """One workspace that sends to the Slack app; tests of handlers have their own by this name."""
    from slack_inbound import Inbound

    inbound = Inbound(tmp_path)
    yield inbound
    inbound.close()


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """The folder of a signed release."""
    from release_samples import write_release

    write_release(tmp_path / "release")
    return tmp_path / "release"


@pytest.fixture
def root(release: Path, tmp_path: Path) -> Path:
    """An installation of the release."""
    from release_samples import TRUSTED

    from onbrand_releases.install import install

    install(str(release), tmp_path / "root", [TRUSTED])
    return tmp_path / "root"
