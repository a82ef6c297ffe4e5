/* One SPI device through spidev, and an MCP3008 on it; see linux_spi.h. */
#include "linux_spi.h"
#include "hal.h"

#include <fcntl.h>
#include <linux/spi/spidev.h>
#include <stdlib.h>

static const uint32_t BITS_MAX = 32;

/* Mode bits beyond 0 to 3 are the controller's matter, but it has no more than 32. */
static int is_valid(const struct linux_spi_config *config)
{
    return config->path != NULL && config->sysfs_root != NULL && config->bits >= 1 &&
           config->bits <= BITS_MAX && config->hz > 0;
}

/* The module's limit for one message; a kernel with spidev built in shows the same file. */
static uint32_t read_bufsiz(const struct linux_syscalls *sys, const char *sysfs_root)
{
    char path[LINUX_PATH_BYTES];
    char text[16];
    unsigned long bytes;

    if (linux_join_path(path, sysfs_root, "/module/spidev/parameters/bufsiz") != HAL_OK ||
        linux_read_text(sys, path, text, sizeof text) <= 0) {
        return LINUX_SPI_BUFSIZ_DEFAULT;
    }
    bytes = strtoul(text, NULL, 10);
    return bytes == 0 || bytes > UINT32_MAX ? LINUX_SPI_BUFSIZ_DEFAULT : (uint32_t)bytes;
}

static int32_t set_up(struct linux_spi *spi, const struct linux_spi_config *config)
{
    uint32_t mode = config->mode;
    uint8_t bits = (uint8_t)config->bits;
    uint32_t hz = config->hz;
    int64_t result = linux_ioctl(spi->sys, spi->fd, SPI_IOC_WR_MODE32, &mode);

    if (result >= 0) {
        result = linux_ioctl(spi->sys, spi->fd, SPI_IOC_WR_BITS_PER_WORD, &bits);
    }
    /* spidev says -EINVAL to a mode or word length that the controller does not have. */
    if (linux_error(result) == HAL_E_RANGE) {
        return HAL_E_UNSUPPORTED;
    }
    if (result >= 0) {
        result = linux_ioctl(spi->sys, spi->fd, SPI_IOC_WR_MAX_SPEED_HZ, &hz);
    }
    if (result >= 0) {
        result = linux_ioctl(spi->sys, spi->fd, SPI_IOC_RD_MODE32, &mode);
    }
    if (result >= 0) {
        result = linux_ioctl(spi->sys, spi->fd, SPI_IOC_RD_BITS_PER_WORD, &bits);
    }
    if (result >= 0) {
        result = linux_ioctl(spi->sys, spi->fd, SPI_IOC_RD_MAX_SPEED_HZ, &hz);
    }
    if (result < 0) {
        return linux_error(result);
    }
    spi->bits = bits;
    spi->hz = hz;
    /* Some kernels add "chip select active high" to what they read back. */
    return ((mode ^ config->mode) & (SPI_MODE_X_MASK | config->mode)) == 0 &&
                   bits == config->bits && hz <= config->hz
               ? HAL_OK
               : HAL_E_UNSUPPORTED;
}

int32_t linux_spi_open(struct linux_spi *spi, const struct linux_syscalls *sys,
                       const struct linux_spi_config *config)
{
    int64_t opened;
    int32_t code;

    if (spi == NULL) {
        return HAL_E_RANGE;
    }
    *spi = (struct linux_spi){.sys = sys, .fd = -1};
    if (sys == NULL || config == NULL || !is_valid(config)) {
        return HAL_E_RANGE;
    }
    opened = linux_open(sys, config->path, O_RDWR);
    if (opened < 0) {
        return linux_error(opened);
    }
    spi->fd = (int32_t)opened;
    code = set_up(spi, config);
    if (code != HAL_OK) {
        linux_spi_close(spi);
        return code;
    }
    spi->bufsiz = read_bufsiz(sys, config->sysfs_root);
    return HAL_OK;
}

void linux_spi_close(struct linux_spi *spi)
{
    if (spi != NULL && spi->sys != NULL) {
        linux_close(spi->sys, &spi->fd);
    }
}

int32_t linux_spi_transfer(struct linux_spi *spi, const uint8_t *out, uint8_t *in, uint32_t bytes)
{
    struct spi_ioc_transfer transfer = {
        .tx_buf = (uintptr_t)out,
        .rx_buf = (uintptr_t)in,
        .len = bytes,
    };
    int64_t result;

    if (spi == NULL || (out == NULL && in == NULL)) {
        return HAL_E_RANGE;
    }
    if (spi->fd < 0) {
        return HAL_E_STATE;
    }
    if (bytes == 0 || bytes > spi->bufsiz) {
        return HAL_E_RANGE;
    }
    result = linux_ioctl(spi->sys, spi->fd, SPI_IOC_MESSAGE(1), &transfer);
    if (result != (int64_t)bytes) {
        spi->transfers_failed++;
        return result < 0 ? linux_error(result) : HAL_E_IO;
    }
    spi->transfers++;
    return HAL_OK;
}

int32_t linux_mcp3008_read(struct linux_spi *spi, uint32_t channel)
{
    /* Start bit, then single-ended and the channel; the value ends with the third octet. */
    const uint8_t out[3] = {0x01, (uint8_t)(0x80 | channel << 4), 0x00};
    uint8_t in[3] = {0xFF, 0xFF, 0xFF};
    int32_t code;

    if (channel > 7) {
        return HAL_E_RANGE;
    }
    code = linux_spi_transfer(spi, out, in, sizeof out);
    if (code != HAL_OK) {
        return code;
    }
    return (in[1] & 0x04) != 0 ? HAL_E_NODEV : (in[1] & 0x03) << 8 | in[2];
}
