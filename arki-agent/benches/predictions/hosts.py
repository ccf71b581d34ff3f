"""Healthy hosts: ten days of correlated series over a made-up load shape, and how to lay a failure over one.

A host samples at any interval. Its load shape is one of six (office, shop, batch, steady, bursty, shifts),
shifted, stretched and disturbed at random, so that no two hosts are alike; every other series is derived from
it. Everything is deterministic for a given random generator.
"""
import numpy as np

T0 = 1_704_067_200              # 2024-01-01T00:00:00Z, a Monday
DAYS = 10
DAY_S, HOUR_S = 86_400, 3_600
ROOT, DATA, MEMORY = "disk.used_percent{/}", "disk.used_percent{/data}", "memory.used_percent"
SWAP, FILES, INODES = "swap.used_percent", "file.used_percent", "disk.inodes_used_percent{/}"


class Retry(Exception):
    """This draw cannot be laid over this host; draw again."""


def smooth(x, tau):
    """First-order low pass with a time constant of `tau` samples."""
    a = 1 - np.exp(-1 / max(tau, 1e-9))
    y, level = np.empty(len(x)), x[0]
    for i, v in enumerate(x):
        level += a * (v - level)
        y[i] = level
    return y


class Host:
    """One host; `v` holds its series, `u` its load (0 to about 1), `t` the seconds since its start."""

    def __init__(self, rng, step=30):
        self.rng, self.step, self.n = rng, step, DAYS * DAY_S // step
        self.t = np.arange(self.n) * step
        self.keep = np.ones(self.n, bool)       # samples that are written at all
        self.clock = np.zeros(self.n, int)      # seconds by which the clock is wrong
        self.u = self.shape(rng)
        u, n = self.u, self.n
        busy = np.clip(5 + rng.uniform(20, 60) * u + self.noise(2, 120), 0, 100)
        self.v = {
            "cpu.busy_percent": busy,
            "cpu.iowait_percent": np.clip(1 + 3 * u + self.noise(.7, 120), 0, 100),
            "load.per_core": np.clip(busy / 80 + self.noise(.05, 300), 0, None),
            MEMORY: np.clip(rng.uniform(25, 60) + rng.uniform(0, 15) * smooth(u, rng.uniform(600, 5000) / step)
                            + self.noise(rng.uniform(.1, .7), rng.uniform(300, 3000)), 1, 97),
            SWAP: np.clip(rng.uniform(0, 5) + self.noise(.2, 20_000), 0, 100),
            ROOT: rng.uniform(20, 65) + rng.uniform(0, .15) * self.t / DAY_S + self.noise(.03, 2000),
            DATA: rng.uniform(20, 60) + rng.uniform(.2, 4) * ((self.t / DAY_S + rng.random()) % 1)
            + self.noise(.05, 2000),
            "disk.write_bytes_per_second{nvme0n1}": (3e5 + 5e6 * u) * np.exp(rng.normal(0, .5, n)),
            "net.rx_bytes_per_second{eth0}": (1e5 + 5e6 * u) * np.exp(rng.normal(0, .2, n)),
            "net.tx_bytes_per_second{eth0}": (1e5 + 9e6 * u) * np.exp(rng.normal(0, .2, n)),
            "process.count": np.round(100 + 40 * u + self.noise(2, 300)),
            FILES: np.clip(2 + 7 * smooth(u, 600 / step) + self.noise(.1, 300), 0, 100),
            INODES: np.clip(rng.uniform(4, 40) + self.noise(.03, 3000), 0, 100),
        }
        for _ in range(rng.poisson(12)):        # spikes below two minutes
            i = int(rng.integers(n - 4))
            self.v["cpu.busy_percent"][i:i + max(1, int(rng.uniform(20, 110) / step))] += rng.uniform(20, 60)
        if rng.random() < .5:
            self.job(DATA, rng.uniform(0, 6), rng.uniform(.3, 1.5), rng.uniform(1, 8))

    def shape(self, rng):
        hour = (self.t / HOUR_S + rng.uniform(-4, 4)) % 24
        day = (self.t // DAY_S).astype(int) % 7
        work = np.exp(-.5 * ((hour - 13) / rng.uniform(2.5, 4)) ** 2)
        u = [
            lambda: np.where(day < 5, .1 + .75 * work, .1 + .15 * work),
            lambda: .2 + .35 * work + .45 * np.exp(-.5 * ((hour - 20.5) / 1.8) ** 2) * (1 + .3 * (day >= 5)),
            lambda: .15 + .6 * ((hour % rng.integers(3, 8)) < rng.uniform(.7, 1.6)),
            lambda: .5 + 0 * hour,
            lambda: .15 + 1.2 * np.clip(self.noise(.4, 1500), 0, None),
            lambda: np.choose((hour // 8).astype(int), [.15, .7, .45]),
        ][rng.integers(6)]()
        u = smooth(u.astype(float), 600 / self.step)
        return np.clip(u * (1 + self.noise(.12, 2400)) + np.abs(self.noise(.04, 600)), .02, 1.3)

    def noise(self, sigma, tau_s):
        """Gaussian noise that forgets within `tau_s` seconds."""
        phi = np.exp(-self.step / tau_s)
        e = self.rng.normal(0, sigma * np.sqrt(1 - phi * phi), self.n)
        x, level = np.empty(self.n), self.rng.normal(0, sigma)
        for i, v in enumerate(e):
            level = phi * level + v
            x[i] = level
        return x

    def at(self, seconds):
        return int(seconds / self.step)

    def room(self, series, i):
        return 100 - self.v[series][max(0, i - 20):i].mean()

    def onset(self, hours, first_day=4.0):
        """A start that leaves one and a half times `hours` before the end."""
        last = DAYS * DAY_S - 1.5 * hours * HOUR_S - 2 * HOUR_S
        if last <= first_day * DAY_S:
            raise Retry
        return self.at(self.rng.uniform(first_day * DAY_S, last))

    def pulse(self, series, start_s, hours, size, hold_h=0.0, stays=False, busy=True):
        """A climb of `size` that is freed again (or stays), with what a writing job drives beside it."""
        i, m, h = self.at(start_s), max(2, self.at(hours * HOUR_S)), self.at(hold_h * HOUR_S)
        if i < 1 or i + m + h >= self.n:
            return
        x = self.v[series]
        x[i:i + m] += size * np.linspace(0, 1, m)
        x[i + m:i + m + h] += size
        if stays:
            x[i + m + h:] += size
        if busy:
            self.v["disk.write_bytes_per_second{nvme0n1}"][i:i + m] += 3e7
            self.v["cpu.iowait_percent"][i:i + m] += self.rng.uniform(5, 20)

    def job(self, series, hour, hours, size, every=1, first=0, growth=0.0):
        for k, day in enumerate(range(first, DAYS, every)):
            start = day * DAY_S + hour * HOUR_S + self.rng.normal(0, 240)
            self.pulse(series, start, hours * self.rng.uniform(.9, 1.1), size * (1 + growth * k))

    def run_out(self, series, onset, added):
        """Adds the points `added` from `onset` on until the bound is reached, holds it for ten minutes and lets it
        fall back. Returns (series, onset, index of the failure)."""
        x = self.v[series]
        m = min(len(added), self.n - onset)
        y = x[onset:onset + m] + added[:m]
        hit = np.nonzero(y >= 100)[0]
        if not len(hit) or hit[0] < 8:
            raise Retry
        fail = onset + int(hit[0])
        end = min(self.n, fail + self.at(600) + 1)
        x[onset:fail] = y[:hit[0]]
        x[fail:end] = 100
        return series, onset, fail

    def fill(self, series, hours, shape, first_day=4.0, onset=None):
        """Lays `shape` over the room that is left: a function of the time since the onset in units of `hours`, 1 at
        1, or an array that is scaled to be 1 there."""
        i = self.onset(hours, first_day) if onset is None else onset
        n = self.at(hours * HOUR_S)
        y = shape(np.arange(2 * n) / n) if callable(shape) else np.asarray(shape, float)
        if not callable(shape):
            y = y / y[min(n, len(y) - 1)]
        return self.run_out(series, i, self.room(series, i) * y)
