"""The report of a voice: pages, probes, intervals, warnings, and labels that are doubtful."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onbrand import Encoder
from onbrand.labels.files import LabelLine, read_labels
from onbrand.training.background import PROBES, WRONG_VOICES, load_probes, read_pieces
from onbrand.training.crossval import make_folds
from onbrand.training.train import train_voice
from onbrand.training.voice_report import (
    TrainingLines,
    most_doubtful,
    own_pages,
    share,
    source_of,
    stopped_probes,
    what_to_collect,
    with_report,
    word_accuracies,
)
from onbrand.voice.model import DoubtfulLine, Share, TrainingReport, Voice
from onbrand.voice.registers import load_registers
from onbrand.voice.storage import MANIFEST, load_voice
from onbrand_cli.common import quality_lines
from onbrand_cli.demo import brand_files

PIECES = Path(__file__).parents[2] / "models/voice_bank/pieces"
BRAND = "oatfolk"


@pytest.fixture(scope="module")
def lines() -> list[LabelLine]:
    return [line for line in read_labels(brand_files()) if line.brand == BRAND]


@pytest.fixture(scope="module")
def voice(lines: list[LabelLine], encoder: Encoder) -> Voice:
    return train_voice(BRAND, lines, encoder)


def some_lines(on: list[bool], docs: list[str | None]) -> list[LabelLine]:
    return [
        LabelLine(
            text=f"Line {i}.",
            label="on" if own else "off",
            brand=BRAND,
            doc=doc,
            author=None,
            source=None,
            time=None,
            path="labels.jsonl",
            line=i + 1,
        )
        for i, (own, doc) in enumerate(zip(on, docs, strict=True))
    ]


def evidence(on: list[bool], logits: list[float], docs: list[str | None]) -> TrainingLines:
    said = np.array(logits)
    vectors = np.zeros((len(on), 1), np.float32)
    return TrainingLines(some_lines(on, docs), np.array(on), vectors, said, said)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_narrows_with_more(found: tuple[int, int]) -> None:
    count, of = found
    one, ten = share(count, of), share(10 * count, 10 * of)
    assert 0 <= one.low <= count / of + 1e-4 and count / of - 1e-4 <= one.high <= 1
    assert ten.high - ten.low < one.high - one.low


def test_ten_of_ten_is_no_certainty() -> None:
    assert share(10, 10) == Share(10, 10, 0.7225, 1.0)


def test_documents_are_pages_and_each_is_judged_by_itself() -> None:
    docs: list[str | None] = [f"page {i // 5}" for i in range(100)]
    on = [i < 50 for i in range(100)]
    # One of the ten own pages sounds like somebody else, the other nine are sure.
    logits = [2.5 if own else -2.5 for own in on]
    logits[5:10] = [-2.5] * 5
    pages, made = own_pages(evidence(on, logits, docs), 0.7)
    assert (pages.count, pages.of, made) == (9, 10, 0)


def test_lines_without_documents_are_put_together() -> None:
    on = [i < 50 for i in range(100)]
    logits = [2.5 if own else -2.5 for own in on]
    pages, made = own_pages(evidence(on, logits, [None] * 100), 0.7)
    assert (pages.count, pages.of, made) == (6, 6, 8)
    few = [i < 10 for i in range(20)]
    assert own_pages(evidence(few, logits[:10] + logits[-10:], [None] * 20), 0.7) == (None, 0)


def test_probes_fit_what_ships_and_are_the_banks(encoder: Encoder) -> None:
    probes, registers = load_probes(encoder), load_registers(encoder.fingerprint)
    assert probes is not None, "remake them: python models/voice_bank/make.py --probes"
    assert registers is not None
    pieces = {piece.name: piece for piece in read_pieces(PIECES)}
    assert Counter(set(zip(probes.voices, probes.pieces, strict=True))) == Counter(
        (voice, piece) for voice in WRONG_VOICES for piece in PROBES
    )
    for voice in WRONG_VOICES:
        for piece in PROBES:
            found = zip(probes.voices, probes.pieces, probes.texts, strict=True)
            told = tuple(text for v, p, text in found if (v, p) == (voice, piece))
            assert told == pieces[piece].lines[voice]
    some = range(0, len(probes.texts), 40)
    whole = encoder.encode([probes.texts[i] for i in some])
    kept = probes.vectors[list(some)]
    np.testing.assert_allclose(registers.raw(kept), registers.raw(whole), atol=0.2)
    cosines = (kept * whole).sum(axis=1)
    cosines /= np.linalg.norm(kept, axis=1) * np.linalg.norm(whole, axis=1)
    assert cosines.min() > 0.85


@pytest.mark.parametrize(("bias", "stopped"), [(8.0, 0), (-8.0, len(PROBES))])
def test_a_voice_that_passes_everything_stops_no_probe(
    voice: Voice, encoder: Encoder, bias: float, stopped: int
) -> None:
    head = replace(voice.head, weights=voice.head.weights * 0, bias=bias)
    head = replace(head, term_weights=head.term_weights * 0)
    manifest = msgspec.structs.replace(voice.manifest, registers=None)
    found = stopped_probes(replace(voice, head=head, manifest=manifest), encoder)
    assert {name: (each.count, each.of) for name, each in found.items()} == dict.fromkeys(
        WRONG_VOICES, (stopped, len(PROBES))
    )


def test_the_report_of_a_voice_is_whole(voice: Voice) -> None:
    report = voice.manifest.report
    assert report.pages is not None and report.pages.of == 10
    assert report.right is not None
    assert report.right.count / report.right.of == report.held_out.accuracy
    assert report.stopped is not None
    assert report.stopped.count == sum(each.count for each in report.probes.values())
    assert "forced chumminess" in report.collect
    assert report.warnings == ()


def test_most_of_the_doubtful_lines_are_wrong_where_labels_were_flipped(
    lines: list[LabelLine], encoder: Encoder
) -> None:
    chosen = np.random.default_rng(1).permutation(len(lines))[: round(0.15 * len(lines))]
    spoiled = list(lines)
    for i in chosen:
        spoiled[i] = replace(lines[i], label="off" if lines[i].label == "on" else "on")
    wrong = {f"{lines[i].path}:{lines[i].line}" for i in chosen}
    named = train_voice(BRAND, spoiled, encoder).manifest.report.doubtful
    assert len(named) == 20
    assert sum(line.place in wrong for line in named) >= 12


@given(st.lists(st.tuples(st.booleans(), st.floats(-9, 9)), min_size=1, max_size=60))
def test_doubtful_lines_are_contradicted_and_the_worst_is_first(
    judged: list[tuple[bool, float]],
) -> None:
    on, logits = [own for own, _ in judged], [logit for _, logit in judged]
    found = most_doubtful(evidence(on, logits, [None] * len(on)))
    against = [1 - line.p if line.label == "on" else line.p for line in found]
    assert all(p >= 0.5 for p in against)
    assert against == sorted(against, reverse=True)
    contradicted = sum((logit < 0) if own else (logit > 0) for own, logit in judged)
    assert len(found) == min(20, contradicted)


def test_the_text_of_doubtful_lines_can_be_left_out() -> None:
    told = evidence([True], [-2.0], [None])
    assert [line.text for line in most_doubtful(told)] == ["Line 0."]
    assert [line.text for line in most_doubtful(told, keep_texts=False)] == [""]


def warnings_of(
    voice: Voice, encoder: Encoder, lines: list[LabelLine], texts: list[str] | None = None
) -> str:
    """Return the warnings that a report of these lines has."""
    if texts is not None:
        lines = [replace(line, text=text) for line, text in zip(lines, texts, strict=True)]
    on = np.array([line.label == "on" for line in lines])
    folds, _ = make_folds(on, [line.doc for line in lines])
    logits = np.where(on, 2.0, -2.0)
    vectors = encoder.encode([line.text for line in lines])
    told = TrainingLines(lines, on, vectors, logits, logits, folds)
    counts = msgspec.structs.replace(voice.manifest.labels, on=int(on.sum()), off=int((~on).sum()))
    manifest = msgspec.structs.replace(voice.manifest, labels=counts)
    return "\n".join(
        with_report(replace(voice, manifest=manifest), encoder, told).manifest.report.warnings
    )


def test_few_labels_and_no_documents_are_warned_of(
    voice: Voice, encoder: Encoder, lines: list[LabelLine]
) -> None:
    few = [replace(line, doc=None) for line in lines if line.label == "on"][:30]
    few += [replace(line, doc=None) for line in lines if line.label == "off"]
    told = warnings_of(voice, encoder, few)
    assert "30 on-brand lines are few; 80 give surer figures" in told
    assert "off-brand lines are few" not in told
    assert "no line says which document it is from" in told


def test_another_subject_is_warned_of(
    voice: Voice, encoder: Encoder, lines: list[LabelLine]
) -> None:
    assert "subject" not in warnings_of(voice, encoder, lines)
    frames = ("We like the {} of every {}.", "You can have a {} with your {}.", "A {} is a {}.")
    nouns = {"on": ("oats", "carton", "latte"), "off": ("goal", "referee", "penalty")}
    texts = [
        frames[i % 3].format(nouns[line.label][i // 3 % 3], nouns[line.label][i // 9 % 3])
        for i, line in enumerate(lines)
    ]
    told = warnings_of(voice, encoder, lines, texts)
    assert "off-brand lines differ by subject: content words alone tell" in told


def test_one_source_and_one_kind_are_warned_of(
    voice: Voice, encoder: Encoder, lines: list[LabelLine]
) -> None:
    legal = [
        text
        for piece in read_pieces(PIECES)
        for text in piece.lines["legalese"][1:]
        if len(text.split()) > 15
    ]
    texts = [line.text if line.label == "on" else legal.pop() for line in lines]
    sourced = [
        replace(line, source=None if line.label == "on" else f"agency: draft {i}")
        for i, line in enumerate(lines)
    ]
    told = warnings_of(voice, encoder, sourced, texts)
    assert "80 of 80 off-brand lines come from one source (agency)" in told
    assert "off-brand lines read like legalese; add lines that are wrong in other ways" in told


def test_each_source_of_off_brand_lines_has_its_share(
    voice: Voice, encoder: Encoder, lines: list[LabelLine]
) -> None:
    on = np.array([line.label == "on" for line in lines])
    named = [
        replace(line, source="https://old.example/a" if i % 4 else "mails: 3")
        for i, line in enumerate(lines)
    ]
    right = np.arange(len(lines)) % 8 > 0
    logits = np.where(right == on, 1.0, -1.0)
    vectors = encoder.encode([line.text for line in lines])
    told = TrainingLines(named, on, vectors, logits, logits)
    sources = with_report(voice, encoder, told).manifest.report.sources
    assert list(sources) == ["old.example", "mails"]
    assert [(each.count, each.of) for each in sources.values()] == [(60, 60), (10, 20)]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (None, ""),
        ("old mails", "old mails"),
        ("acme/site: blog/a.md", "acme/site"),
        ("https://acme.example/blog?x=1", "acme.example"),
        (":odd", ":odd"),
    ],
)
def test_a_source_is_the_site_or_what_stands_before_a_colon(source: str | None, name: str) -> None:
    assert source_of(source) == name


def test_what_to_collect_is_what_passes_most() -> None:
    found = {"hype": share(8, 8), "academic": share(2, 8), "jargon": share(5, 8)}
    assert what_to_collect(found) == (
        "off-brand lines that read like an academic paper or tech jargon"
    )
    assert what_to_collect({"hype": share(8, 8)}) == ""
    assert what_to_collect({}) == ""


def test_words_like_the_and_we_are_a_bag_of_their_own() -> None:
    on = np.arange(40) % 2 == 0
    texts = [f"{'we are' if own else 'you were'} the {i % 7} pump" for i, own in enumerate(on)]
    content, function = word_accuracies(texts, on, make_folds(on, [None] * 40)[0])
    assert function == 1.0
    assert content < 0.7


def test_voices_of_before_there_were_such_reports_load(voice: Voice, tmp_path: Path) -> None:
    from onbrand.voice.storage import save_voice

    save_voice(voice, tmp_path / "old")
    file = tmp_path / "old" / MANIFEST
    record = json.loads(file.read_text("utf-8"))
    kept = ("held_out", "baseline", "weights", "folds", "grouped")
    record["report"] = {key: record["report"][key] for key in kept} | {"suspects": ["a.jsonl:3"]}
    file.write_text(json.dumps(record), "utf-8")
    old = load_voice(tmp_path / "old").manifest
    assert old.report.probes == {}
    assert list(quality_lines(old)) == []


def test_the_lines_of_a_report_begin_with_what_matters(voice: Voice) -> None:
    report = TrainingReport(
        held_out=voice.manifest.report.held_out,
        baseline=None,
        weights={},
        folds=5,
        grouped=True,
        pages=share(9, 10),
        probes={"hype": share(8, 8), "florid": share(3, 8)},
        stopped=share(11, 16),
        right=share(150, 160),
        sources={"old-mails": share(20, 40)},
        warnings=("all is of one kind",),
        collect="off-brand lines that read like purple prose or like what nobody would ever write",
        doubtful=(
            DoubtfulLine("labels.jsonl:7", "on", 0.06, "We leverage\tsynergies."),
            DoubtfulLine("labels.jsonl:9", "off", 0.55, "Hello."),
        ),
    )
    told = list(quality_lines(msgspec.structs.replace(voice.manifest, report=report)))
    assert told == [
        "  own pages    9 of 10 (90%, likely 60-98%) go forward (held-out documents)",
        "  wrong voices 11 of 16 (69%, likely 44-86%) stopped (pages it never saw)",
        "               not all of: purple prose 3 of 8",
        "  warning      all is of one kind",
        "  collect next off-brand lines that read like purple prose or like what nobody",
        "               would ever write",
        "  lines        150 of 160 (94%, likely 89-97%) told right",
        "               off-brand from old-mails: 20 of 40 (50%, likely 35-65%)",
        "  look again   the other lines contradict these, the worst first:",
        "    labels.jsonl:7  on, but P 0.06",
        "      We leverage synergies.",
    ]
