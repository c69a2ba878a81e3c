/* What several commands share of their command lines: numbers, and the options that say how a server is reached. */
#ifndef SPB_CLI_OPTIONS_H
#define SPB_CLI_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

#include <spb/transport.h>

/* Each writes one line to stderr that names the command, and returns CLI_USAGE. */
int options_usage(const char *command, const char *what, const char *word);
/* False after such a line: `text` is not a number from `min` to `max`. */
bool options_number(const char *command, const char *option, const char *text, uint64_t min, uint64_t max,
                    uint64_t *out);
/* The place of a word in a list that ends with NULL; −1 after such a line, which tells the list. */
int options_choice(const char *command, const char *option, const char *text, const char *const *words);

/* For the table of getopt_long; their values are from OPTIONS_MQTT_FIRST on. */
enum {
    OPTIONS_MQTT_FIRST = 512,
    OPTIONS_MQTT_VERSION = OPTIONS_MQTT_FIRST,
    OPTIONS_MQTT_USER,
    OPTIONS_MQTT_PASSWORD_FILE,
    OPTIONS_MQTT_CAFILE,
    OPTIONS_MQTT_CERT,
    OPTIONS_MQTT_KEY,
    OPTIONS_MQTT_KEY_PASSWORD_FILE,
    OPTIONS_MQTT_CRL,
    OPTIONS_MQTT_INSECURE,
    OPTIONS_MQTT_ALLOW_WS,
    OPTIONS_MQTT_HELP
};
#define OPTIONS_MQTT                                                                                                   \
    {"mqtt", required_argument, NULL, OPTIONS_MQTT_VERSION}, {"user", required_argument, NULL, OPTIONS_MQTT_USER},     \
        {"password-file", required_argument, NULL, OPTIONS_MQTT_PASSWORD_FILE},                                        \
        {"cafile", required_argument, NULL, OPTIONS_MQTT_CAFILE},                                                      \
        {"cert", required_argument, NULL, OPTIONS_MQTT_CERT}, {"key", required_argument, NULL, OPTIONS_MQTT_KEY},      \
        {"key-password-file", required_argument, NULL, OPTIONS_MQTT_KEY_PASSWORD_FILE},                                \
        {"crl", required_argument, NULL, OPTIONS_MQTT_CRL}, {"insecure", no_argument, NULL, OPTIONS_MQTT_INSECURE},    \
        {"allow-unsafe-websocket", no_argument, NULL, OPTIONS_MQTT_ALLOW_WS}, {                                        \
        "help-mqtt", no_argument, NULL, OPTIONS_MQTT_HELP                                                              \
    }

/* Takes one of them but OPTIONS_MQTT_HELP. False after a line on stderr. */
bool options_take_mqtt(const char *command, int option, const char *value, spb_mqtt_options *out);
/* When all are taken: the password from the environment; and web proxies, through which the library refuses to reach an
 * MQTT server, are forgotten. */
void options_finish_mqtt(spb_mqtt_options *out);

#endif
