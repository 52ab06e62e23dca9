// SPDX-License-Identifier: GPL-2.0-only
//
// The overview: what changed, the last nights as a grid, the runs.
"use strict";

(function () {
	var el = tdmem.el, svg = tdmem.svg, name = tdmem.name;
	var WIDTH = 120, HEIGHT = 30;

	// ------------------------------------------------------------ changes

	var COLUMNS = [
		{ title: "Change", number: true },
		{ title: "Workload" }, { title: "Cell" }, { title: "Policy" },
		{ title: "Metric" }, { title: "Before", number: true },
		{ title: "After", number: true },
		{ title: "Confidence", number: true }, { title: "ID" }
	];

	function change_place(c) {
		var group = tdmem.index().groups[c.group];

		return {
			config: group.config, host: group.host,
			metric: c.metric, chart: tdmem.index().charts[c.chart]
		};
	}

	function size(c) {
		return c.status ? Infinity : Math.abs(c.ratio);
	}

	function change_text(c) {
		return c.status ? "now " + c.status : tdmem.percent(c.ratio);
	}

	function change_row(c) {
		var at = tdmem.index(), kind = tdmem.KINDS[c.kind];

		return [
			el("span", { class: kind.css },
				kind.sign + " " + change_text(c)),
			el("a", { href: tdmem.workload_href(c.workload,
				change_place(c)) }, name(at.workloads[c.workload])),
			name(at.charts[c.chart]), name(at.lines[c.line]),
			name(c.metric), tdmem.short(c.before, c.unit),
			c.status ? name(c.status) :
				tdmem.short(c.after, c.unit),
			c.status ? "certain" :
				(100 * c.confidence).toFixed(1) + "\u202f%",
			name(c.id)
		];
	}

	// Changes at one run of one history are one event: mostly they have
	// one cause.  Runs are in the order of time: the newest come first.
	function events(changes) {
		var by = new Map();

		changes.forEach(function (c) {
			var key = c.run + "/" + c.group;

			if (!by.has(key))
				by.set(key, []);
			by.get(key).push(c);
		});
		return Array.from(by.values()).sort(function (a, b) {
			return b[0].run - a[0].run;
		});
	}

	function workloads_of(changes) {
		var seen = new Set();

		changes.forEach(function (c) {
			seen.add(tdmem.index().workloads[c.workload]);
		});
		return Array.from(seen).join(", ");
	}

	// Which one, when there are several.
	function of_history(g) {
		var groups = tdmem.index().groups;

		return groups.length < 2 ? null :
			el("span", { class: "muted" }, " \u2013 ",
				name(groups[g].host || groups[g].config));
	}

	function event_summary(changes, run) {
		var kind = tdmem.KINDS[changes[0].kind];

		return el("summary", null,
			el("span", { class: kind.css }, kind.sign + " " +
				change_text(changes[0])), " ",
			name(changes[0].metric),
			changes.length > 1 ? " at most, " +
				changes.length + " series in " : " of ",
			name(workloads_of(changes)), ", from " +
			tdmem.day(run) + " (", name(tdmem.commit(run)),
			") on", of_history(changes[0].group));
	}

	function event_reasons(changes) {
		var why = new Set();

		changes.forEach(function (c) {
			if (c.why !== null)
				why.add(c.why);
		});
		return why.size === 0 ? null : el("p", null,
			"Acknowledged: ", name(Array.from(why).join("; ")));
	}

	function event_block(changes) {
		var run, box;

		changes.sort(function (a, b) {
			return size(b) - size(a);
		});
		run = tdmem.run(changes[0].run);
		box = el("details", null, event_summary(changes, run));
		box.appendChild(el("p", { class: "muted" }, "First run: ",
			tdmem.run_link(run, tdmem.when(run)), ", kernel ",
			name(tdmem.kernel(run)), ". History: ",
			name(tdmem.group_title(changes[0].group)), "."));
		if (event_reasons(changes))
			box.appendChild(event_reasons(changes));
		box.addEventListener("toggle", function () {
			if (!box.open || box.querySelector("table"))
				return;
			box.appendChild(tdmem.long_table("Changes at " +
				tdmem.day(run), COLUMNS,
				changes.map(change_row), 25));
		});
		return box;
	}

	// The first events in full view, the others behind a button.
	function event_list(title, changes, empty) {
		var box = el("section", null,
			el("h3", null, title + " (" + changes.length + ")"));
		var all = events(changes), first = 10, more;

		if (all.length === 0)
			box.appendChild(el("p", null, empty));
		all.slice(0, first).forEach(function (list) {
			box.appendChild(event_block(list));
		});
		if (all.length <= first)
			return box;
		more = el("button", { type: "button" }, "Show " +
			(all.length - first) + " older ones");
		more.addEventListener("click", function () {
			box.removeChild(more);
			all.slice(first).forEach(function (list) {
				box.appendChild(event_block(list));
			});
		});
		box.appendChild(more);
		return box;
	}

	function of_kind(kind) {
		return tdmem_data.overview.changes.filter(function (c) {
			return c.kind === kind && c.why === null;
		});
	}

	function acknowledged() {
		var list = tdmem_data.overview.changes.filter(function (c) {
			return c.why !== null;
		});
		var box;

		if (list.length === 0)
			return null;
		box = el("details", { id: "acknowledged" }, el("summary", null,
			"Acknowledged (" + list.length + ")"));
		events(list).forEach(function (e) {
			box.appendChild(event_block(e));
		});
		return box;
	}

	function changes_section() {
		var box = el("section", { id: "changes" },
			el("h2", null, "Changes")), other;

		box.appendChild(event_list("Regressed", of_kind("regressed"),
			"No regression that is not acknowledged."));
		box.appendChild(event_list("Improved", of_kind("improved"),
			"No improvement that is not acknowledged."));
		other = of_kind("changed");
		if (other.length)
			box.appendChild(event_list(
				"Changed, neither better nor worse", other));
		if (acknowledged())
			box.appendChild(acknowledged());
		return box;
	}

	// --------------------------------------------------------------- grid

	function last_value(values) {
		for (var i = values.length - 1; i >= 0; i--)
			if (values[i] !== null)
				return values[i];
		return null;
	}

	// At least 4 % high, so that noise does not look like mountains.
	function range(values) {
		var low = 0.98, high = 1.02;

		values.forEach(function (v) {
			if (v !== null) {
				low = Math.min(low, v);
				high = Math.max(high, v);
			}
		});
		return { low: low, high: high };
	}

	function spark_path(values, x, y) {
		var path = "", down = false;

		values.forEach(function (v, i) {
			if (v === null) {
				down = false;
				return;
			}
			path += (down ? "L" : "M") + x(i) + " " + y(v);
			// A point between gaps is a short line.
			if (!down && (i + 1 === values.length ||
					values[i + 1] === null))
				path += "h1.5";
			down = true;
		});
		return path;
	}

	function spark(field, label) {
		var r = range(field.spark), n = field.spark.length;
		var node = svg("svg", {
			class: "spark", role: "img", "aria-label": label,
			viewBox: "0 0 " + WIDTH + " " + HEIGHT
		});

		function x(i) {
			return (3 + (n > 1 ? i / (n - 1) : 0.5) *
				(WIDTH - 6)).toFixed(1);
		}
		function y(v) {
			return (3 + (r.high - v) / (r.high - r.low) *
				(HEIGHT - 9)).toFixed(1);
		}
		node.appendChild(svg("path", { class: "usual",
			d: "M0 " + y(1) + "H" + WIDTH }));
		node.appendChild(svg("path", {
			d: spark_path(field.spark, x, y) }));
		field.bad.forEach(function (b) {
			node.appendChild(svg("path", { class: "bad",
				d: "M" + x(b[0]) + " " + HEIGHT + "v-5" }));
		});
		return node;
	}

	function field_words(field) {
		var words = [], last = field.spark.length - 1;

		["regressed", "improved", "changed"].forEach(function (kind) {
			if (field[kind])
				words.push(el("span",
					{ class: tdmem.KINDS[kind].css },
					tdmem.KINDS[kind].sign + field[kind] +
					" "));
		});
		if (field.status !== null) {
			var bad = field.bad.filter(function (b) {
				return b[0] === last;
			});

			words.push(el("span", { class: "worse" },
				bad.length ? bad[0][1] + "\u00d7 " : "",
				name(field.status)));
		} else if (field.spark[last] === null) {
			words.push("no value");
		}
		return words;
	}

	function field_label(field, value) {
		var text = tdmem.shown(field.metric) + " over the last " +
			field.spark.length + " runs: now " +
			(value === null ? "without a value" :
				tdmem.percent(value - 1) + " from usual");

		if (field.bad.length)
			text += "; in " + field.bad.length +
				" runs cells did not end well";
		return text;
	}

	function field_node(field, row, g) {
		var group = tdmem.index().groups[g];
		var value = last_value(field.spark);
		var link = el("a", { href: tdmem.workload_href(row.workload, {
			config: group.config, host: group.host,
			metric: field.metric
		}) }, spark(field, field_label(field, value)));

		link.appendChild(el("span", null,
			value === null ? "\u2013 " :
				tdmem.percent(value - 1) + " "));
		field_words(field).forEach(function (word) {
			link.appendChild(el("span", null, word));
		});
		return link;
	}

	function grid_lines(rows) {
		var seen = new Set();

		rows.forEach(function (row) {
			row.fields.forEach(function (field) {
				seen.add(field.line);
			});
		});
		return Array.from(seen).sort(function (a, b) {
			return a - b;
		});
	}

	function grid_table(rows, g) {
		var at = tdmem.index(), lines = grid_lines(rows);
		var columns = [{ title: "Workload" }], box;

		lines.forEach(function (line) {
			columns.push({ title: at.lines[line] || "(one)" });
		});
		box = tdmem.table("Last runs of " + tdmem.group_title(g),
			columns, rows.map(function (row) {
				var cells = [el("a", {
					href: tdmem.workload_href(row.workload)
				}, name(at.workloads[row.workload]))];

				lines.forEach(function (line) {
					var field = row.fields.find(
						function (f) {
							return f.line === line;
						});

					cells.push(field ?
						field_node(field, row, g) :
						"");
				});
				return cells;
			}));
		box.classList.add("grid");
		return box;
	}

	function grid_block(rows, g) {
		var group = tdmem.index().groups[g];
		var n = group.runs.length, last = tdmem.run(group.runs[n - 1]);
		var box = el("section", null, el("h3", null,
			name(tdmem.group_title(g))));

		box.appendChild(el("p", { class: "muted" }, n + " runs, the " +
			"last one ", tdmem.run_link(last, tdmem.when(last)),
			last.nbad ? ", " + last.nbad + " of " + last.ncells +
			" cells not ok" : ", all " + last.ncells + " cells ok",
			last.partial ? ", interrupted" : "",
			last.modelled ? ", model output" : ""));
		box.appendChild(grid_table(rows, g));
		return box;
	}

	function grids_section() {
		var box = el("section", { id: "grid" },
			el("h2", null, "Last nights"));

		box.appendChild(el("p", { class: "muted" },
			"The rate of each workload's operation under each " +
			"policy over the last 60 runs: the mean over all its " +
			"cells, each against its own median (the line). " +
			tdmem.KINDS.regressed.sign + " and " +
			tdmem.KINDS.improved.sign + " count the changes " +
			"since then, in all metrics; strokes at the bottom " +
			"are runs in which a cell did not end well."));
		tdmem_data.overview.grids.forEach(function (rows, g) {
			if (rows.length)
				box.appendChild(grid_block(rows, g));
		});
		return box;
	}

	// --------------------------------------------------------------- runs

	function run_row(i) {
		var r = tdmem.run(i);

		return [
			tdmem.run_link(r, tdmem.when(r)),
			name(tdmem.commit(r)),
			name(tdmem.index().groups[r.group].config),
			name(r.host), name(tdmem.kernel(r)),
			r.nbad ? el("span", { class: "worse" }, r.nbad +
				" of " + r.ncells + " not ok") :
				r.ncells + " ok",
			tdmem.result_link(r)
		];
	}

	function runs_section() {
		var rows = [], n = tdmem.index().runs.length;

		// Rows are made when they are shown: there can be thousands.
		for (var i = n - 1; i >= Math.max(0, n - 15); i--)
			rows.push(run_row(i));
		var box = el("section", { id: "runs" }, el("h2", null, "Runs"));
		var columns = [
			{ title: "Time" }, { title: "Commit" },
			{ title: "Config" }, { title: "Host" },
			{ title: "Kernel" }, { title: "Cells" },
			{ title: "File" }
		];
		var list = el("div", null, tdmem.table("Runs", columns, rows));

		box.appendChild(list);
		if (n > 15) {
			var more = el("button", { type: "button" },
				"Show all " + n);

			more.addEventListener("click", function () {
				for (var j = n - 16; j >= 0; j--)
					rows.push(run_row(j));
				tdmem.clear(list).appendChild(
					tdmem.table("Runs", columns, rows));
				box.removeChild(more);
				list.firstChild.focus();
			});
			box.appendChild(more);
		}
		return box;
	}

	// -------------------------------------------------------------- whole

	function period() {
		var n = tdmem.index().runs.length;

		return n === 0 ? "" : ", " + tdmem.day(tdmem.run(0)) + " to " +
			tdmem.day(tdmem.run(n - 1));
	}

	function show() {
		var at = tdmem.index(), box = tdmem.content(), modelled = 0;
		var skipped = at.skipped ? ". " + at.skipped +
			" files are no results and are left out" : "";

		at.runs.forEach(function (run, i) {
			modelled += tdmem.run(i).modelled ? 1 : 0;
		});
		tdmem.model_note(modelled, at.runs.length);
		box.appendChild(el("p", null, at.runs.length + " runs of " +
			at.groups.length + (at.groups.length === 1 ?
			" history" : " histories") + period() + skipped + "."));
		if (at.runs.length === 0)
			return;
		box.appendChild(changes_section());
		box.appendChild(grids_section());
		box.appendChild(runs_section());
	}

	if (!tdmem.index() || !tdmem_data.overview)
		tdmem.trouble("data/index.js or data/overview.js is missing: " +
			"the dashboard was not copied whole.");
	else
		show();
})();
