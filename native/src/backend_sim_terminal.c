/* The backend "sim": the register map of its laser terminal, over what the bench wrote. */
#include "backend_sim_state.h"
#include "hal_backend.h"
#include "shared_word.h"
#include "terminal_registers.h"

#define VENDOR_SIM                0x53494D20u /* "SIM " */
#define SCAN_DEFAULT_URAD         500
#define TX_POWER_DEFAULT_PERMILLE 1000

/* What a sensor shows, or that there is no value now. */
static uint32_t sensed(const struct hal_sim_sensors *sensors, uint32_t bit, int32_t value)
{
    return (sensors->valid & bit) != 0 ? (uint32_t)value : TERM_ABSENT;
}

static uint32_t fault_of(const struct hal_sim_sensors *sensors)
{
    return (sensors->term_flags & HAL_TERM_FAULT) != 0 ? TERM_FAULT_INTERNAL : 0;
}

static uint64_t tx_rejected(const struct hal *dev)
{
    return dev->counters.tx_rejected_full + dev->counters.tx_rejected_size;
}

static uint64_t rx_frames(const struct hal *dev)
{
    const struct sim *sim = dev->data;

    return dev->counters.rx_delivered + dev->counters.rx_flushed + sim->rx.count;
}

/* Counters of the device run since opening, those of the terminal since its reset. */
static uint32_t since_reset(uint64_t now, uint64_t at_reset)
{
    return (uint32_t)(now - at_reset);
}

static uint32_t read_register(const struct hal *dev, uint32_t reg)
{
    const struct sim *sim = dev->data;
    const struct hal_sim_sensors *s = &sim->sensors;

    switch (reg) {
    case TERM_REG_MAGIC: return TERM_MAGIC;
    case TERM_REG_MAP_VERSION: return TERM_MAP_VERSION;
    case TERM_REG_VENDOR: return VENDOR_SIM;
    case TERM_REG_SERIAL: return 1;
    case TERM_REG_FRAME_BYTES_MAX: return dev->config->max_frame_bytes;
    case TERM_REG_TX_FIFO_FRAMES: return dev->config->tx_fifo_frames;
    case TERM_REG_RX_FIFO_FRAMES: return dev->config->rx_fifo_frames;
    case TERM_REG_TARGET_ID: return sim->actuators.target_id;
    case TERM_REG_LASER_ENABLE: return sim->actuators.laser_on;
    case TERM_REG_INHIBIT: return sim->term_inhibit;
    case TERM_REG_AZIMUTH_UDEG: return sim->term_azimuth_udeg;
    case TERM_REG_ELEVATION_UDEG: return sim->term_elevation_udeg;
    case TERM_REG_SCAN_URAD: return sim->term_scan_urad;
    case TERM_REG_TX_POWER_PERMILLE: return sim->term_tx_power_permille;
    case TERM_REG_RESET: return 0;
    case TERM_REG_FLAGS: return sensed(s, HAL_SENSOR_TERM_FLAGS, (int32_t)s->term_flags);
    case TERM_REG_FAULT: return sensed(s, HAL_SENSOR_TERM_FLAGS, (int32_t)fault_of(s));
    case TERM_REG_RX_POWER_MDBM: return sensed(s, HAL_SENSOR_RX_POWER, s->rx_power_mdbm);
    case TERM_REG_LASER_MDEGC: return sensed(s, HAL_SENSOR_TERM_TEMP, s->term_mdegc);
    case TERM_REG_TX_CREDIT: return sim->tx.capacity - sim->tx.count;
    case TERM_REG_TX_FRAMES: return since_reset(sim->tx_frames_total, sim->term_tx_before);
    case TERM_REG_TX_REJECTED: return since_reset(tx_rejected(dev), sim->term_rejected_before);
    case TERM_REG_RX_FRAMES: return since_reset(rx_frames(dev), sim->term_rx_before);
    case TERM_REG_RX_OVERFLOW:
        return since_reset(dev->counters.rx_overflow, sim->term_overflow_before);
    case TERM_REG_RX_PENDING: return sim->rx.count;
    case TERM_REG_POWER_MW: return sensed(s, HAL_SENSOR_LASER, s->laser_mw);
    default: return TERM_ABSENT;
    }
}

int32_t sim_term_read(struct hal *dev, uint32_t first, uint32_t count, uint32_t *values)
{
    for (uint32_t i = 0; i < count; i++) {
        values[i] = read_register(dev, first + i);
    }
    return HAL_OK;
}

void sim_reset_terminal(struct hal *dev)
{
    struct sim *sim = dev->data;

    shared_word_store(&sim->actuators.laser_on, 0);
    sim->actuators.target_id = 0;
    shared_word_store(&sim->term_inhibit, 0);
    sim->term_azimuth_udeg = 0;
    sim->term_elevation_udeg = 0;
    sim->term_scan_urad = SCAN_DEFAULT_URAD;
    sim->term_tx_power_permille = TX_POWER_DEFAULT_PERMILLE;
    dev->counters.tx_flushed += frame_ring_flush(&sim->tx);
    dev->counters.rx_flushed += frame_ring_flush(&sim->rx);
    sim->term_tx_before = sim->tx_frames_total;
    sim->term_rejected_before = tx_rejected(dev);
    sim->term_rx_before = rx_frames(dev);
    sim->term_overflow_before = dev->counters.rx_overflow;
}

/* A setter's answer as a write's: its read-back is in the register. */
static int32_t done(int32_t read_back)
{
    return read_back < 0 ? read_back : HAL_OK;
}

int32_t sim_term_write(struct hal *dev, uint32_t reg, uint32_t value)
{
    struct sim *sim = dev->data;

    switch (reg) {
    case TERM_REG_TARGET_ID: return done(dev->api->point_terminal(dev, value));
    case TERM_REG_LASER_ENABLE: return done(dev->api->set_laser(dev, value));
    case TERM_REG_INHIBIT:
        shared_word_store(&sim->term_inhibit, value);
        return value == 0 ? HAL_OK : done(dev->api->set_laser(dev, 0));
    case TERM_REG_AZIMUTH_UDEG: sim->term_azimuth_udeg = value; return HAL_OK;
    case TERM_REG_ELEVATION_UDEG: sim->term_elevation_udeg = value; return HAL_OK;
    case TERM_REG_SCAN_URAD: sim->term_scan_urad = value; return HAL_OK;
    case TERM_REG_TX_POWER_PERMILLE: sim->term_tx_power_permille = value; return HAL_OK;
    default: /* TERM_REG_RESET, its key checked by the front */
        sim_reset_terminal(dev);
        return HAL_OK;
    }
}
