/*
 * hal_wake.h - what wakes a loop that waits for frames: a descriptor beside hal.h, so that a command
 * is taken when it arrives and not when somebody looks next.
 */
#ifndef LUMENODE_HAL_WAKE_H
#define LUMENODE_HAL_WAKE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hal; /* hal.h */

/*
 * An eventfd for a selector, the device's, closed with it. It is readable from the moment on at which
 * a frame was received, until it is read (8 octets): read first, then take frames until there is
 * none, so that what comes in between signals again.
 * HAL_E_UNSUPPORTED: this terminal has to be asked (a simulated one has no line of its own).
 * HAL_E_STATE: closed. Worst case 1 us.
 */
int32_t hal_receive_fd(struct hal *dev);

#ifdef __cplusplus
}
#endif

#endif
