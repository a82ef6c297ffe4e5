/* The real table against the kernel this runs on: each function is its system call, and a failure
 * is the negative errno. */
#define _GNU_SOURCE
#include "check.h"
#include "linux_syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const struct linux_syscalls *sys;
static char folder[] = P_tmpdir "/lumenode-syscalls-XXXXXX";

static const char *below(const char *name)
{
    static char path[2][128];
    static int turn;

    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static void a_file_is_written_read_cut_and_renamed(void)
{
    char text[8] = "";
    int fd = (int)sys->open(NULL, below("a"), O_RDWR | O_CREAT | O_EXCL, 0600);

    CHECK(fd >= 0);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(sys->write(NULL, fd, "abcdef", 6) == 6);
    CHECK(sys->pwrite(NULL, fd, "X", 1, 1) == 1);
    CHECK(sys->pread(NULL, fd, text, 3, 1) == 3 && memcmp(text, "Xcd", 3) == 0);
    CHECK(sys->read(NULL, fd, text, sizeof text) == 0);
    CHECK(sys->fsync(NULL, fd) == 0);
    CHECK(sys->ftruncate(NULL, fd, 2) == 0);
    CHECK(sys->pread(NULL, fd, text, sizeof text, 0) == 2);
    CHECK(sys->close(NULL, fd) == 0);
    CHECK(sys->close(NULL, fd) == -EBADF);
    CHECK(sys->rename(NULL, below("a"), below("b")) == 0);
    CHECK(sys->open(NULL, below("a"), O_RDONLY, 0) == -ENOENT);
}

static void a_folder_lists_what_is_in_it(void)
{
    char entries[1024];
    int fd;

    CHECK(sys->mkdir(NULL, below("inner"), 0700) == 0);
    CHECK(sys->mkdir(NULL, below("inner"), 0700) == -EEXIST);
    fd = (int)sys->open(NULL, folder, O_RDONLY | O_DIRECTORY, 0);
    CHECK(sys->getdents(NULL, fd, entries, sizeof entries) > 0);
    CHECK(sys->getdents(NULL, fd, entries, sizeof entries) == 0);
    CHECK(sys->close(NULL, fd) == 0);
    CHECK(sys->unlink(NULL, below("b")) == 0);
    CHECK(sys->unlink(NULL, below("b")) == -ENOENT);
    CHECK(rmdir(below("inner")) == 0);
}

static void memory_is_mapped_and_given_back(void)
{
    void *memory = NULL;
    int fd = (int)sys->open(NULL, below("m"), O_RDWR | O_CREAT, 0600);

    CHECK(sys->ftruncate(NULL, fd, 4096) == 0);
    CHECK(sys->mmap(NULL, fd, 4096, 0, &memory) == 0);
    ((char *)memory)[7] = 'm';
    CHECK(sys->munmap(NULL, memory, 4096) == 0);
    CHECK(sys->pread(NULL, fd, &memory, 1, 7) == 1 && *(char *)&memory == 'm');
    CHECK(sys->mmap(NULL, -1, 4096, 0, &memory) == -EBADF);
    CHECK(sys->munmap(NULL, (void *)1, 4096) == -EINVAL);
    CHECK(sys->close(NULL, fd) == 0);
    CHECK(sys->unlink(NULL, below("m")) == 0);
}

static void a_datagram_reaches_its_socket_and_a_poll_sees_it(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    uint32_t address_bytes = (uint32_t)(offsetof(struct sockaddr_un, sun_path) + 24);
    struct pollfd waited = {.events = POLLIN};
    char text[8] = "";
    int from = (int)sys->socket(NULL, AF_UNIX, SOCK_DGRAM, 0);
    int to = (int)sys->socket(NULL, AF_UNIX, SOCK_DGRAM, 0);

    snprintf(address.sun_path + 1, 32, "lumenode-%014d", (int)getpid()); /* abstract */
    CHECK(sys->sendto(NULL, from, "W", 1, &address, address_bytes) == -ECONNREFUSED);
    CHECK(bind(to, (const struct sockaddr *)&address, address_bytes) == 0);
    waited.fd = to;
    CHECK(sys->poll(NULL, &waited, 1, 0) == 0);
    CHECK(sys->sendto(NULL, from, "W", 1, &address, address_bytes) == 1);
    CHECK(sys->poll(NULL, &waited, 1, 1000) == 1 && (waited.revents & POLLIN) != 0);
    CHECK(sys->read(NULL, to, text, sizeof text) == 1 && text[0] == 'W');
    CHECK(sys->read(NULL, to, text, sizeof text) == -EAGAIN);
    CHECK(sys->ioctl(NULL, to, 0x5701, text) == -ENOTTY);
    CHECK(sys->close(NULL, from) == 0 && sys->close(NULL, to) == 0);
}

static void time_goes_on(void)
{
    uint64_t first = sys->now_ns(NULL);

    CHECK(first > 0 && sys->now_ns(NULL) >= first);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_file_is_written_read_cut_and_renamed),
        PROMISE(a_folder_lists_what_is_in_it),
        PROMISE(memory_is_mapped_and_given_back),
        PROMISE(a_datagram_reaches_its_socket_and_a_poll_sees_it),
        PROMISE(time_goes_on),
    };

    sys = linux_syscalls_real();
    CHECK(mkdtemp(folder) != NULL);
    KEEP(PROMISES);
    CHECK(rmdir(folder) == 0);
    return 0;
}
