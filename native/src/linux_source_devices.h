/*
 * linux_source_devices.h - sources that are no files: a Raspberry Pi's firmware, an INA on an I2C
 * bus, a converter on an SPI bus. Each is opened by the first reading and again after it was
 * unplugged, once a second at most. Errors as in linux_source_read().
 */
#ifndef LUMENODE_LINUX_SOURCE_DEVICES_H
#define LUMENODE_LINUX_SOURCE_DEVICES_H

#include "linux_source.h"

/* The throttle word through /dev/vcio, node 0. */
int32_t linux_source_throttled(const struct linux_reader *reader, struct linux_source *source,
                               uint32_t *word);

/*
 * A throttle word becomes throttle bits: those that hold now, and among the latched ones those too
 * whose sticky twin was raised since the last word. Sticky bits of the first word are from before
 * our time. The kernel's own driver clears them every two seconds, so they are never the only
 * witness. Pure but for the latch.
 */
void linux_throttle_word(struct linux_source *source, uint32_t word, struct linux_value *value,
                         _Atomic uint32_t *latched);

/* Board power of a Raspberry Pi 5, estimated (linux_pmic.h), through /dev/vcio, node 0. */
int32_t linux_source_pmic(const struct linux_reader *reader, struct linux_source *source,
                          struct linux_value *value);

int32_t linux_source_ina(const struct linux_reader *reader, struct linux_source *source,
                         struct linux_value *value);

int32_t linux_source_input(const struct linux_reader *reader, struct linux_source *source,
                           struct linux_value *value);

/* Closes an INA's bus; the converter is shared and closed with the sampler. */
void linux_source_release(const struct linux_reader *reader, const struct linux_source *source);

#endif
