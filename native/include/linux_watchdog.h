/*
 * linux_watchdog.h - what resets the board, or restarts the service, when the software stops.
 *
 * Three kinds, chosen by the configuration:
 *   dev      the kernel's watchdog at /dev/watchdogN. OPENING IT ARMS IT; from then on only a kick
 *            within the timeout keeps the board up, whatever becomes of this process. It is
 *            disarmed only on request, by the magic character 'V' before the close, and not at all
 *            where the kernel was told so (nowayout).
 *   systemd  the service manager's: a datagram WATCHDOG=1 to $NOTIFY_SOCKET. For a board whose
 *            /dev/watchdog is the service manager's own (RuntimeWatchdogSec).
 *   none     kicks are counted and go nowhere.
 *
 * Memory.   `struct linux_watchdog` is the caller's; nothing is allocated.
 * Time.     A kick is one ioctl or one datagram, some us; it never waits.
 * Limits.   The timer of a Raspberry Pi counts to 15 s; ask for less. What was really set is told.
 * Source.   <linux/watchdog.h>; kernel documentation, watchdog/watchdog-api; man 3 sd_notify, which
 *           names the protocol stable.
 */
#ifndef LUMENODE_LINUX_WATCHDOG_H
#define LUMENODE_LINUX_WATCHDOG_H

#include "linux_syscalls.h"

#ifdef __cplusplus
extern "C" {
#endif

enum linux_watchdog_kind {
    LINUX_WATCHDOG_NONE = 0,
    LINUX_WATCHDOG_DEV = 1,
    LINUX_WATCHDOG_SYSTEMD = 2
};

enum linux_watchdog_nowayout {
    LINUX_NOWAYOUT_NO = 0,
    LINUX_NOWAYOUT_YES = 1,
    LINUX_NOWAYOUT_UNKNOWN = 2 /* a kernel without the watchdog's sysfs files */
};

#define LINUX_WATCHDOG_NAME_BYTES    33
#define LINUX_WATCHDOG_TIMEOUT_S_MAX 3600

struct linux_watchdog_config {
    uint32_t kind;             /* enum linux_watchdog_kind */
    const char *path;          /* dev: "/dev/watchdog" or "/dev/watchdogN" */
    const char *sysfs_root;    /* dev: "/sys", for nowayout; NULL: unknown */
    uint32_t timeout_s;        /* dev: 1 to LINUX_WATCHDOG_TIMEOUT_S_MAX; 0: leave the driver's */
    const char *notify_socket; /* systemd: the value of $NOTIFY_SOCKET, "/path" or "@abstract" */
};

struct linux_watchdog {
    const struct linux_syscalls *sys;
    uint32_t kind;          /* enum linux_watchdog_kind */
    int32_t fd;             /* -1: closed, or kind none */
    uint32_t open;          /* 1 between open and close */
    uint32_t options;       /* dev: WDIOF_* that the driver can do */
    uint32_t timeout_s;     /* dev: really set; 0: unknown */
    uint32_t boot_status;   /* dev: WDIOF_* as the driver read them at the start */
    uint32_t reset_cause;   /* enum hal_reset_cause out of it */
    uint32_t nowayout;      /* enum linux_watchdog_nowayout */
    uint32_t address_bytes; /* systemd: of `address` */
    uint64_t kicks;         /* taken */
    uint64_t kicks_failed;  /* refused */
    char identity[LINUX_WATCHDOG_NAME_BYTES]; /* dev: the driver's name for it */
    uint8_t address[112];                     /* systemd: struct sockaddr_un */
};

/*
 * Opens, and with kind dev arms. HAL_E_RANGE: NULL, a field out of bounds, a socket name too long.
 * HAL_E_NODEV: no such watchdog. HAL_E_PERM: forbidden. HAL_E_BUSY: somebody else has it (the
 * service manager, perhaps: use kind systemd). HAL_E_UNSUPPORTED: kind systemd without a socket, or
 * with one that is neither a path nor abstract.
 * A driver that cannot change its timeout keeps its own, told in timeout_s. An error after the
 * device was opened disarms it again as far as it can be.
 */
int32_t linux_watchdog_open(struct linux_watchdog *watchdog, const struct linux_syscalls *sys,
                            const struct linux_watchdog_config *config);

/*
 * Closes. `disarm` 0 leaves a kernel watchdog running: without another kick it resets the board;
 * HAL_E_UNSUPPORTED: a driver without the magic character has stopped at this close, and nothing
 * watches any more. `disarm` 1 stops it; HAL_E_PERM: it cannot be stopped (nowayout) and will reset
 * the board unless somebody opens and kicks it; HAL_E_IO and the like: the magic character was not
 * taken, same consequence. Closed in every case. Closed already or NULL: HAL_OK.
 */
int32_t linux_watchdog_close(struct linux_watchdog *watchdog, uint32_t disarm);

/* One kick. HAL_E_STATE: closed. HAL_E_BUSY: the service manager's queue is full. HAL_E_NODEV: the
 * service manager or the device is gone. HAL_E_IO: not taken. */
int32_t linux_watchdog_kick(struct linux_watchdog *watchdog);

/* Seconds until the reset without another kick. HAL_E_UNSUPPORTED: the driver cannot tell, or it
 * is not kind dev. HAL_E_CORRUPT: it tells a time that cannot be. HAL_E_STATE: closed. */
int32_t linux_watchdog_left_s(const struct linux_watchdog *watchdog);

/*
 * Tells the service manager a state such as "READY=1" or "STOPPING=1" (man 3 sd_notify), several
 * lines if wished. HAL_E_UNSUPPORTED: not kind systemd. The rest as linux_watchdog_kick().
 */
int32_t linux_watchdog_notify(const struct linux_watchdog *watchdog, const char *state);

/* The enum hal_reset_cause of a driver's boot status: over-heat, then under-voltage, then the
 * watchdog itself; nothing set tells nothing, for most drivers cannot tell a power cut from a
 * reboot. Pure. */
uint32_t linux_watchdog_reset_cause(uint32_t boot_status);

#ifdef __cplusplus
}
#endif

#endif
