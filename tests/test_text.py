"""What the judge sees, and when two texts count as the same words."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.text import _MERGING, fold, fold_text, neutralise

# Characters with which Unicode, typographers and attackers make two texts of one.
ODD = (
    "aZ9 `´‘’“”«»–—…\t\n\r\x00\x1f\x85\u00a0\u00ad\u200b\u200c\u200d\u2028\u202e\ufe0f\U000e0041\u0301\u0316\u0327"
    "\u1100\u1161\u11a8\uac00ｶﾞ¨½㎏ﬁ²\ufdfa\u3000\u0bc6\u0bbe\ud83d\ude00😀éñ<|>[INST]‹⁅"
)
texts = st.one_of(st.text(max_size=40), st.text(alphabet=st.sampled_from(ODD), max_size=40))


@settings(max_examples=300)
@given(texts)
def test_fold_and_fold_text_agree_on_any_text_and_every_character_has_its_place(text: str) -> None:
    folded = fold(text)
    assert folded.text == fold_text(text)
    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    for char, start, end in zip(folded.text, folded.starts, folded.ends, strict=True):
        assert 0 <= start <= end <= len(text)
        assert start < end or char == " "
    assert list(folded.starts) == sorted(folded.starts)
    assert list(folded.ends) == sorted(folded.ends)


@settings(max_examples=300)
@given(texts)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold_text(fold_text(text)) == fold_text(text)


@settings(max_examples=300)
@given(texts)
def test_what_the_judge_sees_folds_to_what_is_stored(text: str) -> None:
    assert fold_text(neutralise(text)) == fold_text(text)


@settings(max_examples=300)
@given(texts)
def test_neutralising_twice_changes_nothing(text: str) -> None:
    assert neutralise(neutralise(text)) == neutralise(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("don’t", "don't"), ("don´t", "don't"), ("don`t", "don't"), ("“so”", '"so"'), ("«so»", '"so"'), ("5″", '5"'),
        ("a – b", "a - b"), ("a—b", "a-b"), ("−5", "-5"), ("caf\u0065\u0301", "café"), ("ﬁne", "fine"),
        ("ＡＢＣ", "ABC"), ("wait…", "wait..."), ("a\u00a0b", "a b"), ("a \n\t b ", "a b"),
        ("in\u200bvisible", "invisible"), ("soft\u00adhyphen", "softhyphen"), ("sun ☀\ufe0f", "sun ☀"),
        ("👩\u200d🔧", "👩🔧"), ("\u1112\u1161\u11ab", "한"), ("ｶﾞ", "ガ"), ("<|im_start|>", "‹|im_start|>"),
        ("a\x00b", "a b"), ("a\r\nb", "a b"), ("\ud83d!", "\ufffd!"),
    ],
)  # fmt: skip
def test_these_are_the_same_words(one: str, other: str) -> None:
    assert fold_text(one) == fold_text(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Yes", "yes"),
        ("cafe", "café"),
        ("5 days", "6 days"),
        ("can", "can't"),
        ("one two", "onetwo"),
        ("1,000", "1.000"),
    ],
)
def test_these_are_not(one: str, other: str) -> None:
    assert fold_text(one) != fold_text(other)


@pytest.mark.parametrize(
    "marker",
    [
        "<|im_start|>", "<|eot_id|>", "<|start_header_id|>", "<｜User｜>", "<s>", "</s>", "<start_of_turn>",
        "<end_of_turn>", "<bos>", "<<SYS>>", "<</SYS>>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[TOOL_CALLS]",
        "<\u202e|im_start|>", "<|im\u200b_start|>",
    ],
)  # fmt: skip
def test_no_chat_marker_reaches_the_judge(marker: str) -> None:
    shown = neutralise(f"hi {marker}system")
    plain = marker.replace("\u200b", "").replace("\u202e", "")
    assert plain not in shown
    assert plain[1:] in shown  # and its words stay readable


@pytest.mark.parametrize("text", ["a < b | c > d", "[INSTALL]", "<b>bold</b>", "x <|", "<>", "<2|>", "<|a\n|>"])
def test_what_is_no_marker_stays(text: str) -> None:
    assert neutralise(text) == text


def test_nothing_invisible_and_no_control_character_reaches_the_judge_but_tab_and_newline() -> None:
    shown = neutralise("".join(map(chr, range(0x3000))) + "\u202e\u2066\ufeff\U000e0020")
    unseen = {c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")} - {"\t", "\n"}
    # Arabic and Syriac signs that are format characters by name but have a shape, and the joiner that makes emoji.
    assert {c for c in unseen if not 0x600 <= ord(c) <= 0x8E2} <= {"\u200d"}


def test_every_letter_that_unicode_may_merge_into_the_one_before_is_known() -> None:
    codes = [chr(code) for code in range(0x300, 0x1_3000)]  # beyond stand Han, symbols, and nothing that merges
    pairs = (unicodedata.decomposition(char).split() for char in codes)
    merging = {chr(int(pair[1], 16)) for pair in pairs if len(pair) == 2 and not pair[0].startswith("<")}
    merging = {char for char in merging if not unicodedata.combining(char)}
    for char in codes:
        first = unicodedata.normalize("NFKD", char)[:1]
        if not unicodedata.combining(char) and (unicodedata.combining(first) or first in merging):
            merging.add(char)
    assert len(merging) > 25
    assert merging <= _MERGING


@pytest.mark.parametrize(
    "text",
    ["a " * 100_000, "é" * 200_000, "e" + "\u0301\u0316" * 100_000, "<|" * 100_000, ".. " * 70_000],
    ids=["words", "accents", "a tower of marks", "markers", "dots"],
)
def test_two_hundred_thousand_characters_take_no_time_to_speak_of(text: str) -> None:
    started = time.process_time()
    neutralise(text)
    fold_text(text)
    fold(text)
    assert time.process_time() - started < 3
