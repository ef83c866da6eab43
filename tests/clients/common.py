"""What the tests of both generations of the SageMaker Python SDK share: the run they are held to, servers, local mode.

    version2.py STORE RUN BINARY [IMAGE]
    version3.py STORE RUN BINARY [IMAGE]

STORE is the folder that the run RUN of `cargo xtask pipeline` kept everything in, BINARY the program that runs every job,
and IMAGE an image of it, for podman. Nothing here leaves the machine: credentials and regions are made up.
"""

import csv
import functools
import hashlib
import json
import logging
import os
import shlex
import subprocess
import sys
import tarfile
import tempfile
import unittest
from contextlib import contextmanager
from pathlib import Path

import boto3
import botocore.config
import numpy

import s3

STORE, RUN, BINARY = Path(sys.argv[1]) / "auto_mpg", sys.argv[2], Path(sys.argv[3])
IMAGE = sys.argv[4] if len(sys.argv) > 4 else None
ACCESS_KEY, SECRET_KEY, REGION, BUCKET = "nobody", "nothing", "eu-central-1", "drivetrain"
ROLE = "arn:aws:iam::000000000000:role/nobody"
SILENT = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
PREPROCESSOR = STORE / "models/preprocessor/model.tar.gz"
REGRESSOR = STORE / "models/ml" / RUN / "output/model.tar.gz"


def boto_session():
    return boto3.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION)


def read_csv(path):
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


@functools.cache
def raw_rows():
    """The test rows as texts, without the target."""
    _, rows = read_csv(STORE / "data/bronze/test/test.csv")
    return [row[1:] for row in rows]


@functools.cache
def predictions():
    """What the pipeline predicted for them."""
    _, rows = read_csv(STORE / "predictions" / RUN / "test.csv")
    return [float(row[1]) for row in rows]


def numbers():
    """The test rows as floats, NaN where a value is missing."""
    return numpy.array([[float(cell) if cell else numpy.nan for cell in row] for row in raw_rows()])


def manifest(tarball):
    """The description of an artifact: the digests of all else in it."""
    with tarfile.open(tarball) as tar:
        return tar.extractfile("manifest.json").read()


@contextmanager
def server(*arguments, folder):
    """The address of a process that serves until the end of the block."""
    environment = {"SAGEMAKER_BASE_DIR": str(folder), "SAGEMAKER_BIND_TO_PORT": "0", "RUST_LOG": "warn"}
    command = [BINARY, "serve", "--host", "127.0.0.1", *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield "http://" + process.stdout.readline().removeprefix("listening on ").strip()
        finally:
            process.terminate()
            assert process.wait() == 0


def runtime(address):
    """boto3's client, pointed at a server."""
    config = botocore.config.Config(retries={"max_attempts": 0})
    return boto_session().client("sagemaker-runtime", endpoint_url=address, config=config)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="drivetrain-clients-")))

    def serve(self, *arguments):
        return self.enterContext(server(*arguments, folder=self.folder))


class LocalModeCase(Case):
    """Local mode, with a stand-in for the `docker` that it calls and a real S3 for what it keeps in a bucket."""

    @classmethod
    def setUpClass(cls):
        cls.s3 = cls.enterClassContext(s3.server(ACCESS_KEY, SECRET_KEY, REGION, BUCKET))

    def setUp(self):
        super().setUp()
        programs = self.folder / "bin"
        programs.mkdir()
        docker = programs / "docker"
        compose = shlex.join([sys.executable, str(Path(__file__).with_name("compose.py"))])
        docker.write_text(f'#!/bin/sh\nexec {compose} "$@"\n')
        docker.chmod(0o755)
        path = os.environ["PATH"]
        self.addCleanup(os.environ.__setitem__, "PATH", path)
        os.environ["PATH"] = f"{programs}{os.pathsep}{path}"
        self.session = self.local_session()

    def local_session(self):
        """A session of local mode, with a port of its own."""
        session = self.SESSION(boto_session(), BUCKET, s3_endpoint_url=self.s3, sagemaker_config=SILENT)
        (self.folder / "root").mkdir(exist_ok=True)
        [port] = s3.free_ports(1)
        session.config = {"local": {"container_root": str(self.folder / "root"), "serving_port": port}}
        return session

    def image(self):
        return IMAGE or "drivetrain"

    def uri(self, name):
        return f"file://{self.folder / name}"

    def bucket(self, name):
        return f"s3://{BUCKET}/{name}"

    def object_digest(self, key):
        return hashlib.sha256(self.session.s3_client.get_object(Bucket=BUCKET, Key=key)["Body"].read()).hexdigest()

    def copy(self, tarball):
        """A copy of an artifact in a folder of its own, since local mode unpacks it in place."""
        place = Path(tempfile.mkdtemp(dir=self.folder))
        (place / "model.tar.gz").write_bytes(Path(tarball).read_bytes())
        return f"file://{place}/model.tar.gz"


def main():
    logging.getLogger("sagemaker").setLevel(logging.WARNING)
    os.environ["DRIVETRAIN_CLIENTS_BINARY"] = str(BINARY)
    if IMAGE:
        os.environ["DRIVETRAIN_CLIENTS_ENGINE"] = "podman"
    # The SDK leaves files and sockets open.
    unittest.main(argv=sys.argv[:1], verbosity=2, warnings="ignore")
