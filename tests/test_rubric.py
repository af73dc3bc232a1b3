"""A rubric file: what loads, what is refused and where the complaint points, and what its two fingerprints cover."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import RubricError
from grader.rubric import NEEDS, Criterion, Rubric, applicable, find, load, load_all, locate, newest, read

SHIPPED = Path(__file__).parents[1] / "rubrics"

SHORT = """\
name: manners
version: 1.0.0
criteria:
  - code: rude
    question: Was the AI rude?
    present: It insulted.
"""
CHOICE = """\
name: manners
version: 1.0.0
criteria:
  - code: tone
    question: Which tone?
    options:
      warm: Kind words.
      cold: None.
"""


def write(folder: Path, text: str, name: str = "manners.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def refused(folder: Path, text: str) -> RubricError:
    with pytest.raises(RubricError) as caught:
        load(write(folder, text))
    return caught.value


def test_a_short_rubric_gets_sensible_defaults(tmp_path: Path) -> None:
    rubric = load(write(tmp_path, SHORT))
    (rude,) = rubric.criteria
    assert (rubric.title, rude.title, rude.severity, rude.scale) == ("Manners", "Rude", "medium", "defect")
    assert rude.proof == ("ai", "human", "customer", "tool")
    assert rude.answers == ("present", "absent", "not_applicable", "cannot_assess")


def test_options_make_a_choice_without_saying_so(tmp_path: Path) -> None:
    (tone,) = load(write(tmp_path, CHOICE)).criteria
    assert tone.scale == "choice"
    assert tone.answers == ("warm", "cold", "cannot_assess")


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    plain = load(write(tmp_path, SHORT))
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SHORT.replace("\n", "\r\n").encode())
    assert load(path).meaning_hash == plain.meaning_hash


@pytest.mark.parametrize(
    ("text", "line", "field", "words"),
    [
        (SHORT + "    present: Again.\n", 7, "criteria[1]", "second time (first on line 6)"),
        (SHORT + "    sevrity: high\n", 7, "criteria.rude.sevrity", "did you mean severity?"),
        (SHORT + "    severity: hihg\n", 7, "criteria.rude.severity", "did you mean high?"),
        (SHORT + "    needs: [tool_result]\n", 7, "criteria.rude.needs[1]", "did you mean tool_results?"),
        (SHORT + "    needs: policy\n", 7, "criteria.rude.needs", "write [policy]"),
        (SHORT + "    proof: []\n", 7, "criteria.rude.proof", "is empty"),
        (SHORT + "    proof: [ai, ai]\n", 7, "criteria.rude.proof", "ai is named twice"),
        (SHORT + "    options: {a: x}\n    scale: defect\n", 4, "criteria.rude", "a defect has no options"),
        (SHORT + "    scale: choice\n", 4, "criteria.rude", "a choice has options, not `present`"),
        (
            SHORT + "    examples:\n      - answer: rude\n        transcript: 'ai: go'\n",
            8, "criteria.rude.examples[1].answer", "'rude' is none of present, absent",
        ),
        (
            SHORT + "    examples:\n      - answer: yes\n        transcript: 'ai: go'\n",
            8, "criteria[1].examples[1].answer", "a boolean",
        ),
        (SHORT + "  - code: rude\n    question: Twice?\n", 7, "criteria.rude.code", "two criteria have the code rude"),
        (SHORT.replace("code: rude", "code: Rude-Words"), 4, "criteria.Rude-Words.code", "as in rude_words"),
        (SHORT.replace("code: rude", "code: no"), 4, "criteria[1].code", 'put it in quotes: "no"'),
        (SHORT.replace("code: rude", "code:"), 4, "criteria[1].code", "is empty"),
        (SHORT.replace("1.0.0", "1.0"), 2, "version", "three numbers, as in 1.0.0"),
        (SHORT.replace("1.0.0", "v1.0.0"), 2, "version", "three numbers, as in 1.0.0"),
        (SHORT.replace("1.0.0", "01.0.0"), 2, "version", "three numbers, as in 1.0.0"),
        (SHORT.replace("It insulted.", "2026-01-01"), 6, "criteria[1].present", "a date"),
        (SHORT.replace("It insulted.", '"\\ud800"'), 6, "criteria.rude.present", "half a surrogate pair"),
        (SHORT.replace("Was the AI rude?", "Was it: rude?"), 5, None, "in quotes"),
        (SHORT.replace("name: manners\n", ""), 1, "name", "add `name:`"),
        (CHOICE.replace("warm:", "yes:"), 7, "criteria[1].options", 'put it in quotes: "yes"'),
        (CHOICE.replace("warm:", "cannot_assess:"), 6, "criteria.tone.options", "leave it out"),
        (CHOICE.replace("warm:", "Cold:"), 6, "criteria.tone.options", "differ only in capitals"),
        (CHOICE.replace("Kind words.", ""), 7, "criteria.tone.options.warm", "is empty"),
        (CHOICE + "    options_from: contact_reasons\n", 4, "criteria.tone", "both given"),
        (CHOICE.replace("    options:\n      warm: Kind words.\n      cold: None.\n", "    options: [warm]\n"), 6,
         "criteria.tone.options", "a mapping"),
        ("name: a\nversion: 1.0.0\ncriteria: []\n", 3, "criteria", "is empty"),
        ("x: &x {a: b}\ny:\n  <<: *x\n", 3, "y", "merge keys"),
        ("&a [*a]\n", 1, "[1]", "alias"),
        ("!!python/object/apply:os.system ['true']\n", 1, None, "has no place in a rubric"),
        ("- a\n- b\n", 1, None, "a mapping of fields"),
        ("a: 'x\x07'\n", 1, None, "control character"),
        ("a:\n\tb: c\n", 2, None, "not tabs"),
        (SHORT + "---\n" + SHORT, 7, None, "this is no YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_its_field_and_a_cure(
    tmp_path: Path, text: str, line: int, field: str | None, words: str
) -> None:
    error = refused(tmp_path, text)
    assert (error.line, error.field) == (line, field)
    assert words in str(error)
    assert error.file == str(tmp_path / "manners.yaml")


@pytest.mark.parametrize("text", ["", "# only a comment\n", "[" * 2000])
def test_an_empty_or_endless_file_is_a_rubric_error(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, text).file


def test_aliases_that_unfold_without_end_are_refused_quickly(tmp_path: Path) -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for one, next_one in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{next_one}: &{next_one} [{', '.join(['*' + one] * 9)}]\n"
    assert "too many values" in str(refused(tmp_path, bomb))


def test_bytes_that_are_no_utf8_name_their_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("name: m\ntitle: você\n".encode("latin-1"))
    with pytest.raises(RubricError, match="no UTF-8") as caught:
        load(path)
    assert caught.value.line == 2


@pytest.mark.parametrize("path", ["missing.yaml", ".", "nul\0.yaml"])
def test_a_path_that_cannot_be_read_is_a_rubric_error(path: str) -> None:
    with pytest.raises(RubricError):
        load(path)


def test_read_tells_every_problem_of_a_file(tmp_path: Path) -> None:
    problems: list[RubricError] = []
    assert read(write(tmp_path, SHORT + "    severty: x\n    proof: [ia]\n"), problems) is None
    assert [problem.line for problem in problems] == [8, 7]


# ── where rubrics stand ──


def test_a_version_file_must_say_what_its_path_says(tmp_path: Path) -> None:
    path = write(tmp_path, SHORT, "habits/2.0.0.yaml")
    problems: list[RubricError] = []
    assert read(path, problems) is None
    assert [(problem.field, problem.line) for problem in problems] == [("version", 2), ("name", 1)]


def test_the_newest_version_is_found_by_number_not_by_letter(tmp_path: Path) -> None:
    for version in ("1.2.0", "1.10.0", "1.9.9"):
        write(tmp_path, SHORT.replace("1.0.0", version), f"manners/{version}.yaml")
    assert find(tmp_path, "manners").version == "1.10.0"
    assert find(tmp_path, "manners@1.2.0").version == "1.2.0"
    assert [rubric.version for rubric in load_all(tmp_path)] == ["1.2.0", "1.9.9", "1.10.0"]
    assert [rubric.version for rubric in newest(tmp_path)] == ["1.10.0"]


def test_a_single_file_in_the_folder_works_like_a_versioned_one(tmp_path: Path) -> None:
    write(tmp_path, SHORT)
    write(tmp_path, SHORT.replace("manners", "other"), "other/1.0.0.yaml")
    assert find(tmp_path, "manners").name == "manners"
    assert [rubric.name for rubric in newest(tmp_path)] == ["manners", "other"]
    assert locate(tmp_path, str(tmp_path / "manners.yaml")) == tmp_path / "manners.yaml"


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("acuracy", "did you mean accuracy?"),
        ("Accuracy", "did you mean accuracy?"),
        ("accuracy@1.0.1", "did you mean 1.0.0?"),
        ("accuracy@latest", "versions that are there: 1.0.0"),
        ("accuracy@", "write a name"),
        ("@1.0.0", "write a name"),
        ("", "write a name"),
    ],
)
def test_a_reference_that_fits_nothing_names_the_nearest(reference: str, words: str) -> None:
    with pytest.raises(RubricError) as caught:
        find(SHIPPED, reference)
    assert words in str(caught.value)


def test_hidden_files_and_backups_are_no_rubrics(tmp_path: Path) -> None:
    write(tmp_path, SHORT, "manners/1.0.0.yaml")
    write(tmp_path, "garbage: [", "manners/.1.0.0.yaml.swp.yaml")
    write(tmp_path, "garbage: [", "_drafts/1.0.0.yaml")
    write(tmp_path, "garbage: [", "manners/1.0.0.yaml~")
    assert len(load_all(tmp_path)) == 1


def test_the_same_version_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path, SHORT, "manners/1.0.0.yaml")
    write(tmp_path, SHORT)
    with pytest.raises(RubricError, match="stands here and in"):
        load_all(tmp_path)
    with pytest.raises(RubricError, match="stands here and in"):
        find(tmp_path, "manners")


def test_a_folder_that_is_not_there_tells_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(RubricError, match="grader init"):
        newest(tmp_path / "none")


def test_the_four_shipped_rubrics_load_and_survive_a_round_trip() -> None:
    rubrics = newest(SHIPPED)
    assert {"accuracy", "behavior", "experience", "resolution"} <= {rubric.name for rubric in rubrics}
    for rubric in rubrics:
        again = Rubric.model_validate(rubric.model_dump(mode="json"))
        assert (again, again.meaning_hash) == (rubric, rubric.meaning_hash)


# ── options of the workspace ──


def test_options_of_the_workspace_belong_to_the_meaning() -> None:
    open_list = find(SHIPPED, "resolution")
    shop = open_list.with_options({"contact_reasons": {"exchange": "Other size.", "return": "Back."}})
    swapped = open_list.with_options({"contact_reasons": {"return": "Back.", "exchange": "Other size."}})
    assert shop.criterion("contact_reason").answers == ("exchange", "return", "cannot_assess")
    assert len({open_list.meaning_hash, shop.meaning_hash, swapped.meaning_hash}) == 3
    assert shop.label_hash == open_list.label_hash
    assert shop.with_options({"contact_reasons": {"exchange": "Other size.", "return": "Back."}}) == shop


def test_examples_that_answer_off_the_workspaces_list_fall_away() -> None:
    airline = find(SHIPPED, "resolution").with_options({"contact_reasons": {"baggage": "Lost.", "return": "Flight."}})
    assert [example.answer for example in airline.criterion("contact_reason").examples] == ["return"]


def test_a_list_that_is_missing_or_unfit_is_told_with_its_place_in_the_settings() -> None:
    resolution = find(SHIPPED, "resolution")
    assert resolution.lists_needed == ("contact_reasons",)
    lists: list[dict[str, dict[str, str]]] = [{}, {"contact_reasons": {}}, {"contact_reasons": {"A": "", "a": ""}}]
    for given_lists in lists:
        with pytest.raises(RubricError, match=r"workspace\.contact_reasons"):
            resolution.with_options(given_lists)
    with pytest.raises(RubricError, match=r"workspace\.contact_reasons"):
        _ = resolution.criterion("contact_reason").answers


# ── what is asked ──


def criterion(*needs: str, scale: str = "defect") -> Criterion:
    options = {"options": {"a": "A.", "b": "B."}} if scale == "choice" else {}
    return Criterion.model_validate({"code": "c", "question": "Is it?", "needs": needs, **options})


@pytest.mark.parametrize(
    ("needs", "has", "answer"),
    [
        ((), set(), None),
        (("tool_results",), set(), "cannot_assess"),
        (("tool_results",), {"tools"}, None),
        (("policy",), {"tools"}, "cannot_assess"),
        (("policy", "tool_results"), {"tools"}, "cannot_assess"),
        (("policy", "tool_results"), {"tools", "policy"}, None),
        (("human_turns",), set(), "not_applicable"),
        (("human_turns",), {"handoff"}, "cannot_assess"),
        (("human_turns",), {"handoff", "human"}, None),
        (("human_turns", "policy"), set(), "not_applicable"),
        (("human_turns", "policy"), {"handoff", "human"}, "cannot_assess"),
    ],
)
def test_what_a_criterion_needs_decides_whether_it_is_asked(
    needs: tuple[str, ...], has: set[str], answer: str | None
) -> None:
    given_facts = {f"has_{fact}": fact in has for fact in ("tools", "policy", "human", "handoff")}
    expected = (("c",), {}) if answer is None else ((), {"c": answer})
    assert applicable([criterion(*needs)], **given_facts) == expected


def test_a_choice_that_cannot_be_asked_is_cannot_assess_whatever_is_missing() -> None:
    for need in NEEDS:
        asked, ruled = applicable(
            [criterion(need, scale="choice")], has_tools=False, has_policy=False, has_human=False, has_handoff=False
        )
        assert (asked, ruled) == ((), {"c": "cannot_assess"})
