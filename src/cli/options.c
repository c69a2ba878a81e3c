/* Decides how numbers and choices are read from a command line, and what the options for a server are. Which options a
 * command has is left to it. */
#include "cli/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/complain.h"

int options_usage(const char *command, const char *what, const char *word) {
    complain("%s%s; see spb %s --help", what, word, command);
    return CLI_USAGE;
}

bool options_number(const char *command, const char *option, const char *text, uint64_t min, uint64_t max,
                    uint64_t *out) {
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (strspn(text, "0123456789") != strlen(text) || end == text || errno || number < min || number > max) {
        complain("--%s %s: not a number from %" PRIu64 " to %" PRIu64 "; see spb %s --help", option, text, min, max,
                 command);
        return false;
    }
    *out = number;
    return true;
}

int options_choice(const char *command, const char *option, const char *text, const char *const *words) {
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            return i;
        }
    }
    char list[256];
    size_t len = (size_t)snprintf(list, sizeof list, "%s", words[0]);
    for (int i = 1; words[i] && len < sizeof list; i++) {
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", words[i + 1] ? ", " : " and ", words[i]);
    }
    complain("--%s %s: there is %s; see spb %s --help", option, text, list, command);
    return -1;
}

static bool take_version(const char *command, const char *text, spb_mqtt_version *out) {
    static const char *const words[] = {"3.1.1", "5", NULL};
    static const spb_mqtt_version versions[] = {SPB_MQTT_3_1_1, SPB_MQTT_5};
    int choice = options_choice(command, "mqtt", text, words);
    if (choice >= 0) {
        *out = versions[choice];
    }
    return choice >= 0;
}

/* As the library does for its own files; of this one it gets what is in it. */
static void warn_of_mode(FILE *file, const char *path) {
    struct stat info;
    if (fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode)) {
        return;
    }
    const char *who = (info.st_mode & S_IROTH) != 0               ? "every user of this machine can read it"
                      : (info.st_mode & (S_IWGRP | S_IWOTH)) != 0 ? "others can change it"
                                                                  : NULL;
    if (who) {
        complain("warning: --key-password-file %s: %s (mode %04o)", path, who, (unsigned)(info.st_mode & 07777));
    }
}

/* The first line of the file, which is kept for the life of the process. */
static bool take_key_password(const char *command, const char *path, const char **out) {
    static char line[1024];
    FILE *file = fopen(path, "re");
    bool is_read = file && fgets(line, sizeof line, file);
    if (file) {
        warn_of_mode(file, path);
        fclose(file);
    }
    if (!is_read) {
        complain("--key-password-file %s: cannot be read, or is empty; see spb %s --help", path, command);
        return false;
    }
    line[strcspn(line, "\r\n")] = '\0';
    *out = line;
    return true;
}

bool options_take_mqtt(const char *command, int option, const char *value, spb_mqtt_options *out) {
    switch (option) {
    case OPTIONS_MQTT_VERSION: return take_version(command, value, &out->version);
    case OPTIONS_MQTT_USER: out->user = value; break;
    case OPTIONS_MQTT_PASSWORD_FILE: out->password_file = value; break;
    case OPTIONS_MQTT_CAFILE: out->ca_file = value; break;
    case OPTIONS_MQTT_CERT: out->cert_file = value; break;
    case OPTIONS_MQTT_KEY: out->key_file = value; break;
    case OPTIONS_MQTT_KEY_PASSWORD_FILE: return take_key_password(command, value, &out->key_password);
    case OPTIONS_MQTT_CRL: out->crl_file = value; break;
    case OPTIONS_MQTT_INSECURE: out->insecure_skip_verify = true; break;
    case OPTIONS_MQTT_ALLOW_WS: out->allow_unsafe_websocket = true; break;
    default: break;
    }
    return true;
}

void options_finish_mqtt(spb_mqtt_options *out) {
    unsetenv("http_proxy");
    unsetenv("https_proxy");
    if (out->user && !out->password_file) {
        out->password = getenv("SPB_PASSWORD");
    }
}
