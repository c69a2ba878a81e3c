// Decodes Sparkplug messages with the npm package sparkplug-payload, for comparison with our own eyes.
// Reads lines `topic<TAB>hex` on stdin, writes one JSON object per line, in the same order.
//
// The package knows no datatypes from births: it decodes a metric without datatype to null. Data messages carry none, as
// the specification wants it (tck-id-payloads-metric-datatype-not-req), so the datatype of the birth is put in first.
'use strict';
const readline = require('readline');
const sparkplug = require('sparkplug-payload').get('spBv1.0');
const { Payload } = require('sparkplug-payload/lib/sparkplugPayloadProto').org.eclipse.tahu.protobuf;

const births = new Map(); // group/node -> Map of "alias:N" or "device name" -> { name, datatype }

function plain(key, value) {
    if (value && typeof value === 'object' && value.constructor && value.constructor.name === 'Long') {
        return Number(value.toString());
    }
    if (typeof value === 'bigint') {
        return Number(value);
    }
    if (typeof value === 'number' && !Number.isFinite(value)) {
        return String(value);
    }
    return value;
}

function decode(topic, bytes) {
    const [, group, kind, node, device = ''] = topic.split('/');
    const key = `${group}/${node}`;
    const raw = Payload.decode(bytes);
    if (kind === 'NBIRTH') {
        births.set(key, new Map());
    }
    const known = births.get(key) || new Map();
    for (const metric of raw.metrics) {
        const hasAlias = Object.hasOwn(metric, 'alias');
        const slot = hasAlias ? `alias:${metric.alias}` : `${device}\t${metric.name}`;
        if (kind.endsWith('BIRTH')) {
            known.set(slot, { name: metric.name, datatype: metric.datatype });
        } else if (known.has(slot)) {
            metric.name = known.get(slot).name;
            metric.datatype = Object.hasOwn(metric, 'datatype') ? metric.datatype : known.get(slot).datatype;
        }
    }
    const decoded = sparkplug.decodePayload(Payload.encode(raw).finish());
    decoded.hasSeq = Object.hasOwn(raw, 'seq');
    raw.metrics.forEach((metric, i) => {
        decoded.metrics[i].isNull = metric.isNull === true;
    });
    return decoded;
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
    const [topic, hex] = line.split('\t');
    try {
        process.stdout.write(JSON.stringify(decode(topic, Buffer.from(hex, 'hex')), plain) + '\n');
    } catch (error) {
        process.stdout.write(JSON.stringify({ error: String(error) }) + '\n');
    }
});
