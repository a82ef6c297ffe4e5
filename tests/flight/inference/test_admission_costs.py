from flight.inference.admission import FREE, SHARE, Cost, CostBook
from flight.inference.job import Plausibility, Result, Screening


def ran(run_ns, energy_mj):
    screening = Screening(Plausibility.PLAUSIBLE)
    return Result(1, screening, "00", 0, run_ns, energy_mj, run_ns / 1e6)


def test_what_is_not_known_costs_nothing():
    assert CostBook().cost("fp32") == FREE


def test_the_first_run_is_the_mean_and_later_ones_pull_it_along():
    book = CostBook()
    book.learn("fp32", ran(800, 80))
    assert book.cost("fp32") == Cost(800, 80)
    book.learn("fp32", ran(1600, 160))
    assert book.cost("fp32") == Cost(800 + 800 // SHARE, 80 + 80 // SHARE)
    assert book.cost("int8") == FREE


def test_energy_that_nobody_measures_counts_as_none():
    book = CostBook()
    book.learn("fp32", ran(800, None))
    assert book.cost("fp32") == Cost(800, 0)


def test_another_level_makes_it_forget():
    book = CostBook()
    book.learn("fp32", ran(800, 80))
    book.forget()
    assert book.cost("fp32") == FREE
