"""Part "link" of hal.py: the bench link on a pseudo-terminal, next to the bare descriptor.

Round trips alternate in blocks; the near end is in C, then the bench's own in Python, the far end
always in C. Throughput is payload, one way, through codec and pseudo-terminal, both ends in C; what
else runs on the machine takes from it, so the best of several rounds is held to the limit and the
median stands beside it.
"""

import statistics

import c_loops
import python_rounds

ROUNDS = 10_000
RATIO_MAX = 3.0
FLOW_MIB = 32
FLOW_ROUNDS = 9
FLOW_MB_S_LEAST = 20.0
REPLUGS = 10
REPLUG_S_MAX = 5.0


def percentiles_us(took_ns):
    """(p50, p99) in us."""
    cuts = statistics.quantiles(took_ns, n=100, method="inclusive")
    return cuts[49] / 1e3, cuts[98] / 1e3


def trips(where, bare_ns, link_ns):
    """p50 and p99 of both, and what the link costs over the bare descriptor."""
    bare, link = percentiles_us(bare_ns), percentiles_us(link_ns)
    for name, bare_us, link_us in zip(("p50", "p99"), bare, link, strict=True):
        yield f"200 octets there and back, {where}: {name}, bare", bare_us, "us", None
        yield f"200 octets there and back, {where}: {name}, ECHO", link_us, "us", None
        limit = RATIO_MAX if name == "p99" else None
        yield f"  {name}, link over bare", link_us / bare_us, "x", limit


def rows():
    """Echo, flow, replug."""
    took_ns = c_loops.run("echo", ROUNDS, program="link_loops")
    yield from trips("C", took_ns[::2], took_ns[1::2])
    yield from trips("Python", *python_rounds.alternating_ns(ROUNDS))
    for octets in (200, 4096):
        took_ns = c_loops.run("flow", octets, FLOW_MIB, FLOW_ROUNDS, program="link_loops")
        rates = [FLOW_MIB * (1 << 20) * 1e3 / ns for ns in took_ns]
        what = f"one way, messages of {octets} octets"
        for name, rate in (("codec", rates[::2]), ("bare", rates[1::2])):
            least = ("least", FLOW_MB_S_LEAST) if name == "codec" else None
            yield f"{what}: {name}, best of {FLOW_ROUNDS}", max(rate), "MB/s", least
            yield f"{what}: {name}, median", statistics.median(rate), "MB/s", None
    back_s = [ns / 1e9 for ns in c_loops.run("replug", REPLUGS, program="link_loops")]
    yield "line comes back: until sensors are valid, median", statistics.median(back_s), "s", None
    yield f"line comes back: most of {REPLUGS}", max(back_s), "s", REPLUG_S_MAX
