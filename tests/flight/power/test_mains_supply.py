from math import isnan

from flight.power.mains_supply import MainsSupply


def test_a_node_fed_from_outside_is_ready_at_once_and_has_no_state_of_charge():
    energy = MainsSupply().update(None, None, 0, soc_floor=0.5, laser_j=9e9)
    assert energy.ready
    assert not energy.soc_valid
    assert isnan(energy.soc)
    assert isnan(energy.reserve_soc)
    assert energy.power is None
    assert energy.phase.sunlit
