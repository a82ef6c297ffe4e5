/* Kernel watchdog and service manager's watchdog; see linux_watchdog.h. */
#include "linux_watchdog.h"
#include "hal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static const char MAGIC_CLOSE[] = "V";
static const char STILL_ALIVE[] = "WATCHDOG=1";

_Static_assert(sizeof(struct sockaddr_un) <= sizeof((struct linux_watchdog *)0)->address,
               "a socket's address fits");

uint32_t linux_watchdog_reset_cause(uint32_t boot_status)
{
    if ((boot_status & WDIOF_OVERHEAT) != 0) {
        return HAL_RESET_OVERHEAT;
    }
    if ((boot_status & WDIOF_POWERUNDER) != 0) {
        return HAL_RESET_UNDER_VOLTAGE;
    }
    return (boot_status & WDIOF_CARDRESET) != 0 ? HAL_RESET_WATCHDOG : HAL_RESET_UNKNOWN;
}

static int is_valid(const struct linux_watchdog_config *config)
{
    return config->kind <= LINUX_WATCHDOG_SYSTEMD &&
           (config->kind != LINUX_WATCHDOG_DEV ||
            (config->path != NULL && config->timeout_s <= LINUX_WATCHDOG_TIMEOUT_S_MAX));
}

/* "/dev/watchdog" is the first of them. */
static const char *number_of(const char *path)
{
    const char *number = path + strlen(path);

    while (number > path && number[-1] >= '0' && number[-1] <= '9') {
        number--;
    }
    return *number == '\0' ? "0" : number;
}

static uint32_t read_nowayout(const struct linux_syscalls *sys,
                              const struct linux_watchdog_config *config)
{
    char folder[LINUX_PATH_BYTES];
    char path[LINUX_PATH_BYTES];
    char text[4];

    if (config->sysfs_root == NULL ||
        linux_join_path(folder, config->sysfs_root, "/class/watchdog/watchdog") != HAL_OK ||
        linux_join_path(path, folder, number_of(config->path)) != HAL_OK ||
        linux_join_path(path, path, "/nowayout") != HAL_OK ||
        linux_read_text(sys, path, text, sizeof text) <= 0) {
        return LINUX_NOWAYOUT_UNKNOWN;
    }
    return text[0] == '0' ? LINUX_NOWAYOUT_NO : LINUX_NOWAYOUT_YES;
}

/* Everything the driver tells about itself, and the timeout that it really takes. */
static int32_t ask_device(struct linux_watchdog *watchdog,
                          const struct linux_watchdog_config *config)
{
    struct watchdog_info info = {0};
    int timeout_s = (int)config->timeout_s;
    int boot_status = 0;
    int64_t result = linux_ioctl(watchdog->sys, watchdog->fd, WDIOC_GETSUPPORT, &info);

    if (result < 0) {
        return linux_error(result);
    }
    watchdog->options = info.options;
    memcpy(watchdog->identity, info.identity, sizeof info.identity);
    if (timeout_s > 0 && (info.options & WDIOF_SETTIMEOUT) != 0) {
        result = linux_ioctl(watchdog->sys, watchdog->fd, WDIOC_SETTIMEOUT, &timeout_s);
        if (result < 0) {
            return linux_error(result);
        }
    } else if (linux_ioctl(watchdog->sys, watchdog->fd, WDIOC_GETTIMEOUT, &timeout_s) < 0) {
        timeout_s = 0;
    }
    watchdog->timeout_s = timeout_s > 0 ? (uint32_t)timeout_s : 0;
    if (linux_ioctl(watchdog->sys, watchdog->fd, WDIOC_GETBOOTSTATUS, &boot_status) >= 0) {
        watchdog->boot_status = (uint32_t)boot_status;
    }
    watchdog->reset_cause = linux_watchdog_reset_cause(watchdog->boot_status);
    return HAL_OK;
}

static int32_t open_device(struct linux_watchdog *watchdog,
                           const struct linux_watchdog_config *config)
{
    int64_t opened = linux_open(watchdog->sys, config->path, O_WRONLY);
    int32_t code;

    if (opened < 0) {
        return linux_error(opened);
    }
    watchdog->fd = (int32_t)opened; /* armed from here on */
    code = ask_device(watchdog, config);
    if (code != HAL_OK) {
        (void)linux_write(watchdog->sys, watchdog->fd, MAGIC_CLOSE, 1);
        linux_close(watchdog->sys, &watchdog->fd);
        return code;
    }
    watchdog->nowayout = read_nowayout(watchdog->sys, config);
    return HAL_OK;
}

static int32_t open_service(struct linux_watchdog *watchdog, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length;
    int64_t opened;

    if (name == NULL || (name[0] != '/' && name[0] != '@')) {
        return HAL_E_UNSUPPORTED; /* not started by a service manager, or by one over VSOCK */
    }
    length = strlen(name);
    if (length < 2 || length >= sizeof address.sun_path) {
        return HAL_E_RANGE;
    }
    memcpy(address.sun_path, name, length);
    if (name[0] == '@') {
        address.sun_path[0] = '\0'; /* abstract: no file, and no NUL at its end */
    }
    watchdog->address_bytes =
        (uint32_t)(offsetof(struct sockaddr_un, sun_path) + length + (name[0] == '/'));
    memcpy(watchdog->address, &address, sizeof address);
    opened = watchdog->sys->socket(watchdog->sys->context, AF_UNIX, SOCK_DGRAM, 0);
    if (opened < 0) {
        return linux_error(opened);
    }
    watchdog->fd = (int32_t)opened;
    return HAL_OK;
}

int32_t linux_watchdog_open(struct linux_watchdog *watchdog, const struct linux_syscalls *sys,
                            const struct linux_watchdog_config *config)
{
    int32_t code = HAL_OK;

    if (watchdog == NULL) {
        return HAL_E_RANGE;
    }
    *watchdog = (struct linux_watchdog){
        .sys = sys,
        .fd = -1,
        .reset_cause = HAL_RESET_UNKNOWN,
        .nowayout = LINUX_NOWAYOUT_UNKNOWN,
    };
    if (sys == NULL || config == NULL || !is_valid(config)) {
        return HAL_E_RANGE;
    }
    watchdog->kind = config->kind;
    if (config->kind == LINUX_WATCHDOG_DEV) {
        code = open_device(watchdog, config);
    } else if (config->kind == LINUX_WATCHDOG_SYSTEMD) {
        code = open_service(watchdog, config->notify_socket);
    }
    watchdog->open = code == HAL_OK;
    return code;
}

/* Whether the kernel will let go; HAL_OK with the magic character written. */
static int32_t disarm_device(struct linux_watchdog *watchdog)
{
    int off = WDIOS_DISABLECARD;
    int64_t result;

    if (watchdog->nowayout == LINUX_NOWAYOUT_UNKNOWN &&
        linux_ioctl(watchdog->sys, watchdog->fd, WDIOC_SETOPTIONS, &off) == -EBUSY) {
        watchdog->nowayout = LINUX_NOWAYOUT_YES;
    }
    if (watchdog->nowayout == LINUX_NOWAYOUT_YES) {
        return HAL_E_PERM;
    }
    result = linux_write(watchdog->sys, watchdog->fd, MAGIC_CLOSE, 1);
    if (result != 1) {
        return result < 0 ? linux_error(result) : HAL_E_IO;
    }
    return HAL_OK;
}

int32_t linux_watchdog_close(struct linux_watchdog *watchdog, uint32_t disarm)
{
    int32_t code = HAL_OK;

    if (watchdog == NULL || !watchdog->open) {
        return HAL_OK;
    }
    if (watchdog->kind == LINUX_WATCHDOG_DEV) {
        if (disarm) {
            code = disarm_device(watchdog);
        } else if ((watchdog->options & WDIOF_MAGICCLOSE) == 0 &&
                   watchdog->nowayout != LINUX_NOWAYOUT_YES) {
            code = HAL_E_UNSUPPORTED; /* this driver stops at any close */
        }
    }
    linux_close(watchdog->sys, &watchdog->fd);
    watchdog->open = 0;
    return code;
}

static int64_t send_state(const struct linux_watchdog *watchdog, const char *state)
{
    return watchdog->sys->sendto(watchdog->sys->context, watchdog->fd, state, strlen(state),
                                 watchdog->address, watchdog->address_bytes);
}

int32_t linux_watchdog_kick(struct linux_watchdog *watchdog)
{
    int64_t result = 0;

    if (watchdog == NULL || !watchdog->open) {
        return HAL_E_STATE;
    }
    if (watchdog->kind == LINUX_WATCHDOG_SYSTEMD) {
        result = send_state(watchdog, STILL_ALIVE);
    } else if (watchdog->kind == LINUX_WATCHDOG_DEV) {
        int ignored = 0;

        /* Every driver takes any octet but the magic one as a kick; most take the ioctl, too. */
        result = (watchdog->options & WDIOF_KEEPALIVEPING) != 0
                     ? linux_ioctl(watchdog->sys, watchdog->fd, WDIOC_KEEPALIVE, &ignored)
                     : linux_write(watchdog->sys, watchdog->fd, "k", 1);
    }
    if (result < 0) {
        watchdog->kicks_failed++;
        return linux_error(result);
    }
    watchdog->kicks++;
    return HAL_OK;
}

int32_t linux_watchdog_left_s(const struct linux_watchdog *watchdog)
{
    int left_s = 0;
    int64_t result;

    if (watchdog == NULL || !watchdog->open) {
        return HAL_E_STATE;
    }
    if (watchdog->kind != LINUX_WATCHDOG_DEV) {
        return HAL_E_UNSUPPORTED;
    }
    result = linux_ioctl(watchdog->sys, watchdog->fd, WDIOC_GETTIMELEFT, &left_s);
    if (result < 0) {
        return linux_error(result);
    }
    return left_s < 0 ? HAL_E_CORRUPT : left_s;
}

int32_t linux_watchdog_notify(const struct linux_watchdog *watchdog, const char *state)
{
    if (watchdog == NULL || !watchdog->open) {
        return HAL_E_STATE;
    }
    if (state == NULL || state[0] == '\0') {
        return HAL_E_RANGE;
    }
    if (watchdog->kind != LINUX_WATCHDOG_SYSTEMD) {
        return HAL_E_UNSUPPORTED;
    }
    return linux_error(send_state(watchdog, state));
}
