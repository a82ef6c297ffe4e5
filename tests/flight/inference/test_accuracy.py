import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from flight.inference.accuracy import Accuracy, accuracy_of

MASKS = hnp.arrays(np.bool_, (2, 6, 5))


def test_figures_follow_their_definitions():
    mask = np.array([[True, True, False, False]])
    reference = np.array([[True, False, True, False]])
    # one pixel in both, three in either, two of four equal
    assert accuracy_of(mask, reference) == Accuracy(iou=1 / 3, f1=1 / 2, accuracy=1 / 2)


@settings(deadline=None, max_examples=60)
@given(pair=MASKS)
def test_figures_are_symmetric_bounded_and_one_only_for_equal_masks(pair):
    found = accuracy_of(pair[0], pair[1])
    assert found == accuracy_of(pair[1], pair[0])
    assert 0.0 <= found.iou <= found.f1 <= 1.0
    assert (found.iou == 1.0) == (found.accuracy == 1.0) == np.array_equal(pair[0], pair[1])
    assert found.f1 == pytest.approx(2 * found.iou / (1 + found.iou))


def test_masks_of_different_shape_are_not_compared():
    with pytest.raises(ValueError, match="shape"):
        accuracy_of(np.ones((2, 2), np.bool_), np.ones((2, 3), np.bool_))
