"""The jobs and endpoints, driven by boto3 and by the SageMaker Python SDK of the second generation, held to a run of the
pipeline. Local mode takes one container per endpoint, so a chain of two is two endpoints.
"""

import hashlib
import io
import json
import re
import tarfile
import tempfile
import urllib.request
from contextlib import contextmanager, redirect_stdout

import botocore.exceptions
import numpy
import sagemaker
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer, JSONLinesDeserializer, NumpyDeserializer
from sagemaker.deserializers import PandasDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.local import LocalSession
from sagemaker.model import Model
from sagemaker.predictor import Predictor
from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor
from sagemaker.serializers import CSVSerializer, JSONLinesSerializer, JSONSerializer, NumpySerializer
from sagemaker.transformer import Transformer

import common
from common import (
    PREPROCESSOR, REGRESSOR, ROLE, SILENT, STORE, Case, LocalModeCase, boto_session, manifest, numbers, predictions,
    raw_rows, read_csv, runtime, server,
)


class Boto3(Case):
    """`invoke_endpoint` against the server itself."""

    def test_a_chain_of_two_containers_answers_as_the_pipeline_did(self):
        preprocessor, regressor = (runtime(self.serve("--model-dir", path)) for path in (PREPROCESSOR, REGRESSOR))
        rows = "\n".join(",".join(row) for row in raw_rows())
        for between in ("application/json", "application/x-npy", "text/csv", "application/jsonlines"):
            features = preprocessor.invoke_endpoint(
                EndpointName="cars", Body=rows, ContentType="text/csv", Accept=between
            )
            self.assertEqual(features["ContentType"], between)
            answer = regressor.invoke_endpoint(
                EndpointName="cars", Body=features["Body"].read(), ContentType=between, InferenceId="7",
                CustomAttributes="trace=7",
            )
            self.assertEqual(answer["CustomAttributes"], "trace=7")
            self.assertEqual(answer["ContentType"], "application/json")
            expected = [{"id": id, "prediction": value} for id, value in enumerate(predictions())]
            self.assertEqual(json.load(answer["Body"]), expected, between)

    def test_what_cannot_be_answered_has_the_right_status(self):
        client = runtime(self.serve("--model-dir", PREPROCESSOR))
        for status, arguments in [
            (415, {"Body": "x", "ContentType": "image/png"}),
            (406, {"Body": "1,2,3,4,5,6,7", "ContentType": "text/csv", "Accept": "image/png"}),
            (400, {"Body": "1,2,3", "ContentType": "text/csv"}),
            (413, {"Body": b"\n" * (6 * 1024 * 1024 + 1), "ContentType": "text/csv"}),
        ]:
            with self.assertRaises(botocore.exceptions.ClientError) as refused:
                client.invoke_endpoint(EndpointName="cars", **arguments)
            self.assertEqual(refused.exception.response["ResponseMetadata"]["HTTPStatusCode"], status)

    def test_an_endpoint_of_many_models_answers_with_the_one_that_is_named(self):
        models = {}
        for name, tarball in {"preprocessor": PREPROCESSOR, "regressor": REGRESSOR}.items():
            models[name] = self.folder / "models" / name / "model"
            with tarfile.open(tarball) as tar:
                tar.extractall(models[name], filter="data")
        address = self.serve("--multi-model")
        for name, path in models.items():
            body = json.dumps({"model_name": name, "url": str(path)}).encode()
            with urllib.request.urlopen(f"{address}/models", data=body) as answer:
                self.assertEqual(answer.status, 200)
        client = runtime(address)
        body, content_type = "\n".join(",".join(row) for row in raw_rows()), "text/csv"
        for name in models:
            answer = client.invoke_endpoint(
                EndpointName="cars", Body=body, ContentType=content_type, TargetModel=name, Accept="application/json"
            )
            body, content_type = answer["Body"].read(), answer["ContentType"]
        self.assertEqual([row["prediction"] for row in json.loads(body)], predictions())


class Predictors(Case):
    """The SDK's `Predictor` against the server itself: its serializers, its deserializers."""

    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="drivetrain-clients-"))
        cls.sessions = {}
        for tarball in (PREPROCESSOR, REGRESSOR):
            client = runtime(cls.enterClassContext(server("--model-dir", tarball, folder=folder)))
            cls.sessions[tarball] = sagemaker.Session(
                boto_session(), sagemaker_client=object(), sagemaker_runtime_client=client, sagemaker_config=SILENT
            )

    def predictor(self, tarball, serializer, deserializer):
        return Predictor("cars", self.sessions[tarball], serializer=serializer, deserializer=deserializer)

    def features(self, serializer, rows):
        return self.predictor(PREPROCESSOR, serializer, NumpyDeserializer()).predict(rows)

    def test_every_serializer_is_understood(self):
        expected = self.features(NumpySerializer(), numbers())
        self.assertEqual(expected.shape[0], len(predictions()))
        nulls = [[None if numpy.isnan(cell) else cell for cell in row] for row in numbers().tolist()]
        header, _ = read_csv(STORE / "data/bronze/test/test.csv")
        objects = [dict(zip(header[1:], row)) for row in nulls]
        for serializer, rows in [
            (CSVSerializer(), raw_rows()),
            (CSVSerializer(), [",".join(row) + "\n" for row in raw_rows()]),
            (CSVSerializer(), numbers()),
            (CSVSerializer(content_type="text/csv; charset=utf-8"), raw_rows()),
            (JSONSerializer(), nulls),
            (JSONSerializer(), {"instances": nulls}),
            (JSONSerializer(), {"instances": objects}),
            (JSONLinesSerializer(), nulls),
            (JSONLinesSerializer(), objects),
            (NumpySerializer(), [[float("nan") if cell is None else cell for cell in row] for row in nulls]),
        ]:
            with self.subTest(type(serializer).__name__):
                numpy.testing.assert_array_equal(self.features(serializer, rows), expected)
        one = self.features(CSVSerializer(), numbers()[0])
        numpy.testing.assert_array_equal(one, expected[:1])

    def test_every_deserializer_is_served(self):
        features = self.features(CSVSerializer(), raw_rows())
        for deserializer, values in [
            (JSONDeserializer(), lambda answer: [row["prediction"] for row in answer]),
            (JSONLinesDeserializer(), lambda answer: [row["prediction"] for row in answer]),
            (CSVDeserializer(), lambda answer: [float(row[0]) for row in answer]),
            (NumpyDeserializer(), lambda answer: answer.tolist()),
            (PandasDeserializer(accept="application/json"), lambda answer: answer["prediction"].tolist()),
        ]:
            with self.subTest(type(deserializer).__name__):
                answer = self.predictor(REGRESSOR, NumpySerializer(), deserializer).predict(features)
                self.assertEqual(values(answer), predictions())


class LocalMode(LocalModeCase):
    """Jobs and endpoints as the SDK's local mode runs them."""

    SESSION = LocalSession

    def process(self, job, inputs, outputs):
        """Runs a job; its outputs go to the bucket, and are inputs of the next from there."""
        processor = Processor(ROLE, self.image(), 1, "local", entrypoint=["/drivetrain", job],
                              sagemaker_session=self.session)
        processor.run(
            inputs=[ProcessingInput(source=self.bucket(source), destination=f"/opt/ml/processing/input/{name}",
                                    input_name=name)
                    for name, source in inputs.items()],
            outputs=[ProcessingOutput(source=f"/opt/ml/processing/{source}", destination=self.bucket(destination),
                                      output_name=destination.replace("/", "-"))
                     for source, destination in outputs.items()],
        )

    def estimator(self, hosts=1, **hyperparameters):
        metrics = [{"Name": f"{part}:{metric}", "Regex": rf"{part}_{metric}=([^;\s]+);"}
                   for part in ("train", "val") for metric in ("mae", "mse", "rmse", "r2")]
        return Estimator(self.image(), ROLE, hosts, "local", output_path=self.uri("out"), hyperparameters=hyperparameters,
                         metric_definitions=metrics, sagemaker_session=self.session)

    def channels(self):
        return {part: TrainingInput(f"file://{STORE}/data/gold/{part}", content_type="application/x-npy")
                for part in ("train", "val")}

    @contextmanager
    def deployed(self, tarball, accept=None):
        """An endpoint of local mode, with a port of its own."""
        model = Model(self.image(), self.copy(tarball), ROLE, predictor_cls=Predictor,
                      env={"RUST_LOG": "warn"}, sagemaker_session=self.local_session())
        # It answers when this returns; to wait is to sleep for half a minute first.
        predictor = model.deploy(1, "local", serializer=NumpySerializer(), deserializer=NumpyDeserializer(), wait=False)
        try:
            yield predictor
        finally:
            predictor.delete_endpoint()

    def test_processing_jobs_write_what_the_pipeline_kept(self):
        self.process("acquire", {}, {f"output/{part}": f"bronze/{part}" for part in ("train", "val", "test", "cars")})
        self.process("process", {part: f"bronze/{part}" for part in ("train", "val")},
                     {"train": "gold/train", "val": "gold/val", "output": "preprocessor"})
        for key, path in [
            *((f"bronze/{part}/{part}.csv", STORE / f"data/bronze/{part}/{part}.csv") for part in ("train", "val", "test", "cars")),
            *((f"gold/{part}/{part}_feats.npy", STORE / f"data/gold/{part}/{part}_feats.npy") for part in ("train", "val")),
            ("preprocessor/model.tar.gz", PREPROCESSOR),
            ("preprocessor/summary.json", PREPROCESSOR.with_name("summary.json")),
        ]:
            self.assertEqual(self.object_digest(key), hashlib.sha256(path.read_bytes()).hexdigest(), key)

    def test_a_training_job_makes_the_pipelines_model(self):
        estimator = self.estimator(**{"n-estimators": 100, "max-depth": "none", "random-state": 42})
        log = io.StringIO()
        with redirect_stdout(log):
            estimator.fit(self.channels())
        self.assertEqual(manifest(estimator.model_data.removeprefix("file://")), manifest(REGRESSOR))
        metrics = json.loads(manifest(REGRESSOR))["training"]["metrics"]
        for definition in estimator.metric_definitions:
            found = re.findall(definition["Regex"], log.getvalue())
            self.assertEqual([float(value) for value in found], [metrics[definition["Name"].replace(":", "_")]])

    def test_two_hosts_make_the_model_of_one(self):
        # Compose stops all hosts when the first of them ends.
        estimator = self.estimator(hosts=2, **{"n-estimators": 100, "random-state": 42})
        estimator.fit(self.channels())
        self.assertEqual(manifest(estimator.model_data.removeprefix("file://")), manifest(REGRESSOR))

    def test_a_training_job_that_fails_says_why(self):
        with self.assertRaisesRegex(RuntimeError, "exited with code: 1"):
            self.estimator(**{"n-estimators": "many"}).fit(self.channels())
        [output] = (self.folder / "out").rglob("output.tar.gz")
        with tarfile.open(output) as tar:
            reason = tar.extractfile("failure").read().decode()
        self.assertIn("`n-estimators` is `many`", reason)

    def test_endpoints_in_a_chain_predict_as_the_pipeline_did(self):
        with self.deployed(PREPROCESSOR) as preprocessor, self.deployed(REGRESSOR) as regressor:
            self.assertEqual(regressor.predict(preprocessor.predict(numbers())).tolist(), predictions())

    def test_batch_transform_predicts_as_the_pipeline_did(self):
        rows = self.folder / "rows"
        rows.mkdir()
        with self.deployed(PREPROCESSOR) as preprocessor:
            numpy.savetxt(rows / "rows.csv", preprocessor.predict(numbers()), delimiter=",", fmt="%.17g")
        model = Model(self.image(), self.copy(REGRESSOR), ROLE, sagemaker_session=self.session)
        model.create(instance_type="local")
        transformer = Transformer(model.name, 1, "local", output_path=self.uri("answers"), accept="text/csv",
                                  strategy="MultiRecord", sagemaker_session=self.session)
        # Done when this returns; to wait is to ask for logs that nobody keeps.
        transformer.transform(f"file://{rows}", content_type="text/csv", split_type="Line", wait=False)
        [answers] = (self.folder / "answers").rglob("rows.csv.out")
        self.assertEqual([float(line) for line in answers.read_text().split()], predictions())


if __name__ == "__main__":
    common.main()
