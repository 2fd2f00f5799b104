"""Drafts judged by the voices of the workspace they come from, on the encoder that these need."""

from __future__ import annotations

import logging
import re
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from onbrand import Encoder, Report, Scorer
from onbrand.discovery import MAX_DRAFT_BYTES
from onbrand.document.document import parse
from onbrand.encoder import SentenceEncoder, default_bundle, read_manifest
from onbrand.errors import OnbrandError
from onbrand.files import FileSignature
from onbrand.voice.model import Voice
from onbrand.voice.storage import (
    encoder_for,
    load_valid_voices,
    voices_signature,
    with_consistent_release,
)
from onbrand_slack.config import Config
from onbrand_slack.model import Pasted, Tenant

LOOK_EVERY = 5.0
"""Seconds for which voices are taken to be as they were."""
MAX_WORKSPACES = 64
"""Workspaces whose voices stay in memory, some 1.5 MB a voice; those used the latest."""
MAX_ENCODERS = 4
"""Encoders that stay in memory with them, some 50 MB each."""
EXPLAINED = 100
"""Sentences that a report explains, the worst first: more than anyone reads in Slack."""

_WORKSPACE = re.compile("[A-Z0-9]{2,20}")
_log = logging.getLogger(__name__)


class Scoring:
    """Judges the drafts of all workspaces. Safe to use from several threads.

    Nothing of a draft is remembered, neither sentences nor vectors: what is kept and for how long
    is the workspace's choice, and no workspace shall tell by the clock what another one checked.

    Args:
        config: where the voices are, and whether one workspace or many are served.
        step_aside: called between batches, to let what is more urgent go first; what it raises
            ends the check.
        encoder: what all voices were trained on; by default an installation brings its own, and
            other voices are on the one that ships with onbrand.
        clock: tells seconds.

    Raises:
        OnbrandError: the configuration names a register to avoid that is none.
    """

    def __init__(
        self,
        config: Config,
        *,
        step_aside: Callable[[], None] = lambda: None,
        encoder: Encoder | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._step_aside = step_aside
        self._encoders = _Encoders(encoder)
        self._avoiding = (
            Scorer.avoiding(self._encoders.get(None), config.avoid) if config.avoid else None
        )
        self._clock = clock
        self._lock = threading.Lock()
        self._voices: OrderedDict[Path, _Voices] = OrderedDict()

    @property
    def avoided(self) -> str | None:
        """The ``brand`` of verdicts where none judges but registers to avoid; None: never."""
        return self._avoiding.brands[0] if self._avoiding else None

    def brands(self, tenant: Tenant) -> tuple[str, ...]:
        """Return the brands of a workspace, sorted.

        Raises:
            OnbrandError: it has no voices, and there is nothing to judge by without them.
        """
        scorer = self._current(tenant) if self._avoiding else self.scorer(tenant)
        return tuple(sorted(scorer.brands)) if scorer else ()

    def scorer(self, tenant: Tenant) -> Scorer:
        """Return what judges a workspace's drafts, by its voices as they are on disk now.

        Raises:
            OnbrandError: it has no voices.
        """
        scorer = self._current(tenant)
        if scorer is None:
            raise OnbrandError(
                "this workspace has no voices yet; ask whoever runs onbrand to put trained ones "
                f"in its folder {self._folder(tenant).name!r}, or to see in the log why they "
                "cannot be loaded"
            )
        return scorer

    def _current(self, tenant: Tenant) -> Scorer | None:
        folder = self._folder(tenant)
        with self._lock:
            voices = self._voices.get(folder)
            if voices is None:
                voices = self._voices[folder] = _Voices(folder, self._encoders, self._clock)
            self._voices.move_to_end(folder)
        scorer = voices.current()
        with self._lock:
            self._make_room()
        return scorer

    def check(self, tenant: Tenant, draft: Pasted, brand: str, gate: float | None = None) -> Report:
        """Judge a draft.

        Args:
            tenant: whose voices.
            draft: the text.
            brand: judge all of it as this brand, whatever comments in it say; or by no brand, if
                it is what `avoided` says.
            gate: P at which it goes forward, instead of the voice's own.

        Raises:
            OnbrandError: no such brand, or the draft is too long.
            Cancelled: raised by ``step_aside``, to end the check.
        """
        alone = self._avoiding if brand == self.avoided else None
        scorer = alone or self.scorer(tenant)
        scorer.voice(brand)
        if len(draft.text.encode("utf-8", "surrogatepass")) > MAX_DRAFT_BYTES:
            limit = MAX_DRAFT_BYTES // 1024**2
            raise OnbrandError(f"the draft is longer than {limit} MB, the limit; split it")
        return scorer.check_document(
            parse(draft.text, draft.format),
            path="draft",
            brand=brand,
            gate=gate,
            explained=EXPLAINED,
            cancelled=self._between_batches,
        )

    def warm(self, tenant: Tenant) -> None:
        """Load a workspace's voices, and judge a line, so that its first user need not wait.

        A workspace without voices is no reason not to start: they may come later, and the log has
        it already.
        """
        with suppress(OnbrandError):
            for brand in (*self.brands(tenant)[:1], *([self.avoided] if self.avoided else [])):
                self.check(tenant, Pasted("A first line, for nobody to read."), brand)

    def close(self) -> None:
        """Let go of all voices."""
        self._voices = OrderedDict()

    def _make_room(self) -> None:
        """Let go of the workspaces that were not used for the longest time."""
        while (
            len(self._voices) > MAX_WORKSPACES
            or len({id(voices.encoder) for voices in self._voices.values() if voices.encoder})
            > MAX_ENCODERS
        ):
            self._voices.popitem(last=False)

    def _between_batches(self) -> bool:
        self._step_aside()
        return False

    def _folder(self, tenant: Tenant) -> Path:
        """Return where a workspace's voices are: in a folder of its own where there are many."""
        root = self._config.voices
        if not _WORKSPACE.fullmatch(tenant.workspace):
            raise OnbrandError("Slack names a workspace in a way that onbrand does not know")
        own = root / tenant.workspace
        return own if self._config.many_workspaces or own.is_dir() else root


class _Encoders:
    """The encoders in use, each in memory once however many workspaces need it."""

    def __init__(self, only: Encoder | None) -> None:
        self._only = only
        self._lock = threading.Lock()
        self._loaded: weakref.WeakValueDictionary[str, Encoder] = weakref.WeakValueDictionary()

    def get(self, bundle: Path | None) -> Encoder:
        if self._only is not None:
            return self._only
        folder = bundle or default_bundle()
        fingerprint = read_manifest(folder).fingerprint
        with self._lock:
            encoder = self._loaded.get(fingerprint)
            if encoder is None:
                # The app's own threads are the parallelism: each encodes by itself.
                encoder = Encoder.load(folder, threads=1, cache_size=0)
                self._loaded[encoder.fingerprint] = encoder
            return encoder


class _Voices:
    """The voices in one folder and their encoder, loaded anew when their files change."""

    def __init__(self, folder: Path, encoders: _Encoders, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._encoders = encoders
        self._clock = clock
        self._lock = threading.Lock()
        self._scorer: Scorer | None = None
        self._stamp: FileSignature | None = None
        self._looked = 0.0

    @property
    def encoder(self) -> SentenceEncoder | None:
        """What it keeps in memory beside the voices."""
        return self._scorer.encoder if self._scorer else None

    def current(self) -> Scorer | None:
        """Return a scorer with the voices as they are now, None where there are none.

        While one thread loads, the others go on with the voices that there were, if any.
        """
        if self._due() and self._lock.acquire(blocking=self._stamp is None):
            try:
                if self._due():
                    self._look()
            finally:
                self._lock.release()
        return self._scorer

    def _due(self) -> bool:
        return self._stamp is None or self._clock() - self._looked >= LOOK_EVERY

    def _look(self) -> None:
        stamp = voices_signature([self._folder])
        if stamp != self._stamp:

            def load(folders: Sequence[Path]) -> tuple[Encoder, list[Voice], list[str]]:
                # Of what is read, before it is: a release may come and go again meanwhile.
                nonlocal stamp
                stamp = voices_signature(folders)
                return self._load(folders)

            try:
                encoder, voices, problems = with_consistent_release([self._folder], load)
                self._scorer = Scorer(encoder, voices) if voices else None
            except (OnbrandError, OSError) as error:  # the encoder: what there was goes on
                problems = [str(error)]
            for problem in problems:
                _log.warning("%s", problem)
            self._stamp = stamp
        self._looked = self._clock()

    def _load(self, folders: Sequence[Path]) -> tuple[Encoder, list[Voice], list[str]]:
        encoder = self._encoders.get(encoder_for(folders))
        before = self._scorer.bank.voices if self._scorer else ()
        return encoder, *load_valid_voices(folders, encoder.fingerprint, before)
