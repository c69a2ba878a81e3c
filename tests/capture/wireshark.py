"""Wireshark's own dissectors of MQTT, Sparkplug and protobuf, as a second pair of eyes."""

import pathlib
import subprocess

PROTO = pathlib.Path(__file__).resolve().parent.parent.parent / "proto" / "sparkplug_b.proto"


def install_schema(directory):
    """The dissector looks for the schema under the package name that it had in its first days."""
    schema = PROTO.read_text().replace("package org.eclipse.tahu.protobuf;", "package com.cirruslink.sparkplug.protobuf;")
    (pathlib.Path(directory) / "sparkplug_b.proto").write_text(schema)


def command(capture, directory, *options):
    """tshark with that schema; to be run with environment(directory)."""
    return (["tshark", "-r", str(capture), "-o", "protobuf.pbf_as_hf:TRUE", "-o", "tcp.reassemble_out_of_order:TRUE"]
            + ["-o", f'uat:protobuf_search_paths:"{directory}","TRUE"', *options])


def environment(directory):
    """Without the settings of whoever runs this."""
    return {"HOME": str(directory), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def run(capture, directory, *options):
    return subprocess.run(command(capture, directory, *options), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=True, text=True, env=environment(directory)).stdout


def topics(capture, directory, port):
    """The topics of all that was published, copies too, in the order of the capture."""
    shown = run(capture, directory, "-d", f"tcp.port=={port},mqtt", "-Y", "mqtt.msgtype==3", "-T", "fields", "-E",
                "aggregator=|", "-e", "mqtt.topic")
    every = [topic for line in shown.splitlines() for topic in line.split("|")]
    return [topic for topic in every if "#" not in topic and "+" not in topic]  # those are of SUBSCRIBE
