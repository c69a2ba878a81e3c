/* Decides which modes of a file are too open for a secret, or for what servers are verified by. A group that may read a
 * secret, 0640, is a usual way to share it with the user that a gateway runs as; everybody may read a certificate.
 */
#include "transport/secret.h"

#include <stdio.h>
#include <sys/stat.h>

typedef struct trusted_file {
    const char *option, *path;
    bool is_secret;
} trusted_file;

static bool is_exposed(const trusted_file *of, char *text, size_t size) {
    struct stat link, file;
    if (!of->path || lstat(of->path, &link) != 0 || stat(of->path, &file) != 0) {
        return false;
    }
    bool is_link = of->is_secret && S_ISLNK(link.st_mode), is_plain = S_ISREG(file.st_mode);
    const char *who = !is_plain                                        ? NULL
                      : of->is_secret && (file.st_mode & S_IROTH) != 0 ? "every user of this machine can read it"
                      : (file.st_mode & (S_IWGRP | S_IWOTH)) != 0      ? "others can change it"
                                                                       : NULL;
    if (who) {
        snprintf(text, size, "%s %.300s: %s (mode %04o)%s", of->option, of->path, who, (unsigned)(file.st_mode & 07777),
                 is_link ? ", and it is a symbolic link" : "");
    } else if (is_link) {
        snprintf(text, size, "%s %.300s: it is a symbolic link", of->option, of->path);
    }
    return who || is_link;
}

bool spb_secret__next(const spb_mqtt_options *settings, size_t *index, char *text, size_t size) {
    const trusted_file files[] = {{"password_file", settings->password_file, true},
                                  {"key_file", settings->key_file, true},
                                  {"cert_file", settings->cert_file, !settings->key_file}, /* the key may be in it */
                                  {"ca_file", settings->ca_file, false},
                                  {"crl_file", settings->crl_file, false}};
    bool found = false;
    while (!found && *index < sizeof files / sizeof *files) {
        found = is_exposed(&files[*index], text, size);
        ++*index;
    }
    return found;
}
