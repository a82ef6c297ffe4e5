/* The kernel's watchdog and the service manager's on a scripted kernel; the latter also through a
 * real socket. */
#define _GNU_SOURCE
#include "check.h"
#include "hal.h"
#include "linux_watchdog.h"
#include "scripted_syscalls.h"

#include <linux/watchdog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const struct watchdog_info BCM2835 = {
    .options = WDIOF_SETTIMEOUT | WDIOF_KEEPALIVEPING | WDIOF_MAGICCLOSE | WDIOF_CARDRESET,
    .identity = "Broadcom BCM2835 Watchdog timer",
};
static const struct watchdog_info SIMPLE = {.identity = "a timer of its own kind"};
static const int ASKED_S = 20;
static const int SET_S = 15;
static const int LEFT_S = 9;
static const int NO_TIME_S = -5;
static const int BOOT_WATCHDOG = WDIOF_CARDRESET;
static const int OFF = WDIOS_DISABLECARD;

static const struct linux_watchdog_config BOARD = {
    .kind = LINUX_WATCHDOG_DEV, .path = "/dev/watchdog", .sysfs_root = "/sys", .timeout_s = 20};

static const struct script_step SESSION[] = {
    {.call = SCRIPT_OPEN, .result = 3, .path = "/dev/watchdog"},
    {.call = SCRIPT_IOCTL,
     .fd = 3,
     .request = WDIOC_GETSUPPORT,
     .in = &BCM2835,
     .in_bytes = sizeof BCM2835},
    {.call = SCRIPT_IOCTL,
     .fd = 3,
     .request = WDIOC_SETTIMEOUT,
     .out = &ASKED_S,
     .out_bytes = sizeof ASKED_S,
     .in = &SET_S,
     .in_bytes = sizeof SET_S},
    {.call = SCRIPT_IOCTL,
     .fd = 3,
     .request = WDIOC_GETBOOTSTATUS,
     .in = &BOOT_WATCHDOG,
     .in_bytes = sizeof BOOT_WATCHDOG},
    {.call = SCRIPT_OPEN, .result = 4, .path = "/sys/class/watchdog/watchdog0/nowayout"},
    {.call = SCRIPT_READ, .result = 2, .fd = 4, .in = "0\n", .in_bytes = 2},
    {.call = SCRIPT_READ, .result = 0, .fd = 4},
    {.call = SCRIPT_CLOSE, .fd = 4},
    {.call = SCRIPT_IOCTL, .fd = 3, .request = WDIOC_KEEPALIVE},
    {.call = SCRIPT_IOCTL,
     .fd = 3,
     .request = WDIOC_GETTIMELEFT,
     .in = &LEFT_S,
     .in_bytes = sizeof LEFT_S},
    {.call = SCRIPT_WRITE, .result = 1, .fd = 3, .out = "V", .out_bytes = 1},
    {.call = SCRIPT_CLOSE, .fd = 3},
};

/* Opens, kicks, asks, disarms; the first code that is an error, or what is left. */
static int32_t watch(const struct linux_syscalls *sys)
{
    struct linux_watchdog watchdog;
    int32_t code = linux_watchdog_open(&watchdog, sys, &BOARD);
    int32_t closed;

    if (code == HAL_OK) {
        code = linux_watchdog_kick(&watchdog);
        CHECK(watchdog.kicks + watchdog.kicks_failed == 1);
        code = code != HAL_OK ? code : linux_watchdog_left_s(&watchdog);
    } else {
        CHECK(watchdog.fd == -1 && !watchdog.open);
    }
    closed = linux_watchdog_close(&watchdog, 1);
    CHECK(linux_watchdog_close(&watchdog, 1) == HAL_OK);
    return code < 0 ? code : (closed < 0 ? closed : code);
}

static void a_watchdog_is_armed_kicked_asked_and_disarmed(void)
{
    struct script script = script_of(SESSION, COUNT_OF(SESSION));
    struct linux_syscalls sys = script_table(&script);
    struct linux_watchdog watchdog;

    CHECK(watch(&sys) == 9);
    script_end(&script);

    script = script_of(SESSION, 8);
    CHECK(linux_watchdog_open(&watchdog, &sys, &BOARD) == HAL_OK);
    CHECK(watchdog.timeout_s == 15); /* what was really set */
    CHECK(strcmp(watchdog.identity, "Broadcom BCM2835 Watchdog timer") == 0);
    CHECK(watchdog.boot_status == WDIOF_CARDRESET);
    CHECK(watchdog.reset_cause == HAL_RESET_WATCHDOG);
    CHECK(watchdog.nowayout == LINUX_NOWAYOUT_NO);
}

static void failure_is_told(size_t step, int error, int32_t code)
{
    if (step == COUNT_OF(SESSION) - 1) {
        CHECK(code == 9);
    } else {
        CHECK(code == linux_error(-error));
    }
}

static void every_failure_is_told_and_leaves_nothing_open(void)
{
    script_sweep(SESSION, COUNT_OF(SESSION), watch, failure_is_told);
}

static void an_error_after_arming_disarms_again(void)
{
    static const struct script_step STEPS[] = {
        {.call = SCRIPT_OPEN, .result = 3},
        {.call = SCRIPT_IOCTL,
         .request = WDIOC_GETSUPPORT,
         .in = &BCM2835,
         .in_bytes = sizeof BCM2835},
        {.call = SCRIPT_IOCTL, .result = -EINVAL, .request = WDIOC_SETTIMEOUT},
        {.call = SCRIPT_WRITE, .result = 1, .fd = 3, .out = "V", .out_bytes = 1},
        {.call = SCRIPT_CLOSE, .fd = 3},
    };
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);
    struct linux_watchdog watchdog;

    CHECK(linux_watchdog_open(&watchdog, &sys, &BOARD) == HAL_E_RANGE);
    script_end(&script);
}

static void a_driver_that_can_little_is_kicked_by_an_octet(void)
{
    static const struct script_step STEPS[] = {
        {.call = SCRIPT_OPEN, .result = 3, .path = "/dev/watchdog12"},
        {.call = SCRIPT_IOCTL,
         .request = WDIOC_GETSUPPORT,
         .in = &SIMPLE,
         .in_bytes = sizeof SIMPLE},
        {.call = SCRIPT_IOCTL, .result = -EOPNOTSUPP, .request = WDIOC_GETTIMEOUT},
        {.call = SCRIPT_IOCTL, .result = -ENOTTY, .request = WDIOC_GETBOOTSTATUS},
        {.call = SCRIPT_OPEN, .result = -ENOENT, .path = "/s/class/watchdog/watchdog12/nowayout"},
        {.call = SCRIPT_WRITE, .result = 1, .fd = 3, .out = "k", .out_bytes = 1},
        {.call = SCRIPT_IOCTL, .result = -EOPNOTSUPP, .request = WDIOC_GETTIMELEFT},
        {.call = SCRIPT_IOCTL,
         .request = WDIOC_GETTIMELEFT,
         .in = &NO_TIME_S,
         .in_bytes = sizeof NO_TIME_S},
        {.call = SCRIPT_CLOSE, .fd = 3},
    };
    const struct linux_watchdog_config config = {
        .kind = LINUX_WATCHDOG_DEV, .path = "/dev/watchdog12", .sysfs_root = "/s", .timeout_s = 5};
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);
    struct linux_watchdog watchdog;

    CHECK(linux_watchdog_open(&watchdog, &sys, &config) == HAL_OK);
    CHECK(watchdog.timeout_s == 0 && watchdog.nowayout == LINUX_NOWAYOUT_UNKNOWN);
    CHECK(watchdog.reset_cause == HAL_RESET_UNKNOWN);
    CHECK(linux_watchdog_kick(&watchdog) == HAL_OK);
    CHECK(linux_watchdog_left_s(&watchdog) == HAL_E_UNSUPPORTED);
    CHECK(linux_watchdog_left_s(&watchdog) == HAL_E_CORRUPT);
    /* Without a magic character every close stops it: that it runs on would be a lie. */
    CHECK(linux_watchdog_close(&watchdog, 0) == HAL_E_UNSUPPORTED);
    script_end(&script);
}

#define OPENED .open = 1, .kind = LINUX_WATCHDOG_DEV, .fd = 3, .options = WDIOF_MAGICCLOSE

static void what_cannot_be_disarmed_is_told(void)
{
    static const struct script_step STEPS[] = {
        {.call = SCRIPT_CLOSE, .fd = 3}, /* left running on request */
        {.call = SCRIPT_CLOSE, .fd = 3}, /* nowayout known */
        {.call = SCRIPT_IOCTL,
         .result = -EBUSY,
         .request = WDIOC_SETOPTIONS,
         .out = &OFF,
         .out_bytes = sizeof OFF},
        {.call = SCRIPT_CLOSE, .fd = 3}, /* nowayout found out */
        {.call = SCRIPT_IOCTL, .result = -ENOTTY, .request = WDIOC_SETOPTIONS},
        {.call = SCRIPT_WRITE, .result = 1, .fd = 3, .out = "V", .out_bytes = 1},
        {.call = SCRIPT_CLOSE, .fd = 3},
        {.call = SCRIPT_WRITE, .result = 0, .fd = 3},
        {.call = SCRIPT_CLOSE, .fd = 3},
    };
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);
    struct linux_watchdog running = {OPENED, .sys = &sys};
    struct linux_watchdog held = {OPENED, .sys = &sys, .nowayout = LINUX_NOWAYOUT_YES};
    struct linux_watchdog asked = {OPENED, .sys = &sys, .nowayout = LINUX_NOWAYOUT_UNKNOWN};
    struct linux_watchdog old = {OPENED, .sys = &sys, .nowayout = LINUX_NOWAYOUT_UNKNOWN};
    struct linux_watchdog deaf = {OPENED, .sys = &sys};

    script.open_fds = 5;
    CHECK(linux_watchdog_close(&running, 0) == HAL_OK);
    CHECK(linux_watchdog_close(&held, 1) == HAL_E_PERM);
    CHECK(linux_watchdog_close(&asked, 1) == HAL_E_PERM && asked.nowayout == LINUX_NOWAYOUT_YES);
    CHECK(linux_watchdog_close(&old, 1) == HAL_OK);
    CHECK(linux_watchdog_close(&deaf, 1) == HAL_E_IO);
    script_end(&script);
}

static void nowayout_is_read_where_the_kernel_shows_it(void)
{
    static const char *const TEXTS[] = {"1\n", ""};
    static const uint32_t NOWAYOUT[] = {LINUX_NOWAYOUT_YES, LINUX_NOWAYOUT_UNKNOWN};

    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        const struct script_step steps[] = {
            {.call = SCRIPT_OPEN, .result = 3},
            {.call = SCRIPT_IOCTL,
             .request = WDIOC_GETSUPPORT,
             .in = &BCM2835,
             .in_bytes = sizeof BCM2835},
            {.call = SCRIPT_IOCTL,
             .request = WDIOC_GETTIMEOUT,
             .in = &SET_S,
             .in_bytes = sizeof SET_S},
            {.call = SCRIPT_IOCTL, .request = WDIOC_GETBOOTSTATUS},
            {.call = SCRIPT_OPEN, .result = 4, .path = "/sys/class/watchdog/watchdog1/nowayout"},
            {.call = SCRIPT_READ,
             .result = (int64_t)strlen(TEXTS[i]),
             .in = TEXTS[i],
             .in_bytes = strlen(TEXTS[i])},
            {.call = i == 0 ? SCRIPT_READ : SCRIPT_CLOSE, .fd = 4},
            {.call = SCRIPT_CLOSE, .fd = 4},
        };
        const struct linux_watchdog_config config = {
            .kind = LINUX_WATCHDOG_DEV, .path = "/dev/watchdog1", .sysfs_root = "/sys"};
        struct script script = script_of(steps, COUNT_OF(steps) - i);
        struct linux_syscalls sys = script_table(&script);
        struct linux_watchdog watchdog;

        CHECK(linux_watchdog_open(&watchdog, &sys, &config) == HAL_OK);
        CHECK(watchdog.nowayout == NOWAYOUT[i]);
        CHECK(watchdog.timeout_s == 15);
        CHECK(script.next == script.count);
    }
}

static void a_root_too_long_or_absent_leaves_nowayout_unknown(void)
{
    static const struct script_step STEPS[] = {
        {.call = SCRIPT_OPEN, .result = 3},
        {.call = SCRIPT_IOCTL, .request = WDIOC_GETSUPPORT},
        {.call = SCRIPT_IOCTL, .request = WDIOC_GETTIMEOUT},
        {.call = SCRIPT_IOCTL, .request = WDIOC_GETBOOTSTATUS},
    };
    char root[LINUX_PATH_BYTES];

    memset(root, 'r', sizeof root - 1);
    for (size_t cut = 0; cut < 40; cut++) {
        struct script script = script_of(STEPS, COUNT_OF(STEPS));
        struct linux_syscalls sys = script_table(&script);
        struct linux_watchdog watchdog;
        const struct linux_watchdog_config config = {.kind = LINUX_WATCHDOG_DEV,
                                                     .path = "/dev/watchdog",
                                                     .sysfs_root = cut == 39 ? NULL : root};

        root[sizeof root - 1 - (cut < 34 ? cut : 33)] = '\0';
        CHECK(linux_watchdog_open(&watchdog, &sys, &config) == HAL_OK);
        CHECK(watchdog.nowayout == LINUX_NOWAYOUT_UNKNOWN);
    }
}

static void the_reset_cause_is_the_gravest_that_the_driver_names(void)
{
    CHECK(linux_watchdog_reset_cause(0) == HAL_RESET_UNKNOWN);
    CHECK(linux_watchdog_reset_cause(WDIOF_FANFAULT) == HAL_RESET_UNKNOWN);
    CHECK(linux_watchdog_reset_cause(WDIOF_CARDRESET) == HAL_RESET_WATCHDOG);
    CHECK(linux_watchdog_reset_cause(WDIOF_CARDRESET | WDIOF_POWERUNDER) ==
          HAL_RESET_UNDER_VOLTAGE);
    CHECK(linux_watchdog_reset_cause(WDIOF_CARDRESET | WDIOF_OVERHEAT | WDIOF_POWERUNDER) ==
          HAL_RESET_OVERHEAT);
}

static const struct linux_watchdog_config SERVICE = {.kind = LINUX_WATCHDOG_SYSTEMD,
                                                     .notify_socket = "/run/systemd/notify"};

static const struct script_step NOTIFIED[] = {
    {.call = SCRIPT_SOCKET, .result = 5},
    {.call = SCRIPT_SENDTO,
     .result = 10,
     .fd = 5,
     .out = "WATCHDOG=1",
     .out_bytes = 10,
     .number = 22,
     .by_number = 1},
    {.call = SCRIPT_SENDTO, .result = 7, .fd = 5, .out = "READY=1", .out_bytes = 7},
    {.call = SCRIPT_CLOSE, .fd = 5},
};

static int32_t tell_service(const struct linux_syscalls *sys)
{
    struct linux_watchdog watchdog;
    int32_t code = linux_watchdog_open(&watchdog, sys, &SERVICE);

    code = code != HAL_OK ? code : linux_watchdog_kick(&watchdog);
    code = code != HAL_OK ? code : linux_watchdog_notify(&watchdog, "READY=1");
    CHECK(linux_watchdog_close(&watchdog, 1) == HAL_OK);
    return code;
}

static void service_failure_is_told(size_t step, int error, int32_t code)
{
    CHECK(code == (step == COUNT_OF(NOTIFIED) - 1 ? HAL_OK : linux_error(-error)));
}

static void the_service_manager_is_told_in_datagrams(void)
{
    struct script script = script_of(NOTIFIED, COUNT_OF(NOTIFIED));
    struct linux_syscalls sys = script_table(&script);

    CHECK(tell_service(&sys) == HAL_OK);
    script_end(&script);
    script_sweep(NOTIFIED, COUNT_OF(NOTIFIED), tell_service, service_failure_is_told);
}

static void a_manager_at_a_real_abstract_socket_hears_it(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[40];
    char heard[32] = "";
    const struct linux_watchdog_config config = {.kind = LINUX_WATCHDOG_SYSTEMD,
                                                 .notify_socket = name};
    struct linux_watchdog watchdog;
    int manager = socket(AF_UNIX, SOCK_DGRAM, 0);
    int length = snprintf(name, sizeof name, "@lumenode-notify-%d", (int)getpid());

    memcpy(address.sun_path + 1, name + 1, (size_t)length - 1);
    CHECK(linux_watchdog_open(&watchdog, linux_syscalls_real(), &config) == HAL_OK);
    CHECK(linux_watchdog_kick(&watchdog) == HAL_E_NODEV); /* nobody there yet */
    CHECK(bind(manager, (const struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length)) == 0);
    CHECK(linux_watchdog_kick(&watchdog) == HAL_OK);
    CHECK(read(manager, heard, sizeof heard) == 10 && memcmp(heard, "WATCHDOG=1", 10) == 0);
    CHECK(linux_watchdog_left_s(&watchdog) == HAL_E_UNSUPPORTED);
    CHECK(linux_watchdog_close(&watchdog, 0) == HAL_OK);
    CHECK(watchdog.kicks == 1 && watchdog.kicks_failed == 1);
    CHECK(close(manager) == 0);
}

static void without_a_manager_or_any_watchdog_that_is_told(void)
{
    struct script script = script_of(NULL, 0);
    struct linux_syscalls sys = script_table(&script);
    struct linux_watchdog_config config = SERVICE;
    struct linux_watchdog watchdog;
    char name[120];

    config.notify_socket = NULL;
    CHECK(linux_watchdog_open(&watchdog, &sys, &config) == HAL_E_UNSUPPORTED);
    config.notify_socket = "vsock:2:1234";
    CHECK(linux_watchdog_open(&watchdog, &sys, &config) == HAL_E_UNSUPPORTED);
    config.notify_socket = "/";
    CHECK(linux_watchdog_open(&watchdog, &sys, &config) == HAL_E_RANGE);
    memset(name, 'n', sizeof name - 1);
    name[0] = '/';
    name[sizeof name - 1] = '\0';
    config.notify_socket = name;
    CHECK(linux_watchdog_open(&watchdog, &sys, &config) == HAL_E_RANGE);

    config = (struct linux_watchdog_config){.kind = LINUX_WATCHDOG_NONE};
    CHECK(linux_watchdog_open(&watchdog, &sys, &config) == HAL_OK);
    CHECK(linux_watchdog_kick(&watchdog) == HAL_OK && watchdog.kicks == 1);
    CHECK(linux_watchdog_left_s(&watchdog) == HAL_E_UNSUPPORTED);
    CHECK(linux_watchdog_notify(&watchdog, "READY=1") == HAL_E_UNSUPPORTED);
    CHECK(linux_watchdog_close(&watchdog, 1) == HAL_OK);
}

static void a_mistake_of_the_caller_reaches_no_kernel(void)
{
    struct script script = script_of(NULL, 0);
    struct linux_syscalls sys = script_table(&script);
    struct linux_watchdog_config bad[3] = {BOARD, BOARD, BOARD};
    struct linux_watchdog watchdog;

    bad[0].kind = 3;
    bad[1].path = NULL;
    bad[2].timeout_s = LINUX_WATCHDOG_TIMEOUT_S_MAX + 1;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(linux_watchdog_open(&watchdog, &sys, &bad[i]) == HAL_E_RANGE);
    }
    CHECK(linux_watchdog_open(NULL, &sys, &BOARD) == HAL_E_RANGE);
    CHECK(linux_watchdog_open(&watchdog, NULL, &BOARD) == HAL_E_RANGE);
    CHECK(linux_watchdog_open(&watchdog, &sys, NULL) == HAL_E_RANGE);
    CHECK(linux_watchdog_kick(&watchdog) == HAL_E_STATE);
    CHECK(linux_watchdog_kick(NULL) == HAL_E_STATE);
    CHECK(linux_watchdog_left_s(&watchdog) == HAL_E_STATE);
    CHECK(linux_watchdog_left_s(NULL) == HAL_E_STATE);
    CHECK(linux_watchdog_notify(&watchdog, "READY=1") == HAL_E_STATE);
    CHECK(linux_watchdog_notify(NULL, "READY=1") == HAL_E_STATE);
    CHECK(linux_watchdog_close(NULL, 1) == HAL_OK);
    watchdog.open = 1;
    CHECK(linux_watchdog_notify(&watchdog, NULL) == HAL_E_RANGE);
    CHECK(linux_watchdog_notify(&watchdog, "") == HAL_E_RANGE);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_watchdog_is_armed_kicked_asked_and_disarmed),
        PROMISE(every_failure_is_told_and_leaves_nothing_open),
        PROMISE(an_error_after_arming_disarms_again),
        PROMISE(a_driver_that_can_little_is_kicked_by_an_octet),
        PROMISE(what_cannot_be_disarmed_is_told),
        PROMISE(nowayout_is_read_where_the_kernel_shows_it),
        PROMISE(a_root_too_long_or_absent_leaves_nowayout_unknown),
        PROMISE(the_reset_cause_is_the_gravest_that_the_driver_names),
        PROMISE(the_service_manager_is_told_in_datagrams),
        PROMISE(a_manager_at_a_real_abstract_socket_hears_it),
        PROMISE(without_a_manager_or_any_watchdog_that_is_told),
        PROMISE(a_mistake_of_the_caller_reaches_no_kernel),
    };

    KEEP(PROMISES);
    return 0;
}
