"""Kinds that nobody tuned on. A failure takes (host, rng) and returns (series, onset, failure) or a list of such; every
alert on a look-alike is a false alarm. `STEP` gives the sampling interval of a kind where it is not 30 s."""
import numpy as np
from hosts import DATA, DAY_S, FILES, HOUR_S, INODES, MEMORY, ROOT, SWAP, Retry, smooth

FAILURES, LOOKALIKES, STEP = {}, {}, {}


def failure(kind):
    FAILURES[kind.__name__] = kind
    return kind


def lookalike(kind):
    LOOKALIKES[kind.__name__] = kind
    return kind


@failure
def f_two_leaks(h, r):
    """A second leak joins the first one on the way."""
    join, more = r.uniform(.2, .5), r.uniform(.4, 1.2)
    top = 1 + more * (1 - join)
    return h.fill(MEMORY, r.uniform(4, 14), lambda t: (t + more * np.clip(t - join, 0, None)) / top)


@failure
def f_leak_above_cache(h, r):
    """Memory warms up after a restart and levels off; a leak goes on from there."""
    hours, share, k = r.uniform(6, 16), r.uniform(.3, .5), r.uniform(6, 15)
    return h.fill(MEMORY, hours, lambda t: share * (1 - np.exp(-k * t)) + (1 - share) * t)


@failure
def f_night_loads(h, r):
    """A nightly import keeps what it writes; some nights later there is no room."""
    nights, hours = r.uniform(3.2, 5.5), r.uniform(2, 4)
    start = h.at(2 * DAY_S + r.uniform(0, 5) * HOUR_S)
    on = ((h.t[start:] - h.t[start]) % DAY_S) < hours * HOUR_S
    y = np.cumsum(on * r.uniform(.85, 1.15, h.n - start)) * h.step / (hours * HOUR_S) / nights
    return h.run_out(DATA, start, h.room(DATA, start) * y)


@failure
def f_hourly_cron(h, r):
    """Every hour on the hour a job leaves a file; sizes differ."""
    hours = r.uniform(9, 24)
    i = h.onset(hours)
    m = 2 * h.at(hours * HOUR_S)
    y = np.cumsum(np.where(h.t[i:i + m] % HOUR_S < h.step, r.lognormal(0, .4, len(h.t[i:i + m])), 0))
    return h.fill(r.choice([ROOT, DATA]), hours, y, onset=i)


@failure
def f_clock_step(h, r):
    """The clock jumps by up to two hours either way while a disk fills."""
    series, a, f = h.fill(ROOT, r.uniform(4, 12), lambda t: t ** r.uniform(.9, 1.2))
    h.clock[a + int((f - a) * r.uniform(.1, .6)):] = int(r.choice([-1, 1]) * r.uniform(600, 7200))
    return series, a, f


@failure
def f_agent_away(h, r):
    """The agent is down for up to an hour and a half, twice, in the middle of it."""
    series, a, f = h.fill(r.choice([ROOT, MEMORY]), r.uniform(5, 14), lambda t: t ** r.uniform(.9, 1.4))
    for share in (r.uniform(.1, .3), r.uniform(.35, .6)):
        i = a + int((f - a) * share)
        h.keep[i:i + h.at(r.uniform(900, 5400))] = False
    h.keep[f - 8:f + 8] = True
    return series, a, f


@failure
def f_inodes_with_load(h, r):
    hours = r.uniform(5, 20)
    i = h.onset(hours)
    u = h.u[i:i + 2 * h.at(hours * HOUR_S)] ** 1.3 + .08
    return h.fill(INODES, hours, np.cumsum(u * np.exp(r.normal(0, .5, len(u)))), onset=i)


@failure
def f_storms(h, r):
    """A log that is written in storms: the rate wanders over two orders of magnitude."""
    hours = r.uniform(6, 18)
    i = h.onset(hours)
    rate = np.exp(h.noise(r.uniform(.7, 1.0), r.uniform(900, 2400)))[i:i + 2 * h.at(hours * HOUR_S)]
    return h.fill(r.choice([ROOT, DATA]), hours, np.cumsum(rate), onset=i)


@failure
def f_rotation_keeps_archives(h, r):
    """A log is rotated again and again; the compressed archives stay."""
    hours, teeth, keeps = r.uniform(8, 24), r.uniform(8, 16), r.uniform(.3, .5)
    n = 2 * h.at(hours * HOUR_S)
    y, base, level = np.zeros(n), 0.0, 0.0
    rate, top = 2 * teeth / n, r.uniform(.8, 1.2)
    for k in range(n):
        level += rate * r.uniform(.7, 1.3)
        if level > top:
            base, level, top = base + keeps * level, 0.0, r.uniform(.8, 1.2)
        y[k] = base + level
    i = h.onset(hours)
    return h.run_out(DATA, i, h.room(DATA, i) * y / np.max(y[:n // 2]))


@failure
def f_runaway(h, r):
    """Growth with the fourth to sixth power of time."""
    k = r.uniform(3.5, 6)
    return h.fill(r.choice([MEMORY, FILES]), r.uniform(6, 14), lambda t: t ** k)


@failure
def f_slowing(h, r):
    """Growth with a root of time: it slows down and gets there all the same."""
    k = r.uniform(.55, .75)
    return h.fill(r.choice([ROOT, MEMORY]), r.uniform(5, 16), lambda t: t ** k)


@failure
def f_paused_once(h, r):
    """A fill that is interrupted for some hours once."""
    at, gap = r.uniform(.25, .5), r.uniform(.3, .7)
    return h.fill(ROOT, r.uniform(8, 18), lambda t: (np.minimum(t, at) + np.clip(t - at - gap, 0, None)) / (1 - gap))


@failure
def f_over_the_weekend(h, r):
    """Days of growth at a rate that is a third from Saturday to Sunday."""
    i = h.at(r.uniform(2.0, 3.5) * DAY_S)
    days = ((h.t[i:] + r.integers(7) * DAY_S) // DAY_S).astype(int) % 7
    rate = np.where(days >= 5, .33, 1) * np.clip(r.normal(1, .5, h.n - i), 0, None)
    return h.fill(ROOT, r.uniform(70, 130), np.cumsum(rate), onset=i)


@failure
def f_step_then_ramp(h, r):
    """A deploy takes a good part of the room at once and leaks from then on."""
    share = r.uniform(.15, .35)
    return h.fill(r.choice([MEMORY, ROOT]), r.uniform(4, 12), lambda t: share * (t > 0) + (1 - share) * t)


@failure
def f_job_that_hangs(h, r):
    """A known nightly job, until one night it does not stop writing."""
    hour, hours, size = r.uniform(0, 8), r.uniform(.5, 1), r.uniform(8, 18)
    h.job(DATA, hour, hours, size)
    start = int(r.integers(6, 9)) * DAY_S + hour * HOUR_S
    i = h.at(start)
    rate = size / h.at(hours * HOUR_S)
    level = h.v[DATA][i - 20:i].mean()
    h.v[DATA][i:i + h.at(2.2 * hours * HOUR_S)] = level + h.noise(.05, 2000)[:h.at(2.2 * hours * HOUR_S)]
    m = min(h.n - i, int(1.5 * (100 - level) / rate))
    return h.run_out(DATA, i, rate * np.arange(m))


@failure
def f_three_speeds(h, r):
    """The same disk fills three times, at three speeds; each time it is cleaned after it was full."""
    out, i = [], h.at(r.uniform(2.5, 3.2) * DAY_S)
    for hours in r.permutation([r.uniform(2, 4), r.uniform(8, 12), r.uniform(14, 20)]):
        out.append(h.fill(ROOT, hours, lambda t: t, onset=i))
        i = out[-1][2] + h.at(r.uniform(8, 30) * HOUR_S)
        if i >= h.n - h.at(30 * HOUR_S):
            raise Retry
    return out


@failure
def f_swap_in_waves(h, r):
    """Memory is full; swap takes what does not fit, wave after wave."""
    hours, waves = r.uniform(3, 9), r.uniform(6, 14)
    series, a, f = h.fill(SWAP, hours, lambda t: t + .35 / waves * np.sin(2 * np.pi * waves * t))
    m = h.v[MEMORY]
    m[a:f] = np.maximum(m[a:f], r.uniform(93, 97) - 30 * np.exp(-np.arange(f - a) / h.at(600)))
    return series, a, f


@failure
def f_every_minute(h, r):
    return h.fill(r.choice([ROOT, MEMORY, FILES]), r.uniform(3, 18), lambda t: t ** r.uniform(.8, 2))


STEP["f_every_minute"] = 60


@failure
def f_every_five_minutes_rounded(h, r):
    series, a, _ = h.fill(r.choice([ROOT, MEMORY]), r.uniform(6, 24), lambda t: t)
    h.v[series] = np.round(h.v[series])
    return series, a, a + int(np.nonzero(h.v[series][a:] >= 100)[0][0])


STEP["f_every_five_minutes_rounded"] = 300


@failure
def f_second_day(h, r):
    """A fill while nearly nothing is known yet."""
    return h.fill(r.choice([ROOT, DATA, MEMORY]), r.uniform(2, 9), lambda t: t ** r.uniform(.9, 1.6),
                  onset=h.at(r.uniform(5, 40) * HOUR_S))


@lookalike
def n_compaction(h, r):
    """A database rewrites itself now and then: the disk climbs for an hour or three and is freed."""
    t, share = r.uniform(.5, 1.5) * DAY_S, r.uniform(.4, .75)
    size = share * (100 - h.v[DATA].max())
    while t < 9.7 * DAY_S:
        hours = r.uniform(1, 3)
        h.pulse(DATA, t, hours, size * r.uniform(.8, 1.1))
        t += (hours + r.uniform(8, 30)) * HOUR_S


@lookalike
def n_month_end(h, r):
    """One long climb to a half or three quarters of the room, that stops and stays."""
    h.pulse(ROOT, r.uniform(3, 8) * DAY_S, r.uniform(3, 14), r.uniform(.45, .75) * (100 - h.v[ROOT].max()), stays=True)


@lookalike
def n_cache_in_two_stages(h, r):
    """Memory fills with caches twice and levels off at 80 to 92 %."""
    x, top = h.v[MEMORY], r.uniform(80, 92)
    i, j = h.at(r.uniform(1, 4) * DAY_S), h.at(r.uniform(5, 8) * DAY_S)
    middle = x[i] + (top - x[i]) * r.uniform(.4, .7)
    for k, level in ((i, middle), (j, top)):
        s = np.arange(h.n - k) * h.step / (r.uniform(1, 10) * HOUR_S)
        x[k:] = x[k:] + (level - x[k:]) * (1 - np.exp(-s)) * .97


@lookalike
def n_deploys(h, r):
    """Deploys move the levels up and down."""
    for _ in range(6):
        i, j = np.sort(r.integers(h.n, size=2))
        series = r.choice([MEMORY, ROOT])
        h.v[series][i:j] += r.uniform(.1, .5) * (100 - h.v[series].max())


@lookalike
def n_backup_that_grows(h, r):
    """The nightly backup grows by some per cent a night."""
    h.job(DATA, r.uniform(0, 20), r.uniform(.6, 3), r.uniform(.4, .6) * (100 - h.v[DATA].max()), growth=r.uniform(.02, .05))


@lookalike
def n_heap(h, r):
    """Small collections under big ones: a heap as it should be."""
    x, n = np.zeros(h.n), h.n
    floor = level = 0.0
    minor, major = r.uniform(8, 15), r.uniform(30, 40)
    rate = minor / h.at(r.uniform(600, 3000))
    for k in range(n):
        level += rate * r.uniform(.5, 1.5)
        if level > minor * r.uniform(.9, 1.1):
            floor, level = floor + .15 * level, 0.0
        if floor + level > major:
            floor = level = 0.0
        x[k] = floor + level
    h.v[MEMORY] = r.uniform(45, 52) + x + h.noise(.3, 600)


@lookalike
def n_weekend_job(h, r):
    h.job(DATA, r.uniform(0, 18), r.uniform(1, 6), r.uniform(.4, .7) * (100 - h.v[DATA].max()), every=7,
          first=int(r.integers(0, 3)))


@lookalike
def n_memory_follows_load(h, r):
    h.v[MEMORY] = np.clip(r.uniform(35, 50) + r.uniform(30, 42) * smooth(np.clip(h.u, 0, 1), r.uniform(1200, 6000) / h.step)
                          + h.noise(.5, 1200), 0, 97)


@lookalike
def n_rotated_by_size(h, r):
    """Rotation at a size: teeth of random length up to 80 to 92 %."""
    top, low = r.uniform(80, 92), r.uniform(45, 65)
    rate = (top - low) / h.at(r.uniform(3, 20) * HOUR_S)
    x = np.empty(h.n)
    level = low
    drift = np.exp(h.noise(.5, 7200))
    for k in range(h.n):
        level = low if level > top else level + rate * drift[k]
        x[k] = level
    h.v[DATA] = x + h.noise(.05, 1000)


@lookalike
def n_creeps(h, r):
    h.v[ROOT] = r.uniform(55, 75) + r.uniform(.4, 1.2) * h.t / DAY_S + h.noise(.1, 3000)


@lookalike
def n_restarted_every_night(h, r):
    """A leak that is known: the service is restarted every night."""
    hour = r.uniform(1, 5) * HOUR_S
    since = (h.t - hour) % DAY_S / DAY_S
    h.v[MEMORY] = r.uniform(30, 45) + r.uniform(25, 45) * since + h.noise(.4, 900)


@lookalike
def n_noisy_and_high(h, r):
    h.v[MEMORY] = np.clip(r.uniform(84, 91) + h.noise(r.uniform(.8, 2), r.uniform(120, 3600)), 0, 98)
