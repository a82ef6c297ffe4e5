from flight.telemetry.mqtt_backoff import Backoff

S = 1_000_000_000


def test_waits_double_up_to_the_longest_and_spread_by_up_to_a_quarter():
    backoff = Backoff("lumenode-1", S, 8 * S)
    waits = [backoff.next_ns() for _ in range(40)]
    bases = [S, 2 * S, 4 * S, *[8 * S] * 37]
    assert all(base <= wait <= base * 5 // 4 for base, wait in zip(bases, waits, strict=True))
    assert len(set(waits[3:])) == 37
    assert waits == [Backoff.next_ns(b) for b in [Backoff("lumenode-1", S, 8 * S)] for _ in waits]
    assert waits[0] != Backoff("lumenode-2", S, 8 * S).next_ns()
    backoff.reset()
    assert S <= backoff.next_ns() <= S * 5 // 4
