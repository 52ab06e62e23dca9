# SPDX-License-Identifier: GPL-2.0-only
"""Programs under gdb."""

import os
import shlex
import shutil
import subprocess


def gdb(script, arguments, output=None):
    """Run a program with some commands of gdb; what they say is text.

    What the program prints goes to a file if there is one, or gdb may write
    into the middle of it.
    """
    script = ["set pagination off", "set confirm off", *script]
    if output:
        run = f"run {shlex.join(arguments[1:])} >{shlex.quote(output)}"
        script = [run if s == "run" else s for s in script]
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
