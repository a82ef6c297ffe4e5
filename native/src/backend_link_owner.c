/* What a node on a bench asks of a "link" device beside hal.h; see backend_link.h. */
#define _GNU_SOURCE
#include "backend_link_state.h"
#include "hal_backend.h"
#include "tick.h"

#include <poll.h>

static const uint64_t NS_PER_MS = 1000000;
static const uint64_t TELL_LOOK_NS = 100000; /* a hundred records of a UART take longer */

static int32_t find_link(struct hal *dev, const void *argument, struct link_device **device)
{
    if (dev == NULL || argument == NULL) {
        return HAL_E_RANGE;
    }
    if (dev->api == NULL) {
        return HAL_E_STATE;
    }
    if (dev->api != &hal_link_api) {
        return HAL_E_UNSUPPORTED;
    }
    *device = dev->data;
    return HAL_OK;
}

int32_t hal_link_config_init(struct hal_link_config *config)
{
    if (config == NULL) {
        return HAL_E_RANGE;
    }
    *config = (struct hal_link_config){
        .path = NULL,
        .fd = -1,
        .baud = 921600,
        .mode = LINK_MODE_FREE_RUN,
        .role = LINK_ROLE_NODE,
        .period_us = 1000000,
        .stale_ms = 3000,
    };
    return HAL_OK;
}

int32_t hal_link_wake_fd(struct hal *dev)
{
    struct link_device *device = NULL;
    int32_t found = find_link(dev, dev, &device);

    return found < 0 ? found : device->news_fd;
}

static int grant_waits(const struct link_device *device, const struct link_view *view)
{
    return view->status.phase == HAL_LINK_UP && view->grant_serial != device->taken_serial;
}

/* First the signal, then the look: what comes in between signals again. */
static const struct link_view *look(struct link_device *device)
{
    uint64_t signals = 0;

    (void)linux_read(device->sys, device->news_fd, &signals, sizeof signals);
    return link_device_view(device);
}

/* The signal stays up while there is something that this look was not for. */
static void leave_signal(struct link_device *device, int news_left)
{
    const uint64_t one = 1;

    if (news_left) {
        (void)linux_write(device->sys, device->news_fd, &one, sizeof one);
    }
}

int32_t hal_link_take_grant(struct hal *dev, struct hal_link_grant *grant)
{
    struct link_device *device = NULL;
    int32_t found = find_link(dev, grant, &device);

    if (found < 0) {
        return found;
    }
    if (device->config->mode != LINK_MODE_LOCK_STEP) {
        return HAL_E_UNSUPPORTED;
    }
    const struct link_view *view = look(device);

    leave_signal(device, view->status.phase != device->seen_phase);
    if (view->status.phase == HAL_LINK_RESET) {
        return HAL_E_NODEV;
    }
    if (!grant_waits(device, view)) {
        return 0;
    }
    device->taken_serial = view->grant_serial;
    device->grants_taken++;
    *grant = view->grant;
    return 1;
}

int32_t hal_link_wait_grant(struct hal *dev, uint64_t timeout_ns, struct hal_link_grant *grant)
{
    int32_t taken = hal_link_take_grant(dev, grant);
    struct link_device *device = taken == 0 ? dev->data : NULL;

    if (device == NULL) {
        return taken;
    }
    struct pollfd news = {.fd = device->news_fd, .events = POLLIN};
    uint64_t wait_ms = timeout_ns / NS_PER_MS + (timeout_ns % NS_PER_MS != 0);

    (void)device->sys->poll(device->sys->context, &news, 1,
                            wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms);
    return hal_link_take_grant(dev, grant);
}

int32_t hal_link_done(struct hal *dev)
{
    struct link_device *device = NULL;
    int32_t found = find_link(dev, dev, &device);

    if (found < 0) {
        return found;
    }
    if (link_device_dead(device)) {
        return HAL_E_NODEV;
    }
    if (device->taken_serial == atomic_load(&device->done_serial)) {
        return HAL_E_BUSY;
    }
    atomic_store(&device->done_serial, device->taken_serial);
    link_device_wake(device);
    return HAL_OK;
}

/* In lock-step nothing is late while the node waits, and a record lost would make two runs differ. */
static int find_room(struct link_device *device, const uint8_t *octets, uint32_t count)
{
    int waits = device->config->mode == LINK_MODE_LOCK_STEP;
    uint64_t until_ns = tick_monotonic_ns() + (waits ? HAL_LINK_TELL_WAIT_NS : 0);

    while (link_device_view(device)->status.phase == HAL_LINK_UP) {
        if (link_ring_push(&device->records, octets, count)) {
            return 1;
        }
        uint64_t now_ns = tick_monotonic_ns();

        if (now_ns >= until_ns) {
            return 0;
        }
        link_device_wake(device);
        tick_sleep_until(now_ns + TELL_LOOK_NS);
    }
    return 0;
}

int32_t hal_link_tell(struct hal *dev, const uint8_t *octets, uint32_t count)
{
    struct link_device *device = NULL;
    int32_t found = find_link(dev, octets, &device);

    if (found < 0) {
        return found;
    }
    if (count < 1 || count > LINK_PAYLOAD_BYTES_MAX) {
        return HAL_E_RANGE;
    }
    if (!find_room(device, octets, count)) {
        device->records_refused++;
        return HAL_E_BUSY;
    }
    device->records_told++;
    link_device_wake(device);
    return HAL_OK;
}

int32_t hal_link_read_status(struct hal *dev, struct hal_link_status *status)
{
    struct link_device *device = NULL;
    int32_t found = find_link(dev, status, &device);

    if (found < 0) {
        return found;
    }
    const struct link_view *view = look(device);

    *status = view->status;
    status->grants_taken = device->grants_taken;
    status->records_told = device->records_told;
    status->records_refused = device->records_refused;
    device->seen_phase = view->status.phase;
    leave_signal(device, grant_waits(device, view));
    return HAL_OK;
}
