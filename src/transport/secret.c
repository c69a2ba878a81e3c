/* Decides which modes of a file are too open for a secret. A group that may read it, 0640, is a usual way to share it
 * with the user that a gateway runs as. */
#include "transport/secret.h"

#include <stdio.h>
#include <sys/stat.h>

static bool is_exposed(const char *option, const char *path, char *text, size_t size) {
    struct stat link, file;
    if (!path || lstat(path, &link) != 0 || stat(path, &file) != 0) {
        return false;
    }
    bool is_link = S_ISLNK(link.st_mode), is_plain = S_ISREG(file.st_mode);
    const char *who = !is_plain                                   ? NULL
                      : (file.st_mode & S_IROTH) != 0             ? "every user of this machine can read it"
                      : (file.st_mode & (S_IWGRP | S_IWOTH)) != 0 ? "others can change it"
                                                                  : NULL;
    if (who) {
        snprintf(text, size, "%s %.300s: %s (mode %04o)%s", option, path, who, (unsigned)(file.st_mode & 07777),
                 is_link ? ", and it is a symbolic link" : "");
    } else if (is_link) {
        snprintf(text, size, "%s %.300s: it is a symbolic link", option, path);
    }
    return who || is_link;
}

bool spb_secret__next(const spb_mqtt_options *settings, size_t *index, char *text, size_t size) {
    const struct {
        const char *option, *path;
    } secrets[] = {
        {"password_file", settings->password_file},
        {settings->key_file ? "key_file" : "cert_file", settings->key_file ? settings->key_file : settings->cert_file}};
    bool found = false;
    while (!found && *index < sizeof secrets / sizeof *secrets) {
        found = is_exposed(secrets[*index].option, secrets[*index].path, text, size);
        ++*index;
    }
    return found;
}
