"""Known holes in what is installed, by pip-audit; where its data cannot be reached that is said, and nothing fails."""

from __future__ import annotations

import json
import subprocess
import sys

SECONDS = 120
COMMAND = [sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--progress-spinner", "off"]


def main() -> int:
    """1 where a package with a known hole is installed."""
    try:
        done = subprocess.run(
            [*COMMAND, "--timeout", "10", "--format", "json"], capture_output=True, text=True, timeout=SECONDS
        )
        found = [one for one in json.loads(done.stdout)["dependencies"] if "skip_reason" not in one]
    except subprocess.TimeoutExpired:
        return skipped(f"no answer in {SECONDS} s")
    except (ValueError, KeyError, TypeError):
        return skipped((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    if not found:
        return skipped("it knows none of the packages here")
    holes = [
        f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'none yet'}"
        for one in found
        for hole in one.get("vulns", ())
    ]
    print("\n".join(holes) or f"pip-audit: nothing known about {len(found)} packages")
    return 1 if holes else 0


def skipped(why: str) -> int:
    """Say that nothing was checked."""
    print(f"pip-audit was skipped, its data cannot be reached: {why}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
