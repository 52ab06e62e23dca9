#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tdmem export: usage, where it writes, and that other programs' parsers read
# what it writes, with the values of the result.  TDMEM names the program.

. "$(dirname "$0")/lib.sh"

out=$dir/out err=$dir/err result=$dir/r.json

# export_to STATUS ARG...: its exit status
export_to() {
	tdmem "$1" export "${@:2}"
}

# reads: python statements that must hold; r is the result, text what came out
reads() {
	/usr/bin/python3 - "$result" "$out" "$root" 2>"$err" <<PY
import csv, io, json, re, sys
r = json.load(open(sys.argv[1]))
text = open(sys.argv[2], newline="").read()
$1
PY
}

# One vCPU count is more than the topology has: cells without a value.
"$TDMEM" run "$root/tests/cli/determinism.json" \
	--set 'workloads=["fault-in","track"]' --set 'axes.policy=["spin",
	{"fault":"eagain","removal":"kick-first"}]' \
	--set 'axes.vcpus=[1,2,1024]' --set repeat.count=2 \
	-o "$result" >/dev/null 2>"$err"
check "there is a result" [ -s "$result" ]
check "it has unsupported cells" grep -q '"status":"unsupported"' "$result"

# ------------------------------------------------------------------- usage

check "--help" export_to 0 --help
widest=$(wc -L <"$out")
check "--help: 80 columns, not $widest" [ "$widest" -le 80 ]
check "no format" refused 2 export "$result"
check "unknown format" refused 2 export -f nonsense "$result"
check "no result" refused 2 export -f csv
check "two results" refused 2 export -f csv "$result" "$result"
check "no such file" refused 2 export -f csv "$dir/none.json"
check "not a result" refused 2 export -f csv "$root/configs/quick.json"
check "unknown metric" refused 2 export -f csv -m nonsense "$result"
check "--cell without a value" refused 2 export -f csv -c policy "$result"
check "--cell without an axis" refused 2 export -f csv -c =spin "$result"
check "--cell that none has" refused 2 export -f csv -c policy=nonsense \
	"$result"
check "a hostile metric" refused 2 export -f csv -m $'a\nb\033[2J' "$result"
check "an empty --format" refused 2 export -f "" "$result"

# --------------------------------------------------------- where it writes

cp "$result" "$dir/copy.json"
check "-o on the result is refused" refused 2 export -f csv -o "$result" \
	"$result"
check "the result is untouched" cmp -s "$result" "$dir/copy.json"
check "-o" export_to 0 -f csv -o "$dir/x.csv" "$result"
check "-o: nothing on stdout" [ ! -s "$out" ]
check "-o: nothing else is left" [ ! -e "$dir/x.csv.tmp" ]
check "to stdout" export_to 0 -f csv "$result"
check "the same to stdout" cmp -s "$out" "$dir/x.csv"
check "-o on a device" export_to 1 -f csv -o /dev/null "$result"
"$TDMEM" export -f csv "$result" >/dev/full 2>"$err"
check "a full disk is a failure" [ $? -eq 1 ]
check "a full disk is told" [ "$(wc -l <"$err")" -eq 1 ]
head -c 60000 "$result" >"$dir/cut.json"
check "half a result: no half document" refused 2 export -f csv "$dir/cut.json"

# --------------------------------------------------------------------- csv

export_to 0 -f csv "$result"
check "csv: every value, once" reads '
rows = list(csv.DictReader(io.StringIO(text), strict=True))
seen = {}
for row in rows:
    assert None not in row and None not in row.values()
    key = (row["workload"], row["policy"], row["vcpus"], row["repeat"],
           row["metric"])
    assert key not in seen or not row["metric"], key
    seen[key] = row
n = 0
for cell in r["cells"]:
    axes = cell["axes"]
    policy = axes["policy"]
    if not isinstance(policy, str):
        policy = json.dumps(policy, separators=(",", ":"))
    for i, repeat in enumerate(cell["repeats"]):
        at = (axes["workload"], policy, str(axes["vcpus"]), str(i + 1))
        for name, value in repeat["metrics"].items():
            row = seen[at + (name,)]
            assert float(row["value"]) == value
            assert row["unit"] == r["metrics"][name]["unit"]
            assert row["seed"] == str(repeat["seed"])
            n += 1
        for name, h in repeat["histograms"].items():
            assert int(seen[at + (name + ".max",)]["value"]) == h["max"]
            assert int(seen[at + (name + ".count",)]["value"]) == h["count"]
            for q in "p50", "p90", "p99", "p99.9":
                v = int(seen[at + (name + "." + q,)]["value"])
                assert h["min"] <= v <= h["max"]
            n += 6
assert n == len([row for row in rows if row["metric"]]) > 100
assert {row["model"] for row in rows} == {"true"}
for cell in r["cells"]:
    assert any(row["vcpus"] == str(cell["axes"]["vcpus"]) for row in rows)
'
export_to 0 -f csv -m track.rate -c workload=track -c vcpus=1 "$result"
check "csv: selected" reads '
rows = list(csv.DictReader(io.StringIO(text), strict=True))
assert rows and {x["metric"] for x in rows} == {"track.rate"}
assert {(x["workload"], x["vcpus"]) for x in rows} == {("track", "1")}
'

# -------------------------------------------------------------------- hgrm

check "hgrm: no metric" refused 2 export -f hgrm "$result"
check "hgrm: two metrics" refused 2 export -f hgrm -m track.latency \
	-m kick.latency "$result"
check "hgrm: no histogram" refused 2 export -f hgrm -m track.rate "$result"
check "hgrm: several cells" refused 2 export -f hgrm -m track.latency "$result"
check "hgrm: a cell without values" export_to 1 -f hgrm -m track.latency \
	-c workload=track -c policy=spin -c vcpus=1024 "$result"
check "hgrm" export_to 0 -f hgrm -m track.latency -c workload=track \
	-c policy=spin -c vcpus=2 "$result"
check "hgrm: percentiles grow, the counts are those of the result" reads '
lines = text.splitlines()
assert lines[0].split() == ["Value", "Percentile", "TotalCount",
                            "1/(1-Percentile)"] and lines[1] == ""
rows = [x.split() for x in lines[2:] if x[0] != "#"]
for a, b in zip(rows, rows[1:]):
    assert float(a[0]) <= float(b[0]) and float(a[1]) < float(b[1])
    assert int(a[2]) <= int(b[2])
for row in rows[:-1]:
    assert abs(float(row[3]) - 1 / (1 - float(row[1]))) < 0.01 * float(row[3])
cell, = [c for c in r["cells"] if c["axes"] ==
         {"workload": "track", "policy": "spin", "vcpus": 2}]
hists = [x["histograms"]["track.latency"] for x in cell["repeats"]]
n = sum(h["count"] for h in hists)
assert len(hists) == 2 and int(rows[-1][2]) == n
assert float(rows[-1][1]) == 1
assert float(rows[-1][0]) == max(h["max"] for h in hists)

def middle(i):
    s = i >> 9
    return i if s <= 1 else (((i - ((s - 1) << 9)) << (s - 1)) +
                             (1 << (s - 1)) // 2)
values = sorted(middle(i) for h in hists for i, c in h["buckets"]
                for _ in range(c))
for row in rows[:-1]:
    want = values[max(0, -int(-float(row[1]) * n // 1) - 1)]
    assert abs(float(row[0]) - want) <= 0.001 * want, row
'

# ------------------------------------------------------------- openmetrics

check "openmetrics" export_to 0 -f openmetrics "$result"
check "openmetrics: the grammar, and medians as in the result" reads '
import statistics
name = "[a-zA-Z_:][a-zA-Z0-9_:]*"
label = "[a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\"\\\\\n]|\\\\[\\\\n\"])*\""
sample = re.compile("(%s)\\{((?:%s)(?:,%s)*)\\} (\\S+)$" % (name, label, label))
assert text.endswith("\n# EOF\n") and text.count("# EOF") == 1
family, seen, series, values = None, set(), set(), {}
for line in text[:-1].split("\n")[:-1]:
    m = re.match("# TYPE (%s) (gauge|summary|info)$" % name, line)
    if m:
        family, kind = m.groups()
        assert family not in seen
        seen.add(family)
        continue
    m = re.match("# (UNIT|HELP) (%s) (.+)$" % name, line)
    if m:
        assert m[2] == family
        assert m[1] == "HELP" or family.endswith("_" + m[3])
        continue
    m = sample.match(line)
    assert m, line
    suffix = m[1][len(family):]
    assert m[1].startswith(family)
    assert suffix in {"gauge": [""], "info": ["_info"],
                      "summary": ["", "_count"]}[kind]
    labels = re.findall(label, m[2])
    names = [x.split("=")[0] for x in labels]
    assert len(names) == len(set(names))
    assert ("quantile" in names) == (kind == "summary" and not suffix)
    key = (m[1],) + tuple(sorted(labels))
    assert key not in series
    series.add(key)
    values[m[1], m[2]] = float(m[3])
n = 0
for cell in r["cells"]:
    a = cell["axes"]
    if not isinstance(a["policy"], str):
        continue
    at = "workload=\"%s\",policy=\"%s\",vcpus=\"%d\",model=\"true\"" % (
        a["workload"], a["policy"], a["vcpus"])
    rates = [x["metrics"]["fault.rate"] for x in cell["repeats"]
             if "fault.rate" in x["metrics"]]
    got = values.get(("tdmem_fault_rate_per_second", at))
    assert (got is None) == (not rates)
    if rates:
        assert abs(got / statistics.median(rates) - 1) < 1e-9
        n += 1
    hists = [x["histograms"]["fault.latency"] for x in cell["repeats"]
             if "fault.latency" in x["histograms"]]
    f = "tdmem_fault_latency_seconds"
    if hists:
        assert values[f + "_count", at] == sum(h["count"] for h in hists)
        top = values[f, at + ",quantile=\"1.0\""]
        assert abs(top * 1e9 - max(h["max"] for h in hists)) < 1e-3
assert n >= 2, n
'

if /usr/bin/python3 -c 'import prometheus_client.openmetrics.parser' \
	2>/dev/null; then
	check "openmetrics: read by Prometheus' own parser" reads '
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = {f.name: f for f in text_string_to_metric_families(text)}
assert {f.type for f in families.values()} == {"gauge", "summary", "info"}
cells = families["tdmem_cell"].samples
assert len(cells) == len(r["cells"])
assert [c["status"] for c in r["cells"]] == [x.labels["status"] for x in cells]
rate = families["tdmem_fault_rate_per_second"]
assert rate.unit == "per_second" and len(rate.samples) >= 2
assert families["tdmem_fault_latency_seconds"].type == "summary"
run, = families["tdmem_run"].samples
assert run.labels["partial"] == "false"
'
else
	skip "openmetrics: read by Prometheus' own parser: \
python3-prometheus-client is not installed"
fi

# ------------------------------------------------------ services for trends

check "github-bigger: a lower metric" refused 2 export -f github-bigger \
	-m fault.latency "$result"
for direction in bigger smaller; do
	check "github-$direction" export_to 0 -f github-$direction "$result"
	check "github-$direction: entries" reads '
entries = json.loads(text)
assert len(entries) >= 4
for x in entries:
    assert set(x) == {"name", "unit", "value", "range", "extra"}
    assert isinstance(x["value"], (int, float)) and x["value"] > 0
    assert x["range"].startswith("\u00b1 ") and float(x["range"][2:]) >= 0
    assert "model output" in x["extra"] and "vcpus=1024" not in x["name"]
assert len({x["name"] for x in entries}) == len(entries)
'
done
check "bmf" export_to 0 -f bmf "$result"
check "bmf: medians and ranges of the result" reads '
import statistics
got = json.loads(text)
good = [c for c in r["cells"] if c["status"] == "ok"]
assert len(got) == len(good) > 0
for cell in good:
    a = cell["axes"]
    policy = a["policy"]
    if not isinstance(policy, str):
        policy = json.dumps(policy, separators=(",", ":"))
    measures = got["%s policy=%s vcpus=%d" % (a["workload"], policy,
                                              a["vcpus"])]
    rate = r["workloads"][a["workload"]]["operation"] + ".rate"
    v = [x["metrics"][rate] for x in cell["repeats"]]
    m = measures[rate]
    for key, want in (("value", statistics.median(v)),
                      ("lower_value", min(v)), ("upper_value", max(v))):
        assert abs(m[key] / want - 1) < 1e-9
    assert len(measures) == 3
'

# -------------------------------------------------------------------- ktap

check "ktap: no metric" refused 2 export -f ktap -m fault.rate "$result"
check "ktap" export_to 0 -f ktap "$result"
check "ktap: a point a cell" reads '
lines = text.splitlines()
assert lines[:2] == ["KTAP version 1", "1..%d" % len(r["cells"])]
points = [x for x in lines[2:] if x[0] != "#"]
assert len(points) == len(r["cells"])
for i, (line, cell) in enumerate(zip(points, r["cells"]), 1):
    m = re.match("(ok|not ok) (\\d+) ([^#]+?)( # SKIP (.+))?$", line)
    assert m and int(m[2]) == i and "vcpus=%d" % cell["axes"]["vcpus"] in m[3]
    skipped = cell["status"] == "unsupported"
    assert m[1] == "ok" and (m[5] is not None) == skipped
    if skipped:
        assert m[5] == cell["reason"].replace("#", "?")
'
# By the rules of the kernel's documentation: nothing but the version, the
# plan, points in order and diagnostics, each of its form.
check "ktap: by the rules of KTAP" reads '
lines = text.split("\n")
assert lines.pop() == ""
assert lines[0] == "KTAP version 1"
plan = re.fullmatch(r"1\.\.(\d+)", lines[1])
assert plan
number = 0
for line in lines[2:]:
    assert line.isprintable() and line == line.strip()
    if line.startswith("# "):
        continue
    m = re.fullmatch(r"(not )?ok (\d+) ([^#\\\\]+)( # (\w+) [^#]+)?", line)
    assert m and m[5] in (None, "SKIP"), line
    number += 1
    assert int(m[2]) == number
assert number == int(plan[1])
'
# TAP is near enough for its reader to count the points.
if perl -MTAP::Parser -e 1 2>/dev/null; then
	check "ktap: read by a TAP parser" perl -MTAP::Parser -e '
		open(my $f, "<", $ARGV[0]) or die;
		local $/; my $p = TAP::Parser->new({tap => <$f>}); $p->run;
		exit !($p->is_good_plan && !$p->parse_errors && !$p->failed &&
		       $p->skipped > 0 && $p->passed > $p->skipped)' "$out"
else
	skip "ktap: read by a TAP parser: perl has no TAP::Parser"
fi

# ------------------------------------------------------ partial results

# What a stopped run leaves, with a warm-up in every cell.
/usr/bin/python3 - "$result" "$dir/partial.json" <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
r["partial"] = True
for c in r["cells"]:
    for repeat in c["repeats"][:1]:
        repeat["warmup"] = True
json.dump(r, open(sys.argv[2], "w"))
PY
whole=$result result=$dir/partial.json
one=(-m track.latency -c workload=track -c policy=spin -c vcpus=2)
for format in csv openmetrics ktap github-bigger github-smaller bmf hlog \
	"hgrm ${one[*]}"; do
	# shellcheck disable=SC2086
	check "$format: partial" export_to 0 -f $format "$result"
	check "$format: partial: one warning" [ "$(wc -l <"$err")" -eq 1 ]
	check "$format: partial: it says so" grep -q 'warning: .*: partial:' \
		"$err"
	case $format in
	bmf) ;;
	csv) check "csv: partial: marked" reads '
rows = list(csv.DictReader(io.StringIO(text)))
assert {x["partial"] for x in rows} == {"true"}
warm = {(x["repeat"], x["warmup"]) for x in rows}
assert warm == {("1", "true"), ("2", "false")}, warm
' ;;
	openmetrics) check "openmetrics: partial: marked" \
		grep -q 'partial="true"' "$out" ;;
	*) check "$format: partial: marked" grep -q 'partial: the run' "$out" ;;
	esac
done
export_to 0 -f hlog "${one[@]}" "$result"
check "hlog: no warm-up" [ "$(grep -c ^Tag= "$out")" -eq 1 ]
export_to 0 -f hgrm "${one[@]}" "$result"
check "hgrm: no warm-up" reads '
cell, = [c for c in r["cells"] if c["axes"] ==
         {"workload": "track", "policy": "spin", "vcpus": 2}]
n = cell["repeats"][1]["histograms"]["track.latency"]["count"]
assert re.search("Total count += +%d]" % n, text)
'
export_to 0 -f csv "$whole"
check "a whole result: no warning" [ ! -s "$err" ]

# -------------------------------------------------------------------- hlog

result=$whole
check "hlog: no histogram" refused 2 export -f hlog -m track.rate "$result"
check "hlog" export_to 0 -f hlog "$result"
check "hlog: tags hold no blank and no second comma" reads '
lines = [x for x in text.splitlines() if x[0] not in "#\""]
good = [c for c in r["cells"] if c["status"] == "ok"]
assert len(lines) == sum(len(c["repeats"]) for c in good) > 8
for line in lines:
    assert re.fullmatch(r"Tag=[\w.;=%-]+(,\d+\.\d+){3},HISTFAAA[\w+/]+=*", line)
'

finish
