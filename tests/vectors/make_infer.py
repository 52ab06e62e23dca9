#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes infer.json: what an independent implementation says of some data.

Written with python3-scipy 1.10.1 (Debian 12).  Where scipy has no exact answer
(U test with ties) every division of the values is enumerated instead.
Usage: make_infer.py >infer.json
"""
import itertools
import json
import random

import numpy as np
from scipy import stats

random.seed(20261121)


def values(n, ties):
    if ties:
        return [float(random.randint(0, ties)) for _ in range(n)]
    return [round(random.lognormvariate(3, 0.4), 9) for _ in range(n)]


def enumerate_p(a, b):
    ranks = stats.rankdata(a + b)
    mean = len(a) * (len(a) + len(b) + 1) / 2
    far = abs(sum(ranks[:len(a)]) - mean) - 1e-9
    sums = [sum(c) for c in itertools.combinations(ranks, len(a))]
    return sum(abs(s - mean) >= far for s in sums) / len(sums)


def delta(a, b):
    return sum((x > y) - (x < y) for x in a for y in b) / (len(a) * len(b))


def u_case(na, nb, ties):
    a, b = values(na, ties), values(nb, ties)
    if random.random() < 0.5:
        b = [x * 1.3 if not ties else x + 1 for x in b]
    u = float(stats.mannwhitneyu(a, b, method="asymptotic").statistic)
    if na + nb > 60:
        p = float(stats.mannwhitneyu(a, b, method="asymptotic").pvalue)
    elif len(set(a + b)) == na + nb:
        p = float(stats.mannwhitneyu(a, b, method="exact").pvalue)
    else:
        p = enumerate_p(a, b)
    return {"a": a, "b": b, "u": u, "p": p, "delta": delta(a, b)}


def median_case(n):
    """Coverage of the order statistics' interval by scipy's binomial."""
    a = sorted(values(n, 0))
    k = 1
    while k < (n + 1) // 2 and \
            1 - 2 * stats.binom.cdf(k, n, 0.5) >= 0.95:
        k += 1
    return {"a": a, "low": a[k - 1], "high": a[n - k],
            "coverage": max(0.0, float(1 - 2 * stats.binom.cdf(k - 1, n, 0.5))),
            "median": float(np.median(a))}


def holm(p):
    order = sorted(range(len(p)), key=lambda i: p[i])
    out, least = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        least = max(least, min(1.0, p[i] * (len(p) - rank)))
        out[i] = least
    return out


def holm_case(n):
    p = [round(random.random() ** 3, 6) for _ in range(n)]
    return {"p": p, "corrected": holm(p)}


def main():
    u = [u_case(n, n, 0) for n in range(3, 31)]
    u += [u_case(3, 30, 0), u_case(30, 4, 0), u_case(1, 5, 0)]
    u += [u_case(n, n, 3) for n in range(3, 10)]
    u += [u_case(n, m, 5) for n, m in ((3, 12), (10, 4), (2, 18), (8, 9))]
    u += [u_case(n, n, t) for n, t in ((31, 0), (31, 4), (40, 2), (100, 0))]
    print(json.dumps({
        "made_by": "tests/vectors/make_infer.py, scipy 1.10.1",
        "u_test": u,
        "median": [median_case(n) for n in range(1, 41)],
        "holm": [holm_case(n) for n in (1, 2, 5, 20, 100)],
    }, indent=1))


if __name__ == "__main__":
    main()
