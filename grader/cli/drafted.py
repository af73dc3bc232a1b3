"""`grader disagreements --as rubric-examples`: drafts of examples, put into the next version of each rubric."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.cli import console
from grader.errors import ConfigError, RubricError

if TYPE_CHECKING:
    from grader.calibration.disagreements import Disagreements
    from grader.calibration.drafts import Draft
    from grader.config import Settings
    from grader.rubric import Rubric
    from grader.store import Store

COMMAND = "disagreements --as rubric-examples"


@dataclass(frozen=True)
class Target:
    """A rubric's file: `base`, whose verdicts differ; `path`, which gets the examples; its text without them."""

    base: Path
    path: Path
    text: str
    rubric: Rubric
    is_new: bool


def drafted(
    settings: Settings, store: Store, found: Disagreements, *, per_code: int, part: str, into: str | None,
    now: datetime, as_json: bool,
) -> None:  # fmt: skip
    """Write the drafts, having noted that the split was opened for it, and tell what to do next."""
    from grader.calibration.drafts import SPLIT, TAUGHT, drafts
    from grader.calibration.masking import Mask
    from grader.calibration.openings import purpose
    from grader.rubric.insert import with_examples

    wanted = dict.fromkeys(g.code.partition(".")[0] for g in found.groups if g.direction in TAUGHT)
    if into is not None and len(wanted) > 1:
        raise ConfigError(
            f"--into {into}: the drafts are for {len(wanted)} rubrics, {', '.join(wanted)}",
            cure="--code names the criteria of one",
        )
    targets = {name: _target(settings, store, found, name, part, into) for name in wanted}
    criteria = {f"{name}.{c.code}": c for name, t in targets.items() for c in t.rubric.criteria}
    ids = list(dict.fromkeys(i.conversation_id for i in found.items))
    texts = {c.conversation_id: c for c in store.conversations(ids)}
    mask = Mask()
    made = drafts(found, texts, criteria, per_code, mask)
    by_rubric: dict[str, dict[str, Sequence[Draft]]] = {}
    for code, some in made.items():
        by_rubric.setdefault(code.partition(".")[0], {})[code.partition(".")[2]] = some
    written = {
        name: with_examples(
            targets[name].text, {code: [d.example for d in some] for code, some in codes.items()},
            str(targets[name].path),
        )
        for name, codes in by_rubric.items()
    }  # fmt: skip
    if written:
        # Before the first byte is written: a killed command must not leave a judge that has seen labels unnoticed.
        versions = ", ".join(targets[name].rubric.reference for name in written)
        why = purpose(f"{COMMAND} into {versions}", found.instruments.values())
        store.open_split(found.plan.plan_id, SPLIT, why, now)
    for name, text in written.items():
        _write(targets[name], text)
    kept = {name: targets[name] for name in written}
    if as_json:
        console.out_json(_document(found, kept, by_rubric, mask.told))
    else:
        _tell(found, kept, by_rubric, mask.told)


def _target(settings: Settings, store: Store, found: Disagreements, name: str, part: str, into: str | None) -> Target:
    from grader.rubric import locate
    from grader.rubric.insert import parsed
    from grader.rubric.load import load
    from grader.rubric.versions import PARTS, check_unchanged, next_file

    chosen = next((known for known in PARTS if known == part), None)
    if chosen is None:
        raise ConfigError(f"--part {part} is not known", cure=f"one of {', '.join(PARTS)}")
    folder = settings.workspace.rubrics
    used = next(i.rubric_version for i in found.items if i.rubric == name)
    base = locate(folder, f"{name}@{used}")
    hashes = store.rubric_hashes(name, used)
    lists = {"contact_reasons": settings.workspace.contact_reasons}
    check_unchanged(load(base).with_options(lists), hashes[0] if hashes else None)
    if into is None:
        try:
            path, text = next_file(base, chosen)
        except RubricError as error:
            there = Path(error.file or "").stem
            raise RubricError(
                error.reason, file=error.file, cure=f"--into {there} adds to it, as long as no run has used it; "
                "--part major or patch begins another",
            ) from error  # fmt: skip
        return Target(base, path, text, parsed(text, str(path)), is_new=True)
    version = into.removeprefix(f"{name}@")
    path = locate(folder, f"{name}@{version}")
    if store.rubric_hashes(name, version) is not None:
        raise ConfigError(
            f"--into {into}: {name}@{version} was used by a run, and changing it would mix its verdicts",
            cure=f"leave --into out, or grader rubric new-version {name}@{version}",
        )
    load(path)
    text = path.read_bytes().decode("utf-8-sig")
    return Target(base, path, text, parsed(text, str(path)), is_new=False)


def _write(target: Target, text: str) -> None:
    from grader.rubric.versions import write_new

    if target.is_new:
        write_new(target.path, text)
        return
    beside = target.path.with_name(f".{target.path.name}.{os.getpid()}.new")
    try:
        with beside.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
        beside.replace(target.path)
    except OSError as error:
        raise RubricError(
            f"cannot be written: {error.strerror or error}", file=str(target.path), cure="check its rights"
        ) from error
    finally:
        beside.unlink(missing_ok=True)


_Codes = Mapping[str, Mapping[str, "Sequence[Draft]"]]


def _document(found: Disagreements, targets: Mapping[str, Target], by_rubric: _Codes, masked: list[str]) -> Any:
    return {
        "plan": found.plan.plan_id, "run": found.run_id, "split": found.splits, "masked": masked,
        "rubrics": [
            {
                "rubric": name, "from": t.base, "file": t.path, "version": t.rubric.version, "new": t.is_new,
                "examples": [
                    {"criterion": code, "direction": d.item.direction.name, "conversation_id": d.item.conversation_id,
                     "answer": d.example.answer, "near_miss": d.example.near_miss, "transcript": d.example.transcript,
                     "why": d.example.why, "why_is_draft": not d.edited}
                    for code, some in by_rubric[name].items() for d in some
                ],
            }
            for name, t in targets.items()
        ],
    }  # fmt: skip


def _near(path: Path) -> Path:
    """As it is named from here, where it is below here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _tell(found: Disagreements, targets: Mapping[str, Target], by_rubric: _Codes, masked: list[str]) -> None:
    if not targets:
        console.out(
            "no draft: no disagreement of the train split that an example could teach, or they are there already"
        )
        return
    for name, t in targets.items():
        console.out(f"{_near(t.path)}: {'made from' if t.is_new else 'added to; the run used'} {t.base.name}")
        for code, some in by_rubric[name].items():
            for d in some:
                near = ", near miss" if d.example.near_miss else ""
                why = "" if d.edited else "; its reason is a draft"
                console.out(
                    f"  {code}: {console.clean(d.example.answer)}{near}, from {console.clean(d.item.conversation_id)} "
                    f"({d.item.direction.title}){why}"
                )
    console.out(f"masked: {', '.join(masked) or 'nothing was found by rule'}")
    console.out(
        "Names, places and stories have no rule. These words of customers will go with every prompt, among the "
        "instructions: read and edit each before you commit it or grade with it."
    )
    console.out(f"noted: labels of the train split of plan {found.plan.plan_id[:11]} are in these versions now")
    for name, t in targets.items():
        old, new = f"{name}@{t.base.stem}", t.rubric.reference
        console.note(
            f"next: edit {_near(t.path)}, then\n  grader rubric lint {new}\n  grader rubric diff {old} {new}\n"
            f"  grader grade --rubric {new}, on the same sample\n"
            f"  grader compare {old} {new} --split dev: the judge has seen train"
        )
