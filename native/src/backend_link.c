/* The backend "link": opening, closing, and frames; see backend_link.h. What is sensed and set is in
 * backend_link_devices.c. */
#define _GNU_SOURCE
#include "backend_link_state.h"
#include "guard_plan.h"
#include "hal_backend.h"
#include "tick.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>

static uint64_t link_data_bytes(const struct hal_config *config)
{
    return sizeof(struct link_device) +
           link_ring_bytes(config->tx_fifo_frames, config->max_frame_bytes) +
           link_ring_bytes(config->rx_fifo_frames, config->max_frame_bytes) +
           link_ring_bytes(HAL_LINK_RECORDS, LINK_PAYLOAD_BYTES_MAX) +
           link_ring_bytes(LINK_REGISTER_ORDERS, sizeof(struct link_register_order));
}

static int config_is_good(const struct hal_link_config *config)
{
    return config != NULL && (config->path != NULL || config->fd >= 0) &&
           config->baud <= HAL_LINK_BAUD_MAX &&
           (config->mode == LINK_MODE_LOCK_STEP || config->mode == LINK_MODE_FREE_RUN) &&
           config->role >= LINK_ROLE_NODE && config->role <= LINK_ROLE_TERMINAL &&
           config->period_us >= 1000 && config->period_us <= HAL_LINK_PERIOD_US_MAX &&
           config->stale_ms >= 1 && config->stale_ms <= HAL_LINK_STALE_MS_MAX;
}

static void lay_out(struct link_device *device, const struct hal_config *config)
{
    uint8_t *memory = (uint8_t *)(device + 1);

    memory = link_ring_init(&device->tx, memory, config->tx_fifo_frames, config->max_frame_bytes);
    memory = link_ring_init(&device->rx, memory, config->rx_fifo_frames, config->max_frame_bytes);
    memory = link_ring_init(&device->records, memory, HAL_LINK_RECORDS, LINK_PAYLOAD_BYTES_MAX);
    (void)link_ring_init(&device->writes, memory, LINK_REGISTER_ORDERS,
                         sizeof(struct link_register_order));
    link_latest_init(&device->latest);
}

static int32_t open_line(struct link_device *device)
{
    const struct hal_link_config *config = device->config;

    if (config->path != NULL) {
        return link_line_open(&device->line, device->sys, config);
    }
    int flags = fcntl(config->fd, F_GETFL);

    if (flags < 0 || fcntl(config->fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        return HAL_E_RANGE; /* no descriptor */
    }
    return link_line_take(&device->line, device->sys, config->fd, config);
}

static void begin_session(struct link_device *device)
{
    const struct hal_link_config *config = device->config;
    const struct link_actuators all_off = {0};
    uint64_t now_ns = tick_monotonic_ns();
    struct link_session_config session = {
        .role = (uint8_t)config->role,
        .mode = (uint8_t)config->mode,
        .payload_bytes = link_line_payload_bytes(config->baud),
        .period_us = config->period_us,
        .boot_count = config->boot_count,
        .seed = (uint32_t)now_ns,
        .tx = &device->tx,
        .rx = &device->rx,
        .records = &device->records,
    };

    (void)getrandom(&session.seed, sizeof session.seed, GRND_NONBLOCK); /* else the time is left */
    link_session_init(&device->session, &session, now_ns);
    link_session_set_actuators(&device->session, &all_off, now_ns);
    device->view.status.line_opens = 1;
    link_device_publish(device);
}

/* The thread takes no signals: they are for the flight software's own. */
static int32_t start_thread(struct link_device *device)
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) {
        return HAL_E_IO;
    }
    int failed = pthread_create(&device->thread, NULL, link_device_run, device);

    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        return HAL_E_BUSY;
    }
    (void)pthread_setname_np(device->thread, "lumenode-link");
    return HAL_OK;
}

static void close_descriptors(struct link_device *device)
{
    linux_close(device->sys, &device->wake_fd);
    linux_close(device->sys, &device->news_fd);
    linux_close(device->sys, &device->frames_fd);
}

static int32_t link_open(struct hal *dev)
{
    struct link_device *device = dev->data;

    if (!config_is_good(dev->config->backend_config)) {
        return HAL_E_RANGE;
    }
    memset(device, 0, sizeof *device);
    device->config = dev->config->backend_config;
    device->sys = linux_syscalls_real();
    lay_out(device, dev->config);
    device->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    device->news_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    device->frames_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int fds_open = device->wake_fd >= 0 && device->news_fd >= 0 && device->frames_fd >= 0;
    int32_t opened = fds_open ? open_line(device) : HAL_E_BUSY;

    if (opened < 0) {
        close_descriptors(device);
        return opened;
    }
    begin_session(device);
    int32_t started = start_thread(device);

    if (started < 0) {
        if (device->config->path != NULL) {
            link_line_close(&device->line);
        }
        close_descriptors(device);
    }
    return started;
}

static void link_close(struct hal *dev)
{
    struct link_device *device = dev->data;

    atomic_store(&device->stop, 1);
    link_device_wake(device);
    (void)pthread_join(device->thread, NULL);
    close_descriptors(device);
}

void link_device_wake(struct link_device *device)
{
    const uint64_t one = 1;

    if (atomic_exchange(&device->woken, 1) == 0) {
        (void)linux_write(device->sys, device->wake_fd, &one, sizeof one);
    }
}

const struct link_view *link_device_view(struct link_device *device)
{
    return &device->views[link_latest_take(&device->latest)];
}

int link_device_dead(struct link_device *device)
{
    return link_device_view(device)->status.phase == HAL_LINK_RESET;
}

static int32_t link_submit_frame(struct hal *dev, const uint8_t *frame, uint32_t frame_bytes)
{
    struct link_device *device = dev->data;
    uint32_t room = link_frames_room(&device->session.out);

    if (link_device_dead(device)) {
        return HAL_E_NODEV;
    }
    if (room == 0) {
        return HAL_E_BUSY;
    }
    if (frame_bytes > link_device_view(device)->peer_frame_bytes) {
        return HAL_E_RANGE; /* the far end would not take it */
    }
    (void)link_ring_push(&device->tx, frame, frame_bytes);
    link_device_wake(device);
    return (int32_t)room - 1;
}

static int32_t link_receive_fd(struct hal *dev)
{
    const struct link_device *device = dev->data;

    return device->frames_fd;
}

static int32_t link_receive_frame(struct hal *dev, uint8_t *buffer, uint32_t buffer_bytes)
{
    struct link_device *device = dev->data;

    if (link_device_dead(device)) {
        return HAL_E_NODEV;
    }
    int32_t taken = link_ring_pop(&device->rx, buffer, buffer_bytes);

    if (taken > 0) {
        link_device_wake(device); /* there is credit to be told */
    }
    return taken;
}

/* Words that the link's thread obeys; what the guard stores lasts, for nothing else writes them. */
static struct guard_plan_step store(size_t offset, uint32_t value)
{
    return (struct guard_plan_step){.kind = GUARD_STORE, .offset = offset, .value = value};
}

static int32_t link_safe_plan(struct hal *dev, struct guard_plan *plan)
{
    (void)dev;
    plan->steps[plan->count++] = store(offsetof(struct link_device, orders.inhibit), 1);
    plan->steps[plan->count++] = store(offsetof(struct link_device, orders.laser_on), 0);
    plan->steps[plan->count++] = store(offsetof(struct link_device, orders.payload_level), 0);
    return HAL_OK;
}

static int32_t link_clear_throttle(struct hal *dev)
{
    struct link_device *device = dev->data;

    atomic_store(&device->throttle_latched, 0);
    return HAL_OK;
}

const struct hal_api hal_link_api = {
    .name = "link",
    .data_bytes = link_data_bytes,
    .open = link_open,
    .close = link_close,
    .snapshot = link_snapshot,
    .set_payload_level = link_set_payload_level,
    .set_heater = link_set_heater,
    .point_terminal = link_point_terminal,
    .set_laser = link_set_laser,
    .submit_frame = link_submit_frame,
    .receive_frame = link_receive_frame,
    .receive_fd = link_receive_fd,
    .kick_watchdog = link_kick_watchdog,
    .set_payload_busy = link_set_payload_busy,
    .term_read = link_term_read,
    .term_write = link_term_write,
    .clear_throttle = link_clear_throttle,
    .safe_plan = link_safe_plan,
};
