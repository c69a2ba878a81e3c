/* Reading the small text files of /proc and /sys: lines, words, numbers. Nothing of their content is trusted. */
#ifndef SPB_CLI_KERNEL_FILE_H
#define SPB_CLI_KERNEL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    KERNEL_PATH_SIZE = 512,
    KERNEL_WORD_SIZE = 64 /* words that are longer are none */
};

typedef struct kernel_file {
    FILE *stream;
    char *line;
    size_t line_size;
} kernel_file;

/* False if there is no such file; there is nothing to close then. */
bool kernel_file_open(kernel_file *f, const char *root, const char *path);
/* The next line without its line feed, NULL after the last; the caller may change it. */
char *kernel_file_next(kernel_file *f);
void kernel_file_close(kernel_file *f);
/* The first line, cut if it is too long. False if it is empty or cannot be read: sensors that sleep answer with errors.
 */
bool kernel_file_first(char *line, size_t size, const char *root, const char *path);

/* The next word of a line, behind any blanks, and *at behind it; false if it is no such thing. */
bool kernel_next_word(const char **at, char word[KERNEL_WORD_SIZE]);
bool kernel_next_u64(const char **at, uint64_t *number);
bool kernel_next_double(const char **at, double *number); /* finite */

/* Makes printable ASCII of any bytes, without '/': one level of a metric name. */
void kernel_clean(char *text);

#endif
