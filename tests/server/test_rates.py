"""Rates out of counters that wrap, vanish and come back."""

from server.rates import ByteRates, CoreShares, ProcessShares
from server.readings import CoreTime, ProcessId


class TestByteRates:
    def test_a_counter_that_went_back_counts_nothing(self) -> None:
        rates = ByteRates()
        assert rates.update({"a": (2**32 - 10, 100), "b": (0, 0)}, 0.0) is None
        assert rates.update({"a": (5, 300), "b": (50, 0)}, 1.0) == (50.0, 200.0)

    def test_devices_come_and_go_without_a_jump(self) -> None:
        rates = ByteRates()
        rates.update({"a": (1000, 1000), "gone": (9999, 9999)}, 0.0)
        assert rates.update({"a": (1010, 1000), "new": (10**12, 10**12)}, 1.0) == (10.0, 0.0)
        assert rates.update({"a": (1010, 1000), "gone": (9999, 9999)}, 2.0) == (0.0, 0.0)

    def test_nothing_without_devices_or_time(self) -> None:
        rates = ByteRates()
        rates.update({"a": (1, 1)}, 0.0)
        assert rates.update({"a": (2, 2)}, 0.0) is None
        assert rates.update({}, 1.0) is None


class TestCoreShares:
    def test_stays_between_0_and_100(self) -> None:
        shares = CoreShares()
        shares.update([CoreTime(10.0, 20.0), CoreTime(10.0, 20.0)])
        assert shares.update([CoreTime(9.0, 21.0), CoreTime(12.0, 21.0)]) == (100.0, [0.0, 100.0])

    def test_cores_that_come_or_go_are_no_measure(self) -> None:
        shares = CoreShares()
        shares.update([CoreTime(1.0, 2.0)])
        assert shares.update([CoreTime(1.0, 2.0), CoreTime(1.0, 2.0)]) is None
        assert shares.update([CoreTime(1.5, 3.0), CoreTime(1.0, 3.0)]) == (25.0, [50.0, 0.0])


class TestProcessShares:
    def test_at_most_so_many_and_busiest_first(self) -> None:
        shares = ProcessShares()
        before = {ProcessId(pid, 0.0): 0.0 for pid in range(10)}
        assert shares.update(before, 0.0, 3) == []
        after = {ProcessId(pid, 0.0): pid / 10 for pid in range(10)}
        assert shares.update(after, 2.0, 3) == [(9, 45.0), (8, 40.0), (7, 35.0)]

    def test_a_pid_used_again_is_another_process(self) -> None:
        shares = ProcessShares()
        shares.update({ProcessId(7, 1.0): 500.0}, 0.0, 3)
        assert shares.update({ProcessId(7, 2.0): 0.5}, 1.0, 3) == [(7, 50.0)]
