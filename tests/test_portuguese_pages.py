"""Pages in Portuguese: nothing of the interface is left in English, and numbers and days are written as there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC
from pathlib import Path

import pytest
from calibration_worlds import AGREED, APART, COUNTED, Cell, found, held
from conftest import Main
from label_parts import drawn, exported, fill, imported, judge_shop
from language_parts import english, points, shown
from report_data import sample, world
from test_calibration_page import EDGES
from test_language import entries
from trust_parts import calibrated, golden, labelled
from trust_parts import shop as judged_shop

from grader import language
from grader.calibration.trust import of_run
from grader.report.calibration import html, page
from grader.store import open_store

LATE = "accuracy.late"
WEEKS = ("--week", "2026-W41", "--weeks", "6", "--against", "6")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped sample, judged as its authors labelled it."""
    folder = tmp_path_factory.mktemp("shop")
    with world(folder) as w:
        sample(w, 128)
        w.finish()
    (folder / "grader.toml").write_text(
        "[figures]\nhuman_hour_cost = 14.5\ncurrency = 'EUR'\n[queues.returns]\nowner = 'Ana'\n"
        "fail_if = ['escalation_rate > 0.2']\n",
        encoding="utf-8",
    )
    return folder


def in_portuguese(text: str, theirs: Sequence[str] = ()) -> list[str]:
    """The texts of a page, once it is held to be Portuguese."""
    assert '<html lang="pt-BR">' in text
    texts = shown(text)
    assert list(english(texts, theirs)) == []
    assert points(texts) == []
    return texts


def test_a_brief_is_in_portuguese(main: Main, shop: Path) -> None:
    done = main("brief", "-w", shop, *WEEKS, "--language", "pt", "--json")
    assert done.code == 0, done.err
    markdown, page_ = (Path(p).read_text(encoding="utf-8") for p in json.loads(done.out)["paths"])
    texts = in_portuguese(page_, (str(shop), "Ana"))
    assert "Resumo: as 6 semanas até 2026-W41" in texts
    assert "31 de ago. – 11 de out. de 2026" in texts
    assert any("segunda-feira, 12 de outubro" in t or "de 2026, " in t for t in texts)
    plain = re.sub(r"`+ .*? `+|`[^`]*`", "", markdown)
    lines = [re.sub(r"[*#|>\\]", " ", line).strip() for line in plain.splitlines()]
    assert list(english([cell for line in lines for cell in re.split(r"\s{2,}", line)])) == []
    assert re.search(r"\d+,\d %", plain)
    assert not re.search(r"\d+\.\d %", plain)


def test_what_programs_read_is_english_whatever_the_page_is(main: Main, shop: Path) -> None:
    both = [
        json.loads(main("brief", "-w", shop, *WEEKS, "--language", code_, "--json").out)["page"]
        for code_ in ("pt", "en")
    ]
    assert both[0] == both[1]
    for form in ("json", "csv"):
        said = {main("report", "-w", shop, "-f", form, "-o", "-", "--language", c).out for c in ("pt", "en")}
        assert len(said) == 1


def calibration(one: object, **how: object) -> str:
    return html(page(one, **{"later": {}, "zone": UTC, **how}))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", EDGES)
def test_every_sentence_of_a_calibration_is_in_portuguese(name: str) -> None:
    cells, how, _ = EDGES[name]
    made = found(held({LATE: cells}, **how))  # type: ignore[arg-type]
    with language.use("pt"):
        in_portuguese(calibration(made), ("Late", "ana"))


def worlds() -> Iterator[tuple[str, object]]:
    audit: Sequence[Cell] = (("absent", "absent", 120), ("absent", None, 880))
    yield "audit", found(held({LATE: audit}, agreement={LATE: AGREED}, audit=True))
    yield "uneven", found(held({LATE: COUNTED}, agreement={LATE: AGREED}, even=False))
    yield "apart", found(held({LATE: COUNTED}, agreement={LATE: APART}))
    yield "simple", found(held({LATE: COUNTED}, agreement={LATE: AGREED}, simple_random=True))


@pytest.mark.parametrize(("name", "made"), list(worlds()), ids=lambda x: x if isinstance(x, str) else "")
def test_pages_of_other_plans_are_in_portuguese(name: str, made: object) -> None:
    with language.use("pt"):
        texts = in_portuguese(calibration(made), ("Late", "ana", "ben"))
    assert any(re.search(r"\d,\d", t) for t in texts)


def truth(text: str, question: str) -> str:
    day = int(re.findall(r"on day (\d+)", text)[0])
    wanted = {"accuracy.invented_deadline": day % 4 == 0, "accuracy.status_without_lookup": day % 20 == 1}
    return "present" if wanted[question] else "absent"


def test_calibrations_and_disagreements_of_the_command_line_are_in_portuguese(
    main: Main, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace)
    judge_shop(workspace)
    plan = drawn(main, "-c", "invented_deadline", "-c", "status_without_lookup", "-n", "60", "--reviewers", "ana,ben",
                 "--overlap", "30")["plan_id"]  # fmt: skip
    for name in ("ana", "ben"):
        imported(main, fill(exported(main, plan, name, workspace / f"{name}.jsonl"), truth), "--reviewer", name)
    done = main("calibrate", "--by", "queue", "--language", "pt", "-o", workspace / "c.html")
    assert done.code == 0, done.err
    assert "judged conversations" in done.out  # the terminal speaks English
    texts = in_portuguese((workspace / "c.html").read_text(encoding="utf-8"), ("ana", "ben"))
    assert "Por fila" in texts
    monkeypatch.setenv("GRADER_REPORT_LANGUAGE", "pt")
    done = main("disagreements", "-o", workspace / "d.html")
    assert done.code == 0, done.err
    texts = in_portuguese((workspace / "d.html").read_text(encoding="utf-8"), ("ana", "ben"))
    assert "O que mais diverge" in texts
    assert any(re.fullmatch(r"\w{3}\., \d+ de \w+\.? de 2026, \d\d:\d\d", t) for t in texts)


def test_what_is_known_of_judges_is_told_in_portuguese_though_it_was_kept_in_english(
    main: Main, tmp_path: Path
) -> None:
    judged_shop(tmp_path)
    labelled(main, tmp_path)
    calibrated(main, tmp_path)
    told = []
    with open_store(tmp_path / "grader.duckdb") as store:
        known = of_run(store, "run_1")
        told += [t for r in known.rubrics() for t in (r.text, r.todo)]
        told += [t for s in (known.defects(), known.over([("accuracy", "invented_deadline", None)]))
                 for t in (s.short, s.text, s.excluded)]  # fmt: skip
        golden(store, "failed")
        known = of_run(store, "run_1")
        told += [*known.warnings(), *(t for r in known.rubrics() for t in (r.text, r.todo))]
    with language.use("pt"):
        kept = [language.retold(text) for text in told if text]
    assert list(english(kept)) == []
    assert any(re.search(r"em \d\d/\d\d/2\d{3}", text) for text in kept)
    assert not any(re.search(r"\d{4}-\d\d-\d\d", text) for text in kept)


@pytest.mark.parametrize("language_", [c for c in language.LANGUAGES if c != "en"])
def test_a_sentence_is_retold_by_the_text_it_was_made_from_and_by_no_other(language_: str) -> None:
    n_made = 0
    for path, text, told, _ in entries(language_):
        if path.name != language.RETOLD or not isinstance(text, str):
            continue
        assert isinstance(told, str)
        values = {name: f"\N{GREEK CAPITAL LETTER OMEGA}{n}" for n, name in enumerate(re.findall(r"\{(\w+)\}", text))}
        with language.use(language_):
            assert language.retold(text.format(**values)) == told.format(**values), text
        assert language.retold(text.format(**values)) == text.format(**values)
        n_made += bool(values)
    assert n_made > 80


def test_numbers_and_days_in_a_retold_sentence_are_the_languages_own() -> None:
    with language.use("pt"):
        assert language.retold("not calibrated: 1,204 labels of 2026-11-30 do not do for any of 7 codes") == (
            "não calibrado: os 1.204 rótulos de 30/11/2026 não bastam para nenhum dos 7 códigos"
        )
        assert language.retold("0 of 120 judged clean and read blind had it: at most 2.5 %") == (
            "0 de 120 julgadas sem defeito e lidas às cegas tinha: no máximo 2,5 %"
        )
        assert language.retold("Queue refunds: 3 labels of 1,007 conversations judged to have it (all strata): label 2 "
                               "more of them. First read those there are: 25 in test (--split all).") == (
            "Fila refunds: 3 rótulos de 1.007 conversas em que o juiz o vê (todos os estratos): rotule mais 2. Antes, "
            "leia os que já existem: 25 em test (--split all)."
        )  # fmt: skip
        assert language.retold("somebody else's words, 1.5") == "somebody else's words, 1.5"


@pytest.mark.parametrize("command", [("report",), ("brief",), ("calibrate",), ("disagreements",)])
def test_a_language_that_is_not_there_is_refused_with_those_that_are(
    main: Main, shop: Path, command: tuple[str, ...]
) -> None:
    refused = main(*command, "-w", shop, "--language", "de")
    assert refused.code == 2
    assert "expected one of en, pt" in refused.err


def test_every_language_can_be_set() -> None:
    from grader.config.settings import BY_KEY
    from grader.config.values import Choice

    kind = BY_KEY["report.language"].kind
    assert isinstance(kind, Choice)
    assert kind.options == tuple(language.LANGUAGES)
