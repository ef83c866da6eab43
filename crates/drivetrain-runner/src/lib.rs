//! Plays SageMaker locally: an object store, job directories, processes, logs and metrics.
