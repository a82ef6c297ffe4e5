/* The watcher's process, forked so that the test sees how it ends. */
#define _GNU_SOURCE
#include "guard_block.h"
#include "guard_seat.h"
#include "guard_stage.h"

#include <stdio.h>
#include <sys/wait.h>

#define PERIOD_NS 1000000u

/* Sits down with these numbers; returns its process. `life` is the flight process's end. */
static pid_t seat_with(const int64_t *numbers, int count, int life)
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        char texts[GUARD_SEAT_NUMBERS + 1][24];
        char *arguments[GUARD_SEAT_NUMBERS + 2] = {texts[0]};

        (void)close(life);
        for (int i = 0; i < count; i++) {
            (void)snprintf(texts[i], sizeof texts[i], "%lld", (long long)numbers[i]);
            arguments[i + 1] = texts[i];
        }
        exit(guard_seat(count + 1, arguments)); /* exit: coverage and leak reports are written */
    }
    return pid;
}

struct seated {
    pid_t pid;
    int life; /* closing it is the end of the flight process */
};

static struct seated sit_down(const struct stage *stage)
{
    int life[2];

    CHECK(pipe(life) == 0);
    const int64_t numbers[] = {stage->guard_fd, stage->data_fd, STAGE_DATA_OFFSET, life[0]};
    struct seated seated = {.pid = seat_with(numbers, GUARD_SEAT_NUMBERS, life[1]),
                            .life = life[1]};

    CHECK(close(life[0]) == 0);
    while (stage_status(stage).process_ticks == 0) {
        stage_rest();
    }
    return seated;
}

static int outcome(pid_t pid)
{
    int status = 0;

    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void silence_is_acted_upon_and_the_watch_goes_on(void)
{
    struct stage stage = make_stage(PERIOD_NS, 3);
    struct seated seated = sit_down(&stage);

    CHECK(guard_arm(stage.guard) == HAL_OK);
    for (uint64_t episode = 1; episode <= 3; episode++) {
        while (stage_status(&stage).safe == 0) {
            stage_rest();
        }
        CHECK(stage_is_safe(&stage));
        CHECK(stage_status(&stage).watcher == GUARD_PROCESS);
        CHECK(stage_status(&stage).cause == GUARD_CAUSE_SILENCE);
        CHECK(stage_status(&stage).silent_ticks == 3);
        stage.words[2] = 5;
        CHECK(pwrite(stage.file_fd, "7", 1, 0) == 1);
        CHECK(guard_rearm(stage.guard) == HAL_OK);
        CHECK(stage_status(&stage).acts == episode);
    }
    CHECK(guard_disarm(stage.guard) == HAL_OK);
    CHECK(close(seated.life) == 0);
    CHECK(outcome(seated.pid) == GUARD_SEAT_DONE);
    close_stage(&stage);
}

static void a_flight_process_that_dies_leaves_a_safe_device(void)
{
    struct stage stage = make_stage(PERIOD_NS, GUARD_TICKS_MAX);
    struct seated seated = sit_down(&stage);

    CHECK(guard_arm(stage.guard) == HAL_OK);
    CHECK(close(seated.life) == 0);
    CHECK(outcome(seated.pid) == GUARD_SEAT_DONE);
    CHECK(stage_is_safe(&stage) && stage_status(&stage).cause == GUARD_CAUSE_DEATH);
    close_stage(&stage);
}

static void an_orderly_end_changes_nothing(void)
{
    struct stage stage = make_stage(PERIOD_NS, 1);
    struct seated seated = sit_down(&stage);

    CHECK(guard_disarm(stage.guard) == HAL_OK && close(seated.life) == 0);
    CHECK(outcome(seated.pid) == GUARD_SEAT_DONE);
    CHECK(!stage_is_safe(&stage) && stage_status(&stage).trips == 0);
    close_stage(&stage);
}

static void a_plan_that_fails_to_the_last_is_an_outcome_of_its_own(void)
{
    struct stage stage = make_stage(PERIOD_NS, 1);
    struct guard_plan plan = stage_plan(&stage);
    int life[2];

    CHECK(pipe(life) == 0);
    plan.steps[1].fd = life[1]; /* a pipe cannot be written at an offset */
    CHECK(guard_set_plan(stage.guard, &plan, STAGE_DATA_BYTES - STAGE_DATA_OFFSET) == HAL_OK);
    struct seated seated = sit_down(&stage);

    CHECK(guard_arm(stage.guard) == HAL_OK && close(seated.life) == 0);
    CHECK(outcome(seated.pid) == GUARD_SEAT_UNSAFE);
    CHECK(stage.words[2] == 0 && stage_status(&stage).safe == 0);
    CHECK(stage_status(&stage).steps_failed >= GUARD_LAST_TRIES - 1);
    CHECK(close(life[0]) == 0 && close(life[1]) == 0);
    close_stage(&stage);
}

static void what_is_not_as_it_should_be_is_refused(void)
{
    struct stage stage = make_stage(PERIOD_NS, 1);
    int life[2];

    CHECK(pipe(life) == 0);
    const int64_t guard = stage.guard_fd;
    const int64_t data = stage.data_fd;
    const int64_t bad[][GUARD_SEAT_NUMBERS] = {
        {-1, data, STAGE_DATA_OFFSET, life[0]},                /* no guard */
        {data, data, STAGE_DATA_OFFSET, life[0]},              /* not a guard */
        {stage.file_fd, data, STAGE_DATA_OFFSET, life[0]},     /* too short for one */
        {guard, data, STAGE_DATA_OFFSET + 1, life[0]},         /* data does not fit */
        {guard, data, -1, life[0]},                            /* no offset */
        {guard, -1, 0, life[0]},                               /* a plan that stores, and no data */
        {guard, INT64_C(1) << 40, STAGE_DATA_OFFSET, life[0]}, /* no descriptor */
    };
    char program[] = "lumenode-guard";
    char word[] = "7x";
    char *few[] = {program, word};
    char *words[] = {program, word, word, word, word};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(outcome(seat_with(bad[i], GUARD_SEAT_NUMBERS, life[1])) == GUARD_SEAT_REFUSED);
    }
    CHECK(guard_seat(2, few) == GUARD_SEAT_REFUSED);
    CHECK(guard_seat(GUARD_SEAT_NUMBERS + 1, words) == GUARD_SEAT_REFUSED);
    CHECK(close(life[0]) == 0 && close(life[1]) == 0);
    close_stage(&stage);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(silence_is_acted_upon_and_the_watch_goes_on),
        PROMISE(a_flight_process_that_dies_leaves_a_safe_device),
        PROMISE(an_orderly_end_changes_nothing),
        PROMISE(a_plan_that_fails_to_the_last_is_an_outcome_of_its_own),
        PROMISE(what_is_not_as_it_should_be_is_refused),
    };

    KEEP(PROMISES);
    return 0;
}
