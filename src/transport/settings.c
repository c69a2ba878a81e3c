/* Decides which options go together, and reads the password. What TLS makes of its files is left to tls.c. */
#include "transport/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/error.h"
#include "transport/tls.h"

#define DEFAULT_MAX_PACKET_BYTES (1u << 20)
#define MQTT_STRING_MAX 65535

enum { STRING_COUNT = 8 };

/* The strings of the options, one after the other. */
static const char **string_at(spb_mqtt_options *options, size_t index) {
    const char **const strings[STRING_COUNT] = {
        &options->user,      &options->password, &options->password_file, &options->ca_file,
        &options->cert_file, &options->key_file, &options->key_password,  &options->crl_file,
    };
    return strings[index];
}

/* ---- what goes together ---- */

static spb_status refuse(spb_error *err, const char *why) {
    return spb_error__set(err, SPB_ERR_ARGUMENT, "%s", why);
}

static spb_status check_properties(const spb_mqtt_options *options, spb_error *err) {
    if (options->user_property_count > 0 && options->version != SPB_MQTT_5) {
        return refuse(err, "user properties need MQTT 5");
    }
    for (size_t i = 0; i < options->user_property_count; i++) {
        const spb_mqtt_property *property = &options->user_properties[i];
        if (!property->name || !property->value || strlen(property->name) > MQTT_STRING_MAX ||
            strlen(property->value) > MQTT_STRING_MAX) {
            return spb_error__set(err, SPB_ERR_ARGUMENT, "user property %zu: name or value is missing or too long", i);
        }
    }
    return SPB_OK;
}

static spb_status check(const spb_mqtt_options *options, spb_error *err) {
    if (options->version != 0 && options->version != SPB_MQTT_3_1_1 && options->version != SPB_MQTT_5) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "MQTT version %d: there is SPB_MQTT_3_1_1 and SPB_MQTT_5",
                              (int)options->version);
    }
    if (options->password && options->password_file) {
        return refuse(err, "options password and password_file exclude each other");
    }
    /* MQTT-3.1.2-22; MQTT 5 has no such rule */
    if ((options->password || options->password_file) && !options->user && options->version != SPB_MQTT_5) {
        return refuse(err, "MQTT 3.1.1 has no password without a user");
    }
    if ((options->key_file || options->key_password) && !options->cert_file) {
        return refuse(err, "options key_file and key_password need cert_file");
    }
    spb_status status = check_properties(options, err);
    if (status == SPB_OK && options->password_file) {
        char buffer[SPB_PASSWORD_MAX];
        const char *password;
        status = spb_settings__password(options, buffer, &password, err);
        OPENSSL_cleanse(buffer, sizeof buffer);
    }
    return status == SPB_OK ? spb_tls__check(options, err) : status;
}

/* ---- the copy ---- */

static bool copy_string(const char **text) {
    *text = *text ? strdup(*text) : NULL;
    return *text != NULL;
}

static bool copy_properties(spb_mqtt_options *out, const spb_mqtt_options *options) {
    spb_mqtt_property *copies = calloc(options->user_property_count, sizeof *copies);
    out->user_properties = copies;
    for (size_t i = 0; copies && i < options->user_property_count; i++) {
        copies[i] = options->user_properties[i];
        out->user_property_count = i + 1;
        bool has_name = copy_string(&copies[i].name);
        if (!copy_string(&copies[i].value) || !has_name) {
            return false;
        }
    }
    return copies != NULL;
}

spb_status spb_settings__init(spb_mqtt_options *out, const spb_mqtt_options *options, spb_error *err) {
    static const spb_mqtt_options defaults = {0};
    options = options ? options : &defaults;
    *out = defaults;
    spb_status status = check(options, err);
    if (status != SPB_OK) {
        return status;
    }
    *out = *options;
    out->version = options->version ? options->version : SPB_MQTT_3_1_1;
    out->max_packet_bytes = options->max_packet_bytes ? options->max_packet_bytes : DEFAULT_MAX_PACKET_BYTES;
    out->user_properties = NULL;
    out->user_property_count = 0;
    bool is_complete = true;
    for (size_t i = 0; i < STRING_COUNT; i++) {
        const char **text = string_at(out, i);
        is_complete = (!*text || copy_string(text)) && is_complete;
    }
    if (!is_complete || (options->user_property_count > 0 && !copy_properties(out, options))) {
        spb_settings__clear(out);
        return spb_error__no_memory(err, "the options of MQTT");
    }
    return SPB_OK;
}

static void free_secret(const char *text) {
    if (text) {
        OPENSSL_cleanse((char *)text, strlen(text));
    }
    free((char *)text);
}

void spb_settings__clear(spb_mqtt_options *settings) {
    for (size_t i = 0; i < STRING_COUNT; i++) {
        free_secret(*string_at(settings, i));
    }
    for (size_t i = 0; i < settings->user_property_count; i++) {
        free_secret(settings->user_properties[i].name);
        free_secret(settings->user_properties[i].value);
    }
    free((spb_mqtt_property *)settings->user_properties);
    *settings = (spb_mqtt_options){0};
}

/* ---- the password ---- */

/* The first line, without its end. */
static spb_status read_first_line(FILE *file, const char *path, char buffer[static SPB_PASSWORD_MAX], spb_error *err) {
    setvbuf(file, NULL, _IONBF, 0); /* no copy is left in a buffer of the C library */
    errno = 0;
    if (!fgets(buffer, SPB_PASSWORD_MAX, file) && ferror(file)) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "password_file %.120s: %s", path, strerror(errno));
    }
    size_t len = strcspn(buffer, "\r\n");
    if (buffer[len] == '\0' && !feof(file) && fgetc(file) != EOF) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "password_file %.120s: its first line is too long", path);
    }
    buffer[len] = '\0';
    return SPB_OK;
}

spb_status spb_settings__password(const spb_mqtt_options *settings, char buffer[static SPB_PASSWORD_MAX],
                                  const char **out, spb_error *err) {
    buffer[0] = '\0';
    *out = settings->password;
    if (!settings->password_file) {
        return SPB_OK;
    }
    FILE *file = fopen(settings->password_file, "re");
    if (!file) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "password_file %.120s: %s", settings->password_file,
                              strerror(errno));
    }
    spb_status status = read_first_line(file, settings->password_file, buffer, err);
    fclose(file);
    *out = status == SPB_OK ? buffer : NULL;
    return status;
}
