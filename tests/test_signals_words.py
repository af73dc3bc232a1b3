"""Words, phrases, times, sums and languages: what the detectors read of a text."""

from __future__ import annotations

import time
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.evidence import Transcript
from grader.judge.signals import lexicon
from grader.judge.signals.amounts import money, numbers_in
from grader.judge.signals.language import clearly, language_of
from grader.judge.signals.times import Mention, add_business_days, iso_days, mentions
from grader.judge.signals.words import Phrases, plain, read
from grader.model import Message, Role


def found(text: str, **concepts: str) -> set[str]:
    phrases = Phrases({name: lines.splitlines() for name, lines in concepts.items()})
    return set(read(text, phrases).hits)


def said(text: str) -> list[tuple[object, ...]]:
    """What each mention means, without its place."""
    return [_meaning(m) for m in mentions(read(text))]


def _meaning(m: Mention) -> tuple[object, ...]:
    if m.what == "date":
        return ("date", m.year, m.month, m.day)
    if m.what == "length":
        return ("length", round(m.low, 2), round(m.high, 2), m.business)
    return (m.what, m.weekday if m.what == "weekday" else m.offset)


def test_a_phrase_is_its_words_in_order_with_choices_stems_optional_words_and_gaps() -> None:
    assert found("I'll really let you know", x="i'll|we'll ?really let you know") == {"x"}
    assert found("We'll let you know", x="i'll|we'll ?really let you know") == {"x"}
    assert found("we'll gladly let you know", x="i'll|we'll ?really let you know") == set()
    assert found("shipping it", x="ship* it") == {"x"}
    assert found("talk to a real person", x="talk to ..2 person") == {"x"}
    assert found("talk to a very real person", x="talk to ..2 person") == set()


def test_a_phrase_never_reaches_over_the_end_of_a_sentence() -> None:
    assert found("We can talk. To a person?", x="talk to ..2 person") == set()
    assert found("we can talk\nto a person", x="talk to ..2 person") == set()


def test_words_without_a_full_stop_are_cut_into_sentences_all_the_same() -> None:
    """What is compared within a sentence is compared pairwise: a text without any mark must not be one sentence."""
    words = read("word " * 1_000)
    assert max(s.last - s.first for s in words.sentences) <= 120
    assert sum(s.last - s.first for s in words.sentences) == 1_000


def test_accents_capitals_and_typographic_marks_do_not_matter() -> None:
    for text in ("NÃO CONSIGO", "nao consigo", "não consigo", unicodedata.normalize("NFD", "Não consigo")):
        assert found(text, x="nao consigo") == {"x"}, text
    assert found("I’ll check", x="i'll check") == {"x"}


@pytest.mark.parametrize("line", ["ab*", "?maybe then", "..2 then"])
def test_a_phrase_that_cannot_be_indexed_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"stem|begins"):
        Phrases({"x": [line]})


def test_every_phrase_of_the_lists_is_written_as_texts_are_read() -> None:
    """A capital or an accent in a list would never match."""
    folder = lexicon._FOLDER
    for path in folder.glob("*.txt"):
        for line in path.read_text("utf-8").splitlines():
            if not line.startswith("#"):
                assert plain(line) == line, f"{path.name}: {line}"


@given(st.text(max_size=300))
def test_reading_never_fails_and_places_stay_within_the_text(text: str) -> None:
    words = read(text, lexicon.AGENT)
    assert len(words.tokens) == len(words.starts) == len(words.ends)
    for start, end in zip(words.starts, words.ends, strict=True):
        assert 0 <= start < end <= len(words.text)
    for sentence in words.sentences:
        assert 0 <= sentence.first < sentence.last <= len(words.tokens)
        assert words.starts[sentence.first] >= sentence.start
        assert words.ends[sentence.last - 1] <= sentence.end
    mentions(words)
    money(words)
    list(numbers_in(text))
    list(iso_days(text))


@given(
    st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=120).filter(lambda t: any(map(str.isalpha, t)))
)
def test_a_sentence_that_is_quoted_is_found_again_in_its_message(text: str) -> None:
    words = read(text)
    transcript = Transcript([Message(role=Role.AI, text=text)])
    for number in range(len(words.sentences)):
        quote = words.quote(number)
        if sum(c.isalnum() for c in quote) >= 3 and len(quote) < 200:
            assert transcript.check(1, quote, ["ai"]).problem in (None, "too_short"), quote


def test_a_long_sentence_is_quoted_around_what_was_found() -> None:
    text = "so " * 100 + "I'll call you back " + "and " * 100
    words = read(text, lexicon.AGENT)
    hit = words.of("promises_call")[0]
    quote = words.quote(hit.sentence, hit.first, hit.last)
    assert quote.startswith("I'll call you back")
    assert len(quote) <= 280


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("by Friday 24 July", [("date", None, 7, 24)]),
        ("on August 14th, 2026", [("date", 2026, 8, 14)]),
        ("the 14th of August", [("date", None, 8, 14)]),
        ("até 2 de agosto de 2026, domingo", [("date", 2026, 8, 2), ("weekday", 6)]),
        ("a más tardar el viernes 31", [("date", None, 0, 31)]),
        ("2026-08-14, 14/08 and 14.08.2026", [("date", 2026, 8, 14), ("date", None, 8, 14), ("date", 2026, 8, 14)]),
        ("na sexta-feira ou na segunda", [("weekday", 4), ("weekday", 0)]),
        ("within 48h", [("length", 48, 48, False)]),
        ("3-6 business days", [("length", 72, 144, True)]),
        ("de 3 a 6 días hábiles", [("length", 72, 144, True)]),
        ("between 3 and 6 days", [("length", 72, 144, False)]),
        ("standard 3 to 6 business days, express 1 to 2", [("length", 72, 144, True), ("length", 24, 48, True)]),
        ("em uma semana", [("length", 168, 168, False)]),
        ("in two weeks", [("length", 336, 336, False)]),
        ("pasado mañana", [("offset", 2)]),
        ("depois de amanhã", [("offset", 2)]),
        ("a lo largo de la tarde", [("offset", 0)]),
    ],
)
def test_times_are_read_in_three_languages(text: str, meant: list[tuple[object, ...]]) -> None:
    assert said(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "a segunda vez e a segunda via",  # ordinals
        "de 8h às 20h",  # opening hours
        "das 8 às 20 horas",
        "24/7",
        "que tengas un día lindo",
        "tenha um dia lindo",
        "por la mañana",
        "buenas tardes",
        "set 4, out of 5",
        "talla 1/2",
    ],
)
def test_what_only_looks_like_a_time_is_none(text: str) -> None:
    assert said(text) == []


def test_a_day_without_a_year_is_the_nearest_one() -> None:
    new_year = date(2026, 12, 30)
    assert Mention("date", 0, 1, month=1, day=2).near(new_year) == date(2027, 1, 2)
    assert Mention("date", 0, 1, day=2).near(new_year) == date(2027, 1, 2)  # "the 2nd"
    assert Mention("date", 0, 1, month=2, day=30).near(new_year) is None


def test_an_iso_time_counts_as_its_own_day_and_as_the_day_in_utc() -> None:
    assert list(iso_days("2026-08-03T23:30:00-04:00")) == [date(2026, 8, 3), date(2026, 8, 4)]
    assert list(iso_days("9999-12-31 0001-01-01 2026-02-30")) == []


def test_business_days_skip_the_weekend() -> None:
    friday = date(2026, 8, 7)
    assert add_business_days(friday, 1) == date(2026, 8, 10)
    assert add_business_days(friday, 10) == date(2026, 8, 21)


@pytest.mark.parametrize(
    ("text", "sums"),
    [
        ("$1,199.00", [1199.0]),
        ("R$ 1.264,00 e R$ 5,90", [1264.0, 5.9]),
        ("$89.900", [89900.0]),
        ("58.90 €, 4299 INR", [58.9, 4299.0]),
        ("order 4471, 3 pieces", []),
    ],
)
def test_sums_are_read_in_many_notations(text: str, sums: list[float]) -> None:
    assert [amount.value for amount in money(read(text))] == sums


def test_the_language_is_told_by_its_common_words_and_is_unknown_for_others() -> None:
    assert clearly(read("Could you please send me the order number for this?"), 3) == "en"
    assert clearly(read("Você pode me mandar o número do pedido, por favor?"), 2) == "pt"
    assert clearly(read("¿Me das el número de tu pedido, por favor? Gracias"), 3) == "es"
    german = "Guten Tag, ich habe meine Bestellung noch nicht erhalten und möchte wissen, wann sie endlich ankommt"
    assert language_of([read(german)]) is None


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a ",
        ".",
        "1-",
        "@a.",
        "{{",
        "<b ",
        "[",
        "|---",
        "**",
        "+1 ((",
        "A_",
        "¿",
        "e\u0301",
        "talk to a ",
        "$5.90 ",
    ],
)
def test_a_huge_text_takes_time_in_proportion_to_its_length(piece: str) -> None:
    """Ten times the text in at most thirty times the time: what is quadratic takes a hundred."""

    def seconds(length: int) -> float:
        text = piece * (length // len(piece)) + "x"
        start = time.process_time()
        words = read(text, lexicon.AGENT)
        mentions(words)
        money(words)
        return time.process_time() - start

    assert seconds(100_000) < max(30 * seconds(10_000), 1.5)
