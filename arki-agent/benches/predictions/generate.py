#!/usr/bin/env python3
"""Writes the traces of the prediction bench: ten-day hosts, one CSV each, and truth.csv (host,kind,series,onset,fail; Unix
seconds, empty for look-alikes). Deterministic for a given --seed. Needs numpy.

    generate.py --out DIR [--seed 90] [--hosts-per-kind 4]
"""
import argparse
import gzip
import pathlib

import numpy as np

import unseen
from hosts import T0, Host, Retry


def draw(kind, lay, seed, k, step):
    """A host of this kind and what fails on it."""
    rng = np.random.default_rng([seed, k, *kind.encode()])
    for _ in range(100):
        host = Host(rng, step)
        try:
            return host, lay(host, rng)
        except Retry:
            continue
    raise SystemExit(f"{kind}: no draw fits")


def write(path, host):
    columns = []
    for name, x in host.v.items():
        percent = "percent" in name
        whole = "bytes" in name or name.endswith("count")
        text = np.char.mod("%.0f" if whole else "%.2f", np.clip(x, 0, 100) if percent else x)
        columns.append(np.where(np.isnan(x), "", text))
    stamps = T0 + host.t + host.clock
    with gzip.open(path, "wt", compresslevel=3) as f:
        f.write("timestamp," + ",".join(host.v) + "\n")
        for i in np.nonzero(host.keep)[0]:
            f.write(f"{stamps[i]}," + ",".join(c[i] for c in columns) + "\n")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--out", type=pathlib.Path, required=True)
    ap.add_argument("--seed", type=int, default=90)
    ap.add_argument("--hosts-per-kind", type=int, default=4)
    a = ap.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    truth = ["host,kind,series,onset,fail"]
    for kind, lay in {**unseen.FAILURES, **unseen.LOOKALIKES}.items():
        for k in range(a.hosts_per_kind):
            host, failures = draw(kind, lay, a.seed, k, unseen.STEP.get(kind, 30))
            name = f"{kind}-{k}"
            write(a.out / f"{name}.csv.gz", host)
            if failures is None:
                truth.append(f"{name},{kind},,,")
            for series, *span in [failures] if isinstance(failures, tuple) else failures or []:
                onset, fail = (T0 + host.t[i] + host.clock[i] for i in span)
                truth.append(f"{name},{kind},{series},{onset},{fail}")
    (a.out / "truth.csv").write_text("\n".join(truth) + "\n")


if __name__ == "__main__":
    main()
