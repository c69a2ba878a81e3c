/* Decides how lines, words and numbers are read and which of them are good. What they mean is left to machine.c and
 * sensors.c. */
#include "cli/kernel_file.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static FILE *open_stream(const char *root, const char *path) {
    char full[KERNEL_PATH_SIZE];
    int len = snprintf(full, sizeof full, "%s/%s", root, path);
    return len > 0 && len < KERNEL_PATH_SIZE ? fopen(full, "r") : NULL;
}

bool kernel_file_open(kernel_file *f, const char *root, const char *path) {
    *f = (kernel_file){.stream = open_stream(root, path)};
    return f->stream != NULL;
}

char *kernel_file_next(kernel_file *f) {
    if (getline(&f->line, &f->line_size, f->stream) < 0) {
        return NULL;
    }
    f->line[strcspn(f->line, "\n")] = '\0';
    return f->line;
}

void kernel_file_close(kernel_file *f) {
    free(f->line);
    fclose(f->stream);
}

bool kernel_file_first(char *line, size_t size, const char *root, const char *path) {
    FILE *stream = open_stream(root, path);
    if (!stream) {
        return false;
    }
    bool found = fgets(line, (int)size, stream) != NULL;
    fclose(stream);
    if (found) {
        line[strcspn(line, "\n")] = '\0';
    }
    return found && *line;
}

static bool ends_word(char c) {
    return c == '\0' || isspace((unsigned char)c);
}

static const char *skip_blanks(const char *at) {
    return at + strspn(at, " \t");
}

bool kernel_next_word(const char **at, char word[KERNEL_WORD_SIZE]) {
    const char *from = skip_blanks(*at);
    size_t len = strcspn(from, " \t");
    if (len == 0 || len >= KERNEL_WORD_SIZE) {
        return false;
    }
    memcpy(word, from, len);
    word[len] = '\0';
    *at = from + len;
    return true;
}

bool kernel_next_u64(const char **at, uint64_t *number) {
    const char *from = skip_blanks(*at);
    char *end;
    errno = 0;
    unsigned long long value = strtoull(from, &end, 10);
    if (!isdigit((unsigned char)*from) || errno || !ends_word(*end)) {
        return false;
    }
    *at = end;
    *number = value;
    return true;
}

bool kernel_next_double(const char **at, double *number) {
    char *end;
    double value = strtod(*at, &end);
    if (end == *at || !ends_word(*end) || !isfinite(value)) {
        return false;
    }
    *at = end;
    *number = value;
    return true;
}

void kernel_clean(char *text) {
    for (; *text; text++) {
        if (*text < ' ' || *text > '~' || *text == '/') {
            *text = '_';
        }
    }
}
