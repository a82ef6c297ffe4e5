/*
 * guard_seat.h - the watcher's process itself: what lumenode-guard does from its first line to its
 * last. guard_supervisor.h says why.
 */
#ifndef LUMENODE_GUARD_SEAT_H
#define LUMENODE_GUARD_SEAT_H

/* Arguments behind the program's name: descriptor of the guard, of the device's memory (-1: none),
 * offset of the device's data in it, and descriptor of the flight process's life. */
#define GUARD_SEAT_NUMBERS 4

/* How often a plan that failed is tried when nobody is left to be told: ticks. */
#define GUARD_LAST_TRIES 100

enum guard_seat_exit {
    GUARD_SEAT_DONE = 0,   /* the flight process has ended, and the device is safe or was left so */
    GUARD_SEAT_UNSAFE = 1, /* it has ended, and the plan failed to the last try */
    GUARD_SEAT_REFUSED = 2 /* arguments, guard or memory are not what they should be */
};

/* main() of lumenode-guard; returns enum guard_seat_exit once the flight process has ended. */
int guard_seat(int argc, char **argv);

#endif
