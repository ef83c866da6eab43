"""A real S3 server on this machine, for what the SDK insists on keeping in a bucket."""

import json
import os
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import boto3
import botocore.config
import botocore.exceptions

START_TIMEOUT = 60


def free_ports(count):
    """So many ports that nobody listens on."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


@contextmanager
def server(access_key, secret_key, region, bucket):
    """The URL of a server that has the bucket, until the end of the block."""
    program = os.environ["DRIVETRAIN_WEED"]
    identity = {"name": "clients", "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
    names = ["master", "volume", "filer", "s3"]
    ports, grpc = free_ports(4), free_ports(4)
    flags = [f"-{name}.port={port}" for name, port in zip(names, ports)]
    flags += [f"-{name}.port.grpc={port}" for name, port in zip(names, grpc)]
    with tempfile.TemporaryDirectory(prefix="drivetrain-s3-", ignore_cleanup_errors=True) as folder:
        config = Path(folder, "s3.json")
        config.write_text(json.dumps({"identities": [identity]}))
        command = [program, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}", "-filer", "-s3",
                   "-s3.port.iceberg=0", "-s3.port.lance=0", "-filer.localSocket=filer.sock",
                   "-s3.localSocket=s3.sock", "-master.telemetry=false", "-master.volumeSizeLimitMB=64",
                   "-volume.max=200", f"-s3.config={config}", *flags]
        nowhere = subprocess.DEVNULL
        with subprocess.Popen(command, cwd=folder, stdout=nowhere, stderr=nowhere) as process:
            try:
                url = f"http://127.0.0.1:{ports[3]}"
                once = botocore.config.Config(retries={"max_attempts": 0})
                client = boto3.client("s3", endpoint_url=url, aws_access_key_id=access_key, region_name=region,
                                      aws_secret_access_key=secret_key, config=once)
                create(client, bucket, region, process)
                yield url
            finally:
                process.kill()


def create(client, bucket, region, process):
    """Makes the bucket as soon as the server can."""
    until = time.monotonic() + START_TIMEOUT
    while True:
        try:
            return client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
            if process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.2)
