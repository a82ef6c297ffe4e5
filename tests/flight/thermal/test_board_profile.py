from flight.config import load_profile


def test_level_zero_costs_nothing_and_every_level_above_costs_more():
    profile = load_profile("orin-nano-modelled")
    assert (profile.active_w(0), profile.idle_w(0)) == (0.0, 0.0)
    powers = [profile.active_w(level) for level in range(profile.top + 1)]
    assert powers == sorted(set(powers))
    for level in range(1, profile.top + 1):
        assert 0.0 < profile.idle_w(level) <= profile.active_w(level)


def test_a_higher_level_is_never_slower():
    profile = load_profile("orin-nano-modelled")
    for variant in ("fp32", "int8"):
        times = [profile.tile_ms(level, variant) for level in range(1, profile.top + 1)]
        assert times == sorted(times, reverse=True)
