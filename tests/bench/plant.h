/* What is measured: an edge node with devices and metrics, born and online. */
#ifndef SPB_BENCH_PLANT_H
#define SPB_BENCH_PLANT_H

#include <spb/node.h>

typedef struct plant {
    spb_node *node;
    spb_metric **metrics; /* device by device */
    size_t device_count;
    size_t metrics_per_device;
} plant;

/* With these options, but for the names; metrics of one datatype with names of 30 bytes. Returns when it is online. */
void plant_start(plant *self, spb_node_options options, size_t device_count, size_t metrics_per_device, spb_type type);
/* The same without connecting. */
void plant_build(plant *self, spb_node_options options, size_t device_count, size_t metrics_per_device, spb_type type);
void plant_connect(plant *self);
/* Says goodbye, and frees it. */
void plant_stop(plant *self);
spb_stats plant_stats(const plant *self);

/* The topic of the data of its first device, and what a sample takes in a message: all as the node sends them. */
#define PLANT_TOPIC "spBv1.0/Plant/DDATA/Gateway/Device0"
size_t plant_sample_bytes(void);
/* Its first timestamp: all of them take as many bytes. */
#define PLANT_TIME_MS UINT64_C(1700000000000)
/* A payload of so many samples as the node sends them; the caller's, from spb_payload_encode. */
void plant_payload(size_t samples, uint8_t **bytes, size_t *len);

#endif
