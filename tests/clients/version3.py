"""The jobs and endpoints, driven by the SageMaker Python SDK of the third generation, held to a run of the pipeline.

What of it runs without AWS, by its source:

* `ModelTrainer` in `Mode.LOCAL_CONTAINER`, with `docker compose`; no argument reaches the image.
* `Processor` and `Transformer` with a `LocalSession`, whose client also makes models and endpoints.
* `Endpoint.invoke`, once boto3 is told where the endpoint is.

What does not: `ModelBuilder` and its `LocalEndpoint`, which speak to a Docker daemon, always pull the image from a registry
and know only the servers of deep learning (TorchServe, Triton and so on); `ModelTrainer.latest_model_artifacts` and whatever
else asks the service for a job; logs of processing jobs, which are asked of CloudWatch even in local mode.
"""

import hashlib
import json
import os
import tarfile
import uuid
from contextlib import contextmanager
from unittest import mock

import botocore.exceptions
import numpy
from sagemaker.core.deserializers import JSONDeserializer, NumpyDeserializer
from sagemaker.core.local.local_session import LocalSession
from sagemaker.core.processing import Processor
from sagemaker.core.resources import Endpoint
from sagemaker.core.serializers import CSVSerializer, JSONSerializer, NumpySerializer
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.transformer import Transformer
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData
from sagemaker.train.model_trainer import Mode

import common
from common import (
    PREPROCESSOR, REGION, REGRESSOR, ROLE, STORE, Case, LocalModeCase, boto_session, manifest, numbers, predictions,
    raw_rows, runtime,
)


class Endpoints(Case):
    """`Endpoint.invoke` against the server itself: its serializers, its deserializers, and none."""

    def endpoint(self, tarball, serializer=None, deserializer=None):
        """Invokes a server that answers with the model."""
        address = self.serve("--model-dir", tarball)
        endpoint = Endpoint(endpoint_name="cars", serializer=serializer, deserializer=deserializer)
        session = boto_session()

        def invoke(body, **arguments):
            # A client of its own is made for each session.
            with mock.patch.dict(os.environ, {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": address}):
                return endpoint.invoke(body, session=session, region=REGION, **arguments)

        return invoke

    def test_a_chain_of_two_containers_answers_as_the_pipeline_did(self):
        preprocessor, regressor = self.endpoint(PREPROCESSOR), self.endpoint(REGRESSOR)
        rows = "\n".join(",".join(row) for row in raw_rows())
        for between in ("application/json", "application/x-npy", "text/csv", "application/jsonlines"):
            features = preprocessor(rows, content_type="text/csv", accept=between)
            self.assertEqual(features.content_type, between)
            answer = regressor(features.body.read(), content_type=between, accept="application/json",
                               custom_attributes="trace=7", inference_id="7")
            self.assertEqual(answer.custom_attributes, "trace=7")
            self.assertEqual([row["prediction"] for row in json.load(answer.body)], predictions(), between)

    def test_serializers_and_deserializers_are_understood(self):
        nulls = [[None if numpy.isnan(cell) else cell for cell in row] for row in numbers().tolist()]
        for serializer, rows in [
            (NumpySerializer(), numbers()),
            (CSVSerializer(), raw_rows()),
            (JSONSerializer(), nulls),
            (JSONSerializer(), {"instances": nulls}),
        ]:
            with self.subTest(type(serializer).__name__):
                types = {"content_type": serializer.CONTENT_TYPE, "accept": "application/x-npy"}
                features = self.endpoint(PREPROCESSOR, serializer, NumpyDeserializer())(rows, **types).body
                types = {"content_type": "application/x-npy", "accept": "application/json"}
                answer = self.endpoint(REGRESSOR, NumpySerializer(), JSONDeserializer())(features, **types).body
                self.assertEqual([row["prediction"] for row in answer], predictions())

    def test_what_cannot_be_answered_has_the_right_status(self):
        invoke = self.endpoint(PREPROCESSOR)
        for status, body, content_type in [(415, "x", "image/png"), (400, "1,2,3", "text/csv")]:
            with self.assertRaises(botocore.exceptions.ClientError) as refused:
                invoke(body, content_type=content_type)
            self.assertEqual(refused.exception.response["ResponseMetadata"]["HTTPStatusCode"], status)


class LocalMode(LocalModeCase):
    """Jobs and endpoints as the SDK's local mode runs them."""

    SESSION = LocalSession

    def process(self, job, inputs, outputs):
        """Runs a job; its outputs go to the bucket, and are inputs of the next from there."""
        processor = Processor(role=ROLE, image_uri=self.image(), instance_count=1, instance_type="local",
                              entrypoint=["/drivetrain", job], sagemaker_session=self.session)
        processor.run(
            inputs=[ProcessingInput(input_name=name, s3_input=ProcessingS3Input(
                        s3_uri=self.bucket(source), local_path=f"/opt/ml/processing/input/{name}",
                        s3_data_type="S3Prefix", s3_input_mode="File"))
                    for name, source in inputs.items()],
            outputs=[ProcessingOutput(output_name=destination.replace("/", "-"), s3_output=ProcessingS3Output(
                         s3_uri=self.bucket(destination), local_path=f"/opt/ml/processing/{source}",
                         s3_upload_mode="EndOfJob"))
                     for source, destination in outputs.items()],
            # Done when this returns; to wait is to sleep for ten seconds first.
            wait=False, logs=False,
        )

    def trainer(self, hyperparameters, hosts=1):
        root = self.folder / "trainer"
        root.mkdir()
        return ModelTrainer(
            training_mode=Mode.LOCAL_CONTAINER, training_image=self.image(), local_container_root=str(root),
            compute=Compute(instance_type="local", instance_count=hosts), hyperparameters=hyperparameters,
            input_data_config=[InputData(channel_name=part, data_source=f"{STORE}/data/gold/{part}",
                                         content_type="application/x-npy") for part in ("train", "val")],
        ), root / "compressed_artifacts"

    @contextmanager
    def deployed(self, tarball):
        """An endpoint of local mode: rows in, features or predictions out."""
        session, name = self.local_session(), f"drivetrain-{uuid.uuid4()}"
        container = {"Image": self.image(), "ModelDataUrl": self.copy(tarball), "Environment": {"RUST_LOG": "warn"}}
        variant = {"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "local"}
        client = session.sagemaker_client
        client.create_model(ModelName=name, PrimaryContainer=container)
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        client.create_endpoint(EndpointName=name, EndpointConfigName=name)

        def predict(rows):
            answer = session.sagemaker_runtime_client.invoke_endpoint(
                NumpySerializer().serialize(rows), name, "application/x-npy", "application/x-npy"
            )
            return NumpyDeserializer().deserialize(answer["Body"], answer["ContentType"])

        try:
            yield predict
        finally:
            client.delete_endpoint(name)

    def test_processing_jobs_write_what_the_pipeline_kept(self):
        self.process("acquire", {}, {f"output/{part}": f"bronze/{part}" for part in ("train", "val")})
        self.process("process", {part: f"bronze/{part}" for part in ("train", "val")},
                     {"train": "gold/train", "output": "preprocessor"})
        for key, path in [
            ("gold/train/train_feats.npy", STORE / "data/gold/train/train_feats.npy"),
            ("preprocessor/model.tar.gz", PREPROCESSOR),
        ]:
            self.assertEqual(self.object_digest(key), hashlib.sha256(path.read_bytes()).hexdigest(), key)

    def test_a_training_job_makes_the_pipelines_model(self):
        # Each kind of value has an encoding of its own.
        trainer, artifacts = self.trainer({"n-estimators": 100, "max-depth": "none", "bootstrap": True, "max-features": 1.0,
                                           "random-state": 42})
        trainer.train()
        self.assertEqual(manifest(artifacts / "model.tar.gz"), manifest(REGRESSOR))

    def test_two_hosts_make_the_model_of_one(self):
        # Compose stops all hosts when the first of them ends.
        trainer, artifacts = self.trainer({"n-estimators": 100, "random-state": 42}, hosts=2)
        trainer.train()
        self.assertEqual(manifest(artifacts / "model.tar.gz"), manifest(REGRESSOR))

    def test_a_training_job_that_fails_says_why(self):
        trainer, artifacts = self.trainer({"n-estimators": "many"})
        with self.assertRaisesRegex(RuntimeError, "exited with code: 1"):
            trainer.train()
        with tarfile.open(artifacts / "output.tar.gz") as tar:
            reason = tar.extractfile("failure").read().decode()
        self.assertIn("`n-estimators` is `many`", reason)

    def test_endpoints_in_a_chain_predict_as_the_pipeline_did(self):
        with self.deployed(PREPROCESSOR) as preprocessor, self.deployed(REGRESSOR) as regressor:
            self.assertEqual(regressor(preprocessor(numbers())).tolist(), predictions())

    def test_batch_transform_predicts_as_the_pipeline_did(self):
        rows = self.folder / "rows"
        rows.mkdir()
        features = runtime(self.serve("--model-dir", PREPROCESSOR)).invoke_endpoint(
            EndpointName="cars", Body="\n".join(",".join(row) for row in raw_rows()), ContentType="text/csv",
            Accept="text/csv",
        )
        (rows / "rows.csv").write_bytes(features["Body"].read())
        name = f"drivetrain-{uuid.uuid4()}"
        container = {"Image": self.image(), "ModelDataUrl": self.copy(REGRESSOR), "Environment": {}}
        self.session.sagemaker_client.create_model(ModelName=name, PrimaryContainer=container)
        transformer = Transformer(name, 1, "local", output_path=self.uri("answers"), accept="text/csv",
                                  strategy="MultiRecord", base_transform_job_name="cars", sagemaker_session=self.session)
        transformer.transform(f"file://{rows}", content_type="text/csv", split_type="Line")
        [answers] = (self.folder / "answers").rglob("rows.csv.out")
        self.assertEqual([float(line) for line in answers.read_text().split()], predictions())


if __name__ == "__main__":
    common.main()
