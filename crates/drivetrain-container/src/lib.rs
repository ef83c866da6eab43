//! The jobs: acquire, process, train and serve, honouring the SageMaker container contract.
