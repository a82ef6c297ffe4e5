from flight.inference.admission import ImagingPlan
from flight.inference.result_products import ValueTable


def test_a_tile_is_worth_its_mask_and_a_picture_of_clear_ground_at_best():
    plan = ImagingPlan(
        model_name="m", variant="v", threshold=0.5, frame_deadline_ns=1, backlog_frames=1,
        values=ValueTable(), deadlines_ns={},
    )  # fmt: skip
    assert plan.value_millis(land=True) == 1120
    assert plan.value_millis(land=False) == 360
