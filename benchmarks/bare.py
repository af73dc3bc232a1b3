"""The bare loop that Grader's speed is held against: openai and instructor as their documentation shows them.

The same prompts (rendered before, read from a file), the same replies as plain pydantic models, the default transport,
at most so many at once. Nothing is checked and nothing is stored. `python bare.py PROMPTS URL CONCURRENCY [MODE]`
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import instructor
from openai import AsyncOpenAI
from pydantic import BaseModel

from grader.rubric import Rubric, reply_model


def calls(path: Path) -> Iterator[tuple[list[dict[str, str]], type[BaseModel]]]:
    """Messages and reply model of each call: the file's first line holds the rubrics and their system messages."""
    with path.open(encoding="utf-8") as file:
        head = json.loads(file.readline())
        rubrics = {name: Rubric.model_validate(body) for name, body in head["rubrics"].items()}
        for line in file:
            name, codes, contents = json.loads(line)
            messages = [{"role": "system", "content": head["system"][name]}]
            messages += [{"role": "user", "content": content} for content in contents]
            yield messages, reply_model([(rubrics[name], codes)], grouped=False)


async def main(path: Path, url: str, concurrency: int, mode: str) -> None:
    client = instructor.from_openai(AsyncOpenAI(base_url=url, api_key="none"), mode=instructor.Mode[mode])
    places = asyncio.Semaphore(concurrency)
    running: set[asyncio.Task[Any]] = set()
    n = 0

    async def one(messages: list[Any], model: type[BaseModel]) -> None:
        try:
            await client.chat.completions.create(
                model="stand-in",
                temperature=0.0,
                messages=messages,
                response_model=model,
            )
        finally:
            places.release()

    for messages, model in calls(path):
        await places.acquire()
        task = asyncio.create_task(one(messages, model))
        running.add(task)
        task.add_done_callback(running.discard)
        n += 1
    await asyncio.gather(*running)
    print(json.dumps({"n_calls": n}))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), (sys.argv[4:] or ["TOOLS"])[0]))
