"""What the unit tests of several modules share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from onbrand import Encoder
    from onbrand_slack.scoring import Scoring


@pytest.fixture(scope="module")
def scoring(
    encoder: Encoder, example_voices: Path, tmp_path_factory: pytest.TempPathFactory
) -> Scoring:
    """Judges by the example voices, for the handlers of Slack's requests."""
    from slack_world import scoring_of

    return scoring_of(encoder, example_voices, tmp_path_factory.mktemp("voices"))
