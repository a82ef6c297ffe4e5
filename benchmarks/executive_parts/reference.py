"""What another framework measured on a machine of the same kind, to stand beside our own figures.

F´ 3.5 (nasa/fprime, commit 40583c1), deployment "Ref", release build, gcc -O3, loopback TCP, on a
shared virtual machine with two x86 cores (AMD EPYC), November 2026; its cycle period made settable
for the column of 100 Hz. Command to completion event one at a time, 2 ms apart. The plain Python
figures are those of 40 lines of asyncio with the same frames on the same machine. Ranges are of
several runs under other people's load: orders of magnitude, but for the lost completions and the
delivered rate, which repeat.
"""

COMMAND_P50_MS = "0.11-0.18"
COMMAND_P99_MS = "0.4-1.8"
COMMAND_MAX_MS = "4.5-20"
COMMAND_PLAIN_PYTHON = "p50 0.13, p99 4.8, max 30"
BURST_LOST_OF_5000 = 9
BURST_OUTSTANDING = 12
COMMANDS_PER_S = "10,000-21,000"
TICKS_DELIVERED_PER_S = 95.2
TICK_P50_US = "100-160"
TICK_P99_US = "4,800-10,000"
TICK_PLAIN_PYTHON = "99.9 Hz, p50 1,000, p99 6,500"
RSS_MIB = 4.8
CPU_PERCENT_1_HZ = "0.03-0.10"
CPU_PERCENT_100_HZ = "3.2-4.1"
START_S = "0.008-0.038"
