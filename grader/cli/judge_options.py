"""How a judge is named on the command line: the options that every command which judges has alike."""

from __future__ import annotations

from typing import Annotated

import typer

RubricsOption = Annotated[
    list[str] | None,
    typer.Option("--rubric", "-r", help="accuracy, accuracy@1.0.0 or a file; the newest of each by default."),
]
JudgeOption = Annotated[str | None, typer.Option(help="llm, signals, or auto (llm when an endpoint is set).")]
ModelOption = Annotated[str | None, typer.Option("--model", "-m", help="The model's name at the endpoint.")]
BaseUrlOption = Annotated[str | None, typer.Option(help="An OpenAI-compatible endpoint.")]
GroupOption = Annotated[str | None, typer.Option(help="all: one call with all rubrics; rubric: one call each.")]
ConcurrencyOption = Annotated[int | None, typer.Option("--concurrency", "-c", help="Most calls in flight.")]
BudgetOption = Annotated[float | None, typer.Option(help="Stop, to be resumed, before spending more USD.")]
RetryFailedOption = Annotated[
    bool, typer.Option("--retry-failed", help="Try again what failed for a reason that does not pass by itself.")
]
