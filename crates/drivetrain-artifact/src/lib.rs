//! Feature matrices and models on disk: .npy and the model.tar.gz artifact.
