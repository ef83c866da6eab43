"""What each process of server.py runs: the model, and the requests it answers."""

import io
import os
from pathlib import Path

import pandas as pd
import reference
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

STORE = Path(os.environ["DRIVETRAIN_BENCH_STORE"])
preprocessor, regressor = (reference.load(name, STORE) for name in ("preprocessor", "regressor"))
app = FastAPI()


@app.get("/ping")
async def ping() -> Response:
    return Response()


@app.post("/invocations")
async def invocations(request: Request) -> JSONResponse:
    rows = pd.read_csv(io.BytesIO(await request.body()), names=reference.COLUMNS[1:])
    predictions = regressor.predict(preprocessor.transform(rows))
    return JSONResponse([{"id": row, "prediction": value} for row, value in enumerate(predictions.tolist())])
