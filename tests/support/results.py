"""Results of a part in the form that `./test` and its readers expect: a line for each failure and skip, and one closing line."""

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Results:
    """Counts of one part, with the failed tests and the reasons of those skipped."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    def add_pass(self, name: str) -> None:
        """Count and print one passed step."""
        self.passed += 1
        print(f"ok      {name}", flush=True)

    def add_failure(self, name: str, reason: str = "") -> None:
        """Count and print one failed step."""
        self.failed.append(name)
        print(f"FAILED  {name}" + (f": {reason}" if reason else ""), flush=True)

    def add_skip(self, name: str, reason: str) -> None:
        """Count one skipped step under its reason."""
        self.skipped[reason] += 1
        print(f"skipped {name}: {reason}", flush=True)

    def close(self) -> int:
        """Print the reasons of what was skipped and the closing line; return the exit status of the part."""
        for reason, count in sorted(self.skipped.items()):
            print(f"  skipped {count} time{'s' if count > 1 else ''}: {reason}")
        print(f"{self.passed} passed, {len(self.failed)} failed, {self.skipped.total()} skipped", flush=True)
        return 1 if self.failed or not self.passed + self.skipped.total() else 0


def of_junit(files: Iterable[Path]) -> Results:
    """Return the counts of JUnit XML files (pytest --junitxml). A file that is missing counts as one failure."""
    results = Results()
    for file in files:
        if not file.exists():
            results.failed.append(f"{file.name}: the test runner ended before it could write its results")
            continue
        for case in ElementTree.parse(file).getroot().iter("testcase"):
            name = f"{case.get('classname')}.{case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                results.failed.append(name)
            elif (skip := case.find("skipped")) is not None:
                results.skipped[skip.get("message") or "no reason given"] += 1
            else:
                results.passed += 1
    return results


if __name__ == "__main__":
    tally = of_junit(Path(name) for name in sys.argv[1:])
    for name in tally.failed:
        print(f"FAILED  {name}")
    sys.exit(tally.close())
