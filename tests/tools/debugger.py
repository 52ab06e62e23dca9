# SPDX-License-Identifier: GPL-2.0-only
"""Programs under gdb."""

import os
import shutil
import subprocess


def gdb(script, arguments):
    """Run a program with some commands of gdb; what it says is text."""
    script = ["set pagination off", "set confirm off", *script]
    return subprocess.run(
        ["gdb", "-nx", "-batch", *[a for s in script for a in ("-ex", s)],
         "--args", *arguments],
        capture_output=True, text=True, timeout=120,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})


def why_no_gdb():
    """None when it can be used here."""
    if not shutil.which("gdb"):
        return "there is no gdb"
    done = gdb(["run"], ["/bin/true"])
    return None if "exited normally" in done.stdout else "gdb cannot trace"
