/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/run/journal.h"

struct kit {
	char path[32], journal[48];
	json_t *header;
};

static void begin(struct kit *k, int version)
{
	int fd;

	strcpy(k->path, "/tmp/tdmem-test-XXXXXX");
	fd = mkstemp(k->path);
	assert_true(fd >= 0);
	close(fd);
	snprintf(k->journal, sizeof(k->journal), "%s.journal", k->path);
	k->header = json_pack("{sssi}", "schema", JOURNAL_SCHEMA, "h", version);
}

static void end(struct kit *k)
{
	unlink(k->journal);
	unlink(k->path);
	json_decref(k->header);
}

static struct repeat repeat_of(const char *text)
{
	return (struct repeat){.status = CELL_OK,
			       .rate = 1 / 3.0,
			       .text = (char *)(uintptr_t)text};
}

static void add(struct journal *j, size_t cell, uint32_t number,
		const char *text)
{
	const struct run_item item = {cell, number};
	struct repeat repeat = repeat_of(text);
	struct err e = {.text = ""};

	if (journal_add(j, &item, &repeat, &e))
		fail_msg("%s", e.text);
}

static void append(const struct kit *k, const char *text)
{
	FILE *f = fopen(k->journal, "a");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void text_is(const struct journal *j, size_t index, const char *text)
{
	char *got = NULL;
	size_t size;
	FILE *f = open_memstream(&got, &size);

	assert_int_equal(journal_copy(j, &j->entry[index], f), 0);
	fclose(f);
	assert_string_equal(got, text);
	free(got);
}

static void resume(struct journal *j, const struct kit *k)
{
	struct err e = {.text = ""};

	if (journal_resume(j, k->path, k->header, &e))
		fail_msg("%s", e.text);
}

static void journals_go_on(void **state)
{
	struct journal j;
	struct kit k;
	struct err e;

	(void)state;
	begin(&k, 1);
	assert_int_equal(journal_create(&j, k.path, k.header, &e), 0);
	add(&j, 1, 0, "{\"a\":1}");
	add(&j, 0, 7, "{\"b\":\",\\\"data\\\":{\"}");
	text_is(&j, 0, "{\"a\":1}");
	journal_close(&j, 0);
	/* the line that was being written when it ended */
	append(&k, "{\"cell\":2,\"repeat\":0,\"status\":\"ok\",\"data\":{\"c");
	assert_int_equal(journal_create(&j, k.path, k.header, &e), -1);
	resume(&j, &k);
	assert_int_equal(j.n, 2);
	assert_int_equal(j.entry[0].item.cell, 1);
	assert_int_equal(j.entry[1].item.repeat, 7);
	assert_true(j.entry[0].rate == 1 / 3.0);
	add(&j, 0, 2, "{\"c\":3}");
	journal_close(&j, 0);
	resume(&j, &k);
	assert_int_equal(j.n, 3);
	journal_sort(&j);
	text_is(&j, 0, "{\"c\":3}");
	text_is(&j, 1, "{\"b\":\",\\\"data\\\":{\"}");
	text_is(&j, 2, "{\"a\":1}");
	journal_close(&j, 1);
	assert_int_equal(access(k.journal, F_OK), -1);
	end(&k);
}

static void long_texts_come_back(void **state)
{
	enum { LONG = 100000 };
	char *text = malloc(LONG);
	struct journal j;
	struct kit k;
	struct err e;

	(void)state;
	memset(text, 'x', LONG);
	memcpy(text, "{\"a\":\"", 6);
	strcpy(text + LONG - 3, "\"}");
	begin(&k, 1);
	assert_int_equal(journal_create(&j, k.path, k.header, &e), 0);
	add(&j, 0, 0, "{}");
	add(&j, 0, 1, text);
	text_is(&j, 1, text);
	journal_close(&j, 0);
	resume(&j, &k);
	text_is(&j, 1, text);
	journal_close(&j, 1);
	end(&k);
	free(text);
}

static void reasons_are_any_text(void **state)
{
	static const char *const reason[] = {"plain", "quote \" and \\",
					     "\",\"data\":{\"x\":1}",
					     "\n\t\x01", "\xc3\xa4"};
	const struct run_item item = {3, 4};
	struct repeat r = {.status = CELL_LIVELOCK, .rate = (double)NAN};
	struct journal j;
	char got[256];
	struct kit k;
	struct err e;

	(void)state;
	begin(&k, 1);
	assert_int_equal(journal_create(&j, k.path, k.header, &e), 0);
	r.text = (char *)(uintptr_t) "{}";
	for (size_t i = 0; i < 5; i++) {
		snprintf(r.reason, sizeof(r.reason), "%s", reason[i]);
		assert_int_equal(journal_add(&j, &item, &r, &e), 0);
	}
	journal_close(&j, 0);
	resume(&j, &k);
	assert_int_equal(j.n, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(
			journal_reason(&j, &j.entry[i], got, sizeof(got)), 0);
		assert_string_equal(got, reason[i]);
		assert_int_equal(j.entry[i].status, CELL_LIVELOCK);
		assert_true(isnan(j.entry[i].rate));
		text_is(&j, i, "{}");
	}
	journal_close(&j, 1);
	end(&k);
}

static void refused(const struct kit *k, const char *why)
{
	struct err e = {.text = ""};
	struct journal j;

	assert_int_equal(journal_resume(&j, k->path, k->header, &e), -1);
	if (!strstr(e.text, why) || !strstr(e.text, k->journal))
		fail_msg("%s", e.text);
}

static void journals_of_others_are_refused(void **state)
{
	struct kit k;
	struct journal j;
	struct err e;

	(void)state;
	begin(&k, 1);
	refused(&k, "cannot be opened");
	assert_int_equal(journal_create(&j, k.path, k.header, &e), 0);
	refused(&k, "in use");
	journal_close(&j, 0);
	json_object_set_new(k.header, "h", json_integer(2));
	refused(&k, "another config");
	json_object_set_new(k.header, "h", json_integer(1));
	resume(&j, &k);
	journal_close(&j, 1);
	append(&k, "{\"schema\":\"tdmem-journal/1\"}\n");
	refused(&k, "older version");
	end(&k);
}

static void broken_lines_end_it(void **state)
{
	static const char *const line[] = {
		"{}\n",
		"[]\n",
		"{\"cell\":0,\"data\":{\"a\":1}}\n",
		"{\"cell\":-1,\"repeat\":0,\"status\":\"ok\",\"rate\":1,"
		"\"reason\":\"\",\"data\":{}}\n",
		"{\"cell\":0,\"repeat\":0,\"status\":\"fine\",\"rate\":1,"
		"\"reason\":\"\",\"data\":{}}\n",
		"{\"cell\":0,\"repeat\":0,\"status\":\"ok\",\"rate\":1,"
		"\"reason\":\"\",\"data\":[]}\n",
		"{\"cell\":0,\"repeat\":0,\"status\":\"ok\",\"rate\":1,"
		"\"reason\":\"\",\"data\":{},\"more\":1}\n",
		"{\"cell\":0,\"repeat\":0,\"status\":\"ok\",\"rate\":1,"
		"\"reason\":\"\",\"data\":{}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(line) / sizeof(*line); i++) {
		struct journal j;
		struct kit k;
		struct err e;

		begin(&k, 1);
		assert_int_equal(journal_create(&j, k.path, k.header, &e), 0);
		add(&j, 0, 0, "{\"a\":1}");
		journal_close(&j, 0);
		append(&k, line[i]);
		resume(&j, &k);
		if (j.n != 1)
			fail_msg("taken: %s", line[i]);
		journal_close(&j, 1);
		end(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(journals_go_on),
		cmocka_unit_test(long_texts_come_back),
		cmocka_unit_test(reasons_are_any_text),
		cmocka_unit_test(journals_of_others_are_refused),
		cmocka_unit_test(broken_lines_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
