// SPDX-License-Identifier: GPL-2.0-only
//
// One chart: lines over runs, by dygraphs.  The x axis counts the runs of
// the history, so that all nights are equally wide; labels are their days.
"use strict";

tdmem.chart = (function () {
	var el = tdmem.el, svg = tdmem.svg, name = tdmem.name;
	var COLOURS = 7;
	var DASHES = [null, [8, 4], [2, 3], [10, 3, 2, 3], [5, 2], [12, 5],
		[3, 6]];
	var STRIP = 6; // pixels of the marks at the bottom, a row for a line

	// Colours and dashes repeat with different periods only above 7: then
	// the dash is that of the next line.
	function style(line) {
		var d = (line + Math.floor(line / COLOURS)) % DASHES.length;

		return { colour: "--line-" + line % COLOURS, dash: DASHES[d] };
	}

	function css(variable) {
		return getComputedStyle(document.documentElement)
			.getPropertyValue(variable).trim();
	}

	// A short piece of the line, beside its name; coloured by the theme.
	function swatch(line) {
		var s = style(line), path = svg("line", {
			x1: 0, y1: 6, x2: 34, y2: 6, "stroke-width": 3,
			stroke: "var(" + s.colour + ")"
		});

		if (s.dash)
			path.setAttribute("stroke-dasharray", s.dash.join(" "));
		return svg("svg", {
			class: "swatch", viewBox: "0 0 34 12",
			"aria-hidden": "true"
		}, path);
	}

	function line_name(line) {
		return tdmem.index().lines[line] || "(one)";
	}

	function statuses(series) {
		return new Map(series.status);
	}

	// -------------------------------------------------------------- rows

	function rows(spec) {
		var n = spec.runs.length, list = [];

		for (var i = 0; i < n; i++) {
			var row = [i];

			spec.series.forEach(function (s) {
				row.push(s.v[i] === null ? null :
					[s.lo[i], s.v[i], s.hi[i]]);
			});
			list.push(row);
		}
		return list;
	}

	// ----------------------------------------------------------- canvas

	function draw_change(ctx, area, x, change) {
		var top = area.y + 1, kind = change.kind;
		var up = kind === "improved";

		ctx.strokeStyle = ctx.fillStyle =
			css(kind === "regressed" ? "--worse" :
				up ? "--better" : "--muted");
		ctx.globalAlpha = change.why === null ? 1 : 0.5;
		ctx.setLineDash([4, 3]);
		ctx.beginPath();
		ctx.moveTo(x, area.y + 12);
		ctx.lineTo(x, area.y + area.h);
		ctx.stroke();
		ctx.setLineDash([]);
		ctx.beginPath();
		ctx.moveTo(x - 6, up ? top + 10 : top);
		ctx.lineTo(x + 6, up ? top + 10 : top);
		ctx.lineTo(x, up ? top : top + 10);
		ctx.closePath();
		ctx.fill();
		ctx.globalAlpha = 1;
	}

	function draw_cross(ctx, x, y, colour) {
		ctx.strokeStyle = colour;
		ctx.beginPath();
		ctx.moveTo(x - 3, y - 3);
		ctx.lineTo(x + 3, y + 3);
		ctx.moveTo(x - 3, y + 3);
		ctx.lineTo(x + 3, y - 3);
		ctx.stroke();
	}

	function underlay(chart) {
		return function (ctx, area, g) {
			ctx.save();
			ctx.beginPath();
			ctx.rect(area.x, area.y, area.w, area.h);
			ctx.clip();
			ctx.lineWidth = 1.5;
			chart.spec.series.forEach(function (s, i) {
				var y = area.y + area.h - 5 - i * STRIP;

				if (!chart.visible[i])
					return;
				s.changes.forEach(function (c) {
					draw_change(ctx, area,
						g.toDomXCoord(c.at - 0.5), c);
				});
				s.status.forEach(function (b) {
					draw_cross(ctx, g.toDomXCoord(b[0]), y,
						css(style(s.line).colour));
				});
			});
			ctx.restore();
		};
	}

	// ----------------------------------------------------------- readout

	function value_item(s, at, unit) {
		var status = statuses(s).get(at);
		var item = el("li", null, swatch(s.line),
			name(line_name(s.line)));

		item.appendChild(el("strong", { class: "value" },
			s.v[at] === null ? (status ? "" : "no value") :
				tdmem.exact(s.v[at], unit)));
		if (s.v[at] !== null && s.lo[at] !== s.hi[at])
			item.appendChild(el("span", { class: "muted" }, "(" +
				s.lo[at] + " to " + s.hi[at] + ")"));
		if (status)
			item.appendChild(el("span", { class: "worse" },
				"\u00d7 ", name(status)));
		s.changes.forEach(function (c) {
			var kind = tdmem.KINDS[c.kind];

			if (c.at === at)
				item.appendChild(el("span",
					{ class: kind.css }, kind.sign + " " +
					(c.status ? c.kind :
						tdmem.percent(c.ratio))));
		});
		return item;
	}

	function show_point(chart, at) {
		var spec = chart.spec, run = tdmem.run(spec.runs[at]);
		var list = el("ul");

		chart.at = at;
		spec.series.forEach(function (s, i) {
			if (chart.visible[i])
				list.appendChild(value_item(s, at, spec.unit));
		});
		tdmem.clear(chart.readout);
		chart.readout.appendChild(el("p", null,
			el("strong", null, tdmem.when(run)), " \u00b7 commit ",
			name(tdmem.commit(run)), " \u00b7 kernel ",
			name(tdmem.kernel(run)), " \u00b7 ",
			tdmem.run_link(run, "run"), " \u00b7 ",
			tdmem.result_link(run)));
		chart.readout.appendChild(list);
	}

	// ----------------------------------------------------------- keyboard

	function window_of(g, n) {
		var w = g.xAxisRange();

		return [Math.max(-0.5, w[0]), Math.min(n - 0.5, w[1])];
	}

	function zoom(chart, factor) {
		var n = chart.spec.runs.length, w = window_of(chart.g, n);
		var half = Math.max(2, (w[1] - w[0]) * factor / 2);

		chart.g.updateOptions({ dateWindow: [
			Math.max(-0.5, chart.at - half),
			Math.min(n - 0.5, chart.at + half)
		] });
	}

	// The point stays within what is shown.
	function follow(chart) {
		var n = chart.spec.runs.length, w = window_of(chart.g, n);
		var by = 0;

		if (chart.at < w[0])
			by = chart.at - 0.5 - w[0];
		if (chart.at > w[1])
			by = chart.at + 0.5 - w[1];
		if (by)
			chart.g.updateOptions({
				dateWindow: [w[0] + by, w[1] + by]
			});
	}

	function go(chart, at) {
		var last = chart.spec.runs.length - 1;

		show_point(chart, Math.max(0, Math.min(last, at)));
		follow(chart);
		chart.g.setSelection(chart.at);
	}

	var KEYS = {
		ArrowLeft: function (c) { go(c, c.at - 1); },
		ArrowRight: function (c) { go(c, c.at + 1); },
		PageUp: function (c) { go(c, c.at - 10); },
		PageDown: function (c) { go(c, c.at + 10); },
		Home: function (c) { go(c, 0); },
		End: function (c) { go(c, c.spec.runs.length - 1); },
		"+": function (c) { zoom(c, 0.5); },
		"-": function (c) { zoom(c, 2); },
		Escape: function (c) { show_last(c, null); }
	};

	function on_key(chart) {
		return function (event) {
			var own = Object.prototype.hasOwnProperty;

			if (event.ctrlKey || event.altKey || event.metaKey ||
					!own.call(KEYS, event.key))
				return;
			KEYS[event.key](chart);
			event.preventDefault();
		};
	}

	// ------------------------------------------------------------ drawing

	// Fingers scroll the page: without handlers of touches a tap is a
	// click and moves the point, and zooming has its own buttons.
	function interaction() {
		var all = Dygraph.defaultInteractionModel;

		return {
			mousedown: all.mousedown, dblclick: all.dblclick,
			willDestroyContextMyself: true
		};
	}

	function colours(spec) {
		return spec.series.map(function (s) {
			return css(style(s.line).colour);
		});
	}

	function series_options(spec) {
		var options = {};

		spec.series.forEach(function (s, i) {
			var dash = style(s.line).dash;

			if (dash)
				options["s" + i] = { strokePattern: dash };
		});
		return options;
	}

	// "2026-01-31", on a phone "01-31".
	function x_label(spec, narrow) {
		return function (x) {
			var i = Math.round(x), day;

			if (i !== x || i < 0 || i >= spec.runs.length)
				return "";
			day = tdmem.day(tdmem.run(spec.runs[i]));
			return narrow ? day.slice(-5) : day;
		};
	}

	// Labels tell neighbouring ticks apart, of which there are about five.
	function y_label(spec) {
		return function (y, granularity, opts, g) {
			var range = g.yAxisRange(0);

			return tdmem.short(y, spec.unit,
				(range[1] - range[0]) / 10);
		};
	}

	function options(chart) {
		var spec = chart.spec, narrow = chart.box.clientWidth < 520;

		// Names of lines are texts of results: dygraphs is given others.
		return {
			labels: ["run"].concat(spec.series.map(function (s, i) {
				return "s" + i;
			})),
			customBars: true, showLabelsOnHighlight: false,
			drawGapEdgePoints: true, strokeWidth: 2,
			pointSize: 2, highlightCircleSize: 5, fillAlpha: 0.15,
			yRangePad: 16 + STRIP * spec.series.length,
			rightGap: 12, hideOverlayOnMouseOut: false,
			visibility: chart.visible, colors: colours(spec),
			series: series_options(spec),
			gridLineColor: css("--grid"),
			axisLineColor: css("--rule"),
			interactionModel: interaction(),
			dateWindow: [-0.5, spec.runs.length - 0.5],
			underlayCallback: underlay(chart),
			highlightCallback: function (event, x, points, row) {
				show_point(chart, row);
			},
			axes: {
				x: { axisLabelFormatter: x_label(spec, narrow),
					axisLabelWidth: narrow ? 46 : 90,
					pixelsPerLabel: narrow ? 48 : 90,
					ticker: Dygraph.numericTicks },
				y: { axisLabelFormatter: y_label(spec),
					axisLabelWidth: 74 }
			}
		};
	}

	// Its legend would need styles that the pages' policy forbids.
	Dygraph.PLUGINS = Dygraph.PLUGINS.filter(function (plugin) {
		return plugin !== Dygraph.Plugins.Legend;
	});

	function draw(chart) {
		if (chart.g)
			return;
		chart.g = new Dygraph(chart.box, rows(chart.spec),
			options(chart));
		if (chart.last)
			show_last(chart, chart.last);
		chart.g.setSelection(chart.at);
	}

	// The last so many runs; null: all.
	function show_last(chart, count) {
		var n = chart.spec.runs.length;

		chart.last = count;
		if (chart.g)
			chart.g.updateOptions({ dateWindow: [
				count ? Math.max(-0.5, n - count - 0.5) : -0.5,
				n - 0.5
			] });
	}

	// ---------------------------------------------------------- in words

	function gist(spec) {
		var words = spec.series.map(function (s) {
			var n = s.v.length, text = line_name(s.line) + " ";

			for (var i = n - 1; i >= 0 && s.v[i] === null; i--)
				;
			text += i < 0 ? "without a value" :
				"last " + tdmem.short(s.v[i], spec.unit);
			if (s.changes.length)
				text += ", " + s.changes.length + " changes";
			if (s.status.length)
				text += ", " + s.status.length +
					" runs not ok";
			return text;
		});

		return tdmem.shown(spec.metric + " of " + spec.title +
			" over " + spec.runs.length + " runs: " +
			words.join("; ") + ". Arrow keys move the point, " +
			"plus and minus zoom, Escape shows all.");
	}

	function change_list(spec) {
		var list = el("ul");

		spec.series.forEach(function (s) {
			s.changes.forEach(function (c) {
				var run = tdmem.run(spec.runs[c.at]);
				var kind = tdmem.KINDS[c.kind];

				list.appendChild(el("li", null,
					el("span", { class: kind.css },
						kind.sign + " " + (c.status ?
						"now " + c.status :
						tdmem.percent(c.ratio))),
					" ", name(line_name(s.line)),
					" from ", tdmem.run_link(run),
					" (", name(tdmem.commit(run)), ")" +
					(c.status ? "" : ", " +
					tdmem.short(c.before, spec.unit) +
					" to " +
					tdmem.short(c.after, spec.unit)),
					c.why === null ? "" :
						", acknowledged: ",
					c.why === null ? "" : name(c.why)));
			});
		});
		return list.firstChild ? el("details", null, el("summary",
			null, "Changes in this chart (" +
			list.childNodes.length + ")"), list) : null;
	}

	function data_table(spec) {
		var columns = [{ title: "Run" }, { title: "Commit" },
			{ title: "Kernel" }];
		var maps = spec.series.map(statuses), list = [];

		spec.series.forEach(function (s) {
			columns.push({ title: line_name(s.line) + " (" +
				spec.unit + ")", number: true });
		});
		for (var i = spec.runs.length - 1; i >= 0; i--) {
			var run = tdmem.run(spec.runs[i]);
			var row = [tdmem.run_link(run), name(tdmem.commit(run)),
				name(tdmem.kernel(run))];

			spec.series.forEach(function (s, k) {
				var status = maps[k].get(i);

				row.push(name((s.v[i] === null ? "" :
					s.v[i] + (status ? " " : "")) +
					(status || (s.v[i] === null ?
						"\u2013" : ""))));
			});
			list.push(row);
		}
		return tdmem.long_table("Values of " + spec.title, columns,
			list, 60);
	}

	function details(spec) {
		var box = el("details", null,
			el("summary", null, "Values as a table"));

		box.addEventListener("toggle", function () {
			if (box.open && !box.querySelector("table"))
				box.appendChild(data_table(spec));
		});
		return box;
	}

	function zoom_buttons(chart) {
		var box = el("div", { class: "controls" });

		[["Zoom in", "+"], ["Zoom out", "-"], ["All runs", "Escape"]]
			.forEach(function (b) {
				var button = el("button", {
					type: "button",
					"aria-label": b[0] + ": " +
						tdmem.shown(chart.spec.title)
				}, b[0]);

				button.addEventListener("click", function () {
					draw(chart);
					KEYS[b[1]](chart);
				});
				box.appendChild(button);
			});
		return box;
	}

	/*
	 * spec: title, metric, unit, modelled, runs (indexes), series (as in
	 * the data of a workload).  The node is put into the page by the
	 * caller, who calls draw() when it comes into view.
	 */
	function create(spec, visible) {
		var chart = { spec: spec, visible: visible, g: null,
			last: null, at: spec.runs.length - 1 };

		chart.box = el("div", {
			class: "chart", tabindex: "0", role: "application",
			"aria-roledescription": "chart",
			"aria-label": gist(spec)
		});
		chart.box.addEventListener("keydown", on_key(chart));
		chart.readout = el("div", { class: "readout",
			"aria-live": "polite" });
		chart.node = el("section", { class: "cell" },
			el("h3", null, name(spec.title), el("span",
				{ class: "muted" }, " " + spec.metric +
				" in " + spec.unit + (spec.modelled ?
				", model output" : ""))),
			chart.box, chart.readout, zoom_buttons(chart),
			change_list(spec), details(spec));
		show_point(chart, chart.at);
		return {
			node: chart.node,
			draw: function () {
				draw(chart);
			},
			show_last: function (count) {
				show_last(chart, count);
			},
			set_visible: function (i, on) {
				chart.visible[i] = on;
				if (chart.g)
					chart.g.setVisibility(i, on);
				show_point(chart, chart.at);
			},
			recolour: function () {
				if (chart.g)
					chart.g.updateOptions({
						colors: colours(spec),
						gridLineColor: css("--grid"),
						axisLineColor: css("--rule")
					});
			},
			destroy: function () {
				if (chart.g)
					chart.g.destroy();
			}
		};
	}

	return { create: create, swatch: swatch, line_name: line_name };
})();
