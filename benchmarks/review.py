"""Two people label a plan at the same time, by keyboard, in two real browsers, while everything dies once: the server
by `kill -9` half-way, one browser by `kill -9`, the other is closed while there is no server. `grader grade` has the
database for a part of it. Every answer typed has to be in the database once: 0 lost, 0 twice, at most 9 keys an item.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from review_hands import Hand
from review_parts import Running, command, environment, labels, review
from review_screen import plan, shop
from workload import endpoint, told

PEOPLE = ("ana", "ben")
KEYS = 9


class Desk:
    """The server of the day: killed, started again at the same port, with new addresses."""

    def __init__(self, root: Path, running: ExitStack, people: Sequence[str] = PEOPLE) -> None:
        self._root, self._running, self._port, self._first = root, running, 0, people[0]
        self.start()

    def start(self) -> None:
        """Start it; from now on its addresses count."""
        self.app: Running = self._running.enter_context(review(self._root, port=self._port))
        self._port = self.app[self._first].port

    def address(self, name: str) -> str:
        """What was printed last for this person."""
        return self.app[name].url


def grading(root: Path, url: str) -> subprocess.Popen[str]:
    """`grader grade` in this workspace against the endpoint."""
    (root / "grader.toml").write_text(
        f'[judge]\nmodel = "stand-in"\nbase_url = "{url}"\n[engine]\nconcurrency = 8\n', encoding="utf-8"
    )
    return subprocess.Popen(
        [sys.executable, "-m", "grader", "grade", "--rubric", "behavior", "--json", "-q"], cwd=root, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip


def session(folder: Path, program: str, n: int, *, overlap: int, down: float = 3, seed: int = 1) -> dict[str, Any]:
    """The whole day over `n` conversations, `overlap` of them for both; the figures of it."""
    root = shop(folder, n)
    plan(root, n, ",".join(PEOPLE), overlap=overlap)
    wanted = (n + overlap) * 7
    with ExitStack() as running:
        url = running.enter_context(endpoint("--latency-ms", "800"))
        desk = Desk(root, running)
        hands = [
            Hand(name, lambda name=name: desk.address(name), program, folder / f"profile-{name}", seed)  # type: ignore[misc]
            for name in PEOPLE
        ]
        began = time.monotonic()
        for hand in hands:
            hand.start()

        def until(share: float) -> int:
            while sum(len(h.typed) for h in hands) < share * wanted and any(h.is_alive() for h in hands):
                time.sleep(0.01)
            return sum(h.n_answers for h in hands)

        until(0.15)
        run = grading(root, url)
        held = _held(desk)
        hands[1].kill_browser.set()
        while not hands[1].ends and hands[1].is_alive():  # both at once is another question: `killed_together`
            time.sleep(0.01)
        until(0.5)
        hands[0].close_offline.set()
        at = until(0.5)
        desk.app.kill()
        told(f"  the server was killed after {at} answers")
        time.sleep(down)
        desk.start()
        told("  and started again")
        for hand in hands:
            hand.join(600)
        out, err = run.communicate(timeout=120)
        waits = desk.app[PEOPLE[0]].saved(30)
        seconds = time.monotonic() - began
        code, _out, _err = desk.app.stop()
    graded = json.loads(out)["state"] if run.returncode == 0 else err
    return _figures(root, hands, seconds) | {
        "killed_after": at, "held_while_grading": held, "grade": graded, "waits": waits["n_waiting"], "code": code,
    }  # fmt: skip


def alone(folder: Path, program: str, n: int) -> dict[str, Any]:
    """One person, one browser, nothing else: how fast the screen follows the keys."""
    root = shop(folder, n)
    plan(root, n, "ana")
    with review(root) as app:
        hand = Hand("ana", lambda: app["ana"].url, program, folder / "profile")
        hand.start()
        hand.join(300)
        app.stop()
    return {"troubles": hand.trouble, **_latencies([hand])}


def killed_together(folder: Path, program: str, wait: float) -> dict[str, int]:
    """Server, and then browser killed (SIGKILL) `wait` seconds after seven answers that only the browser has."""
    root = shop(folder, 4)
    plan(root, 4, "ana")
    with ExitStack() as running:
        desk = Desk(root, running, ("ana",))
        hand = Hand("ana", lambda: desk.address("ana"), program, folder / "profile", dies_after=wait)
        hand.start()
        while len(hand.typed) < 7 and hand.is_alive():
            time.sleep(0.01)
        desk.app.kill()
        hand.close_offline.set()
        while not hand.ends and hand.is_alive():
            time.sleep(0.05)
        desk.start()
        hand.join(120)
        desk.app[hand.name].saved()
        desk.app.stop()
    return {"offline": hand.n_offline, "gone": len(hand.lost)}


def _held(desk: Desk) -> bool:
    """Whether the run had the database while people answered."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        if desk.app[PEOPLE[0]].session()["progress"]["saved"]["held_by"]:
            return True
        time.sleep(0.1)
    return False


def _figures(root: Path, hands: Sequence[Hand], seconds: float) -> dict[str, Any]:
    typed = {(h.name, item, q): answer for h in hands for (item, q), answer in h.typed.items()}
    rows = labels(root)
    stored = Counter((row[0], row[2], row[3]) for row in rows)
    answers = {(row[0], row[2], row[3]): row[5] for row in rows}
    status = json.loads(command(root, "label", "status", "lp_", "--json").stdout)["reviewers"]
    return {
        "items": sum(r["n_items"] for r in status), "complete": sum(r["n_complete"] for r in status),
        "typed": len(typed), "keys_that_answered": sum(h.n_answers for h in hands), "stored": len(rows),
        "lost": sum(answers.get(key) != answer for key, answer in typed.items()),
        "twice": sum(k - 1 for k in stored.values()), "not_typed": len(set(answers) - set(typed)),
        "gone_when_opened_again": sum(len(h.lost) for h in hands),
        "of_which_kept": sum(key not in h.unsent for h in hands for key in h.lost),
        "in_flight_in_the_killed_browser": sum(len(h.unsent) for h in hands),
        "corrected": sum(h.n_corrected for h in hands),
        "answered_offline": sum(h.n_offline for h in hands), "waited_in_browsers": sum(h.n_waited for h in hands),
        "browsers": [end for h in hands for end in h.ends], "stuck": sum(h.n_stuck for h in hands),
        "not_blind": sum(bool(row[6]) for row in rows), "troubles": [h.trouble for h in hands if h.trouble],
        "seconds": round(seconds, 1), **_latencies(hands),
    }  # fmt: skip


def _latencies(hands: Sequence[Hand]) -> dict[str, Any]:
    took = {name: sorted(t for h in hands for t in h.took[name]) or [0.0] for name in ("answer", "reveal", "next")}
    return {
        "keys_an_item": max((k for h in hands for k in h.n_keys), default=0),
        "items_at_one_go": sum(len(h.n_keys) for h in hands),
        "median_seconds_an_item": round(statistics.median([s for h in hands for s in h.seconds] or [0.0]), 3),
        **{f"ms_{name}_{which}": round(at(values), 1) for name, values in took.items()
           for which, at in (("median", statistics.median), ("p95", lambda v: v[int(0.95 * (len(v) - 1))]))},
    }  # fmt: skip


def met(figures: dict[str, Any]) -> bool:
    """Nothing lost, nothing twice, all done, nobody stuck, nine keys."""
    clean = ("lost", "twice", "not_typed", "of_which_kept", "not_blind", "waits", "stuck", "code")
    return (
        not any(figures[name] for name in clean) and not figures["troubles"]
        and figures["complete"] == figures["items"] and figures["stored"] == figures["typed"] == 7 * figures["items"]
        and figures["keys_an_item"] <= KEYS and figures["grade"] == "complete" and figures["held_while_grading"]
        and sorted(figures["browsers"]) == ["closed", "killed"]
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=60)
    parser.add_argument("--overlap", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    arguments = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        print("no Chromium here: the review session was not measured")
        return 0
    with tempfile.TemporaryDirectory(prefix="grader-review-") as name:
        figures = session(
            Path(name) / "two", program, arguments.conversations, overlap=arguments.overlap, seed=arguments.seed
        )
        figures["alone"] = alone(Path(name) / "alone", program, 20)
        figures["server_and_browser_killed"] = {
            f"{wait} s after": killed_together(Path(name) / f"both-{wait}", program, wait) for wait in (0, 2, 8)
        }
    print(json.dumps(figures, indent=2))
    print("met" if met(figures) else "MISSED")
    if arguments.out:
        arguments.out.write_text(json.dumps({"figures": figures, "met": met(figures)}, indent=2) + "\n")
    return 0 if met(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
