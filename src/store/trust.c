/* Decides what may stand at the paths of a store. Another user may have put anything there, if he can write in the
 * directory; what is in a file is left to guard.c and shape.c. */
#define _XOPEN_SOURCE 700 /* realpath, S_ISVTX */

#include "store/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#include "store/file.h"

/* ---- the file itself ---- */

static const char *describe_access(const struct stat *file) {
    if ((file->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return "others can change it";
    }
    return (file->st_mode & S_IROTH) != 0 ? "others can read it" : NULL;
}

/* Whether everybody can put another file in its place. */
static bool is_in_open_directory(const char *path) {
    char *directory = spb_file__directory(path);
    struct stat info;
    bool is_open =
        directory && stat(directory, &info) == 0 && (info.st_mode & S_IWOTH) != 0 && (info.st_mode & S_ISVTX) == 0;
    free(directory);
    return is_open;
}

/* Before there were repairs at other names, a damaged file had this one while it was read. It has no mark, so it is not
 * taken for one: its user has to look. */
static bool has_old_salvage(const char *path) {
    char *name = spb_file__name(path, ".salvage");
    bool is_there = name && spb_file__exists(name);
    free(name);
    return is_there;
}

static void warn(const char *path, const char *link, bool is_to_write, spb_error *warning) {
    struct stat file;
    char mode[48] = "", what[320] = "";
    const char *access = NULL;
    bool is_there = stat(path, &file) == 0;
    if (is_there) {
        access = describe_access(&file);
    }
    if (access) {
        snprintf(mode, sizeof mode, "; %s (mode %04o)", access, (unsigned)(file.st_mode & 07777));
    }
    bool is_of_other = is_to_write && is_there && file.st_uid != geteuid();
    snprintf(what, sizeof what, "%s%.100s%s%s%s%s", link ? "; it is a symbolic link to " : "", link ? path : "", mode,
             is_of_other ? "; it belongs to another user" : "",
             is_in_open_directory(path) ? "; everybody can put another file in its place" : "",
             has_old_salvage(path) ? "; a file of this name with .salvage is not looked at" : "");
    if (what[0]) {
        spb_error__set(warning, warning->status, "store %.80s: %s", link ? link : path, what + strlen("; "));
    }
}

spb_status spb_trust__resolve(char **out, const char *path, bool is_to_write, spb_error *warning, spb_error *err) {
    struct stat info;
    bool is_link = lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
    *out = is_link ? realpath(path, NULL) : spb_file__name(path, "");
    if (!*out && is_link && errno != ENOMEM) {
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: the symbolic link cannot be followed: %s", path,
                              strerror(errno));
    }
    if (!*out) {
        return spb_error__no_memory(err, "the store");
    }
    warn(*out, is_link ? path : NULL, is_to_write, warning);
    return SPB_OK;
}

/* ---- before it is opened ---- */

/* What is wrong with a file that SQLite would believe; NULL: nothing, or there is none. */
static const char *describe_beside(const char *name, uid_t owner, bool *has_content) {
    struct stat info;
    *has_content = lstat(name, &info) == 0 && info.st_size > 0;
    if (!spb_file__exists(name)) {
        return NULL;
    }
    if (!S_ISREG(info.st_mode)) {
        return "is not a regular file";
    }
    if (info.st_uid != geteuid() && info.st_uid != owner) {
        return "belongs to another user";
    }
    return info.st_nlink != 1 ? "has another name, too" : NULL;
}

/* A journal whose last bytes are these is part of a larger one, whose name stands before them: SQLite would open that
 * file, whatever it is, and delete it when nothing in it looks like the name of a journal. A store never has such one.
 */
static bool names_other_file(const char *journal) {
    static const unsigned char mark[8] = {0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7};
    unsigned char end[4 + 4 + sizeof mark]; /* after the length and the sum of the name */
    int fd = open(journal, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return false; /* SQLite cannot read it either */
    }
    bool is_named = lseek(fd, -(off_t)sizeof end, SEEK_END) >= 0 && read(fd, end, sizeof end) == sizeof end &&
                    memcmp(end + 8, mark, sizeof mark) == 0;
    close(fd);
    return is_named;
}

/* SQLite rolls a -journal back, and takes what is in a -wal for part of the file. A store never has both: its journal
 * is of the time before it had its log. */
static spb_status check_beside(const char *path, uid_t owner, spb_error *err) {
    static const char *const suffixes[] = {"-journal", "-wal", "-shm"};
    const char *wrong = NULL;
    bool has_content[3] = {false};
    char *name = NULL;
    for (int i = 0; !wrong && i < 3; i++) {
        free(name);
        name = spb_file__name(path, suffixes[i]);
        if (!name) {
            return spb_error__no_memory(err, "the store");
        }
        wrong = describe_beside(name, owner, &has_content[i]);
        if (!wrong && i == 0 && has_content[0] && names_other_file(name)) {
            wrong = "names another file";
        }
        if (!wrong && i == 1 && has_content[0] && has_content[1]) {
            wrong = "lies beside a journal that is not its own";
        }
    }
    spb_status status =
        wrong ? spb_error__set(err, SPB_ERR_STORE, "store %.80s: it is not opened, as %.80s %s", path, name, wrong)
              : SPB_OK;
    free(name);
    return status;
}

spb_status spb_trust__check(const char *path, spb_error *err) {
    struct stat info;
    bool is_there = stat(path, &info) == 0;
    if (is_there && !S_ISREG(info.st_mode)) {
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: it is not a regular file", path);
    }
    return check_beside(path, is_there ? info.st_uid : geteuid(), err);
}

bool spb_trust__is_private(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() && info.st_nlink == 1 &&
           (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}
