"""Habits: plain counts, in words that a writer can act on."""

from __future__ import annotations

import pytest

from onbrand.voice.profile import STYLE_MARKERS, build_profile, reading_grade, style_deviations

PLAIN = [f"We pay you on day {n}. " + "It works." * (n % 2) for n in range(40)]


def test_the_brands_figures_are_counts() -> None:
    profile = build_profile(["You win!", "We win.", "They win.", "It wins."])
    assert profile.sentences == 4
    assert profile.rates["exclamation"] == 0.25
    assert profile.rates["you"] == 0.25
    assert profile.ranges["words_per_sentence"].middle == 2.0


def test_a_long_sentence_is_told() -> None:
    profile = build_profile(PLAIN)
    long = "We " + "really " * 30 + "pay you."
    habits = style_deviations(long, profile, "Acme")
    words = next(habit for habit in habits if habit.name == "words_per_sentence")
    assert words.value == 33
    assert words.message == f"33 words; Acme rarely writes more than {words.usual[1]:.0f}"


def test_a_rare_mark_is_told_and_a_common_one_is_not() -> None:
    profile = build_profile(PLAIN)
    habits = {habit.name for habit in style_deviations("We pay you on day 3!", profile, "Acme")}
    assert "exclamation" in habits
    assert not habits & {"we", "you", "number"}


@pytest.mark.parametrize(
    ("with_mark", "without", "said"),
    [
        (0, 100, "Acme never uses one"),
        (0, 99, "Acme hardly ever uses one"),
        (1, 99, "Acme hardly ever uses one"),
        (2, 98, "Acme rarely uses one"),
        (5, 95, None),
    ],
)
def test_how_often_is_told_in_words(with_mark: int, without: int, said: str | None) -> None:
    profile = build_profile(["We pay today!"] * with_mark + ["We pay today."] * without)
    habits = style_deviations("We pay you now!", profile, "Acme")
    told = next((habit.message for habit in habits if habit.name == "exclamation"), None)
    assert told == (said and f"an exclamation mark; {said}")


def test_what_a_writer_cannot_act_on_is_no_habit() -> None:
    habits = style_deviations(
        "Organisational interoperability necessitates 2024.", build_profile(PLAIN), "Acme"
    )
    assert {habit.name for habit in habits} <= {"adverb", "passive"}


def test_no_habit_is_told_in_figures_of_the_profile() -> None:
    everything = "PLEASE we'll (really) be asked; you — I: 🎉 … surely! " + "and so on " * 20 + "?"
    habits = style_deviations(everything, build_profile(["It ships."] * 200), "Acme", limit=99)
    named = {habit.name for habit in habits}
    assert named == {key for key, mark in STYLE_MARKERS.items() if mark.verb} | {
        "words_per_sentence"
    }
    assert not [habit.message for habit in habits if "of 100" in habit.message]


def test_an_ordinary_sentence_has_nothing_to_tell() -> None:
    assert style_deviations("We pay you on day 5.", build_profile(PLAIN), "Acme") == ()


@pytest.mark.parametrize(
    ("mark", "yes", "no"),
    [
        ("passive", "The form was quickly filed.", "We filed the form."),
        ("contraction", "We don't.", "Acme's form."),
        ("adverb", "It runs smoothly.", "Only a fly."),
        ("capitals", "Call NOW-OR-NEVER: DIAL.", "Ask the NHS or a GP."),
        ("dash", "Fast – and cheap.", "A well-known fact."),
        ("emoji", "Done 🎉", "Done!"),
        ("long_word", "An internationalisation.", "A word of length."),
    ],
)
def test_marks(mark: str, yes: str, no: str) -> None:
    pattern = STYLE_MARKERS[mark].pattern
    assert pattern.search(yes)
    assert not pattern.search(no)


def test_reading_grade_rises_with_long_words() -> None:
    assert reading_grade("The cat sat on the mat.") < 2
    assert reading_grade("Organisational interoperability necessitates documentation.") > 20
    assert reading_grade("") == 0.0
