/*
 * What the library takes on a small gateway: its own size on the disk, that of the libraries which only it needs, and
 * the memory of the demo node. The baseline is a program with paho alone, connected to the same server.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "listener.h"
#include "paho.h"
#include "support/broker.h"

#define MOST_LIBRARIES 64

/* ---- the disk ---- */

static double file_bytes(const char *path) {
    struct stat found;
    return stat(path, &found) == 0 ? (double)found.st_size : 0;
}

static double stripped_bytes(const char *path) {
    char copy[] = "/tmp/spb-bench-XXXXXX";
    int fd = mkstemp(copy);
    close(fd);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("strip", "strip", "-o", copy, path, (char *)NULL);
        _exit(127);
    }
    int result;
    if (fd < 0 || pid < 0 || waitpid(pid, &result, 0) != pid || result != 0) {
        bench_fail("cannot strip %s", path);
    }
    double bytes = file_bytes(copy);
    unlink(copy);
    return bytes;
}

/* Part of the system in any case. */
static bool is_common(const char *path) {
    static const char *const names[] = {"/libc.", "/ld-linux", "/libm.", "/libspb", "/spb"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strstr(path, names[i])) {
            return true;
        }
    }
    return false;
}

/* Shared objects that a process has loaded, each once. */
static double dependency_bytes(pid_t pid, bool json) {
    char path[64], line[512], seen[MOST_LIBRARIES][256];
    size_t count = 0;
    double sum = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "r");
    while (maps && fgets(line, sizeof line, maps) && count < MOST_LIBRARIES) {
        char *name = strchr(line, '/');
        if (!name || !strstr(name, ".so")) {
            continue;
        }
        name[strcspn(name, "\n")] = '\0';
        bool is_known = is_common(name);
        for (size_t i = 0; i < count; i++) {
            is_known = is_known || strcmp(seen[i], name) == 0;
        }
        if (!is_known) {
            snprintf(seen[count++], sizeof *seen, "%.255s", name);
            sum += file_bytes(name);
            bench_print_as((bench_figure){.unit = "kB", .value = file_bytes(name) / 1e3}, json, "footprint/of them%s",
                           strrchr(name, '/'));
        }
    }
    if (maps) {
        fclose(maps);
    }
    return sum;
}

/* ---- memory ---- */

static pid_t start_demo(const char *uri) {
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl(SPB_TOOL, "spb", "edge", "--broker", uri, (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* A process that has nothing but paho, connected; forked while this one is small. */
static double resident_of_paho(uint16_t port) {
    int ready[2];
    if (pipe(ready) != 0) {
        bench_fail("no pipe: %s", strerror(errno));
    }
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        paho_open(port, 1, 0);
        size_t bytes = bench_resident_bytes(getpid());
        _exit(write(ready[1], &bytes, sizeof bytes) != (ssize_t)sizeof bytes);
    }
    size_t bytes = 0;
    if (read(ready[0], &bytes, sizeof bytes) != (ssize_t)sizeof bytes) {
        bench_fail("the process with paho alone failed");
    }
    waitpid(pid, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    return (double)bytes;
}

int bench_footprint(bool json) {
    broker *server = broker_new();
    broker_start(server);
    listener *subscriber = listener_start(broker_port(server));
    double paho_bytes = resident_of_paho(broker_port(server));
    pid_t demo = start_demo(broker_uri(server));
    if (!listener_wait(subscriber, 3, 2)) { /* births, and some data */
        bench_fail("the demo node does not publish");
    }
    bench_print(&(bench_figure){.name = "footprint/library, stripped",
                                .unit = "kB",
                                .value = stripped_bytes(SPB_LIBRARY) / 1e3},
                json);
    bench_print(&(bench_figure){.name = "footprint/its dependencies",
                                .unit = "kB",
                                .value = dependency_bytes(demo, json) / 1e3},
                json);
    bench_print(&(bench_figure){.name = "footprint/memory of the demo node",
                                .unit = "MB",
                                .value = (double)bench_resident_bytes(demo) / 1e6,
                                .baseline = "paho alone",
                                .baseline_value = paho_bytes / 1e6,
                                .target = 10},
                json);
    kill(demo, SIGTERM);
    waitpid(demo, NULL, 0);
    listener_stop(subscriber);
    broker_free(server);
    return 0;
}
