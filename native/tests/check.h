/*
 * check.h - the whole test framework: a check that names its line, and a table of promises.
 */
#ifndef LUMENODE_CHECK_H
#define LUMENODE_CHECK_H

#include <stdio.h>
#include <stdlib.h>

struct promise {
    const char *name;
    void (*keep)(void);
};

#define PROMISE(function) {#function, function}
#define COUNT_OF(array)   (sizeof(array) / sizeof((array)[0]))

/* Stops the test program at the first broken promise: what follows would only be noise. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define KEEP(promises)                                                                             \
    do {                                                                                           \
        for (size_t keep_i = 0; keep_i < COUNT_OF(promises); keep_i++) {                           \
            (promises)[keep_i].keep();                                                             \
        }                                                                                          \
        printf("%s: %zu promises kept\n", __FILE__, COUNT_OF(promises));                           \
    } while (0)

#endif
