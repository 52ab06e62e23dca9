/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/base/json.h"
#include "bench/base/names.h"

/* ------------------------------------------------------------------ files */

struct buffer {
	char *data;
	size_t n, room;
};

static int grow(struct buffer *b, size_t max)
{
	size_t room = b->room ? b->room * 2 : 65536;
	char *data;

	if (room > max + 2)
		room = max + 2;
	data = realloc(b->data, room);
	if (!data)
		return -1;
	b->data = data;
	b->room = room;
	return 0;
}

/* As large as the file says that it is, which it need not be. */
static int make_room(struct buffer *b, int fd, size_t max)
{
	struct stat st;

	if (fstat(fd, &st) || st.st_size <= 0)
		return 0;
	b->room = (size_t)st.st_size < max ? (size_t)st.st_size + 2 : max + 2;
	b->data = malloc(b->room);
	return b->data ? 0 : -1;
}

/* Read all, or max + 1 bytes: enough to know that there is more. */
static int slurp(int fd, struct buffer *b, size_t max)
{
	while (b->n <= max) {
		ssize_t got;

		if (b->room < b->n + 2 && grow(b, max))
			return -1;
		got = read(fd, b->data + b->n, b->room - b->n - 1);
		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			return -1;
		if (got > 0)
			b->n += (size_t)got;
	}
	return 0;
}

char *read_file(const char *path, size_t max, size_t *size, struct err *e)
{
	struct buffer b = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		err_set(e, EXIT_USAGE, "%s: cannot be opened: %s", path,
			strerror(errno));
		return NULL;
	}
	if (make_room(&b, fd, max) || slurp(fd, &b, max)) {
		err_set(e, EXIT_USAGE, "%s: cannot be read: %s", path,
			strerror(errno));
		goto fail;
	}
	if (b.n > max) {
		err_set(e, EXIT_USAGE, "%s: larger than %zu bytes", path, max);
		goto fail;
	}
	close(fd);
	b.data[b.n] = '\0';
	*size = b.n;
	return b.data;
fail:
	close(fd);
	free(b.data);
	return NULL;
}

json_t *json_read(const char *path, size_t max, struct err *e)
{
	json_error_t error;
	json_t *root;
	size_t size;
	char *text = read_file(path, max, &size, e);

	if (!text)
		return NULL;
	root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	free(text);
	if (!root && size == 0)
		err_set(e, EXIT_USAGE, "%s: empty, expected a JSON object",
			path);
	else if (!root)
		err_set(e, EXIT_USAGE, "%s: line %d column %d: %s", path,
			error.line, error.column, error.text);
	return root;
}

/* ----------------------------------------------------------------- places */

static void put_path(const struct at *at, char *buf, size_t size, size_t *n)
{
	int got;

	if (!at->up)
		return;
	put_path(at->up, buf, size, n);
	if (at->key)
		got = snprintf(buf + *n, size - *n, "%s%.80s", *n ? "." : "",
			       at->key);
	else
		got = snprintf(buf + *n, size - *n, "[%zu]", at->index);
	if (got > 0)
		*n += (size_t)got < size - *n ? (size_t)got : size - *n - 1;
}

int at_bad(const struct at *at, const char *format, ...)
{
	const struct at *root = at;
	char path[256] = "", what[256];
	size_t n = 0;
	va_list args;

	while (root->up)
		root = root->up;
	put_path(at, path, sizeof(path), &n);
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return err_set(root->err, EXIT_USAGE, "%.200s: %s%s%s", root->file,
		       path, n ? ": " : "", what);
}

/* ----------------------------------------------------------------- values */

static const char *type_name(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "an integer";
	case JSON_REAL:
		return "a number with a fraction";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a truth value";
	default:
		return "null";
	}
}

static int wrong_type(const struct at *at, const char *expected,
		      const json_t *value)
{
	return at_bad(at, "expected %s, not %s", expected, type_name(value));
}

int parse_string(json_t *value, const char **out, const struct at *at)
{
	if (!json_is_string(value))
		return wrong_type(at, "a string", value);
	*out = json_string_value(value);
	return 0;
}

int parse_bool(json_t *value, bool *out, const struct at *at)
{
	if (!json_is_boolean(value))
		return wrong_type(at, "true or false", value);
	*out = json_is_true(value);
	return 0;
}

int parse_int(json_t *value, int64_t min, int64_t max, int64_t *out,
	      const struct at *at)
{
	long long v = json_integer_value(value);

	if (!json_is_integer(value))
		return wrong_type(at, "an integer", value);
	if (v < min)
		return at_bad(at, "%lld is below %lld", v, (long long)min);
	if (v > max)
		return at_bad(at, "%lld is above %lld", v, (long long)max);
	*out = v;
	return 0;
}

int parse_number(json_t *value, double min, double max, double *out,
		 const struct at *at)
{
	double v = json_number_value(value);

	if (!json_is_number(value))
		return wrong_type(at, "a number", value);
	if (v < min)
		return at_bad(at, "%g is below %g", v, min);
	if (v > max)
		return at_bad(at, "%g is above %g", v, max);
	*out = v;
	return 0;
}

/* ---------------------------------------------------------------- objects */

static const char *member_name(const void *ctx, size_t index)
{
	return ((const struct member *)ctx)[index].name;
}

static int check_members(json_t *value, const struct member *members,
			 const struct at *at)
{
	const char *key;
	json_t *v;

	json_object_foreach(value, key, v)
	{
		struct at here = at_key(at, key);

		if (check_key(key, member_name, members, &here))
			return -1;
	}
	return 0;
}

int parse_object(json_t *value, const struct member *members, void *ctx,
		 const struct at *at)
{
	if (!json_is_object(value))
		return wrong_type(at, "an object", value);
	if (check_members(value, members, at))
		return -1;
	for (const struct member *m = members; m->name; m++) {
		json_t *v = json_object_get(value, m->name);
		struct at here = at_key(at, m->name);

		if (!v && m->required)
			return at_bad(&here, "missing");
		if (v && m->parse(ctx, v, &here))
			return -1;
	}
	return 0;
}
