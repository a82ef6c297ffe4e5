"""The bench's end of the byte stream to a node; native/include/bench_link.h is the protocol."""
