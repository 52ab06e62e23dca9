# SPDX-License-Identifier: GPL-2.0-only
"""
Documents held to the schemas in results/ by a validator that is not ours
(python3-jsonschema).  As a program, schemas.py FILE...: exit status 1 and
what is wrong, if a file does not keep to the schema that it names.
"""

import functools
import json
import os
import re
import sys

import jsonschema

from checks import check

RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "../../results")


def load(path):
    with open(path) as f:
        return json.load(f)


@functools.lru_cache(maxsize=None)
def validator(name):
    schema = load("%s/tdmem-%s-1.schema.json" % (RESULTS, name))
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def errors(document, name=None):
    """What is wrong, a text each; the document names its schema, or `name`."""
    if name is None:
        name = re.fullmatch("tdmem-([a-z]+)/1", document["schema"])[1]
    return ["%s: %s" % (list(e.absolute_path), e.message[:200])
            for e in validator(name).iter_errors(document)]


def valid(document, name=None):
    return not errors(document, name)


def keeps(document, what, name=None):
    """A check that a document keeps to its schema."""
    wrong = errors(document, name)
    check(not wrong, what, "\n".join(wrong[:3]))


if __name__ == "__main__":
    wrong = [(path, e) for path in sys.argv[1:] for e in errors(load(path))]
    for path, error in wrong[:3]:
        print("    %s: %s" % (path, error))
    sys.exit(bool(wrong))
