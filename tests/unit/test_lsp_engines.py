"""Voices and encoders in memory."""

from __future__ import annotations

import asyncio
import gc
import shutil
import weakref
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from installed_samples import switch, tiny_release

from onbrand.encoder.bundle import default_bundle
from onbrand.errors import OnbrandError
from onbrand_lsp import models as module
from onbrand_lsp.models import LoadedModel, ModelCache, ModelKey
from onbrand_lsp.settings import ProblemReporter

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLE", 0.0)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def models(told: list[str]) -> ModelCache:
    problems = ProblemReporter()
    problems.subscribe(told.append)
    return ModelCache(problems)


@pytest.fixture
def voices(tmp_path: Path, example_voices: Path) -> Path:
    folder = tmp_path / "voices"
    for brand in ("oatfolk", "quillpot"):
        shutil.copytree(example_voices / brand, folder / brand)
    return folder


async def let_go(gone: weakref.ref[Any]) -> None:
    """Wait until nothing is left of something: a thread may hold its last result for a moment."""
    async with asyncio.timeout(60):
        while gone() is not None:
            gc.collect()
            await asyncio.sleep(0.01)


async def test_an_engine_is_loaded_once(models: ModelCache, voices: Path) -> None:
    key = ModelKey((voices,), None)
    assert models.get_if_loaded(key) is None
    loads: list[Future[LoadedModel]] = []
    models.preload(key)
    models.tell(loads.append)
    first, second = await asyncio.gather(models.get(key), models.get(key))
    assert first is second is models.get_if_loaded(key)
    assert first.scorer.brands == ("oatfolk", "quillpot")
    assert len(loads) == 1
    assert not await models.reload()
    assert models.get_if_loaded(key) is first


async def test_who_gives_up_waiting_stops_nobody(models: ModelCache, voices: Path) -> None:
    key = ModelKey((voices,), None)
    hasty = asyncio.ensure_future(models.get(key))
    patient = asyncio.ensure_future(models.get(key))
    await asyncio.sleep(0)
    hasty.cancel()
    assert (await patient).scorer.brands == ("oatfolk", "quillpot")
    assert hasty.cancelled()


async def test_engines_share_an_encoder(models: ModelCache, voices: Path) -> None:
    one = await models.get(ModelKey((voices,), None))
    two = await models.get(ModelKey((voices / "oatfolk",), None))
    assert one.scorer.encoder is two.scorer.encoder
    assert one.id != two.id


async def test_what_cannot_be_loaded_is_left_out(
    models: ModelCache, voices: Path, told: list[str]
) -> None:
    (voices / "broken").mkdir()
    (voices / "broken" / "voice.json").write_text("{")
    (voices / "no-voice").mkdir()
    stranger = voices / "stranger" / "voice.json"
    shutil.copytree(voices / "oatfolk", stranger.parent)
    fingerprint = (
        await models.get(ModelKey((voices / "oatfolk",), None))
    ).scorer.encoder.fingerprint
    stranger.write_text(stranger.read_text().replace(fingerprint, "0" * 64))
    missing = voices.parent / "missing"
    model = await models.get(ModelKey((missing, voices), None))
    assert model.scorer.brands == ("oatfolk", "quillpot")
    assert len(model.problems) == 3
    for line, words in zip(
        model.problems,
        [(str(missing), "train one"), (str(voices / "broken"), "train"), ("encoder", "train it")],
        strict=True,
    ):
        assert all(word in line for word in words)
        assert "\n" not in line
    assert sorted(told) == sorted(model.problems)


@pytest.mark.parametrize("bundle", [None, "nowhere"])
async def test_without_a_voice_or_an_encoder_there_is_no_engine(
    models: ModelCache, tmp_path: Path, voices: Path, told: list[str], bundle: str | None
) -> None:
    key = ModelKey((tmp_path / "none" if bundle is None else voices,), bundle and tmp_path / bundle)
    for _ in range(2):
        with pytest.raises(OnbrandError):
            await models.get(key)
    assert len(told) == 1
    assert models.get_if_loaded(key) is None
    # It is noticed when it comes.
    if bundle is None:
        shutil.copytree(voices, tmp_path / "none")
    else:
        shutil.copytree(default_bundle(), tmp_path / bundle)
    assert await models.reload()
    assert (await models.get(key)).scorer.brands == ("oatfolk", "quillpot")


async def test_changed_voices_are_loaded_anew(
    models: ModelCache, voices: Path, example_voices: Path
) -> None:
    key = ModelKey((voices,), None)
    old = await models.get(key)
    shutil.copytree(example_voices / "varnholt-pumps", voices / "varnholt-pumps")
    assert await models.reload()
    new = await models.get(key)
    assert new.scorer.brands == ("oatfolk", "quillpot", "varnholt-pumps")
    assert new.id != old.id
    shutil.rmtree(voices / "quillpot")
    assert await models.reload()
    assert (await models.get(key)).scorer.brands == ("oatfolk", "varnholt-pumps")


async def test_the_same_voices_written_again_change_nothing(
    models: ModelCache, voices: Path, example_voices: Path
) -> None:
    key = ModelKey((voices,), None)
    old = await models.get(key)
    shutil.rmtree(voices / "oatfolk")
    shutil.copytree(example_voices / "oatfolk", voices / "oatfolk")
    assert not await models.reload()
    assert (await models.get(key)).id == old.id


async def test_a_voice_that_breaks_goes_on_as_it_was(
    models: ModelCache, voices: Path, told: list[str], example_voices: Path
) -> None:
    key = ModelKey((voices,), None)
    old = await models.get(key)
    (voices / "oatfolk" / "head.safetensors").write_bytes(b"half")
    assert not await models.reload()
    now = await models.get(key)
    assert now.scorer.voice("oatfolk") is old.scorer.voice("oatfolk")
    (line,) = told
    assert str(voices / "oatfolk") in line
    shutil.copy(example_voices / "oatfolk" / "head.safetensors", voices / "oatfolk")
    await models.reload()
    assert (await models.get(key)).problems == ()
    assert len(told) == 1


async def test_an_encoder_that_breaks_goes_on_as_it_was(
    models: ModelCache, voices: Path, tmp_path: Path, told: list[str]
) -> None:
    bundle = tmp_path / "encoder"
    shutil.copytree(default_bundle(), bundle)
    key = ModelKey((voices,), bundle)
    old = await models.get(key)
    (bundle / "tokenizer.json").write_text("{}")
    assert not await models.reload()
    assert await models.get(key) is old
    (line,) = told
    assert str(bundle) in line


async def test_an_encoder_that_nobody_answers_for_is_not_loaded(
    models: ModelCache, tmp_path: Path
) -> None:
    """Neither one that the configuration names, nor one that its voices bring along."""
    tiny_release(tmp_path, 1, {"acme": 0}, encoder=0)
    switch(tmp_path, 1)
    (bundle,) = tmp_path.glob("releases/1-*/encoders/*")
    for named in (None, bundle):
        with pytest.raises(OnbrandError, match="its folder is not trusted"):
            await models.get(ModelKey((tmp_path,), named, vouched=False))
        assert await models.get(ModelKey((tmp_path,), named))


async def test_what_nobody_needs_is_let_go(models: ModelCache, voices: Path) -> None:
    keys = [ModelKey((voices,), None), ModelKey((voices / "oatfolk",), None)]
    gone = weakref.ref((await models.get(keys[1])).scorer)
    await models.get(keys[0])
    models.retain_only([keys[0]])
    await let_go(gone)
    assert models.get_if_loaded(keys[0]) is not None
    assert models.folders() == {voices}
    assert models.brands() == {"oatfolk", "quillpot"}


async def test_a_release_brings_voices_and_encoder_together(
    models: ModelCache, tmp_path: Path, told: list[str]
) -> None:
    tiny_release(tmp_path, 1, {"acme": 0}, encoder=0)
    tiny_release(tmp_path, 2, {"acme": 1, "beta": 1}, encoder=1)
    switch(tmp_path, 1)
    key = ModelKey((tmp_path,), None)
    old = await models.get(key)
    assert not await models.reload()
    switch(tmp_path, 2, 1)
    assert await models.reload()
    new = await models.get(key)
    assert new.scorer.brands == ("acme", "beta")
    assert new.scorer.encoder.fingerprint != old.scorer.encoder.fingerprint
    gone = weakref.ref(new.scorer.encoder)
    switch(tmp_path, 1, 2)
    assert await models.reload()
    again = await models.get(key)
    assert (again.id, again.scorer.brands) == (old.id, ("acme",))
    del new
    await let_go(gone)
    assert told == []


async def test_a_release_that_cannot_be_loaded_leaves_the_old_one_in_use(
    models: ModelCache, tmp_path: Path, told: list[str]
) -> None:
    tiny_release(tmp_path, 1)
    folder = tiny_release(tmp_path, 2, encoder=1)
    (folder / "encoders" / "tiny" / "model.onnx").write_bytes(b"half")
    switch(tmp_path, 1)
    key = ModelKey((tmp_path,), None)
    old = await models.get(key)
    switch(tmp_path, 2, 1)
    assert not await models.reload()
    assert await models.get(key) is old
    (line,) = told
    assert "model.onnx" in line


async def test_registers_to_avoid_need_no_voice(models: ModelCache, voices: Path) -> None:
    alone = await models.get(ModelKey((), None, ("hype", "corporate")))
    assert alone.avoid == "avoid: hype, corporate"
    assert alone.scorer.brands == (alone.avoid,)
    beside = await models.get(ModelKey((voices,), None, ("hype",)))
    assert beside.scorer.brands == ("oatfolk", "quillpot", "avoid: hype")
    assert models.brands() == {"oatfolk", "quillpot"}
    assert alone.id != beside.id
    assert not await models.reload()
