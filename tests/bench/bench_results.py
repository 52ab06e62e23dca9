#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
What it costs to work with many results: `tdmem compare` of two results of
10,000 cells; `tdmem trend` of a folder of results of the quick matrix, first
without and then with its index; and of a long, noisy history with steps, of
which the changes are searched and then known.  CPU seconds of the whole process, the
median of several runs; one JSON object a line.  TDMEM names the program.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile

TDMEM = os.environ.get("TDMEM", "./tdmem")
RUNS = 3
CELLS = 10000
NIGHTS = 100
LONG = 1000


def cpu_seconds(*args):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([TDMEM, *args], stdout=subprocess.DEVNULL)
    assert done.returncode in (0, 3), args  # 3: there is a regression
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime -
            before.ru_utime - before.ru_stime)


def figure(name, unit, values, **more):
    print(json.dumps(dict(name=name, unit=unit,
                          value=round(statistics.median(values), 3),
                          low=round(min(values), 3),
                          high=round(max(values), 3), **more)), flush=True)


def many_cells(source, path):
    """The cells again and again, told apart by an axis."""
    with open(source) as f:
        lines = f.read().split("\n")
    first = next(i for i, line in enumerate(lines)
                 if line.startswith('"cells"'))
    cells = [line.rstrip(",") for line in lines[first + 1:]
             if line.startswith('{"axes":{')]
    with open(path, "w") as f:
        f.write("\n".join(lines[:first + 1]) + "\n")
        for i in range(CELLS):
            cell = cells[i % len(cells)]
            f.write(",\n" if i else "")
            f.write('{"axes":{"n":%d,' % (i // len(cells)) + cell[9:])
        f.write("\n]\n}\n")


def many_nights(source, folder):
    with open(source, "rb") as f:
        text = f.read()
    at = text.index(b'"time":"') + len(b'"time":"')
    for i in range(NIGHTS):
        time = b"20%02d-%02d-%02dT02:00:00Z" % (20 + i // 336,
                                                1 + i // 28 % 12, 1 + i % 28)
        with open("%s/night-%03d.json" % (folder, i), "wb") as f:
            f.write(text[:at] + time + text[at + len(time):])


def long_history(folder, nights):
    """Many nights of few cells, each with noise and with some steps."""
    path = folder + "/few.json"
    subprocess.run([TDMEM, "run", "configs/quick.json", "-q", "-o", path,
                    "--set", "repeat.count=2", "--set",
                    'workloads={"track":{"pages":16}}'],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, "tests/tools/make_history.py",
                    "--runs", str(LONG), "--noise", "0.03", "--outliers",
                    "0.02", "--step", "200:0.95", "--step", "500:1.04",
                    "--step", "800:0.97", path, nights], check=True)
    # The index does not take files that are younger than a second.
    for entry in os.scandir(nights):
        os.utime(entry.path, (1, 1))


def quick(folder, repeats):
    path = "%s/quick-%d.json" % (folder, repeats)
    subprocess.run([TDMEM, "run", "configs/quick.json", "-q", "-o", path,
                    "--set", "repeat.count=%d" % repeats],
                   check=True, stdout=subprocess.DEVNULL)
    return path


def main():
    with tempfile.TemporaryDirectory(prefix="tdmem-bench-") as folder:
        big = folder + "/big.json"
        many_cells(quick(folder, 5), big)
        figure("compare-10000-cells", "CPU-s",
               [cpu_seconds("compare", big, big) for _ in range(RUNS)],
               bytes=2 * os.path.getsize(big), target=10)
        os.unlink(big)

        nights = folder + "/nights"
        os.mkdir(nights)
        many_nights(quick(folder, 10), nights)
        size = sum(entry.stat().st_size for entry in os.scandir(nights))
        figure("trend-read", "CPU-s",
               [cpu_seconds("trend", "--no-index", nights)
                for _ in range(RUNS)], results=NIGHTS, bytes=size)
        cpu_seconds("trend", nights)
        figure("trend-from-index", "CPU-s",
               [cpu_seconds("trend", nights) for _ in range(RUNS)],
               results=NIGHTS)

        nights = folder + "/long"
        os.mkdir(nights)
        long_history(folder, nights)
        cpu_seconds("trend", nights)
        changes = nights + "/.tdmem-changes"
        for name, known in (("search", False), ("known", True)):
            values = []
            for _ in range(RUNS):
                if not known:
                    os.unlink(changes)
                values.append(cpu_seconds("trend", nights))
            figure("trend-long-" + name, "CPU-s", values, results=LONG)
    return 0


if __name__ == "__main__":
    sys.exit(main())
