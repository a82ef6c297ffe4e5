from flight.inference.engine_trouble import GOOD_ANSWERS, Rung, TrustLadder


def test_the_ladder_is_climbed_rung_by_rung_and_ends_in_refusal():
    ladder = TrustLadder()
    assert not ladder.refused
    climbed = [ladder.distrusted() for _ in range(4)]
    assert climbed == [Rung.RESTART, Rung.SECOND_COPY, Rung.REFUSE, Rung.REFUSE]
    assert ladder.refused


def test_good_answers_in_a_row_lead_back_down():
    ladder = TrustLadder()
    ladder.distrusted()
    for _ in range(GOOD_ANSWERS):
        ladder.trusted()
    assert ladder.distrusted() is Rung.RESTART


def test_good_answers_between_two_doubts_that_are_too_few_do_not():
    ladder = TrustLadder()
    ladder.distrusted()
    for _ in range(GOOD_ANSWERS - 1):
        ladder.trusted()
    assert ladder.distrusted() is Rung.SECOND_COPY


def test_nothing_leads_down_from_refusal():
    ladder = TrustLadder()
    for _ in Rung:
        ladder.distrusted()
    for _ in range(2 * GOOD_ANSWERS):
        ladder.trusted()
    assert ladder.refused
