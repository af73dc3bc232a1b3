"""Which labels a figure may read: the splits by name, and train only where the judge was not taught from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from grader.calibration.instrument import Instrument
from grader.errors import ConfigError
from grader.labelling.plan import LabelPlan
from grader.rubric.record import version_key
from grader.store import Store

SPLITS = ("train", "dev", "test")
_INTO = re.compile(r"([\w-]+)@(\d+\.\d+\.\d+)")


def split_names(text: str) -> tuple[str, ...]:
    """`dev`, `train,dev`, `all` as splits. Raises ConfigError."""
    names = SPLITS if text.strip() == "all" else tuple(dict.fromkeys(p.strip() for p in text.split(",") if p.strip()))
    unknown = [name for name in names if name not in SPLITS]
    if unknown or not names:
        raise ConfigError(f"--split {text!r} is none", cure=f"{', '.join(SPLITS)}, several with commas, or all")
    return tuple(name for name in SPLITS if name in names)


def taught_from(store: Store, plan_id: str) -> dict[str, tuple[int, int, int]]:
    """Rubric → the first version that examples were drafted into from the train split of this plan."""
    taught: dict[str, tuple[int, int, int]] = {}
    noted = "select purpose from split_opening where plan_id = ? and split = 'train'"
    for (why,) in store.rows(noted, [plan_id]):
        for rubric, version in _INTO.findall(why.partition(" into ")[2].partition(":")[0]):
            taught[rubric] = min(taught.get(rubric, version_key(version)), version_key(version))
    return taught


def shown(taught: Mapping[str, tuple[int, int, int]], judge: Instrument) -> bool:
    """This judge's rubric is of the version that examples were drafted into, or a later one."""
    return judge.rubric in taught and version_key(judge.rubric_version) >= taught[judge.rubric]


def without_examples(
    store: Store, plan: LabelPlan, text: str | None, judged: Iterable[Instrument]
) -> tuple[tuple[str, ...], bool]:  # fmt: skip
    """The splits that are asked for (None: train and dev), and whether train was left out of them: a judge that was
    shown examples from it would be held against what it was taught. That is one whose rubric is of the version that
    examples were drafted into, or a later one. Named by itself, train is read all the same.
    """
    splits = split_names(text or "train,dev")
    known = taught_from(store, plan.plan_id)
    knows = any(shown(known, i) for i in judged)
    leave = knows and "train" in splits and (text is None or text.strip() == "all")
    return tuple(name for name in splits if name != "train" or not leave), leave
