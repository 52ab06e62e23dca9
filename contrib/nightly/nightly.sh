#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# One night: run the matrix, add the result to the history, look for changes,
# write the dashboard, and tell by mail when there is something new.
# docs/nightly.md describes the variables.

set -u

tdmem=${TDMEM:-tdmem}
config=${TDMEM_CONFIG:-configs/nightly.json}
history=${TDMEM_HISTORY:-history}
pages=${TDMEM_PAGES:-$history/dashboard}
mail=${TDMEM_MAIL:-$history/mail.txt}
told=$history/.told
commit=${TDMEM_COMMIT:-}
command=${TDMEM_MAIL_COMMAND:-}

die() { # status, message
	echo "nightly.sh: $2" >&2
	exit "$1"
}

mkdir -p "$history" || die 1 "$history: cannot be made"

# Two at a time would disturb each other's measurements.
exec 9>"$history/.lock" || die 1 "$history/.lock: cannot be written"
flock -n 9 || die 1 "$history: another night is still running"

# A name that no other night has: the second, in UTC.
now=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%Y%m%dT%H%M%SZ) ||
	die 2 "SOURCE_DATE_EPOCH: expected seconds since 1970"
result=$history/$now.json
[ ! -e "$result" ] || die 1 "$result: exists"

set -- run "$config" --quiet --output "$result"
[ -z "$commit" ] || set -- "$@" --tag "commit=$commit"
# More of what the run is known by or differs in, word by word.
# shellcheck disable=SC2086
"$tdmem" "$@" ${TDMEM_RUN_OPTIONS:-} >/dev/null
status=$?
[ "$status" -eq 0 ] || die "$status" "the run failed, see above"

# 3 says that there is a regression: it is in the mail, not an error here.
"$tdmem" trend --html "$pages" --format mail --output "$mail" "$history"
trend=$?
[ "$trend" -eq 0 ] || [ "$trend" -eq 3 ] ||
	die "$trend" "the history could not be read, see above"

# It is sent when it lists a change that no earlier one did.
ids=$(grep -oE '^ {4}[0-9a-f]{12} ' "$mail" | tr -d ' ')
touch "$told"
new=$(printf '%s\n' "$ids" | grep -vxFf "$told" | grep -c .)
if [ "$new" -gt 0 ] && [ -n "$command" ]; then
	sh -c "$command" <"$mail" || die 1 "the mail could not be sent"
fi
printf '%s\n' "$ids" >"$told.tmp" && mv "$told.tmp" "$told"

echo "result: $result"
echo "pages: $pages/index.html"
echo "new changes: $new"
exit "$trend"
