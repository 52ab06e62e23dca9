# SPDX-License-Identifier: GPL-2.0-only
"""Checks made in Python, counted and told as tests/cli/lib.sh does it."""

import sys

COUNT = {"passed": 0, "failed": 0, "skipped": 0}


def check(ok, what, more=""):
    """`more` is what helps when it fails."""
    COUNT["passed" if ok else "failed"] += 1
    if not ok:
        print("failed:", what)
        for line in str(more).splitlines()[:12]:
            print("   ", ascii(line)[1:-1][:200])


def skip(why):
    COUNT["skipped"] += 1
    print("skipped:", why)


def finish():
    """The end of a script, with the line that tests/run.sh reads."""
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**COUNT))
    sys.exit(COUNT["failed"] > 0)
