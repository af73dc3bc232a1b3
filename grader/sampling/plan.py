"""A sample, written down: the design and its seed, what it was drawn from, and every conversation with its chance.

A plan file is JSON. Its identity is a hash of all that decides which conversations are meant and how they count, so
that a file that was changed is found out, and the same command on the same data makes the same plan. It holds
identifiers and hashes, no words of anybody.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.errors import InputError
from grader.model import JsonValue, digest
from grader.sampling import Draw, Drawn, Layer, planfile

FORMAT = "grader.sample"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Item:
    """One drawn conversation, with the hash of what a judge could see of it on that day."""

    conversation_id: str
    content_hash: str
    inclusion_probability: float
    stratum: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """Which conversations were drawn, how, and with which weights.

    `design` is simple, stratified, top-queues or risk; `parameters` are its own. `frame` says in words what the figures
    are about where that is not everything that was selected. `n_frame` conversations were selected, `n_population` of
    them could be drawn. `data_end`: the latest time in the data when it was drawn.
    """

    sample_id: str
    design: str
    parameters: Mapping[str, JsonValue]
    seed: int
    selection: tuple[tuple[str, str], ...]
    frame: str | None
    frame_hash: str
    n_frame: int
    data_end: datetime | None
    layers: tuple[Layer, ...]
    items: tuple[Item, ...]
    grader_version: str
    drawn_at: datetime

    @property
    def n_population(self) -> int:
        """What the figures are about."""
        return sum(layer.n_population for layer in self.layers)

    @property
    def draws(self) -> list[Draw]:
        """What was drawn, as a run takes it."""
        return [Draw(i.conversation_id, i.inclusion_probability, i.stratum) for i in self.items]


def frame_hash(strata: Iterable[tuple[str, str | None]]) -> str:
    """The identity of what was drawn from: every (conversation, stratum), in any order."""
    whole = hashlib.sha256()
    for row in sorted(f"{i}\0{'' if stratum is None else stratum}\n" for i, stratum in strata):
        whole.update(row.encode("utf-8", "surrogatepass"))
    return f"fr_{whole.hexdigest()[:32]}"


def make_sample(
    drawn: Drawn, content_hashes: Mapping[str, str], *, design: str, parameters: Mapping[str, JsonValue], seed: int,
    selection: Sequence[tuple[str, str]], frame: str | None, frame_hash: str, n_frame: int, data_end: datetime | None,
    grader_version: str, drawn_at: datetime,
) -> Sample:  # fmt: skip
    """A draw as a sample, with its identity."""
    items = tuple(
        Item(d.conversation_id, content_hashes[d.conversation_id], d.inclusion_probability, d.stratum)
        for d in drawn.draws
    )
    sample = Sample(
        "", design, dict(parameters), seed, tuple(selection), frame, frame_hash, n_frame, data_end, drawn.layers,
        items, grader_version, drawn_at,
    )  # fmt: skip
    return _named(sample)


def document(sample: Sample) -> dict[str, JsonValue]:
    """The plan file as plain JSON values."""
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "sample_id": sample.sample_id,
        "drawn_at": _text(sample.drawn_at),
        "grader_version": sample.grader_version,
        "data_end": None if sample.data_end is None else _text(sample.data_end),
        **_meaning(sample),
    }


def _meaning(sample: Sample) -> dict[str, JsonValue]:
    """All that decides which conversations are meant and how they count; not when, or by which Grader, it was made."""
    return {
        "design": sample.design,
        "parameters": dict(sample.parameters),
        "seed": sample.seed,
        "selection": [list(pair) for pair in sample.selection],
        "frame": sample.frame,
        "frame_hash": sample.frame_hash,
        "n_frame": sample.n_frame,
        "strata": [
            {"stratum": layer.name, "n_population": layer.n_population, "n_drawn": layer.n_drawn,
             "inclusion_probability": layer.inclusion_probability}
            for layer in sample.layers
        ],
        "drawn": [
            {"conversation_id": i.conversation_id, "content_hash": i.content_hash,
             "inclusion_probability": i.inclusion_probability, "stratum": i.stratum}
            for i in sample.items
        ],
    }  # fmt: skip


def _named(sample: Sample) -> Sample:
    return _replace(sample, sample_id=digest("sa", _meaning(sample)))


def _replace(sample: Sample, **changes: Any) -> Sample:
    return Sample(**{name: getattr(sample, name) for name in Sample.__slots__} | changes)


def written(sample: Sample) -> str:
    """The plan file's text: one line for each stratum and each drawn conversation."""
    return planfile.text(document(sample), ("strata", "drawn"))


def write(sample: Sample, path: Path) -> None:
    """Write the plan file, whole or not at all. Raises StoreError."""
    planfile.write(written(sample), path, "name another place with --out")


def read(path: Path) -> Sample:
    """The sample that a plan file holds. Raises InputError where it is none, or not as it was written."""
    redraw = "draw it again: grader sample"
    data = planfile.read(path, (FORMAT, FORMAT_VERSION), "plan", redraw)
    try:
        sample = parsed(data)
    except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError) as error:
        raise InputError(f"is no plan: {error!r}", file=str(path), cure=redraw) from error
    if _named(sample).sample_id != sample.sample_id:
        raise InputError(
            "was changed by hand: what it holds is not what its sample_id stands for", file=str(path),
            cure=f"weights of a sample that was not drawn so would be wrong: {redraw}",
        )  # fmt: skip
    return sample


def parsed(data: Mapping[str, Any]) -> Sample:
    """A document as a sample. Raises KeyError, TypeError or ValueError where it is none."""
    items = tuple(
        Item(str(row["conversation_id"]), str(row["content_hash"]), float(row["inclusion_probability"]), row["stratum"])
        for row in data["drawn"]
    )
    if any(not (math.isfinite(i.inclusion_probability) and 0 < i.inclusion_probability <= 1) for i in items):
        raise ValueError("an inclusion probability that is none")
    end = data["data_end"]
    return Sample(
        sample_id=str(data["sample_id"]), design=str(data["design"]), parameters=dict(data["parameters"]),
        seed=int(data["seed"]), selection=tuple((str(name), str(value)) for name, value in data["selection"]),
        frame=data["frame"], frame_hash=str(data["frame_hash"]), n_frame=int(data["n_frame"]),
        data_end=None if end is None else datetime.fromisoformat(end),
        layers=tuple(Layer(row["stratum"], int(row["n_population"]), int(row["n_drawn"])) for row in data["strata"]),
        items=items, grader_version=str(data["grader_version"]), drawn_at=datetime.fromisoformat(data["drawn_at"]),
    )  # fmt: skip


def _text(at: datetime) -> str:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
