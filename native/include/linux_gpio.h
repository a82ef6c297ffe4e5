/*
 * linux_gpio.h - one line of a GPIO controller, through the character device, version 2.
 *
 * A controller is found by its label and a line by its name or offset: the number in
 * /dev/gpiochipN changes between kernels (the 40-pin header of a Raspberry Pi 5 was gpiochip4 and
 * is gpiochip0). Nothing of the old sysfs interface or of version 1 is used.
 *
 * A line belongs to the process while it is open. When the descriptor is closed, however the
 * process ended, the kernel frees the line; what an output then does is the driver's choice, so
 * wire a safe level by a resistor.
 *
 * Memory.   `struct linux_gpio` is the caller's, about 40 octets; nothing is allocated.
 * Time.     open: one system call a controller, one a line when searching by name (a Jetson's main
 *           controller has 164). get, set: one and two system calls, some us; a line on an I2C
 *           expander takes a bus transfer, about 1 ms. wait: as long as asked.
 * Labels.   pinctrl-rp1 (Raspberry Pi 5), pinctrl-bcm2711 (Pi 4), tegra234-gpio and
 *           tegra234-gpio-aon (Jetson Orin). Line names of a Pi's header: GPIO2 to GPIO27.
 * Source.   <linux/gpio.h>; kernel documentation, userspace-api/gpio/chardev.
 */
#ifndef LUMENODE_LINUX_GPIO_H
#define LUMENODE_LINUX_GPIO_H

#include "linux_syscalls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* gpiochip0 to this minus one are looked at; a board has 2 to 14. */
#define LINUX_GPIO_CHIPS_MAX 32

/* Lines of a controller that are searched for a name; the largest known has 164. */
#define LINUX_GPIO_LINES_MAX 1024

enum linux_gpio_direction { LINUX_GPIO_INPUT = 0, LINUX_GPIO_OUTPUT = 1 };

enum linux_gpio_bias {
    LINUX_GPIO_BIAS_AS_IS = 0,
    LINUX_GPIO_BIAS_OFF = 1,
    LINUX_GPIO_BIAS_PULL_UP = 2,
    LINUX_GPIO_BIAS_PULL_DOWN = 3
};

/* Edges to wait for, seen logically: with active_low a rising edge is a falling voltage. */
enum linux_gpio_edge { LINUX_GPIO_RISING = 1 << 0, LINUX_GPIO_FALLING = 1 << 1 };

struct linux_gpio_config {
    const char *dev_root; /* "/dev" */
    const char *chip;     /* label; NULL: whichever controller has the named line */
    const char *line;     /* name; NULL: by offset. The first line of that name is taken */
    uint32_t offset;      /* of the line in its controller, when `line` is NULL */
    uint32_t direction;   /* enum linux_gpio_direction */
    uint32_t bias;        /* enum linux_gpio_bias */
    uint32_t edges;       /* enum linux_gpio_edge, inputs only; 0: no events */
    uint32_t active_low;  /* 1: logical 1 is low voltage */
    uint32_t initial;     /* logical level that an output has from the first moment on */
};

struct linux_gpio {
    const struct linux_syscalls *sys;
    int32_t fd;           /* of the line; -1: closed */
    uint32_t chip;        /* N of the gpiochipN it was found on */
    uint32_t offset;      /* there */
    uint32_t direction;   /* enum linux_gpio_direction */
    uint32_t last_seqno;  /* of the last event of this line, 0 before the first */
    uint64_t events_lost; /* the kernel's queue overflowed: a gap in the numbers */
};

struct linux_gpio_event {
    uint64_t t_ns; /* CLOCK_MONOTONIC at the interrupt (kernel 5.7 and later) */
    uint32_t edge; /* enum linux_gpio_edge */
    uint32_t seqno;
};

/*
 * Finds and requests the line. HAL_E_RANGE: NULL, neither chip nor line, edges on an output, a
 * field outside its enum, or an offset past the controller's last line. HAL_E_NODEV: no such
 * controller or line. HAL_E_PERM: every candidate is forbidden (the group `gpio` may). HAL_E_BUSY:
 * a driver or another process has the line. HAL_E_UNSUPPORTED: a kernel before 5.10.
 * HAL_E_CORRUPT: a controller claims more than LINUX_GPIO_LINES_MAX lines to search.
 * On error the line is closed.
 */
int32_t linux_gpio_open(struct linux_gpio *gpio, const struct linux_syscalls *sys,
                        const struct linux_gpio_config *config);

/* Gives the line back; closed or NULL: nothing happens. */
void linux_gpio_close(struct linux_gpio *gpio);

/* @return the logical level, 0 or 1. HAL_E_STATE: closed. HAL_E_NODEV: the controller is gone. */
int32_t linux_gpio_get(const struct linux_gpio *gpio);

/*
 * Sets an output. @return the level READ BACK, which an external short makes differ.
 * HAL_E_RANGE: not 0 or 1. HAL_E_PERM: an input. HAL_E_STATE: closed.
 */
int32_t linux_gpio_set(const struct linux_gpio *gpio, uint32_t level);

/*
 * Waits for an edge, `timeout_ns` at most; 0 only looks.
 * @return 1 with `*event` (the caller's) filled, 0 when there was none.
 * HAL_E_RANGE: NULL. HAL_E_STATE: closed. HAL_E_NODEV: the controller is gone. HAL_E_IO: half an
 * event. The kernel queues 16 events; older ones are then lost and counted.
 */
int32_t linux_gpio_wait(struct linux_gpio *gpio, uint64_t timeout_ns,
                        struct linux_gpio_event *event);

#ifdef __cplusplus
}
#endif

#endif
