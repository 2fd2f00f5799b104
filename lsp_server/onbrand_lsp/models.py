"""Voices and encoders in memory: loaded off the loop, damaged ones left out, reloaded when changed.

Nothing here needs lsprotocol: loading begins while that is still being imported (`begin`).
"""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from onbrand.errors import OnbrandError
from onbrand.files import FileSignature, file_signature
from onbrand_lsp.rpc.capabilities import JSON, ClientSupport, folders_of
from onbrand_lsp.settings import EffectiveSettings, ProblemReporter, ProjectSettings, path_of

if TYPE_CHECKING:
    from onbrand import Encoder, Scorer
    from onbrand.voice.model import Voice


REMEMBER = 6_000
"""Sentences whose judgements an engine remembers: those of 60,000 words."""
SETTLE = 0.2
"""Seconds for which files must stay as they are before they are read again."""
_SETTLE_ROUNDS = 50
_ENCODER_FILES = ("encoder.json", "model.onnx", "tokenizer.json", "installed.json")


class ModelKey(NamedTuple):
    """What an engine is made from."""

    voices: tuple[Path, ...]
    """Folders of voices, voices' own folders, or installations."""
    encoder: Path | None
    """A bundle; None: the one that comes with the voices, else the one that onbrand ships."""
    avoid: tuple[str, ...] = ()
    """Registers that documents for which no brand is set must not read like."""
    vouched: bool = True
    """The user, or the editor, answers for the encoder; else it has to be known or trusted."""

    @classmethod
    def of(cls, rules: EffectiveSettings) -> ModelKey:
        """Return what the documents need for which ``rules`` hold."""
        settings = rules.settings
        avoid = settings.avoid if not settings.brand else ()
        return cls(settings.voices, settings.encoder, avoid, rules.vouched)

    def stamp(self) -> FileSignature:
        """Return what changes when a file of it does; reads folders."""
        from onbrand.voice.storage import voices_signature

        encoder = [self.encoder / name for name in _ENCODER_FILES] if self.encoder else []
        return file_signature(encoder) + voices_signature(self.voices)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """Voices on their encoder, ready to judge."""

    scorer: Scorer
    id: str
    """Equal ids, equal judgements."""
    problems: tuple[str, ...] = ()
    """What could not be loaded, one line each; the rest is."""
    avoid: str | None = None
    """The name among the scorer's brands that stands for the registers to avoid, if any."""


class ModelCache:
    """The engines in use. For the loop's thread, but for `preload`, which needs no loop."""

    def __init__(self, problems: ProblemReporter) -> None:
        self._problems = problems
        self._pool = ThreadPoolExecutor(1, "onbrand-load")
        self._loads: dict[ModelKey, Future[LoadedModel]] = {}
        self._tell: Callable[[Future[LoadedModel]], None] = lambda _load: None
        # The pool's thread alone reads and writes these.
        self._stamps: dict[ModelKey, FileSignature] = {}
        self._encoders: weakref.WeakValueDictionary[object, Encoder] = weakref.WeakValueDictionary()

    def tell(self, loading: Callable[[Future[LoadedModel]], None]) -> None:
        """Call ``loading`` with every load that is under way and every one to come."""
        self._tell = loading
        for load in self._loads.values():
            if not load.done():
                loading(load)

    def preload(self, key: ModelKey) -> Future[LoadedModel]:
        """Begin to load an engine unless that was begun before."""
        load = self._loads.get(key)
        if load is None:
            load = self._loads[key] = self._begin(key, None)
        return load

    def get_if_loaded(self, key: ModelKey) -> LoadedModel | None:
        """Return an engine if it is there by now."""
        load = self._loads.get(key)
        return load.result() if load and load.done() and not load.exception() else None

    async def get(self, key: ModelKey) -> LoadedModel:
        """Return an engine, loading it first if need be.

        Raises:
            OnbrandError: there is no encoder, or not one voice.
        """
        load = self.preload(key)
        await _finished(load)
        self._report(key, load)
        return load.result()

    async def reload(self, *, force: bool = False) -> bool:
        """Load anew what has changed on disk; what cannot be loaded now stays as it was.

        Args:
            force: load everything anew.

        Returns:
            Whether what documents are judged by has changed.
        """
        changed = False
        for key, load in list(self._loads.items()):
            if not load.done() or not (force or await self._is_stale(key)):
                continue
            await self._settle(key)
            old = self.get_if_loaded(key)
            fresh = self._begin(key, old)
            await _finished(fresh)
            if self._loads.get(key) is not load:
                continue
            self._report(key, fresh)
            if old is None or not fresh.exception():
                self._loads[key] = fresh
                new = self.get_if_loaded(key)
                changed |= new is None or old is None or new.id != old.id
        return changed

    def retain_only(self, keys: Iterable[ModelKey]) -> None:
        """Let go of the engines that no document needs any more."""
        for key in self._loads.keys() - set(keys):
            if self._loads[key].done():
                del self._loads[key]
                self._problems.set(("engine", key), ())

    def folders(self) -> set[Path]:
        """Return the folders that the engines were made from."""
        return {folder for key in self._loads for folder in (*key.voices, key.encoder) if folder}

    def brands(self) -> set[str]:
        """Return the brands of all engines that are there."""
        models = [model for key in self._loads if (model := self.get_if_loaded(key))]
        return {b for model in models for b in model.scorer.brands if b != model.avoid}

    def close(self) -> None:
        """Begin no more loads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _begin(self, key: ModelKey, old: LoadedModel | None) -> Future[LoadedModel]:
        load = self._pool.submit(self._load, key, old)
        self._tell(load)
        return load

    def _report(self, key: ModelKey, load: Future[LoadedModel]) -> None:
        failure = load.exception()
        self._problems.set(("engine", key), [str(failure)] if failure else load.result().problems)

    async def _is_stale(self, key: ModelKey) -> bool:
        return await self._stamp(key) != self._stamps.get(key)

    async def _settle(self, key: ModelKey) -> None:
        """Wait until nobody is writing to the files any more, which a copy does one by one."""
        before = await self._stamp(key)
        for _ in range(_SETTLE_ROUNDS):
            await asyncio.sleep(SETTLE)
            now = await self._stamp(key)
            if now == before:
                return
            before = now

    async def _stamp(self, key: ModelKey) -> FileSignature:
        return await asyncio.wrap_future(self._pool.submit(key.stamp))

    def _load(self, key: ModelKey, old: LoadedModel | None) -> LoadedModel:
        """Load an engine; a voice that is damaged now stays as it was in the old one."""
        from onbrand import Scorer
        from onbrand.voice.storage import encoder_for, load_valid_voices, with_consistent_release

        def load(folders: Sequence[Path]) -> tuple[Encoder, list[Voice], list[str]]:
            # Of what is read, before it is: a release may come and go again meanwhile.
            self._stamps[key] = key._replace(voices=tuple(folders)).stamp()
            encoder = self._encoder(key, key.encoder or encoder_for(folders))
            before = old.scorer.bank.voices if old else ()
            return encoder, *load_valid_voices(folders, encoder.fingerprint, before)

        self._stamps[key] = key.stamp()
        try:
            if key.voices or not key.avoid:
                encoder, voices, problems = with_consistent_release(key.voices, load)
            else:
                encoder, voices, problems = self._encoder(key, key.encoder), [], []
        except OSError as error:
            raise OnbrandError(f"cannot be read ({error.strerror})", path=error.filename) from None
        avoid = None
        if key.avoid:
            from onbrand.voice.avoid import avoid_voice

            voices = [*voices, avoid_voice(encoder, key.avoid)]
            avoid = voices[-1].brand
        if not voices:
            raise OnbrandError(problems[0])
        scorer = Scorer(encoder, voices, remember=REMEMBER)
        return LoadedModel(scorer, _id(encoder, voices), tuple(problems), avoid)

    def _encoder(self, key: ModelKey, bundle: Path | None) -> Encoder:
        """Return an encoder, one for all engines that name the same bundle."""
        from onbrand import Encoder
        from onbrand.config.trust import check_trust

        if not key.vouched:
            check_trust(bundle)
        files = [bundle / name for name in _ENCODER_FILES] if bundle else []
        name = (bundle, file_signature(files))
        encoder = self._encoders.get(name)
        if encoder is None:
            # Judgements are remembered, so vectors need not be.
            encoder = Encoder.load(bundle, cache_size=0)
            self._encoders[name] = encoder
        return encoder


async def _finished(load: Future[LoadedModel]) -> None:
    """Wait for a load without claiming it: others wait for it too, whoever is cancelled."""
    if not load.done():
        waiter = asyncio.wrap_future(load)
        waiter.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait([waiter])


def _id(encoder: Encoder, voices: Iterable[Voice]) -> str:
    import msgspec

    digest = blake2b(encoder.fingerprint.encode(), digest_size=16)
    for voice in voices:
        digest.update(msgspec.json.encode(voice.manifest))
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Session:
    """The parts of the server that are there before lsprotocol is imported."""

    problems: ProblemReporter
    projects: ProjectSettings
    models: ModelCache


def begin(params: JSON) -> Session:
    """Look up the configuration of the workspace folders, and begin to load their voices.

    The garbage collector rests until the server is built: it would look at the
    thousands of types of lsprotocol again and again while they are made, for a fifth of that time.

    Args:
        params: what came with `initialize`.
    """
    gc.disable()
    client = ClientSupport.of(params)
    problems = ProblemReporter()
    projects = ProjectSettings(problems, trusted=client.trusted, vouched=client.vouches)
    projects.set_editor(None, client.settings)
    models = ModelCache(problems)
    for uri, _name in folders_of(params):
        path = path_of(uri)
        if path is not None:
            projects.add_folder(uri, path)
    for folder in projects.folders.values():
        rules = projects.rules("", folder / "draft.md")
        if not (rules.problem or rules.disabled_reason):
            # Here and now, for two threads that import get in each other's way: loading, which
            # hardly needs the interpreter, then goes on beside the import of lsprotocol.
            import onnxruntime  # noqa: F401
            import tokenizers  # noqa: F401

            import onbrand.scorer  # noqa: F401

            models.preload(ModelKey.of(rules))
    return Session(problems, projects, models)
