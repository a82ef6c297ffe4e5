/* Plans, carried out on a kernel that writes down what it was asked. */
#include "check.h"
#include "guard.h"
#include "guard_plan.h"
#include "hal.h"

#include <errno.h>
#include <string.h>

#define LINE_SET_VALUES 0xC010B40Ful /* _IOWR(0xB4, 0x0F, 16 bytes): kernel 5.10, <linux/gpio.h> */

/* What the kernel of this test was asked, and what it answers; only a test keeps such globals. */
static struct {
    int fd;
    char text[64];
    unsigned long request;
    uint64_t lines[2];
    int64_t answers[32];
    uint32_t calls;
    uint64_t now_ns;
} kernel;

static int64_t fake_pwrite(void *context, int fd, const void *buffer, size_t bytes, int64_t offset)
{
    (void)context;
    CHECK(offset == 0 && bytes < sizeof kernel.text);
    kernel.fd = fd;
    memcpy(kernel.text, buffer, bytes);
    kernel.text[bytes] = '\0';
    int64_t answer = kernel.answers[kernel.calls++ % COUNT_OF(kernel.answers)];

    return answer != 0 ? answer : (int64_t)bytes;
}

static int64_t fake_ioctl(void *context, int fd, unsigned long request, void *argument)
{
    (void)context;
    kernel.fd = fd;
    kernel.request = request;
    memcpy(kernel.lines, argument, sizeof kernel.lines);
    return kernel.answers[kernel.calls++ % COUNT_OF(kernel.answers)];
}

static uint64_t fake_now_ns(void *context)
{
    (void)context;
    return kernel.now_ns;
}

static const struct linux_syscalls SYS = {
    .pwrite = fake_pwrite,
    .ioctl = fake_ioctl,
    .now_ns = fake_now_ns,
};

static struct guard_plan plan_of(struct guard_plan_step step)
{
    struct guard_plan plan = {.count = 1, .steps = {step}};

    memset(&kernel, 0, sizeof kernel);
    return plan;
}

static void a_word_of_the_device_is_stored(void)
{
    uint32_t data[4] = {9, 9, 9, 9};
    int32_t error = HAL_OK;
    struct guard_plan plan =
        plan_of((struct guard_plan_step){.kind = GUARD_STORE, .offset = 8, .value = 0xFFFFFFFF});

    CHECK(guard_plan_check(&plan, sizeof data) == HAL_OK);
    CHECK(guard_plan_run(&plan, data, &SYS, &error) == 0);
    CHECK(data[0] == 9 && data[1] == 9 && data[2] == 0xFFFFFFFF && data[3] == 9);
    CHECK(kernel.calls == 0 && error == HAL_OK);
    CHECK(guard_plan_run(&plan, NULL, &SYS, &error) == 1 && error == HAL_E_STATE);
}

static void text_is_written_whole_or_has_failed(void)
{
    int32_t error = HAL_OK;
    struct guard_plan plan = plan_of((struct guard_plan_step){
        .kind = GUARD_WRITE, .fd = 7, .text_bytes = 6, .text = "306000 and no more"});

    CHECK(guard_plan_check(&plan, 0) == HAL_OK);
    CHECK(guard_plan_run(&plan, NULL, &SYS, &error) == 0);
    CHECK(kernel.fd == 7 && strcmp(kernel.text, "306000") == 0);
    kernel.answers[1] = 3;
    CHECK(guard_plan_run(&plan, NULL, &SYS, &error) == 1 && error == HAL_E_IO);
    kernel.answers[2] = -EACCES;
    CHECK(guard_plan_run(&plan, NULL, &SYS, &error) == 1 && error == HAL_E_PERM);
    CHECK(kernel.calls == 3);
}

static void a_signal_is_no_reason_to_leave_an_actuator_on(void)
{
    int32_t error = HAL_OK;
    struct guard_plan plan = plan_of(
        (struct guard_plan_step){.kind = GUARD_WRITE, .fd = 7, .text_bytes = 1, .text = "0"});

    kernel.answers[0] = kernel.answers[1] = -EINTR;
    CHECK(guard_plan_run(&plan, NULL, &SYS, &error) == 0 && kernel.calls == 3);
    for (size_t i = 0; i < COUNT_OF(kernel.answers); i++) {
        kernel.answers[i] = -EINTR; /* for ever: it gives up, and the next tick tries again */
    }
    kernel.calls = 0;
    CHECK(guard_plan_run(&plan, NULL, &SYS, &error) == 1 && error == HAL_E_TIMEOUT);
    CHECK(kernel.calls == 1 + LINUX_RESTARTS_MAX);
}

static void lines_are_set_by_the_character_device(void)
{
    int32_t error = HAL_OK;
    struct guard_plan plan =
        plan_of((struct guard_plan_step){.kind = GUARD_LINES, .fd = 4, .mask = 5, .value = 1});

    CHECK(guard_plan_check(&plan, 0) == HAL_OK);
    CHECK(guard_plan_run(&plan, NULL, &SYS, &error) == 0);
    CHECK(kernel.fd == 4 && kernel.request == LINE_SET_VALUES);
    CHECK(kernel.lines[0] == 1 && kernel.lines[1] == 5);
    kernel.answers[1] = -ENODEV;
    CHECK(guard_plan_run(&plan, NULL, &SYS, &error) == 1 && error == HAL_E_NODEV);
}

static void every_step_is_tried_whatever_became_of_the_one_before(void)
{
    uint32_t data[2] = {1, 1};
    int32_t error = HAL_OK;
    struct guard_plan plan = plan_of(
        (struct guard_plan_step){.kind = GUARD_WRITE, .fd = 3, .text_bytes = 1, .text = "0"});

    plan.steps[1] = (struct guard_plan_step){.kind = GUARD_LINES, .fd = 4, .mask = 1};
    plan.steps[2] = (struct guard_plan_step){.kind = GUARD_STORE, .offset = 4};
    plan.count = 3;
    kernel.answers[0] = -EIO;
    kernel.answers[1] = -ENODEV;
    CHECK(guard_plan_run(&plan, data, &SYS, &error) == 2);
    CHECK(error == HAL_E_NODEV && kernel.calls == 2 && data[0] == 1 && data[1] == 0);
}

static void a_step_that_cannot_be_carried_out_is_refused_beforehand(void)
{
    const struct guard_plan_step bad[] = {
        {.kind = 0},
        {.kind = 4, .fd = 3},
        {.kind = GUARD_STORE, .offset = 13},
        {.kind = GUARD_STORE, .offset = 16},
        {.kind = GUARD_STORE, .offset = UINT64_MAX - 3},
        {.kind = GUARD_STORE, .value = UINT64_C(1) << 32},
        {.kind = GUARD_WRITE, .fd = -1, .text_bytes = 1},
        {.kind = GUARD_WRITE, .fd = 3, .text_bytes = 0},
        {.kind = GUARD_WRITE, .fd = 3, .text_bytes = GUARD_TEXT_BYTES + 1},
        {.kind = GUARD_LINES, .fd = -1, .mask = 1},
        {.kind = GUARD_LINES, .fd = 3, .mask = 0},
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct guard_plan plan = plan_of(bad[i]);

        CHECK(guard_plan_check(&plan, 16) == HAL_E_RANGE);
    }
    struct guard_plan plan = plan_of((struct guard_plan_step){.kind = GUARD_STORE, .offset = 12});

    CHECK(guard_plan_check(&plan, 16) == HAL_OK);
    CHECK(guard_plan_check(&plan, 3) == HAL_E_RANGE);
    plan = plan_of((struct guard_plan_step){.kind = GUARD_WRITE, .fd = 0, .text_bytes = 1});
    CHECK(guard_plan_check(&plan, 0) == HAL_OK);
    plan.steps[0].text_bytes = GUARD_TEXT_BYTES;
    CHECK(guard_plan_check(&plan, 0) == HAL_OK);
    plan.count = GUARD_STEPS_MAX + 1;
    CHECK(guard_plan_check(&plan, 16) == HAL_E_RANGE);
    CHECK(guard_plan_check(NULL, 16) == HAL_E_RANGE);
}

static void a_watcher_decides_and_does_it_in_one_tick(void)
{
    static struct guard guard;
    const struct guard_config config = {.period_ns = 1000000, .limit_ticks = 2};
    uint32_t data[1] = {5};
    struct guard_status told;
    struct guard_plan plan = plan_of((struct guard_plan_step){.kind = GUARD_STORE});

    CHECK(guard_set_plan(NULL, &plan, sizeof data) == HAL_E_RANGE);
    CHECK(guard_init(&guard, &config) == HAL_OK);
    plan.steps[0].offset = 4;
    CHECK(guard_set_plan(&guard, &plan, sizeof data) == HAL_E_RANGE);
    plan.steps[0].offset = 0;
    CHECK(guard_set_plan(&guard, &plan, sizeof data) == HAL_OK);
    CHECK(guard_arm(&guard) == HAL_OK);
    CHECK(guard_set_plan(&guard, &plan, sizeof data) == HAL_E_STATE);
    kernel.now_ns = 4711;
    CHECK(guard_watch(&guard, GUARD_THREAD, 0, data, &SYS) == 0);
    CHECK(guard_watch(&guard, GUARD_THREAD, 0, data, &SYS) == 0 && data[0] == 5);
    CHECK(guard_watch(&guard, GUARD_THREAD, 0, data, &SYS) == 1 && data[0] == 0);
    CHECK(guard_read_status(&guard, &told) == HAL_OK);
    CHECK(told.safe == 1 && told.acts == 1 && told.trip_t_ns == 4711 && told.plan_steps == 1);
    CHECK(guard_watch(&guard, GUARD_THREAD, 0, data, &SYS) == 0);
    CHECK(guard_watch(&guard, GUARD_WATCHERS, 0, data, &SYS) == HAL_E_RANGE);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_word_of_the_device_is_stored),
        PROMISE(text_is_written_whole_or_has_failed),
        PROMISE(a_signal_is_no_reason_to_leave_an_actuator_on),
        PROMISE(lines_are_set_by_the_character_device),
        PROMISE(every_step_is_tried_whatever_became_of_the_one_before),
        PROMISE(a_step_that_cannot_be_carried_out_is_refused_beforehand),
        PROMISE(a_watcher_decides_and_does_it_in_one_tick),
    };

    KEEP(PROMISES);
    return 0;
}
