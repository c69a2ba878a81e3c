/* Decides how a test's own mosquitto is configured, started and ended. What is tested with it is left to the tests. */
#include "support/broker.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct broker {
    char directory[64];
    char uri[64];
    char extra[2048]; /* further lines of the configuration */
    uint16_t port;
    pid_t pid; /* 0: does not run */
};

static void die(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "broker: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    exit(EXIT_FAILURE);
}

static struct sockaddr_in loopback(uint16_t port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

uint16_t broker_free_port(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof address;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        die("no free port: %s", strerror(errno));
    }
    close(fd);
    return ntohs(address.sin_port);
}

broker *broker_new(void) {
    broker *self = calloc(1, sizeof *self);
    if (!self) {
        die("out of memory");
    }
    strcpy(self->directory, "/tmp/spb-broker-XXXXXX");
    if (!mkdtemp(self->directory)) {
        die("%s: %s", self->directory, strerror(errno));
    }
    self->port = broker_free_port();
    snprintf(self->uri, sizeof self->uri, "mqtt://127.0.0.1:%u", (unsigned)self->port);
    return self;
}

void broker_write_file(broker *self, const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", self->directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    size_t len = strlen(text);
    if (fd < 0 || write(fd, text, len) != (ssize_t)len || close(fd) != 0) {
        die("%s: %s", path, strerror(errno));
    }
}

broker_path broker_file(const broker *self, const char *name) {
    broker_path path;
    snprintf(path.text, sizeof path.text, "%s/%s", self->directory, name);
    return path;
}

void broker_make_certificates(broker *self) {
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", TEST_SUPPORT_DIR "/certificates.sh", self->directory, (char *)NULL);
        _exit(127);
    }
    int result;
    if (pid < 0 || waitpid(pid, &result, 0) != pid || result != 0) {
        die("no certificates (is openssl installed?); see %s/openssl.log", self->directory);
    }
}

void broker_configure(broker *self, const char *lines) {
    size_t used = strlen(self->extra);
    while (*lines) {
        bool is_directory = strncmp(lines, "%s", 2) == 0;
        const char *piece = is_directory ? self->directory : lines;
        size_t len = is_directory ? strlen(piece) : 1;
        if (used + len >= sizeof self->extra) {
            die("the configuration is too long");
        }
        memcpy(self->extra + used, piece, len);
        used += len;
        lines += is_directory ? 2 : 1;
    }
    self->extra[used] = '\0';
}

static void write_configuration(broker *self) {
    char text[4096];
    snprintf(text, sizeof text,
             "listener %u 127.0.0.1\n"
             "%s"
             "user root\n" /* as root it would give up its rights to the directory; else this line does nothing */
             "persistence false\n"
             "set_tcp_nodelay true\n"
             "max_queued_messages 0\n"
             "log_dest file %s/log\n"
             "%s",
             (unsigned)self->port, strstr(self->extra, "allow_anonymous") ? "" : "allow_anonymous true\n",
             self->directory, self->extra);
    broker_write_file(self, "mosquitto.conf", text);
}

static bool accepts(uint16_t port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(port);
    bool is_there = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return is_there;
}

static void wait_until_it_accepts(broker *self) {
    const struct timespec pause = {.tv_nsec = 2000000};
    for (int tries = 0; tries < 10000; tries++) {
        if (accepts(self->port)) {
            return;
        }
        if (waitpid(self->pid, NULL, WNOHANG) != 0) {
            die("mosquitto did not start (is it installed?); see %s/output", self->directory);
        }
        nanosleep(&pause, NULL);
    }
    die("mosquitto does not listen on port %u", (unsigned)self->port);
}

void broker_start(broker *self) {
    write_configuration(self);
    char path[256];
    snprintf(path, sizeof path, "%s/mosquitto.conf", self->directory);
    pid_t parent = getpid();
    self->pid = fork();
    if (self->pid < 0) {
        die("fork: %s", strerror(errno));
    }
    if (self->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (chdir(self->directory) != 0 || !freopen("output", "a", stderr)) {
            _exit(126);
        }
        if (getppid() == parent) {
            execlp("mosquitto", "mosquitto", "-c", path, (char *)NULL);
            execl("/usr/sbin/mosquitto", "mosquitto", "-c", path, (char *)NULL); /* where Debian puts it */
        }
        _exit(127);
    }
    wait_until_it_accepts(self);
}

static void end_with(broker *self, int signal_number) {
    if (self->pid == 0) {
        return;
    }
    kill(self->pid, signal_number);
    kill(self->pid, SIGCONT); /* a frozen one would never see SIGTERM */
    while (waitpid(self->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    self->pid = 0;
}

void broker_stop(broker *self) {
    end_with(self, SIGTERM);
}

void broker_kill(broker *self) {
    end_with(self, SIGKILL);
}

void broker_freeze(broker *self) {
    kill(self->pid, SIGSTOP);
    waitpid(self->pid, NULL, WUNTRACED);
}

void broker_thaw(broker *self) {
    kill(self->pid, SIGCONT);
}

void broker_free(broker *self) {
    if (!self) {
        return;
    }
    broker_kill(self);
    DIR *directory = opendir(self->directory);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        unlinkat(dirfd(directory), entry->d_name, 0);
    }
    if (directory) {
        closedir(directory);
    }
    rmdir(self->directory);
    free(self);
}

uint16_t broker_port(const broker *self) {
    return self->port;
}

const char *broker_uri(const broker *self) {
    return self->uri;
}
