#!/usr/bin/env python3
"""Asks a Prometheus for what its node_exporters saw and writes one trace a host that `arki-agent replay` reads.

    examples/prometheus/export.py --url http://prometheus:9090 --days 10 --out traces
    arki-agent replay traces/*.csv.gz --report

The names are Arki's, so bounds are known. It asks in windows of a day, which stay below Prometheus' limit of 11,000 points a
series. Needs Python 3.8 and nothing else. A Prometheus with a password takes it in the URL: http://user:password@host:9090.
"""

import argparse
import base64
import csv
import gzip
import json
import pathlib
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

REAL = 'fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660|fuse.*|nsfs|autofs"'

# Arki's series, the query, and the label that names the instance.
SERIES = [
    ("cpu.busy_percent", '100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[{range}])))', None),
    ("cpu.iowait_percent", '100 * avg by (instance) (rate(node_cpu_seconds_total{mode="iowait"}[{range}]))', None),
    ("load.per_core", 'node_load1 / on (instance) count by (instance) (node_cpu_seconds_total{mode="idle"})', None),
    ("memory.used_percent", "100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)", None),
    ("swap.used_percent", "100 * (1 - node_memory_SwapFree_bytes / (node_memory_SwapTotal_bytes > 0))", None),
    ("file.used_percent", "100 * node_filefd_allocated / node_filefd_maximum", None),
    (
        "disk.used_percent",
        "100 * (node_filesystem_size_bytes{REAL} - node_filesystem_free_bytes{REAL})"
        " / (node_filesystem_size_bytes{REAL} - node_filesystem_free_bytes{REAL} + node_filesystem_avail_bytes{REAL})",
        "mountpoint",
    ),
    ("disk.inodes_used_percent", "100 * (1 - node_filesystem_files_free{REAL} / (node_filesystem_files{REAL} > 0))", "mountpoint"),
    ("disk.busy_percent", "100 * rate(node_disk_io_time_seconds_total[{range}])", "device"),
    ("disk.write_bytes_per_second", "rate(node_disk_written_bytes_total[{range}])", "device"),
    ("net.rx_bytes_per_second", 'rate(node_network_receive_bytes_total{device!="lo"}[{range}])', "device"),
    ("net.tx_bytes_per_second", 'rate(node_network_transmit_bytes_total{device!="lo"}[{range}])', "device"),
]


def ask(url, query, start, end, step):
    """One range query; returns its series."""
    parts = urllib.parse.urlsplit(url)
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
    body = urllib.parse.urlencode({"query": query, "start": start, "end": end, "step": step}).encode()
    request = urllib.request.Request(f"{plain}/api/v1/query_range", data=body)
    if parts.username:
        pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        request.add_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        sys.exit(f"{plain} refuses: {error.code} {error.read(300).decode(errors='replace')}\n  query: {query}")
    except OSError as error:
        sys.exit(f"{plain} cannot be asked: {error}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="the Prometheus, such as http://prometheus:9090")
    parser.add_argument("--days", type=float, default=10.0, help="how far back (default 10)")
    parser.add_argument("--step", type=int, default=30, help="seconds between two samples (default 30)")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."), help="where the traces go")
    options = parser.parse_args()
    end = int(time.time()) // options.step * options.step
    start = end - int(options.days * 86_400)
    hosts = {}
    for name, query, label in SERIES:
        query = query.replace("{REAL}", "{" + REAL + "}").replace("{range}", f"{max(4 * options.step, 120)}s")
        for begin in range(start, end, 86_400):
            for series in ask(options.url, query, begin, min(begin + 86_400, end) - options.step, options.step):
                metric = series["metric"]
                full = f"{name}{{{metric[label]}}}" if label else name
                column = hosts.setdefault(metric.get("instance", "host"), {}).setdefault(full, {})
                column.update((int(at), value) for at, value in series["values"] if value not in ("NaN", "+Inf", "-Inf"))
    if not hosts:
        sys.exit("nothing found: does this Prometheus scrape node_exporter?")
    options.out.mkdir(parents=True, exist_ok=True)
    for host, columns in sorted(hosts.items()):
        file = options.out / (re.sub(r"[^A-Za-z0-9.-]", "_", host.split(":")[0]).replace(".", "-") + ".csv.gz")
        names = sorted(columns)
        times = sorted(set().union(*(columns[name] for name in names)))
        with gzip.open(file, "wt", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["timestamp", *names])
            for at in times:
                writer.writerow([at, *(columns[name].get(at, "") for name in names)])
        print(f"{file}: {len(names)} series, {len(times)} samples")


main()
