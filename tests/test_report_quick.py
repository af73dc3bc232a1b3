"""A small report is quick: what takes longer to load than the report takes to make is not loaded for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from report_data import T0, present, world

import grader
from grader.statistics.association import Table, benjamini_hochberg, chi_squared_above, relative_risk

_WRITE = """
import sys
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from grader.report import text
from grader.store import open_store
with open_store(Path(sys.argv[1]), read_only=True) as store:
    settings = SimpleNamespace(
        root=Path(sys.argv[1]).parent, workspace=SimpleNamespace(reports=Path(sys.argv[1]).parent, tz=UTC),
        report=SimpleNamespace(max_conversations=300),
    )
    page = "".join(text(store, settings))
assert "Which findings go with a return" in page
print(*sorted(name for name in sys.modules if name in ("scipy", "scipy.stats", "scipy.optimize", "numpy")))
"""


def test_a_small_report_loads_neither_scipy_nor_numpy(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        for n in range(12):
            contact = f"+55119911{n:05}"
            w.talk(f"c{n}", contact=contact)
            if n % 3:
                w.talk(f"c{n}-again", contact=contact, start=T0.replace(day=5))
            if n < 8:
                w.rated(f"c{n}", 1 + n % 5)
            w.judged_by_all(f"c{n}", {"invented_deadline": present("It arrives tomorrow.")} if n % 2 else {})
        w.talk("end", contact="+5511988887777", start=T0.replace(month=9))
        w.finish()
    done = subprocess.run(
        [sys.executable, "-c", _WRITE, str(tmp_path / "grader.duckdb")], capture_output=True, text=True, timeout=60,
        cwd=Path(grader.__file__).parent.parent, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_what_is_computed_without_scipy_is_what_scipy_says() -> None:
    from scipy.stats import chi2, false_discovery_control
    from scipy.stats.contingency import relative_risk as katz

    for df in (1, 2, 3, 8, 25):
        for x in (0.0, 1e-9, 0.5, 3.84, 40.0, 300.0):
            assert chi_squared_above(x, df) == pytest.approx(float(chi2.sf(x, df)), rel=1e-12)
    for seen in ([], [0.03], [0.5, 0.001, 0.04, 1.0, 0.04, 0.9]):
        assert benjamini_hochberg(seen) == pytest.approx(list(false_discovery_control(seen)) if seen else [])
    found, known = relative_risk(Table(12, 40, 9, 90)), katz(12, 40, 9, 90)
    ends = known.confidence_interval(0.95)
    assert found is not None
    assert (found.point, found.low, found.high) == pytest.approx((known.relative_risk, ends.low, ends.high))
