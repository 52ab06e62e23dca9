// SPDX-License-Identifier: GPL-2.0-only
//
// The page of a run: where it was made, and what differs from the run before.
"use strict";

(function () {
	var el = tdmem.el, name = tdmem.name;
	var COLUMNS = [
		// What is asked for first, also where not all fits.
		{ title: "Change", number: true },
		{ title: "Workload" }, { title: "Cell" }, { title: "Policy" },
		{ title: "Metric" }, { title: "Before", number: true },
		{ title: "Now", number: true }, { title: "Repeats" }
	];

	function find_run(slug) {
		var runs = tdmem.index().runs;

		for (var i = 0; i < runs.length; i++)
			if (runs[i][0] === slug)
				return tdmem.run(i);
		return null;
	}

	// The run that is `by` places from this one in its history.
	function neighbour(run, by) {
		var runs = tdmem.index().groups[run.group].runs;
		var i = runs[runs.indexOf(run.index) + by];

		return i === undefined ? null : tdmem.run(i);
	}

	// -------------------------------------------------------- difference

	function status_of(map, i, value) {
		return map.get(i) || (value === null ? "none" : "ok");
	}

	function differences(head, now, before) {
		var status = new Map(now.status);
		var earlier = new Map(before ? before.status : []);

		return head.map(function (s, i) {
			var a = before ? before.v[i] : null, b = now.v[i];

			return {
				series: s, i: i, before: a, now: b,
				was: before ? status_of(earlier, i, a) : "",
				is: status_of(status, i, b),
				ratio: a === null || b === null || a === 0 ?
					null : b / a - 1,
				apart: a !== null && b !== null &&
					(now.lo[i] > before.hi[i] ||
					now.hi[i] < before.lo[i])
			};
		});
	}

	// Another end of a cell comes first, then the largest change.
	function rank(d) {
		if (d.was !== "" && d.was !== d.is)
			return 2e9;
		return d.ratio === null ? -1 : Math.abs(d.ratio);
	}

	function figure(value, status, unit) {
		if (value !== null && status === "ok")
			return tdmem.short(value, unit);
		return name(status === "none" || status === "" ? "\u2013" :
			status);
	}

	function change_node(d) {
		var sign = d.ratio === null ? 0 : d.ratio * d.series.better;

		if (d.ratio === null)
			return d.was !== d.is && d.was !== "" ?
				el("span", { class: d.is === "ok" ? "better" :
					"worse" }, "other end") : "\u2013";
		if (!d.apart || sign === 0)
			return tdmem.percent(d.ratio);
		return el("span", { class: sign > 0 ? "better" : "worse" },
			(sign > 0 ? "\u25b2 " : "\u25bc ") +
			tdmem.percent(d.ratio));
	}

	function row(d) {
		var at = tdmem.index(), s = d.series;
		var group = at.groups[s.group];

		return [
			change_node(d),
			el("a", { href: tdmem.workload_href(s.workload, {
				config: group.config, host: group.host,
				metric: s.metric, chart: at.charts[s.chart]
			}) }, name(at.workloads[s.workload])),
			name(at.charts[s.chart]), name(at.lines[s.line]),
			name(s.metric), figure(d.before, d.was, s.unit),
			figure(d.now, d.is, s.unit),
			d.ratio === null ? "" : d.apart ? "apart" : "overlap"
		];
	}

	function difference_section(run, now, before, earlier) {
		var head = tdmem_data.series.groups[run.group];
		var list = differences(head, now, before);
		var box = el("section", { id: "difference" }, el("h2", null,
			before ? "Difference to the run before" : "Values"));

		list.sort(function (a, b) {
			return rank(b) - rank(a) || a.i - b.i;
		});
		box.appendChild(el("p", { class: "muted" }, before ?
			"Medians against those of " : "This is the first run " +
			"of its history: there is nothing to compare with.",
		before ? tdmem.run_link(earlier, tdmem.when(earlier)) : null,
		before ? ", largest change first. Two runs alone are weak " +
			"evidence: \u201capart\u201d says that no repeat of " +
			"one is within the range of the other." : null));
		box.appendChild(tdmem.long_table("Differences", COLUMNS,
			list.map(row), 40));
		return box;
	}

	// -------------------------------------------------------------- page

	function environment_section(pairs) {
		var list = el("dl");

		pairs.forEach(function (pair) {
			list.appendChild(el("dt", null, name(pair[0])));
			list.appendChild(el("dd", null, name(pair[1])));
		});
		return el("section", { id: "environment" },
			el("h2", null, "Environment"), list);
	}

	function facts(run) {
		var group = tdmem.index().groups[run.group];
		var list = el("dl");

		function add(what, value) {
			list.appendChild(el("dt", null, what));
			list.appendChild(el("dd", null, value));
		}
		add("Result", tdmem.result_link(run, name(run.path)));
		add("Config", name(group.config));
		add("History of", name(group.host));
		add("Commit", name(run.commit || "not given"));
		add("Kernel", name(run.kernel || "unknown"));
		add("CPU", name(run.cpu || "unknown"));
		add("tdmem", name(run.version || "unknown"));
		add("Cells", run.nbad ? el("span", { class: "worse" },
			run.nbad + " of " + run.ncells + " not ok") :
			run.ncells + ", all ok");
		if (run.partial)
			add("Interrupted", "yes, cells are missing");
		return list;
	}

	function neighbours(run) {
		var nav = tdmem.clear(document.getElementById("nav"));
		var before = neighbour(run, -1), after = neighbour(run, 1);

		if (before)
			nav.appendChild(tdmem.run_link(before,
				"\u2190 " + tdmem.day(before)));
		if (after)
			nav.appendChild(tdmem.run_link(after,
				tdmem.day(after) + " \u2192"));
	}

	function show_run(run, now, before, earlier) {
		var box = tdmem.content();

		tdmem.title("Run of " + tdmem.when(run));
		tdmem.model_note(run.modelled ? 1 : 0, 1);
		neighbours(run);
		box.appendChild(facts(run));
		box.appendChild(difference_section(run, now, before, earlier));
		box.appendChild(environment_section(now.environment));
	}

	function missing() {
		tdmem.trouble("The data of this run is missing: the " +
			"dashboard was not copied whole.");
	}

	function show() {
		var run = find_run(tdmem.hash().run), earlier;

		if (!run) {
			tdmem.trouble("The history has no such run.");
			return;
		}
		earlier = neighbour(run, -1);
		tdmem.load("run", run.slug, function (now) {
			if (!earlier) {
				show_run(run, now, null, null);
				return;
			}
			tdmem.load("run", earlier.slug, function (before) {
				show_run(run, now, before, earlier);
			}, missing);
		}, missing);
	}

	if (!tdmem.index() || !tdmem_data.series) {
		tdmem.trouble("data/index.js or data/series.js is missing: " +
			"the dashboard was not copied whole.");
		return;
	}
	window.addEventListener("hashchange", show);
	show();
})();
