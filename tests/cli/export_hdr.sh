#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tdmem export -f hlog and hgrm against HdrHistogram's own program: it reads
# each log, and what it prints is what tdmem prints.  TDMEM names the program.

. "$(dirname "$0")/lib.sh"

jar=/usr/share/java/hdrhistogram.jar

"$TDMEM" run "$root/tests/cli/determinism.json" \
	--set 'workloads=["fault-in","track"]' --set 'axes.policy=["spin",
	{"fault":"eagain","removal":"kick-first"}]' \
	--set 'axes.vcpus=[1,4]' --set repeat.count=3 \
	-o "$dir/r.json" >/dev/null || exit 1

if ! command -v java >/dev/null || [ ! -e "$jar" ]; then
	skip "HdrHistogram's own reader: no java, or no $jar \
(default-jre-headless, libhdrhistogram-java)"
	finish
fi
/usr/bin/python3 - "$TDMEM" "$dir" "$jar" <<'PY'
import csv
import io
import json
import re
import subprocess
import sys
import urllib.parse

from checks import check, finish

tdmem, folder, jar = sys.argv[1:]
result = folder + "/r.json"
def export(*args):
    return subprocess.run([tdmem, "export", *args, result], check=True,
                          capture_output=True, text=True, timeout=60).stdout


def their(tag):
    """What their program prints of a tag: the intervals, the percentiles."""
    out = folder + "/out"
    subprocess.run(["java", "-cp", jar,
                    "org.HdrHistogram.HistogramLogProcessor", "-i",
                    folder + "/x.hlog", "-o", out, "-tag", tag,
                    "-outputValueUnitRatio", "1"], check=True, timeout=120)
    return open(out).read(), open(out + ".hgrm").read()


def percentiles(text):
    return [[float(x) for x in line.split()] for line in text.splitlines()
            if re.match(r" *\d", line)]


def close(a, b):
    return abs(a - b) <= 0.001 * b


metrics = ["track.latency", "fault.latency", "tdh_mem_track.retries",
           "kick.latency"]
wanted = [x for m in metrics for x in ("-m", m)]
log = export("-f", "hlog", *wanted)
open(folder + "/x.hlog", "w").write(log)
lines = [x for x in log.splitlines() if x.startswith("Tag=")]
tags = list(dict.fromkeys(x[4:].split(",")[0] for x in lines))
rows = list(csv.DictReader(io.StringIO(export("-f", "csv", *wanted))))
seen = set()
check(len(tags) >= 10, "tags: %d" % len(tags))
check(len(lines) == 3 * len(tags), "a line a repeat")
check(len(lines) == sum(len([m for m in metrics if m in r["histograms"]])
                        for c in json.load(open(result))["cells"]
                        for r in c["repeats"]), "every histogram is there")
for tag in tags:
    metric, *axes = tag.split(";")
    axes = dict(urllib.parse.unquote(x).split("=", 1) for x in axes)
    seen.add(metric)
    intervals, overall = their(tag)

    # One interval a repeat, with the repeat's count and quantiles.
    got = [[float(x) for x in re.findall(r"[\d.]+", m)] for m in
           re.findall(r"I:(.*?\))", intervals)]
    good = len(got) == 3
    for i, (count, p50, p90, top) in enumerate(got):
        want = {x["metric"]: float(x["value"]) for x in rows
                if x["repeat"] == str(i + 1) and
                all(x[k] == v for k, v in axes.items())}
        good &= count == want[metric + ".count"]
        good &= close(p50, want[metric + ".p50"])
        good &= close(p90, want[metric + ".p90"])
        good &= close(top, want[metric + ".max"])
    check(good, tag + ": intervals")

    # Their percentile text of all repeats is ours, line by line.
    where = [x for k, v in axes.items() for x in ("-c", k + "=" + v)]
    ours = export("-f", "hgrm", "-m", metric, *where)
    a, b = percentiles(overall), percentiles(ours)
    check(len(a) == len(b) and all(
        close(x[0], y[0]) and x[1:] == y[1:] for x, y in zip(a, b)),
        tag + ": percentiles")
    a, b = ([float(x) for x in re.findall(r"= +([\d.]+)", text)]
            for text in (overall, ours))
    mean, deviation, top, total = range(4)
    check(close(a[mean], b[mean]) and close(a[top], b[top]) and
          a[total] == b[total] and
          abs(a[deviation] - b[deviation]) < 0.001 * b[mean],
          tag + ": mean, deviation, maximum, count")
check(seen == set(metrics), "metrics: %s" % seen)

finish()
PY
