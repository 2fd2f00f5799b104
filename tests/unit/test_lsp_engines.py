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
from onbrand_lsp.checking import engines as module
from onbrand_lsp.checking.engines import Engine, Engines, Key
from onbrand_lsp.checking.problems import Problems

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLE", 0.0)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def engines(told: list[str]) -> Engines:
    problems = Problems()
    problems.listen(told.append)
    return Engines(problems)


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


async def test_an_engine_is_loaded_once(engines: Engines, voices: Path) -> None:
    key = Key((voices,), None)
    assert engines.ready(key) is None
    loads: list[Future[Engine]] = []
    engines.warm(key)
    engines.tell(loads.append)
    first, second = await asyncio.gather(engines.get(key), engines.get(key))
    assert first is second is engines.ready(key)
    assert first.scorer.brands == ("oatfolk", "quillpot")
    assert len(loads) == 1
    assert not await engines.reload()
    assert engines.ready(key) is first


async def test_who_gives_up_waiting_stops_nobody(engines: Engines, voices: Path) -> None:
    key = Key((voices,), None)
    hasty = asyncio.ensure_future(engines.get(key))
    patient = asyncio.ensure_future(engines.get(key))
    await asyncio.sleep(0)
    hasty.cancel()
    assert (await patient).scorer.brands == ("oatfolk", "quillpot")
    assert hasty.cancelled()


async def test_engines_share_an_encoder(engines: Engines, voices: Path) -> None:
    one = await engines.get(Key((voices,), None))
    two = await engines.get(Key((voices / "oatfolk",), None))
    assert one.scorer.encoder is two.scorer.encoder
    assert one.id != two.id


async def test_what_cannot_be_loaded_is_left_out(
    engines: Engines, voices: Path, told: list[str]
) -> None:
    (voices / "broken").mkdir()
    (voices / "broken" / "voice.json").write_text("{")
    (voices / "no-voice").mkdir()
    stranger = voices / "stranger" / "voice.json"
    shutil.copytree(voices / "oatfolk", stranger.parent)
    fingerprint = (await engines.get(Key((voices / "oatfolk",), None))).scorer.encoder.fingerprint
    stranger.write_text(stranger.read_text().replace(fingerprint, "0" * 64))
    missing = voices.parent / "missing"
    engine = await engines.get(Key((missing, voices), None))
    assert engine.scorer.brands == ("oatfolk", "quillpot")
    assert len(engine.problems) == 3
    for line, words in zip(
        engine.problems,
        [(str(missing), "train one"), (str(voices / "broken"), "train"), ("encoder", "train it")],
        strict=True,
    ):
        assert all(word in line for word in words)
        assert "\n" not in line
    assert sorted(told) == sorted(engine.problems)


@pytest.mark.parametrize("bundle", [None, "nowhere"])
async def test_without_a_voice_or_an_encoder_there_is_no_engine(
    engines: Engines, tmp_path: Path, voices: Path, told: list[str], bundle: str | None
) -> None:
    key = Key((tmp_path / "none" if bundle is None else voices,), bundle and tmp_path / bundle)
    for _ in range(2):
        with pytest.raises(OnbrandError):
            await engines.get(key)
    assert len(told) == 1
    assert engines.ready(key) is None
    # It is noticed when it comes.
    if bundle is None:
        shutil.copytree(voices, tmp_path / "none")
    else:
        shutil.copytree(default_bundle(), tmp_path / bundle)
    assert await engines.reload()
    assert (await engines.get(key)).scorer.brands == ("oatfolk", "quillpot")


async def test_changed_voices_are_loaded_anew(
    engines: Engines, voices: Path, example_voices: Path
) -> None:
    key = Key((voices,), None)
    old = await engines.get(key)
    shutil.copytree(example_voices / "varnholt-pumps", voices / "varnholt-pumps")
    assert await engines.reload()
    new = await engines.get(key)
    assert new.scorer.brands == ("oatfolk", "quillpot", "varnholt-pumps")
    assert new.id != old.id
    shutil.rmtree(voices / "quillpot")
    assert await engines.reload()
    assert (await engines.get(key)).scorer.brands == ("oatfolk", "varnholt-pumps")


async def test_the_same_voices_written_again_change_nothing(
    engines: Engines, voices: Path, example_voices: Path
) -> None:
    key = Key((voices,), None)
    old = await engines.get(key)
    shutil.rmtree(voices / "oatfolk")
    shutil.copytree(example_voices / "oatfolk", voices / "oatfolk")
    assert not await engines.reload()
    assert (await engines.get(key)).id == old.id


async def test_a_voice_that_breaks_goes_on_as_it_was(
    engines: Engines, voices: Path, told: list[str], example_voices: Path
) -> None:
    key = Key((voices,), None)
    old = await engines.get(key)
    (voices / "oatfolk" / "head.safetensors").write_bytes(b"half")
    assert not await engines.reload()
    now = await engines.get(key)
    assert now.scorer.voice("oatfolk") is old.scorer.voice("oatfolk")
    (line,) = told
    assert str(voices / "oatfolk") in line
    shutil.copy(example_voices / "oatfolk" / "head.safetensors", voices / "oatfolk")
    await engines.reload()
    assert (await engines.get(key)).problems == ()
    assert len(told) == 1


async def test_an_encoder_that_breaks_goes_on_as_it_was(
    engines: Engines, voices: Path, tmp_path: Path, told: list[str]
) -> None:
    bundle = tmp_path / "encoder"
    shutil.copytree(default_bundle(), bundle)
    key = Key((voices,), bundle)
    old = await engines.get(key)
    (bundle / "tokenizer.json").write_text("{}")
    assert not await engines.reload()
    assert await engines.get(key) is old
    (line,) = told
    assert str(bundle) in line


async def test_an_encoder_that_nobody_answers_for_is_not_loaded(
    engines: Engines, tmp_path: Path
) -> None:
    """Neither one that the configuration names, nor one that its voices bring along."""
    tiny_release(tmp_path, 1, {"acme": 0}, encoder=0)
    switch(tmp_path, 1)
    (bundle,) = tmp_path.glob("releases/1-*/encoders/*")
    for named in (None, bundle):
        with pytest.raises(OnbrandError, match="its folder is not trusted"):
            await engines.get(Key((tmp_path,), named, vouched=False))
        assert await engines.get(Key((tmp_path,), named))


async def test_what_nobody_needs_is_let_go(engines: Engines, voices: Path) -> None:
    keys = [Key((voices,), None), Key((voices / "oatfolk",), None)]
    gone = weakref.ref((await engines.get(keys[1])).scorer)
    await engines.get(keys[0])
    engines.keep([keys[0]])
    await let_go(gone)
    assert engines.ready(keys[0]) is not None
    assert engines.folders() == {voices}
    assert engines.brands() == {"oatfolk", "quillpot"}


async def test_a_release_brings_voices_and_encoder_together(
    engines: Engines, tmp_path: Path, told: list[str]
) -> None:
    tiny_release(tmp_path, 1, {"acme": 0}, encoder=0)
    tiny_release(tmp_path, 2, {"acme": 1, "beta": 1}, encoder=1)
    switch(tmp_path, 1)
    key = Key((tmp_path,), None)
    old = await engines.get(key)
    assert not await engines.reload()
    switch(tmp_path, 2, 1)
    assert await engines.reload()
    new = await engines.get(key)
    assert new.scorer.brands == ("acme", "beta")
    assert new.scorer.encoder.fingerprint != old.scorer.encoder.fingerprint
    gone = weakref.ref(new.scorer.encoder)
    switch(tmp_path, 1, 2)
    assert await engines.reload()
    again = await engines.get(key)
    assert (again.id, again.scorer.brands) == (old.id, ("acme",))
    del new
    await let_go(gone)
    assert told == []


async def test_a_release_that_cannot_be_loaded_leaves_the_old_one_in_use(
    engines: Engines, tmp_path: Path, told: list[str]
) -> None:
    tiny_release(tmp_path, 1)
    folder = tiny_release(tmp_path, 2, encoder=1)
    (folder / "encoders" / "tiny" / "model.onnx").write_bytes(b"half")
    switch(tmp_path, 1)
    key = Key((tmp_path,), None)
    old = await engines.get(key)
    switch(tmp_path, 2, 1)
    assert not await engines.reload()
    assert await engines.get(key) is old
    (line,) = told
    assert "model.onnx" in line


async def test_registers_to_avoid_need_no_voice(engines: Engines, voices: Path) -> None:
    alone = await engines.get(Key((), None, ("hype", "corporate")))
    assert alone.avoid == "avoid: hype, corporate"
    assert alone.scorer.brands == (alone.avoid,)
    beside = await engines.get(Key((voices,), None, ("hype",)))
    assert beside.scorer.brands == ("oatfolk", "quillpot", "avoid: hype")
    assert engines.brands() == {"oatfolk", "quillpot"}
    assert alone.id != beside.id
    assert not await engines.reload()
