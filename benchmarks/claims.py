"""How long notes take to be checked, and how many wrong formulas are accepted, right ones refused, and faults named.

    python benchmarks/claims.py            # some minutes
    python benchmarks/claims.py --quick    # the page of forty claims alone

The notes are those of ``tests/claims``: a page of forty claims, published formulas with their verdicts, and longer
notes into which one fault at a time is planted. A claim counts as accepted if it is proved or agrees; a fault as
named if its kind is the one, or one of those, that the table of the tests gives.

- **first** is a check in a process that has just imported the package, **again** the median of five more; both with the
  process of its own that every check runs in.

Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import symbackprop as sbp  # noqa: E402

CLAIMS = ROOT / "tests" / "claims"


def timed(path: Path) -> tuple[float, sbp.Check]:
    start = time.perf_counter()
    check = sbp.check_document(path, progress=False)
    return time.perf_counter() - start, check


def page() -> None:
    path = CLAIMS / "notes" / "forty.tex"
    first, check = timed(path)
    again = statistics.median(timed(path)[0] for _ in range(5))
    print(f"a page of {len(check.claims)} claims: first {first:.2f} s, again {again:.2f} s")


def published() -> None:
    cases = tomllib.loads((CLAIMS / "published.toml").read_text(encoding="utf-8"))["case"]
    found = Counter[tuple[str, bool]]()
    named = wrong = 0
    start = time.perf_counter()
    for case in cases:
        check = sbp.check_document(CLAIMS / "published" / case["file"], progress=False)
        outcomes = [claim.outcome.holds for claim in check.claims]
        found[case["verdict"], outcomes == [expected == "holds" for expected in case["claims"]]] += 1
        faulty = [claim for claim in check.claims if not claim.outcome.holds]
        wrong += len(faulty)
        named += sum(c.fault in kinds.split("|") for c, kinds in zip(faulty, case.get("fault", []), strict=False))
    seconds = time.perf_counter() - start
    right = found["right", True] + found["right", False]
    bad = found["wrong", True] + found["wrong", False]
    print(
        f"published: {found['right', True]} of {right} right documents hold, {found['wrong', True]} of {bad} wrong ones"
    )
    print(f"differ, {named} of {wrong} wrong claims are named rightly; {seconds:.0f} s for {len(cases)} documents")


def planted() -> None:
    notes = tomllib.loads((CLAIMS / "notes.toml").read_text(encoding="utf-8"))["notes"]
    count = caught = named = 0
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        for entry in notes:
            text = (CLAIMS / "notes" / entry["file"]).read_text(encoding="utf-8")
            path = Path(folder, entry["file"])
            for fault in entry["fault"]:
                path.write_text(text.replace(fault["find"], fault["replace"]), encoding="utf-8")
                seconds, check = timed(path)
                taken.append(seconds)
                line = text[: text.index(fault["find"])].count("\n") + 1
                wrong = [claim for claim in check.claims if not claim.outcome.holds]
                count += 1
                caught += bool(wrong) and {claim.line for claim in wrong} == {line}
                named += bool(wrong) and wrong[0].fault in fault["fault"].split("|")
    print(f"planted: {caught} of {count} faults caught and no other line called wrong, {named} named rightly;")
    print(f"a document with a fault takes {statistics.median(taken):.2f} s (median), {max(taken):.1f} s at most")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the page of forty claims alone")
    options = parser.parse_args()
    page()
    if not options.quick:
        published()
        planted()


if __name__ == "__main__":
    main()
