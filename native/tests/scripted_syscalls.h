/*
 * scripted_syscalls.h - a kernel that follows a script: a table of the calls it expects, with what
 * it answers to each. A call that is not the next one of the table breaks the promise.
 *
 * script_sweep() runs the same table again and again, each time with the device failing from one
 * step on, once a step and errno: that is how every error path of a driver is walked.
 */
#ifndef LUMENODE_SCRIPTED_SYSCALLS_H
#define LUMENODE_SCRIPTED_SYSCALLS_H

#include "check.h"
#include "linux_syscalls.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

enum script_call {
    SCRIPT_OPEN = 1,
    SCRIPT_CLOSE,
    SCRIPT_READ,
    SCRIPT_WRITE,
    SCRIPT_IOCTL,
    SCRIPT_POLL,
    SCRIPT_SOCKET,
    SCRIPT_SENDTO,
    SCRIPT_MMAP,
    SCRIPT_MUNMAP
};

struct script_step {
    enum script_call call;
    int64_t result;        /* what it returns; a negative errno is a failure */
    int fd;                /* expected; 0: any */
    const char *path;      /* SCRIPT_OPEN: expected */
    unsigned long request; /* SCRIPT_IOCTL: expected */
    const void *out;       /* expected from the driver: octets written, or the argument's first */
    size_t out_bytes;
    const void *in; /* given to the driver: octets read, or the argument's first */
    size_t in_bytes;
    uint64_t number;   /* SCRIPT_IOCTL with `by_number`: the argument itself; SCRIPT_POLL:
                                 timeout in ms; SCRIPT_MMAP: length */
    int by_number;     /* look at `number` */
    int16_t revents;   /* SCRIPT_POLL */
    uint64_t takes_ns; /* the clock after the call */
    void (*look)(void *argument); /* looks at an argument with pointers in it, and fills it */
};

struct script {
    const struct script_step *steps;
    size_t count;
    size_t next;
    size_t fail_from; /* every call from this step on fails; SIZE_MAX: none */
    int fail_with;    /* errno */
    int open_fds;     /* opened and not closed */
    int mapped;       /* mapped and not unmapped */
    uint64_t now_ns;
};

/* The step that is due, or NULL when the device fails from here on. */
static const struct script_step *script_take(void *context, enum script_call call, int fd)
{
    struct script *script = context;
    const struct script_step *step;

    if (script->next >= script->fail_from) {
        return NULL;
    }
    CHECK(script->next < script->count);
    step = &script->steps[script->next];
    if (step->call != call) {
        fprintf(stderr, "step %zu: call %d came, %d was due\n", script->next, (int)call,
                (int)step->call);
    }
    CHECK(step->call == call);
    CHECK(step->fd == 0 || step->fd == fd);
    script->next++;
    script->now_ns += step->takes_ns;
    return step;
}

static int64_t script_failure(const void *context)
{
    return -(int64_t)((const struct script *)context)->fail_with;
}

static void script_expect(const struct script_step *step, const void *bytes, size_t count)
{
    if (step->out != NULL) {
        CHECK(count >= step->out_bytes);
        CHECK(memcmp(bytes, step->out, step->out_bytes) == 0);
    }
}

static int64_t script_open(void *context, const char *path, int flags, uint32_t mode)
{
    const struct script_step *step = script_take(context, SCRIPT_OPEN, 0);

    (void)flags;
    CHECK(mode == 0);
    if (step == NULL) {
        return script_failure(context);
    }
    CHECK(step->path == NULL || strcmp(step->path, path) == 0);
    ((struct script *)context)->open_fds += step->result >= 0;
    return step->result;
}

/* A descriptor that is closed is closed, whatever the device does. */
static int64_t script_close(void *context, int fd)
{
    const struct script_step *step = script_take(context, SCRIPT_CLOSE, fd);

    ((struct script *)context)->open_fds--;
    return step == NULL ? 0 : step->result;
}

static int64_t script_read(void *context, int fd, void *buffer, size_t bytes)
{
    const struct script_step *step = script_take(context, SCRIPT_READ, fd);

    if (step == NULL) {
        return script_failure(context);
    }
    CHECK(step->in_bytes <= bytes);
    if (step->in_bytes > 0) {
        memcpy(buffer, step->in, step->in_bytes);
    }
    return step->result;
}

static int64_t script_write(void *context, int fd, const void *buffer, size_t bytes)
{
    const struct script_step *step = script_take(context, SCRIPT_WRITE, fd);

    if (step == NULL) {
        return script_failure(context);
    }
    script_expect(step, buffer, bytes);
    return step->result;
}

static int64_t script_ioctl(void *context, int fd, unsigned long request, void *argument)
{
    const struct script_step *step = script_take(context, SCRIPT_IOCTL, fd);

    if (step == NULL) {
        return script_failure(context);
    }
    CHECK(step->request == request);
    if (step->by_number) {
        CHECK((uint64_t)(uintptr_t)argument == step->number);
    }
    script_expect(step, argument, SIZE_MAX);
    if (step->look != NULL) {
        step->look(argument);
    }
    if (step->in_bytes > 0) {
        memcpy(argument, step->in, step->in_bytes);
    }
    if (step->result >= 0 && step->revents > 0) {
        ((struct script *)context)->open_fds += step->revents; /* descriptors the ioctl made */
    }
    return step->result;
}

static int64_t script_poll(void *context, struct pollfd *fds, uint32_t count, int timeout_ms)
{
    const struct script_step *step;

    CHECK(count == 1);
    step = script_take(context, SCRIPT_POLL, fds[0].fd);
    if (step == NULL) {
        return script_failure(context);
    }
    if (step->by_number) {
        CHECK((uint64_t)timeout_ms == step->number);
    }
    fds[0].revents = step->revents;
    return step->result;
}

static int64_t script_socket(void *context, int domain, int type, int protocol)
{
    const struct script_step *step = script_take(context, SCRIPT_SOCKET, 0);

    (void)domain;
    (void)type;
    CHECK(protocol == 0);
    if (step == NULL) {
        return script_failure(context);
    }
    ((struct script *)context)->open_fds += step->result >= 0;
    return step->result;
}

static int64_t script_sendto(void *context, int fd, const void *buffer, size_t bytes,
                             const void *address, uint32_t address_bytes)
{
    const struct script_step *step = script_take(context, SCRIPT_SENDTO, fd);

    if (step == NULL) {
        return script_failure(context);
    }
    CHECK(address != NULL && address_bytes > 2);
    CHECK(step->by_number == 0 || step->number == address_bytes);
    script_expect(step, buffer, bytes);
    return step->result;
}

static int64_t script_mmap(void *context, int fd, size_t bytes, int64_t offset, void **memory)
{
    const struct script_step *step = script_take(context, SCRIPT_MMAP, fd);

    (void)offset;
    if (step == NULL) {
        return script_failure(context);
    }
    CHECK(step->by_number == 0 || step->number == bytes);
    if (step->result >= 0) {
        *memory = (void *)(uintptr_t)step->in;
        ((struct script *)context)->mapped++;
    }
    return step->result;
}

static int64_t script_munmap(void *context, void *memory, size_t bytes)
{
    const struct script_step *step = script_take(context, SCRIPT_MUNMAP, 0);

    CHECK(memory != NULL && bytes > 0);
    ((struct script *)context)->mapped--;
    return step == NULL ? 0 : step->result;
}

static uint64_t script_now_ns(void *context)
{
    return ((const struct script *)context)->now_ns;
}

static struct linux_syscalls script_table(struct script *script)
{
    return (struct linux_syscalls){
        .context = script,
        .open = script_open,
        .close = script_close,
        .read = script_read,
        .write = script_write,
        .ioctl = script_ioctl,
        .poll = script_poll,
        .socket = script_socket,
        .sendto = script_sendto,
        .mmap = script_mmap,
        .munmap = script_munmap,
        .now_ns = script_now_ns,
    };
}

static struct script script_of(const struct script_step *steps, size_t count)
{
    return (struct script){.steps = steps, .count = count, .fail_from = SIZE_MAX, .now_ns = 1000};
}

/* Every step was taken, and nothing was left open or mapped. */
static void script_end(const struct script *script)
{
    CHECK(script->next == script->count);
    CHECK(script->open_fds == 0);
    CHECK(script->mapped == 0);
}

/*
 * For every step and errno: lets `run` meet a device that fails from that step on. `run` opens, uses
 * and closes; it returns the code it met, which is checked against `expected`. Whatever fails,
 * nothing may stay open or mapped.
 */
static void script_sweep(const struct script_step *steps, size_t count,
                         int32_t (*run)(const struct linux_syscalls *sys),
                         void (*expected)(size_t step, int error, int32_t code))
{
    static const int ERRORS[] = {ENODEV, ENXIO,     EACCES, EPERM,  EBUSY,
                                 EAGAIN, ETIMEDOUT, EINTR,  EINVAL, ENOTTY,
                                 EIO,    EREMOTEIO, EPROTO, ENOENT, EBADMSG};

    for (size_t step = 0; step < count; step++) {
        for (size_t i = 0; i < COUNT_OF(ERRORS); i++) {
            struct script script = script_of(steps, count);
            struct linux_syscalls sys = script_table(&script);

            script.fail_from = step;
            script.fail_with = ERRORS[i];
            expected(step, ERRORS[i], run(&sys));
            CHECK(script.open_fds == 0);
            CHECK(script.mapped == 0);
        }
    }
}

#endif
